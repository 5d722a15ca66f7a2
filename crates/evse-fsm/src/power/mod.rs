//! The high-voltage plant: output contactors and set point of the power stage.

use crate::cable_check::Test;
use crate::precharge::{Ramp, approach};
use crate::reading::fresh;
use crate::{Config, Contactors, Isolation, Plant, PowerStage};
use machine::{Duration, Instant};
pub(crate) use session::{CURRENT_BEFORE_POWER_MA, OPEN_BELOW_MA};
use session::{Cause, Limits, Target};

/// SAFE opens the contactors after this time at the latest (docs/ARCHITECTURE.md).
pub(crate) const SAFE_OPEN: Duration = Duration::from_millis(100);

/// A stage that still gives current so long after 0 A were demanded does not obey: 1 s (judgement; one
/// that is blocked takes 30 ms, one that is shut down at 100 A/s the 1.5 s that an orderly end waits at most).
const STUCK: Duration = Duration::from_secs(1);
/// And this is current, in mA, and no sensor's error: 5 A (below it an output counts as off, IEC 61851-23 from memory).
const STUCK_MA: i32 = 5_000;

/// What can be wrong with the plant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// Voltage or closed contactor where there must be none.
    Weld,
    /// A contactor did not follow.
    Contactor,
    /// The voltage was not reached.
    Voltage,
    /// Isolation too low.
    Isolation,
}

impl Fault {
    /// Why the session ends.
    pub(crate) const fn cause(self) -> Cause {
        match self {
            Self::Weld => Cause::WeldSuspected,
            Self::Contactor => Cause::Contactor,
            Self::Voltage => Cause::VoltageOff,
            Self::Isolation => Cause::Isolation,
        }
    }

    /// Whether the session ends for one of these.
    pub(crate) fn is_cause(cause: Cause) -> bool {
        [Self::Weld, Self::Contactor, Self::Voltage, Self::Isolation]
            .iter()
            .any(|fault| fault.cause() == cause)
    }
}

/// What the output does.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Output {
    /// The car must be in C or D, or the current that it had is going down in order.
    pub(crate) is_in_use: bool,
    /// The contactors have to be closed by now.
    pub(crate) is_connected: bool,
    /// The car was granted power.
    pub(crate) is_granted: bool,
    /// The current that the power stage is to give at most, in mA.
    pub(crate) demanded_ma: i32,
}

/// What happened in a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum News {
    /// No demand came in time: 0 A.
    Stalled,
    /// The contactors are told to open although this current flows, in mA, or nobody knows how much.
    OpenedUnderCurrent {
        current_ma: Option<i32>,
        /// The stage had the time to stop, or gives more than anybody may ask for.
        is_stuck: bool,
    },
}

#[derive(Clone, Copy, Debug)]
enum Stage {
    Off,
    Test(Test),
    Precharge(Ramp),
    /// Power is switched on, no current was asked for yet.
    Hold,
    Transfer,
    /// 0 V and 0 A since `began`; the contactors open when the current is gone, at `open_by` at the latest.
    Stopping {
        began: Instant,
        open_by: Instant,
        /// There is time for the current to fall; SAFE has none.
        is_orderly: bool,
        /// The car had been granted power.
        was_granted: bool,
    },
}

/// The plant as the charger wants it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Power {
    stage: Stage,
    supply: Target,
    asked: Target,
    limits: Limits,
    stepped: Instant,
    /// The last valid demand.
    fed: Instant,
    stalled: bool,
}

impl Power {
    pub(crate) const fn new() -> Self {
        Self {
            stage: Stage::Off,
            supply: Target::ZERO,
            asked: Target::ZERO,
            limits: Limits { max_voltage_mv: 0, max_current_ma: 0, max_power_w: 0, ..Limits::NONE },
            stepped: Instant::ZERO,
            fed: Instant::ZERO,
            stalled: false,
        }
    }

    /// Set point of the power stage and position of the contactors.
    pub(crate) fn demand(&self, stage: PowerStage) -> (Target, Contactors) {
        match (stage, self.stage) {
            (PowerStage::None, _) | (PowerStage::Real, Stage::Off) => (Target::ZERO, Contactors::Open),
            (PowerStage::Real, _) => (self.supply, Contactors::Closed),
        }
    }

    /// Whether the contactors are closed or about to be, a stop in progress included.
    pub(crate) fn is_energised(&self) -> bool {
        !matches!(self.stage, Stage::Off)
    }

    /// Whether a stop is under way.
    pub(crate) fn is_stopping(&self) -> bool {
        matches!(self.stage, Stage::Stopping { .. })
    }

    /// Whether current was or could be asked for by the car.
    pub(crate) fn is_transferring(&self) -> bool {
        matches!(self.stage, Stage::Hold | Stage::Transfer)
    }

    /// Whether the output has the voltage that the car asked for: its contactors may be closed, or closing.
    pub(crate) fn is_at_car(&self) -> bool {
        matches!(self.stage, Stage::Precharge(_) | Stage::Hold | Stage::Transfer)
    }

    /// What the output does, for supervision.
    pub(crate) fn output(&self) -> Output {
        let (is_in_use, is_granted) = match self.stage {
            Stage::Off => (false, false),
            Stage::Stopping { is_orderly, was_granted, .. } => (is_orderly, was_granted),
            Stage::Test(_) | Stage::Precharge(_) => (true, false),
            Stage::Hold | Stage::Transfer => (true, true),
        };
        let is_connected = is_in_use && !self.is_testing() && !self.is_stopping();
        Output { is_in_use, is_connected, is_granted, demanded_ma: self.supply.current_ma }
    }

    /// What car and charger bear together; bounds everything from now on.
    pub(crate) fn set_limits(&mut self, limits: Limits) {
        self.limits = limits;
    }

    /// Connects the output and begins the isolation test at the highest voltage that car and charger bear.
    pub(crate) fn begin_test(&mut self, now: Instant, plant: &Plant, config: &Config) -> Result<(), Fault> {
        let test = Test::begin(now, plant, config, self.limits.max_voltage_mv.max(0))?;
        self.enter(Stage::Test(test), now);
        Ok(())
    }

    /// How the isolation test ended; `None` while it runs or when there is none.
    pub(crate) fn test_result(&self) -> Option<Result<Isolation, Fault>> {
        if let Stage::Test(test) = &self.stage { test.result() } else { None }
    }

    /// Whether the isolation test runs (or just ended).
    pub(crate) fn is_testing(&self) -> bool {
        matches!(self.stage, Stage::Test(_))
    }

    /// A precharge request for this voltage in mV. Counts only behind a finished test.
    pub(crate) fn precharge(&mut self, now: Instant, target_mv: i32, config: &Config) {
        if matches!(self.test_result(), Some(Ok(_))) {
            self.enter(Stage::Precharge(Ramp::new(config.precharge, now)), now);
        }
        if let Stage::Precharge(ramp) = &mut self.stage {
            ramp.request(target_mv);
        }
    }

    /// Power is switched on: the voltage stays, current may be asked for.
    pub(crate) fn switch_on(&mut self, now: Instant) {
        if matches!(self.stage, Stage::Precharge(_)) {
            self.enter(Stage::Hold, now);
            self.feed(now);
        }
    }

    /// The car asks for this target, within these limits. Counts only with power switched on.
    pub(crate) fn transfer(&mut self, now: Instant, asked: Target, limits: Limits) {
        if self.is_transferring() {
            if !matches!(self.stage, Stage::Transfer) {
                self.enter(Stage::Transfer, now);
            }
            self.limits = limits;
            self.asked = asked;
            self.feed(now);
        }
    }

    /// 0 V and 0 A at once; contactors open below 1 A or after `limit`. A stop that is under way is only
    /// ever made faster.
    pub(crate) fn stop(&mut self, now: Instant, limit: Duration) {
        let (open_by, has_time) = (now + limit, limit > SAFE_OPEN);
        self.supply = Target::ZERO;
        self.stage = match self.stage {
            Stage::Off => Stage::Off,
            Stage::Stopping { began, open_by: before, is_orderly, was_granted } => Stage::Stopping {
                began,
                open_by: before.min(open_by),
                is_orderly: is_orderly && has_time,
                was_granted,
            },
            _ => Stage::Stopping {
                began: now,
                open_by,
                is_orderly: has_time,
                was_granted: self.is_transferring(),
            },
        };
    }

    /// Advances to `now`.
    pub(crate) fn step(&mut self, now: Instant, plant: &Plant, config: &Config) -> Option<News> {
        let (stalled_before, mut news) = (self.stalled, None);
        self.stalled = self.is_transferring() && now.since(self.fed) >= config.times.stall;
        let elapsed = now.since(self.stepped);
        self.stepped = now;
        // Power bounds the current at the present voltage, see `ramped`; before that 2 A bound it.
        let most = Limits { max_power_w: i32::MAX, ..self.limits };
        let wanted = match &mut self.stage {
            Stage::Off => Target::ZERO,
            Stage::Test(test) => test.step(now, plant, config),
            Stage::Precharge(ramp) => {
                let rate = config.voltage_ramp_mv_per_s;
                let voltage_mv = ramp.step(now, rate, most.max_voltage_mv);
                Target { voltage_mv, current_ma: CURRENT_BEFORE_POWER_MA }
            }
            Stage::Hold => Target { current_ma: CURRENT_BEFORE_POWER_MA, ..self.supply },
            Stage::Transfer => self.ramped(elapsed, fresh(plant.voltage_mv, now), config),
            Stage::Stopping { began, open_by, was_granted, .. } => {
                let current_ma = fresh(plant.current_ma, now).map(i32::saturating_abs);
                let gone = current_ma.is_some_and(|ma| ma < OPEN_BELOW_MA);
                let is_real = config.power_stage == PowerStage::Real;
                if gone || now >= *open_by || !is_real {
                    let had_time = now.since(*began) >= STUCK;
                    let is_wild = |ma| ma > self.limits.max_current_ma.saturating_add(STUCK_MA);
                    let is_stuck = current_ma.is_some_and(|ma| is_wild(ma) || had_time && ma >= STUCK_MA);
                    let is_told = is_real && !gone && (*was_granted || current_ma.is_some());
                    news = is_told.then_some(News::OpenedUnderCurrent { current_ma, is_stuck });
                    self.stage = Stage::Off;
                }
                Target::ZERO
            }
        };
        self.supply = wanted.bounded(&most);
        if self.stalled {
            self.supply.current_ma = 0;
        }
        news.or((self.stalled && !stalled_before).then_some(News::Stalled))
    }

    /// The asked target, bounded by power at the present voltage and by the rising ramps. Falling is not
    /// ramped here: the power stage's own slew is the ramp.
    fn ramped(&self, elapsed: Duration, measured_mv: Option<i32>, config: &Config) -> Target {
        let asked = self.asked.bounded(&Limits { max_power_w: i32::MAX, ..self.limits });
        let up = |from: i32, to: i32, rate: i32| {
            if to <= from { to } else { approach(from, to, rate, elapsed) }
        };
        let voltage_mv = up(self.supply.voltage_mv, asked.voltage_mv, config.voltage_ramp_mv_per_s);
        let output_mv = measured_mv.unwrap_or(voltage_mv).max(self.limits.min_voltage_mv);
        let current_ma = asked.current_ma.min(self.limits.current_at_power(output_mv)).max(0);
        let current_ma = up(self.supply.current_ma, current_ma, config.current_ramp_ma_per_s);
        Target { voltage_mv, current_ma }
    }

    /// When [`step`](Self::step) will change something by itself, ramps aside.
    pub(crate) fn due(&self, config: &Config) -> Option<Instant> {
        match self.stage {
            Stage::Stopping { open_by, .. } => Some(open_by),
            Stage::Hold | Stage::Transfer if !self.stalled => Some(self.fed + config.times.stall),
            _ => None,
        }
    }

    /// Whether a ramp is running that wants to be stepped often.
    pub(crate) fn is_moving(&self) -> bool {
        match &self.stage {
            Stage::Test(test) => test.result().is_none(),
            Stage::Precharge(_) => true,
            Stage::Transfer => !self.stalled && self.supply != self.asked,
            Stage::Off | Stage::Hold | Stage::Stopping { .. } => false,
        }
    }

    /// What to report to the car: measured where measured, the set point where there is no power stage.
    pub(crate) fn present(&self, now: Instant, plant: &Plant, stage: PowerStage) -> Target {
        let voltage_mv = fresh(plant.voltage_mv, now);
        let current_ma = fresh(plant.current_ma, now).unwrap_or(0);
        match stage {
            PowerStage::Real => Target { voltage_mv: voltage_mv.unwrap_or(0), current_ma },
            // During the isolation test the car must not see a made-up voltage.
            PowerStage::None => {
                let own = if self.is_testing() { 0 } else { self.supply.voltage_mv };
                // Before power is on the ramp is what counts; then what a sensor says, if there is one.
                let sensed = if self.is_testing() || matches!(self.stage, Stage::Precharge(_)) {
                    None
                } else {
                    voltage_mv
                };
                Target { voltage_mv: sensed.unwrap_or(own), current_ma }
            }
        }
    }

    fn feed(&mut self, now: Instant) {
        self.fed = now;
        self.stalled = false;
    }

    fn enter(&mut self, stage: Stage, now: Instant) {
        self.stage = stage;
        self.stepped = now;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Insulation, Preset, Reading};

    const LIMITS: Limits = Limits {
        max_voltage_mv: 410_000,
        min_voltage_mv: 50_000,
        max_current_ma: 125_000,
        min_current_ma: 1_000,
        max_power_w: 40_000,
    };

    struct Bench {
        power: Power,
        config: Config,
        millis: u64,
        voltage_mv: i32,
        current_ma: i32,
    }

    impl Bench {
        /// A bench at the end of the isolation test.
        fn tested() -> Self {
            let config = Config {
                isolation_test: Duration::from_millis(100),
                precharge: Preset::Ramp,
                ..Config::default()
            };
            let mut bench = Self { power: Power::new(), config, millis: 0, voltage_mv: 0, current_ma: 0 };
            bench.power.set_limits(LIMITS);
            let plant = bench.plant();
            bench.power.begin_test(Instant::ZERO, &plant, &bench.config).unwrap();
            for _ in 0..300 {
                bench.step();
                bench.voltage_mv = bench.power.supply.voltage_mv;
            }
            assert_eq!(bench.power.test_result(), Some(Ok(Isolation::Valid)));
            bench
        }

        /// A bench that delivers at 350 V.
        fn transferring() -> Self {
            let mut bench = Self::tested();
            bench.power.precharge(bench.now(), 350_000, &bench.config);
            (0..100).for_each(|_| bench.step());
            assert_eq!(bench.power.supply, Target { voltage_mv: 350_000, current_ma: 2_000 });
            bench.voltage_mv = 350_000;
            bench.power.switch_on(bench.now());
            bench.step();
            bench
        }

        fn now(&self) -> Instant {
            Instant::from_millis(self.millis)
        }

        fn plant(&self) -> Plant {
            let at = self.now();
            let closed = self.power.demand(PowerStage::Real).1 == Contactors::Closed;
            Plant {
                voltage_mv: Some(Reading::new(self.voltage_mv, at)),
                current_ma: Some(Reading::new(self.current_ma, at)),
                contactors: Some(Reading::new(closed, at)),
                isolation: Some(Reading::new(Insulation::of(Isolation::Valid), at)),
                ..Plant::default()
            }
        }

        fn step(&mut self) {
            self.millis += 10;
            let plant = self.plant();
            self.power.step(self.now(), &plant, &self.config);
        }

        fn ask(&mut self, voltage_mv: i32, current_ma: i32) {
            self.power.transfer(self.now(), Target { voltage_mv, current_ma }, LIMITS);
        }
    }

    #[test]
    fn the_current_rises_with_the_ramp_and_falls_at_once() {
        let mut bench = Bench::transferring();
        for _ in 0..100 {
            bench.ask(400_000, 100_000);
            bench.step();
        }
        assert_eq!(bench.power.supply.current_ma, 2_000 + 20_000);
        bench.ask(400_000, 5_000);
        bench.step();
        assert_eq!(bench.power.supply.current_ma, 5_000);
    }

    #[test]
    fn a_demand_beyond_all_limits_ends_at_the_limits() {
        let mut bench = Bench::transferring();
        for _ in 0..1000 {
            bench.ask(1_000_000, 1_000_000);
            bench.step();
        }
        // 40 kW at the measured 350 V are 114.285 A.
        assert_eq!(bench.power.supply, Target { voltage_mv: 410_000, current_ma: 114_285 });
    }

    #[test]
    fn without_a_demand_for_a_second_the_current_is_zero_and_returns_by_ramp() {
        let mut bench = Bench::transferring();
        for _ in 0..100 {
            bench.ask(400_000, 100_000);
            bench.step();
        }
        (0..98).for_each(|_| bench.step());
        assert_ne!(bench.power.supply.current_ma, 0);
        bench.step();
        assert_eq!(bench.power.supply.current_ma, 0);
        assert_eq!(bench.power.demand(PowerStage::Real).1, Contactors::Closed);
        bench.ask(400_000, 100_000);
        bench.step();
        assert_eq!(bench.power.supply.current_ma, 200);
    }

    #[test]
    fn power_switched_on_without_any_demand_stalls_too() {
        let mut bench = Bench::transferring();
        (0..100).for_each(|_| bench.step());
        assert_eq!(bench.power.supply.current_ma, 0);
    }

    #[test]
    fn contactors_open_when_the_current_is_gone() {
        let mut bench = Bench { current_ma: 50_000, ..Bench::transferring() };
        bench.power.stop(bench.now(), Duration::from_millis(1500));
        bench.step();
        assert_eq!(bench.power.demand(PowerStage::Real), (Target::ZERO, Contactors::Closed));
        bench.current_ma = -1_000;
        bench.step();
        assert!(bench.power.is_energised());
        bench.current_ma = 999;
        bench.step();
        assert!(!bench.power.is_energised());
    }

    #[test]
    fn contactors_open_at_the_limit_and_safe_makes_a_stop_faster_only() {
        let mut bench = Bench { current_ma: 50_000, ..Bench::transferring() };
        bench.power.stop(bench.now(), Duration::from_millis(1500));
        bench.power.stop(bench.now(), SAFE_OPEN);
        bench.power.stop(bench.now(), Duration::from_millis(1500));
        (0..9).for_each(|_| bench.step());
        assert!(bench.power.is_energised());
        bench.step();
        assert!(!bench.power.is_energised());
    }

    #[test]
    fn nothing_energises_out_of_turn() {
        let mut power = Power::new();
        let (now, config) = (Instant::from_millis(5), Config::default());
        power.set_limits(LIMITS);
        power.precharge(now, 350_000, &config);
        power.switch_on(now);
        power.transfer(now, Target { voltage_mv: 350_000, current_ma: 10_000 }, LIMITS);
        power.step(now, &Plant::default(), &config);
        assert_eq!(power.demand(PowerStage::Real), (Target::ZERO, Contactors::Open));
    }

    #[test]
    fn without_power_stage_the_demand_stays_at_nothing_and_the_ramp_is_reported() {
        let config = Config { isolation_test: Duration::ZERO, ..Config::without_power_stage(Preset::Mirror) };
        let mut power = Power::new();
        let (now, plant) = (Instant::from_millis(5), Plant::default());
        power.set_limits(LIMITS);
        power.begin_test(now, &plant, &config).unwrap();
        power.step(now, &plant, &config);
        power.precharge(now, 350_000, &config);
        power.step(now, &plant, &config);
        assert_eq!(power.present(now, &plant, PowerStage::None).voltage_mv, 350_000);
        assert_eq!(power.demand(PowerStage::None), (Target::ZERO, Contactors::Open));
    }

    #[test]
    fn a_current_that_nobody_knows_is_told_where_there_is_a_power_stage() {
        for (power_stage, told) in [
            (PowerStage::None, None),
            (PowerStage::Real, Some(News::OpenedUnderCurrent { current_ma: None, is_stuck: false })),
        ] {
            let mut bench = Bench::tested();
            bench.power.precharge(bench.now(), 350_000, &bench.config);
            bench.power.switch_on(bench.now());
            bench.power.stop(bench.now(), SAFE_OPEN);
            bench.config.power_stage = power_stage;
            let news = bench.power.step(bench.now() + SAFE_OPEN, &Plant::default(), &bench.config);
            assert_eq!(news, told);
            assert!(!bench.power.is_energised());
        }
    }
}
