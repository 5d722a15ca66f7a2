//! What the board says on its serial line.

mod console;
mod repeats;

pub use console::{Console, Head};
pub(crate) use repeats::{More, Repeats};
