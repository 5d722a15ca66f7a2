//! Inlet and battery: with closed contactors two sensors measure one voltage. Only this comparison shows that
//! the inlet's sensor is right.

use machine::Instant;
use session::{APART_MV, Agreement, Compared};

/// The result of comparing the inlet's sensor with the battery's.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Joined {
    agreement: Agreement,
    /// Inlet minus battery at the last comparison, in mV.
    offset_mv: i32,
    /// They differed at the last comparison.
    is_doubted: bool,
    is_suspect: bool,
    /// The suspect sensor has been reported.
    is_reported: bool,
}

/// The compared voltages, for the detail of a stop.
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
    /// While the contactors are closed: whether both have contradicted each other for too long.
    pub(crate) fn compare(&mut self, now: Instant, inlet_mv: Option<i32>, battery_mv: Option<i32>) -> bool {
        if let Some((inlet, battery)) = inlet_mv.zip(battery_mv) {
            self.offset_mv = inlet.saturating_sub(battery);
            self.is_doubted = self.offset_mv.saturating_abs() > APART_MV;
        }
        let is_broken = self.agreement.is_broken(now, inlet_mv, battery_mv);
        self.is_suspect |= is_broken;
        is_broken
    }

    /// The contactors are commanded to open, after which nothing can be compared: a contradiction that is
    /// present makes the sensor suspect. Returns whether it does.
    pub(crate) fn part(&mut self) -> bool {
        let is_doubted = core::mem::take(&mut self.is_doubted);
        self.is_suspect |= is_doubted;
        self.agreement = Agreement::new();
        is_doubted
    }

    /// Whether they contradicted each other at the last comparison, for however short a time.
    pub(crate) const fn is_doubted(&self) -> bool {
        self.is_doubted
    }

    /// Whether the inlet's sensor has contradicted the battery's.
    pub(crate) const fn is_suspect(&self) -> bool {
        self.is_suspect
    }

    /// Makes the sensor suspect without a comparison. Returns whether that is to be reported.
    pub(crate) fn suspect(&mut self) -> bool {
        self.is_suspect = true;
        !core::mem::replace(&mut self.is_reported, true)
    }

    /// A person has checked both sensors.
    pub(crate) fn trust(&mut self) {
        (self.is_suspect, self.is_reported, self.offset_mv) = (false, false, 0);
    }

    /// `inlet_mv` as the battery's sensor would show it: reduced by the difference of both when they had to
    /// be equal.
    pub(crate) fn corrected(&self, inlet_mv: i32) -> i32 {
        inlet_mv.saturating_sub(self.offset_mv)
    }

    /// When a contradiction will have lasted for too long.
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
