use evse_fsm::Isolation;
use machine::{Duration, Instant};
use session::{Insulation, SelfTest};

/// How a resistance to earth is judged.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Bands {
    /// IEC 61851-23:2014, from memory: Valid from 500 Ohm/V of the charger's rated voltage, Fault up to 100
    /// Ohm/V.
    #[default]
    Edition2014,
    /// Edition of 2023: no warning, Fault below 100 kOhm (`EVerest`).
    Edition2023,
}

/// Properties of an isolation monitor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MonitorProfile {
    /// Its limits.
    pub bands: Bands,
    /// Time from the voltage to the first result, and from a change to the next one.
    pub measuring: Duration,
    /// The charger's rated voltage in V.
    pub rated_v: u32,
    /// It also reports the resistance.
    pub has_ohms: bool,
    /// It counts its measurements.
    pub has_count: bool,
    /// It can test itself.
    pub has_self_test: bool,
}

impl Default for MonitorProfile {
    /// A monitor that counts and tests itself, for 500 V; 1 s is judgement.
    fn default() -> Self {
        Self {
            bands: Bands::Edition2014,
            measuring: Duration::from_secs(1),
            rated_v: 500,
            has_ohms: false,
            has_count: true,
            has_self_test: true,
        }
    }
}

/// The isolation monitor: it requires a voltage on the cable and its measuring time, then shows a result.
#[derive(Clone, Copy, Debug)]
pub struct InsulationMonitor {
    profile: MonitorProfile,
    /// The measured resistance in Ohm; `None` while it measures.
    shown: Option<u32>,
    /// The next result, and since when that resistance is present.
    coming: Option<(u32, Instant)>,
    /// Start of its self-test.
    tested: Option<Instant>,
    /// It fails its self-test.
    pub(super) is_broken: bool,
    is_asked: bool,
}

impl InsulationMonitor {
    /// Lowest voltage for a measurement, in mV: judgement.
    pub const LEAST_MV: i32 = 50_000;
    /// Time between two counted measurements: judgement.
    const COUNTS: Duration = Duration::from_secs(1);
    /// Duration of its self-test: judgement.
    const SELF_TEST: Duration = Duration::from_millis(500);

    /// A monitor before its first measurement.
    pub const fn new(profile: MonitorProfile) -> Self {
        Self { profile, shown: None, coming: None, tested: None, is_broken: false, is_asked: false }
    }

    /// The judgement of a resistance in Ohm.
    pub const fn judge(&self, ohms: u32) -> Isolation {
        let MonitorProfile { bands, rated_v, .. } = self.profile;
        let (fault_up_to, valid_from) = match bands {
            Bands::Edition2014 => (rated_v * 100, rated_v * 500),
            Bands::Edition2023 => (99_999, 100_000),
        };
        if ohms <= fault_up_to {
            Isolation::Fault
        } else if ohms < valid_from {
            Isolation::Warning
        } else {
            Isolation::Valid
        }
    }

    /// The judgement of the measured resistance.
    pub const fn shown(&self) -> Isolation {
        match self.shown {
            Some(ohms) => self.judge(ohms),
            None => Isolation::Measuring,
        }
    }

    /// Whether its measurements have numbers.
    pub const fn counts(&self) -> bool {
        self.profile.has_count
    }

    /// Whether it measures within 7 s, so that 10 s without a measurement are a fault.
    pub fn is_fast(&self) -> bool {
        self.profile.measuring <= Duration::from_secs(7)
    }

    /// All that it reports at `now`.
    pub fn reports(&self, now: Instant) -> Insulation {
        let MonitorProfile { has_ohms, has_count, has_self_test, .. } = self.profile;
        let count = now.as_micros() / Self::COUNTS.as_micros();
        Insulation {
            status: self.shown(),
            resistance_ohm: self.shown.filter(|_| has_ohms),
            count: has_count.then(|| u32::try_from(count).unwrap_or(0)),
            self_test: has_self_test.then(|| match self.tested {
                Some(began) if now.since(began) < Self::SELF_TEST => SelfTest::Pending,
                Some(_) if self.is_broken => SelfTest::Failed,
                Some(_) => SelfTest::Passed,
                None => SelfTest::Pending,
            }),
        }
    }

    /// A self-test is requested, or no longer requested.
    pub(super) fn test(&mut self, now: Instant, is_asked: bool) {
        if is_asked && !self.is_asked {
            self.tested = Some(now);
        }
        self.is_asked = is_asked;
    }

    pub(super) fn step(&mut self, now: Instant, cable_mv: i32, ohms: u32) {
        if cable_mv < Self::LEAST_MV {
            (self.shown, self.coming) = (None, None);
            return;
        }
        if self.shown == Some(ohms) {
            self.coming = None;
            return;
        }
        let since = match self.coming {
            Some((coming, since)) if coming == ohms => since,
            _ => now,
        };
        self.coming = Some((ohms, since));
        if now.since(since) >= self.profile.measuring {
            (self.shown, self.coming) = (Some(ohms), None);
        }
    }

    /// When its result changes.
    pub(super) fn due(&self) -> Option<Instant> {
        self.coming.map(|(_, since)| since + self.profile.measuring)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: u32 = 1_000_000;

    fn monitor(bands: Bands) -> InsulationMonitor {
        let measuring = Duration::from_secs(2);
        InsulationMonitor::new(MonitorProfile { bands, measuring, ..MonitorProfile::default() })
    }

    #[test]
    fn bands_of_both_editions() {
        let cases = [
            (50_000, Isolation::Fault, Isolation::Fault),
            (60_000, Isolation::Warning, Isolation::Fault),
            (200_000, Isolation::Warning, Isolation::Valid),
            (250_000, Isolation::Valid, Isolation::Valid),
        ];
        for (ohms, first, second) in cases {
            assert_eq!(monitor(Bands::Edition2014).judge(ohms), first, "{ohms}");
            assert_eq!(monitor(Bands::Edition2023).judge(ohms), second, "{ohms}");
        }
    }

    #[test]
    fn a_result_needs_voltage_and_time_and_goes_with_the_voltage() {
        let mut monitor = monitor(Bands::Edition2014);
        let mut at = |millis, mv, ohms| {
            monitor.step(Instant::from_millis(millis), mv, ohms);
            monitor.shown()
        };
        assert_eq!(at(0, 49_999, GOOD), Isolation::Measuring);
        assert_eq!(at(1_000, 500_000, GOOD), Isolation::Measuring);
        assert_eq!(at(2_999, 500_000, GOOD), Isolation::Measuring);
        assert_eq!(at(3_000, 500_000, GOOD), Isolation::Valid);
        assert_eq!(at(4_000, 500_000, 10), Isolation::Valid);
        assert_eq!(at(5_000, 500_000, GOOD), Isolation::Valid, "gone before it was found");
        assert_eq!(at(6_000, 500_000, 10), Isolation::Valid);
        assert_eq!(at(8_000, 500_000, 10), Isolation::Fault);
        assert_eq!(at(8_001, 0, 10), Isolation::Measuring);
    }

    #[test]
    fn it_counts_and_tests_itself_and_gives_ohms_where_it_can() {
        let full = MonitorProfile { has_ohms: true, ..MonitorProfile::default() };
        let at = Instant::from_millis;
        let mut monitor = InsulationMonitor::new(full);
        assert_eq!(monitor.reports(at(0)).self_test, Some(SelfTest::Pending));
        monitor.test(at(100), true);
        assert_eq!(monitor.reports(at(599)).self_test, Some(SelfTest::Pending));
        assert_eq!(monitor.reports(at(600)).self_test, Some(SelfTest::Passed));
        monitor.is_broken = true;
        assert_eq!(monitor.reports(at(600)).self_test, Some(SelfTest::Failed));
        monitor.step(at(0), 400_000, GOOD);
        monitor.step(at(1_000), 400_000, GOOD);
        assert_eq!(monitor.reports(at(3_500)).resistance_ohm, Some(GOOD));
        assert_ne!(monitor.reports(at(1_500)).count, monitor.reports(at(2_500)).count);
        let plain = MonitorProfile { has_count: false, has_self_test: false, ..MonitorProfile::default() };
        let reports = InsulationMonitor::new(plain).reports(at(900));
        assert_eq!(reports, Insulation::of(Isolation::Measuring));
    }
}
