//! The connection: a session begins and ends with it.

use control_pilot::Level;
use session::{By, Cause, Limits, Phase};

use super::{Charger, Timer};
use crate::power::SAFE_OPEN;
use crate::reading::fresh;
use crate::sequence::State;
use crate::supervision::{pilot_fault, plug_fault};
use crate::{Closed, Dropped, Event, Isolation, PowerStage, ReverseCurrent, Status, Warning};

impl Charger {
    pub(super) fn connected(&mut self) {
        if self.is_connected {
            self.closed(Closed::Rst);
        }
        self.is_connected = true;
        self.close = false;
        self.answer = None;
        self.stop = None;
        self.power.allow();
        (self.charged, self.car_waits, self.car_left) = (false, false, false);
        self.bad_messages = 0;
        self.session_id.clear();
        self.car_limits = Limits::NONE;
        self.precharge_mv = 0;
        self.isolation = Isolation::Measuring;
        self.parameters_since = None;
        self.timers.clear_all();
        if self.latched.is_some() || !self.pilot.is_offering() {
            self.events.push(Event::Dropped(Dropped::Connection));
            self.state = State::Over;
            self.close = true;
            return;
        }
        self.state = State::Handshake;
        self.set_phase(Phase::Handshake);
        self.timers.set(Timer::Setup, self.now + self.config.times.setup);
        if self.config.power_stage == PowerStage::None {
            self.events.push(Event::Warning(Warning::NoPowerStage));
        }
        if let ReverseCurrent::Allowed(most_ma) = self.config.protection.reverse_current {
            self.events.push(Event::Warning(Warning::ReverseAllowed(most_ma)));
        }
    }

    pub(super) fn link_lost(&mut self) {
        // A pulled plug takes the link with it.
        let (by, cause) = self.pilot_said().unwrap_or((By::Network, Cause::LinkLost));
        if self.state == State::Over {
            // Nothing is left to be ended: the car left the network before it closed the connection.
            self.pilot.halt(self.now);
        } else {
            self.make_safe(by, cause, Status::Malfunction);
        }
        self.closed(Closed::Timeout);
    }

    /// What the newest readings of pilot and proximity say of an end: they came first, though they were not seen twice yet.
    fn pilot_said(&self) -> Option<(By, Cause)> {
        let level = fresh(self.plant.pilot, self.now).or(self.level)?;
        let output = self.power.output();
        let left = output.is_in_use && !level.is_ready();
        let wire = fresh(self.plant.proximity, self.now).and_then(plug_fault);
        let ended = if output.is_granted { Cause::LeftReady } else { Cause::Finished };
        let left = left.then_some(wire.unwrap_or(ended));
        pilot_fault(level).or(left).map(|cause| (By::Car, cause))
    }

    pub(super) fn closed(&mut self, closed: Closed) {
        if !self.is_connected {
            return;
        }
        self.is_connected = false;
        self.close = false;
        self.answer = None;
        self.waiting = None;
        self.timers.clear_all();
        let said = self.pilot_said();
        self.power.stop(self.now, SAFE_OPEN);
        let finished = self.stop.is_some_and(|stop| stop.reason.is_normal());
        // A connection on which nothing was said, or that was refused, is no session: cars open and drop many.
        let silent = self.stop.is_none() && matches!(self.state, State::Handshake | State::Over);
        if self.stop.is_none() && !silent {
            let (by, cause) = said.unwrap_or((By::Network, closed.cause()));
            self.stop_for(by, cause, Status::Shutdown);
        }
        self.timers.clear_all();
        self.state = State::NoSession;
        if silent {
            return self.set_phase(if self.level == Some(Level::A) { Phase::Idle } else { Phase::Plugged });
        }
        if finished && self.charged {
            self.forget_tries();
        }
        if finished {
            self.pilot.session_ended(self.now);
        } else {
            self.pilot.halt(self.now);
        }
        self.set_phase(Phase::Ended);
        self.authorised = None;
        if let Some(stop) = self.stop.take() {
            self.last_stop = Some(stop.reason);
            self.events.push(Event::Stopped(stop.reason));
        }
    }
}
