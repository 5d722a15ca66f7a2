//! What a role says outside of its session, in words.

use modem::ModemEvent;
use roles::words::{OfCar, OfCharger, OfModem};
use roles::{Happening, PevEvent};
use session::Checkpoint;

/// An event in words.
pub struct Word {
    /// Its number, where it has one.
    pub checkpoint: Option<Checkpoint>,
    /// The words.
    pub words: String,
}

/// Which end of the cable speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// The charger.
    Evse,
    /// The car.
    Pev,
}

/// What the own modem says.
pub fn of_modem(side: Side, event: &ModemEvent) -> String {
    OfModem { at_evse: side == Side::Evse, event }.to_string()
}

/// What a charger says; `None` where it is its session's, or there are no words for it.
pub fn of_charger(what: &Happening) -> Option<Word> {
    let of = OfCharger(what);
    let is_said = of.is_said() && !matches!(what, Happening::Session(_));
    is_said.then(|| Word { checkpoint: of.checkpoint(), words: of.to_string() })
}

/// What a car says; `None` where it is its session's.
pub fn of_car(event: &PevEvent) -> Option<Word> {
    let of = OfCar(event);
    let is_said = !matches!(event, PevEvent::Session(_));
    is_said.then(|| Word { checkpoint: of.checkpoint(), words: of.to_string() })
}
