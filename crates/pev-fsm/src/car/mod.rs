//! The car: what comes in changes the session, the pilot, the contactors and the lock, in this order.

mod ask;
mod charging;
mod connection;
mod latches;
mod precharge;
mod responses;
mod stops;
mod supervise;
mod tell;

use machine::{Cx, Deadline, Duration, Instant, Machine, Queue, TimerName, Timers, TooShort};
use session::{DEAD_MV, Detail, EnergyTransfer, Latch, Limits, Phase, StopReason, fresh};

use crate::din;
use crate::plug::Plug;
use crate::policy::Ramp;
use crate::power::Power;
use crate::request::{Kind, Request, SessionId};
use crate::settle::Settling;
use crate::supervision::Supervision;
use crate::{Config, ConfigError, Demand, Dropped, Event, Input, PAYLOAD_TYPE, Plant, Vehicle};

/// Events that wait at most: a response, the next request and what they cause are six.
const EVENTS: usize = 16;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Timer {
    Message,
    Setup,
    ReadyToCharge,
    Loop,
    Pace,
    Lock,
    StopBy,
    NoDemand,
    NoCurrent,
}

impl TimerName for Timer {
    const ALL: &'static [Self] = &[
        Self::Message,
        Self::Setup,
        Self::ReadyToCharge,
        Self::Loop,
        Self::Pace,
        Self::Lock,
        Self::StopBy,
        Self::NoDemand,
        Self::NoCurrent,
    ];
    fn name(self) -> &'static str {
        match self {
            Self::Message => "response",
            Self::Setup => "communication setup",
            Self::ReadyToCharge => "ready to charge",
            Self::Loop => "loop",
            Self::Pace => "next request",
            Self::Lock => "lock confirmation",
            Self::StopBy => "stop by the charger",
            Self::NoDemand => "no demand",
            Self::NoCurrent => "no current",
        }
    }
}

/// Where the session is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Step {
    NoSession,
    /// The request is out, or waits for its turn.
    Asking(Kind),
    /// Pilot C, waiting for the connector lock.
    Locking,
    /// Waiting for the contactors to close.
    Closing,
    /// Pilot B, waiting for the contactors to open.
    Opening,
    /// Nothing more is said.
    Over,
}

/// A car's inlet: session and plant. See the crate's documentation.
#[derive(Debug)]
#[allow(clippy::struct_excessive_bools, reason = "each is a fact of its own")]
pub struct Car {
    config: Config,
    plant: Plant,
    /// When the first needed reading of the snapshot becomes too old.
    stale_at: Option<Instant>,
    vehicle: Option<Vehicle>,
    power: Power,
    plug: Plug,
    supervision: Supervision,
    step: Step,
    phase: Phase,
    is_connected: bool,
    close: bool,
    latched: Option<Latch>,
    /// The driver's stop, until something takes it back.
    is_stop_kept: bool,
    session_id: SessionId,
    /// A response is awaited.
    is_waiting: bool,
    /// The request that has not been taken yet.
    request: Option<Request>,
    service_id: u16,
    transfer: EnergyTransfer,
    /// The charger's newest limits.
    charger: Limits,
    /// The highest voltage that the charger was named, in mV.
    named_mv: i32,
    /// The isolation test ended with Valid or Warning.
    is_isolated: bool,
    isolation_told: bool,
    disagreement_told: bool,
    loop_told: bool,
    settling: Settling,
    /// The last `PreChargeRes` found the voltage near, and a reading from then on may close the contactors.
    closes_from: Option<Instant>,
    /// Newest voltage that the charger reported, in mV.
    reported_mv: Option<i32>,
    /// The lock was confirmed in this session.
    is_locked: bool,
    /// Power was asked for in this session.
    was_powered: bool,
    ramp: Ramp,
    /// What was asked for last, in mA; `None` before the first demand.
    asked_ma: Option<i32>,
    welding_rounds: u8,
    stop: Option<StopReason>,
    /// What is at hand says this of a stop that it causes.
    about: Detail,
    last_stop: Option<StopReason>,
    now: Instant,
    /// The earliest deadline, found once whenever anything has come in.
    due: Option<Deadline>,
    timers: Timers<Timer, 9>,
    events: Queue<Event, EVENTS>,
}

impl Car {
    /// How late a deadline may be met while the car is in C (docs/ARCHITECTURE.md).
    const HELD_UP: Duration = Duration::from_millis(500);
    /// With readings that have become too old meanwhile, so much is enough: more than a loop takes that runs (judgement).
    const UNASKED: Duration = Duration::from_millis(50);

    /// A car without a session, that knows nothing of its plant yet.
    ///
    /// # Errors
    /// What [`Config::check`] says.
    pub fn new(config: Config) -> Result<Self, ConfigError> {
        config.check()?;
        let config = config.effective();
        Ok(Self {
            transfer: config.energy_transfer,
            config,
            plant: Plant::default(),
            stale_at: None,
            vehicle: None,
            power: Power::new(),
            plug: Plug::new(),
            supervision: Supervision::default(),
            step: Step::NoSession,
            phase: Phase::Idle,
            is_connected: false,
            close: false,
            latched: None,
            is_stop_kept: false,
            session_id: SessionId::new(),
            is_waiting: false,
            request: None,
            service_id: 1,
            charger: Limits::NONE,
            named_mv: i32::MAX,
            is_isolated: false,
            isolation_told: false,
            disagreement_told: false,
            loop_told: false,
            settling: Settling::default(),
            closes_from: None,
            reported_mv: None,
            is_locked: false,
            was_powered: false,
            ramp: Ramp::new(Instant::ZERO),
            asked_ma: None,
            welding_rounds: 0,
            stop: None,
            about: Detail::default(),
            last_stop: None,
            now: Instant::ZERO,
            due: None,
            timers: Timers::new(),
            events: Queue::new(),
        })
    }

    /// What the car wants of its plant now. Read and apply it after each call.
    pub fn demand(&self) -> Demand {
        Demand { pilot: self.power.pilot(), contactors: self.power.contactors(), lock: self.plug.lock() }
    }

    /// Whether the connection shall be closed now: everything that was to be sent has been taken.
    /// Stays so until [`Input::Closed`] or a new [`Input::Connected`].
    pub fn wants_close(&self) -> bool {
        self.close && self.request.is_none()
    }

    /// Whether a connection would begin a session: none is under way, nothing is latched, no stop is kept, the contactors are
    /// open, no voltage is known to be at the inlet, and a [`Vehicle`] has been given.
    pub fn may_begin(&self) -> bool {
        let is_idle = self.step == Step::NoSession && self.power.is_off();
        let is_held = self.latched.is_some() || self.is_stop_kept;
        is_idle && !is_held && !self.is_live() && self.vehicle.is_some()
    }

    /// Whether the driver's stop is kept: see [`Operator::Stop`](crate::Operator::Stop).
    pub fn is_stop_kept(&self) -> bool {
        self.is_stop_kept
    }

    /// Whether the charger offers digital communication: its pilot has shown 5 %, and was not lost for 90 ms since.
    pub fn is_offered(&self) -> bool {
        self.supervision.is_offered()
    }

    /// Whether 60 V or more are known to be at the inlet.
    fn is_live(&self) -> bool {
        fresh(self.plant.inlet_mv, self.now).is_some_and(|mv| mv.saturating_abs() >= DEAD_MV)
    }

    /// Where the session is.
    pub fn phase(&self) -> Phase {
        self.phase
    }

    /// Why the session at hand is being ended, or why the last one ended.
    pub fn stop_reason(&self) -> Option<StopReason> {
        self.stop.or(self.last_stop)
    }

    /// The fault that holds the next session off, if there is one.
    pub fn latched(&self) -> Option<Latch> {
        self.latched
    }
}

impl Machine for Car {
    type Input<'a> = Input<'a>;
    type Route = u16;
    type Event = Event;

    fn handle(&mut self, cx: &mut Cx<'_>, input: Input<'_>) {
        self.tell_time(cx.now);
        // A snapshot is the newest truth; whatever else comes in finds what was due done already.
        if !matches!(input, Input::Plant(_) | Input::Vehicle(_)) {
            self.run_timers();
            self.watch();
        }
        match input {
            Input::Plant(plant) => self.read(plant),
            Input::Vehicle(vehicle) => self.vehicle = Some(vehicle.sane()),
            Input::Message { payload_type, payload } => self.message(payload_type, payload),
            Input::Connected => self.connected(),
            Input::Closed(closed) => self.closed(closed),
            Input::LinkLost => self.link_lost(),
            Input::Operator(word) => self.operator(word),
        }
        self.advance();
    }

    fn handle_timeout(&mut self, cx: &mut Cx<'_>) {
        if self.due.is_some_and(|due| cx.now < due.at) {
            return;
        }
        self.tell_time(cx.now);
        self.run_timers();
        self.advance();
    }

    fn poll_transmit(&mut self, buffer: &mut [u8]) -> Result<Option<(usize, u16)>, TooShort> {
        let Some(request) = &self.request else { return Ok(None) };
        let encoded = din::encode(request, &self.config, buffer);
        if let Some(needed) = encoded.err().and_then(|error| error.needed()) {
            return Err(TooShort { needed });
        }
        if encoded.is_err() {
            self.events.push(Event::Dropped(Dropped::NotEncoded(request.kind.row().request)));
        }
        self.request = None;
        Ok(encoded.ok().map(|length| (length, PAYLOAD_TYPE)))
    }

    fn poll_event(&mut self) -> Option<Event> {
        self.events.pop()
    }

    fn poll_timeout(&self) -> Option<Deadline> {
        self.due
    }
}

impl Car {
    fn read(&mut self, plant: Plant) {
        self.config.sensors |= plant.answering();
        self.stale_at = plant.stale_at(self.config.sensors);
        self.plant = plant;
    }

    /// The name of the first needed reading that is absent or too old at `now`.
    pub(super) fn stale(&self, now: Instant) -> Option<&'static str> {
        // Asked after every frame and timer: the snapshot's own answer is worked out once.
        let is_fresh = self.stale_at.is_some_and(|at| now < at);
        if is_fresh { None } else { self.plant.stale(self.config.sensors, now) }
    }

    fn tell_time(&mut self, now: Instant) {
        let late = self.due.map_or(Duration::ZERO, |due| now.since(due.at));
        // Readings that got too old because nobody asked for them: that is no fault of the adapter.
        let is_blind = late > Self::UNASKED && self.stale(now).is_some();
        let unseen = now.since(self.now);
        self.now = self.now.max(now);
        if (late > Self::HELD_UP || is_blind) && self.power.is_in_use() {
            let about = Detail { held_up: Some(unseen), ..Detail::default() };
            self.about(about, |car| car.make_safe(session::By::Car, session::Cause::HeldUp));
        }
    }
}
