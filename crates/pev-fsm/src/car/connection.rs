//! The connection: a session begins and ends with it.

use session::{By, Cause, Closed, Limits, Phase};

use super::{Car, Step, Timer};
use crate::policy::Ramp;
use crate::request::Kind;
use crate::{Dropped, Event, Precharge, Time, Warning};

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
        self.forget();
        if self.config.precharge == Precharge::Reported {
            self.events.push(Event::Warning(Warning::PrechargeByReport));
        }
        if self.config.unlock_without_measurement {
            self.events.push(Event::Warning(Warning::UnlockWithoutMeasurement));
        }
        self.timers.set(Timer::Setup, self.now + self.config.time(Time::Setup));
        self.timers.set(Timer::ReadyToCharge, self.now + self.config.time(Time::ReadyToCharge));
        self.ask(Kind::Handshake);
    }

    /// What the last session left behind.
    fn forget(&mut self) {
        self.timers.clear_all();
        self.session_id.clear();
        // Zeros, of any length, mean "no session yet"; eight are what most cars send.
        let _ = self.session_id.resize(8, 0);
        self.service_id = 1;
        self.transfer = self.config.energy_transfer;
        self.charger = Limits::NONE;
        self.named_mv = i32::MAX;
        self.supervision.begin();
        self.settling.begin();
        self.reported_mv = None;
        self.ramp = Ramp::new(self.now);
        self.asked_ma = None;
        self.welding_rounds = 0;
        self.stop = None;
        (self.is_isolated, self.is_locked, self.was_powered) = (false, false, false);
        (self.isolation_told, self.disagreement_told, self.loop_told) = (false, false, false);
    }

    pub(super) fn link_lost(&mut self) {
        if self.is_in_session() {
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
        if self.is_in_session() {
            // After SessionStopReq a charger may close without a word.
            if self.step == Step::Asking(Kind::SessionStop) {
                self.over();
            } else {
                self.make_safe(By::Network, Cause::ConnectionLost(closed.name()));
            }
            self.close = false;
        }
    }

    /// Ends the session where nothing of it is left: connection closed, contactors open.
    pub(super) fn finish(&mut self) {
        if self.step != Step::Over || self.is_connected || !self.power.is_off() {
            return;
        }
        self.step = Step::NoSession;
        self.set_phase(Phase::Ended);
        self.plug.session_ended(self.now);
        if let Some(stop) = self.stop.take() {
            self.last_stop = Some(stop);
            self.events.push(Event::Stopped(stop));
        }
    }

    /// Whether messages may still be said.
    pub(super) fn is_in_session(&self) -> bool {
        !matches!(self.step, Step::NoSession | Step::Over)
    }
}
