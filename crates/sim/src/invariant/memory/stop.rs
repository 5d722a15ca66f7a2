use machine::Instant;
use session::Target;

use crate::invariant::Facts;

/// The stop of a session that is under way, and what was demanded least since it is.
#[derive(Clone, Copy, Debug, Default)]
pub(in crate::invariant) struct Stop {
    /// When the charger's operator asked for the end.
    told: Option<Instant>,
    least: Option<Target>,
}

impl Stop {
    /// The charger's operator asks for the end; without a session that changes nothing.
    pub(in crate::invariant) fn tell(&mut self, now: Instant, facts: &Facts) {
        if facts.heard.is_some() {
            self.told.get_or_insert(now);
        }
    }

    /// Takes what is demanded now.
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

    /// Whether more is demanded than was before, in a stop.
    pub(in crate::invariant) fn is_raised(&self, supply: Target) -> bool {
        self.least
            .is_some_and(|least| supply.voltage_mv > least.voltage_mv || supply.current_ma > least.current_ma)
    }
}
