//! When a voltage near the battery's can be expected to stay near: contactors close some time after their
//! command.

use machine::{Duration, Instant};

/// The voltage must have been near for this time: 200 ms, two of the longest intervals between readings
/// (judgement; no clause has a time, and a captured charger crosses the whole window of 40 V within 40 ms).
const SETTLED: Duration = Duration::from_millis(200);
/// The voltage is moving if it changes by more than this within that time, in mV: 25 V/s. A Compleo that
/// approaches its target changes by 12 V/s (observed), a ramp by 500 V/s or more; within 450 ms until the
/// contactors close this is at most 11 V.
const STEADY_MV: i32 = 5_000;

/// The effect of a request can be measured this long after its response: 50 ms (judgement; a ramp of 500 V/s
/// changes by 25 V meanwhile).
pub(crate) const SEEN: Duration = Duration::from_millis(50);

/// Follows the difference between the inlet voltage and the battery's.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Settling {
    run: Option<Run>,
}

/// Consecutive readings that are near and do not move.
#[derive(Clone, Copy, Debug)]
struct Run {
    since: Instant,
    last: Instant,
    first_mv: i32,
    last_mv: i32,
}

impl Settling {
    /// Restarts without any reading.
    pub(crate) fn begin(&mut self) {
        self.run = None;
    }

    /// Adds a reading made at `at`: `difference_mv` between inlet and battery, near if it is at most
    /// `tolerance_mv`. A reading that was added before changes nothing.
    pub(crate) fn take(&mut self, at: Instant, difference_mv: i32, tolerance_mv: i32) {
        if self.run.is_some_and(|run| at <= run.last) {
            return;
        }
        let is_near = difference_mv.saturating_abs() <= tolerance_mv;
        let first = Run { since: at, last: at, first_mv: difference_mv, last_mv: difference_mv };
        let run = self.run.unwrap_or(first);
        let has_moved = difference_mv.saturating_sub(run.first_mv).saturating_abs() > STEADY_MV;
        let next = if has_moved { first } else { Run { last: at, last_mv: difference_mv, ..run } };
        self.run = is_near.then_some(next);
    }

    /// Whether the voltage has settled and would still be near if it continued to change as it did. The
    /// newest reading must be from `least` or later.
    pub(crate) fn is_settled(&self, least: Instant, tolerance_mv: i32) -> bool {
        self.run.is_some_and(|Run { since, last, first_mv, last_mv }| {
            let ahead_mv = last_mv.saturating_add(last_mv.saturating_sub(first_mv));
            last >= least && last.since(since) >= SETTLED && ahead_mv.saturating_abs() <= tolerance_mv
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// After how many ms it settles, within two seconds of readings every 50 ms.
    fn settles(difference_mv: impl Fn(i32) -> i32) -> Option<i32> {
        let mut settling = Settling::default();
        (0..=2_000_i32).step_by(50).find(|ms| {
            let at = Instant::from_millis(u64::from(ms.unsigned_abs()));
            settling.take(at, difference_mv(*ms), 20_000);
            settling.is_settled(at, 20_000)
        })
    }

    #[test]
    fn a_voltage_settles_when_it_stays_near_and_does_not_move() {
        assert_eq!(settles(|_| 20_000), Some(200));
        assert_eq!(settles(|_| -3_000), Some(200));
        assert_eq!(settles(|_| 20_001), None);
        assert_eq!(settles(|ms| if ms == 100 { 21_000 } else { 0 }), Some(350), "near without a break");
        assert_eq!(settles(|ms| 600 * (ms - 500)), None, "through the window at 600 V/s");
        assert_eq!(settles(|ms| 60 * (ms - 500)), None, "and at 60 V/s");
        assert_eq!(settles(|ms| 17_000 - 12 * ms), Some(200), "a Compleo sinks at 12 V/s");
        assert_eq!(settles(|ms| 16_000 + 12 * ms), None, "it leaves before contacts would meet");
    }

    #[test]
    fn one_reading_told_again_and_again_proves_nothing() {
        let mut settling = Settling::default();
        let at = Instant::from_millis(1_000);
        for _ in 0..100 {
            settling.take(at, 0, 20_000);
        }
        assert!(!settling.is_settled(at, 20_000));
        settling.take(at + SETTLED, 0, 20_000);
        assert!(settling.is_settled(at, 20_000));
        assert!(settling.is_settled(at + SETTLED, 20_000));
        assert!(
            !settling.is_settled(at + SETTLED + Duration::from_micros(1), 20_000),
            "nothing is known of that time"
        );
        settling.begin();
        assert!(!settling.is_settled(at, 20_000));
    }
}
