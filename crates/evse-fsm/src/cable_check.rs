//! The isolation test of cable and inlet, before the car's contactors close.

use crate::power::{CURRENT_BEFORE_POWER_MA, Fault, OPEN_BELOW_MA};
use crate::precharge::approach;
use crate::reading::fresh;
use crate::{Config, Isolation, Plant, PowerStage};
use machine::{Duration, Instant};
pub(crate) use session::DEAD_MV;
use session::Target;

/// How near the test voltage must be to count as reached, in mV: the standard's 20 V.
const REACHED_MV: i32 = 20_000;
/// Time for the output contactors to close: 2 s with feedback (pyPLC), then they are suspected broken.
const CONTACTOR_TIMEOUT: Duration = Duration::from_secs(2);
/// Wait for contactors without feedback: 450 ms (clara, two coils).
const CONTACTOR_BLIND: Duration = Duration::from_millis(450);
/// Time to reach the test voltage: 5 s (judgement: 500 V at 500 V/s and a large margin).
const RAISE_TIMEOUT: Duration = Duration::from_secs(5);
/// Longest wait for the output to fall below 60 V behind the test: 1 s (judgement; a Compleo goes on with
/// 173 V on the cable, observed). What is still more than half of the test's voltage then is held by something: a battery
/// behind contactors that are closed (judgement).
const LOWER_TIMEOUT: Duration = Duration::from_secs(1);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Step {
    Connect,
    Raise,
    Measure,
    Lower(Isolation),
    Done(Result<Isolation, Fault>),
}

/// One isolation test.
#[derive(Clone, Copy, Debug)]
#[allow(clippy::struct_field_names, reason = "the test voltage is called so")]
pub(crate) struct Test {
    step: Step,
    since: Instant,
    stepped: Instant,
    test_mv: i32,
    voltage_mv: i32,
}

impl Test {
    /// A test at `test_mv`. Refused where the output is live, the power stage is, or a contactor is closed already.
    pub(crate) fn begin(now: Instant, plant: &Plant, config: &Config, test_mv: i32) -> Result<Self, Fault> {
        let step = match config.power_stage {
            PowerStage::None => Step::Measure,
            PowerStage::Real => {
                let live = fresh(plant.voltage_mv, now).is_none_or(|mv| mv.saturating_abs() >= DEAD_MV);
                if fresh(plant.stage_mv, now).is_some_and(|mv| mv.saturating_abs() >= DEAD_MV) {
                    return Err(Fault::Voltage);
                }
                if live || fresh(plant.contactors, now) == Some(true) {
                    return Err(Fault::Weld);
                }
                Step::Connect
            }
        };
        Ok(Self { step, since: now, stepped: now, test_mv, voltage_mv: 0 })
    }

    /// The result, when there is one.
    pub(crate) fn result(&self) -> Option<Result<Isolation, Fault>> {
        if let Step::Done(result) = self.step { Some(result) } else { None }
    }

    /// Advances to `now` and gives the set point.
    pub(crate) fn step(&mut self, now: Instant, plant: &Plant, config: &Config) -> Target {
        let next = match config.power_stage {
            PowerStage::None => self.next_without_power(now, config),
            PowerStage::Real => self.next(now, plant, config),
        };
        if next != self.step {
            self.step = next;
            self.since = now;
        }
        let goal = if matches!(self.step, Step::Raise | Step::Measure) { self.test_mv } else { 0 };
        let rate = if goal == 0 { i32::MAX } else { config.voltage_ramp_mv_per_s };
        self.voltage_mv = approach(self.voltage_mv, goal, rate, now.since(self.stepped));
        self.stepped = now;
        let current_ma = if self.voltage_mv > 0 { CURRENT_BEFORE_POWER_MA } else { 0 };
        Target { voltage_mv: self.voltage_mv, current_ma }
    }

    fn next(&self, now: Instant, plant: &Plant, config: &Config) -> Step {
        let elapsed = now.since(self.since);
        let voltage = fresh(plant.voltage_mv, now);
        let is_reached = voltage.is_some_and(|mv| mv >= self.test_mv.saturating_sub(REACHED_MV));
        let draws = fresh(plant.current_ma, now).is_some_and(|ma| ma.saturating_abs() >= OPEN_BELOW_MA);
        let is_apart = fresh(plant.contactors, now) == Some(false);
        match self.step {
            // Nothing was demanded yet: the stage or the car's battery is on the cable.
            Step::Connect if voltage.is_some_and(|mv| mv.saturating_abs() >= DEAD_MV) => {
                Step::Done(Err(Fault::Weld))
            }
            Step::Connect => match fresh(plant.contactors, now) {
                Some(true) => Step::Raise,
                Some(false) if elapsed >= CONTACTOR_TIMEOUT => Step::Done(Err(Fault::Contactor)),
                None if elapsed >= CONTACTOR_BLIND => Step::Raise,
                _ => Step::Connect,
            },
            Step::Raise | Step::Measure | Step::Lower(_) if is_apart => Step::Done(Err(Fault::Contactor)),
            Step::Raise if is_reached => Step::Measure,
            Step::Raise if elapsed >= RAISE_TIMEOUT => Step::Done(Err(Fault::Voltage)),
            Step::Raise => Step::Raise,
            // Something draws the voltage down, and nothing may yet.
            Step::Measure if !is_reached && draws => Step::Done(Err(Fault::Weld)),
            // What is measured without the voltage says nothing: once more, from the beginning.
            Step::Measure if !is_reached => Step::Raise,
            Step::Measure if elapsed < config.isolation_test => Step::Measure,
            // A result from before the voltage was there says nothing.
            Step::Measure => match plant.isolation.filter(|reading| reading.at > self.since) {
                Some(reading) => judged(reading.value.status),
                None => Step::Measure,
            },
            Step::Lower(isolation) => match voltage {
                Some(mv) if mv < DEAD_MV => Step::Done(Ok(isolation)),
                _ if elapsed < LOWER_TIMEOUT => Step::Lower(isolation),
                Some(mv) if mv < self.test_mv / 2 => Step::Done(Ok(isolation)),
                _ => Step::Done(Err(Fault::Weld)),
            },
            done @ Step::Done(_) => done,
        }
    }

    fn next_without_power(&self, now: Instant, config: &Config) -> Step {
        match self.step {
            Step::Measure if now.since(self.since) >= config.isolation_test => {
                Step::Done(Ok(Isolation::Valid))
            }
            step => step,
        }
    }
}

fn judged(isolation: Isolation) -> Step {
    match isolation {
        Isolation::Measuring => Step::Measure,
        Isolation::Valid | Isolation::Warning => Step::Lower(isolation),
        Isolation::Fault => Step::Done(Err(Fault::Isolation)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Insulation, Reading};

    /// A plant whose voltage follows the set point and whose contactor follows with feedback.
    struct Bench {
        test: Test,
        config: Config,
        millis: u64,
        voltage_mv: i32,
        closed: bool,
        isolation: Isolation,
        stuck: bool,
        /// What a battery holds the voltage at, in mV.
        held_mv: i32,
    }

    impl Bench {
        fn new() -> Self {
            let config = Config { isolation_test: Duration::from_secs(1), ..Config::default() };
            let plant = plant(0, 0, false, Isolation::Measuring);
            let test = Test::begin(Instant::ZERO, &plant, &config, 400_000).unwrap();
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
            self.closed = !self.stuck;
            self.voltage_mv = target.voltage_mv.max(self.held_mv);
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
    fn a_voltage_that_stays_behind_the_test_is_a_weld() {
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
    fn a_live_or_unknown_output_or_a_closed_contactor_is_not_tested() {
        let config = Config::default();
        let begin = |plant: &Plant| Test::begin(Instant::ZERO, plant, &config, 400_000).map(|_| ());
        assert_eq!(begin(&plant(0, DEAD_MV - 1, false, Isolation::Valid)), Ok(()));
        assert_eq!(begin(&plant(0, DEAD_MV, false, Isolation::Valid)), Err(Fault::Weld));
        assert_eq!(begin(&plant(0, 0, true, Isolation::Valid)), Err(Fault::Weld));
        assert_eq!(begin(&Plant::default()), Err(Fault::Weld));
    }
}
