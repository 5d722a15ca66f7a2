//! Under construction.
#![forbid(unsafe_code)]

mod chance;
mod queue;

pub use chance::{Chance, Span};
pub use queue::EventQueue;
