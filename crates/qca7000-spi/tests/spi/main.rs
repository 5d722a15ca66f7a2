//! The driver against a simulated chip, and against recordings.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test ends where it fails")]

mod any_bytes;
mod bench;
mod chip;
mod faults;
mod recorded;
mod service;
