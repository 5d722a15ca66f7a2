//! Latches: stops that block the next session until a person clears them.

use session::{Latch, Touch};

use super::Car;
use crate::Event;

impl Car {
    /// Latches a stop; a worse latch replaces a lesser one. A suspect sensor is reported even below a worse
    /// latch: it remains when that is reset.
    pub(super) fn latch(&mut self, latch: Latch) {
        if latch == Latch::DriverStop {
            return self.keep_stop(true);
        }
        let is_new = latch == Latch::Suspect && self.supervision.joined_mut().suspect();
        if self.latched < Some(latch) || is_new {
            self.latched = self.latched.max(Some(latch));
            self.events.push(Event::Latched(latch));
        }
    }

    /// The driver has stopped, or has taken that back. Without another latch the stop is reported as a latch,
    /// and a reset clears it.
    pub(super) fn keep_stop(&mut self, is_kept: bool) {
        let changes = core::mem::replace(&mut self.is_stop_kept, is_kept) != is_kept;
        if changes && self.latched.is_none() {
            let stop = Latch::DriverStop;
            self.events.push(if is_kept { Event::Latched(stop) } else { Event::Unlatched(stop) });
        }
    }

    /// A person has requested a reset: the worst latch is cleared, unless its cause persists. A suspect
    /// sensor below it becomes the latch then: who releases an emergency stop has not measured the sensors.
    pub(super) fn reset(&mut self) {
        self.keep_stop(false);
        let Some(latch) = self.latched else { return };
        let persists = match latch {
            Latch::Contactors | Latch::VoltagePresent | Latch::Unreadable => !self.reads_dead(),
            // Closed contactors are compared continuously: a contradiction latches again.
            Latch::Suspect => !self.power.is_off(),
            // A button that is still pressed latches again.
            Latch::EmergencyStop
            | Latch::ReverseCurrent
            | Latch::OutOfRange
            | Latch::Voltage
            | Latch::Isolation
            | Latch::NoCurrent
            | Latch::DriverStop => false,
        };
        if persists {
            return;
        }
        self.latched = None;
        self.events.push(Event::Unlatched(latch));
        if latch == Latch::Suspect {
            self.supervision.joined_mut().trust();
        } else if self.supervision.joined().is_suspect() {
            self.latch(Latch::Suspect);
        }
    }

    /// Whether the inlet's sensor shows a dead inlet, suspect or not: a person has measured.
    fn reads_dead(&self) -> bool {
        let mut trusted = *self.supervision.joined();
        trusted.trust();
        self.touch_by(&trusted) == Touch::Dead
    }

    /// Whether the latch keeps the plug locked whatever the sensors show: voltage may be present that none of
    /// them measures.
    pub(super) fn is_held_by_latch(&self) -> bool {
        let is_held = matches!(
            self.latched,
            Some(Latch::Suspect | Latch::VoltagePresent | Latch::Contactors | Latch::Unreadable)
        );
        is_held || self.supervision.joined().is_suspect()
    }
}
