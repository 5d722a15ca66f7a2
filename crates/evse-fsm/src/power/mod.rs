//! The charger's high-voltage outputs: contactors and set point of the power stage.

mod falling;
mod report;
#[cfg(test)]
mod tests;

use crate::cable_check::{Fault, Test};
use crate::found::Found;
use crate::precharge::{Ramp, approach};
use crate::reading::fresh;
use crate::supervision::Output;
use crate::{Config, Contactors, Isolation, Plant, PowerStage};
use falling::Falling;
use machine::{Duration, Instant};
use report::Report;
pub(crate) use session::{CURRENT_BEFORE_POWER_MA, OPEN_BELOW_MA};
use session::{Lasting, Limits, Target, Time};

/// SAFE opens the contactors after this time at the latest (docs/ARCHITECTURE.md).
pub(crate) const SAFE_OPEN: Duration = Duration::from_millis(100);

/// A stage that still supplies current this long after a demand of 0 A does not follow: 1 s (judgement; a
/// blocked stage takes 30 ms; a shutdown at 100 A/s takes at most the 1.5 s that a normal end waits).
const STUCK: Duration = Duration::from_secs(1);
/// Readings below this are treated as sensor offset, in mA: 5 A (below it an output counts as off, IEC
/// 61851-23 from memory).
const STUCK_MA: i32 = 5_000;

/// The result of a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum News {
    /// No demand arrived in time: 0 A.
    Stalled,
    /// The contactors are commanded to open although this current in mA flows; `None` if it is unknown.
    OpenedUnderCurrent {
        current_ma: Option<i32>,
        /// The stage had time to stop, or supplies more than any demand permits.
        is_stuck: bool,
    },
}

/// The session's command to the power stage.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Command {
    /// No change.
    GoOn,
    /// Starts the isolation test at this voltage in mV; it ends by connecting the output.
    Test {
        test_mv: i32,
        /// The voltage on the cable may be left of the last session.
        is_residual: bool,
    },
    /// The car requests this voltage before its contactors close, in mV. Ignored until the isolation test has
    /// passed.
    PreCharge { precharge_mv: i32 },
    /// The car requests this target, within these limits. Ignored until power is switched on.
    Transfer { asked: Target, limits: Limits },
}

#[derive(Clone, Copy, Debug)]
enum Stage {
    Off,
    Test(Test),
    Precharge(Ramp),
    /// Power is switched on, no current was requested yet.
    Hold,
    Transfer,
    /// 0 V and 0 A since `began`. The contactors open when the current has ended, at `open_by` at the latest.
    Stopping {
        began: Instant,
        open_by: Instant,
        /// The current has time to fall; SAFE has none.
        is_orderly: bool,
        /// The car had been granted power.
        was_granted: bool,
    },
}

/// The state of output contactors and power stage.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Power {
    stage: Stage,
    supply: Target,
    asked: Target,
    limits: Limits,
    stepped: Instant,
    /// The time of the last valid demand.
    fed: Instant,
    stalled: bool,
    /// Since when 0 A are demanded because the pilot is outside C and D.
    blocked: Lasting,
    /// A stop in progress: nothing rises.
    falling: Option<Falling>,
    report: Report,
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
            blocked: Lasting::new(),
            falling: None,
            report: Report::new(),
        }
    }

    /// Set point of the power stage and position of the contactors.
    pub(crate) fn demand(&self, stage: PowerStage) -> (Target, Contactors) {
        match (stage, self.stage) {
            (PowerStage::None, _) | (PowerStage::Real, Stage::Off) => (Target::ZERO, Contactors::Open),
            (PowerStage::Real, Stage::Test(test)) if !test.connects() => (Target::ZERO, Contactors::Open),
            (PowerStage::Real, _) => (self.supply, Contactors::Closed),
        }
    }

    /// Whether the contactors are closed or about to be, also during a stop.
    pub(crate) fn is_energised(&self) -> bool {
        !matches!(self.stage, Stage::Off)
    }

    /// Whether a stop is in progress.
    pub(crate) fn is_stopping(&self) -> bool {
        matches!(self.stage, Stage::Stopping { .. })
    }

    /// Whether the car has requested current or may do so.
    pub(crate) fn is_transferring(&self) -> bool {
        matches!(self.stage, Stage::Hold | Stage::Transfer)
    }

    /// Whether the output is at the voltage that the car has requested: its contactors may be closed or
    /// closing.
    pub(crate) fn is_at_car(&self) -> bool {
        matches!(self.stage, Stage::Precharge(_) | Stage::Hold | Stage::Transfer)
    }

    /// The state of the output, for supervision.
    pub(crate) fn output(&self) -> Output {
        let (is_in_use, is_granted) = match self.stage {
            Stage::Off => return Output::OFF,
            Stage::Stopping { is_orderly, was_granted, .. } => (is_orderly, was_granted),
            Stage::Test(_) | Stage::Precharge(_) => (true, false),
            Stage::Hold | Stage::Transfer => (true, true),
        };
        let is_connected = is_in_use && !self.is_testing() && !self.is_stopping();
        let target_mv = if let Stage::Precharge(ramp) = &self.stage { Some(ramp.target_mv()) } else { None };
        let Target { voltage_mv: set_mv, current_ma: demanded_ma } = self.supply;
        Output { is_in_use, is_connected, is_granted, demanded_ma, set_mv, target_mv }
    }

    /// The highest voltage in mV that car and charger accept now. For the isolation test the charger chooses
    /// it.
    pub(crate) fn most_mv(&self) -> i32 {
        self.test_most_mv().unwrap_or(self.limits.max_voltage_mv)
    }

    /// The highest voltage in mV of the isolation test while it runs.
    pub(crate) fn test_most_mv(&self) -> Option<i32> {
        if let Stage::Test(test) = &self.stage { Some(test.most_mv()) } else { None }
    }

    /// The stricter of both sides' limits; bounds every set point from now on.
    pub(crate) fn set_limits(&mut self, limits: Limits) {
        self.limits = limits;
    }

    /// The requested voltage in mV of a running precharge; 0 without one.
    pub(crate) const fn precharge_mv(&self) -> i32 {
        if let Stage::Precharge(ramp) = &self.stage { ramp.precharge_mv() } else { 0 }
    }

    /// A stop has begun: until [`allow`](Self::allow) voltage and current only decrease, whatever the car
    /// requests. The current is at 0 A after `over`.
    pub(crate) fn fall(&mut self, now: Instant, over: Duration) {
        let next = Falling::new(now, self.supply.current_ma, over);
        self.falling = Some(self.falling.map_or(next, |before| before.faster(next)));
    }

    /// A new session: ends the effect of the last stop.
    pub(crate) fn allow(&mut self) {
        self.falling = None;
    }

    /// The fault of a failed isolation test.
    pub(crate) fn test_fault(&self, now: Instant, plant: &Plant, config: &Config) -> Option<Found> {
        let Stage::Test(test) = &self.stage else { return None };
        let Some(Err(fault)) = test.result() else { return None };
        Some(test.found(fault, now, plant, config))
    }

    /// The result of the isolation test; `None` while it runs or without one.
    pub(crate) fn test_result(&self) -> Option<Result<Isolation, Fault>> {
        if let Stage::Test(test) = &self.stage { test.result() } else { None }
    }

    /// What the isolation test requires in addition to a voltage: the monitor's self-test, and a dead cable.
    pub(crate) fn test_wants(&self) -> (bool, bool) {
        if let Stage::Test(test) = &self.stage { test.wants() } else { (false, false) }
    }

    /// Whether the isolation test is running or has just ended.
    pub(crate) fn is_testing(&self) -> bool {
        matches!(self.stage, Stage::Test(_))
    }

    /// Switches power on: the voltage stays, the car may request current.
    pub(crate) fn switch_on(&mut self, now: Instant) {
        if matches!(self.stage, Stage::Precharge(_)) {
            self.enter(Stage::Hold, now);
            self.feed(now);
        }
    }

    /// 0 V and 0 A immediately; contactors open below 1 A or after `limit`. A stop in progress can only
    /// become faster.
    pub(crate) fn stop(&mut self, now: Instant, limit: Duration) {
        // The time runs from the first demand of 0 A.
        let (open_by, has_time) = (self.blocked.due(limit).unwrap_or(now + limit), limit > SAFE_OPEN);
        self.supply = Target::ZERO;
        self.stage = match self.stage {
            Stage::Off => Stage::Off,
            // Nothing was connected, so nothing has to open.
            Stage::Test(test) if !test.connects() => Stage::Off,
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

    fn command(&mut self, now: Instant, command: Command, config: &Config) {
        match (command, &mut self.stage) {
            (Command::Test { test_mv, is_residual }, _) => {
                let car_mv = self.limits.max_voltage_mv;
                self.enter(Stage::Test(Test::begin(now, config, test_mv, car_mv, is_residual)), now);
            }
            (Command::PreCharge { precharge_mv }, Stage::Precharge(ramp)) => ramp.request(precharge_mv),
            (Command::PreCharge { precharge_mv }, Stage::Test(test))
                if matches!(test.result(), Some(Ok(_))) =>
            {
                let mut ramp = Ramp::new(config.precharge, self.limits, now);
                ramp.request(precharge_mv);
                self.enter(Stage::Precharge(ramp), now);
            }
            (Command::Transfer { asked, limits }, Stage::Hold | Stage::Transfer) => {
                if !matches!(self.stage, Stage::Transfer) {
                    self.enter(Stage::Transfer, now);
                }
                (self.asked, self.limits) = (asked, limits);
                self.feed(now);
            }
            _ => {}
        }
    }

    /// Applies the session's command and advances to `now`.
    #[must_use = "what happened is to be reported, and may be a stop"]
    pub(crate) fn step(
        &mut self,
        now: Instant,
        command: Command,
        plant: &Plant,
        config: &Config,
    ) -> Option<News> {
        self.command(now, command, config);
        let (stalled_before, mut news) = (self.stalled, None);
        self.stalled = self.is_transferring() && now.since(self.fed) >= config.times.get(Time::Stall);
        let elapsed = now.since(self.stepped);
        self.stepped = now;
        // Power bounds the current at the present voltage, see `ramped`; before power is granted 2 A bound
        // it.
        let most = Limits { max_power_w: i32::MAX, max_voltage_mv: self.most_mv(), ..self.limits };
        let wanted = match &mut self.stage {
            Stage::Off => Target::ZERO,
            Stage::Test(test) => test.step(now, plant, config),
            Stage::Precharge(ramp) => {
                let rate = config.voltage_ramp_mv_per_s;
                let voltage_mv = ramp.step(now, rate);
                Target { voltage_mv, current_ma: CURRENT_BEFORE_POWER_MA }
            }
            Stage::Hold => Target { current_ma: CURRENT_BEFORE_POWER_MA, ..self.supply },
            Stage::Transfer => self.ramped(elapsed, fresh(plant.voltage_mv, now), config),
            Stage::Stopping { began, open_by, was_granted, .. } => {
                let current_ma = fresh(plant.current_ma, now).map(i32::saturating_abs);
                // A reading from before the demand of 0 A does not count: the car's contactors may have
                // closed since.
                let is_new = plant.current_ma.is_some_and(|reading| reading.at >= *began);
                let gone = is_new && current_ma.is_some_and(|ma| ma < OPEN_BELOW_MA);
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
        let next = wanted.bounded(&most);
        // A pilot outside C and D may be a bounce: 0 A, and the ramp from 0 A when it returns.
        let is_ready = config.power_stage == PowerStage::None
            || fresh(plant.pilot, now).is_some_and(control_pilot::Level::is_ready);
        self.blocked.since(now, !is_ready);
        let next = if self.stalled || !is_ready { Target { current_ma: 0, ..next } } else { next };
        self.supply = self.falling.map_or(next, |falling| falling.bound(now, self.supply, next));
        self.report.step(&self.stage, self.supply, fresh(plant.voltage_mv, now));
        news.or((self.stalled && !stalled_before).then_some(News::Stalled))
    }

    /// The requested target, bounded by power at the present voltage and by the rising ramps. A lower target
    /// is not ramped here: the power stage's own slew rate is the ramp.
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

    /// When [`step`](Self::step) will change the state without an input, ramps excluded.
    pub(crate) fn due(&self, config: &Config) -> Option<Instant> {
        match self.stage {
            Stage::Stopping { open_by, .. } => Some(open_by),
            Stage::Hold | Stage::Transfer if !self.stalled => Some(self.fed + config.times.get(Time::Stall)),
            _ => None,
        }
    }

    /// Whether a ramp is running that needs steps at short intervals.
    pub(crate) fn is_moving(&self) -> bool {
        match &self.stage {
            Stage::Test(test) => test.result().is_none(),
            Stage::Precharge(_) => true,
            Stage::Transfer => !self.stalled && self.supply != self.asked,
            Stage::Hold => self.falling.is_some() && self.supply.current_ma > 0,
            Stage::Off | Stage::Stopping { .. } => false,
        }
    }

    /// The values to report to the car: measured, or synthetic without a power stage.
    pub(crate) fn present(&self, now: Instant, plant: &Plant, config: &Config) -> Target {
        let voltage_mv = fresh(plant.voltage_mv, now);
        let current_ma = fresh(plant.current_ma, now);
        match config.power_stage {
            PowerStage::Real => {
                Target { voltage_mv: voltage_mv.unwrap_or(0), current_ma: current_ma.unwrap_or(0) }
            }
            PowerStage::None => {
                let made_up_ma = self.supply.current_ma.min(config.made_up_current_ma);
                let flows_ma = if matches!(self.stage, Stage::Transfer) { made_up_ma } else { 0 };
                self.report.told(voltage_mv, current_ma, flows_ma)
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
