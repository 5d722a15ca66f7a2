//! The rules of `tests/layers` for the crates, checked by `cargo metadata` and the sources.

pub mod circles;
pub mod modules;
pub mod workspace;
