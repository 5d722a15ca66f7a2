//! The precharge, until the contactors close.

use session::{By, Cause, Checkpoint, Detail, fresh};

use super::{Car, Timer};
use crate::order::State;
use crate::policy::{self, Compared};
use crate::settle::SEEN;
use crate::{Event, Precharge, Protection, Sensors, Time, Warning};
use session::Exchange;

impl Car {
    pub(super) fn precharge(&mut self, name: &'static str, present_mv: i32) {
        if !policy::is_voltage(present_mv) {
            return self.fault(policy::implausible(name, "EVSEPresentVoltage", present_mv, "V"));
        }
        self.session.present_mv = Some(present_mv);
        let load = self.vehicle.and_then(|car| policy::load_mv(&self.config, &car));
        let Some(load_mv) = load.filter(|mv| *mv > self.session.charger.min_voltage_mv) else {
            return self.precharge_ends(load, "EVSEMinimumVoltageLimit", self.session.charger.min_voltage_mv);
        };
        // Once the contactors are closed this would be an over-voltage.
        let own_mv = self.vehicle.map_or(i32::MAX, |car| car.limits.max_voltage_mv);
        if load_mv > Protection::most_mv(own_mv) {
            return self.precharge_ends(load, "the battery's newest limit", own_mv);
        }
        self.checkpoint(Checkpoint::VOLTAGE_COMPARED);
        match policy::compare(self.now, &self.plant, &self.config, load_mv, present_mv) {
            Compared::Near => {
                self.session.closes_from = Some(self.now + SEEN);
                if self.config.precharge == Precharge::Reported {
                    let difference_mv = present_mv.saturating_sub(load_mv);
                    self.session.settling.take(self.now, difference_mv, self.config.tolerance_mv);
                    self.session.closes_from = Some(self.now);
                }
                // The voltage may settle before the next request is due.
                self.pause(Time::PreChargePace);
                return self.close_if_settled();
            }
            Compared::Far => {}
            Compared::Disagree => {
                self.session.settling.begin();
                if !core::mem::replace(&mut self.session.disagreement_told, true) {
                    self.events.push(Event::Warning(Warning::Disagreement));
                }
            }
        }
        self.checkpoint(Checkpoint::PRE_CHARGE_REPEATED);
        self.again();
    }

    /// No current can flow at the battery's voltage: the session ends normally.
    fn precharge_ends(&mut self, battery_mv: Option<i32>, against: &'static str, limit: i32) {
        let found = battery_mv.unwrap_or(0);
        let compared = session::Compared { what: "battery voltage", found, against, limit, unit: "V" };
        let about = Detail { compared: Some(compared), ..self.about };
        self.about(about, |car| car.stop_in_order(By::Car, Cause::VoltageOff));
    }

    /// Updates the settling of the inlet voltage during the precharge.
    pub(super) fn settle(&mut self) {
        if self.session.state != State::Asking(Exchange::PreCharge)
            || self.config.precharge == Precharge::Reported
        {
            return;
        }
        let load = self.vehicle.and_then(|car| policy::load_mv(&self.config, &car));
        if let (Some(inlet), Some(load_mv)) = (self.plant.inlet_mv, load) {
            let difference_mv = inlet.value.saturating_sub(load_mv);
            self.session.settling.take(inlet.at, difference_mv, self.config.tolerance_mv);
        } else {
            self.session.settling.begin();
        }
        self.close_if_settled();
    }

    fn close_if_settled(&mut self) {
        let is_asked = self.session.state == State::Asking(Exchange::PreCharge) && !self.session.is_waiting;
        let Some(least) = self.session.closes_from.filter(|_| is_asked && self.session.stop.is_none()) else {
            return;
        };
        if self.session.settling.is_settled(least, self.config.tolerance_mv) {
            self.done();
        }
    }

    /// The only place where the contactors are commanded to close. The voltage has settled; every other
    /// condition must hold as well. A condition that fails is either a bounce or found by supervision.
    pub(super) fn close_contactors(&mut self) {
        let is_locked = fresh(self.plant.lock, self.now) == Some(true);
        let has_feedback = self.config.sensors.contains(Sensors::CONTACTORS);
        let is_open = !has_feedback || fresh(self.plant.contactors, self.now) == Some(false);
        if !self.session.is_isolated || !is_locked || !is_open || self.supervision.is_doubted() {
            return;
        }
        self.session.timers.clear(Timer::Loop);
        self.session.timers.clear(Timer::Pace);
        self.checkpoint(Checkpoint::CONTACTORS_CLOSE);
        self.session.state = State::Closing;
        self.power.close(self.now);
    }
}
