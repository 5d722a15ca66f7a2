//! Inlet and battery: behind closed contactors one voltage with two sensors, and so the only proof that the
//! inlet's is right.

use machine::Instant;
use session::{APART_MV, Agreement, Compared};

/// What the comparison has shown of the inlet's sensor.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Joined {
    agreement: Agreement,
    /// Inlet less battery when they were compared last, in mV.
    offset_mv: i32,
    /// They were apart then.
    is_doubted: bool,
    is_suspect: bool,
    /// That it is suspect was reported.
    is_reported: bool,
}

/// What a stop says of two voltages that contradict each other.
pub(crate) const fn compared(inlet_mv: i32, battery_mv: i32) -> Compared {
    Compared {
        what: "inlet voltage",
        found: inlet_mv,
        against: "battery voltage",
        limit: battery_mv,
        unit: "V",
    }
}

impl Joined {
    /// The contactors are closed: whether the two contradict each other for too long.
    pub(crate) fn compare(&mut self, now: Instant, inlet_mv: Option<i32>, battery_mv: Option<i32>) -> bool {
        if let Some((inlet, battery)) = inlet_mv.zip(battery_mv) {
            self.offset_mv = inlet.saturating_sub(battery);
            self.is_doubted = self.offset_mv.saturating_abs() > APART_MV;
        }
        let is_broken = self.agreement.is_broken(now, inlet_mv, battery_mv);
        self.is_suspect |= is_broken;
        is_broken
    }

    /// The contactors are told to open, and nothing can be compared any more: a contradiction that is there
    /// stays. Whether there is one.
    pub(crate) fn part(&mut self) -> bool {
        let is_doubted = core::mem::take(&mut self.is_doubted);
        self.is_suspect |= is_doubted;
        self.agreement = Agreement::new();
        is_doubted
    }

    /// Whether they contradicted each other when they were compared last, for long enough or not.
    pub(crate) const fn is_doubted(&self) -> bool {
        self.is_doubted
    }

    /// Whether the inlet's sensor was found to contradict the battery's.
    pub(crate) const fn is_suspect(&self) -> bool {
        self.is_suspect
    }

    /// It is suspect, whatever was compared. Whether that is to be reported.
    pub(crate) fn suspect(&mut self) -> bool {
        self.is_suspect = true;
        !core::mem::replace(&mut self.is_reported, true)
    }

    /// A person has looked at both sensors.
    pub(crate) fn trust(&mut self) {
        (self.is_suspect, self.is_reported, self.offset_mv) = (false, false, 0);
    }

    /// What `inlet_mv` would be by the battery's sensor: less what the two were apart when they had to be
    /// equal.
    pub(crate) fn corrected(&self, inlet_mv: i32) -> i32 {
        inlet_mv.saturating_sub(self.offset_mv)
    }

    /// When a contradiction becomes too long.
    pub(crate) fn due(&self) -> Option<Instant> {
        self.agreement.due()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(millis: u64) -> Instant {
        Instant::from_millis(millis)
    }

    #[test]
    fn a_contradiction_of_2_s_is_broken_and_one_that_is_there_at_the_opening_stays_too() {
        let mut silent = Joined::default();
        silent.compare(at(0), Some(0), Some(350_000));
        silent.compare(at(200), None, Some(350_000));
        assert!(silent.part(), "one that falls silent takes nothing back");
        for (ms, is_broken) in [(2_000, true), (1_999, false)] {
            let mut joined = Joined::default();
            assert!(!joined.compare(at(0), Some(-50_001), Some(0)));
            assert_eq!(joined.compare(at(ms), Some(-50_001), Some(0)), is_broken);
            assert_eq!(joined.is_suspect(), is_broken);
            assert!(joined.part() && joined.is_suspect());
            joined.trust();
            assert!(!joined.is_suspect() && !joined.part());
        }
    }

    #[test]
    fn what_the_sensors_were_apart_is_taken_off_the_inlet() {
        let mut joined = Joined::default();
        joined.compare(at(0), Some(301_000), Some(350_000));
        assert!(!joined.part());
        assert_eq!(joined.corrected(11_000), 60_000);
        joined.compare(at(0), None, Some(350_000));
        assert_eq!(joined.corrected(11_000), 60_000, "no comparison says nothing new");
    }
}
