//! Events in words, without an allocator: what `ccs` and a board's serial line say. `docs/STYLE.md` has the
//! words.

mod car;
mod charger;
mod link;
mod values;

pub use car::{OfCar, OfCarSession};
pub use charger::{OfCharger, OfChargerSession};
pub use link::{OfModem, OfSlac};
pub use values::OfValues;

/// What stands before a message of the session, by who sent it.
pub const fn way(is_from_car: bool) -> &'static str {
    if is_from_car { "pev->evse" } else { "evse->pev" }
}

/// Whether a line that has this before its words is a warning.
pub const WARNING: &str = "warning";
