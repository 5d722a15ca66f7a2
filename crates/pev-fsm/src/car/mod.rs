//! The car: an input changes the session, then the pilot, the contactors and the lock.

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

/// Capacity of the event queue: a response, the next request and their consequences are at most six.
const EVENTS: usize = 16;

/// A car's inlet: its session and its plant. See the documentation of the crate.
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
    /// The driver has stopped, and neither a reset, nor a start, nor the removal of the plug has ended that.
    is_stop_kept: bool,
    session: Session,
    last_stop: Option<StopReason>,
    /// Details for a stop that the input at hand causes.
    about: Detail,
    now: Instant,
    /// The earliest deadline, computed once for each input.
    due: Option<Deadline>,
    events: Queue<Event, EVENTS>,
}

impl Car {
    /// A car without a session and without readings.
    ///
    /// # Errors
    /// As [`Config::check`].
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

    /// The levels that the car requires of its plant. Read and apply them after each call.
    pub fn demand(&self) -> Demand {
        Demand { pilot: self.power.pilot(), contactors: self.power.contactors(), lock: self.plug.lock() }
    }

    /// Whether to close the connection now: all payloads have been fetched. Stays `true` until
    /// [`Input::Closed`] or a new [`Input::Connected`].
    pub fn wants_close(&self) -> bool {
        self.close && self.session.request.is_none()
    }

    /// Whether a connection would begin a session. None is under way, nothing is latched, the driver has not
    /// stopped, the contactors are open, the inlet is not known to be live, and a [`Vehicle`] was passed.
    pub fn may_begin(&self) -> bool {
        let is_idle = self.session.state == State::NoSession && self.power.is_off();
        let is_held = self.latched.is_some() || self.is_stop_kept;
        is_idle && !is_held && !self.is_live() && self.vehicle.is_some()
    }

    /// Whether the driver's stop is in force: see [`Operator::Stop`](crate::Operator::Stop).
    pub fn is_stop_kept(&self) -> bool {
        self.is_stop_kept
    }

    /// Whether the charger offers digital communication: its pilot has shown 5 %, and was not lost for 90 ms
    /// since then.
    pub fn is_offered(&self) -> bool {
        self.supervision.is_offered()
    }

    /// Whether a fresh reading shows 60 V or more at the inlet.
    fn is_live(&self) -> bool {
        fresh(self.plant.inlet_mv, self.now).is_some_and(|mv| mv.saturating_abs() >= DEAD_MV)
    }

    /// The phase of the session.
    pub fn phase(&self) -> Phase {
        self.phase
    }

    /// Why the current session is being ended, or why the last one ended; `None` if neither.
    pub fn stop_reason(&self) -> Option<StopReason> {
        self.session.stop.or(self.last_stop)
    }

    /// The latch that blocks the next session, if any.
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
        // Readings are the newest state. Every other input is processed after all deadlines that have passed.
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
