//! The charger's side of matching.

mod config;
mod run;
mod runs;
mod validation;

use homeplug_mme::{Frame, Mac, NetworkKey, Nmk, RunId, Slac, StationId};
use machine::{Cx, Deadline, Duration, Instant, Machine, Queue, Timers, TooShort, timers};

use crate::times::{
    C_CONN_MAX_MATCH, C_EV_MATCH_MNBC, T_CONN_RESUME, T_STEP_EF, TP_LINK_READY_NOTIFICATION,
    TT_EVSE_MATCH_MNBC_100MS, TT_EVSE_SLAC_INIT,
};
use crate::{Dropped, Event, Failure};

pub use config::{EvseConfig, EvseInput, EvseState, EvseValidation};
use run::{Reply, Stage};
use runs::Runs;
use validation::Validation;

/// The charger's side: measures cars, reports, sends the key to the car that chooses it.
///
/// It responds whenever its modem is ready and 5 % is offered, without a limit in time: a car may be late,
/// return, or restart in the middle. The network's key is drawn here, a new one after each car that received
/// it.
///
/// # Example
/// A plug is in, the modem has the key, a car requests `CM_SLAC_PARM`.
///
/// ```
/// use homeplug_mme::{Frame, Mac, RunId, Slac};
/// use machine::{Cx, Instant, Machine, ScriptedEntropy};
/// use slac::{Event, Evse, EvseConfig, EvseInput};
///
/// let (charger, car) = (Mac([2, 0, 0, 0, 0, 0x5E]), Mac([2, 0, 0, 0, 0, 0xE1]));
/// let run_id = RunId(*b"TESLA EV");
/// let mut entropy = ScriptedEntropy::new(&[1, 2, 3]);
/// let mut cx = Cx { now: Instant::ZERO, entropy: &mut entropy };
/// let mut evse = Evse::new(&mut cx, EvseConfig::new(charger));
///
/// // Crate `modem` has put `evse.key()` into the modem, and the pilot shows 5 %.
/// evse.handle(&mut cx, EvseInput::ModemReady(true));
/// assert!(evse.offers());
/// evse.handle(&mut cx, EvseInput::Start);
///
/// let mut buffer = [0; homeplug_mme::MAX_FRAME];
/// let len = Slac::ParmReq { run_id }.emit(Mac::BROADCAST, car, &mut buffer).expect("room for a frame");
/// evse.handle(&mut cx, EvseInput::Frame(&buffer[..len]));
///
/// let (len, ()) = evse.poll_transmit(&mut buffer).unwrap().expect("an answer");
/// let answer = Frame::parse(&buffer[..len])?;
/// assert!(matches!(Slac::parse(&answer), Some(Ok(Slac::ParmCnf { sounds: 10, .. }))));
/// assert_eq!((answer.from, answer.to), (charger, car));
/// assert_eq!(evse.poll_event(), Some(Event::Asked { car, run_id }));
/// // Until then the car must announce its sounds; later its run may be evicted.
/// assert_eq!(evse.poll_timeout().map(|due| due.at), Some(Instant::from_millis(400)));
/// # Ok::<(), homeplug_mme::FrameError>(())
/// ```
#[derive(Debug)]
#[allow(clippy::struct_excessive_bools, reason = "each is a level that a neighbour has told")]
pub struct Evse {
    config: EvseConfig,
    key: NetworkKey,
    /// Whether a car has received the key.
    given: bool,
    modem_ready: bool,
    started: bool,
    link: bool,
    busy: bool,
    state: EvseState,
    runs: Runs,
    joined: Option<Joined>,
    validation: Option<Validation>,
    join_failures: u8,
    pilot_steps: u8,
    timers: Timers<Timer, 5>,
    events: Queue<Event, EVENTS>,
}

/// The car that has the key.
#[derive(Clone, Copy, Debug)]
struct Joined {
    car: Mac,
    run_id: RunId,
    pev_id: StationId,
    evse_id: StationId,
    reply: bool,
}

timers! {
    enum Timer {
        Init = "TT_EVSE_SLAC_init",
        Join = "TT_match_join",
        Resume = "T_conn_resume",
        Ready = "TP_link_ready_notification",
        Step = "T_step_EF",
    }
}

/// Bound of queued events; a run has about ten.
const EVENTS: usize = 32;

/// Pause without an offer after too many failures: judgement. It ends, because another station may have
/// caused the failures by taking keys.
const REST: Duration = Duration::from_secs(60);

impl Evse {
    /// A charger without a car, with a key drawn from `cx`.
    pub fn new(cx: &mut Cx<'_>, config: EvseConfig) -> Self {
        Self {
            config,
            key: draw(cx),
            given: false,
            modem_ready: false,
            started: false,
            link: false,
            busy: false,
            state: EvseState::Idle,
            runs: Runs::new(),
            joined: None,
            validation: None,
            join_failures: 0,
            pilot_steps: 0,
            timers: Timers::new(),
            events: Queue::new(),
        }
    }

    /// The key that the own modem must hold. It changes when a car that had it leaves.
    pub const fn key(&self) -> NetworkKey {
        self.key
    }

    /// State of the matching.
    pub const fn state(&self) -> EvseState {
        self.state
    }

    /// The host of the matched car: the one that has the key.
    pub fn peer(&self) -> Option<Mac> {
        self.joined.map(|joined| joined.car)
    }

    /// Whether a link to the car exists (D-LINK_READY).
    pub fn is_matched(&self) -> bool {
        matches!(self.state, EvseState::Matched | EvseState::Paused)
    }

    /// Whether 5 % may be offered: not while the modem restarts, nor during a pilot step.
    pub fn offers(&self) -> bool {
        (self.modem_ready || self.joined.is_some())
            && !matches!(self.state, EvseState::Stepping | EvseState::GaveUp)
    }

    fn frame(&mut self, cx: &mut Cx<'_>, bytes: &[u8]) {
        let Ok(frame) = Frame::parse(bytes) else { return };
        let for_us = frame.to == self.config.mac || frame.to == Mac::BROADCAST;
        if !self.listens() || !for_us || !frame.from.is_unicast() || frame.from == self.config.mac {
            return;
        }
        match Slac::parse(&frame) {
            // Sent by the own modem; it names the car.
            Some(Ok(Slac::Measured { car, profile })) => {
                self.runs.measured(cx.now, car, profile.as_ref(), &mut self.events);
            }
            // Another car's matching does not disturb this one.
            Some(_) if !self.may_run(frame.from) => {}
            Some(Ok(message)) => self.message(cx.now, frame.from, frame.to == self.config.mac, message),
            Some(Err(fault)) => self.drop(frame.from, Dropped::Fault(fault)),
            None => {}
        }
    }

    /// Whether frames are processed; not during a session.
    fn listens(&self) -> bool {
        match self.state {
            EvseState::Matching | EvseState::Joining => self.modem_ready,
            EvseState::Matched => !self.busy,
            EvseState::Idle | EvseState::Paused | EvseState::Stepping | EvseState::GaveUp => false,
        }
    }

    /// Whether `car` may have a run: any car while no car has the key, then only that car.
    fn may_run(&self, car: Mac) -> bool {
        self.joined.is_none_or(|joined| joined.car == car)
    }

    fn message(&mut self, now: Instant, from: Mac, unicast: bool, message: Slac) {
        match message {
            Slac::ParmReq { run_id } => self.asked(now, from, run_id),
            Slac::StartAttenChar { run_id, sounds, car, .. } if car == from => {
                self.announced(now, from, run_id, sounds);
            }
            Slac::Sound { run_id, remaining, .. } => self.sound(now, from, run_id, remaining),
            Slac::AttenCharRsp { run_id, car, result } if unicast && car == from => {
                self.acknowledged(now, from, run_id, result);
            }
            Slac::ValidateReq { timer, result } if unicast => self.validate(now, from, timer, result),
            Slac::MatchReq { run_id, car, pev_id, charger, evse_id }
                if unicast && car == from && charger == self.config.mac =>
            {
                self.chosen(now, Joined { car, run_id, pev_id, evse_id, reply: true });
            }
            // Messages of other chargers, and messages whose parts contradict each other.
            Slac::ParmCnf { .. }
            | Slac::AttenChar { .. }
            | Slac::ValidateCnf { .. }
            | Slac::MatchCnf { .. } => {}
            _ => self.drop(from, Dropped::Foreign),
        }
    }

    fn asked(&mut self, now: Instant, car: Mac, run_id: RunId) {
        if self.state == EvseState::Matching {
            // A car whose run fails may also wait for a pilot step.
            self.timers.set(Timer::Init, now + TT_EVSE_SLAC_INIT);
        }
        self.pilot_steps = 0;
        self.validation.take_if(|validation| validation.car == car);
        self.events.push(Event::Asked { car, run_id });
        if !self.runs.ask(now, car, run_id) {
            self.events.push(Event::Crowded);
        }
    }

    fn announced(&mut self, now: Instant, car: Mac, run_id: RunId, sounds: u8) {
        let lenient = self.config.lenient;
        match self.runs.announce(now, (car, run_id), sounds, lenient) {
            Some(true) => self.events.push(Event::Announced { car, sounds }),
            Some(false) => {}
            None => self.drop(car, Dropped::Foreign),
        }
    }

    fn sound(&mut self, now: Instant, car: Mac, run_id: RunId, remaining: u8) {
        if self.config.lenient && self.runs.is_silent(car, run_id) {
            self.announced(now, car, run_id, remaining.saturating_add(1));
        }
        self.runs.sound(now, (car, run_id), remaining);
    }

    fn acknowledged(&mut self, now: Instant, car: Mac, run_id: RunId, result: u8) {
        if self.runs.acknowledge(now, (car, run_id), result) {
            self.events.push(Event::Acknowledged { peer: car });
        } else {
            self.drop(car, Dropped::OutOfOrder);
        }
    }

    fn chosen(&mut self, now: Instant, asked: Joined) {
        let Joined { car, run_id, .. } = asked;
        if let Some(joined) = &mut self.joined
            && (joined.car, joined.run_id) == (car, run_id)
            && self.runs.stage((car, run_id)).is_none()
        {
            // A repeated request, or the confirmation was lost: send the same frame again.
            joined.reply = true;
            return;
        }
        if self.runs.stage((car, run_id)) != Some(Stage::Choosing) {
            return self.drop(car, Dropped::OutOfOrder);
        }
        self.events.push(Event::Chosen { peer: car });
        self.events.push(Event::KeyGiven { peer: car });
        self.runs.clear();
        self.validation = None;
        self.given = true;
        self.joined = Some(asked);
        self.state = EvseState::Joining;
        self.timers.clear_all();
        self.timers.set(Timer::Join, now + self.config.match_join);
        self.linked(now);
    }

    /// Follows the link after a car has received the key.
    fn linked(&mut self, now: Instant) {
        match (self.state, self.link && self.modem_ready) {
            (EvseState::Joining, true) => self.timers.start(Timer::Ready, now + TP_LINK_READY_NOTIFICATION),
            (EvseState::Joining, false) => self.timers.clear(Timer::Ready),
            _ => {}
        }
    }

    fn lost(&mut self, cx: &mut Cx<'_>, failure: Failure) {
        self.events.push(Event::Failed(failure));
        self.leave(cx);
        if self.started {
            self.step(cx.now);
        }
    }

    /// Ends the run and the network. A key that a car has received is replaced.
    fn leave(&mut self, cx: &mut Cx<'_>) {
        self.runs.clear();
        self.validation = None;
        self.joined = None;
        self.timers.clear_all();
        self.state = EvseState::Idle;
        if core::mem::take(&mut self.given) {
            self.key = draw(cx);
            self.modem_ready = false;
            self.link = false;
            self.events.push(Event::Left);
        }
    }

    /// Withdraws 5 %, so that the car begins a new matching.
    fn step(&mut self, now: Instant) {
        self.state = EvseState::Stepping;
        self.timers.clear_all();
        self.timers.set(Timer::Step, now + T_STEP_EF);
    }

    /// Begins to accept cars if plug, pilot and modem are ready.
    fn listen(&mut self, now: Instant) {
        if self.state == EvseState::Idle && self.started && self.modem_ready {
            self.state = EvseState::Matching;
            self.timers.set(Timer::Init, now + TT_EVSE_SLAC_INIT);
        }
    }

    fn expired(&mut self, cx: &mut Cx<'_>, timer: Timer) {
        match (timer, self.joined) {
            (Timer::Init, _) => {
                self.events.push(Event::Failed(Failure::NoPeer));
                if self.pilot_steps < self.config.pilot_steps {
                    self.pilot_steps += 1;
                    self.runs.clear();
                    self.step(cx.now);
                }
            }
            // The link was established in time; only its confirmation is pending, unless the link is lost
            // again.
            (Timer::Join | Timer::Resume, Some(_)) if self.timers.due(Timer::Ready).is_some() => {
                self.timers.set(timer, cx.now + TP_LINK_READY_NOTIFICATION);
            }
            (Timer::Resume, Some(joined)) => self.lost(cx, Failure::LinkLost { peer: joined.car }),
            (Timer::Join, Some(joined)) => {
                self.lost(cx, Failure::NoLink { peer: joined.car });
                self.join_failures += 1;
                if self.join_failures >= C_CONN_MAX_MATCH {
                    self.timers.clear_all();
                    self.timers.set(Timer::Step, cx.now + REST);
                    self.state = EvseState::GaveUp;
                    self.events.push(Event::GaveUp);
                }
            }
            (Timer::Ready, Some(joined)) => {
                self.timers.clear_all();
                self.join_failures = 0;
                self.state = EvseState::Matched;
                self.events.push(Event::Matched { peer: joined.car });
            }
            (Timer::Step, _) => {
                // The next offer of 5 % begins a new matching.
                if self.state == EvseState::GaveUp {
                    self.join_failures = 0;
                }
                self.state = EvseState::Idle;
                self.started = false;
            }
            (Timer::Join | Timer::Resume | Timer::Ready, None) => {}
        }
    }

    fn drop(&mut self, from: Mac, why: Dropped) {
        self.events.push(Event::Dropped { from, why });
    }
}

impl Machine for Evse {
    type Input<'a> = EvseInput<'a>;
    type Route = ();
    type Event = Event;

    fn handle(&mut self, cx: &mut Cx<'_>, input: EvseInput<'_>) {
        match input {
            EvseInput::Frame(frame) => self.frame(cx, frame),
            EvseInput::Start => {
                self.started = true;
                self.listen(cx.now);
            }
            EvseInput::Withdrawn => {
                self.started = false;
                if !matches!(self.state, EvseState::Stepping | EvseState::GaveUp) {
                    self.leave(cx);
                }
            }
            EvseInput::Stop => {
                self.started = false;
                self.join_failures = 0;
                self.pilot_steps = 0;
                self.busy = false;
                self.leave(cx);
            }
            EvseInput::ModemReady(ready) => {
                self.modem_ready = ready;
                self.linked(cx.now);
                self.listen(cx.now);
            }
            EvseInput::Link(link) => {
                self.link = link;
                self.linked(cx.now);
                if let (EvseState::Matched, false, Some(joined)) = (self.state, link, self.joined) {
                    self.lost(cx, Failure::LinkLost { peer: joined.car });
                }
            }
            EvseInput::Busy(busy) => {
                self.busy = busy;
                if busy {
                    // Runs begun after the match are over.
                    self.runs.clear();
                    self.validation = None;
                }
            }
            EvseInput::Ready(ready) => self.toggled(cx.now, ready),
            EvseInput::Error if self.joined.is_some() => self.lost(cx, Failure::Asked),
            EvseInput::Pause if self.state == EvseState::Matched => self.state = EvseState::Paused,
            EvseInput::Resume if self.state == EvseState::Paused => {
                if self.link {
                    self.state = EvseState::Matched;
                } else {
                    self.state = EvseState::Joining;
                    self.timers.set(Timer::Resume, cx.now + T_CONN_RESUME);
                }
            }
            EvseInput::Error | EvseInput::Pause | EvseInput::Resume => {}
        }
    }

    fn handle_timeout(&mut self, cx: &mut Cx<'_>) {
        while let Some(timer) = self.timers.expired(cx.now) {
            self.expired(cx, timer);
        }
        self.validation_due(cx.now);
        self.runs.due(cx.now, &self.config, &mut self.events);
    }

    fn poll_transmit(&mut self, buffer: &mut [u8]) -> Result<Option<(usize, ())>, TooShort> {
        let own = self.config.mac;
        if let Some(joined) = self.joined.as_mut().filter(|joined| joined.reply) {
            let Joined { car, run_id, pev_id, evse_id, .. } = *joined;
            let message = Slac::MatchCnf { run_id, car, pev_id, charger: own, evse_id, key: self.key };
            let len = message.emit(car, own, buffer)?;
            joined.reply = false;
            return Ok(Some((len, ())));
        }
        let sent = self.runs.reply(&self.config, |car, run_id, reply| {
            let message = match reply {
                Reply::Parm => Slac::ParmCnf {
                    run_id,
                    sounds: C_EV_MATCH_MNBC,
                    timeout_100ms: TT_EVSE_MATCH_MNBC_100MS,
                    car,
                },
                Reply::Report { sounds, profile } => {
                    Slac::AttenChar { run_id, car, sounds, profile: Some(profile) }
                }
                Reply::Validate { toggles, result } => Slac::ValidateCnf { toggles, result },
            };
            message.emit(car, own, buffer)
        })?;
        Ok(sent.map(|len| (len, ())))
    }

    fn poll_event(&mut self) -> Option<Event> {
        self.events.pop()
    }

    fn poll_timeout(&self) -> Option<Deadline> {
        let validation = self.validation.map(|validation| validation.deadline());
        Deadline::earlier(self.timers.next(), Deadline::earlier(self.runs.deadline(), validation))
    }
}

/// A new key with its identifier.
fn draw(cx: &mut Cx<'_>) -> NetworkKey {
    let mut bytes = [0; Nmk::LEN];
    cx.entropy.fill(&mut bytes);
    NetworkKey::derived(Nmk::new(bytes))
}
