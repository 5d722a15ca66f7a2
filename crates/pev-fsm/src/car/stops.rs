//! Stops: why, and what follows.

use machine::Duration;
use session::{By, Cause, StopReason};

use super::{Car, Step, Timer};
use crate::plug::Inlet;
use crate::request::Kind;
use crate::{Event, Latch, Operator, Warning};

impl Car {
    /// Records why; the first reason stays, unless that was an orderly end and what comes later is a fault.
    pub(super) fn stop_for(&mut self, by: By, cause: Cause) {
        let reason = StopReason::new(by, cause, self.phase);
        let replaces =
            self.stop.is_none_or(|stop| stop.is_normal() && !reason.is_normal() && cause != Cause::Unplugged);
        if replaces {
            self.stop = Some(reason);
            self.events.push(Event::Stopping(reason));
        }
    }

    /// SAFE: pilot B now, contactors open below 1 A or after 2 s, nothing more is said.
    pub(super) fn make_safe(&mut self, by: By, cause: Cause) {
        self.power.stop(self.now, Duration::ZERO, &self.plant);
        if self.is_in_session() {
            self.stop_for(by, cause);
            self.over();
            self.request = None;
        }
    }

    /// Nothing more is said: the connection is to be closed.
    pub(super) fn over(&mut self) {
        self.power.stop(self.now, Duration::ZERO, &self.plant);
        self.timers.clear_all();
        self.is_waiting = false;
        self.step = Step::Over;
        self.close = self.is_connected;
        if self.stop.is_none() {
            self.stop_for(By::Car, Cause::Finished);
        }
    }

    /// Ends the session by messages, in the order that the standard has for where it is.
    pub(super) fn stop_in_order(&mut self, by: By, cause: Cause) {
        if !self.is_in_session() {
            return;
        }
        self.stop_for(by, cause);
        let before_power = match self.step {
            Step::Asking(kind) => !self.was_powered && kind != Kind::SessionStop,
            Step::Locking | Step::Closing => true,
            Step::NoSession | Step::Opening | Step::Over => false,
        };
        if before_power {
            self.power.stop(self.now, Duration::ZERO, &self.plant);
        }
        // One request at a time: what is asked is answered first.
        if !self.is_waiting {
            self.follow_stop();
        }
    }

    /// The next step of an orderly end.
    pub(super) fn follow_stop(&mut self) {
        match self.step {
            Step::Asking(Kind::Handshake) => self.over(),
            Step::Asking(Kind::PowerOn | Kind::CurrentDemand) => self.ask(Kind::PowerOff),
            Step::Asking(Kind::PowerOff | Kind::WeldingDetection | Kind::SessionStop)
            | Step::NoSession
            | Step::Opening
            | Step::Over => {}
            Step::Asking(_) | Step::Locking | Step::Closing => {
                self.power.stop(self.now, Duration::ZERO, &self.plant);
                for timer in [Timer::Pace, Timer::Lock, Timer::Loop] {
                    self.timers.clear(timer);
                }
                self.step = Step::Opening;
                self.opened();
            }
        }
    }

    /// Goes on once the contactors are open: to the welding detection where there was power.
    pub(super) fn opened(&mut self) {
        if self.step == Step::Opening && self.power.is_off() {
            self.ask(if self.was_powered { Kind::WeldingDetection } else { Kind::SessionStop });
        }
    }

    pub(super) fn latch(&mut self, latch: Latch) {
        if self.latched < Some(latch) {
            self.latched = Some(latch);
            self.events.push(Event::Latched(latch));
        }
    }

    pub(super) fn emergency_stop(&mut self) {
        self.latch(Latch::EmergencyStop);
        self.make_safe(By::Operator, Cause::EmergencyStop);
    }

    pub(super) fn operator(&mut self, word: Operator) {
        match word {
            Operator::Stop => self.stop_in_order(By::Operator, Cause::OperatorStop),
            Operator::EmergencyStop => self.emergency_stop(),
            Operator::Reset => self.reset(),
        }
    }

    fn reset(&mut self) {
        let persists = match self.latched {
            Some(Latch::Contactors | Latch::VoltagePresent) => self.inlet() != Inlet::Dead,
            // A pressed button latches again by itself.
            Some(Latch::EmergencyStop | Latch::OutOfRange) | None => false,
        };
        if !persists {
            self.latched = None;
        }
    }

    pub(super) fn expired(&mut self, timer: Timer) {
        match (timer, self.step) {
            (Timer::Message, Step::Asking(kind)) => {
                self.is_waiting = false;
                self.request = None;
                self.trouble(kind, Cause::Timeout(kind.row().time.name()));
            }
            (Timer::Setup | Timer::ReadyToCharge, _) => {
                self.make_safe(By::Charger, Cause::Timeout(machine::TimerName::name(timer)));
            }
            // The charger answers, but never what is waited for: that ends in order.
            (Timer::Loop, _) => self.stop_in_order(By::Charger, Cause::Timeout(self.loop_name())),
            (Timer::Pace, Step::Asking(kind)) => self.ask(kind),
            (Timer::Lock, _) => self.make_safe(By::Car, Cause::Lock),
            (Timer::StopBy, _) => self.stop_in_order(By::Charger, Cause::ChargerStatus("StopCharging")),
            (Timer::NoDemand, _) => self.stop_in_order(By::Car, Cause::Finished),
            (Timer::NoCurrent, _) => self.events.push(Event::Warning(Warning::NoCurrent)),
            (Timer::Message | Timer::Pace, _) => {}
        }
    }
}
