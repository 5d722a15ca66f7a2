//! Requests: the checks that come first, and what each kind does.

use machine::{Cx, Duration};
use session::{By, Cause, Checkpoint, Limits, Target};

use super::{Charger, Timer};
use crate::din::{self, NoRequest};
use crate::found::Found;
use crate::policy::Refusal;
use crate::power::SAFE_OPEN;
use crate::request::{Agreed, CarStatus, Content, Kind, Request, Verdict};
use crate::sequence::State;
use crate::{
    Authorisation, Dropped, EnergyTransfer, Event, Isolation, PAYLOAD_TYPE, PowerStage, Purpose, Quirks,
    Status, Warning, policy,
};

/// Undecodable messages that a session bears: the third ends it (judgement).
const BAD_MESSAGES: u8 = 3;

impl Charger {
    pub(super) fn message(&mut self, cx: &mut Cx<'_>, payload_type: u16, payload: &[u8]) {
        if matches!(self.state, State::NoSession | State::Over) {
            return self.events.push(Event::Dropped(Dropped::NoSession));
        }
        if payload_type != PAYLOAD_TYPE {
            return self.bad(Dropped::PayloadType(payload_type));
        }
        let read =
            if self.state == State::Handshake { din::handshake(payload) } else { din::request(payload) };
        let request = match read {
            Ok(request) => request,
            Err(NoRequest::Undecodable { bit }) => return self.bad(Dropped::Undecodable { bit }),
            Err(NoRequest::NotARequest(name)) => return self.bad(Dropped::NotARequest(name)),
        };
        if let Some(waiting) = self.waiting.take() {
            self.events.push(Event::Warning(Warning::Impatient(waiting.request.name)));
        }
        if let Some(answer) = self.answer.take() {
            self.events.push(Event::Dropped(Dropped::NotTaken(answer.name)));
        }
        if !request.kind.is_supported() && self.config.quirks.contains(Quirks::IGNORE_UNSUPPORTED) {
            return self.events.push(Event::Dropped(Dropped::Unsupported(request.name)));
        }
        self.tell_request(&request);
        self.timers.clear(Timer::Sequence);
        self.serve(cx, request);
    }

    /// What is no request does not count as a sign of life; the third ends the session.
    pub(super) fn bad(&mut self, dropped: Dropped) {
        self.events.push(Event::Dropped(dropped));
        self.bad_messages = self.bad_messages.saturating_add(1);
        if self.bad_messages >= BAD_MESSAGES {
            self.make_safe(By::Car, Cause::Undecodable, Status::Malfunction);
            self.state = State::StopOnly;
            self.close = true;
        }
    }

    /// The checks that come before anything else.
    pub(super) fn serve(&mut self, cx: &mut Cx<'_>, request: Request) {
        let kind = request.kind;
        let belongs =
            matches!(kind, Kind::Handshake | Kind::SessionSetup) || request.session_id == self.session_id;
        if self.state.has_session() && !belongs {
            let cause = Cause::UnknownSession(request.name);
            return self.refuse(&request, Verdict::UnknownSession, cause.into());
        }
        let on = !matches!(request.content, Content::PowerDelivery { on: false, .. });
        let is_early_off = self.state == State::FirstDemand && kind == Kind::PowerDelivery;
        if !self.state.allows(kind) || is_early_off && (on || !self.may_switch_off_early()) {
            return self.refuse(&request, Verdict::SequenceError, Cause::OutOfOrder(request.name).into());
        }
        if let (Some(phase), true) = (crate::sequence::phase_of(kind, on), self.state != State::StopOnly) {
            self.set_phase(phase);
        }
        let spent =
            self.stop.map(|stop| stop.reason.cause).filter(|cause| matches!(cause, Cause::Timeout(_)));
        if let (Some(cause), true) = (spent, kind != Kind::SessionStop) {
            return self.refuse(&request, Verdict::Failed, cause.into());
        }
        self.act(cx, request);
    }

    /// `PowerDelivery(false)` before the first demand, as some cars send it.
    fn may_switch_off_early(&mut self) -> bool {
        let may = self.config.quirks.contains(Quirks::EARLY_POWER_OFF);
        if may {
            self.events.push(Event::Warning(Warning::Quirk("early-power-off")));
        }
        may
    }

    /// A refusal never has an effect but switching off; behind it only the end is accepted.
    pub(super) fn refuse(&mut self, request: &Request, verdict: Verdict, found: Found) {
        self.power.stop(self.now, SAFE_OPEN);
        self.stop_for(By::Charger, found, Status::Shutdown);
        self.note_refusal(verdict, request.content.car_error());
        if self.state != State::Handshake && self.state != State::SessionSetup {
            self.state = State::StopOnly;
        }
        let late = self.config.times.close_after_failed;
        if late == Duration::ZERO || !self.state.has_session() {
            self.close = true;
        } else {
            // A car that goes on asking does not keep the connection.
            let at = self.now + late;
            let before = self.timers.due(Timer::Close).unwrap_or(at);
            self.timers.set(Timer::Close, at.min(before));
        }
        self.reply(request, verdict, true);
    }

    pub(super) fn act(&mut self, cx: &mut Cx<'_>, request: Request) {
        match request.content.clone() {
            Content::Handshake(agreed) => self.handshake(&request, agreed),
            Content::SessionSetup { evccid_bytes } => self.session_setup(cx, &request, evccid_bytes),
            Content::PaymentSelection { external, only_service } => {
                match policy::payment(external, only_service, din::CHARGE_SERVICE) {
                    Verdict::Ok => self.pass(&request, Verdict::Ok, State::Authentication),
                    verdict => self.refuse_for(&request, verdict.into()),
                }
            }
            Content::ChargeParameter { transfer, car } => self.charge_parameter(&request, transfer, car),
            Content::CableCheck(car) => self.cable_check(request, car),
            Content::PreCharge(car, asked) => self.precharge(&request, car, asked),
            Content::PowerDelivery { on: true, tuple, profile_w, status } => {
                self.power_on(&request, tuple, profile_w, status);
            }
            Content::PowerDelivery { on: false, .. } => self.power_off(request),
            Content::CurrentDemand { status, target, limits } => {
                self.current_demand(&request, status, target, limits);
            }
            Content::WeldingDetection(_) => self.welding_detection(request),
            Content::Nothing => match request.kind {
                Kind::ServiceDiscovery => self.pass(&request, Verdict::Ok, State::PaymentSelection),
                Kind::Authentication => self.authentication(&request),
                _ => self.session_stop(&request),
            },
        }
    }

    /// Refuses for what the request holds.
    pub(super) fn refuse_for(&mut self, request: &Request, refusal: Refusal) {
        let Refusal { verdict, compared } = refusal;
        self.refuse(request, verdict, Found { cause: Cause::Refused(request.name), compared });
    }

    /// Answers, and goes on to `next`.
    pub(super) fn pass(&mut self, request: &Request, verdict: Verdict, next: State) {
        self.state = next;
        self.reply(request, verdict, true);
    }

    pub(super) fn handshake(&mut self, request: &Request, agreed: Agreed) {
        if agreed == Agreed::No {
            self.stop_for(By::Charger, Cause::NoCommonProtocol, Status::Shutdown);
            self.close = true;
            self.state = State::StopOnly;
        } else {
            self.state = State::SessionSetup;
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
        let _ = self.session_id.resize(usize::from(self.config.session_id_len), 0);
        cx.entropy.fill(&mut self.session_id);
        // Zeros mean "no session yet".
        if let (true, Some(last)) =
            (self.session_id.iter().all(|byte| *byte == 0), self.session_id.last_mut())
        {
            *last = 1;
        }
        self.timers.clear(Timer::Setup);
        self.pass(request, Verdict::NewSession, State::ServiceDiscovery);
    }

    pub(super) fn authentication(&mut self, request: &Request) {
        let authorised = match self.config.authorisation {
            Authorisation::Free => self.authorised.or(Some(true)),
            Authorisation::Operator => self.authorised,
        };
        match authorised {
            Some(true) => {
                self.timers.clear(Timer::Authorisation);
                self.checkpoint(Checkpoint::AUTHENTICATION_FINISHED);
                self.pass(request, Verdict::Ok, State::ChargeParameter);
            }
            Some(false) => self.refuse(request, Verdict::Failed, Cause::NotAuthorised.into()),
            None => {
                self.start(Timer::Authorisation, self.config.times.authorisation);
                self.reply(request, Verdict::Ok, false);
            }
        }
    }

    pub(super) fn charge_parameter(
        &mut self,
        request: &Request,
        transfer: Option<EnergyTransfer>,
        car: Option<(CarStatus, Limits)>,
    ) {
        if let Err(refusal) = policy::parameters(&self.config, transfer, car.as_ref()) {
            return self.refuse_for(request, refusal);
        }
        let Some((_, limits)) = car else { return };
        self.car_limits = limits;
        self.power.set_limits(self.bounds());
        if self.config.purpose == Purpose::ReadCar {
            self.stop_for(By::Charger, Cause::Finished, Status::Shutdown);
            self.state = State::StopOnly;
            return self.reply(request, Verdict::Ok, true);
        }
        let since = *self.parameters_since.get_or_insert(self.now);
        let finished = self.now.since(since) >= self.config.parameter_time;
        if finished {
            self.state = State::CableCheck;
        }
        self.reply(request, Verdict::Ok, finished);
    }

    pub(super) fn cable_check(&mut self, request: Request, car: CarStatus) {
        if car.error != 0 {
            return self.refuse(&request, Verdict::Failed, Cause::CarError(car.error).into());
        }
        if let Some(stop) = self.stop {
            // What was found during the test has its code in this answer, and not in a status alone.
            let cause = stop.reason.cause;
            if is_of_the_test(cause) {
                if cause == Cause::Isolation {
                    self.isolation = Isolation::Fault;
                }
                return self.refuse(&request, Verdict::Failed, cause.into());
            }
            return self.reply(&request, Verdict::Ok, false);
        }
        if !self.may_energise() {
            return self.wait(request, self.config.times.pilot_detection);
        }
        if !self.power.is_testing() {
            // What would end it at once must not close the contactors first.
            if let Some(name) = self.stale(self.now) {
                return self.refuse(&request, Verdict::Failed, Cause::StaleReading(name).into());
            }
            self.start(Timer::CableCheck, self.config.times.cable_check);
            self.checkpoint(Checkpoint::ISOLATION_TEST);
            let (car_mv, own_mv) = (self.car_limits.max_voltage_mv, self.config.limits.max_voltage_mv);
            let test_mv = self.config.protection.test_mv(car_mv, own_mv);
            let is_residual = self.supervision.off.may_be_residual();
            self.power.begin_test(self.now, &self.config, test_mv, is_residual);
            self.warn_of_monitor();
            self.step_power();
        }
        match self.power.test_result() {
            None => self.reply(&request, Verdict::Ok, false),
            Some(Err(_)) => self.test_failed(&request),
            Some(Ok(isolation)) => {
                let good = match isolation {
                    Isolation::Valid => true,
                    Isolation::Warning => self.config.quirks.contains(Quirks::ISOLATION_WARNING),
                    Isolation::Measuring | Isolation::Fault => false,
                };
                self.isolation = isolation;
                if !good {
                    self.make_safe(By::Charger, Cause::Isolation, Status::Malfunction);
                    return self.refuse(&request, Verdict::Failed, Cause::Isolation.into());
                }
                self.timers.clear(Timer::CableCheck);
                self.checkpoint(Checkpoint::CABLE_CHECK_FINISHED);
                self.pass(&request, Verdict::Ok, State::PreCharge);
            }
        }
    }

    pub(super) fn may_energise(&self) -> bool {
        self.is_ready() && self.is_locked()
    }

    fn test_failed(&mut self, request: &Request) {
        if let Some(found) = self.power.test_fault(self.now, &self.plant, &self.config) {
            self.make_safe(By::Charger, found, Status::Malfunction);
            self.refuse(request, Verdict::Failed, found);
        }
    }

    /// A monitor that cannot show that it works is said so once a session.
    fn warn_of_monitor(&mut self) {
        let monitor = self.plant.isolation.map(|reading| reading.value);
        let is_unproven =
            monitor.is_some_and(|monitor| monitor.count.is_none() && monitor.self_test.is_none());
        if is_unproven && self.config.power_stage == PowerStage::Real {
            self.events.push(Event::Warning(Warning::MonitorUnproven));
        }
    }

    pub(super) fn precharge(&mut self, request: &Request, car: CarStatus, asked: Target) {
        if self.stop.is_some() {
            return self.reply(request, Verdict::Ok, true);
        }
        if car.error != 0 {
            return self.refuse(request, Verdict::Failed, Cause::CarError(car.error).into());
        }
        let bounds = self.bounds();
        match policy::precharge(&self.config, &bounds, asked) {
            Err(refusal) => self.refuse_for(request, refusal),
            Ok((voltage_mv, warning)) => {
                if let Some(warning) = warning {
                    self.events.push(Event::Warning(warning));
                }
                self.start(Timer::PreCharge, self.config.times.precharge);
                // As asked: an output that follows only half of it is not at the car's voltage.
                self.precharge_mv = asked.voltage_mv;
                self.power.precharge(self.now, voltage_mv, &self.config);
                self.step_power();
                self.state = State::PreChargeOrPower;
                self.reply(request, Verdict::Ok, true);
            }
        }
    }

    pub(super) fn power_on(
        &mut self,
        request: &Request,
        tuple: Option<i16>,
        profile_w: i32,
        car: Option<CarStatus>,
    ) {
        // `Demand` allows PowerDelivery only to switch off.
        if self.state != State::PreChargeOrPower {
            self.refuse(request, Verdict::Failed, Cause::OutOfOrder(request.name).into());
            self.close = true;
            return;
        }
        let error = car.map_or(0, |car| car.error);
        if error != 0 {
            return self.refuse(request, Verdict::PowerDeliveryNotApplied, Cause::CarError(error).into());
        }
        // Whom the operator asks to end learns so in the charging loop, where nothing rises: that is no failure.
        let is_ending = self.stop.is_some() && (self.is_stopping_for_safety() || !self.power.is_at_car());
        if is_ending || !self.is_ready() || car.is_some_and(|car| !car.ready) {
            return self.refuse_for(request, Verdict::PowerDeliveryNotApplied.into());
        }
        let present = self.present().voltage_mv;
        match policy::power_on(&self.config, tuple, profile_w, present, self.precharge_mv) {
            Err(refusal) => self.refuse_for(request, refusal),
            Ok(warning) => {
                if let Some(warning) = warning {
                    self.events.push(Event::Warning(warning));
                }
                self.timers.clear(Timer::PreCharge);
                self.power.switch_on(self.now);
                self.pass(request, Verdict::Ok, State::FirstDemand);
            }
        }
    }

    /// Switches off, and answers when the current is gone.
    pub(super) fn power_off(&mut self, request: Request) {
        let limit = self.config.times.power_off;
        self.timers.clear(Timer::PreCharge);
        self.timers.clear(Timer::StopGrace);
        self.power.stop(self.now, limit);
        self.state = State::Welding;
        self.start(Timer::Welding, self.config.times.welding);
        self.wait(request, limit);
    }

    pub(super) fn current_demand(
        &mut self,
        request: &Request,
        car: CarStatus,
        asked: Target,
        limits: Limits,
    ) {
        if let Err(refusal) = policy::demand(asked, &limits) {
            return self.refuse_for(request, refusal);
        }
        // A car that is not ready gets no current until it is. One that reports an error gets none, and ends the session.
        if car.error != 0 {
            self.stop_for(By::Car, Cause::CarError(car.error), Status::Shutdown);
        } else if !car.ready && !self.car_waits {
            self.events.push(Event::Warning(Warning::CarNotReady));
        }
        self.car_waits = !car.ready;
        if self.power.is_transferring() {
            let asked = if car.is_fine() { asked } else { Target { current_ma: 0, ..asked } };
            let bounds = self.bounds().and(&limits);
            self.power.transfer(self.now, asked, bounds);
            self.step_power();
        }
        if self.state == State::FirstDemand {
            self.charged = true;
            self.checkpoint(Checkpoint::CURRENT_DEMAND_LOOP);
        }
        self.state = State::Demand;
        self.reply(request, Verdict::Ok, true);
    }

    pub(super) fn welding_detection(&mut self, request: Request) {
        if self.is_ready() {
            return self.wait(request, self.config.times.pilot_detection);
        }
        self.reply(&request, Verdict::Ok, true);
    }

    pub(super) fn session_stop(&mut self, request: &Request) {
        self.power.stop(self.now, SAFE_OPEN);
        if self.supervision.off.is_on() {
            self.stop_for(By::Charger, Cause::WeldSuspected, Status::Malfunction);
        }
        self.stop_for(By::Car, Cause::Finished, Status::Shutdown);
        self.timers.clear_all();
        self.state = State::Over;
        // The car closes the connection; the charger does if it does not.
        self.timers.set(Timer::Close, self.now + Self::CLOSE_BEHIND_STOP);
        self.reply(request, Verdict::Ok, true);
    }

    /// From `SessionStopRes` to closing the connection: 5 s, the limit of ISO 15118-4.
    const CLOSE_BEHIND_STOP: Duration = Duration::from_secs(5);
}

/// Whether a session that ends for this cause failed its isolation test, or what it is for.
fn is_of_the_test(cause: Cause) -> bool {
    matches!(
        cause,
        Cause::WeldSuspected
            | Cause::Contactor
            | Cause::VoltageOff
            | Cause::Isolation
            | Cause::MonitorHangs
            | Cause::Suspect(_)
    )
}
