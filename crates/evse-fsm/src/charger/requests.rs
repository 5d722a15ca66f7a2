//! Requests: the checks that come first, then the handler of the exchange.

use machine::{Cx, Duration};
use session::{By, Cause, Exchange, Time};

use super::Charger;
use super::state::Timer;
use crate::found::Found;
use crate::handshake::{self, SERVED};
use crate::order::{self, Next, State};
use crate::policy::Refusal;
use crate::power::SAFE_OPEN;
use crate::request::{Content, NoRequest, Request, Verdict};
use crate::{Dropped, Event, Quirks, Status, Warning, wire};

/// The undecodable message that ends a session: the third (judgement).
const BAD_MESSAGES: u8 = 3;

impl Charger {
    pub(super) fn message(&mut self, cx: &mut Cx<'_>, payload_type: u16, payload: &[u8]) {
        if !self.session.state.is_open() {
            return self.events.push(Event::Dropped(Dropped::NoSession));
        }
        let protocol = self.session.protocol;
        if payload_type != protocol.payload_type() {
            return self.bad(Dropped::PayloadType(payload_type));
        }
        let read = match self.session.state {
            State::Handshake => handshake::request(SERVED, payload),
            _ => wire::request(protocol, payload),
        };
        let request = match read {
            Ok(request) => request,
            Err(NoRequest::Undecodable { bit }) => return self.bad(Dropped::Undecodable { bit }),
            Err(NoRequest::NotARequest(name)) => return self.bad(Dropped::NotARequest(name)),
        };
        if let Some(waiting) = self.session.waiting.take() {
            self.events.push(Event::Warning(Warning::Impatient(waiting.request.name)));
        }
        if let Some(answer) = self.session.answer.take() {
            self.events.push(Event::Dropped(Dropped::NotTaken(answer.name())));
        }
        let is_ignored = self.config.quirks.contains(Quirks::IGNORE_UNSUPPORTED);
        if is_ignored && !order::is_supported(protocol, request.exchange) {
            return self.events.push(Event::Dropped(Dropped::Unsupported(request.name)));
        }
        self.tell_request(&request);
        self.session.timers.clear(Timer::Sequence);
        self.serve(cx, request);
    }

    /// A message that is no request does not restart the sequence timer; the third one ends the session.
    pub(super) fn bad(&mut self, dropped: Dropped) {
        self.events.push(Event::Dropped(dropped));
        self.session.bad_messages = self.session.bad_messages.saturating_add(1);
        if self.session.bad_messages >= BAD_MESSAGES {
            self.make_safe(By::Car, Cause::Undecodable, Status::Malfunction);
            self.session.state = State::StopOnly;
            self.session.close = true;
        }
    }

    /// The permitted next step for this exchange, by the order of the protocol.
    pub(super) fn next(&self, exchange: Exchange) -> Next {
        order::next(self.session.state, self.session.protocol, exchange)
    }

    /// The checks before the handler of the exchange.
    fn serve(&mut self, cx: &mut Cx<'_>, request: Request) {
        let exchange = request.exchange;
        let belongs = matches!(exchange, Exchange::Handshake | Exchange::SessionSetup)
            || request.session_id == self.session.id;
        if self.session.state.has_session() && !belongs {
            let cause = Cause::UnknownSession(request.name);
            return self.refuse(&request, Verdict::UnknownSession, cause.into());
        }
        let next = self.next(exchange);
        let out_of_order = Cause::OutOfOrder(request.name).into();
        if !self.may_come(next) {
            return self.refuse(&request, Verdict::OutOfOrder, out_of_order);
        }
        if self.session.state != State::StopOnly {
            self.set_phase(exchange.row().phase);
        }
        let stop = self.session.stop.map(|stop| stop.reason.cause);
        let spent = stop.filter(|cause| matches!(cause, Cause::Timeout(_)));
        if let (Some(cause), true) = (spent, exchange != Exchange::SessionStop) {
            return self.refuse(&request, Verdict::Failed, cause.into());
        }
        if next == Next::Fatal {
            self.refuse(&request, Verdict::Failed, out_of_order);
            self.session.close = true;
            return;
        }
        self.act(cx, request);
    }

    /// Whether a request is in its order; a quirk that permits it is reported.
    fn may_come(&mut self, next: Next) -> bool {
        let Next::Bent(_, quirk, id) = next else { return next != Next::OutOfOrder };
        let may = self.config.quirks.contains(quirk);
        if may {
            self.events.push(Event::Warning(Warning::Quirk(id)));
        }
        may
    }

    /// A refusal has no effect except switching off; after it only the end of the session is accepted.
    pub(super) fn refuse(&mut self, request: &Request, verdict: Verdict, found: Found) {
        self.power.stop(self.now, SAFE_OPEN);
        self.stop_for(By::Charger, found, Status::Shutdown);
        self.note_refusal(verdict, request.content.car_error());
        if !matches!(self.session.state, State::Handshake | State::SessionSetup) {
            self.session.state = State::StopOnly;
        }
        let late = self.config.times.get(Time::CloseAfterFailed);
        if late == Duration::ZERO || !self.session.state.has_session() {
            self.session.close = true;
        } else {
            // Further requests of the car do not extend the connection.
            let at = self.now + late;
            let before = self.session.timers.due(Timer::Close).unwrap_or(at);
            self.session.timers.set(Timer::Close, at.min(before));
        }
        self.reply(request, verdict, true);
    }

    /// Refuses because of the request's content.
    pub(super) fn refuse_for(&mut self, request: &Request, refusal: Refusal) {
        let Refusal { verdict, compared } = refusal;
        self.refuse(request, verdict, Found { cause: Cause::Refused(request.name), compared });
    }

    fn act(&mut self, cx: &mut Cx<'_>, request: Request) {
        match request.content.clone() {
            Content::Handshake(agreed) => self.handshake(&request, agreed),
            Content::SessionSetup { evccid_bytes } => self.session_setup(cx, &request, evccid_bytes),
            Content::ServiceSelection { external, only_service } => {
                self.service_selection(&request, external, only_service);
            }
            Content::ChargeParameters { transfer, car } => self.charge_parameters(&request, transfer, car),
            Content::CableCheck(car) => self.cable_check(request, car),
            Content::PreCharge(car, asked) => self.precharge(&request, car, asked),
            Content::PowerOn { profile, status } => self.power_on(&request, profile, status),
            Content::PowerOff(_) => self.power_off(request),
            Content::CurrentDemand { status, target, limits } => {
                self.current_demand(&request, status, target, limits);
            }
            Content::WeldingDetection(_) => self.welding_detection(request),
            Content::Nothing => match request.exchange {
                Exchange::ServiceDiscovery => self.pass(&request, Verdict::Ok),
                Exchange::Authorisation => self.authorisation(&request),
                _ => self.session_stop(&request),
            },
        }
    }
}
