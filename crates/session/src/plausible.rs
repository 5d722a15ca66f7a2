use machine::{Duration, Instant};

use crate::{DEAD_MV, Lasting};

/// Two sources of one voltage may be apart by so much, in mV: 50 V (EVerest).
pub const APART_MV: i32 = 50_000;
/// For how long they may be further apart: 2 s (clara, a car's two sources).
pub const APART: Duration = Duration::from_secs(2);

/// Compares two sources that measure one quantity, such as the voltages at both sides of closed contactors.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Agreement {
    apart: Lasting,
}

impl Agreement {
    /// Sources that agree.
    pub const fn new() -> Self {
        Self { apart: Lasting::new() }
    }

    /// Whether the two, in mV, have been more than [`APART_MV`] apart for [`APART`]. One that is absent, or
    /// that does not measure the same at the moment, is no comparison.
    pub fn is_broken(&mut self, now: Instant, one_mv: Option<i32>, other_mv: Option<i32>) -> bool {
        let are_apart =
            one_mv.zip(other_mv).is_some_and(|(one, other)| one.abs_diff(other) > APART_MV.unsigned_abs());
        self.apart.for_at_least(now, are_apart, APART)
    }

    /// Whether they were apart when they were last compared, however shortly.
    pub const fn is_doubted(&self) -> bool {
        self.apart.holds()
    }

    /// When it will be broken; `None` while the two agree.
    pub fn due(&self) -> Option<Instant> {
        self.apart.due(APART)
    }
}

/// What a side's own sources say about a place that a person may touch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Touch {
    /// Each source says below 60 V, and none is suspect.
    Dead,
    /// A source says 60 V or more.
    Live,
    /// A source says nothing, none exists, or one is suspect.
    Unknown,
}

impl Touch {
    /// What these sources say, each in mV or silent. `is_suspect`: one of them was found to contradict
    /// another. The peer's word is no source.
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
