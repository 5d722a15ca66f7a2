use machine::{Duration, Instant};
use session::Limits;

/// How the output reaches the car's target voltage before the car's contactors close.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Preset {
    /// Directly to the target with the configured voltage ramp.
    #[default]
    Ramp,
    /// 20 V more with each `PreChargeReq` until within 20 V, then the target: works without a power stage.
    Step20,
    /// Like an Alpitronic HYC (observed): to 100 V immediately, 0.3 s there, 1000 V/s to 6 V below the
    /// target, then 1 V/s.
    TwoStage,
    /// Like a Compleo (observed): 0 V for 1.4 s, then 1000 V/s to 17 V above the target, then 12 V/s down to
    /// it. The overshoot stays below the limits of car and charger.
    Overshoot,
    /// Reports the target immediately. Only without a power stage.
    Mirror,
}

impl Preset {
    /// Every preset.
    pub const ALL: &'static [Self] =
        &[Self::Ramp, Self::Step20, Self::TwoStage, Self::Overshoot, Self::Mirror];

    /// The name in configurations.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Ramp => "ramp",
            Self::Step20 => "step20",
            Self::TwoStage => "two-stage",
            Self::Overshoot => "overshoot",
            Self::Mirror => "mirror",
        }
    }

    /// The preset with this name; `None` for an unknown name.
    pub fn by_name(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|preset| preset.name() == name)
    }
}

/// The step of `step20`, and the difference at which the target counts as reached, in mV.
const STEP_MV: i32 = 20_000;
/// Rate of the two measured presets in mV/s (curve: ~90 V per 90 ms).
const FAST_MV_PER_S: i32 = 1_000_000;

/// One ramp from 0 V to the voltage that the car requests.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ramp {
    preset: Preset,
    /// The stricter of both sides' limits.
    limits: Limits,
    began: Instant,
    stepped: Instant,
    /// The set point in mV.
    voltage_mv: i32,
    /// The newest requested voltage in mV.
    precharge_mv: i32,
    /// The upper bound of `step20` up to now, in mV.
    allowed_mv: i32,
    /// `overshoot` has passed its peak.
    over: bool,
}

impl Ramp {
    pub(crate) const fn new(preset: Preset, limits: Limits, now: Instant) -> Self {
        let (voltage_mv, precharge_mv, allowed_mv) = (0, 0, 0);
        Self { preset, limits, began: now, stepped: now, voltage_mv, precharge_mv, allowed_mv, over: false }
    }

    /// The newest requested voltage in mV.
    pub(crate) const fn precharge_mv(&self) -> i32 {
        self.precharge_mv
    }

    /// The end of the ramp in mV: at most both sides' maximum, and 0 V below the minimum. It is never raised
    /// to the minimum: the car did not request that.
    pub(crate) fn target_mv(&self) -> i32 {
        let Limits { min_voltage_mv, max_voltage_mv, .. } = self.limits;
        if self.precharge_mv < min_voltage_mv { 0 } else { self.precharge_mv.min(max_voltage_mv) }
    }

    /// The car requests this voltage in mV.
    pub(crate) fn request(&mut self, precharge_mv: i32) {
        self.precharge_mv = precharge_mv;
        self.allowed_mv = self.target_mv().min(self.allowed_mv.saturating_add(STEP_MV));
    }

    /// Advances to `now`; returns the set point in mV. `rate` is that of [`Preset::Ramp`] in mV/s.
    pub(crate) fn step(&mut self, now: Instant, rate: i32) -> i32 {
        let (goal, rate) = self.goal(now.since(self.began), rate);
        let goal = goal.clamp(0, self.limits.max_voltage_mv.max(0));
        self.voltage_mv = approach(self.voltage_mv, goal, rate, now.since(self.stepped));
        self.stepped = now;
        if self.voltage_mv >= self.overshoot_mv() {
            self.over = true;
        }
        self.voltage_mv
    }

    /// (target voltage in mV, rate in mV/s).
    fn goal(&self, elapsed: Duration, rate: i32) -> (i32, i32) {
        let target = self.target_mv();
        match self.preset {
            _ if target <= 0 => (0, i32::MAX),
            Preset::Ramp => (target, rate),
            Preset::Step20 => (self.allowed_mv, i32::MAX),
            Preset::Mirror => (target, i32::MAX),
            Preset::TwoStage if elapsed < Duration::from_millis(300) => (target.min(100_000), FAST_MV_PER_S),
            Preset::TwoStage if self.voltage_mv < target - 6_000 => (target - 6_000, FAST_MV_PER_S),
            Preset::TwoStage => (target, 1_000),
            Preset::Overshoot if elapsed < Duration::from_millis(1_400) => (0, i32::MAX),
            Preset::Overshoot if self.over => (target, 12_000),
            Preset::Overshoot => (self.overshoot_mv(), FAST_MV_PER_S),
        }
    }

    fn overshoot_mv(&self) -> i32 {
        self.target_mv().saturating_add(17_000).min(self.limits.max_voltage_mv)
    }
}

/// The longest time that one step of a ramp covers: after a delay of the caller the ramp must not jump.
const LONGEST_STEP: Duration = Duration::from_millis(100);

/// `from` moved toward `to` by at most `rate` per second times `elapsed` (at most 100 ms). A rate of
/// `i32::MAX` is a jump.
pub(crate) fn approach(from: i32, to: i32, rate: i32, elapsed: Duration) -> i32 {
    if rate == i32::MAX {
        return to;
    }
    let micros = i64::try_from(elapsed.min(LONGEST_STEP).as_micros()).unwrap_or(0);
    let most = i64::from(rate) * micros / 1_000_000;
    let step = (i64::from(to) - i64::from(from)).clamp(-most, most);
    i32::try_from(i64::from(from) + step).unwrap_or(to)
}

#[cfg(test)]
mod tests {
    extern crate std;
    use super::*;
    use std::vec::Vec;

    fn limits(max_v: i32) -> Limits {
        Limits { max_voltage_mv: max_v * 1000, min_voltage_mv: 50_000, ..Limits::NONE }
    }

    /// Set points in V every 100 ms, with a request each time.
    fn run(preset: Preset, target_v: i32, max_v: i32, steps: u64) -> Vec<i32> {
        let mut ramp = Ramp::new(preset, limits(max_v), Instant::ZERO);
        let mut volts = Vec::new();
        for step in 0..steps {
            ramp.request(target_v * 1000);
            // Shorter steps than the interval of requests, as in a real loop.
            for part in 0..10 {
                ramp.step(Instant::from_millis(step * 100 + part * 10), 500_000);
            }
            volts.push(ramp.voltage_mv / 1000);
        }
        volts
    }

    #[test]
    fn step20_rises_by_twenty_volts_with_each_request() {
        assert_eq!(run(Preset::Step20, 110, 500, 7), [20, 40, 60, 80, 100, 110, 110]);
    }

    #[test]
    fn mirror_is_at_the_target_with_the_first_request() {
        assert_eq!(run(Preset::Mirror, 350, 500, 2), [350, 350]);
    }

    #[test]
    fn a_ramp_takes_its_time_and_ends_at_the_target() {
        let volts = run(Preset::Ramp, 350, 500, 10);
        assert_eq!(volts[..3], [45, 95, 145]);
        assert_eq!(volts.last(), Some(&350));
    }

    #[test]
    fn two_stage_waits_at_100_v_and_creeps_up_from_below() {
        let volts = run(Preset::TwoStage, 350, 500, 20);
        assert_eq!(volts[2], 100);
        assert_eq!(volts[6], 344);
        assert!(volts.windows(2).all(|pair| pair[0] <= pair[1]));
        assert!(volts.last().is_some_and(|last| (345..350).contains(last)));
    }

    #[test]
    fn overshoot_goes_over_the_target_and_comes_back() {
        let volts = run(Preset::Overshoot, 345, 500, 40);
        assert_eq!(volts[13], 0);
        assert!(volts.iter().max().is_some_and(|most| (360..=362).contains(most)));
        assert_eq!(volts.last(), Some(&345));
    }

    #[test]
    fn no_preset_exceeds_the_limit() {
        for preset in Preset::ALL {
            let volts = run(*preset, 400, 390, 40);
            assert!(volts.iter().all(|volt| *volt <= 390), "{preset:?}");
        }
    }

    #[test]
    fn a_target_that_falls_to_zero_takes_the_voltage_with_it_at_once() {
        for preset in Preset::ALL {
            let mut ramp = Ramp::new(*preset, limits(500), Instant::ZERO);
            ramp.request(350_000);
            for ms in 1..300 {
                ramp.step(Instant::from_millis(ms * 10), 500_000);
            }
            ramp.request(0);
            assert_eq!(ramp.step(Instant::from_millis(3_010), 500_000), 0, "{preset:?}");
        }
    }

    #[test]
    fn what_the_car_asks_for_is_cut_at_the_limit_and_not_lifted_to_the_minimum() {
        let mut ramp = Ramp::new(Preset::Mirror, limits(400), Instant::ZERO);
        for (asked_mv, target_mv) in
            [(350_000, 350_000), (400_001, 400_000), (50_000, 50_000), (49_999, 0), (-15_000, 0)]
        {
            ramp.request(asked_mv);
            assert_eq!((ramp.precharge_mv(), ramp.target_mv()), (asked_mv, target_mv));
            assert_eq!(ramp.step(Instant::ZERO, 500_000), target_mv);
        }
    }

    #[test]
    fn a_caller_that_was_away_gets_a_tenth_of_a_second_only() {
        assert_eq!(approach(0, 350_000, 500_000, Duration::from_secs(10)), 50_000);
        assert_eq!(approach(0, i32::MAX, i32::MAX - 1, Duration::from_secs(10)), (i32::MAX - 1) / 10);
        assert_eq!(approach(10, -10, 1_000, Duration::from_millis(5)), 5);
    }

    #[test]
    fn presets_are_found_by_name() {
        for preset in Preset::ALL {
            assert_eq!(Preset::by_name(preset.name()), Some(*preset));
        }
        assert_eq!(Preset::by_name(""), None);
    }
}
