//! The current: whether it follows the demand, in size and in sign.

use machine::{Duration, Instant};
use session::{Cause, Lasting, Limits, earliest};

use super::Output;
use crate::found::{Found, amperes};
use crate::power::{CURRENT_BEFORE_POWER_MA, OPEN_BELOW_MA};
use crate::{Protection, ReverseCurrent};

/// Permitted excess over the limit for errors of measurement and control, in mA; the stage's regulation where
/// that is more: judgement.
const OVER_CURRENT_MA: i32 = 5_000;
/// A stage whose current is above its regulation for this time does not follow: 3 s (judgement; 172 A were
/// seen to end within 1.5 s; IEC 61851-23 requires 100 A/s for a normal shutdown, from memory).
const FOLLOWS: Duration = Duration::from_secs(3);
/// A demand within the last four of these intervals explains a current, too: 1 s in total (a real charger
/// lags a falling demand by up to 5 A, observed).
const QUARTER: Duration = Duration::from_millis(250);
/// The sensor's error in mA; 1 % and [`ROUNDED_MA`] where that is more: judgement.
const SENSOR_MA: i64 = 1_000;
/// The addition for ripple and rounding, in mA: judgement, the same as on the car's side.
const ROUNDED_MA: i64 = 200;
/// Before power is granted at most 2 A are demanded, and flow when the car's contactors close. With ripple
/// and sensor error a stage of 2 A reads up to this many mA more (judgement).
const OVER_BEFORE_POWER_MA: i32 = 1_000;
/// A larger current for this time is not the inrush of the car's contactors, which lasts milliseconds: two
/// readings (judgement; a single reading may be at the peak).
const INRUSH: Duration = Duration::from_millis(100);
/// Current out of the car above this is not a sensor's error, in mA: 5 A; after 1 s it is not ripple
/// (judgement).
const REVERSE_MA: i32 = 5_000;
const REVERSE: Duration = Duration::from_secs(1);
/// Up to this demand no current counts as missing, in mA: 10 A (judgement; a full battery accepts a few).
const MISSED_FROM_MA: i32 = 10_000;
/// Current is missing below a twentieth of the demand: a stage may deviate by this much. The level is 1 A at
/// least and 5 A at most, at which an output counts as off (IEC 61851-23, from memory). A higher current may
/// be that of a derated stage (judgement).
const MISSED_PART: i32 = 20;
const OFF_BELOW_MA: i32 = 5_000;
/// Current does not count as missing this near to the set point of the voltage, in mV or percent: the battery
/// determines the current.
const NEAR_MV: i32 = 10_000;
const NEAR_PERCENT: i32 = 2;
/// A sensor that shows too little while current is missing is no longer trusted after this time when it shows
/// that the current has ended: 2 s (the same as for two sensors that differ).
const DISTRUST: Duration = Duration::from_secs(2);

/// Compares demand and measurement.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Current {
    demanded: Recent,
    /// The newest measurement that was compared, and whether it was above its demand. A demand that rises
    /// later does not explain it.
    compared: (Option<Instant>, bool),
    over: Lasting,
    inrush: Lasting,
    reverse: Lasting,
    missed: Lasting,
    is_suspect: bool,
}

/// The measured values.
#[derive(Clone, Copy, Debug)]
pub(super) struct Measured {
    /// When the current was measured.
    pub(super) at: Instant,
    pub(super) current_ma: i32,
    pub(super) voltage_mv: i32,
}

impl Current {
    pub(crate) const fn new() -> Self {
        let none = Lasting::new();
        Self {
            demanded: Recent::new(),
            compared: (None, false),
            over: none,
            inrush: none,
            reverse: none,
            missed: none,
            is_suspect: false,
        }
    }

    /// Whether a reading of no current is not to be trusted.
    pub(crate) const fn is_suspect(&self) -> bool {
        self.is_suspect
    }

    /// The fault of a power stage's current.
    pub(super) fn check(
        &mut self,
        now: Instant,
        measured: Measured,
        limits: &Limits,
        output: Output,
        levels: &Protection,
    ) -> Option<Found> {
        let size_ma = measured.current_ma.saturating_abs();
        let most_ma = limits
            .max_current_ma
            .saturating_add(OVER_CURRENT_MA)
            .max(explained(limits.max_current_ma, levels));
        let cause = if measured.current_ma < 0 { Cause::ReverseCurrent } else { Cause::OverCurrent };
        let over = |limit| Found::by(cause, amperes("output current", measured.current_ma, "most", limit));
        if output.is_granted && size_ma > most_ma {
            return Some(over(most_ma));
        }
        let lately_ma = explained(self.demanded.most(now, output.demanded_ma), levels);
        if self.compared.0 != Some(measured.at) {
            self.compared = (Some(measured.at), measured.current_ma > explained(output.demanded_ma, levels));
        }
        let is_over = output.is_granted && self.compared.1;
        let before_ma = CURRENT_BEFORE_POWER_MA + OVER_BEFORE_POWER_MA;
        let is_early = !output.is_granted && size_ma > before_ma;
        if self.over.for_at_least(now, is_over, FOLLOWS) && measured.current_ma > lately_ma {
            return Some(over(lately_ma));
        }
        if self.inrush.for_at_least(now, is_early, INRUSH) {
            return Some(over(before_ma));
        }
        self.missing(now, measured, output, levels)
    }

    /// The fault of a current out of the car, with a power stage or without.
    pub(super) fn reverse(&mut self, now: Instant, current_ma: i32, levels: &Protection) -> Option<Found> {
        let least_ma = match levels.reverse_current {
            ReverseCurrent::Forbidden => -REVERSE_MA,
            ReverseCurrent::Allowed(most_ma) => -most_ma.max(REVERSE_MA),
        };
        let is_reverse = self.reverse.for_at_least(now, current_ma < least_ma, REVERSE);
        is_reverse.then(|| {
            Found::by(Cause::ReverseCurrent, amperes("output current", current_ma, "least", least_ma))
        })
    }

    fn missing(
        &mut self,
        now: Instant,
        measured: Measured,
        output: Output,
        levels: &Protection,
    ) -> Option<Found> {
        let near_mv = NEAR_MV.max(output.set_mv / 100 * NEAR_PERCENT);
        let size_ma = measured.current_ma.saturating_abs();
        let least_ma = (output.demanded_ma / MISSED_PART).clamp(OPEN_BELOW_MA, OFF_BELOW_MA);
        let is_missed = output.demanded_ma > MISSED_FROM_MA
            && size_ma < least_ma
            && measured.voltage_mv < output.set_mv.saturating_sub(near_mv);
        // Whatever the demand is at that time.
        let is_off = size_ma < OFF_BELOW_MA;
        self.is_suspect = is_off && (self.is_suspect || self.missed.for_at_least(now, is_missed, DISTRUST));
        let compared = amperes("output current", measured.current_ma, "demanded", output.demanded_ma);
        let is_over = self.missed.for_at_least(now, is_missed, levels.no_current);
        is_over.then(|| Found::by(Cause::NoCurrent, compared))
    }

    /// When the first fault that is present will have lasted for too long.
    pub(super) fn due(&self, now: Instant, levels: &Protection) -> Option<Instant> {
        let dues = [
            self.over.due(FOLLOWS),
            self.inrush.due(INRUSH),
            self.reverse.due(REVERSE),
            self.missed.due(DISTRUST),
            self.missed.due(levels.no_current),
        ];
        earliest(now, &dues)
    }
}

/// The highest current in mA that a set point explains.
fn explained(demanded_ma: i32, levels: &Protection) -> i32 {
    let demanded = i64::from(demanded_ma);
    let stage = (demanded * i64::from(levels.regulation_percent) / 100).max(i64::from(levels.regulation_ma));
    let most = demanded + stage;
    i32::try_from(most + SENSOR_MA.max(most / 100 + ROUNDED_MA)).unwrap_or(i32::MAX)
}

/// The maximum over the last three to four [`QUARTER`]s.
#[derive(Clone, Copy, Debug)]
struct Recent {
    began: Instant,
    most: [i32; 4],
}

impl Recent {
    const fn new() -> Self {
        Self { began: Instant::ZERO, most: [0; 4] }
    }

    fn most(&mut self, now: Instant, value: i32) -> i32 {
        let [first, second, third, fourth] = self.most;
        if now.since(self.began) >= QUARTER {
            *self = Self { began: now, most: [value, first, second, third] };
        } else {
            self.most = [first.max(value), second, third, fourth];
        }
        self.most.iter().fold(0, |most, value| most.max(*value))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMITS: Limits = Limits {
        max_voltage_mv: 450_000,
        min_voltage_mv: 50_000,
        max_current_ma: 500_000,
        min_current_ma: 0,
        max_power_w: i32::MAX,
    };

    /// After how many ms, with readings every 50 ms, the fault is found. `of` returns demand and measurement
    /// of each reading, in mA.
    fn found(is_granted: bool, of: impl Fn(i32) -> (i32, i32)) -> Option<(i32, Cause)> {
        let mut current = Current::new();
        (0..=20_000_i32).step_by(50).find_map(|ms| {
            let (demanded_ma, current_ma) = of(ms);
            let now = Instant::from_millis(u64::from(ms.unsigned_abs()));
            let output = Output { is_granted, demanded_ma, set_mv: 400_000, ..Output::OFF };
            let measured = Measured { at: now, current_ma, voltage_mv: 350_000 };
            let levels = Protection::DEFAULT;
            let found = current.check(now, measured, &LIMITS, output, &levels);
            found.or(current.reverse(now, current_ma, &levels)).map(|found| (ms, found.cause))
        })
    }

    #[test]
    fn a_stage_of_two_amperes_overshoots_and_peaks_and_more_is_found() {
        assert_eq!(found(false, |_| (2_000, 3_000)), None);
        assert_eq!(found(false, |ms| (2_000, if ms == 100 { 300_000 } else { 2_250 })), None, "an inrush");
        assert_eq!(found(false, |_| (2_000, 3_001)), Some((100, Cause::OverCurrent)));
        assert_eq!(found(false, |_| (0, 300_000)), Some((100, Cause::OverCurrent)));
    }

    #[test]
    fn a_current_that_does_not_fall_with_the_demand_is_found() {
        let demand = |ms: i32| if ms < 500 { 125_000 } else { 0 };
        let slow = |ms: i32| (demand(ms), (125_000 - (ms - 500).max(0) * 50).max(0));
        assert_eq!(found(true, slow), None, "50 A/s");
        let ramp = |ms: i32| (125_000 - ms * 10).max(0);
        assert_eq!(found(true, |ms| (ramp(ms), (ramp(ms - 500)).min(125_000))), None, "5 A later at 10 A/s");
        assert_eq!(found(true, |ms| (demand(ms), 125_000)), Some((3_500, Cause::OverCurrent)));
    }

    #[test]
    fn a_stage_within_its_regulation_and_a_sensor_within_one_per_cent_are_never_found_and_more_is_after_3_s()
    {
        for demanded in [0, 10_000, 49_999, 50_000, 100_000, 125_000, 400_000] {
            let most = demanded + (demanded / 20).max(2_500);
            assert_eq!(found(true, |_| (demanded, most + most / 100)), None, "{demanded}");
            let far = most + (most / 100 + 200).max(1_000) + 1;
            let late = found(true, |_| (demanded, far));
            assert_eq!(late, Some((3_000, Cause::OverCurrent)), "{demanded}");
        }
        assert_eq!(found(true, |_| (0, 9_900)), Some((3_000, Cause::OverCurrent)));
        assert_eq!(found(true, |_| (50_000, 54_900)), Some((3_000, Cause::OverCurrent)));
        assert_eq!(found(true, |ms| (0, if ms % 2_950 == 0 { 0 } else { 9_900 })), None, "peaks");
    }

    #[test]
    fn a_demand_that_rises_after_the_measurement_explains_nothing_of_it() {
        // 500 mA more every 50 ms; the newest reading is 25 ms old when the demand rises.
        let mut current = Current::new();
        let found = (0..4_000_i32).step_by(25).find_map(|ms| {
            let now = Instant::from_millis(u64::from(ms.unsigned_abs()));
            let at = Instant::from_millis(u64::from((ms / 50 * 50).unsigned_abs()));
            let demanded_ma = 10_000 + (ms + 25) / 50 * 500;
            let current_ma = 10_000 + ms / 50 * 500 + 3_501;
            let output = Output { is_granted: true, demanded_ma, set_mv: 400_000, ..Output::OFF };
            let measured = Measured { at, current_ma, voltage_mv: 350_000 };
            current.check(now, measured, &LIMITS, output, &Protection::DEFAULT).map(|_| ms)
        });
        assert_eq!(found, Some(3_000));
    }

    #[test]
    fn what_was_demanded_more_than_a_second_ago_explains_nothing() {
        let demanded = |ms| if ms < 2_500 { 30_000 } else { 1_000 };
        let given = |ms| if ms < 2_500 { 41_000 } else { 12_000 };
        assert_eq!(found(true, |ms| (demanded(ms), given(ms))), Some((3_250, Cause::OverCurrent)));
    }

    #[test]
    fn current_out_of_the_car_is_found_after_a_second() {
        assert_eq!(found(true, |_| (2_000, -5_001)), Some((1_000, Cause::ReverseCurrent)));
        assert_eq!(
            found(false, |_| (2_000, -5_001)),
            Some((100, Cause::ReverseCurrent)),
            "before power is granted"
        );
        assert_eq!(
            found(true, |_| (2_000, -530_501)),
            Some((0, Cause::ReverseCurrent)),
            "beyond every limit"
        );
        assert_eq!(found(true, |_| (60_000, -60_000)), Some((1_000, Cause::ReverseCurrent)));
        assert_eq!(found(true, |_| (60_000, -5_000)), None);
        assert_eq!(found(true, |ms| (60_000, if ms % 1_000 == 0 { 60_000 } else { -60_000 })), None);
    }

    #[test]
    fn a_demand_without_current_is_found_after_15_s_and_a_soft_start_is_none() {
        assert_eq!(found(true, |_| (60_000, 0)), Some((15_000, Cause::NoCurrent)));
        assert_eq!(found(true, |_| (60_000, -2_999)), Some((15_000, Cause::NoCurrent)));
        assert_eq!(found(true, |_| (10_000, 0)), None);
        assert_eq!(found(true, |ms| (60_000, if ms < 8_000 { 0 } else { 60_000 })), None);
    }

    #[test]
    fn a_twentieth_of_the_demand_is_missed_and_a_derated_stage_gives_more() {
        let noise = |ms: i32| (ms / 50 * 797) % 4_001 - 2_000;
        let cases = [
            (125_000, 1_250, true),
            (400_000, 4_999, true),
            (400_000, 5_000, false),
            (60_000, 2_999, true),
            (60_000, 3_000, false),
            (10_001, 999, true),
            (10_001, 1_000, false),
        ];
        for (demanded_ma, current_ma, is_found) in cases {
            let expected = is_found.then_some((15_000, Cause::NoCurrent));
            assert_eq!(found(true, |_| (demanded_ma, current_ma)), expected, "{demanded_ma}");
        }
        assert_eq!(found(true, |ms| (60_000, noise(ms))), Some((15_000, Cause::NoCurrent)), "noise");
        let idle = |ms| if ms < 8_000 { 2_000 } else { 60_000 };
        assert_eq!(found(true, |ms| (60_000, idle(ms))), None, "a slow start");
    }

    #[test]
    fn a_sensor_that_showed_too_little_is_not_believed_at_the_stop_until_it_shows_current() {
        let after = |demanded_ma, current_ma| {
            let mut current = Current::new();
            for (ms, demanded_ma, current_ma) in
                [(0, 60_000, 1_500), (2_000, 60_000, 1_500), (2_050, demanded_ma, current_ma)]
            {
                let output = Output { is_granted: true, demanded_ma, set_mv: 400_000, ..Output::OFF };
                let at = Instant::from_millis(ms);
                let measured = Measured { at, current_ma, voltage_mv: 350_000 };
                current.check(at, measured, &LIMITS, output, &Protection::DEFAULT);
            }
            current.is_suspect()
        };
        assert!(after(0, 0) && after(0, 4_999));
        assert!(!after(60_000, 5_000));
    }

    #[test]
    fn near_its_set_point_no_current_is_missed_and_a_reading_of_none_is_believed() {
        let ask = |voltage_mv, ms| {
            let mut current = Current::new();
            let output = Output { is_granted: true, demanded_ma: 60_000, set_mv: 400_000, ..Output::OFF };
            for at in [0, ms].map(Instant::from_millis) {
                let measured = Measured { at, current_ma: 0, voltage_mv };
                current.check(at, measured, &LIMITS, output, &Protection::DEFAULT);
            }
            current.is_suspect()
        };
        assert!(!ask(390_000, 60_000));
        assert!(!ask(389_999, 1_999));
        assert!(ask(389_999, 2_000));
    }
}
