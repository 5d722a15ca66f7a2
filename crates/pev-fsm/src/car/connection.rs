//! The TCP connection: a session begins and ends with it.

use session::{By, Cause, Closed, Phase};

use super::{Car, Session, Timer};
use crate::order::State;
use crate::{Dropped, Event, Precharge, Time, Warning};
use session::Exchange;

impl Car {
    pub(super) fn connected(&mut self) {
        if self.is_connected {
            self.closed(Closed::Rst);
            self.advance();
        }
        self.is_connected = true;
        self.close = false;
        if !self.may_begin() {
            self.events.push(Event::Dropped(Dropped::Connection));
            self.close = true;
            return;
        }
        self.session = Session::new(self.now, &self.config);
        self.supervision.begin();
        if self.config.precharge == Precharge::Reported {
            self.events.push(Event::Warning(Warning::PrechargeByReport));
        }
        if self.config.unlock_without_measurement {
            self.events.push(Event::Warning(Warning::UnlockWithoutMeasurement));
        }
        self.session.timers.set(Timer::Setup, self.now + self.config.time(Time::Setup));
        self.session.timers.set(Timer::ReadyToCharge, self.now + self.config.time(Time::ReadyToCharge));
        self.ask(Exchange::Handshake);
    }

    pub(super) fn link_lost(&mut self) {
        if self.session.state.is_on() {
            self.make_safe(By::Network, Cause::LinkLost);
        }
        self.closed(Closed::Timeout);
    }

    pub(super) fn closed(&mut self, closed: Closed) {
        if !self.is_connected {
            return;
        }
        self.is_connected = false;
        self.close = false;
        if self.session.state.is_on() {
            // After SessionStopReq a charger may close the connection without a response.
            if self.session.state == State::Asking(Exchange::SessionStop) {
                self.over();
            } else {
                self.make_safe(By::Network, closed.cause());
            }
            self.close = false;
        }
    }

    /// Ends the session once the connection is closed and the contactors are open.
    pub(super) fn finish(&mut self) {
        if self.session.state != State::Over || self.is_connected || !self.power.is_off() {
            return;
        }
        self.session.state = State::NoSession;
        self.set_phase(Phase::Ended);
        self.plug.session_ended(self.now);
        if let Some(stop) = self.session.stop.take() {
            self.last_stop = Some(stop);
            self.events.push(Event::Stopped(stop));
        }
    }
}
