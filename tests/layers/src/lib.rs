//! What `tests/` holds the crates to, read off `cargo metadata` and off their sources.

pub mod circles;
pub mod modules;
pub mod workspace;
