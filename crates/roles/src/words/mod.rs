//! The text of events, without an allocator, for `ccs` and for a board's serial line. `docs/STYLE.md` has the
//! rules.

mod car;
mod charger;
mod link;
mod values;

pub use car::{OfCar, OfCarSession};
pub use charger::{OfCharger, OfChargerSession};
pub use link::{OfModem, OfSlac};
pub use values::OfValues;

/// The subject of a message of the session, by its sender.
pub const fn way(is_from_car: bool) -> &'static str {
    if is_from_car { "pev->evse" } else { "evse->pev" }
}

/// The subject of a line that is a warning.
pub const WARNING: &str = "warning";
