//! The log on the serial line.

mod console;
mod repeats;

pub use console::{Console, Head};
pub(crate) use repeats::{More, Repeats};
