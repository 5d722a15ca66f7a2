//! What holds the next session off until a person has acted.

use session::{Latch, Touch};

use super::Car;
use crate::Event;

impl Car {
    /// Holds the next session off; a worse latch takes the place of the one before.
    pub(super) fn latch(&mut self, latch: Latch) {
        if latch == Latch::Suspect {
            self.supervision.joined_mut().suspect();
        }
        if self.latched < Some(latch) {
            self.latched = Some(latch);
            self.events.push(Event::Latched(latch));
        }
    }

    /// A person has acted: the worst latch goes, unless its cause persists. A suspect sensor that lay under it is latched
    /// then: who releases an emergency stop has not measured.
    pub(super) fn reset(&mut self) {
        self.is_stop_kept = false;
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
            | Latch::NoCurrent => false,
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

    /// Whether what is latched keeps the plug locked whatever is measured: there may be voltage that no sensor shows.
    pub(super) fn is_held_by_latch(&self) -> bool {
        let is_held = matches!(
            self.latched,
            Some(Latch::Suspect | Latch::VoltagePresent | Latch::Contactors | Latch::Unreadable)
        );
        is_held || self.supervision.joined().is_suspect()
    }
}
