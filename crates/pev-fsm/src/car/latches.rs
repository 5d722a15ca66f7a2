//! What holds the next session off until a person has acted.

use session::{Latch, Touch};

use super::Car;
use crate::Event;

impl Car {
    /// Holds the next session off; a worse latch takes the place of the one before. A suspect sensor is
    /// reported under a worse one, too: it stays when that is reset.
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

    /// The driver has stopped, or that is over. It is told as a latch where no fault is latched, which a
    /// reset ends together with it.
    pub(super) fn keep_stop(&mut self, is_kept: bool) {
        let changes = core::mem::replace(&mut self.is_stop_kept, is_kept) != is_kept;
        if changes && self.latched.is_none() {
            let stop = Latch::DriverStop;
            self.events.push(if is_kept { Event::Latched(stop) } else { Event::Unlatched(stop) });
        }
    }

    /// A person has acted: the worst latch goes, unless its cause persists. A suspect sensor that lay under
    /// it is latched then: who releases an emergency stop has not measured.
    pub(super) fn reset(&mut self) {
        self.keep_stop(false);
        let Some(latch) = self.latched else { return };
        let persists = match latch {
            Latch::Contactors | Latch::VoltagePresent | Latch::Unreadable => !self.reads_dead(),
            // Closed contactors contradict each other again by themselves.
            Latch::Suspect => !self.power.is_off(),
            // A pressed button latches again by itself.
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

    /// Whether the inlet's sensor says that it is dead, be it suspect or not: a person has looked.
    fn reads_dead(&self) -> bool {
        let mut trusted = *self.supervision.joined();
        trusted.trust();
        self.touch_by(&trusted) == Touch::Dead
    }

    /// Whether what is latched keeps the plug locked whatever is measured: there may be voltage that no
    /// sensor shows.
    pub(super) fn is_held_by_latch(&self) -> bool {
        let is_held = matches!(
            self.latched,
            Some(Latch::Suspect | Latch::VoltagePresent | Latch::Contactors | Latch::Unreadable)
        );
        is_held || self.supervision.joined().is_suspect()
    }
}
