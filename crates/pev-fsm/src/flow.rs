//! The current through closed contactors: at most the requested one, and not reversed.

use machine::{Duration, Instant};
use session::{By, Cause, Compared, Lasting, Latch, OPEN_BELOW_MA};

use crate::Protection;
use crate::trouble::Trouble;

/// Slowest charger's response to a lower request, in mA/s: 10 A/s (observed: 10..14 A/s).
const FALL_MA_PER_S: i64 = 10_000;
/// Above this requested current a measurement below [`OPEN_BELOW_MA`] may be a sensor fault, in mA:
/// judgement, the same as on the charger's side.
const DOUBTED_MA: i32 = 10_000;
/// After this time: 500 ms (judgement; shorter, it is a charger that has just switched off).
const DOUBTED: Duration = Duration::from_millis(500);

/// Follows the highest current that the charger may still supply.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Flow {
    /// The highest current that the charger may still supply, in mA.
    expected_ma: i32,
    stepped: Instant,
    over: Lasting,
    reverse: Lasting,
    nothing: Lasting,
}

impl Flow {
    /// While the contactors are closed: a fault if `current_ma` does not fit `asked_ma`, the newest requested
    /// current. The car's own limit bounds the request, so that this also detects a current above it.
    pub(crate) fn step(
        &mut self,
        now: Instant,
        levels: &Protection,
        asked_ma: i32,
        current_ma: Option<i32>,
    ) -> Option<Trouble> {
        let micros = i64::try_from(now.since(self.stepped).as_micros()).unwrap_or(i64::MAX);
        let fallen =
            i64::from(self.expected_ma).saturating_sub(FALL_MA_PER_S.saturating_mul(micros) / 1_000_000);
        self.expected_ma = i32::try_from(fallen.max(i64::from(asked_ma))).unwrap_or(asked_ma);
        self.stepped = now;
        let is_nothing = current_ma.is_some_and(|ma| ma.saturating_abs() < OPEN_BELOW_MA);
        self.nothing.since(now, is_nothing && self.expected_ma > DOUBTED_MA);
        let found = current_ma.unwrap_or(0);
        let most_ma = levels.most_ma(self.expected_ma);
        let compared = |against, limit| Compared { what: "current", found, against, limit, unit: "A" };
        if self.reverse.for_at_least(now, found < -levels.reverse_ma, levels.reverse) {
            let compared = compared("the least allowed", -levels.reverse_ma);
            return Some(
                Trouble::new(By::Charger, Cause::ReverseCurrent)
                    .latched(Latch::ReverseCurrent)
                    .compared(compared),
            );
        }
        let is_over = self.over.for_at_least(now, found > most_ma, levels.over_current);
        is_over.then(|| {
            let compared = compared("the most allowed", most_ma);
            Trouble::new(By::Car, Cause::OverCurrent).latched(Latch::OutOfRange).compared(compared)
        })
    }

    /// While the contactors are open: no current is expected.
    pub(crate) fn rest(&mut self, now: Instant) {
        *self = Self { stepped: now, ..Self::default() };
    }

    /// Whether the sensor shows no current for longer than [`DOUBTED`] although much was requested.
    pub(crate) fn is_doubted(&self, now: Instant) -> bool {
        self.nothing.due(DOUBTED).is_some_and(|at| now >= at)
    }

    /// When over-current and reverse current will have lasted for their permitted time.
    pub(crate) fn due(&self, levels: &Protection) -> [Option<Instant>; 2] {
        let due = |lasting: &Lasting, time: Duration| lasting.due(time);
        [due(&self.over, levels.over_current), due(&self.reverse, levels.reverse)]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LEVELS: Protection = Protection::DEFAULT;

    /// The result after `millis` ms of this current, with a reading every 50 ms, at a constant request.
    fn found(asked_ma: i32, current_ma: Option<i32>, millis: u64) -> Option<(Cause, Option<Latch>)> {
        let mut flow = Flow::default();
        let step = |ms| flow.step(Instant::from_millis(ms), &LEVELS, asked_ma, current_ma);
        let mut all = (0..=millis).step_by(50).map(step);
        all.find_map(|trouble| trouble.map(|trouble| (trouble.cause, trouble.latch)))
    }

    #[test]
    fn more_than_the_regulation_allows_for_3_s_is_over_current() {
        let over = Some((Cause::OverCurrent, Some(Latch::OutOfRange)));
        for (asked_ma, most_ma) in [(0, 3_500), (49_900, 53_400), (50_000, 53_500), (200_000, 212_300)] {
            assert_eq!(found(asked_ma, Some(most_ma), 60_000), None, "{asked_ma}");
            assert_eq!(found(asked_ma, Some(most_ma + 1), 2_950), None, "{asked_ma}");
            assert_eq!(found(asked_ma, Some(most_ma + 1), 3_000), over, "{asked_ma}");
        }
        assert_eq!(found(50_000, Some(54_900), 3_000), over, "4.9 A more than the car bears");
        assert_eq!(found(0, None, 60_000), None);
    }

    #[test]
    fn more_than_5_a_backwards_for_1_s_is_reverse_current_whatever_is_asked_for() {
        let reverse = Some((Cause::ReverseCurrent, Some(Latch::ReverseCurrent)));
        for asked_ma in [0, 60_000] {
            assert_eq!(found(asked_ma, Some(-5_000), 60_000), None);
            assert_eq!(found(asked_ma, Some(-5_001), 950), None);
            assert_eq!(found(asked_ma, Some(-5_001), 1_000), reverse);
            assert_eq!(found(asked_ma, Some(i32::MIN), 1_000), reverse);
        }
    }

    #[test]
    fn a_charger_may_fall_by_10_a_each_second() {
        let mut flow = Flow::default();
        let at = Instant::from_millis;
        for ms in (0..=1_000).step_by(50) {
            assert!(flow.step(at(ms), &LEVELS, 100_000, Some(100_000)).is_none());
        }
        for ms in (1_050..=11_000_u64).step_by(50) {
            let current = 110_000 - i32::try_from(ms).unwrap() * 10;
            assert!(flow.step(at(ms), &LEVELS, 0, Some(current)).is_none(), "{ms}");
        }
        assert!(!flow.is_doubted(at(11_000)), "little is expected any more");
    }

    #[test]
    fn nothing_is_doubted_where_more_than_10_a_were_asked_for() {
        let mut flow = Flow::default();
        for (asked_ma, current_ma, is_doubted) in [
            (10_000, Some(0), false),
            (10_001, Some(999), true),
            (10_001, Some(1_000), false),
            (10_001, None, false),
        ] {
            flow.rest(Instant::ZERO);
            for ms in [0, 499, 500] {
                let now = Instant::from_millis(ms);
                flow.step(now, &LEVELS, asked_ma, current_ma);
                assert_eq!(flow.is_doubted(now), is_doubted && ms == 500, "{asked_ma} {current_ma:?} {ms}");
            }
        }
    }
}
