//! Texts for a role's events outside of its session.

use modem::ModemEvent;
use roles::words::{OfCar, OfCharger, OfModem};
use roles::{Happening, PevEvent};
use session::Checkpoint;

/// The text of an event.
pub(crate) struct Word {
    /// Its checkpoint; `None` if it has none.
    pub checkpoint: Option<Checkpoint>,
    /// The text.
    pub words: String,
}

/// The side of the cable.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Side {
    /// The charger.
    Evse,
    /// The car.
    Pev,
}

/// Text for an event of the own modem.
pub(crate) fn of_modem(side: Side, event: &ModemEvent) -> String {
    OfModem { at_evse: side == Side::Evse, event }.to_string()
}

/// Text for an event of a charger; `None` for events of its session, and events without a text.
pub(crate) fn of_charger(what: &Happening) -> Option<Word> {
    let of = OfCharger(what);
    let is_said = of.is_said() && !matches!(what, Happening::Session(_));
    is_said.then(|| Word { checkpoint: of.checkpoint(), words: of.to_string() })
}

/// Text for an event of a car; `None` for events of its session.
pub(crate) fn of_car(event: &PevEvent) -> Option<Word> {
    let of = OfCar(event);
    let is_said = !matches!(event, PevEvent::Session(_));
    is_said.then(|| Word { checkpoint: of.checkpoint(), words: of.to_string() })
}
