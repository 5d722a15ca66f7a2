//! The charging loop and its end.

use machine::Duration;
use session::{Checkpoint, DEAD_MV, Limits, Target, fresh};

use super::{Car, Timer};
use crate::policy;
use crate::{Event, Precharge, Warning};

/// Rounds of `WeldingDetection` at most: 10 (clara).
const WELDING_ROUNDS: u8 = 10;
/// After this time without the requested current a warning is reported: 60 s (fault list).
const NO_CURRENT: Duration = Duration::from_secs(60);
/// Readings above this are current and not sensor offset, in mA: judgement.
const SOME_CURRENT_MA: i32 = 500;

impl Car {
    pub(super) fn current_demand(&mut self, name: &'static str, present: Target, limits: Limits) {
        if let Some(trouble) = policy::nonsense(name, present, &limits) {
            return self.fault(trouble);
        }
        self.session.present_mv = Some(present.voltage_mv);
        // A limit that the newest response leaves out is unchanged.
        let newest = |new: i32, old: i32| if new == i32::MAX { old } else { new };
        self.session.charger.max_voltage_mv =
            newest(limits.max_voltage_mv, self.session.charger.max_voltage_mv);
        self.session.charger.max_current_ma =
            newest(limits.max_current_ma, self.session.charger.max_current_ma);
        self.session.charger.max_power_w = newest(limits.max_power_w, self.session.charger.max_power_w);
        if let Precharge::Compared { limit_mv } = self.config.precharge {
            let found = self.supervision.reported(self.now, &self.plant, present.voltage_mv, limit_mv);
            if let Some(trouble) = found {
                return self.fault(trouble);
            }
        }
        let is_asked = self.session.asked_ma.is_some_and(|ma| ma >= 2 * SOME_CURRENT_MA);
        if is_asked && present.current_ma < SOME_CURRENT_MA {
            self.session.timers.start(Timer::NoCurrent, self.now + NO_CURRENT);
        } else {
            self.session.timers.clear(Timer::NoCurrent);
        }
        if !core::mem::replace(&mut self.session.loop_told, true) {
            self.checkpoint(Checkpoint::CURRENT_DEMAND_LOOP);
        }
        self.again();
    }

    pub(super) fn welding(&mut self, present_mv: i32) {
        self.session.present_mv = Some(present_mv);
        let measured = fresh(self.plant.inlet_mv, self.now).unwrap_or(present_mv);
        self.session.welding_rounds = self.session.welding_rounds.saturating_add(1);
        if measured.saturating_abs() < DEAD_MV {
            self.done();
        } else if self.session.welding_rounds >= WELDING_ROUNDS {
            self.events.push(Event::Warning(Warning::WeldSuspected));
            self.done();
        } else {
            self.again();
        }
    }
}
