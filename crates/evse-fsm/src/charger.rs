//! The charger: what comes in changes the session, the pilot and the plant, in this order.

use control_pilot::Level;
use heapless::Vec;
use machine::{Cx, Deadline, Duration, Instant, Machine, Queue, TimerName, Timers};
use session::{By, Cause, Checkpoint, Limits, Phase, StopReason, Target};

use crate::din::{self, NoRequest};
use crate::pilot::Pilot;
use crate::power::{CURRENT_BEFORE_POWER_MA, Fault, Power, SAFE_OPEN};
use crate::reading::fresh;
use crate::request::{Agreed, Answer, CarStatus, Content, Kind, Request, SessionId, Verdict};
use crate::sequence::State;
use crate::supervision::Supervision;
use crate::{
    Authorisation, Closed, Config, ConfigError, Contactors, Demand, Direction, Dropped, Event, Input,
    Isolation, Lock, Message, Operator, PAYLOAD_TYPE, Plant, PowerStage, Purpose, Quirks, Status, Values,
    Warning, policy,
};

/// Events that wait at most: a request, its answer and what they cause are six.
const EVENTS: usize = 32;

/// Undecodable messages that a session bears: the third ends it (judgement).
const BAD_MESSAGES: u8 = 3;

/// How often ramps are stepped while they run: judgement, finer than any car asks.
const STEP: Duration = Duration::from_millis(20);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Timer {
    Setup,
    Sequence,
    Authorisation,
    CableCheck,
    PreCharge,
    Welding,
    StopGrace,
    Close,
}

impl TimerName for Timer {
    const ALL: &'static [Self] = &[
        Self::Setup,
        Self::Sequence,
        Self::Authorisation,
        Self::CableCheck,
        Self::PreCharge,
        Self::Welding,
        Self::StopGrace,
        Self::Close,
    ];
    fn name(self) -> &'static str {
        match self {
            Self::Setup => "communication setup",
            Self::Sequence => "sequence",
            Self::Authorisation => "authorisation",
            Self::CableCheck => "cable check",
            Self::PreCharge => "precharge",
            Self::Welding => "welding detection",
            Self::StopGrace => "stop grace",
            Self::Close => "close",
        }
    }
}

/// A stop that is under way.
#[derive(Clone, Copy, Debug)]
struct Stop {
    reason: StopReason,
    /// What the car is told.
    status: Status,
}

/// A request whose answer waits for the pilot or for the current to fall.
#[derive(Clone, Debug)]
struct Waiting {
    request: Request,
    until: Instant,
}

/// A charger's connector: pilot, session and plant. See the crate's documentation.
#[derive(Debug)]
pub struct Charger {
    config: Config,
    plant: Plant,
    pilot: Pilot,
    power: Power,
    supervision: Supervision,
    state: State,
    phase: Phase,
    is_connected: bool,
    close: bool,
    available: bool,
    /// Set by what must not be repeated without a person or a new plug: no offer meanwhile.
    latched: bool,
    authorised: Option<bool>,
    session_id: SessionId,
    car_limits: Limits,
    /// The car's last precharge target, within the limits, in mV.
    precharge_mv: i32,
    isolation: Isolation,
    /// First `ChargeParameterDiscoveryReq`.
    parameters_since: Option<Instant>,
    stop: Option<Stop>,
    last_stop: Option<StopReason>,
    waiting: Option<Waiting>,
    answer: Option<Answer>,
    bad_messages: u8,
    level: Option<Level>,
    now: Instant,
    timers: Timers<Timer, 8>,
    events: Queue<Event, EVENTS>,
}

impl Charger {
    /// A charger with nothing plugged in.
    ///
    /// # Errors
    /// What [`Config::check`] says.
    pub fn new(config: Config) -> Result<Self, ConfigError> {
        config.check()?;
        let config = config.effective();
        Ok(Self {
            available: config.available,
            config,
            plant: Plant::default(),
            pilot: Pilot::new(),
            power: Power::new(),
            supervision: Supervision::new(),
            state: State::NoSession,
            phase: Phase::Idle,
            is_connected: false,
            close: false,
            latched: false,
            authorised: None,
            session_id: Vec::new(),
            car_limits: Limits::NONE,
            precharge_mv: 0,
            isolation: Isolation::Measuring,
            parameters_since: None,
            stop: None,
            last_stop: None,
            waiting: None,
            answer: None,
            bad_messages: 0,
            level: None,
            now: Instant::ZERO,
            timers: Timers::new(),
            events: Queue::new(),
        })
    }

    /// What the charger wants of its plant now. Read and apply it after each call.
    pub fn demand(&self) -> Demand {
        let (supply, contactors) = self.power.demand(self.config.power_stage);
        let free = contactors == Contactors::Open && !self.is_connected && !self.pilot.is_offering();
        let lock = if free && self.level == Some(Level::A) { Lock::Released } else { Lock::Held };
        Demand { pilot: self.pilot.output(), supply, contactors, lock }
    }

    /// Whether the connection shall be closed now: everything that was to be sent has been taken.
    /// Stays so until [`Input::Closed`] or a new [`Input::Connected`].
    pub fn wants_close(&self) -> bool {
        self.close && self.answer.is_none()
    }

    /// Where the connector is.
    pub fn phase(&self) -> Phase {
        self.phase
    }

    /// Why the session at hand is being ended, or why the last one ended.
    pub fn stop_reason(&self) -> Option<StopReason> {
        self.stop.map(|stop| stop.reason).or(self.last_stop)
    }
}

impl Machine for Charger {
    type Input<'a> = Input<'a>;
    type Route = u16;
    type Event = Event;

    fn handle(&mut self, cx: &mut Cx<'_>, input: Input<'_>) {
        self.tell_time(cx.now);
        match input {
            Input::Plant(plant) => self.plant = plant,
            Input::Message { payload_type, payload } => self.message(cx, payload_type, payload),
            Input::Connected => self.connected(),
            Input::Closed(closed) => self.closed(closed),
            Input::Operator(word) => self.operator(word),
        }
        self.advance();
    }

    fn handle_timeout(&mut self, cx: &mut Cx<'_>) {
        self.tell_time(cx.now);
        while let Some(timer) = self.timers.expired(self.now) {
            self.expired(timer);
        }
        self.advance();
    }

    fn poll_transmit(&mut self, buffer: &mut [u8]) -> Option<(usize, u16)> {
        let answer = self.answer.take()?;
        match din::encode(&answer, &self.config, buffer) {
            Ok(length) => Some((length, PAYLOAD_TYPE)),
            Err(_) => {
                self.events.push(Event::Dropped(Dropped::DoesNotFit(answer.name)));
                None
            }
        }
    }

    fn poll_event(&mut self) -> Option<Event> {
        self.events.pop()
    }

    fn poll_timeout(&self) -> Option<Deadline> {
        let named = |name| move |at| Deadline { at, name };
        let energised = self.power.is_energised();
        let stale = energised.then(|| self.plant.stale_at(self.config.sensors)).flatten();
        let moving = self.power.is_moving().then_some(self.now + STEP);
        let all = [
            self.pilot.due(&self.config.times).map(named("pilot")),
            self.power.due(&self.config).map(named("power")),
            moving.map(named("ramp")),
            stale.filter(|at| *at > self.now).map(named("stale reading")),
            self.waiting.as_ref().map(|waiting| Deadline { at: waiting.until, name: "answer" }),
        ];
        all.into_iter().fold(self.timers.next(), Deadline::earlier)
    }
}

/// The plant and the clock.
impl Charger {
    /// How late a deadline may be met while energised (docs/ARCHITECTURE.md).
    const HELD_UP: Duration = Duration::from_millis(500);

    fn tell_time(&mut self, now: Instant) {
        let due = self.poll_timeout();
        let late = due.is_some_and(|due| now.since(due.at) > Self::HELD_UP);
        self.now = self.now.max(now);
        if late && self.power.is_energised() {
            self.make_safe(By::Charger, Cause::HeldUp, Status::Malfunction);
        }
    }

    /// Does what time and sensors ask for.
    fn advance(&mut self) {
        let now = self.now;
        let level = fresh(self.plant.pilot, now);
        self.watch(level);
        let blocked = self.latched || !self.available || self.is_stopping_for_safety();
        if self.pilot.step(now, level, blocked, &self.config.times) {
            self.checkpoint(Checkpoint::PILOT_5_PERCENT);
        }
        self.follow_level(level);
        if self.power.step(now, &self.plant, &self.config) {
            self.events.push(Event::Warning(Warning::Stalled));
        }
        if let Some(waiting) = self.waiting.take() {
            self.answer_waiting(waiting);
        }
    }

    fn is_stopping_for_safety(&self) -> bool {
        self.stop.is_some_and(|stop| matches!(stop.status, Status::EmergencyShutdown | Status::Malfunction))
    }

    /// Watches what must be right while energised, and what ends a session at any time.
    fn watch(&mut self, level: Option<Level>) {
        let now = self.now;
        if fresh(self.plant.emergency_stop, now) == Some(true) {
            self.emergency_stop();
        }
        if self.power.is_energised() {
            let limits = self.bounds();
            let in_use = self.power.is_in_use();
            if let Some(cause) = self.supervision.check(now, &self.plant, &self.config, &limits, in_use) {
                let by = match cause {
                    Cause::Unplugged | Cause::LeftReady | Cause::PilotFault => By::Car,
                    _ => By::Charger,
                };
                let latch = matches!(cause, Cause::OverVoltage | Cause::OverCurrent);
                self.latched |= latch;
                let status = if cause == Cause::LeftReady { Status::Shutdown } else { Status::Malfunction };
                self.make_safe(by, cause, status);
            }
        }
        let fault = match level {
            Some(Level::A) => Some(Cause::Unplugged),
            Some(Level::E | Level::F) => Some(Cause::PilotFault),
            _ => None,
        };
        if let (Some(cause), true) = (fault, self.state != State::NoSession) {
            self.make_safe(By::Car, cause, Status::Malfunction);
            self.state = if self.state == State::Over { State::Over } else { State::StopOnly };
            self.close = true;
        }
    }

    fn follow_level(&mut self, level: Option<Level>) {
        if level == self.level {
            return;
        }
        let before = core::mem::replace(&mut self.level, level);
        match level {
            Some(Level::A) => {
                self.latched = false;
                self.authorised = None;
                self.checkpoint(Checkpoint::PILOT_A);
                if !self.is_connected {
                    self.set_phase(Phase::Idle);
                }
            }
            Some(Level::B) if before == Some(Level::A) || before.is_none() => {
                self.checkpoint(Checkpoint::PILOT_B);
                if !self.is_connected {
                    self.set_phase(Phase::Plugged);
                }
            }
            Some(Level::B) => self.checkpoint(Checkpoint::PILOT_BACK_TO_B),
            Some(Level::C | Level::D) if !matches!(before, Some(Level::C | Level::D)) => {
                self.checkpoint(Checkpoint::PILOT_C);
            }
            _ => {}
        }
    }

    /// What car and charger bear together.
    fn bounds(&self) -> Limits {
        self.config.limits.and(&self.car_limits)
    }

    fn is_ready(&self) -> bool {
        matches!(fresh(self.plant.pilot, self.now), Some(Level::C | Level::D))
    }

    fn present(&self) -> Target {
        self.power.present(self.now, &self.plant, self.config.power_stage)
    }
}

/// Stops.
impl Charger {
    /// Records why; the first reason stays, unless what comes later is about safety.
    fn stop_for(&mut self, by: By, cause: Cause, status: Status) {
        let worse = matches!(status, Status::EmergencyShutdown | Status::Malfunction);
        match &mut self.stop {
            Some(stop)
                if worse && !matches!(stop.status, Status::EmergencyShutdown | Status::Malfunction) =>
            {
                stop.status = status;
            }
            Some(_) => {}
            None => {
                let reason = StopReason::new(by, cause, self.phase);
                self.stop = Some(Stop { reason, status });
                self.events.push(Event::Stopping(reason));
                self.timers.set(Timer::Close, self.now + self.config.times.close_after_stop);
            }
        }
    }

    /// SAFE: 0 V and 0 A now, pilot steady, contactors open below 1 A or after 100 ms.
    fn make_safe(&mut self, by: By, cause: Cause, status: Status) {
        self.power.stop(self.now, SAFE_OPEN);
        self.pilot.halt(self.now);
        if self.state != State::NoSession {
            self.stop_for(by, cause, status);
        }
    }

    fn emergency_stop(&mut self) {
        if self.latched && !self.power.is_energised() {
            return;
        }
        self.latched = true;
        self.make_safe(By::Operator, Cause::EmergencyStop, Status::EmergencyShutdown);
    }

    fn operator(&mut self, word: Operator) {
        match word {
            Operator::Authorise(yes) => {
                self.authorised = Some(yes);
                self.checkpoint(Checkpoint::USER_AUTHORISES);
                if !yes && self.power.is_energised() {
                    self.orderly_stop(Cause::NotAuthorised);
                }
            }
            Operator::Stop => self.orderly_stop(Cause::OperatorStop),
            Operator::EmergencyStop => self.emergency_stop(),
            Operator::Reset => self.latched = false,
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

    /// The car is asked to stop; outside the charging loop the output is off at once.
    fn orderly_stop(&mut self, cause: Cause) {
        if self.state == State::NoSession {
            return;
        }
        self.stop_for(By::Operator, cause, Status::Shutdown);
        if self.power.is_transferring() {
            self.timers.set(Timer::StopGrace, self.now + self.config.times.stop_grace);
        } else {
            self.power.stop(self.now, self.config.times.power_off);
        }
    }

    fn expired(&mut self, timer: Timer) {
        match timer {
            Timer::Close => self.close = true,
            // The car does not follow: the charger takes the current down itself.
            Timer::StopGrace => self.power.stop(self.now, self.config.times.power_off),
            Timer::Setup
            | Timer::Sequence
            | Timer::Authorisation
            | Timer::CableCheck
            | Timer::PreCharge
            | Timer::Welding => {
                self.make_safe(By::Charger, Cause::Timeout(timer.name()), Status::Malfunction);
                self.state = State::StopOnly;
                self.close = !matches!(timer, Timer::Authorisation | Timer::CableCheck | Timer::PreCharge);
            }
        }
    }
}

/// The connection.
impl Charger {
    fn connected(&mut self) {
        if self.is_connected {
            self.closed(Closed::Rst);
        }
        self.is_connected = true;
        self.close = false;
        self.answer = None;
        self.stop = None;
        self.bad_messages = 0;
        self.session_id.clear();
        self.car_limits = Limits::NONE;
        self.precharge_mv = 0;
        self.isolation = Isolation::Measuring;
        self.parameters_since = None;
        self.timers.clear_all();
        if self.latched || !self.pilot.is_offering() {
            self.events.push(Event::Dropped(Dropped::Connection));
            self.state = State::Over;
            self.close = true;
            return;
        }
        self.state = State::Handshake;
        self.set_phase(Phase::Handshake);
        self.timers.set(Timer::Setup, self.now + self.config.times.setup);
        self.checkpoint(Checkpoint::TCP_CONNECTED);
        if self.config.power_stage == PowerStage::None {
            self.events.push(Event::Warning(Warning::NoPowerStage));
        }
    }

    fn closed(&mut self, closed: Closed) {
        if !self.is_connected {
            return;
        }
        self.is_connected = false;
        self.close = false;
        self.answer = None;
        self.waiting = None;
        self.timers.clear_all();
        self.power.stop(self.now, SAFE_OPEN);
        let finished = self.stop.is_some_and(|stop| stop.reason.is_normal());
        if self.stop.is_none() && self.state != State::Over {
            self.stop_for(By::Network, Cause::ConnectionLost(closed.name()), Status::Shutdown);
        }
        self.timers.clear_all();
        if finished {
            self.pilot.session_ended(self.now)
        } else {
            self.pilot.halt(self.now)
        }
        self.state = State::NoSession;
        self.set_phase(Phase::Ended);
        if self.authorised.is_some() {
            self.authorised = None;
        }
        if let Some(stop) = self.stop.take() {
            self.last_stop = Some(stop.reason);
            self.events.push(Event::Stopped(stop.reason));
        }
    }
}

/// Messages.
impl Charger {
    fn message(&mut self, cx: &mut Cx<'_>, payload_type: u16, payload: &[u8]) {
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
    fn bad(&mut self, dropped: Dropped) {
        self.events.push(Event::Dropped(dropped));
        self.bad_messages = self.bad_messages.saturating_add(1);
        if self.bad_messages >= BAD_MESSAGES {
            self.make_safe(By::Car, Cause::Undecodable, Status::Malfunction);
            self.state = State::StopOnly;
            self.close = true;
        }
    }

    /// The checks that come before anything else.
    fn serve(&mut self, cx: &mut Cx<'_>, request: Request) {
        let kind = request.kind;
        let belongs =
            matches!(kind, Kind::Handshake | Kind::SessionSetup) || request.session_id == self.session_id;
        if self.state.has_session() && !belongs {
            return self.refuse(&request, Verdict::UnknownSession, Cause::UnknownSession(request.name));
        }
        if !self.state.allows(kind) {
            return self.refuse(&request, Verdict::SequenceError, Cause::OutOfOrder(request.name));
        }
        let on = !matches!(request.content, Content::PowerDelivery { on: false, .. });
        if let (Some(phase), true) = (crate::sequence::phase_of(kind, on), self.state != State::StopOnly) {
            self.set_phase(phase);
        }
        self.act(cx, request);
    }

    /// A refusal never has an effect but switching off; behind it only the end is accepted.
    fn refuse(&mut self, request: &Request, verdict: Verdict, cause: Cause) {
        self.power.stop(self.now, SAFE_OPEN);
        self.stop_for(By::Charger, cause, Status::Shutdown);
        if self.state != State::Handshake && self.state != State::SessionSetup {
            self.state = State::StopOnly;
        }
        let late = self.config.times.close_after_failed;
        if late == Duration::ZERO || !self.state.has_session() {
            self.close = true;
        } else {
            self.timers.set(Timer::Close, self.now + late);
        }
        self.reply(request, verdict, true);
    }

    fn act(&mut self, cx: &mut Cx<'_>, request: Request) {
        match request.content.clone() {
            Content::Handshake(agreed) => self.handshake(&request, agreed),
            Content::SessionSetup { evccid_bytes } => self.session_setup(cx, &request, evccid_bytes),
            Content::PaymentSelection { external, only_service } => {
                let verdict = policy::payment(external, only_service, din::CHARGE_SERVICE);
                self.pass(&request, verdict, State::Authentication);
            }
            Content::ChargeParameter { transfer, car } => self.charge_parameter(&request, transfer, car),
            Content::CableCheck(car) => self.cable_check(request, car),
            Content::PreCharge(car, asked) => self.precharge(&request, car, asked),
            Content::PowerDelivery { on: true, tuple, profile_w, .. } => {
                self.power_on(&request, tuple, profile_w)
            }
            Content::PowerDelivery { on: false, .. } => self.power_off(request),
            Content::CurrentDemand { status, target, limits } => {
                self.current_demand(&request, status, target, limits)
            }
            Content::WeldingDetection(_) => self.welding_detection(request),
            Content::Nothing => match request.kind {
                Kind::ServiceDiscovery => self.pass(&request, Verdict::Ok, State::PaymentSelection),
                Kind::Authentication => self.authentication(&request),
                _ => self.session_stop(&request),
            },
        }
    }

    /// Answers, and goes on to `next` unless it was refused.
    fn pass(&mut self, request: &Request, verdict: Verdict, next: State) {
        if verdict.is_failed() {
            return self.refuse(request, verdict, Cause::Refused(request.name));
        }
        self.state = next;
        self.reply(request, verdict, true);
    }

    fn handshake(&mut self, request: &Request, agreed: Agreed) {
        if agreed == Agreed::No {
            self.stop_for(By::Charger, Cause::NoCommonProtocol, Status::Shutdown);
            self.close = true;
            self.state = State::StopOnly;
        } else {
            self.state = State::SessionSetup;
        }
        self.reply_with(request, Verdict::Ok, true, agreed);
    }

    fn session_setup(&mut self, cx: &mut Cx<'_>, request: &Request, evccid_bytes: usize) {
        if evccid_bytes == 0 {
            if !self.config.quirks.contains(Quirks::EMPTY_EVCCID) {
                return self.refuse(request, Verdict::Failed, Cause::Refused(request.name));
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

    fn authentication(&mut self, request: &Request) {
        let authorised = match self.config.authorisation {
            Authorisation::Free => Some(true),
            Authorisation::Operator => self.authorised,
        };
        match authorised {
            Some(true) => {
                self.timers.clear(Timer::Authorisation);
                self.checkpoint(Checkpoint::AUTHENTICATION_FINISHED);
                self.pass(request, Verdict::Ok, State::ChargeParameter);
            }
            Some(false) => self.refuse(request, Verdict::Failed, Cause::NotAuthorised),
            None => {
                self.start(Timer::Authorisation, self.config.times.authorisation);
                self.reply(request, Verdict::Ok, false);
            }
        }
    }

    fn charge_parameter(
        &mut self,
        request: &Request,
        transfer: Option<crate::EnergyTransfer>,
        car: Option<(CarStatus, Limits)>,
    ) {
        let verdict = policy::parameters(&self.config, transfer, car.as_ref());
        let Some((_, limits)) = car.filter(|_| !verdict.is_failed()) else {
            return self.refuse(request, verdict, Cause::Refused(request.name));
        };
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

    fn cable_check(&mut self, request: Request, car: CarStatus) {
        if car.error != 0 {
            return self.refuse(&request, Verdict::Failed, Cause::CarError(car.error));
        }
        if self.stop.is_some() {
            return self.reply(&request, Verdict::Ok, false);
        }
        if !self.is_ready() {
            return self.wait(request, self.config.times.pilot_detection);
        }
        if !self.power.is_testing() {
            self.start(Timer::CableCheck, self.config.times.cable_check);
            self.checkpoint(Checkpoint::ISOLATION_TEST);
            if let Err(fault) = self.power.begin_test(self.now, &self.plant, &self.config) {
                return self.test_failed(&request, fault);
            }
            self.power.step(self.now, &self.plant, &self.config);
        }
        match self.power.test_result() {
            None => self.reply(&request, Verdict::Ok, false),
            Some(Err(fault)) => self.test_failed(&request, fault),
            Some(Ok(isolation)) => {
                let good = match isolation {
                    Isolation::Valid => true,
                    Isolation::Warning => self.config.quirks.contains(Quirks::ISOLATION_WARNING),
                    Isolation::Measuring | Isolation::Fault => false,
                };
                self.isolation = isolation;
                if !good {
                    return self.test_failed(&request, Fault::Isolation);
                }
                self.timers.clear(Timer::CableCheck);
                self.checkpoint(Checkpoint::CABLE_CHECK_FINISHED);
                self.pass(&request, Verdict::Ok, State::PreCharge);
            }
        }
    }

    fn test_failed(&mut self, request: &Request, fault: Fault) {
        let cause = match fault {
            Fault::Weld => Cause::WeldSuspected,
            Fault::Contactor => Cause::Contactor,
            Fault::Voltage => Cause::VoltageOff,
            Fault::Isolation => Cause::Isolation,
        };
        self.make_safe(By::Charger, cause, Status::Malfunction);
        self.refuse(request, Verdict::Failed, cause);
    }

    fn precharge(&mut self, request: &Request, car: CarStatus, asked: Target) {
        if self.stop.is_some() {
            return self.reply(request, Verdict::Ok, true);
        }
        let bounds = self.bounds();
        let present = fresh(self.plant.current_ma, self.now).unwrap_or(0);
        if present.saturating_abs() > CURRENT_BEFORE_POWER_MA {
            return self.refuse(request, Verdict::Failed, Cause::OverCurrent);
        }
        match policy::precharge(&self.config, &bounds, car, asked) {
            Err(verdict) => {
                let cause =
                    if car.error == 0 { Cause::Refused(request.name) } else { Cause::CarError(car.error) };
                self.refuse(request, verdict, cause);
            }
            Ok((voltage_mv, warning)) => {
                if let Some(warning) = warning {
                    self.events.push(Event::Warning(warning));
                }
                self.start(Timer::PreCharge, self.config.times.precharge);
                self.precharge_mv = voltage_mv;
                self.power.precharge(self.now, voltage_mv, &self.config);
                self.power.step(self.now, &self.plant, &self.config);
                self.state = State::PreChargeOrPower;
                self.reply(request, Verdict::Ok, true);
            }
        }
    }

    fn power_on(&mut self, request: &Request, tuple: Option<i16>, profile_w: i32) {
        // `Demand` allows PowerDelivery only to switch off.
        if self.state != State::PreChargeOrPower {
            self.refuse(request, Verdict::Failed, Cause::OutOfOrder(request.name));
            self.close = true;
            return;
        }
        if self.stop.is_some() || !self.is_ready() {
            return self.refuse(request, Verdict::PowerDeliveryNotApplied, Cause::Refused(request.name));
        }
        let present = self.present().voltage_mv;
        match policy::power_on(&self.config, tuple, profile_w, present, self.precharge_mv) {
            Err(verdict) => self.refuse(request, verdict, Cause::Refused(request.name)),
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
    fn power_off(&mut self, request: Request) {
        let limit = self.config.times.power_off;
        self.timers.clear(Timer::PreCharge);
        self.timers.clear(Timer::StopGrace);
        self.power.stop(self.now, limit);
        self.state = State::Welding;
        self.start(Timer::Welding, self.config.times.welding);
        self.wait(request, limit);
    }

    fn current_demand(&mut self, request: &Request, car: CarStatus, asked: Target, limits: Limits) {
        if !policy::demand(asked, &limits) {
            return self.refuse(request, Verdict::Failed, Cause::Refused(request.name));
        }
        if self.power.is_transferring() {
            // A car that reports an error gets no current, and ends the session itself.
            let asked = if car.error == 0 { asked } else { Target { current_ma: 0, ..asked } };
            let bounds = self.bounds().and(&limits);
            self.power.transfer(self.now, asked, bounds);
            self.power.step(self.now, &self.plant, &self.config);
        }
        if self.state == State::FirstDemand {
            self.checkpoint(Checkpoint::CURRENT_DEMAND_LOOP);
        }
        self.state = State::Demand;
        self.reply(request, Verdict::Ok, true);
    }

    fn welding_detection(&mut self, request: Request) {
        if self.is_ready() {
            return self.wait(request, self.config.times.pilot_detection);
        }
        self.reply(&request, Verdict::Ok, true);
    }

    fn session_stop(&mut self, request: &Request) {
        self.power.stop(self.now, SAFE_OPEN);
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

/// Answers.
impl Charger {
    /// Answers later: when the pilot or the current is where it must be, or at the latest after `span`.
    fn wait(&mut self, request: Request, span: Duration) {
        let waiting = Waiting { request, until: self.now + span };
        self.answer_waiting(waiting);
    }

    fn answer_waiting(&mut self, waiting: Waiting) {
        let late = self.now >= waiting.until;
        let Waiting { request, until } = waiting;
        let arrived = match request.kind {
            Kind::CableCheck => self.is_ready(),
            Kind::WeldingDetection => !self.is_ready(),
            _ => !self.power.is_energised(),
        };
        match (request.kind, request.content.clone()) {
            (Kind::CableCheck, Content::CableCheck(car)) if arrived => self.cable_check(request, car),
            (Kind::CableCheck | Kind::WeldingDetection, _) if late && !arrived => {
                self.refuse(&request, Verdict::Failed, Cause::Timeout("pilot detection"));
            }
            _ if arrived || late => self.reply(&request, Verdict::Ok, true),
            _ => self.waiting = Some(Waiting { request, until }),
        }
    }

    fn reply(&mut self, request: &Request, verdict: Verdict, finished: bool) {
        self.reply_with(request, verdict, finished, Agreed::No);
    }

    fn reply_with(&mut self, request: &Request, verdict: Verdict, finished: bool, agreed: Agreed) {
        let asked_current = matches!(&request.content, Content::CurrentDemand { target, .. }
            if target.current_ma > self.config.limits.max_current_ma);
        let asked_voltage = matches!(&request.content, Content::CurrentDemand { target, .. }
            if target.voltage_mv > self.config.limits.max_voltage_mv);
        let present = self.present();
        let most = self.config.limits.current_at_power(present.voltage_mv);
        let asked_power = matches!(&request.content, Content::CurrentDemand { target, .. }
            if target.current_ma > most);
        let answer = Answer {
            kind: request.kind,
            name: response_name(request.kind),
            session_id: self.session_id.clone(),
            agreed,
            verdict,
            finished,
            status: self.status(request.kind, finished),
            isolation: Some(self.isolation),
            notify_stop: self.stop.is_some() && self.config.quirks.contains(Quirks::NOTIFY_STOP),
            present,
            achieved: [asked_current, asked_voltage, asked_power],
        };
        self.tell_answer(&answer, request);
        self.answer = Some(answer);
        if self.state != State::Over {
            self.timers.set(Timer::Sequence, self.now + self.config.times.sequence);
        }
    }

    /// The charger's status as the car is told it (defaults of `EvseV2G`, and Ready where an Audi needs it).
    fn status(&self, kind: Kind, finished: bool) -> Status {
        if let Some(stop) = self.stop {
            return stop.status;
        }
        match kind {
            Kind::ChargeParameter | Kind::PreCharge | Kind::CurrentDemand => Status::Ready,
            Kind::CableCheck if finished => Status::Ready,
            Kind::CableCheck => Status::IsolationMonitoring,
            Kind::PowerDelivery if self.state == State::FirstDemand => Status::Ready,
            Kind::PowerDelivery | Kind::WeldingDetection => Status::Shutdown,
            _ => Status::NotReady,
        }
    }

    fn start(&mut self, timer: Timer, span: Duration) {
        if self.timers.due(timer).is_none() {
            self.timers.set(timer, self.now + span);
        }
    }
}

/// Events.
impl Charger {
    fn set_phase(&mut self, phase: Phase) {
        if phase != self.phase {
            self.phase = phase;
            self.events.push(Event::Phase(phase));
        }
    }

    fn checkpoint(&mut self, checkpoint: Checkpoint) {
        self.events.push(Event::Checkpoint(checkpoint));
    }

    fn tell_request(&mut self, request: &Request) {
        let mut values = Values::default();
        let mut car = |status: CarStatus| {
            values.soc_percent = Some(status.soc_percent);
            values.car_error = (status.error != 0).then_some(status.error);
        };
        match &request.content {
            Content::ChargeParameter { car: Some((status, limits)), .. } => {
                car(*status);
                values.limits = Some(*limits);
            }
            Content::CableCheck(status) | Content::WeldingDetection(status) => car(*status),
            Content::PreCharge(status, target) => {
                car(*status);
                values.target = Some(*target);
            }
            Content::PowerDelivery { on, status, .. } => {
                if let Some(status) = status {
                    car(*status);
                }
                values.power_on = Some(*on);
            }
            Content::CurrentDemand { status, target, .. } => {
                car(*status);
                values.target = Some(*target);
            }
            _ => {}
        }
        let on = values.power_on.unwrap_or(true);
        let (checkpoint, _) = checkpoints(request.kind, on);
        let direction = Direction::Received;
        self.events.push(Event::Message(Message { direction, name: request.name, checkpoint, values }));
    }

    fn tell_answer(&mut self, answer: &Answer, request: &Request) {
        let has_status = matches!(
            answer.kind,
            Kind::ChargeParameter
                | Kind::CableCheck
                | Kind::PreCharge
                | Kind::PowerDelivery
                | Kind::CurrentDemand
                | Kind::WeldingDetection
        );
        let has_present =
            matches!(answer.kind, Kind::PreCharge | Kind::CurrentDemand | Kind::WeldingDetection);
        let processed =
            matches!(answer.kind, Kind::Authentication | Kind::ChargeParameter | Kind::CableCheck);
        let values = Values {
            code: Some(din::code_name(answer)),
            finished: processed.then_some(answer.finished),
            status: has_status.then_some(answer.status),
            isolation: answer.isolation.filter(|_| has_status),
            present: has_present.then_some(answer.present),
            ..Values::default()
        };
        let on = !matches!(request.content, Content::PowerDelivery { on: false, .. });
        let (_, checkpoint) = checkpoints(answer.kind, on);
        let direction = Direction::Sent;
        self.events.push(Event::Message(Message { direction, name: answer.name, checkpoint, values }));
    }
}

const fn response_name(kind: Kind) -> &'static str {
    match kind {
        Kind::Handshake => "supportedAppProtocolRes",
        Kind::SessionSetup => "SessionSetupRes",
        Kind::ServiceDiscovery => "ServiceDiscoveryRes",
        Kind::PaymentSelection => "ServicePaymentSelectionRes",
        Kind::Authentication => "ContractAuthenticationRes",
        Kind::ChargeParameter => "ChargeParameterDiscoveryRes",
        Kind::CableCheck => "CableCheckRes",
        Kind::PreCharge => "PreChargeRes",
        Kind::PowerDelivery => "PowerDeliveryRes",
        Kind::CurrentDemand => "CurrentDemandRes",
        Kind::WeldingDetection => "WeldingDetectionRes",
        Kind::SessionStop => "SessionStopRes",
        Kind::ServiceDetail => "ServiceDetailRes",
        Kind::PaymentDetails => "PaymentDetailsRes",
        Kind::ChargingStatus => "ChargingStatusRes",
        Kind::MeteringReceipt => "MeteringReceiptRes",
        Kind::CertificateUpdate => "CertificateUpdateRes",
        Kind::CertificateInstallation => "CertificateInstallationRes",
    }
}

/// The checkpoints of a request and of its answer.
const fn checkpoints(kind: Kind, on: bool) -> (Option<Checkpoint>, Option<Checkpoint>) {
    let (request, answer) = match kind {
        Kind::Handshake => (Checkpoint::HANDSHAKE_REQ_RECEIVED, Checkpoint::HANDSHAKE_RES_SENT),
        Kind::SessionSetup => (Checkpoint::SESSION_SETUP_REQ, Checkpoint::SESSION_SETUP_RES_SENT),
        Kind::ServiceDiscovery => (Checkpoint::SERVICE_DISCOVERY_REQ, Checkpoint::SERVICE_DISCOVERY_RES),
        Kind::PaymentSelection => (Checkpoint::PAYMENT_SELECTION_REQ, Checkpoint::PAYMENT_SELECTION_RES),
        Kind::Authentication => (Checkpoint::AUTHENTICATION_REQ, Checkpoint::AUTHENTICATION_RES),
        Kind::ChargeParameter => (Checkpoint::CHARGE_PARAMETER_REQ, Checkpoint::CHARGE_PARAMETER_RES),
        Kind::CableCheck => (Checkpoint::CABLE_CHECK_REQ, Checkpoint::CABLE_CHECK_RES),
        Kind::PreCharge => (Checkpoint::PRE_CHARGE_REQ, Checkpoint::PRE_CHARGE_RES),
        Kind::PowerDelivery if on => (Checkpoint::POWER_START_REQ, Checkpoint::POWER_START_RES),
        Kind::PowerDelivery => (Checkpoint::POWER_STOP_REQ, Checkpoint::POWER_STOP_RES_SENT),
        Kind::CurrentDemand => (Checkpoint::CURRENT_DEMAND_REQ, Checkpoint::CURRENT_DEMAND_RES),
        Kind::WeldingDetection => (Checkpoint::WELDING_DETECTION_REQ, Checkpoint::WELDING_DETECTION_RES),
        Kind::SessionStop => (Checkpoint::SESSION_STOP_REQ, Checkpoint::SESSION_STOP_RES),
        _ => return (None, None),
    };
    (Some(request), Some(answer))
}
