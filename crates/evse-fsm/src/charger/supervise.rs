//! The plant and the clock: what is done each time anything comes in.

use control_pilot::{Level, Proximity};
use machine::{Deadline, Duration, Instant};
use session::{By, Cause, Checkpoint, Limits, Phase, Target};

use super::{Charger, STEP};
use crate::found::Found;
use crate::insulation::judged;
use crate::power::{News, SAFE_OPEN};
use crate::reading::fresh;
use crate::sequence::State;
use crate::supervision::{Output, pilot_fault};
use crate::{Event, Isolation, Sensors, Status, Warning};

impl Charger {
    /// How late a deadline may be met while energised (docs/ARCHITECTURE.md).
    const HELD_UP: Duration = Duration::from_millis(500);

    /// With readings that have become too old meanwhile, so much is enough: more than a loop takes that runs (judgement).
    const UNASKED: Duration = Duration::from_millis(50);

    /// The name of the first needed reading that is absent or too old at `now`.
    pub(super) fn stale(&self, now: Instant) -> Option<&'static str> {
        // Asked after every frame and timer: the snapshot's own answer is worked out once.
        let is_fresh = self.stale_at.is_some_and(|at| now < at);
        if is_fresh { None } else { self.plant.stale(self.config.sensors, now) }
    }

    pub(super) fn tell_time(&mut self, now: Instant) {
        let late = self.due.map_or(Duration::ZERO, |due| now.since(due.at));
        // Readings that got too old because nobody asked for them: that is no fault of the adapter.
        let is_blind = late > Self::UNASKED && self.stale(now).is_some();
        self.unseen = now.since(self.now);
        self.now = self.now.max(now);
        if (late > Self::HELD_UP || is_blind) && self.power.is_energised() {
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
        let idle = self.state == State::NoSession && not_again;
        let blocked = self.latched.is_some() || self.is_stopping_for_safety() || idle;
        if self.pilot.step(now, level, blocked, &self.config.times) {
            self.checkpoint(Checkpoint::PILOT_5_PERCENT);
        }
        self.follow_level(level);
        self.step_power();
        if let Some(found) = self.power.test_fault(now, &self.plant, &self.config) {
            self.make_safe(By::Charger, found, Status::Malfunction);
        }
        if let Some(waiting) = self.waiting.take() {
            self.answer_waiting(waiting);
        }
        self.due = self.earliest();
    }

    /// The earliest deadline of all that runs.
    fn earliest(&self) -> Option<Deadline> {
        let energised = self.power.is_energised();
        let stale = self.stale_at.filter(|_| energised);
        let others = [
            ("pilot", self.pilot.due(&self.config.times)),
            ("power", self.power.due(&self.config)),
            ("ramp", self.power.is_moving().then_some(self.now + STEP)),
            ("watch", self.supervision.due(self.now, &self.config)),
            ("stale reading", stale.filter(|at| *at > self.now)),
            ("answer", self.waiting.as_ref().map(|waiting| waiting.until)),
        ];
        Deadline::earliest(self.timers.next(), &others)
    }

    /// Does what is due.
    pub(super) fn run_timers(&mut self) {
        while let Some(timer) = self.timers.expired(self.now) {
            self.expired(timer);
        }
        self.step_power();
    }

    pub(super) fn step_power(&mut self) {
        let mut plant = self.plant;
        if self.supervision.distrusts_current() {
            // It says that no current flows: nobody knows.
            plant.current_ma = None;
        }
        match self.power.step(self.now, &plant, &self.config) {
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
        self.stop.is_some_and(|stop| stop.status.is_unsafe())
    }

    /// Watches what must be right while energised, and what ends a session at any time.
    pub(super) fn watch(&mut self, level: Option<Level>) {
        let now = self.now;
        if fresh(self.plant.emergency_stop, now) == Some(true) {
            self.emergency_stop();
        }
        if self.power.is_energised() {
            // What the car named before: one that lowers its limit later has its battery above it, and ends in order.
            let named = self.bounds();
            let max_voltage_mv = self.power.test_most_mv().unwrap_or(named.max_voltage_mv);
            let bounds = Limits { max_voltage_mv, ..named };
            let (_, wants_dead) = self.power.test_wants();
            self.supervision.off.driven(now, wants_dead);
            let output = self.power.output();
            let stale = self.stale(now).map(|name| Cause::StaleReading(name).into());
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
        if self.power.is_transferring() && is_low && self.isolation != Isolation::Warning {
            self.isolation = Isolation::Warning;
            self.events.push(Event::Warning(Warning::IsolationLow));
        }
        let is_open = !matches!(self.state, State::NoSession | State::Over);
        if let (Some(cause), true) = (level.and_then(pilot_fault), is_open) {
            self.make_safe(By::Car, cause, Status::Malfunction);
            self.state = State::StopOnly;
            self.close = true;
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
                if !self.is_connected {
                    self.set_phase(Phase::Idle);
                }
            }
            // A plug that goes in shows E for a moment, when one measurement saw both sides of the change.
            Some(Level::B) if !matches!(before, Some(Level::C | Level::D)) => {
                self.checkpoint(Checkpoint::PILOT_B);
                if !self.is_connected {
                    self.set_phase(Phase::Plugged);
                }
            }
            Some(Level::B) => {
                self.checkpoint(Checkpoint::PILOT_BACK_TO_B);
                self.car_left = self.state == State::CableCheck;
            }
            Some(Level::C | Level::D) if !matches!(before, Some(Level::C | Level::D)) => {
                self.car_left = false;
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
        self.config.limits.and(&self.car_limits)
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
