//! Responses: the checks that come first, and what each kind does.

use session::{By, Cause, Checkpoint, Detail, Isolation, Limits, Status};

use super::{Car, Step, Timer};
use crate::din::{self, NoResponse};
use crate::policy;
use crate::request::{ChargerStatus, Content, Kind, Response};
use crate::supervision::is_isolation_bad;
use crate::{Dropped, Event, PAYLOAD_TYPE, Quirks, Time, Warning};

impl Car {
    pub(super) fn message(&mut self, payload_type: u16, payload: &[u8]) {
        let Step::Asking(kind) = self.session.step else {
            return self.events.push(Event::Dropped(Dropped::NotAsked));
        };
        // What has not been sent is not answered.
        if !self.session.is_waiting || self.session.request.is_some() {
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
        let about = self.said(&response);
        self.about(about, |car| car.response(kind, response));
    }

    /// What the charger says in this response, for a stop that it causes.
    fn said(&self, response: &Response) -> Detail {
        let [status, notification] = match response.content.status() {
            Some(status) => status.names.map(Some),
            None => [None, None],
        };
        // What it compares is its voltage with the target of the precharge.
        let is_low = response.is_failed && response.code == "FAILED_EVSEPresentVoltageToLow";
        let target =
            self.vehicle.map(|car| policy::precharge(&self.config, &car, &self.session.charger).voltage_mv);
        let compared =
            self.session.reported_mv.zip(target).filter(|_| is_low).map(|(found, limit)| session::Compared {
                what: "EVSEPresentVoltage",
                found,
                against: "the precharge's target",
                limit,
                unit: "V",
            });
        Detail { code: Some(response.code), status, notification, compared, ..Detail::default() }
    }

    fn response(&mut self, kind: Kind, response: Response) {
        if response.name != kind.row().response {
            return self.trouble(kind, Cause::OutOfOrder(response.name));
        }
        let opens = matches!(kind, Kind::Handshake | Kind::SessionSetup);
        if !opens && response.session_id != self.session.id {
            return self.trouble(kind, Cause::UnknownSession(response.name));
        }
        self.session.is_waiting = false;
        self.session.timers.clear(Timer::Message);
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
        let told = response.content.status();
        let is_emergency = told.is_some_and(|told| told.status == Status::EmergencyShutdown);
        let has_fault = told.is_some_and(|told| told.isolation == Some(Isolation::Fault));
        if is_emergency && !matches!(kind, Kind::WeldingDetection | Kind::SessionStop) {
            // Says more than the code.
            return self.make_safe(By::Charger, Cause::ChargerStatus(Status::EmergencyShutdown.name()));
        }
        match kind {
            Kind::WeldingDetection => self.welding_unanswered(),
            Kind::SessionStop => self.over(),
            Kind::PowerOff => {
                self.events.push(Event::Warning(Warning::Unanswered("PowerDeliveryReq")));
                self.power_is_off();
            }
            // Power that was not granted is not ended by a demand first.
            Kind::PowerOn if self.session.stop.is_some() => self.ask(Kind::PowerOff),
            _ if self.session.stop.is_some() => self.follow_stop(),
            Kind::Handshake => self.make_safe(By::Charger, Cause::NoCommonProtocol),
            Kind::Authentication => self.make_safe(By::Charger, Cause::NotAuthorised),
            _ if has_fault => self.make_safe(By::Charger, Cause::Isolation),
            _ => self.make_safe(By::Charger, Cause::FailedResponse(response.name)),
        }
    }

    fn take(&mut self, kind: Kind, response: Response) {
        let name = response.name;
        if let Content::SessionSetup { .. } = response.content {
            self.session.id = response.session_id;
            self.session.timers.clear(Timer::Setup);
        }
        match kind {
            Kind::PowerOn => self.session.timers.clear(Timer::ReadyToCharge),
            Kind::PowerOff => return self.power_is_off(),
            Kind::WeldingDetection => return self.welding(&response.content),
            Kind::SessionStop => return self.over(),
            _ => {}
        }
        if !self.heed(kind, response.content.status()) {
            return;
        }
        if self.session.stop.is_some() {
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
                (self.session.service_id, self.session.transfer) = (service_id, transfer);
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
        let is_tested = matches!(kind, Kind::PreCharge | Kind::PowerOn | Kind::CurrentDemand);
        let tolerant = !is_tested || self.config.quirks.contains(Quirks::INVALID_IN_LOOP);
        if told.status.is_unsafe() {
            self.make_safe(By::Charger, Cause::ChargerStatus(told.status.name()));
            return false;
        }
        if kind != Kind::ChargeParameter && is_isolation_bad(told.isolation, tolerant) {
            self.make_safe(By::Charger, Cause::Isolation);
            return false;
        }
        if is_tested && told.isolation == Some(Isolation::Measuring) {
            self.tell_isolation(Warning::Quirk("invalid-in-loop"));
        }
        if kind == Kind::CurrentDemand && told.isolation == Some(Isolation::Warning) {
            self.tell_isolation(Warning::IsolationLow);
        }
        // Somebody pressed its stop button, or its back end did: while it charges the status alone says so, too.
        let is_ordinary = kind == Kind::CurrentDemand || told.stop_within_s.is_some();
        let ends = match told.status {
            Status::Shutdown if is_ordinary => Some(Cause::StoppedAtCharger),
            Status::Shutdown | Status::UtilityInterrupt => Some(Cause::ChargerStatus(told.status.name())),
            _ if told.stop_within_s == Some(0) => Some(Cause::StoppedAtCharger),
            _ => None,
        };
        if let Some(cause) = ends {
            self.stop_in_order(By::Charger, cause);
            return false;
        }
        match told.stop_within_s {
            Some(delay_s) => {
                let delay = machine::Duration::from_secs(u64::from(delay_s));
                self.session.timers.start(Timer::StopBy, self.now + delay);
            }
            None => self.session.timers.clear(Timer::StopBy),
        }
        true
    }

    fn tell_isolation(&mut self, warning: Warning) {
        if !core::mem::replace(&mut self.session.isolation_told, true) {
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
        let Some(((_, limits), car)) = charger.zip(self.vehicle) else {
            return self.stop_in_order(By::Car, Cause::Refused(name));
        };
        if let Some(compared) = policy::misfit(&self.config, &car, &limits) {
            let about = Detail { compared: Some(compared), ..self.about };
            return self.about(about, |car| car.stop_in_order(By::Car, Cause::Refused(name)));
        }
        if self.is_live() {
            return self.make_safe(By::Charger, Cause::WeldSuspected);
        }
        self.session.charger = limits;
        self.session.timers.clear(Timer::Loop);
        self.power.make_ready();
        self.plug.hold();
        self.checkpoint(Checkpoint::PILOT_C);
        self.checkpoint(Checkpoint::LOCK_DRIVEN);
        self.session.step = Step::Locking;
        self.session.timers.set(Timer::Lock, self.now + self.config.time(Time::Lock));
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
        self.session.is_isolated = true;
        self.checkpoint(Checkpoint::CABLE_CHECK_FINISHED);
        self.ask(Kind::PreCharge);
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
