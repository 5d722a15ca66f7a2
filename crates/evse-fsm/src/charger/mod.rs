//! The charger: what comes in changes the session, the pilot and the plant, in this order.

mod answers;
mod connection;
mod latches;
mod requests;
mod stops;
mod supervise;
mod tell;

use control_pilot::{Level, Output};
use heapless::Vec;
use machine::{Cx, Deadline, Duration, Instant, Machine, Queue, TimerName, Timers, TooShort};
use session::{Latch, Limits, Phase, StopReason};

use crate::din;
use crate::pilot::Pilot;
use crate::power::Power;
use crate::request::{Answer, Request, SessionId};
use crate::sequence::State;
use crate::supervision::Supervision;
use crate::{
    Config, ConfigError, Demand, Dropped, Event, Input, Isolation, Lock, PAYLOAD_TYPE, Plant, Status,
};

/// Events that wait at most: a request, its answer and what they cause are six.
const EVENTS: usize = 16;

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
#[allow(clippy::struct_excessive_bools, reason = "each is a fact of its own")]
pub struct Charger {
    config: Config,
    plant: Plant,
    /// When the first needed reading of the snapshot becomes too old.
    stale_at: Option<Instant>,
    pilot: Pilot,
    power: Power,
    supervision: Supervision,
    state: State,
    phase: Phase,
    is_connected: bool,
    close: bool,
    available: bool,
    /// Set by what must not be repeated without a person or a new plug: no offer meanwhile.
    latched: Option<Latch>,
    /// A sensor is suspect, whatever else is latched.
    is_suspect: bool,
    /// Someone stopped the charger: no offer behind the session at hand until the plug was out or a reset.
    stopped: bool,
    /// How often in a row sessions ended for each of [`latches::COUNTED`].
    tries: [u8; latches::COUNTED.len()],
    /// The session at hand came to the charging loop.
    charged: bool,
    /// The car says that it is not ready.
    car_waits: bool,
    /// It was at pilot C or D for the cable check and has left it.
    car_left: bool,
    authorised: Option<bool>,
    session_id: SessionId,
    car_limits: Limits,
    /// The car's last precharge target as asked, in mV.
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
    /// The plug was out, as far as the charger could tell.
    was_out: bool,
    /// How long nothing had come in when the last thing did.
    unseen: Duration,
    now: Instant,
    /// The earliest deadline, found once whenever anything has come in.
    due: Option<Deadline>,
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
            stale_at: None,
            pilot: Pilot::new(),
            power: Power::new(),
            supervision: Supervision::new(),
            state: State::NoSession,
            phase: Phase::Idle,
            is_connected: false,
            close: false,
            latched: None,
            is_suspect: false,
            stopped: false,
            tries: [latches::TRIES_BEFORE; latches::COUNTED.len()],
            charged: false,
            car_waits: false,
            car_left: false,
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
            // What was latched before the program began is not released by a plug that is out already.
            was_out: true,
            unseen: Duration::ZERO,
            now: Instant::ZERO,
            due: None,
            timers: Timers::new(),
            events: Queue::new(),
        })
    }

    /// The pilot of [`demand`](Self::demand).
    pub const fn pilot(&self) -> Output {
        self.pilot.output()
    }

    /// What the charger wants of its plant now. Read and apply it after each call.
    pub fn demand(&self) -> Demand {
        let (supply, contactors) = self.power.demand(self.config.power_stage);
        let lock = if self.may_unlock() { Lock::Released } else { Lock::Held };
        let discharge = self.config.bleeder && self.supervision.off.discharges(self.now);
        let (self_test, _) = self.power.test_wants();
        Demand { pilot: self.pilot(), supply, contactors, lock, discharge, self_test }
    }

    /// Whether the connection shall be closed now: everything that was to be sent has been taken.
    /// Stays so until [`Input::Closed`] or a new [`Input::Connected`].
    pub fn wants_close(&self) -> bool {
        self.close && self.answer.is_none()
    }

    /// The pilot's level as two readings agree on it; `None` while none is fresh.
    pub fn level(&self) -> Option<Level> {
        self.level
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
        // A snapshot is the newest truth; whatever else comes in finds what was due done already.
        if !matches!(input, Input::Plant(_)) {
            self.run_timers();
        }
        match input {
            Input::Plant(plant) => {
                self.config.sensors |= plant.answering();
                self.stale_at = plant.stale_at(self.config.sensors);
                self.plant = plant;
            }
            Input::Message { payload_type, payload } => self.message(cx, payload_type, payload),
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
        let Some(answer) = &self.answer else { return Ok(None) };
        let encoded = din::encode(answer, &self.config, buffer);
        if let Some(needed) = encoded.err().and_then(|error| error.needed()) {
            return Err(TooShort { needed });
        }
        if encoded.is_err() {
            self.events.push(Event::Dropped(Dropped::NotEncoded(answer.name)));
        }
        self.answer = None;
        Ok(encoded.ok().map(|length| (length, PAYLOAD_TYPE)))
    }

    fn poll_event(&mut self) -> Option<Event> {
        self.events.pop()
    }

    fn poll_timeout(&self) -> Option<Deadline> {
        self.due
    }
}
