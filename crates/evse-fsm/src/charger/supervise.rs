//! The plant and the clock: what is done each time anything comes in.

use control_pilot::{Level, Proximity};
use machine::{Duration, Instant, Machine};
use session::{By, Cause, Checkpoint, Latch, Limits, Phase, Target};

use super::Charger;
use crate::power::{News, SAFE_OPEN};
use crate::reading::fresh;
use crate::sequence::State;
use crate::supervision::pilot_fault;
use crate::{Event, Isolation, Sensors, Status, Warning};

impl Charger {
    /// How late a deadline may be met while energised (docs/ARCHITECTURE.md).
    const HELD_UP: Duration = Duration::from_millis(500);

    pub(super) fn tell_time(&mut self, now: Instant) {
        let due = self.poll_timeout();
        let late = due.is_some_and(|due| now.since(due.at) > Self::HELD_UP);
        self.now = self.now.max(now);
        if late && self.power.is_energised() {
            self.make_safe(By::Charger, Cause::HeldUp, Status::Malfunction);
        }
    }

    /// Does what time and sensors ask for.
    pub(super) fn advance(&mut self) {
        let now = self.now;
        let level = fresh(self.plant.pilot, now);
        self.watch(level);
        // What only concerns the next session must not take the pilot away from the one at hand.
        let not_again = self.stopped || !self.available || self.supervision.is_foul();
        let idle = self.state == State::NoSession && not_again;
        let blocked = self.latched.is_some() || self.is_stopping_for_safety() || idle;
        if self.pilot.step(now, level, blocked, &self.config.times) {
            self.checkpoint(Checkpoint::PILOT_5_PERCENT);
        }
        self.follow_level(level);
        self.step_power();
        if let Some(Err(fault)) = self.power.test_result() {
            self.make_safe(By::Charger, fault.cause(), Status::Malfunction);
        }
        if let Some(waiting) = self.waiting.take() {
            self.answer_waiting(waiting);
        }
    }

    /// Does what is due.
    pub(super) fn run_timers(&mut self) {
        while let Some(timer) = self.timers.expired(self.now) {
            self.expired(timer);
        }
        self.step_power();
    }

    fn step_power(&mut self) {
        match self.power.step(self.now, &self.plant, &self.config) {
            Some(News::Stalled) => self.events.push(Event::Warning(Warning::Stalled)),
            Some(News::OpenedUnderCurrent { current_ma, is_stuck }) => {
                self.events.push(Event::Warning(Warning::OpenedUnderCurrent(current_ma)));
                // A stage that does not obey must not be connected again before somebody has looked.
                if is_stuck {
                    self.latch(Latch::OutOfRange);
                    self.make_safe(By::Charger, Cause::OverCurrent, Status::Malfunction);
                }
            }
            None => {}
        }
    }

    pub(super) fn is_stopping_for_safety(&self) -> bool {
        self.stop.is_some_and(|stop| stop.status.is_unsafe())
    }

    /// Watches what must be right while energised, and what ends a session at any time.
    pub(super) fn watch(&mut self, level: Option<Level>) {
        let now = self.now;
        if fresh(self.plant.emergency_stop, now) == Some(true) {
            self.emergency_stop();
        }
        if self.power.is_energised() {
            let limits = self.bounds();
            let output = self.power.output();
            self.supervision.energised();
            let found = self.supervision.check(now, &self.plant, &self.config, &limits, output);
            if let Some(cause) = found {
                let by = match cause {
                    Cause::Unplugged | Cause::LeftReady | Cause::PilotFault => By::Car,
                    _ => By::Charger,
                };
                if matches!(cause, Cause::OverVoltage | Cause::OverCurrent) {
                    self.latch(Latch::OutOfRange);
                }
                let status = if cause == Cause::LeftReady { Status::Shutdown } else { Status::Malfunction };
                if cause == Cause::LeftReady && self.power.is_stopping() {
                    // As it should behind the end of power; there is no more time for the current to fall.
                    self.power.stop(now, SAFE_OPEN);
                } else {
                    self.make_safe(by, cause, status);
                }
            }
        }
        if !self.power.is_energised() {
            self.supervision.rest();
            if let Some(warning) = self.supervision.off(now, &self.plant) {
                self.events.push(Event::Warning(warning));
            }
        }
        let is_low =
            fresh(self.plant.isolation, now).is_some_and(|monitor| monitor.status == Isolation::Warning);
        if self.power.is_transferring() && is_low && self.isolation != Isolation::Warning {
            self.isolation = Isolation::Warning;
            self.events.push(Event::Warning(Warning::IsolationLow));
        }
        if let (Some(cause), true) =
            (pilot_fault(level), !matches!(self.state, State::NoSession | State::Over))
        {
            self.make_safe(By::Car, cause, Status::Malfunction);
            self.state = State::StopOnly;
            self.close = true;
        }
    }

    /// The plug is out, as far as the charger can tell: pilot A, and neither its lock nor the proximity wire say otherwise, or
    /// are silent where there is one. A pilot wire that breaks looks like A, too.
    fn is_unplugged(&self, level: Option<Level>) -> bool {
        let needed = self.config.sensors;
        let is_locked = fresh(self.plant.lock, self.now).unwrap_or(needed.contains(Sensors::LOCK));
        let is_seen = fresh(self.plant.proximity, self.now)
            .map_or(needed.contains(Sensors::PROXIMITY), Proximity::is_plugged);
        level == Some(Level::A) && !is_locked && !is_seen
    }

    pub(super) fn follow_level(&mut self, level: Option<Level>) {
        let is_out = self.is_unplugged(level);
        if is_out && !self.was_out {
            self.unlatch();
            (self.stopped, self.authorised) = (false, None);
        }
        self.was_out = is_out;
        if level == self.level {
            return;
        }
        let before = core::mem::replace(&mut self.level, level);
        match level {
            Some(Level::A) => {
                self.checkpoint(Checkpoint::PILOT_A);
                if !self.is_connected {
                    self.set_phase(Phase::Idle);
                }
            }
            Some(Level::B) if before == Some(Level::A) || before.is_none() => {
                self.checkpoint(Checkpoint::PILOT_B);
                if !self.is_connected {
                    self.set_phase(Phase::Plugged);
                }
            }
            Some(Level::B) => self.checkpoint(Checkpoint::PILOT_BACK_TO_B),
            Some(Level::C | Level::D) if !matches!(before, Some(Level::C | Level::D)) => {
                self.checkpoint(Checkpoint::PILOT_C);
            }
            _ => {}
        }
    }

    /// What car and charger bear together.
    pub(super) fn bounds(&self) -> Limits {
        self.config.limits.and(&self.car_limits)
    }

    pub(super) fn is_ready(&self) -> bool {
        matches!(fresh(self.plant.pilot, self.now), Some(Level::C | Level::D))
    }

    /// Whether the plug cannot come out, where the charger has a lock.
    pub(super) fn is_locked(&self) -> bool {
        fresh(self.plant.lock, self.now).unwrap_or(!self.config.sensors.contains(Sensors::LOCK))
    }

    pub(super) fn present(&self) -> Target {
        self.power.present(self.now, &self.plant, self.config.power_stage)
    }
}
