use super::*;
use crate::{Insulation, Reading};

/// A plant whose voltage follows the set point, with a contactor that has feedback.
struct Bench {
    test: Test,
    config: Config,
    millis: u64,
    voltage_mv: i32,
    closed: bool,
    isolation: Isolation,
    stuck: bool,
    /// The voltage of a battery on the cable, in mV.
    held_mv: i32,
}

impl Bench {
    fn new() -> Self {
        let config = Config { isolation_test: Duration::from_secs(1), ..Config::default() };
        let test = Test::begin(Instant::ZERO, &config, 400_000, 400_000, true);
        Self {
            test,
            config,
            millis: 0,
            voltage_mv: 0,
            closed: false,
            isolation: Isolation::Valid,
            stuck: false,
            held_mv: 0,
        }
    }

    fn step(&mut self) -> Target {
        self.millis += 10;
        let plant = plant(self.millis, self.voltage_mv, self.closed, self.isolation);
        let target = self.test.step(Instant::from_millis(self.millis), &plant, &self.config);
        self.closed = self.test.connects() && !self.stuck;
        let held_mv = if self.test.connects() { self.held_mv } else { 0 };
        self.voltage_mv = target.voltage_mv.max(held_mv);
        target
    }

    fn run(&mut self) -> Option<Result<Isolation, Fault>> {
        (0..1000).find_map(|_| {
            self.step();
            self.test.result()
        })
    }
}

fn plant(millis: u64, voltage_mv: i32, closed: bool, isolation: Isolation) -> Plant {
    let at = Instant::from_millis(millis);
    Plant {
        voltage_mv: Some(Reading::new(voltage_mv, at)),
        contactors: Some(Reading::new(closed, at)),
        isolation: Some(Reading::new(Insulation::of(isolation), at)),
        ..Plant::default()
    }
}

#[test]
fn a_good_cable_passes_and_the_voltage_is_gone_afterwards() {
    let mut bench = Bench::new();
    let mut most = Target::ZERO;
    while bench.test.result().is_none() && bench.millis < 10_000 {
        let target = bench.step();
        most.voltage_mv = most.voltage_mv.max(target.voltage_mv);
        most.current_ma = most.current_ma.max(target.current_ma);
    }
    assert_eq!(bench.test.result(), Some(Ok(Isolation::Valid)));
    assert_eq!(most, Target { voltage_mv: 400_000, current_ma: 2_000 });
    assert_eq!(bench.step(), Target::ZERO);
}

#[test]
fn a_voltage_that_stays_after_the_test_is_a_weld() {
    for (held_mv, result) in [(199_000, Ok(Isolation::Valid)), (200_000, Err(Fault::Weld))] {
        let mut bench = Bench::new();
        while bench.test.step != Step::Measure {
            bench.step();
        }
        bench.held_mv = held_mv;
        assert_eq!(bench.run(), Some(result), "{held_mv}");
    }
}

#[test]
fn contactors_that_open_in_the_test_fail_it() {
    let mut bench = Bench::new();
    while bench.test.step != Step::Measure {
        bench.step();
    }
    bench.stuck = true;
    assert_eq!(bench.run(), Some(Err(Fault::Contactor)));
}

#[test]
fn a_fault_fails_and_a_monitor_without_result_is_waited_for() {
    let mut bench = Bench { isolation: Isolation::Fault, ..Bench::new() };
    assert_eq!(bench.run(), Some(Err(Fault::Isolation)));
    let mut bench = Bench { isolation: Isolation::Measuring, ..Bench::new() };
    assert_eq!(bench.run(), None);
}

#[test]
fn no_voltage_before_the_contactor_says_closed() {
    let mut bench = Bench { stuck: true, ..Bench::new() };
    for _ in 0..199 {
        assert_eq!(bench.step(), Target::ZERO);
    }
    assert_eq!(bench.run(), Some(Err(Fault::Contactor)));
}

#[test]
fn a_closed_contactor_is_not_tested_and_a_live_or_unknown_output_only_when_it_is_dead_in_time() {
    let result = |live_until: u64, change: fn(&mut Plant)| {
        let config = Config::default();
        let mut test = Test::begin(Instant::ZERO, &config, 400_000, 400_000, true);
        for millis in (0..12_000).step_by(20) {
            let mut plant = plant(millis, 0, test.connects(), Isolation::Valid);
            if millis < live_until {
                change(&mut plant);
            }
            let target = test.step(Instant::from_millis(millis), &plant, &config);
            if let Some(result) = test.result() {
                return (Some(result), millis);
            }
            if test.connects() {
                return (None, millis);
            }
            assert_eq!(target, Target::ZERO);
        }
        panic!("neither failed nor connected");
    };
    assert_eq!(result(u64::MAX, |_| {}), (None, 0));
    assert_eq!(
        result(u64::MAX, |p| p.contactors = p.contactors.map(|r| Reading::new(true, r.at))),
        (Some(Err(Fault::Weld)), 60)
    );
    assert_eq!(
        result(40, |p| p.contactors = p.contactors.map(|r| Reading::new(true, r.at))).0,
        None,
        "a bounce"
    );
    let live: fn(&mut Plant) = |p| p.voltage_mv = p.voltage_mv.map(|r| Reading::new(DEAD_MV, r.at));
    assert_eq!(result(2_900, live), (None, 2_900), "it goes in time");
    assert_eq!(result(u64::MAX, live), (Some(Err(Fault::Weld)), 3_000), "something holds it");
    let residual: fn(&mut Plant) = |p| {
        let fallen = |at: Instant| 400_000 - i32::try_from(at.as_micros() / 1_000).unwrap() * 34;
        p.voltage_mv = p.voltage_mv.map(|r| Reading::new(fallen(r.at), r.at));
    };
    assert_eq!(result(9_900, residual), (None, 9_900), "residual voltage");
    assert_eq!(result(u64::MAX, |p| p.voltage_mv = None), (Some(Err(Fault::Weld)), 10_000));
    let mut test = Test::begin(Instant::ZERO, &Config::default(), 400_000, 400_000, false);
    test.step(Instant::ZERO, &plant(0, DEAD_MV, false, Isolation::Valid), &Config::default());
    assert_eq!(test.result(), Some(Err(Fault::Weld)), "nobody drove the cable");
    let stage: fn(&mut Plant) = |p| p.stage_mv = p.voltage_mv.map(|r| Reading::new(DEAD_MV, r.at));
    assert_eq!(result(u64::MAX, stage), (Some(Err(Fault::Stage)), 10_000));
    assert_eq!(result(9_900, stage), (None, 9_900), "a slow rectifier");
}

#[test]
fn a_cable_without_a_bleeder_is_no_weld_and_a_battery_that_closes_in_the_test_is() {
    let result = |volts_at: fn(u64) -> i32| {
        let mut bench = Bench::new();
        while !matches!(bench.test.step, Step::Lower(_)) {
            bench.held_mv = if bench.test.step == Step::Measure { volts_at(0) } else { 0 };
            bench.step();
        }
        let began = bench.millis;
        (0..600).find_map(|_| {
            bench.held_mv = volts_at(bench.millis - began);
            bench.step();
            bench.test.result().map(|result| (result, bench.millis - began))
        })
    };
    // 21 s of time constant: 400 V minus 19 V in the first second.
    let (good, millis) = result(|ms| 400_000 - i32::try_from(ms).unwrap() * 18).unwrap();
    assert_eq!(good, Ok(Isolation::Valid));
    assert!((1_500..2_000).contains(&millis), "{millis}");
    assert_eq!(result(|_| 350_000).unwrap().0, Err(Fault::Weld));
    // A change within a sensor's noise of 1 % is not a fall.
    assert_eq!(result(|ms| if ms / 10 % 2 == 0 { 350_000 } else { 346_500 }).unwrap().0, Err(Fault::Weld));
}

/// The result of a test with this monitor. `at` returns its report this many ms after the demand of the
/// self-test.
fn with_monitor(at: fn(u64, bool) -> Insulation) -> Option<Result<Isolation, Fault>> {
    let mut bench = Bench::new();
    let mut asked = None;
    (0..4_000).find_map(|_| {
        bench.millis += 10;
        if bench.test.wants().0 {
            asked.get_or_insert(bench.millis);
        }
        let since = asked.map_or(0, |asked| bench.millis - asked);
        let mut plant = plant(bench.millis, bench.voltage_mv, bench.closed, Isolation::Valid);
        plant.isolation = plant
            .isolation
            .map(|reading| Reading::new(at(since, bench.test.step == Step::Measure), reading.at));
        let target = bench.test.step(Instant::from_millis(bench.millis), &plant, &bench.config);
        (bench.closed, bench.voltage_mv) = (bench.test.connects(), target.voltage_mv);
        bench.test.result()
    })
}

fn tested(self_test: SelfTest) -> Insulation {
    Insulation { self_test: Some(self_test), ..Insulation::of(Isolation::Valid) }
}

#[test]
fn a_self_test_is_waited_for_where_there_is_one() {
    let good = with_monitor(|ms, _| tested(if ms < 8_000 { SelfTest::Pending } else { SelfTest::Passed }));
    assert_eq!(good, Some(Ok(Isolation::Valid)));
    let failed = with_monitor(|ms, _| tested(if ms < 8_000 { SelfTest::Pending } else { SelfTest::Failed }));
    assert_eq!(failed, Some(Err(Fault::Monitor)));
    assert_eq!(with_monitor(|_, _| tested(SelfTest::Pending)), Some(Err(Fault::Monitor)), "it never ends");
    let stale = with_monitor(|ms, _| tested(if ms < 150 { SelfTest::Passed } else { SelfTest::Failed }));
    assert_eq!(stale, Some(Err(Fault::Monitor)), "a result from before it was asked for");
}

#[test]
fn a_monitor_that_does_not_count_on_under_the_test_voltage_hangs() {
    assert_eq!(
        with_monitor(|_, _| Insulation { count: Some(7), ..Insulation::of(Isolation::Valid) }),
        Some(Err(Fault::Monitor))
    );
    let good = with_monitor(|_, measures| Insulation {
        count: Some(u32::from(measures)),
        ..Insulation::of(Isolation::Valid)
    });
    assert_eq!(good, Some(Ok(Isolation::Valid)));
}
