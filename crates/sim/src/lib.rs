//! Under construction.
#![forbid(unsafe_code)]

mod chance;
pub mod power_line;
mod queue;

pub use chance::{Chance, Span};
pub use power_line::{ModemConfig, ModemKind, Port, PowerLine};
pub use queue::EventQueue;
