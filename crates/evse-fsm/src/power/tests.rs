use control_pilot::Level;

use super::*;
use crate::{Insulation, Preset, Reading};

const LIMITS: Limits = Limits {
    max_voltage_mv: 410_000,
    min_voltage_mv: 50_000,
    max_current_ma: 125_000,
    min_current_ma: 1_000,
    max_power_w: 40_000,
};

const TEST: Command = Command::Test { test_mv: LIMITS.max_voltage_mv, is_residual: true };
const PRECHARGE: Command = Command::PreCharge { precharge_mv: 350_000 };

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
        bench.give(TEST);
        for _ in 0..300 {
            bench.step();
            bench.voltage_mv = bench.power.supply.voltage_mv;
        }
        assert_eq!(bench.power.test_result(), Some(Ok(Isolation::Valid)));
        bench
    }

    /// A bench that supplies current at 350 V.
    fn transferring() -> Self {
        let mut bench = Self::tested();
        bench.give(PRECHARGE);
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
            pilot: Some(Reading::new(Level::C, at)),
            voltage_mv: Some(Reading::new(self.voltage_mv, at)),
            current_ma: Some(Reading::new(self.current_ma, at)),
            contactors: Some(Reading::new(closed, at)),
            isolation: Some(Reading::new(Insulation::of(Isolation::Valid), at)),
            ..Plant::default()
        }
    }

    fn step(&mut self) {
        self.millis += 10;
        self.give(Command::GoOn);
    }

    fn give(&mut self, command: Command) {
        let plant = self.plant();
        let _ = self.power.step(self.now(), command, &plant, &self.config);
    }

    fn ask(&mut self, voltage_mv: i32, current_ma: i32) {
        self.give(Command::Transfer { asked: Target { voltage_mv, current_ma }, limits: LIMITS });
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
    let mut give = |command| {
        let _ = power.step(now, command, &Plant::default(), &config);
        assert_eq!(power.demand(PowerStage::Real), (Target::ZERO, Contactors::Open), "{command:?}");
        power.switch_on(now);
    };
    give(PRECHARGE);
    give(Command::Transfer { asked: Target { voltage_mv: 350_000, current_ma: 10_000 }, limits: LIMITS });
    give(Command::GoOn);
}

#[test]
fn without_power_stage_the_demand_stays_at_nothing_and_the_ramp_is_reported() {
    let config = Config { isolation_test: Duration::ZERO, ..Config::without_power_stage(Preset::Mirror) };
    let mut power = Power::new();
    let (now, plant) = (Instant::from_millis(5), Plant::default());
    power.set_limits(LIMITS);
    for command in [TEST, PRECHARGE] {
        assert_eq!(power.step(now, command, &plant, &config), None);
    }
    assert_eq!(power.present(now, &plant, &config).voltage_mv, 350_000);
    assert_eq!(power.demand(PowerStage::None), (Target::ZERO, Contactors::Open));
}

#[test]
fn a_current_that_nobody_knows_is_told_where_there_is_a_power_stage() {
    for (power_stage, told) in [
        (PowerStage::None, None),
        (PowerStage::Real, Some(News::OpenedUnderCurrent { current_ma: None, is_stuck: false })),
    ] {
        let mut bench = Bench::tested();
        bench.give(PRECHARGE);
        bench.power.switch_on(bench.now());
        bench.power.stop(bench.now(), SAFE_OPEN);
        bench.config.power_stage = power_stage;
        let news = bench.power.step(bench.now() + SAFE_OPEN, Command::GoOn, &Plant::default(), &bench.config);
        assert_eq!(news, told);
        assert!(!bench.power.is_energised());
    }
}

#[test]
fn a_current_is_gone_only_by_a_reading_from_after_the_stop() {
    let mut bench = Bench::transferring();
    let before = Plant { current_ma: Some(Reading::new(0, bench.now())), ..bench.plant() };
    bench.millis += 20;
    bench.power.stop(bench.now(), Duration::from_millis(1_500));
    assert_eq!(bench.power.step(bench.now(), Command::GoOn, &before, &bench.config), None);
    assert_eq!(bench.power.demand(PowerStage::Real), (Target::ZERO, Contactors::Closed));
    let after = Plant { current_ma: Some(Reading::new(0, bench.now())), ..before };
    assert_eq!(bench.power.step(bench.now(), Command::GoOn, &after, &bench.config), None);
    assert_eq!(bench.power.demand(PowerStage::Real).1, Contactors::Open);
}
