use evse_fsm::Isolation;
use machine::{Duration, Instant};

/// How a resistance is judged.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Bands {
    /// IEC 61851-23:2014, from memory: Valid from 500 Ohm/V of the charger's rated voltage, Fault up to 100 Ohm/V.
    #[default]
    Edition2014,
    /// Edition of 2023: no warning, Fault below 100 kOhm (`EVerest`).
    Edition2023,
}

/// The isolation monitor: it needs a voltage on the cable and its time, then says what it found.
#[derive(Clone, Copy, Debug)]
pub struct InsulationMonitor {
    /// How it judges.
    pub bands: Bands,
    /// From the voltage to the first result, and from a change to the next one.
    pub measuring: Duration,
    /// The charger's rated voltage in V.
    pub rated_v: u32,
    shown: Isolation,
    /// What it is about to show, and since when that is true.
    coming: Option<(Isolation, Instant)>,
}

impl InsulationMonitor {
    /// It measures from this voltage on, in mV: judgement.
    pub const LEAST_MV: i32 = 50_000;

    /// A monitor that has measured nothing.
    pub const fn new(bands: Bands, measuring: Duration, rated_v: u32) -> Self {
        Self { bands, measuring, rated_v, shown: Isolation::Measuring, coming: None }
    }

    /// What a resistance in Ohm is worth.
    pub const fn judge(&self, ohms: u32) -> Isolation {
        let (fault_up_to, valid_from) = match self.bands {
            Bands::Edition2014 => (self.rated_v * 100, self.rated_v * 500),
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

    /// What it shows.
    pub const fn shown(&self) -> Isolation {
        self.shown
    }

    pub(super) fn step(&mut self, now: Instant, cable_mv: i32, ohms: u32) {
        if cable_mv < Self::LEAST_MV {
            (self.shown, self.coming) = (Isolation::Measuring, None);
            return;
        }
        let found = self.judge(ohms);
        if found == self.shown {
            self.coming = None;
            return;
        }
        let since = match self.coming {
            Some((coming, since)) if coming == found => since,
            _ => now,
        };
        self.coming = Some((found, since));
        if now.since(since) >= self.measuring {
            (self.shown, self.coming) = (found, None);
        }
    }

    /// When it shows something new.
    pub(super) fn due(&self) -> Option<Instant> {
        self.coming.map(|(_, since)| since + self.measuring)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: u32 = 1_000_000;

    fn monitor(bands: Bands) -> InsulationMonitor {
        InsulationMonitor::new(bands, Duration::from_secs(2), 500)
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
}
