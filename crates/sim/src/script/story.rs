//! What happens while a script is played, for an observer.

use std::cell::{Cell, RefCell};
use std::ops::ControlFlow;
use std::rc::Rc;

use machine::Instant;
use roles::{EvseEvent, PevEvent, Watch};
use session::{Direction, Phase, StopReason};

use crate::plant::Bench;

/// What was reported, and by which side.
#[derive(Debug)]
pub enum Told {
    /// By the charger.
    Charger(EvseEvent),
    /// By the car.
    Car(PevEvent),
    /// A frame on the charger's cable.
    Frame {
        /// Whether the charger sent it.
        is_sent: bool,
        /// All of it.
        frame: Vec<u8>,
    },
    /// A message that the charger's session takes or its answer, before the charger reports it.
    Message {
        /// Which way it goes, seen from the charger.
        direction: Direction,
        /// V2GTP's payload type.
        payload_type: u16,
        /// The payload.
        document: Vec<u8>,
    },
    /// The script did this.
    Step(String),
    /// All is repaired and the plug is pulled: it is put in again, and current must flow.
    Mended,
}

/// What is there after a step of the world.
#[derive(Clone, Copy)]
pub struct Scene<'w> {
    /// The time.
    pub now: Instant,
    /// The hardware.
    pub bench: &'w Bench,
    /// Where the charger is in its session, and how the last one ended.
    pub charger: (Phase, Option<StopReason>),
    /// Likewise the car.
    pub car: (Phase, Option<StopReason>),
}

/// An observer: called after each step of the world with what was reported since. `Break` ends the play.
pub type Look<'l> = &'l mut dyn FnMut(&Scene<'_>, Vec<(Instant, Told)>) -> ControlFlow<()>;

/// What was reported and not looked at yet.
#[derive(Clone, Debug, Default)]
pub(super) struct Story(Rc<Telling>);

#[derive(Debug, Default)]
struct Telling {
    /// The world's time.
    now: Cell<Instant>,
    told: RefCell<Vec<(Instant, Told)>>,
}

impl Watch for Story {
    /// The charger's own time may be wrong.
    fn message(&self, _at: Instant, direction: Direction, payload_type: u16, document: &[u8]) {
        self.tell(self.0.now.get(), Told::Message { direction, payload_type, document: document.to_vec() });
    }
}

impl Story {
    pub(super) fn tell(&self, at: Instant, told: Told) {
        self.0.told.borrow_mut().push((at, told));
    }

    /// What is reported from now on happens at this time.
    pub(super) fn go_on(&self, now: Instant) {
        self.0.now.set(now);
    }

    pub(super) fn take(&self) -> Vec<(Instant, Told)> {
        std::mem::take(&mut self.0.told.borrow_mut())
    }
}
