//! Stops: why, and what follows.

use machine::{Duration, TimerName};
use session::{By, Cause, Detail, Latch, StopReason};

use super::{Car, Timer};
use crate::order::State;
use crate::trouble::Trouble;
use crate::{Event, Operator, Time, Warning, wire};
use session::Exchange;

/// A charger is off so long after pilot B: 150 ms (IEC 61851-23 gives it 100 ms, from memory).
const SWITCHED_OFF: Duration = Duration::from_millis(150);

impl Car {
    /// Records why; the first reason stays, unless what comes later is worse.
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

    /// Does `work`; a stop that it causes says this.
    pub(super) fn about<R>(&mut self, about: Detail, work: impl FnOnce(&mut Self) -> R) -> R {
        let before = core::mem::replace(&mut self.about, about);
        let done = work(self);
        self.about = before;
        done
    }

    /// SAFE because of what supervision has found.
    pub(super) fn fault(&mut self, trouble: Trouble) {
        if let Some(latch) = trouble.latch {
            self.latch(latch);
        }
        let about = Detail { compared: trouble.compared, ..self.about };
        self.about(about, |car| car.make_safe(trouble.by, trouble.cause));
    }

    /// SAFE: pilot B now, contactors open below 1 A or after 2 s, nothing more is said.
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

    /// Pilot B now; the contactors rest so long before they open at the earliest. Where much current was
    /// asked for and the sensor shows none it may be the sensor that is wrong: they get the time in which any
    /// charger switches off.
    pub(super) fn power_down(&mut self, rest: Duration) {
        let is_doubted = self.supervision.doubts_current(self.now);
        let least = if is_doubted { SWITCHED_OFF } else { Duration::ZERO };
        self.power.stop(self.now, rest.max(least), &self.plant);
    }

    /// Ends the session by messages, in the order that the standard has for where it is.
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
        // One request at a time: what is asked is answered first.
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
            // The charger answers, but never what is waited for: that ends in order.
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

/// This time is over.
fn timeout(time: Option<Time>) -> Cause {
    Cause::Timeout(time.map_or("", Time::name))
}
