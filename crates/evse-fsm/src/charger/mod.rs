//! The charger: an input changes the session, then the pilot and the plant.

mod answers;
mod connection;
mod energy;
mod latches;
mod requests;
mod setup;
mod state;
mod stops;
mod supervise;
mod tell;

use control_pilot::{Level, Output};
use machine::{Cx, Deadline, Duration, Instant, Machine, Queue, TooShort};
use session::{Latch, Phase, Snapshot, StopReason, Time};

use crate::order::State;
use crate::pilot::Pilot;
use crate::power::Power;
use crate::supervision::Supervision;
use crate::{Config, ConfigError, Demand, Dropped, Event, Input, Lock, Plant, wire};
use state::Session;

/// Capacity of the event queue: a request, its response and their consequences are at most six.
const EVENTS: usize = 16;

/// Interval of steps while a ramp is running: judgement, shorter than the interval of any car's requests.
const STEP: Duration = Duration::from_millis(20);

/// A charger's connector: pilot, session and plant. See the documentation of the crate.
#[derive(Debug)]
#[allow(clippy::struct_excessive_bools, reason = "each is a fact of its own")]
pub struct Charger {
    config: Config,
    plant: Snapshot<Plant>,
    pilot: Pilot,
    power: Power,
    supervision: Supervision,
    session: Session,
    phase: Phase,
    available: bool,
    /// The latch that blocks sessions until a person acts or a new plug is inserted.
    latched: Option<Latch>,
    /// A sensor is suspect, in addition to any latch.
    is_suspect: bool,
    /// Someone stopped the charger: no offer after the current session until the plug was removed or a reset.
    stopped: bool,
    /// Consecutive failures for each of [`latches::COUNTED`].
    tries: [u8; latches::COUNTED.len()],
    /// The authorisation for the current session, or for the next one if there is none.
    authorised: Option<bool>,
    last_stop: Option<StopReason>,
    level: Option<Level>,
    /// The plug was removed since the last session, as far as the charger can detect.
    was_out: bool,
    /// How long no input had arrived before the newest one.
    unseen: Duration,
    now: Instant,
    /// The earliest deadline, computed once for each input.
    due: Option<Deadline>,
    events: Queue<Event, EVENTS>,
}

impl Charger {
    /// A charger without an inserted plug.
    ///
    /// # Errors
    /// As [`Config::check`].
    pub fn new(config: Config) -> Result<Self, ConfigError> {
        config.check()?;
        let config = config.effective();
        Ok(Self {
            available: config.available,
            config,
            plant: Snapshot::default(),
            pilot: Pilot::new(),
            power: Power::new(),
            supervision: Supervision::new(),
            session: Session::new(State::NoSession),
            phase: Phase::Idle,
            latched: None,
            is_suspect: false,
            stopped: false,
            tries: [latches::TRIES_BEFORE; latches::COUNTED.len()],
            authorised: None,
            last_stop: None,
            level: None,
            // A plug that is out at the start does not clear a latch from before.
            was_out: true,
            unseen: Duration::ZERO,
            now: Instant::ZERO,
            due: None,
            events: Queue::new(),
        })
    }

    /// How long the charger waits: the configured time, with `strict` and the quirks about timers applied.
    pub fn time(&self, time: Time) -> Duration {
        self.config.times.get(time)
    }

    /// The pilot of [`demand`](Self::demand).
    pub const fn pilot(&self) -> Output {
        self.pilot.output()
    }

    /// The levels that the charger requires of its plant. Read and apply them after each call.
    pub fn demand(&self) -> Demand {
        let (supply, contactors) = self.power.demand(self.config.power_stage);
        let lock = if self.may_unlock() { Lock::Released } else { Lock::Held };
        let discharge = self.config.bleeder && self.supervision.off.discharges(self.now);
        let (self_test, _) = self.power.test_wants();
        Demand { pilot: self.pilot(), supply, contactors, lock, discharge, self_test }
    }

    /// Whether to close the connection now: all payloads have been fetched. Stays `true` until
    /// [`Input::Closed`] or a new [`Input::Connected`].
    pub fn wants_close(&self) -> bool {
        self.session.close && self.session.answer.is_none()
    }

    /// The pilot's level, debounced by two readings; `None` without a fresh one.
    pub fn level(&self) -> Option<Level> {
        self.level
    }

    /// The phase of the connector.
    pub fn phase(&self) -> Phase {
        self.phase
    }

    /// Why the current session is being ended, or why the last one ended; `None` if neither.
    pub fn stop_reason(&self) -> Option<StopReason> {
        self.session.stop.map(|stop| stop.reason).or(self.last_stop)
    }
}

impl Machine for Charger {
    type Input<'a> = Input<'a>;
    type Route = u16;
    type Event = Event;

    fn handle(&mut self, cx: &mut Cx<'_>, input: Input<'_>) {
        self.tell_time(cx.now);
        // Readings are the newest state. Every other input is processed after all deadlines that have passed.
        if !matches!(input, Input::Plant(_)) {
            self.run_timers();
        }
        match input {
            Input::Plant(plant) => self.plant.take(plant, &mut self.config.sensors),
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
        let Some(answer) = &self.session.answer else { return Ok(None) };
        let (payload_type, name) = (answer.protocol.payload_type(), answer.name());
        let encoded = wire::encode(answer, &self.config, buffer);
        if let Some(needed) = encoded.err().and_then(|error| error.needed()) {
            return Err(TooShort { needed });
        }
        if encoded.is_err() {
            self.events.push(Event::Dropped(Dropped::NotEncoded(name)));
        }
        self.session.answer = None;
        Ok(encoded.ok().map(|length| (length, payload_type)))
    }

    fn poll_event(&mut self) -> Option<Event> {
        self.events.pop()
    }

    fn poll_timeout(&self) -> Option<Deadline> {
        self.due
    }
}
