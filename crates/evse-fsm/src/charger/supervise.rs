//! The plant and the clock: what is done each time anything comes in.

use control_pilot::{Level, Proximity};
use machine::{Deadline, Instant};
use session::{By, Cause, Checkpoint, Limits, Phase, Target};

use super::{Charger, STEP};
use crate::found::Found;
use crate::insulation::judged;
use crate::order::State;
use crate::power::{Command, News, SAFE_OPEN};
use crate::reading::fresh;
use crate::supervision::{Output, pilot_fault};
use crate::{Event, Isolation, Sensors, Status, Warning};

impl Charger {
    /// The name of the first needed reading that is absent or too old.
    pub(super) fn stale(&self) -> Option<&'static str> {
        self.plant.stale(self.config.sensors, self.now)
    }

    pub(super) fn tell_time(&mut self, now: Instant) {
        let is_held_up = self.plant.is_held_up(self.due, self.config.sensors, now);
        self.unseen = now.since(self.now);
        self.now = self.now.max(now);
        if is_held_up && self.power.is_energised() {
            self.make_safe(By::Charger, Cause::HeldUp, Status::Malfunction);
        }
    }

    /// Does what time and sensors ask for.
    pub(super) fn advance(&mut self) {
        let now = self.now;
        self.supervision.contacts.take(&self.plant);
        let is_in_use = self.power.output().is_in_use;
        let level = self.supervision.contacts.level(fresh(self.plant.pilot, now), self.level, is_in_use);
        self.watch(level);
        // What only concerns the next session must not take the pilot away from the one at hand.
        let not_again = self.stopped || !self.available || self.supervision.off.is_on();
        let idle = self.session.state == State::NoSession && not_again;
        let blocked = self.latched.is_some() || self.is_stopping_for_safety() || idle;
        if self.pilot.step(now, level, blocked, &self.config.times) {
            self.checkpoint(Checkpoint::PILOT_5_PERCENT);
        }
        self.follow_level(level);
        self.drive(Command::GoOn);
        if let Some(found) = self.power.test_fault(now, &self.plant, &self.config) {
            self.make_safe(By::Charger, found, Status::Malfunction);
        }
        if let Some(waiting) = self.session.waiting.take() {
            self.answer_waiting(waiting);
        }
        self.due = self.earliest();
    }

    /// The earliest deadline of all that runs.
    fn earliest(&self) -> Option<Deadline> {
        let energised = self.power.is_energised();
        let stale = self.plant.stale_at().filter(|_| energised);
        let others = [
            ("pilot", self.pilot.due(&self.config.times)),
            ("power", self.power.due(&self.config)),
            ("ramp", self.power.is_moving().then_some(self.now + STEP)),
            ("watch", self.supervision.due(self.now, &self.config)),
            ("stale reading", stale.filter(|at| *at > self.now)),
            ("answer", self.session.waiting.as_ref().map(|waiting| waiting.until)),
        ];
        Deadline::earliest(self.session.timers.next(), &others)
    }

    /// Does what is due.
    pub(super) fn run_timers(&mut self) {
        while let Some(timer) = self.session.timers.expired(self.now) {
            self.expired(timer);
        }
        self.drive(Command::GoOn);
    }

    /// Does what the session wants of the plant, and what time does.
    pub(super) fn drive(&mut self, command: Command) {
        let mut plant = *self.plant;
        if self.supervision.distrusts_current() {
            // It says that no current flows: nobody knows.
            plant.current_ma = None;
        }
        match self.power.step(self.now, command, &plant, &self.config) {
            Some(News::Stalled) => self.events.push(Event::Warning(Warning::Stalled)),
            Some(News::OpenedUnderCurrent { current_ma, is_stuck }) => {
                self.events.push(Event::Warning(Warning::OpenedUnderCurrent(current_ma)));
                // A stage that does not obey must not be connected again before somebody has looked.
                if is_stuck {
                    self.make_safe(By::Charger, Cause::OverCurrent, Status::Malfunction);
                }
            }
            None => {}
        }
    }

    pub(super) fn is_stopping_for_safety(&self) -> bool {
        self.session.stop.is_some_and(|stop| stop.status.is_unsafe())
    }

    /// Watches what must be right while energised, and what ends a session at any time.
    pub(super) fn watch(&mut self, level: Option<Level>) {
        let now = self.now;
        if fresh(self.plant.emergency_stop, now) == Some(true) {
            self.emergency_stop();
        }
        if self.power.is_energised() {
            // What the car named before: one that lowers its limit later has its battery above it, and ends
            // in order.
            let named = self.bounds();
            let max_voltage_mv = self.power.test_most_mv().unwrap_or(named.max_voltage_mv);
            let bounds = Limits { max_voltage_mv, ..named };
            let (_, wants_dead) = self.power.test_wants();
            self.supervision.off.driven(now, wants_dead);
            let output = self.power.output();
            let stale = self.stale().map(|name| Cause::StaleReading(name).into());
            let found =
                stale.or_else(|| self.supervision.check(now, &self.plant, &self.config, &bounds, output));
            if let Some(found) = found {
                self.switch_off(found, output);
            }
        } else {
            if let Some(doubt) = self.supervision.rest() {
                self.make_safe(By::Charger, doubt, Status::Malfunction);
            }
            let may_bleed = !self.is_ready();
            if let Some(warning) =
                self.supervision.off.step(now, &self.plant, may_bleed, level == Some(Level::A))
            {
                self.events.push(Event::Warning(warning));
            }
        }
        let monitor = fresh(self.plant.isolation, now).map(|monitor| judged(monitor, &self.config));
        let is_low = monitor == Some(Isolation::Warning);
        if self.power.is_transferring() && is_low && self.session.isolation != Isolation::Warning {
            self.session.isolation = Isolation::Warning;
            self.events.push(Event::Warning(Warning::IsolationLow));
        }
        if let (Some(cause), true) = (level.and_then(pilot_fault), self.session.state.is_open()) {
            self.make_safe(By::Car, cause, Status::Malfunction);
            self.session.state = State::StopOnly;
            self.session.close = true;
        }
    }

    /// Something was found while the output was energised.
    fn switch_off(&mut self, found: Found, output: Output) {
        let by = match found.cause {
            Cause::Unplugged | Cause::LeftReady | Cause::PilotFault => By::Car,
            Cause::Released => By::Operator,
            _ => By::Charger,
        };
        if found.cause != Cause::LeftReady {
            return self.make_safe(by, found, Status::Malfunction);
        }
        if self.power.is_stopping() {
            // As it should after the end of power; there is no more time for the current to fall.
            self.power.stop(self.now, SAFE_OPEN);
        } else if output.is_granted {
            self.make_safe(by, found, Status::Shutdown);
        } else {
            // Before power is granted a car ends the session like this, and with SessionStopReq.
            self.make_safe(by, Cause::Finished, Status::Shutdown);
        }
    }

    /// The plug is out, as far as the charger can tell: pilot A, and neither its lock nor the proximity wire
    /// say otherwise, or are silent where there is one. A pilot wire that breaks looks like A, too.
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
            self.replugged();
        }
        if is_out {
            self.forget_tries();
        }
        // A pilot that says nothing has not seen the plug go in.
        self.was_out = is_out || self.was_out && level.is_none();
        if level == self.level {
            return;
        }
        let before = core::mem::replace(&mut self.level, level);
        match level {
            Some(Level::A) => {
                self.checkpoint(Checkpoint::PILOT_A);
                if self.session.state == State::NoSession {
                    self.set_phase(Phase::Idle);
                }
            }
            // A plug that goes in shows E for a moment, when one measurement saw both sides of the change.
            Some(Level::B) if !matches!(before, Some(Level::C | Level::D)) => {
                self.checkpoint(Checkpoint::PILOT_B);
                if self.session.state == State::NoSession {
                    self.set_phase(Phase::Plugged);
                }
            }
            Some(Level::B) => {
                self.checkpoint(Checkpoint::PILOT_BACK_TO_B);
                self.session.car_left = self.session.state == State::CableCheck;
            }
            Some(Level::C | Level::D) if !matches!(before, Some(Level::C | Level::D)) => {
                self.session.car_left = false;
                self.checkpoint(Checkpoint::PILOT_C);
                // A car that is ready when the charger starts shows no B before.
                if self.phase == Phase::Idle {
                    self.set_phase(Phase::Plugged);
                }
            }
            _ => {}
        }
    }

    /// What car and charger bear together.
    pub(super) fn bounds(&self) -> Limits {
        self.config.limits.and(&self.session.car_limits)
    }

    pub(super) fn is_ready(&self) -> bool {
        // Not the newest reading alone: it may be a bounce.
        fresh(self.plant.pilot, self.now).is_some() && matches!(self.level, Some(Level::C | Level::D))
    }

    /// Whether the plug cannot come out, where the charger has a lock.
    pub(super) fn is_locked(&self) -> bool {
        fresh(self.plant.lock, self.now).unwrap_or(!self.config.sensors.contains(Sensors::LOCK))
    }

    pub(super) fn present(&self) -> Target {
        self.power.present(self.now, &self.plant, &self.config)
    }
}
