use machine::Instant;
use session::Target;

use crate::invariant::Facts;

/// The stop of a session that is in progress, and the lowest demand since its start.
#[derive(Clone, Copy, Debug, Default)]
pub(in crate::invariant) struct Stop {
    /// Time at which the charger's operator requested the end.
    told: Option<Instant>,
    least: Option<Target>,
}

impl Stop {
    /// The charger's operator requests the end; without a session it has no effect.
    pub(in crate::invariant) fn tell(&mut self, now: Instant, facts: &Facts) {
        if facts.heard.is_some() {
            self.told.get_or_insert(now);
        }
    }

    /// Takes the present demand.
    pub(super) fn keep(&mut self, facts: &Facts, supply: Target) {
        if facts.heard.is_none() || facts.began > self.told {
            self.told = None;
        }
        if self.told.is_none() && !facts.is_ending {
            self.least = None;
            return;
        }
        let least = self.least.get_or_insert(supply);
        least.voltage_mv = least.voltage_mv.min(supply.voltage_mv);
        least.current_ma = least.current_ma.min(supply.current_ma);
    }

    /// Whether the demand has increased during a stop.
    pub(in crate::invariant) fn is_raised(&self, supply: Target) -> bool {
        self.least
            .is_some_and(|least| supply.voltage_mv > least.voltage_mv || supply.current_ma > least.current_ma)
    }
}
