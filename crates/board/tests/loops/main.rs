//! The main loop on the host: a charger's board and a car's board in virtual time, with faults in between.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test ends where it fails")]
#![allow(clippy::expect_used, reason = "a test ends where it fails")]

mod bench;
mod commands;
mod faults;
mod life;
mod session;
mod spi;
mod start;
mod world;
