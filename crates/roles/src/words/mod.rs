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

/// Subject of the line of a session message: sender and receiver.
pub const fn way(is_from_car: bool) -> &'static str {
    if is_from_car { "pev->evse" } else { "evse->pev" }
}

/// Subject of the line of a warning.
pub const WARNING: &str = "warning";
