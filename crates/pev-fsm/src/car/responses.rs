//! Responses: the checks that come first, and what each kind does.

use session::{By, Cause, Checkpoint, DEAD_MV, Isolation, Limits, Status, Target, fresh};

use super::{Car, Step, Timer};
use crate::din::{self, NoResponse};
use crate::policy::{self, Compared};
use crate::request::{ChargerStatus, Content, Kind, Response};
use crate::settle::SEEN;
use crate::supervision::is_isolation_bad;
use crate::{Dropped, Event, PAYLOAD_TYPE, Precharge, Quirks, Sensors, Time, Warning};

/// Rounds of `WeldingDetection` at most: 10 (clara).
const WELDING_ROUNDS: u8 = 10;
/// No current for so long although it was asked for is told: 60 s (fault list).
const NO_CURRENT: machine::Duration = machine::Duration::from_secs(60);
/// What counts as current, in mA: judgement.
const SOME_CURRENT_MA: i32 = 500;

impl Car {
    pub(super) fn message(&mut self, payload_type: u16, payload: &[u8]) {
        let Step::Asking(kind) = self.step else {
            return self.events.push(Event::Dropped(Dropped::NotAsked));
        };
        // What has not been sent is not answered.
        if !self.is_waiting || self.request.is_some() {
            return self.events.push(Event::Dropped(Dropped::NotAsked));
        }
        if payload_type != PAYLOAD_TYPE {
            return self.events.push(Event::Dropped(Dropped::PayloadType(payload_type)));
        }
        let read = if kind == Kind::Handshake { din::handshake(payload) } else { din::response(payload) };
        let response = match read {
            Ok(response) => response,
            Err(NoResponse::Undecodable { bit }) => {
                self.events.push(Event::Dropped(Dropped::Undecodable { bit }));
                return self.trouble(kind, Cause::Undecodable);
            }
            Err(NoResponse::NotAResponse(name)) => return self.trouble(kind, Cause::OutOfOrder(name)),
        };
        self.tell_response(kind, &response);
        if response.name != kind.row().response {
            return self.trouble(kind, Cause::OutOfOrder(response.name));
        }
        let opens = matches!(kind, Kind::Handshake | Kind::SessionSetup);
        if !opens && response.session_id != self.session_id {
            return self.trouble(kind, Cause::UnknownSession(response.name));
        }
        self.is_waiting = false;
        self.timers.clear(Timer::Message);
        if response.is_failed { self.failed(kind, &response) } else { self.take(kind, response) }
    }

    /// No good answer: while the session is being ended that must not block the end.
    pub(super) fn trouble(&mut self, kind: Kind, cause: Cause) {
        match kind {
            Kind::WeldingDetection => self.welding_unanswered(),
            Kind::SessionStop => {
                self.events.push(Event::Warning(Warning::Unanswered("SessionStopReq")));
                self.over();
            }
            _ => self.make_safe(By::Charger, cause),
        }
    }

    fn failed(&mut self, kind: Kind, response: &Response) {
        match kind {
            Kind::WeldingDetection => self.welding_unanswered(),
            Kind::SessionStop => self.over(),
            Kind::PowerOff => {
                self.events.push(Event::Warning(Warning::Unanswered("PowerDeliveryReq")));
                self.power_is_off();
            }
            _ if self.stop.is_some() => self.follow_stop(),
            Kind::Handshake => self.make_safe(By::Charger, Cause::NoCommonProtocol),
            Kind::Authentication => self.make_safe(By::Charger, Cause::NotAuthorised),
            _ => self.make_safe(By::Charger, Cause::FailedResponse(response.name)),
        }
    }

    fn take(&mut self, kind: Kind, response: Response) {
        let name = response.name;
        if let Content::SessionSetup { .. } = response.content {
            self.session_id = response.session_id;
            self.timers.clear(Timer::Setup);
        }
        match kind {
            Kind::PowerOn => self.timers.clear(Timer::ReadyToCharge),
            Kind::PowerOff => return self.power_is_off(),
            Kind::WeldingDetection => return self.welding(&response.content),
            Kind::SessionStop => return self.over(),
            _ => {}
        }
        if !self.heed(kind, response.content.status()) {
            return;
        }
        if self.stop.is_some() {
            return self.follow_stop();
        }
        match (kind, response.content) {
            (Kind::Handshake, Content::Handshake { schema_id }) => {
                self.handshake(agreed(schema_id, self.config.schema_id, din::OFFERED));
            }
            (Kind::SessionSetup, Content::SessionSetup { is_new }) => self.session_setup(name, is_new),
            (Kind::ServiceDiscovery, Content::ServiceDiscovery { service_id, offers, external }) => {
                let transfer = policy::transfer(self.config.energy_transfer, offers);
                let Some(transfer) = transfer.filter(|_| external) else {
                    return self.stop_in_order(By::Car, Cause::Refused(name));
                };
                (self.service_id, self.transfer) = (service_id, transfer);
                self.ask(Kind::PaymentSelection);
            }
            (Kind::PaymentSelection, _) => self.ask(Kind::Authentication),
            (Kind::Authentication, Content::Authentication { finished }) => {
                if finished {
                    self.checkpoint(Checkpoint::AUTHENTICATION_FINISHED);
                    self.ask(Kind::ChargeParameter);
                } else {
                    self.ask_later(kind, Time::Pace);
                }
            }
            (Kind::ChargeParameter, Content::ChargeParameter { finished, charger }) => {
                self.charge_parameter(name, finished, charger);
            }
            (Kind::CableCheck, Content::CableCheck { finished, status }) => {
                self.cable_check(finished, status);
            }
            (Kind::PreCharge, Content::Voltage { present_mv, .. }) => self.precharge(name, present_mv),
            (Kind::PowerOn, _) => self.ask_later(Kind::CurrentDemand, Time::DemandPace),
            (Kind::CurrentDemand, Content::CurrentDemand { present, limits, .. }) => {
                self.current_demand(name, present, limits);
            }
            // The name was compared: its content is of this kind.
            _ => self.make_safe(By::Charger, Cause::OutOfOrder(name)),
        }
    }

    /// Heeds the charger's status; `false` where that has ended the use of the answer.
    fn heed(&mut self, kind: Kind, status: Option<ChargerStatus>) -> bool {
        let Some(told) = status else { return true };
        let behind_test = matches!(kind, Kind::PreCharge | Kind::PowerOn | Kind::CurrentDemand);
        let tolerant = !behind_test || self.config.quirks.contains(Quirks::INVALID_IN_LOOP);
        if told.status.is_unsafe() {
            self.make_safe(By::Charger, Cause::ChargerStatus(told.status.name()));
            return false;
        }
        if kind != Kind::ChargeParameter && is_isolation_bad(told.isolation, tolerant) {
            self.make_safe(By::Charger, Cause::Isolation);
            return false;
        }
        if behind_test && told.isolation == Some(Isolation::Measuring) {
            self.tell_isolation(Warning::Quirk("invalid-in-loop"));
        }
        if kind == Kind::CurrentDemand && told.isolation == Some(Isolation::Warning) {
            self.tell_isolation(Warning::IsolationLow);
        }
        if matches!(told.status, Status::Shutdown | Status::UtilityInterrupt) {
            self.stop_in_order(By::Charger, Cause::ChargerStatus(told.status.name()));
            return false;
        }
        match told.stop_within_s {
            Some(0) => {
                self.stop_in_order(By::Charger, Cause::ChargerStatus("StopCharging"));
                return false;
            }
            Some(delay_s) => {
                let delay = machine::Duration::from_secs(u64::from(delay_s));
                self.timers.start(Timer::StopBy, self.now + delay);
            }
            None => self.timers.clear(Timer::StopBy),
        }
        true
    }

    fn tell_isolation(&mut self, warning: Warning) {
        if !core::mem::replace(&mut self.isolation_told, true) {
            self.events.push(Event::Warning(warning));
        }
    }

    fn handshake(&mut self, agreed: Agreed) {
        match agreed {
            Agreed::ByNumber => {}
            Agreed::ByLack if self.config.quirks.contains(Quirks::NO_SCHEMA_ID) => {
                self.events.push(Event::Warning(Warning::Quirk("no-schema-id")));
            }
            Agreed::ByLack | Agreed::Not => return self.make_safe(By::Charger, Cause::NoCommonProtocol),
        }
        self.ask(Kind::SessionSetup);
    }

    fn session_setup(&mut self, name: &'static str, is_new: bool) {
        if !is_new {
            if !self.config.quirks.contains(Quirks::PLAIN_OK) {
                return self.stop_in_order(By::Car, Cause::Refused(name));
            }
            self.events.push(Event::Warning(Warning::Quirk("plain-ok")));
        }
        self.ask(Kind::ServiceDiscovery);
    }

    fn charge_parameter(
        &mut self,
        name: &'static str,
        finished: bool,
        charger: Option<(ChargerStatus, Limits)>,
    ) {
        if !finished {
            return self.ask_later(Kind::ChargeParameter, Time::Pace);
        }
        let limits = charger.map(|(_, limits)| limits);
        let fitting = limits.zip(self.vehicle);
        let fitting = fitting.filter(|(limits, car)| policy::fits(&self.config, car, limits));
        let Some((limits, _)) = fitting else {
            return self.stop_in_order(By::Car, Cause::Refused(name));
        };
        if self.is_live() {
            return self.make_safe(By::Charger, Cause::WeldSuspected);
        }
        self.charger = limits;
        self.timers.clear(Timer::Loop);
        self.power.make_ready();
        self.plug.hold();
        self.checkpoint(Checkpoint::PILOT_C);
        self.checkpoint(Checkpoint::LOCK_DRIVEN);
        self.step = Step::Locking;
        self.timers.set(Timer::Lock, self.now + self.config.time(Time::Lock));
    }

    fn cable_check(&mut self, finished: bool, status: ChargerStatus) {
        if !finished {
            return self.ask_later(Kind::CableCheck, Time::Pace);
        }
        match status.isolation {
            Some(Isolation::Valid | Isolation::Warning) => {}
            None if self.config.quirks.contains(Quirks::UNTOLD_ISOLATION) => {
                self.events.push(Event::Warning(Warning::Quirk("untold-isolation")));
            }
            Some(Isolation::Measuring | Isolation::Fault) | None => {
                return self.make_safe(By::Charger, Cause::Isolation);
            }
        }
        if status.status != Status::Ready {
            if !self.config.quirks.contains(Quirks::NOT_READY_FINISHED) {
                return self.make_safe(By::Charger, Cause::ChargerStatus(status.status.name()));
            }
            self.events.push(Event::Warning(Warning::Quirk("not-ready-finished")));
        }
        self.is_isolated = true;
        self.checkpoint(Checkpoint::CABLE_CHECK_FINISHED);
        self.ask(Kind::PreCharge);
    }

    fn precharge(&mut self, name: &'static str, present_mv: i32) {
        if !policy::is_voltage(present_mv) {
            return self.make_safe(By::Charger, Cause::Refused(name));
        }
        self.reported_mv = Some(present_mv);
        let reference = self.vehicle.and_then(|car| policy::reference_mv(&self.config, &car));
        let Some(reference_mv) = reference.filter(|mv| *mv > self.charger.min_voltage_mv) else {
            return self.stop_in_order(By::Car, Cause::VoltageOff);
        };
        self.checkpoint(Checkpoint::VOLTAGE_COMPARED);
        match policy::compare(self.now, &self.plant, &self.config, reference_mv, present_mv) {
            Compared::Near => {
                self.closes_from = Some(self.now + SEEN);
                if self.config.precharge == Precharge::Reported {
                    let difference_mv = present_mv.saturating_sub(reference_mv);
                    self.settling.take(self.now, difference_mv, self.config.tolerance_mv);
                    self.closes_from = Some(self.now);
                }
                // It may settle before the next request would go out.
                self.ask_later(Kind::PreCharge, Time::PreChargePace);
                return self.close_if_settled();
            }
            Compared::Far => {}
            Compared::Disagree => {
                self.settling.begin();
                if !core::mem::replace(&mut self.disagreement_told, true) {
                    self.events.push(Event::Warning(Warning::Disagreement));
                }
            }
        }
        self.checkpoint(Checkpoint::PRE_CHARGE_REPEATED);
        self.ask_later(Kind::PreCharge, Time::Pace);
    }

    /// Follows the inlet during the precharge.
    pub(super) fn settle(&mut self) {
        if self.step != Step::Asking(Kind::PreCharge) || self.config.precharge == Precharge::Reported {
            return;
        }
        let reference = self.vehicle.and_then(|car| policy::reference_mv(&self.config, &car));
        if let (Some(inlet), Some(reference_mv)) = (self.plant.inlet_mv, reference) {
            let difference_mv = inlet.value.saturating_sub(reference_mv);
            self.settling.take(inlet.at, difference_mv, self.config.tolerance_mv);
        } else {
            self.settling.begin();
        }
        self.close_if_settled();
    }

    fn close_if_settled(&mut self) {
        let is_asked = self.step == Step::Asking(Kind::PreCharge) && !self.is_waiting;
        let Some(least) = self.closes_from.filter(|_| is_asked && self.stop.is_none()) else { return };
        if self.settling.is_settled(least, self.config.tolerance_mv) {
            self.close_contactors();
        }
    }

    /// The only place where the contactors are told to close: the voltage has settled, and all else must be right, too.
    fn close_contactors(&mut self) {
        if !self.is_isolated || fresh(self.plant.lock, self.now) != Some(true) {
            return self.make_safe(By::Car, Cause::Lock);
        }
        let has_feedback = self.config.sensors.contains(Sensors::CONTACTORS);
        if has_feedback && fresh(self.plant.contactors, self.now) != Some(false) {
            return self.make_safe(By::Car, Cause::Contactor);
        }
        self.timers.clear(Timer::Loop);
        self.timers.clear(Timer::Pace);
        self.checkpoint(Checkpoint::CONTACTORS_CLOSE);
        self.step = Step::Closing;
        self.power.close(self.now);
    }

    fn current_demand(&mut self, name: &'static str, present: Target, limits: Limits) {
        let plausible = policy::is_voltage(present.voltage_mv)
            && policy::is_current(present.current_ma)
            && policy::are_limits(&limits);
        if !plausible {
            return self.make_safe(By::Charger, Cause::Refused(name));
        }
        self.reported_mv = Some(present.voltage_mv);
        // What the newest response leaves out stays as it was.
        let newest = |new: i32, old: i32| if new == i32::MAX { old } else { new };
        self.charger.max_voltage_mv = newest(limits.max_voltage_mv, self.charger.max_voltage_mv);
        self.charger.max_current_ma = newest(limits.max_current_ma, self.charger.max_current_ma);
        self.charger.max_power_w = newest(limits.max_power_w, self.charger.max_power_w);
        if let Precharge::Compared { limit_mv } = self.config.precharge {
            let found = self.supervision.reported(self.now, &self.plant, present.voltage_mv, limit_mv);
            if let Some((by, cause)) = found {
                return self.make_safe(by, cause);
            }
        }
        let is_asked = self.asked_ma.is_some_and(|ma| ma >= 2 * SOME_CURRENT_MA);
        if is_asked && present.current_ma < SOME_CURRENT_MA {
            self.timers.start(Timer::NoCurrent, self.now + NO_CURRENT);
        } else {
            self.timers.clear(Timer::NoCurrent);
        }
        if !core::mem::replace(&mut self.loop_told, true) {
            self.checkpoint(Checkpoint::CURRENT_DEMAND_LOOP);
        }
        self.ask_later(Kind::CurrentDemand, Time::DemandPace);
    }

    /// `PowerDelivery(false)` was answered: pilot B, and the contactors open when the current is gone.
    fn power_is_off(&mut self) {
        self.power.stop(self.now, self.config.time(Time::Rest), &self.plant);
        self.checkpoint(Checkpoint::PILOT_BACK_TO_B);
        self.step = Step::Opening;
    }

    fn welding(&mut self, content: &Content) {
        let Content::Voltage { present_mv, .. } = content else { return self.welding_unanswered() };
        self.reported_mv = Some(*present_mv);
        let measured = fresh(self.plant.inlet_mv, self.now).unwrap_or(*present_mv);
        self.welding_rounds = self.welding_rounds.saturating_add(1);
        if measured.saturating_abs() < DEAD_MV {
            self.ask(Kind::SessionStop);
        } else if self.welding_rounds >= WELDING_ROUNDS {
            self.events.push(Event::Warning(Warning::WeldSuspected));
            self.ask(Kind::SessionStop);
        } else {
            self.ask_later(Kind::WeldingDetection, Time::Pace);
        }
    }

    /// The end goes on; the lock looks at the inlet itself.
    fn welding_unanswered(&mut self) {
        self.events.push(Event::Warning(Warning::Unanswered("WeldingDetectionReq")));
        self.ask(Kind::SessionStop);
    }
}

/// Whether a handshake answer that agrees means the protocol that is spoken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Agreed {
    /// It names its number.
    ByNumber,
    /// It names none, and only one was offered.
    ByLack,
    /// It names another one, or which of several is not known.
    Not,
}

fn agreed(named: Option<u8>, own: u8, offered: usize) -> Agreed {
    match named {
        Some(number) if number == own => Agreed::ByNumber,
        None if offered == 1 => Agreed::ByLack,
        Some(_) | None => Agreed::Not,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_without_a_number_agrees_only_where_one_protocol_was_offered() {
        let table = [
            (Some(1), 1, Agreed::ByNumber),
            (Some(1), 2, Agreed::ByNumber),
            (Some(2), 1, Agreed::Not),
            (None, 1, Agreed::ByLack),
            (None, 2, Agreed::Not),
            (None, 0, Agreed::Not),
        ];
        for (named, offered, expected) in table {
            assert_eq!(agreed(named, 1, offered), expected, "{named:?} of {offered}");
        }
    }
}
