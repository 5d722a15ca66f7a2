//! The session until both sides have exchanged their parameters.

use machine::Cx;
use session::{By, Cause, Checkpoint, Limits};

use super::Charger;
use super::state::Timer;
use crate::order::State;
use crate::request::{Agreed, CarStatus, Request, Verdict};
use crate::{Authorisation, EnergyTransfer, Event, Purpose, Quirks, Status, Warning, policy};

impl Charger {
    pub(super) fn handshake(&mut self, request: &Request, agreed: Option<Agreed>) {
        if let Some(agreed) = agreed {
            self.session.protocol = agreed.protocol;
            self.go_on(request.exchange);
        } else {
            self.stop_for(By::Charger, Cause::NoCommonProtocol, Status::Shutdown);
            self.session.close = true;
            self.session.state = State::StopOnly;
        }
        self.reply_with(request, Verdict::Ok, true, agreed);
    }

    pub(super) fn session_setup(&mut self, cx: &mut Cx<'_>, request: &Request, evccid_bytes: usize) {
        if evccid_bytes == 0 {
            if !self.config.quirks.contains(Quirks::EMPTY_EVCCID) {
                return self.refuse_for(request, Verdict::Failed.into());
            }
            self.events.push(Event::Warning(Warning::Quirk("empty-evccid")));
        }
        let id = &mut self.session.id;
        let _ = id.resize(usize::from(self.config.session_id_len), 0);
        cx.entropy.fill(id);
        // An id of zeros means "no session yet".
        if let (true, Some(last)) = (id.iter().all(|byte| *byte == 0), id.last_mut()) {
            *last = 1;
        }
        self.session.timers.clear(Timer::Setup);
        self.pass(request, Verdict::NewSession);
    }

    pub(super) fn service_selection(&mut self, request: &Request, external: bool, only_service: Option<u16>) {
        match policy::selection(external, only_service) {
            Ok(()) => self.pass(request, Verdict::Ok),
            Err(refusal) => self.refuse_for(request, refusal),
        }
    }

    pub(super) fn authorisation(&mut self, request: &Request) {
        let authorised = match self.config.authorisation {
            Authorisation::Free => self.authorised.or(Some(true)),
            Authorisation::Operator => self.authorised,
        };
        match authorised {
            Some(true) => {
                self.session.timers.clear(Timer::Authorisation);
                self.checkpoint(Checkpoint::AUTHENTICATION_FINISHED);
                self.pass(request, Verdict::Ok);
            }
            Some(false) => self.refuse(request, Verdict::Failed, Cause::NotAuthorised.into()),
            None => {
                self.start_budget(Timer::Authorisation, request.exchange);
                self.reply(request, Verdict::Ok, false);
            }
        }
    }

    pub(super) fn charge_parameters(
        &mut self,
        request: &Request,
        transfer: Option<EnergyTransfer>,
        car: Option<(CarStatus, Limits)>,
    ) {
        if let Err(refusal) = policy::parameters(&self.config, transfer, car.as_ref()) {
            return self.refuse_for(request, refusal);
        }
        let Some((_, limits)) = car else { return };
        self.session.car_limits = limits;
        self.power.set_limits(self.bounds());
        if self.config.purpose == Purpose::ReadCar {
            self.stop_for(By::Charger, Cause::Finished, Status::Shutdown);
            self.session.state = State::StopOnly;
            return self.reply(request, Verdict::Ok, true);
        }
        let since = *self.session.parameters_since.get_or_insert(self.now);
        let finished = self.now.since(since) >= self.config.parameter_time;
        if finished {
            self.go_on(request.exchange);
        }
        self.reply(request, Verdict::Ok, finished);
    }
}
