//! Stops: their reason and their steps.

use machine::{Duration, TimerName};
use session::{By, Cause, Detail, Latch, StopReason};

use super::{Car, Timer};
use crate::order::State;
use crate::trouble::Trouble;
use crate::{Event, Operator, Time, Warning, wire};
use session::Exchange;

/// A charger has switched off this long after pilot B: 150 ms (IEC 61851-23 has 100 ms, from memory).
const SWITCHED_OFF: Duration = Duration::from_millis(150);

impl Car {
    /// Records the reason; a later one replaces it only if it is worse.
    pub(super) fn stop_for(&mut self, by: By, cause: Cause) {
        let mut about = self.about;
        if let Cause::CarError(number) = cause {
            about.error = Some(wire::error_name(self.session.protocol, number));
        }
        let reason = StopReason::new(by, cause, self.phase).with(about);
        if self.session.stop.is_none_or(|told| reason.replaces(told)) {
            self.session.stop = Some(reason);
            self.events.push(Event::Stopping(reason));
        }
    }

    /// Runs `work` with these details for a stop that it causes.
    pub(super) fn about<R>(&mut self, about: Detail, work: impl FnOnce(&mut Self) -> R) -> R {
        let before = core::mem::replace(&mut self.about, about);
        let done = work(self);
        self.about = before;
        done
    }

    /// Makes the outputs SAFE because of a fault that supervision has found.
    pub(super) fn fault(&mut self, trouble: Trouble) {
        if let Some(latch) = trouble.latch {
            self.latch(latch);
        }
        let about = Detail { compared: trouble.compared, ..self.about };
        self.about(about, |car| car.make_safe(trouble.by, trouble.cause));
    }

    /// Makes the outputs SAFE: pilot B now, contactors open below 1 A or after 2 s, no more messages.
    pub(super) fn make_safe(&mut self, by: By, cause: Cause) {
        self.power_down(Duration::ZERO);
        if self.session.state.is_on() {
            self.stop_for(by, cause);
            self.over();
            self.session.request = None;
        } else if self.session.stop.is_some() {
            self.stop_for(by, cause);
        }
    }

    /// Sets pilot B; the contactors stay closed for at least `rest`. Where much current was requested and the
    /// sensor shows none, the sensor may be wrong: they then stay closed for the time in which every charger
    /// switches off.
    pub(super) fn power_down(&mut self, rest: Duration) {
        let is_doubted = self.supervision.doubts_current(self.now);
        let least = if is_doubted { SWITCHED_OFF } else { Duration::ZERO };
        self.power.stop(self.now, rest.max(least), &self.plant);
    }

    /// Ends the session by messages, in the order of the protocol from the current state.
    pub(super) fn stop_in_order(&mut self, by: By, cause: Cause) {
        if !self.session.state.is_on() {
            return;
        }
        self.stop_for(by, cause);
        let before_power = match self.session.state {
            State::Asking(exchange) => !self.session.was_powered && exchange != Exchange::SessionStop,
            State::Locking | State::Closing => true,
            State::NoSession | State::Granted | State::Opening { .. } | State::Over => false,
        };
        if before_power {
            self.power_down(Duration::ZERO);
        }
        // One request at a time: the pending one is answered first.
        if !self.session.is_waiting {
            self.follow_stop();
        }
    }

    pub(super) fn emergency_stop(&mut self) {
        self.latch(Latch::EmergencyStop);
        self.make_safe(By::Operator, Cause::EmergencyStop);
    }

    pub(super) fn operator(&mut self, word: Operator) {
        match word {
            Operator::Stop => {
                self.keep_stop(true);
                self.stop_in_order(By::Operator, Cause::OperatorStop);
            }
            Operator::Start => self.keep_stop(false),
            Operator::EmergencyStop => self.emergency_stop(),
            Operator::Reset => self.reset(),
            Operator::Latch(latch) => self.latch(latch),
        }
    }

    pub(super) fn expired(&mut self, timer: Timer) {
        match (timer, self.session.state) {
            (Timer::Message, State::Asking(exchange)) => {
                self.session.is_waiting = false;
                self.session.request = None;
                self.trouble(exchange, timeout(exchange.row().response_time));
            }
            (Timer::Setup | Timer::ReadyToCharge, _) => {
                self.make_safe(By::Charger, Cause::Timeout(timer.name()));
            }
            // The charger responds, but never finishes: a normal end.
            (Timer::Loop, State::Asking(exchange)) => {
                self.stop_in_order(By::Charger, timeout(exchange.row().loop_time));
            }
            (Timer::Pace, State::Asking(exchange)) => self.ask(exchange),
            (Timer::Pace, State::Granted) => self.done(),
            (Timer::Lock, _) => self.make_safe(By::Car, Cause::Lock),
            (Timer::StopBy, _) => self.stop_in_order(By::Charger, Cause::StoppedAtCharger),
            (Timer::NoDemand, _) => self.stop_in_order(By::Car, Cause::Finished),
            (Timer::NoCurrent, _) => self.events.push(Event::Warning(Warning::NoCurrent)),
            (Timer::Message | Timer::Loop | Timer::Pace, _) => {}
        }
    }
}

/// The cause for the expiry of this time.
fn timeout(time: Option<Time>) -> Cause {
    Cause::Timeout(time.map_or("", Time::name))
}
