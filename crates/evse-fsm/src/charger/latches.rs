//! What holds the next session off until a person has acted.

use session::{Cause, Latch, Phase, Touch};

use super::Charger;
use crate::reading::fresh;
use crate::{Event, Sensors};

/// Tries that fail for one of these causes before it latches: two, in a row.
const TRIES: u8 = 2;
/// A program that begins with a plug that is in cannot know of tries before it: they count as one.
pub(super) const TRIES_BEFORE: u8 = 1;

/// What latches after so many tries, and which of them it is.
pub(super) const COUNTED: [Latch; 5] =
    [Latch::NoCurrent, Latch::Isolation, Latch::Voltage, Latch::VoltagePresent, Latch::Contactors];

impl Charger {
    /// Holds the next session off; a worse latch takes the place of the one before. A suspect sensor is
    /// reported under a worse one, too: it stays when that is reset.
    pub(super) fn latch(&mut self, latch: Latch) {
        let is_news = self.latched < Some(latch) || latch == Latch::Suspect && !self.is_suspect;
        self.is_suspect |= latch == Latch::Suspect;
        self.latched = self.latched.max(Some(latch));
        if is_news {
            self.events.push(Event::Latched(latch));
        }
    }

    /// What latches whenever it is found.
    pub(super) fn latch_at_once(&mut self, cause: Cause) {
        match cause {
            Cause::OverVoltage | Cause::OverCurrent => self.latch(Latch::OutOfRange),
            Cause::ReverseCurrent => self.latch(Latch::ReverseCurrent),
            Cause::Suspect(_) => self.latch(Latch::Suspect),
            _ => {}
        }
    }

    /// A session ends for this cause: what latches when it happens again is counted.
    pub(super) fn count(&mut self, cause: Cause) {
        let counted = match cause {
            Cause::NoCurrent => Latch::NoCurrent,
            Cause::Isolation | Cause::MonitorHangs => Latch::Isolation,
            // A precharge that a car asked for in an odd way is no fault of the charger.
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

    /// A session has gone well, a person has acted, or the plug was out.
    pub(super) fn forget_tries(&mut self) {
        self.tries = [0; COUNTED.len()];
    }

    /// A person has acted: the worst latch goes. A suspect sensor that lay under it is latched then: who
    /// releases an emergency stop has not measured.
    pub(super) fn reset(&mut self) {
        self.forget_tries();
        self.stopped = false;
        let Some(latch) = self.latched.take() else { return };
        self.events.push(Event::Unlatched(latch));
        if core::mem::take(&mut self.is_suspect) && latch != Latch::Suspect {
            self.latch(Latch::Suspect);
        }
    }

    /// The plug was out: a fault of a sensor is not gone with it.
    pub(super) fn replugged(&mut self) {
        self.authorised = None;
        if matches!(self.latched, Some(Latch::Suspect | Latch::Unreadable)) {
            self.stopped = false;
            return;
        }
        self.reset();
    }

    /// Whether the plug may be pulled: nothing is driven, each own source says that the output is dead, none
    /// of them is suspect, and the session at hand is neither about to energise nor being stopped. A wait
    /// never unlocks: a needed reading that is absent holds the lock.
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
