//! What `tests/` holds the crates to, read off their sources.
#![allow(clippy::indexing_slicing)]
pub mod circles;
pub mod modules;
