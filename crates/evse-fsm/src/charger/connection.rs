//! The TCP connection: a session begins and ends with it.

use control_pilot::Level;
use session::{By, Cause, Phase, Time};

use super::Charger;
use super::state::{Session, Timer};
use crate::order::State;
use crate::power::SAFE_OPEN;
use crate::reading::fresh;
use crate::supervision::{pilot_fault, plug_fault};
use crate::{Closed, Dropped, Event, PowerStage, ReverseCurrent, Status, Warning};

impl Charger {
    pub(super) fn connected(&mut self) {
        if self.session.state != State::NoSession {
            self.closed(Closed::Rst);
        }
        self.power.allow();
        if self.latched.is_some() || !self.pilot.is_offering() {
            self.events.push(Event::Dropped(Dropped::Connection));
            self.session = Session { close: true, ..Session::new(State::Over) };
            return;
        }
        self.session = Session::new(State::Handshake);
        self.set_phase(Phase::Handshake);
        self.start(Timer::Setup, Time::SetupBudget);
        if self.config.power_stage == PowerStage::None {
            self.events.push(Event::Warning(Warning::NoPowerStage));
        }
        if let ReverseCurrent::Allowed(most_ma) = self.config.protection.reverse_current {
            self.events.push(Event::Warning(Warning::ReverseAllowed(most_ma)));
        }
    }

    pub(super) fn link_lost(&mut self) {
        // A removed plug ends the link, too.
        let (by, cause) = self.pilot_said().unwrap_or((By::Network, Cause::LinkLost));
        if self.session.state == State::Over {
            // There is nothing to end: the car left the network before it closed the connection.
            self.pilot.halt(self.now);
        } else {
            self.make_safe(by, cause, Status::Malfunction);
        }
        self.closed(Closed::Timeout);
    }

    /// The end that the newest readings of pilot and proximity show: they precede the closed connection,
    /// although a second reading has not confirmed them.
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
        if self.session.state == State::NoSession {
            return;
        }
        let said = self.pilot_said();
        self.power.stop(self.now, SAFE_OPEN);
        let finished = self.session.stop.is_some_and(|stop| stop.reason.is_normal());
        // A connection without a message, or a refused one, is no session: cars open and close many.
        let silent =
            self.session.stop.is_none() && matches!(self.session.state, State::Handshake | State::Over);
        if self.session.stop.is_none() && !silent {
            let (by, cause) = said.unwrap_or((By::Network, closed.cause()));
            self.stop_for(by, cause, Status::Shutdown);
        }
        let none = Session {
            // The output may still be falling: the car's limits apply until the next session.
            car_limits: self.session.car_limits,
            ..Session::new(State::NoSession)
        };
        let ended = core::mem::replace(&mut self.session, none);
        if silent {
            return self.set_phase(if self.level == Some(Level::A) { Phase::Idle } else { Phase::Plugged });
        }
        if finished && ended.charged {
            self.forget_tries();
        }
        if finished {
            self.pilot.session_ended(self.now);
        } else {
            self.pilot.halt(self.now);
        }
        self.set_phase(Phase::Ended);
        self.authorised = None;
        if let Some(stop) = ended.stop {
            self.last_stop = Some(stop.reason);
            self.events.push(Event::Stopped(stop.reason));
        }
    }
}
