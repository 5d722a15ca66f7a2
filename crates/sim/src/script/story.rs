//! Reports to an observer while a script runs.

use std::cell::{Cell, RefCell};
use std::ops::ControlFlow;
use std::rc::Rc;

use machine::Instant;
use roles::{EvseEvent, PevEvent, Watch};
use session::{Direction, Phase, StopReason};

use crate::plant::Bench;

/// A report, and its source.
#[derive(Debug)]
pub enum Told {
    /// An event of the charger.
    Charger(EvseEvent),
    /// An event of the car.
    Car(PevEvent),
    /// A frame on the charger's cable.
    Frame {
        /// Whether the charger sent it.
        is_sent: bool,
        /// The whole frame.
        frame: Vec<u8>,
    },
    /// A message that the charger's session processes, or its response, before the charger reports it.
    Message {
        /// Its direction, seen from the charger.
        direction: Direction,
        /// V2GTP's payload type.
        payload_type: u16,
        /// The payload.
        document: Vec<u8>,
    },
    /// The script carried out this step.
    Step(String),
    /// Everything is repaired and the plug is pulled: it is inserted again, and current must flow.
    Mended,
}

/// The state after a step of the world.
#[derive(Clone, Copy)]
pub struct Scene<'w> {
    /// Time of the world.
    pub now: Instant,
    /// The hardware at the cable.
    pub bench: &'w Bench,
    /// Phase of the charger, and the reason for its last stop.
    pub charger: (Phase, Option<StopReason>),
    /// Phase of the car, and the reason for its last stop.
    pub car: (Phase, Option<StopReason>),
}

/// An observer: called after each step of the world with the reports since the last call. `Break` ends the
/// play.
pub type Look<'l> = &'l mut dyn FnMut(&Scene<'_>, Vec<(Instant, Told)>) -> ControlFlow<()>;

/// Reports that were not collected yet.
#[derive(Clone, Debug, Default)]
pub(super) struct Story(Rc<Telling>);

#[derive(Debug, Default)]
struct Telling {
    /// The world's time.
    now: Cell<Instant>,
    told: RefCell<Vec<(Instant, Told)>>,
}

impl Watch for Story {
    /// The time is the world's, because the charger's own clock may be wrong.
    fn message(&self, _at: Instant, direction: Direction, payload_type: u16, document: &[u8]) {
        self.tell(self.0.now.get(), Told::Message { direction, payload_type, document: document.to_vec() });
    }
}

impl Story {
    pub(super) fn tell(&self, at: Instant, told: Told) {
        self.0.told.borrow_mut().push((at, told));
    }

    /// Later reports have this time.
    pub(super) fn go_on(&self, now: Instant) {
        self.0.now.set(now);
    }

    pub(super) fn take(&self) -> Vec<(Instant, Told)> {
        std::mem::take(&mut self.0.told.borrow_mut())
    }
}
