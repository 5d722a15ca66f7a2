//! Latches: stops that block the next session until a person clears them.

use session::{Cause, Latch, Phase, Touch};

use super::Charger;
use crate::reading::fresh;
use crate::{Event, Sensors};

/// Consecutive failures for one cause that latch: two.
const TRIES: u8 = 2;
/// A program that starts with an inserted plug has no record of earlier failures: they count as one.
pub(super) const TRIES_BEFORE: u8 = 1;

/// The latches that are set only after repeated failures.
pub(super) const COUNTED: [Latch; 5] =
    [Latch::NoCurrent, Latch::Isolation, Latch::Voltage, Latch::VoltagePresent, Latch::Contactors];

impl Charger {
    /// Latches a stop; a worse latch replaces a lesser one. A suspect sensor is reported even below a worse
    /// latch: it remains when that is reset.
    pub(super) fn latch(&mut self, latch: Latch) {
        let is_news = self.latched < Some(latch) || latch == Latch::Suspect && !self.is_suspect;
        self.is_suspect |= latch == Latch::Suspect;
        self.latched = self.latched.max(Some(latch));
        if is_news {
            self.events.push(Event::Latched(latch));
        }
    }

    /// Sets the latch of a cause that latches with its first occurrence.
    pub(super) fn latch_at_once(&mut self, cause: Cause) {
        match cause {
            Cause::OverVoltage | Cause::OverCurrent => self.latch(Latch::OutOfRange),
            Cause::ReverseCurrent => self.latch(Latch::ReverseCurrent),
            Cause::Suspect(_) => self.latch(Latch::Suspect),
            _ => {}
        }
    }

    /// A session ends for this cause: counts it if it latches only after repeated failures.
    pub(super) fn count(&mut self, cause: Cause) {
        let counted = match cause {
            Cause::NoCurrent => Latch::NoCurrent,
            Cause::Isolation | Cause::MonitorHangs => Latch::Isolation,
            // In the precharge the car's requests may be the cause: not counted.
            Cause::VoltageOff if self.phase == Phase::CableCheck => Latch::Voltage,
            Cause::WeldSuspected => Latch::VoltagePresent,
            Cause::Contactor => Latch::Contactors,
            _ => return,
        };
        let row = COUNTED.iter().zip(&mut self.tries).find(|(latch, _)| **latch == counted);
        let Some((_, tries)) = row else { return };
        *tries = tries.saturating_add(1);
        if *tries >= TRIES {
            self.latch(counted);
        }
    }

    /// Resets the counts: a session has ended well, a person has acted, or the plug was removed.
    pub(super) fn forget_tries(&mut self) {
        self.tries = [0; COUNTED.len()];
    }

    /// A person has requested a reset: the worst latch is cleared. A suspect sensor below it becomes the
    /// latch then: who releases an emergency stop has not measured the sensors.
    pub(super) fn reset(&mut self) {
        self.forget_tries();
        self.stopped = false;
        let Some(latch) = self.latched.take() else { return };
        self.events.push(Event::Unlatched(latch));
        if core::mem::take(&mut self.is_suspect) && latch != Latch::Suspect {
            self.latch(Latch::Suspect);
        }
    }

    /// The plug was removed: clears the latches that end with it. The fault of a sensor remains.
    pub(super) fn replugged(&mut self) {
        self.authorised = None;
        if matches!(self.latched, Some(Latch::Suspect | Latch::Unreadable)) {
            self.stopped = false;
            return;
        }
        self.reset();
    }

    /// Whether the plug may be removed: nothing is driven, each own sensor shows a dead output, none of them
    /// is suspect, and the session is neither about to energise nor being stopped. Time never unlocks: a
    /// needed reading that is absent keeps the plug locked.
    pub(super) fn may_unlock(&self) -> bool {
        let holds = self.is_suspect || matches!(self.latched, Some(Latch::EmergencyStop | Latch::Unreadable));
        let needs = |sensor| self.config.sensors.contains(sensor);
        let is_open = match fresh(self.plant.contactors, self.now) {
            Some(closed) => !closed,
            None => !needs(Sensors::CONTACTORS),
        };
        let voltage_mv = fresh(self.plant.voltage_mv, self.now);
        let is_dead = match Touch::of(&[voltage_mv], false) {
            Touch::Dead => true,
            Touch::Live => false,
            Touch::Unknown => !needs(Sensors::VOLTAGE),
        };
        let is_idle = self.session.state.is_before_power() && self.session.stop.is_none();
        !holds && is_dead && is_open && is_idle && !self.power.is_energised()
    }
}
