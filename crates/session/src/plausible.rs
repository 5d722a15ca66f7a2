use machine::{Duration, Instant};

use crate::{DEAD_MV, Lasting};

/// Largest permitted difference of two sensors of one voltage, in mV: 50 V (EVerest).
pub const APART_MV: i32 = 50_000;
/// How long the difference may be larger: 2 s (clara, a car's two sensors).
pub const APART: Duration = Duration::from_secs(2);

/// Compares two sensors of one quantity, such as the voltages at both sides of closed contactors.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Agreement {
    apart: Lasting,
}

impl Agreement {
    /// Sensors without a difference.
    pub const fn new() -> Self {
        Self { apart: Lasting::new() }
    }

    /// Whether both, in mV, have differed by more than [`APART_MV`] for [`APART`]. Without both values
    /// nothing is compared: pass `None` for a sensor that is absent or at present measures something else.
    pub fn is_broken(&mut self, now: Instant, one_mv: Option<i32>, other_mv: Option<i32>) -> bool {
        let are_apart =
            one_mv.zip(other_mv).is_some_and(|(one, other)| one.abs_diff(other) > APART_MV.unsigned_abs());
        self.apart.for_at_least(now, are_apart, APART)
    }

    /// Whether they differed at the last comparison, for however short a time.
    pub const fn is_doubted(&self) -> bool {
        self.apart.holds()
    }

    /// When the difference will have lasted [`APART`]; `None` while both agree.
    pub fn due(&self) -> Option<Instant> {
        self.apart.due(APART)
    }
}

/// Whether a place that a person may touch is dead, by a side's own sensors.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Touch {
    /// Each sensor shows less than 60 V, and none is suspect.
    Dead,
    /// A sensor shows 60 V or more.
    Live,
    /// A sensor has no reading, no sensor exists, or one is suspect.
    Unknown,
}

impl Touch {
    /// The result for these sensors, each in mV or `None` without a reading. `is_suspect`: one of them has
    /// contradicted another. Do not pass values that the peer reports.
    pub fn of(sources_mv: &[Option<i32>], is_suspect: bool) -> Self {
        let is_live =
            |source: &Option<i32>| source.is_some_and(|mv| mv.unsigned_abs() >= DEAD_MV.unsigned_abs());
        if sources_mv.iter().any(is_live) {
            Self::Live
        } else if is_suspect || sources_mv.is_empty() || sources_mv.iter().any(Option::is_none) {
            Self::Unknown
        } else {
            Self::Dead
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sources_further_apart_than_50_v_for_2_s_contradict_each_other() {
        let mut agreement = Agreement::new();
        let mut ask = |ms, one, other| agreement.is_broken(Instant::from_millis(ms), one, other);
        assert!(!ask(0, Some(0), Some(350_000)));
        assert!(!ask(1_999, Some(0), Some(350_000)));
        assert!(ask(2_000, Some(0), Some(350_000)));
        assert!(!ask(2_100, Some(350_000), Some(300_000)), "50 V are allowed");
        assert!(!ask(5_000, None, Some(350_000)), "no comparison");
        assert!(!ask(9_000, Some(i32::MIN), Some(i32::MAX)));
        assert!(ask(11_000, Some(i32::MIN), Some(i32::MAX)));
        assert!(agreement.is_doubted());
        assert_eq!(agreement.due(), Some(Instant::from_millis(11_000)));
    }

    #[test]
    fn only_sources_that_all_say_below_60_v_and_are_not_suspect_make_it_dead() {
        let cases: [(&[Option<i32>], bool, Touch); 8] = [
            (&[Some(59_999)], false, Touch::Dead),
            (&[Some(-59_999), Some(0)], false, Touch::Dead),
            (&[Some(60_000)], false, Touch::Live),
            (&[Some(0), Some(-60_000)], false, Touch::Live),
            (&[Some(0), None], false, Touch::Unknown),
            (&[Some(0)], true, Touch::Unknown),
            (&[Some(60_000)], true, Touch::Live),
            (&[], false, Touch::Unknown),
        ];
        for (sources, is_suspect, touch) in cases {
            assert_eq!(Touch::of(sources, is_suspect), touch, "{sources:?} {is_suspect}");
        }
    }
}
