//! Whether the current follows what is demanded of the power stage, downward above all.

use machine::{Duration, Instant};

use crate::power::CURRENT_BEFORE_POWER_MA;

/// Current beyond what is demanded that is lag and error of measurement, in mA: 10 A (a real charger trails a falling
/// demand by up to 5 A, observed), and
const OVER_MA: i64 = 10_000;
/// in per cent of what is demanded: 5 (IEC 61851-23, above 50 A, from memory).
const OVER_PERCENT: i64 = 5;
/// More than that for so long is a stage that does not follow: 3 s (judgement; 172 A were seen to go within 1.5 s, and
/// IEC 61851-23 wants 100 A/s for a normal shutdown, from memory).
const FOLLOWS: Duration = Duration::from_secs(3);
/// Before power is granted 2 A are demanded at most, and flow when the car's contactors close. A stage of 2 A with its
/// ripple and the sensor's error is seen beyond that: by up to so much in mA (judgement).
const OVER_BEFORE_POWER_MA: i32 = 1_000;
/// More than that for so long is no inrush of the car's contactors, which takes milliseconds: two readings (judgement;
/// a single one may just see the peak).
const INRUSH: Duration = Duration::from_millis(100);

/// Compares demand and measurement.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Following {
    over_since: Option<Instant>,
}

impl Following {
    pub(crate) const fn new() -> Self {
        Self { over_since: None }
    }

    /// Whether `measured_ma` has been more than `demanded_ma` explains for too long. Power was granted where
    /// `is_granted`.
    pub(crate) fn is_off(
        &mut self,
        now: Instant,
        demanded_ma: i32,
        measured_ma: i32,
        is_granted: bool,
    ) -> bool {
        let (most_ma, patience) = if is_granted {
            let demanded = i64::from(demanded_ma);
            (demanded + OVER_MA + demanded * OVER_PERCENT / 100, FOLLOWS)
        } else {
            (i64::from(CURRENT_BEFORE_POWER_MA.saturating_add(OVER_BEFORE_POWER_MA)), INRUSH)
        };
        if i64::from(measured_ma) <= most_ma {
            self.over_since = None;
            return false;
        }
        now.since(*self.over_since.get_or_insert(now)) >= patience
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Behind how many ms of readings each 50 ms it is found: what is demanded and measured at each of them.
    fn found(is_granted: bool, of: impl Fn(i32) -> (i32, i32)) -> Option<i32> {
        let mut following = Following::new();
        (0..=5_000_i32).step_by(50).find(|ms| {
            let (demanded_ma, measured_ma) = of(*ms);
            let now = Instant::from_millis(u64::from(ms.unsigned_abs()));
            following.is_off(now, demanded_ma, measured_ma, is_granted)
        })
    }

    #[test]
    fn a_stage_of_two_amperes_overshoots_and_peaks_and_more_is_found() {
        assert_eq!(found(false, |_| (2_000, 3_000)), None);
        assert_eq!(found(false, |ms| (2_000, if ms == 100 { 300_000 } else { 2_250 })), None, "an inrush");
        assert_eq!(found(false, |_| (2_000, 3_001)), Some(100));
        assert_eq!(found(false, |_| (0, 300_000)), Some(100));
    }

    #[test]
    fn a_current_that_does_not_fall_with_the_demand_is_found() {
        let demand = |ms: i32| if ms < 500 { 125_000 } else { 0 };
        let slow = |ms: i32| (demand(ms), (125_000 - (ms - 500).max(0) * 50).max(0));
        assert_eq!(found(true, slow), None, "50 A/s");
        assert_eq!(found(true, |ms| (demand(ms), 125_000)), Some(3_500), "one that keeps what it gave");
        assert_eq!(found(true, |ms| (demand(ms), 10_000)), None, "up to 10 A");
        assert_eq!(found(true, |_| (100_000, 115_000)), None, "10 A and 5 %");
        assert_eq!(found(true, |_| (100_000, 115_001)), Some(3_000));
    }
}
