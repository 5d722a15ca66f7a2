//! The plant and the clock: processed for each input.

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

    /// Applies time and readings.
    pub(super) fn advance(&mut self) {
        let now = self.now;
        self.supervision.contacts.take(&self.plant);
        let is_in_use = self.power.output().is_in_use;
        let level = self.supervision.contacts.level(fresh(self.plant.pilot, now), self.level, is_in_use);
        self.watch(level);
        // A condition that only blocks the next session must not end the pilot's offer in the current one.
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

    /// The earliest of all deadlines.
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

    /// Processes expired timers.
    pub(super) fn run_timers(&mut self) {
        while let Some(timer) = self.session.timers.expired(self.now) {
            self.expired(timer);
        }
        self.drive(Command::GoOn);
    }

    /// Applies the session's command and time to the power stage.
    pub(super) fn drive(&mut self, command: Command) {
        let mut plant = *self.plant;
        if self.supervision.distrusts_current() {
            // This sensor shows no current and is not trusted: the current is unknown.
            plant.current_ma = None;
        }
        match self.power.step(self.now, command, &plant, &self.config) {
            Some(News::Stalled) => self.events.push(Event::Warning(Warning::Stalled)),
            Some(News::OpenedUnderCurrent { current_ma, is_stuck }) => {
                self.events.push(Event::Warning(Warning::OpenedUnderCurrent(current_ma)));
                // A power stage that does not follow its demand must not be connected again until a person
                // has checked it.
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

    /// Checks the safety rules while energised, and the conditions that end a session at any time.
    pub(super) fn watch(&mut self, level: Option<Level>) {
        let now = self.now;
        if fresh(self.plant.emergency_stop, now) == Some(true) {
            self.emergency_stop();
        }
        if self.power.is_energised() {
            // The limits before this request: a battery above a limit that the car lowers later is a normal
            // end.
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

    /// A fault was found while the output was energised.
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
            // As at the end of power, but the current has no more time to fall.
            self.power.stop(self.now, SAFE_OPEN);
        } else if output.is_granted {
            self.make_safe(by, found, Status::Shutdown);
        } else {
            // Before power is granted a car may end the session this way or with SessionStopReq.
            self.make_safe(by, Cause::Finished, Status::Shutdown);
        }
    }

    /// Whether the plug is out, as far as the charger can detect: pilot A, and neither lock nor proximity
    /// contradict, nor are silent where they exist. A broken pilot wire looks like A, too.
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
        // Without a pilot reading no insertion can be seen.
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
            // An inserted plug may show E briefly, when one measurement covers both sides of the change.
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
                // A car that is ready when the charger starts shows no B before C.
                if self.phase == Phase::Idle {
                    self.set_phase(Phase::Plugged);
                }
            }
            _ => {}
        }
    }

    /// The stricter of car's and charger's limits.
    pub(super) fn bounds(&self) -> Limits {
        self.config.limits.and(&self.session.car_limits)
    }

    pub(super) fn is_ready(&self) -> bool {
        // Not the newest reading alone: it may be a bounce.
        fresh(self.plant.pilot, self.now).is_some() && matches!(self.level, Some(Level::C | Level::D))
    }

    /// Whether the plug cannot be removed; `true` without a lock sensor.
    pub(super) fn is_locked(&self) -> bool {
        fresh(self.plant.lock, self.now).unwrap_or(!self.config.sensors.contains(Sensors::LOCK))
    }

    pub(super) fn present(&self) -> Target {
        self.power.present(self.now, &self.plant, &self.config)
    }
}
