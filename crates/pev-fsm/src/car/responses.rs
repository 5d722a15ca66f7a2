//! Responses: the checks that come first, then what each exchange does.

use session::{By, Cause, Checkpoint, Detail, Exchange, Isolation, Limits, Status};

use super::{Car, Timer};
use crate::handshake::{self, Taken};
use crate::order::State;
use crate::policy;
use crate::request::{ChargerStatus, Content, Refusal, Response};
use crate::supervision::is_isolation_bad;
use crate::wire::{self, NoResponse};
use crate::{Dropped, Event, Quirks, Warning};

impl Car {
    pub(super) fn message(&mut self, payload_type: u16, payload: &[u8]) {
        let State::Asking(exchange) = self.session.state else {
            return self.events.push(Event::Dropped(Dropped::NotAsked));
        };
        // Until the request has been fetched it cannot have a response.
        if !self.session.is_waiting || self.session.request.is_some() {
            return self.events.push(Event::Dropped(Dropped::NotAsked));
        }
        let response = match wire::decode(self.session.protocol, exchange, payload_type, payload) {
            Ok(response) => response,
            Err(NoResponse::PayloadType(payload_type)) => {
                return self.events.push(Event::Dropped(Dropped::PayloadType(payload_type)));
            }
            Err(NoResponse::Undecodable { bit }) => {
                self.events.push(Event::Dropped(Dropped::Undecodable { bit }));
                return self.trouble(exchange, Cause::Undecodable);
            }
            Err(NoResponse::NotAResponse(name)) => return self.trouble(exchange, Cause::OutOfOrder(name)),
        };
        self.tell_response(exchange, &response);
        let about = self.said(&response);
        self.about(about, |car| car.response(exchange, response));
    }

    /// What the charger reports in this response, as details of a stop that it causes.
    fn said(&self, response: &Response) -> Detail {
        let [status, notification] = match response.content.status() {
            Some(status) => status.names.map(Some),
            None => [None, None],
        };
        // The charger compares its own voltage with the target of the precharge.
        let is_low = response.refusal == Some(Refusal::PresentVoltageTooLow);
        let target = self
            .vehicle
            .map(|car| policy::precharge_target(&self.config, &car, &self.session.charger).voltage_mv);
        let compared =
            self.session.present_mv.zip(target).filter(|_| is_low).map(|(found, limit)| session::Compared {
                what: "EVSEPresentVoltage",
                found,
                against: "the precharge's target",
                limit,
                unit: "V",
            });
        Detail { code: Some(response.code), status, notification, compared, ..Detail::default() }
    }

    fn response(&mut self, exchange: Exchange, response: Response) {
        if response.name != self.names(exchange).response {
            return self.trouble(exchange, Cause::OutOfOrder(response.name));
        }
        let opens = matches!(exchange, Exchange::Handshake | Exchange::SessionSetup);
        if !opens && response.session_id != self.session.id {
            return self.trouble(exchange, Cause::UnknownSession(response.name));
        }
        self.session.is_waiting = false;
        self.session.timers.clear(Timer::Message);
        match response.refusal {
            Some(refusal) => self.refused(exchange, refusal, &response),
            None => self.take(exchange, response),
        }
    }

    /// The response is not acceptable. During a stop, in states where nothing may block the end, it counts as
    /// a refusal.
    pub(super) fn trouble(&mut self, exchange: Exchange, cause: Cause) {
        let row = self.row();
        if !row.must_end {
            return self.make_safe(By::Charger, cause);
        }
        self.events.push(Event::Warning(Warning::Unanswered(self.names(exchange).request)));
        self.go(row.refused);
    }

    fn refused(&mut self, exchange: Exchange, refusal: Refusal, response: &Response) {
        let row = self.row();
        let told = response.content.status();
        let is_emergency = told.is_some_and(|told| told.status == Status::EmergencyShutdown);
        if is_emergency && !row.must_end {
            // The status is more specific than the code.
            return self.make_safe(By::Charger, Cause::ChargerStatus(Status::EmergencyShutdown.name()));
        }
        if self.session.stop.is_some() {
            if matches!(exchange, Exchange::PowerOff | Exchange::WeldingDetection) {
                self.events.push(Event::Warning(Warning::Unanswered(self.names(exchange).request)));
            }
            return self.go(row.refused);
        }
        let has_fault = told.is_some_and(|told| told.isolation == Some(Isolation::Fault));
        let cause = match refusal {
            Refusal::NoCommonProtocol => Cause::NoCommonProtocol,
            Refusal::NotAuthorised => Cause::NotAuthorised,
            Refusal::PresentVoltageTooLow | Refusal::Other if has_fault => Cause::Isolation,
            Refusal::PresentVoltageTooLow | Refusal::Other => Cause::FailedResponse(response.name),
        };
        self.make_safe(By::Charger, cause);
    }

    fn take(&mut self, exchange: Exchange, response: Response) {
        let name = response.name;
        if let Content::SessionSetup { .. } = response.content {
            self.session.id = response.session_id;
            self.session.timers.clear(Timer::Setup);
        }
        // During a stop the charger's status changes nothing.
        match (exchange, &response.content) {
            (Exchange::PowerOn, _) => self.session.timers.clear(Timer::ReadyToCharge),
            (Exchange::WeldingDetection, Content::Voltage { present_mv, .. }) => {
                return self.welding(*present_mv);
            }
            (Exchange::PowerOff | Exchange::SessionStop, _) => return self.done(),
            _ => {}
        }
        if !self.apply_status(exchange, response.content.status()) {
            return;
        }
        if self.session.stop.is_some() {
            return self.follow_stop();
        }
        match (exchange, response.content) {
            (Exchange::Handshake, Content::Handshake { schema_id }) => self.handshake(schema_id),
            (Exchange::SessionSetup, Content::SessionSetup { is_new }) => self.session_setup(name, is_new),
            (Exchange::ServiceDiscovery, Content::ServiceDiscovery { service_id, offers, external }) => {
                let transfer = policy::transfer(self.config.energy_transfer, offers);
                let Some(transfer) = transfer.filter(|_| external) else {
                    return self.stop_in_order(By::Car, Cause::Refused(name));
                };
                (self.session.service_id, self.session.transfer) = (service_id, transfer);
                self.done();
            }
            (Exchange::Authorisation, Content::Authorisation { finished }) => {
                if finished {
                    self.checkpoint(Checkpoint::AUTHENTICATION_FINISHED);
                    self.done();
                } else {
                    self.again();
                }
            }
            (Exchange::ChargeParameters, Content::ChargeParameters { finished, charger }) => {
                self.charge_parameters(name, finished, charger);
            }
            (Exchange::CableCheck, Content::CableCheck { finished, status }) => {
                self.cable_check(finished, status);
            }
            (Exchange::PreCharge, Content::Voltage { present_mv, .. }) => self.precharge(name, present_mv),
            (Exchange::ServiceSelection | Exchange::PowerOn, _) => self.done(),
            (Exchange::CurrentDemand, Content::CurrentDemand { present, limits, .. }) => {
                self.current_demand(name, present, limits);
            }
            // The name was compared: the content always has this kind.
            _ => self.make_safe(By::Charger, Cause::OutOfOrder(name)),
        }
    }

    /// Applies the charger's status; `false` if it has ended the session.
    fn apply_status(&mut self, exchange: Exchange, status: Option<ChargerStatus>) -> bool {
        let Some(told) = status else { return true };
        let is_tested = matches!(exchange, Exchange::PreCharge | Exchange::PowerOn | Exchange::CurrentDemand);
        let tolerant = !is_tested || self.config.quirks.contains(Quirks::INVALID_IN_LOOP);
        if told.status.is_unsafe() {
            self.make_safe(By::Charger, Cause::ChargerStatus(told.status.name()));
            return false;
        }
        if exchange != Exchange::ChargeParameters && is_isolation_bad(told.isolation, tolerant) {
            self.make_safe(By::Charger, Cause::Isolation);
            return false;
        }
        if is_tested && told.isolation == Some(Isolation::Measuring) {
            self.tell_isolation(Warning::Quirk("invalid-in-loop"));
        }
        if exchange == Exchange::CurrentDemand && told.isolation == Some(Isolation::Warning) {
            self.tell_isolation(Warning::IsolationLow);
        }
        // The charger's stop button or its back end. While charging the status alone reports it, too.
        let is_ordinary = exchange == Exchange::CurrentDemand || told.stop_within_s.is_some();
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

    fn handshake(&mut self, schema_id: Option<u8>) {
        self.session.protocol = match handshake::taken(&handshake::offer(&self.config), schema_id) {
            Taken::ByNumber(protocol) => protocol,
            Taken::ByLack(protocol) if self.config.quirks.contains(Quirks::NO_SCHEMA_ID) => {
                self.events.push(Event::Warning(Warning::Quirk("no-schema-id")));
                protocol
            }
            Taken::ByLack(_) | Taken::None => return self.make_safe(By::Charger, Cause::NoCommonProtocol),
        };
        self.done();
    }

    fn session_setup(&mut self, name: &'static str, is_new: bool) {
        if !is_new {
            if !self.config.quirks.contains(Quirks::PLAIN_OK) {
                return self.stop_in_order(By::Car, Cause::Refused(name));
            }
            self.events.push(Event::Warning(Warning::Quirk("plain-ok")));
        }
        self.done();
    }

    fn charge_parameters(
        &mut self,
        name: &'static str,
        finished: bool,
        charger: Option<(ChargerStatus, Limits)>,
    ) {
        if !finished {
            return self.again();
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
        self.done();
    }

    fn cable_check(&mut self, finished: bool, status: ChargerStatus) {
        if !finished {
            return self.again();
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
        self.done();
    }
}
