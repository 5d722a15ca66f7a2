//! The car: what comes in changes the session, the pilot, the contactors and the lock, in this order.

mod ask;
mod charging;
mod connection;
mod latches;
mod next;
mod precharge;
mod responses;
mod state;
mod stops;
mod supervise;
mod tell;

use machine::{Cx, Deadline, Instant, Machine, Queue, TooShort};
use session::{DEAD_MV, Detail, Latch, Phase, Snapshot, StopReason, fresh};

use crate::order::State;
use crate::plug::Plug;
use crate::power::Power;
use crate::supervision::Supervision;
use crate::{Config, ConfigError, Demand, Dropped, Event, Input, Plant, Vehicle, wire};
use state::{Session, Timer};

/// Events that wait at most: a response, the next request and what they cause are six.
const EVENTS: usize = 16;

/// A car's inlet: session and plant. See the crate's documentation.
#[derive(Debug)]
pub struct Car {
    config: Config,
    plant: Snapshot<Plant>,
    vehicle: Option<Vehicle>,
    power: Power,
    plug: Plug,
    supervision: Supervision,
    phase: Phase,
    is_connected: bool,
    close: bool,
    latched: Option<Latch>,
    /// The driver's stop, until something takes it back.
    is_stop_kept: bool,
    session: Session,
    last_stop: Option<StopReason>,
    /// What is at hand says this of a stop that it causes.
    about: Detail,
    now: Instant,
    /// The earliest deadline, found once whenever anything has come in.
    due: Option<Deadline>,
    events: Queue<Event, EVENTS>,
}

impl Car {
    /// A car without a session, that knows nothing of its plant yet.
    ///
    /// # Errors
    /// What [`Config::check`] says.
    pub fn new(config: Config) -> Result<Self, ConfigError> {
        config.check()?;
        let config = config.effective();
        Ok(Self {
            session: Session::new(Instant::ZERO, &config),
            config,
            plant: Snapshot::default(),
            vehicle: None,
            power: Power::new(),
            plug: Plug::new(),
            supervision: Supervision::default(),
            phase: Phase::Idle,
            is_connected: false,
            close: false,
            latched: None,
            is_stop_kept: false,
            last_stop: None,
            about: Detail::default(),
            now: Instant::ZERO,
            due: None,
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
        self.close && self.session.request.is_none()
    }

    /// Whether a connection would begin a session: none is under way, nothing is latched, no stop is kept,
    /// the contactors are open, no voltage is known to be at the inlet, and a [`Vehicle`] has been given.
    pub fn may_begin(&self) -> bool {
        let is_idle = self.session.state == State::NoSession && self.power.is_off();
        let is_held = self.latched.is_some() || self.is_stop_kept;
        is_idle && !is_held && !self.is_live() && self.vehicle.is_some()
    }

    /// Whether the driver's stop is kept: see [`Operator::Stop`](crate::Operator::Stop).
    pub fn is_stop_kept(&self) -> bool {
        self.is_stop_kept
    }

    /// Whether the charger offers digital communication: its pilot has shown 5 %, and was not lost for 90 ms
    /// since.
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
        self.session.stop.or(self.last_stop)
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
            Input::Plant(plant) => self.plant.take(plant, &mut self.config.sensors),
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
        let Some(request) = &self.session.request else { return Ok(None) };
        let encoded = wire::encode(self.session.protocol, request, &self.config, buffer);
        if let Some(needed) = encoded.err().and_then(|error| error.needed()) {
            return Err(TooShort { needed });
        }
        if encoded.is_err() {
            self.events.push(Event::Dropped(Dropped::NotEncoded(self.names(request.exchange).request)));
        }
        self.session.request = None;
        Ok(encoded.ok())
    }

    fn poll_event(&mut self) -> Option<Event> {
        self.events.pop()
    }

    fn poll_timeout(&self) -> Option<Deadline> {
        self.due
    }
}

impl Car {
    fn tell_time(&mut self, now: Instant) {
        let is_held_up = self.plant.is_held_up(self.due, self.config.sensors, now);
        let unseen = now.since(self.now);
        self.now = self.now.max(now);
        if is_held_up && self.power.is_in_use() {
            let about = Detail { held_up: Some(unseen), ..Detail::default() };
            self.about(about, |car| car.make_safe(session::By::Car, session::Cause::HeldUp));
        }
    }
}
