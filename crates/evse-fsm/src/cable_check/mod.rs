//! The isolation test of cable and inlet, before the car's contactors close.

use machine::{Duration, Instant};
pub(crate) use session::DEAD_MV;
use session::{Cause, Debounce, Target, Time};

use crate::found::{Found, volts};
use crate::insulation::{self, Liveness, judged};
use crate::power::{CURRENT_BEFORE_POWER_MA, OPEN_BELOW_MA};
use crate::precharge::approach;
use crate::reading::fresh;
use crate::{Config, Isolation, MAX_AGE, Plant, PowerStage, SelfTest};

/// Largest difference at which the test voltage counts as reached, in mV: the standard's 20 V.
const REACHED_MV: i32 = 20_000;
/// Time for the output contactors to close: 2 s with feedback (pyPLC). After that they are suspected to be
/// faulty.
const CONTACTOR_TIMEOUT: Duration = Duration::from_secs(2);
/// Time for the output to fall below 60 V after the test: 1 s (judgement; a Compleo continues with 173 V on
/// the cable, observed).
const LOWER: Duration = Duration::from_secs(1);
/// The same time with more than half of the test voltage left: 3 s (judgement). The voltage of a cable
/// without a bleeder falls, a voltage that a battery holds does not.
const HELD: Duration = Duration::from_secs(3);
/// Smallest change of a falling voltage within that time, in mV: 10 V, more than a sensor's noise
/// (judgement).
const FALLS_MV: i32 = 10_000;

/// A fault that the test has found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// A voltage or a closed contactor where none is allowed.
    Weld,
    /// A contactor did not follow its command.
    Contactor,
    /// The test voltage was not reached.
    Voltage,
    /// The power stage has a voltage without a demand.
    Stage,
    /// The isolation is too low.
    Isolation,
    /// The isolation monitor does not measure.
    Monitor,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Step {
    /// Until stage and cable are dead.
    Settle,
    Connect,
    SelfTest,
    Raise,
    Measure,
    Lower(Isolation),
    Done(Result<Isolation, Fault>),
}

/// The state of one isolation test.
#[derive(Clone, Copy, Debug)]
#[allow(clippy::struct_field_names, reason = "the test voltage is called so")]
pub(crate) struct Test {
    step: Step,
    since: Instant,
    stepped: Instant,
    test_mv: i32,
    /// The car's maximum in mV: the test voltage may be above it.
    car_mv: i32,
    voltage_mv: i32,
    /// The voltage at the end of [`LOWER`], in mV.
    lowered_mv: Option<i32>,
    /// The voltage on the cable may be left of the last session.
    is_residual: bool,
    /// The output contactors are commanded to close.
    connects: bool,
    apart: Debounce,
    monitor: Liveness,
}

impl Test {
    /// A test at `test_mv` for a car with the maximum `car_mv`. `is_residual`: the charger has driven the
    /// cable, and it was not dead since then. Any other voltage on the cable is held by a source.
    pub(crate) fn begin(now: Instant, config: &Config, test_mv: i32, car_mv: i32, is_residual: bool) -> Self {
        let step = match config.power_stage {
            PowerStage::None => Step::Measure,
            PowerStage::Real => Step::Settle,
        };
        Self {
            step,
            since: now,
            stepped: now,
            test_mv,
            car_mv,
            voltage_mv: 0,
            lowered_mv: None,
            is_residual,
            connects: false,
            apart: Debounce::new(),
            monitor: Liveness::new(),
        }
    }

    /// The result; `None` while the test runs.
    pub(crate) fn result(&self) -> Option<Result<Isolation, Fault>> {
        if let Step::Done(result) = self.step { Some(result) } else { None }
    }

    /// The higher of test voltage and car's maximum, in mV.
    pub(crate) fn most_mv(&self) -> i32 {
        self.test_mv.max(self.car_mv)
    }

    /// Whether the output contactors are commanded to close.
    pub(crate) const fn connects(&self) -> bool {
        self.connects
    }

    /// The cause that `fault` stands for, with the compared values.
    pub(crate) fn found(&self, fault: Fault, now: Instant, plant: &Plant, config: &Config) -> Found {
        let cable_mv = fresh(plant.voltage_mv, now).unwrap_or(0);
        let stage_mv = fresh(plant.stage_mv, now).unwrap_or(0);
        match fault {
            Fault::Weld => {
                Found::by(Cause::WeldSuspected, volts("output voltage", cable_mv, "dead", DEAD_MV))
            }
            Fault::Stage => Found::by(Cause::VoltageOff, volts("stage voltage", stage_mv, "dead", DEAD_MV)),
            Fault::Voltage => {
                Found::by(Cause::VoltageOff, volts("output voltage", cable_mv, "test voltage", self.test_mv))
            }
            Fault::Contactor => Cause::Contactor.into(),
            Fault::Isolation => insulation::fault(fresh(plant.isolation, now), config),
            Fault::Monitor => Cause::MonitorHangs.into(),
        }
    }

    /// Whether the monitor shall run its self-test, and whether the cable shall be discharged.
    pub(crate) fn wants(&self) -> (bool, bool) {
        (self.step == Step::SelfTest, matches!(self.step, Step::Settle | Step::Lower(_)))
    }

    /// Advances to `now`; returns the set point.
    pub(crate) fn step(&mut self, now: Instant, plant: &Plant, config: &Config) -> Target {
        let next = match config.power_stage {
            PowerStage::None => self.next_without_power(now, config),
            PowerStage::Real => self.next(now, plant, config),
        };
        if next != self.step {
            self.step = next;
            self.since = now;
            self.lowered_mv = None;
            self.connects |= next == Step::Connect;
            if next == Step::Measure {
                self.monitor = Liveness::begin(fresh(plant.isolation, now));
            }
        }
        let goal = if matches!(self.step, Step::Raise | Step::Measure) { self.test_mv } else { 0 };
        let rate = if goal == 0 { i32::MAX } else { config.voltage_ramp_mv_per_s };
        self.voltage_mv = approach(self.voltage_mv, goal, rate, now.since(self.stepped));
        self.stepped = now;
        let current_ma = if self.voltage_mv > 0 { CURRENT_BEFORE_POWER_MA } else { 0 };
        Target { voltage_mv: self.voltage_mv, current_ma }
    }

    fn next(&mut self, now: Instant, plant: &Plant, config: &Config) -> Step {
        let elapsed = now.since(self.since);
        let times = &config.times;
        let voltage = fresh(plant.voltage_mv, now);
        let is_reached = voltage.is_some_and(|mv| mv >= self.test_mv.saturating_sub(REACHED_MV));
        let draws = fresh(plant.current_ma, now).is_some_and(|ma| ma.saturating_abs() >= OPEN_BELOW_MA);
        let is_apart = self.apart.take(plant.contactors, |closed| !closed, Debounce::CONTACT);
        let fail = |fault| Step::Done(Err(fault));
        match self.step {
            Step::Settle => self.settled(now, plant, voltage, times.get(Time::Settle)),
            // Before any demand: another source, such as the car's battery, is on the cable, or the stage is
            // live.
            Step::Connect if voltage.is_some_and(|mv| mv.saturating_abs() >= DEAD_MV) => fail(Fault::Weld),
            Step::Connect => match fresh(plant.contactors, now) {
                Some(true) if has_self_test(plant, now) => Step::SelfTest,
                Some(true) => Step::Raise,
                _ if elapsed >= CONTACTOR_TIMEOUT => fail(Fault::Contactor),
                _ => Step::Connect,
            },
            Step::SelfTest | Step::Raise | Step::Measure | Step::Lower(_) if is_apart => {
                fail(Fault::Contactor)
            }
            Step::SelfTest => match self.self_tested(plant) {
                Some(SelfTest::Passed) => Step::Raise,
                Some(SelfTest::Failed) => fail(Fault::Monitor),
                _ if elapsed >= times.get(Time::SelfTest) => fail(Fault::Monitor),
                _ => Step::SelfTest,
            },
            Step::Raise if is_reached => Step::Measure,
            Step::Raise if elapsed >= times.get(Time::Raise) => fail(Fault::Voltage),
            Step::Raise => Step::Raise,
            // A load reduces the voltage, and none is allowed yet.
            Step::Measure if !is_reached && draws => fail(Fault::Weld),
            // A measurement without the test voltage does not count: the test measures again from the
            // beginning.
            Step::Measure if !is_reached => Step::Raise,
            Step::Measure => self.measured(now, plant, config),
            Step::Lower(isolation) => self.lowered(voltage, elapsed, isolation),
            done @ Step::Done(_) => done,
        }
    }

    /// Residual voltage is permitted; a voltage that does not fall is held by a source.
    fn settled(&mut self, now: Instant, plant: &Plant, voltage: Option<i32>, patience: Duration) -> Step {
        let elapsed = now.since(self.since);
        let is_closed = fresh(plant.contactors, now) == Some(true);
        let is_stage_live = fresh(plant.stage_mv, now).is_some_and(|mv| mv.saturating_abs() >= DEAD_MV);
        let live_mv = voltage.map(i32::saturating_abs).filter(|mv| *mv >= DEAD_MV);
        let is_held =
            live_mv.is_some_and(|mv| !self.is_residual || !self.falls(mv, elapsed) && elapsed >= HELD);
        let is_late = elapsed >= patience;
        match (voltage.is_some() && live_mv.is_none(), is_stage_live) {
            _ if is_closed && elapsed >= Debounce::CONTACT => Step::Done(Err(Fault::Weld)),
            (true, false) if !is_closed => Step::Connect,
            (true, true) if is_late => Step::Done(Err(Fault::Stage)),
            _ if is_held || is_late => Step::Done(Err(Fault::Weld)),
            _ => Step::Settle,
        }
    }

    /// Whether a voltage without a demand has fallen since the end of [`LOWER`].
    fn falls(&mut self, mv: i32, elapsed: Duration) -> bool {
        elapsed >= LOWER && mv <= self.lowered_mv.get_or_insert(mv).saturating_sub(FALLS_MV)
    }

    /// The self-test's result; a result from before the demand does not count.
    fn self_tested(&self, plant: &Plant) -> Option<SelfTest> {
        let reading = plant.isolation.filter(|reading| reading.at >= self.since + MAX_AGE)?;
        reading.value.self_test
    }

    /// The result, after the voltage was present for the test's time and the monitor has measured since then.
    fn measured(&mut self, now: Instant, plant: &Plant, config: &Config) -> Step {
        let elapsed = now.since(self.since);
        let monitor = fresh(plant.isolation, now);
        if self.monitor.hangs(now, monitor, true, config.protection.monitor) {
            return Step::Done(Err(Fault::Monitor));
        }
        // A result from before the voltage was present does not count.
        match plant.isolation.filter(|reading| reading.at > self.since && self.monitor.has_measured()) {
            Some(reading) if elapsed >= config.isolation_test => match judged(reading.value, config) {
                Isolation::Measuring => Step::Measure,
                isolation @ (Isolation::Valid | Isolation::Warning) => Step::Lower(isolation),
                Isolation::Fault => Step::Done(Err(Fault::Isolation)),
            },
            _ => Step::Measure,
        }
    }

    fn lowered(&mut self, voltage: Option<i32>, elapsed: Duration, isolation: Isolation) -> Step {
        let Some(mv) = voltage.map(i32::saturating_abs) else { return Step::Lower(isolation) };
        if mv < DEAD_MV {
            return Step::Done(Ok(isolation));
        }
        if elapsed < LOWER {
            return Step::Lower(isolation);
        }
        let falls = self.falls(mv, elapsed);
        if mv < self.test_mv / 2 || falls && mv <= self.car_mv {
            return Step::Done(Ok(isolation));
        }
        if falls || elapsed < HELD { Step::Lower(isolation) } else { Step::Done(Err(Fault::Weld)) }
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

fn has_self_test(plant: &Plant, now: Instant) -> bool {
    fresh(plant.isolation, now).is_some_and(|monitor| monitor.self_test.is_some())
}

#[cfg(test)]
mod tests;
