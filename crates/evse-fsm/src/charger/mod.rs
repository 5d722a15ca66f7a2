//! The charger: what comes in changes the session, the pilot and the plant, in this order.

mod answers;
mod connection;
mod energy;
mod latches;
mod requests;
mod setup;
mod stops;
mod supervise;
mod tell;

use control_pilot::{Level, Output};
use machine::{Cx, Deadline, Duration, Instant, Machine, Queue, TooShort, timers};
use session::{Latch, Phase, Snapshot, StopReason, Time};

use crate::order::State;
use crate::pilot::Pilot;
use crate::power::Power;
use crate::supervision::Supervision;
use crate::{Config, ConfigError, Demand, Dropped, Event, Input, Lock, Plant, wire};
use connection::Session;

/// Events that wait at most: a request, its answer and what they cause are six.
const EVENTS: usize = 16;

/// How often ramps are stepped while they run: judgement, finer than any car asks.
const STEP: Duration = Duration::from_millis(20);

timers! {
    enum Timer {
        Setup = Time::SetupBudget.name(),
        Sequence = Time::Sequence.name(),
        Authorisation = Time::AuthorisationBudget.name(),
        CableCheck = Time::CableCheckBudget.name(),
        PreCharge = Time::PreChargeBudget.name(),
        Welding = Time::WeldingBudget.name(),
        StopGrace = Time::StopGrace.name(),
        Close = Time::CloseAfterStop.name(),
    }
}

/// A charger's connector: pilot, session and plant. See the crate's documentation.
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
    /// Set by what must not be repeated without a person or a new plug: no offer meanwhile.
    latched: Option<Latch>,
    /// A sensor is suspect, whatever else is latched.
    is_suspect: bool,
    /// Someone stopped the charger: no offer after the session at hand until the plug was out or a reset.
    stopped: bool,
    /// How often in a row sessions ended for each of [`latches::COUNTED`].
    tries: [u8; latches::COUNTED.len()],
    /// Counts for the session at hand, or for the next one.
    authorised: Option<bool>,
    last_stop: Option<StopReason>,
    level: Option<Level>,
    /// The plug was out, as far as the charger could tell.
    was_out: bool,
    /// How long nothing had come in when the last thing did.
    unseen: Duration,
    now: Instant,
    /// The earliest deadline, found once whenever anything has come in.
    due: Option<Deadline>,
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
            // What was latched before the program began is not released by a plug that is out already.
            was_out: true,
            unseen: Duration::ZERO,
            now: Instant::ZERO,
            due: None,
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
        self.session.close && self.session.answer.is_none()
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
        self.session.stop.map(|stop| stop.reason).or(self.last_stop)
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
