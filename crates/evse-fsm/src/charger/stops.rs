//! Stops: why, and what the car is told.

use control_pilot::Level;
use session::{By, Cause, Checkpoint, Latch, StopReason};

use super::{Charger, Stop, Timer};
use crate::power::SAFE_OPEN;
use crate::sequence::State;
use crate::{Event, Operator, Status};
use machine::TimerName;

impl Charger {
    /// Records why; the first reason stays, unless what comes later is about safety.
    pub(super) fn stop_for(&mut self, by: By, cause: Cause, status: Status) {
        let phase = self.phase;
        match &mut self.stop {
            Some(stop) if status.is_unsafe() && !stop.status.is_unsafe() => {
                stop.status = status;
                // An orderly stop that ends in a fault did not end in order; a plug that is pulled behind it
                // is no fault.
                if stop.reason.is_normal() && cause != Cause::Unplugged {
                    stop.reason = StopReason::new(by, cause, phase);
                    self.events.push(Event::Stopping(stop.reason));
                }
            }
            Some(_) => {}
            None => {
                let reason = StopReason::new(by, cause, phase);
                self.stop = Some(Stop { reason, status });
                self.events.push(Event::Stopping(reason));
                self.timers.set(Timer::Close, self.now + self.config.times.close_after_stop);
            }
        }
    }

    /// SAFE: 0 V and 0 A now, pilot steady, contactors open below 1 A or after 100 ms.
    pub(super) fn make_safe(&mut self, by: By, cause: Cause, status: Status) {
        self.power.stop(self.now, SAFE_OPEN);
        self.pilot.halt(self.now);
        if self.state != State::NoSession {
            self.stop_for(by, cause, status);
        }
    }

    pub(super) fn emergency_stop(&mut self) {
        if self.latched >= Some(Latch::EmergencyStop) && !self.power.is_energised() {
            return;
        }
        self.latch(Latch::EmergencyStop);
        self.make_safe(By::Operator, Cause::EmergencyStop, Status::EmergencyShutdown);
    }

    pub(super) fn operator(&mut self, word: Operator) {
        match word {
            Operator::Authorise(yes) => {
                self.authorised = Some(yes);
                if yes {
                    self.checkpoint(Checkpoint::USER_AUTHORISES);
                } else if self.state.is_authorised() {
                    self.orderly_stop(Cause::NotAuthorised);
                }
            }
            Operator::Stop => {
                // Otherwise a car that tries again would charge again.
                self.stopped = self.level != Some(Level::A);
                self.orderly_stop(Cause::OperatorStop);
            }
            Operator::EmergencyStop => self.emergency_stop(),
            Operator::Reset => {
                self.unlatch();
                self.stopped = false;
            }
            Operator::Latch(latch) => self.latch(latch),
            Operator::Available(yes) => {
                self.available = yes;
                if !yes && self.state != State::NoSession {
                    self.orderly_stop(Cause::OperatorStop);
                }
            }
            Operator::Retry if self.state == State::NoSession => self.pilot.halt(self.now),
            Operator::Retry => {}
        }
    }

    /// The car is asked to stop. While its contactors may be closed, or close, the voltage stays for a while: slow contacts
    /// would meet on nothing (DIN SPEC 70121: the car ends the session, then the voltage goes).
    pub(super) fn orderly_stop(&mut self, cause: Cause) {
        if self.state == State::NoSession {
            return;
        }
        self.stop_for(By::Operator, cause, Status::Shutdown);
        if self.power.is_at_car() {
            self.timers.set(Timer::StopGrace, self.now + self.config.times.stop_grace);
        } else {
            self.power.stop(self.now, self.config.times.power_off);
        }
    }

    pub(super) fn expired(&mut self, timer: Timer) {
        match timer {
            // A connection on which nothing was said: it goes, the pilot stays.
            Timer::Setup if self.state == State::Handshake => self.close = true,
            Timer::Close => self.close = true,
            // The car does not follow: the charger takes the current down itself.
            Timer::StopGrace => self.power.stop(self.now, self.config.times.power_off),
            // The car is there and asks in order: its next request is refused by this cause, then the session ends.
            Timer::Authorisation | Timer::CableCheck | Timer::PreCharge => {
                self.make_safe(By::Charger, Cause::Timeout(timer.name()), Status::Malfunction);
            }
            Timer::Setup | Timer::Sequence | Timer::Welding => {
                self.make_safe(By::Charger, Cause::Timeout(timer.name()), Status::Malfunction);
                self.state = State::StopOnly;
                self.close = true;
            }
        }
    }
}
