//! The charger's role against a car made of smoltcp, on a wire in memory.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

mod address;
mod blind;
mod car;
mod channel;
mod connection;
mod discovery;
mod energised;
mod hostile;
mod loss;
mod watch;
mod world;
