//! What the board says on its serial line.

mod console;
mod repeats;
mod words;

pub use console::{Console, Head};
pub(crate) use repeats::{More, Repeats};
pub(crate) use words::{car, charger};
