//! The car's side of matching.

mod attempt;
mod candidates;
mod config;
mod link;
mod matching;
mod set_aside;
mod validation;

use homeplug_mme::{Mac, NetworkKey, RunId, Slac};
use machine::{Cx, Deadline, Instant, Machine, Queue, Timers, TooShort, timers};

use crate::{Event, Failure};

use candidates::Candidates;
use link::Modem;
use set_aside::SetAside;
use validation::Validation;

pub use config::{PevConfig, PevInput, PevState, PevValidation, Verdict};

const EVENTS: usize = 32;

/// The car's side of matching: finds chargers, sends sounds, chooses the charger with the lowest attenuation,
/// joins its network.
///
/// A charger that led to no link is tried last for [`SET_ASIDE`](crate::times::SET_ASIDE). A charger whose
/// modem does not measure is tried if no measured one is left.
///
/// It does not communicate with a modem: [`key`](Self::key) is what the own modem must hold;
/// [`PevInput::ModemReady`] and [`PevInput::Link`] report the result.
#[derive(Debug)]
pub struct Pev {
    config: PevConfig,
    state: PevState,
    started: bool,
    modem: Modem,
    run_id: RunId,
    candidates: Candidates,
    aside: SetAside,
    chosen: Option<Mac>,
    verdict: Option<Verdict>,
    /// Repetitions of the current request.
    repeats: u8,
    /// Sounds sent in this attempt.
    sounds: u8,
    starts_left: u8,
    sounds_left: u8,
    validation: Validation,
    /// Consecutive failed attempts.
    failures: u8,
    /// Consecutive keys that led to no link.
    join_failures: u8,
    /// Until then the number of failures does not end matching.
    repeat_until: Option<Instant>,
    /// The current request and its destination; responses are in [`Candidates`].
    out: Option<(Mac, Slac)>,
    timers: Timers<Timer, 9>,
    events: Queue<Event, EVENTS>,
}

impl Pev {
    /// A car without a plug; its modem's key is left unchanged.
    pub const fn new(config: PevConfig) -> Self {
        Self {
            config,
            state: PevState::Unmatched,
            started: false,
            modem: Modem::new(),
            run_id: RunId([0; 8]),
            candidates: Candidates::new(),
            aside: SetAside::new(),
            chosen: None,
            verdict: None,
            repeats: 0,
            sounds: 0,
            starts_left: 0,
            sounds_left: 0,
            validation: Validation::new(),
            failures: 0,
            join_failures: 0,
            repeat_until: None,
            out: None,
            timers: Timers::new(),
            events: Queue::new(),
        }
    }

    /// State of the matching.
    pub const fn state(&self) -> PevState {
        self.state
    }

    /// Whether a link exists: D-LINK_READY.
    pub const fn is_matched(&self) -> bool {
        matches!(self.state, PevState::Matched)
    }

    /// The chosen charger, from the choice until its network is left.
    pub const fn peer(&self) -> Option<Mac> {
        self.chosen
    }

    /// Verdict on the chosen charger from its attenuation.
    pub const fn verdict(&self) -> Option<Verdict> {
        self.verdict
    }

    /// The key that the own modem must hold; `None` leaves it unchanged. From the match on it is the
    /// charger's key; after leaving it is a random key that no other station has.
    pub const fn key(&self) -> Option<NetworkKey> {
        self.modem.key
    }

    /// The pilot state that validation requires: `Some(true)` is state C, `Some(false)` B. `None`: no
    /// requirement.
    pub fn toggle(&self) -> Option<bool> {
        if self.state == PevState::Validating { self.validation.toggle() } else { None }
    }
}

impl Machine for Pev {
    type Input<'a> = PevInput<'a>;
    type Route = ();
    type Event = Event;

    fn handle(&mut self, cx: &mut Cx<'_>, input: PevInput<'_>) {
        match input {
            PevInput::Frame(bytes) => self.frame(cx, bytes),
            PevInput::Start => self.start(cx),
            PevInput::Stop => self.stop(cx),
            PevInput::ModemReady(ready) => self.modem_ready(cx, ready),
            PevInput::Link(up) => self.link(cx, up),
            PevInput::Error => self.error(cx),
            PevInput::NoSession => self.no_session(cx),
            PevInput::Pause => self.pause(),
            PevInput::Resume => self.resume(cx),
        }
    }

    fn handle_timeout(&mut self, cx: &mut Cx<'_>) {
        while let Some(timer) = self.timers.expired(cx.now) {
            match timer {
                Timer::LinkReady => self.matched(),
                Timer::Answer => self.answer_due(cx),
                Timer::Gather => self.announce(cx),
                Timer::Sound => self.sound(cx),
                Timer::Results => self.choose(cx),
                Timer::Toggle => self.toggle_due(cx),
                Timer::Join => self.join_due(cx),
                Timer::Resume => {
                    if let Some(peer) = self.chosen {
                        self.lost(cx, Failure::LinkLost { peer });
                    }
                }
                Timer::Pause => self.begin_if_ready(cx),
            }
        }
    }

    fn poll_transmit(&mut self, buffer: &mut [u8]) -> Result<Option<(usize, ())>, TooShort> {
        let (run_id, car) = (self.run_id, self.config.mac);
        let owed = self.candidates.owed();
        let response = owed.map(|to| (to, Slac::AttenCharRsp { run_id, car, result: 0 }));
        let Some((to, message)) = response.as_ref().or(self.out.as_ref()) else { return Ok(None) };
        let len = message.emit(*to, car, buffer)?;
        match owed {
            Some(peer) => self.candidates.acknowledged(peer),
            None => self.out = None,
        }
        Ok(Some((len, ())))
    }

    fn poll_event(&mut self) -> Option<Event> {
        self.events.pop()
    }

    fn poll_timeout(&self) -> Option<Deadline> {
        self.timers.next()
    }
}

timers! {
    enum Timer {
        LinkReady = "TP_link_ready_notification",
        Answer = "TT_match_response",
        Gather = "more chargers' answers",
        Sound = "TP_EV_batch_msg_interval",
        Results = "TT_EV_atten_results",
        Toggle = "TP_EV_vald_state_duration",
        Join = "TT_match_join",
        Resume = "T_conn_resume",
        Pause = "TT_matching_rate",
    }
}

/// Random bytes for secrets.
fn random<const N: usize>(cx: &mut Cx<'_>) -> [u8; N] {
    let mut bytes = [0; N];
    cx.entropy.fill(&mut bytes);
    bytes
}
