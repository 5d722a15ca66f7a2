//! The text of events, without an allocator, for `ccs` and for a board's serial line. `docs/STYLE.md` has the
//! rules.

mod car;
mod charger;
mod link;
mod values;

use session::Closed;

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

/// The text of the end of a connection, whichever side closed it.
const fn closed(closed: Closed) -> &'static str {
    match closed {
        Closed::Fin => "disconnected: connection closed (FIN)",
        Closed::Rst => "disconnected: connection reset (RST)",
        Closed::Timeout => "disconnected: no acknowledgement from the other side in time",
        Closed::InterfaceDown => "disconnected: the network interface is down",
    }
}
