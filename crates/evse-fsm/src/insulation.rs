//! The isolation monitor: the evaluation of its report, and whether it still measures.

use machine::{Duration, Instant};
use session::{Cause, Compared, Lasting};

use crate::found::Found;
use crate::{Config, Insulation, Isolation};

/// The monitor's status; where it reports a resistance, the worse of its status and the one by resistance.
pub(crate) fn judged(monitor: Insulation, config: &Config) -> Isolation {
    let Some(ohm) = monitor.resistance_ohm else { return monitor.status };
    let levels = &config.protection;
    match monitor.status {
        Isolation::Measuring => Isolation::Measuring,
        _ if ohm < needed_ohm(config, levels.fault_ohm_per_v) => Isolation::Fault,
        Isolation::Valid if ohm < needed_ohm(config, levels.warning_ohm_per_v) => Isolation::Warning,
        status => status,
    }
}

/// This many ohm per volt of the charger's rated maximum.
fn needed_ohm(config: &Config, ohm_per_v: u16) -> u32 {
    let volts = u32::try_from(config.limits.max_voltage_mv / 1000).unwrap_or(0);
    volts.saturating_mul(u32::from(ohm_per_v))
}

/// The fault of an isolation that is too low.
pub(crate) fn fault(monitor: Option<Insulation>, config: &Config) -> Found {
    let milli = |ohm: u32| i32::try_from(ohm).unwrap_or(i32::MAX);
    let compared = monitor.and_then(|monitor| monitor.resistance_ohm).map(|ohm| Compared {
        what: "isolation",
        found: milli(ohm),
        against: "least",
        limit: milli(needed_ohm(config, config.protection.fault_ohm_per_v)),
        unit: "kOhm",
    });
    Found { cause: Cause::Isolation, compared }
}

/// Whether the monitor makes new measurements. Its own count shows this, the time at which a program read it
/// does not.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Liveness {
    count: Option<u32>,
    silent: Lasting,
    has_measured: bool,
}

impl Liveness {
    pub(crate) const fn new() -> Self {
        Self { count: None, silent: Lasting::new(), has_measured: false }
    }

    /// Starts from the monitor's present report: only a later measurement is new.
    pub(crate) fn begin(monitor: Option<Insulation>) -> Self {
        Self { count: monitor.and_then(|monitor| monitor.count), ..Self::new() }
    }

    /// Whether it has measured since then.
    pub(crate) const fn has_measured(&self) -> bool {
        self.has_measured
    }

    /// Whether it has made no measurement for `patience`. A monitor without a count measures as long as
    /// `says_more` holds: its report is more than "no result".
    pub(crate) fn hangs(
        &mut self,
        now: Instant,
        monitor: Option<Insulation>,
        says_more: bool,
        patience: Duration,
    ) -> bool {
        let is_new = monitor.is_some_and(|monitor| monitor.count.is_none() || monitor.count != self.count);
        if let Some(monitor) = monitor {
            self.count = monitor.count;
        }
        self.has_measured |= is_new && says_more;
        self.silent.for_at_least(now, !(is_new && says_more), patience)
    }

    /// When it will count as hanging.
    pub(crate) fn due(&self, patience: Duration) -> Option<Instant> {
        self.silent.due(patience)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ohms(status: Isolation, ohm: u32) -> Insulation {
        Insulation { resistance_ohm: Some(ohm), ..Insulation::of(status) }
    }

    #[test]
    fn ohms_are_judged_by_the_chargers_rated_voltage_and_the_worse_word_counts() {
        // 500 V: 50 kOhm and 250 kOhm.
        let config = Config::default();
        let cases = [
            (ohms(Isolation::Valid, 49_999), Isolation::Fault),
            (ohms(Isolation::Valid, 50_000), Isolation::Warning),
            (ohms(Isolation::Valid, 249_999), Isolation::Warning),
            (ohms(Isolation::Valid, 250_000), Isolation::Valid),
            (ohms(Isolation::Warning, 1_000_000), Isolation::Warning),
            (ohms(Isolation::Fault, 1_000_000), Isolation::Fault),
            (ohms(Isolation::Warning, 1_000), Isolation::Fault),
            (ohms(Isolation::Measuring, 0), Isolation::Measuring),
            (Insulation::of(Isolation::Valid), Isolation::Valid),
        ];
        for (monitor, isolation) in cases {
            assert_eq!(judged(monitor, &config), isolation, "{monitor:?}");
        }
        assert_eq!(fault(Some(ohms(Isolation::Valid, 1_000)), &config).compared.unwrap().limit, 50_000);
    }

    #[test]
    fn a_monitor_whose_count_stands_still_hangs_however_new_its_readings_are() {
        let mut liveness = Liveness::new();
        let mut ask = |ms, count, says_more| {
            let monitor = Insulation { count, ..Insulation::of(Isolation::Valid) };
            let now = Instant::from_millis(ms);
            liveness.hangs(now, Some(monitor), says_more, Duration::from_secs(10))
        };
        assert!(!ask(0, Some(7), true));
        assert!(!ask(100, Some(7), true));
        assert!(!ask(10_099, Some(7), true));
        assert!(ask(10_100, Some(7), true));
        assert!(!ask(10_101, Some(0), true), "any change is a new measurement");
        assert!(!ask(60_000, None, true), "it cannot be seen");
        assert!(!ask(60_001, None, false));
        assert!(ask(70_001, None, false), "no result is no measurement");
    }
}
