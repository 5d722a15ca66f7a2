//! The car's side.

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

/// The car's side of matching: asks, sounds, chooses the charger that heard it loudest, joins its network.
///
/// A charger that gave no link is tried last for [`SET_ASIDE`](crate::times::SET_ASIDE); one whose modem does
/// not measure where no measured one is left.
///
/// It speaks with no modem: [`key`](Self::key) says what the own modem must hold, and
/// [`PevInput::ModemReady`] and [`PevInput::Link`] say what has come of it.
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
    /// Repeats of the request that is out.
    repeats: u8,
    /// Sounds of this attempt.
    sounds: u8,
    starts_left: u8,
    sounds_left: u8,
    validation: Validation,
    /// Attempts in a row that failed.
    failures: u8,
    /// Keys in a row that brought no link.
    join_failures: u8,
    /// Until then no number of failures makes it give up.
    repeat_until: Option<Instant>,
    /// The next request and where it goes; responses are owed by [`Candidates`].
    out: Option<(Mac, Slac)>,
    timers: Timers<Timer, 9>,
    events: Queue<Event, EVENTS>,
}

impl Pev {
    /// A car without a plug, whose modem is as it is.
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

    /// Where it is.
    pub const fn state(&self) -> PevState {
        self.state
    }

    /// Whether there is a link: D-LINK_READY.
    pub const fn is_matched(&self) -> bool {
        matches!(self.state, PevState::Matched)
    }

    /// The chosen charger, from the choice until it is left.
    pub const fn peer(&self) -> Option<Mac> {
        self.chosen
    }

    /// What the attenuation says of the chosen charger.
    pub const fn verdict(&self) -> Option<Verdict> {
        self.verdict
    }

    /// What the own modem must hold; `None` leaves it as it is. From the match on the charger's key, after
    /// leaving a random one of nobody else.
    pub const fn key(&self) -> Option<NetworkKey> {
        self.modem.key
    }

    /// What the pilot has to show while the charger counts: `Some(true)` is state C, `Some(false)` B. `None`:
    /// what it shows is not our business.
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

/// Bytes that nobody can guess.
fn random<const N: usize>(cx: &mut Cx<'_>) -> [u8; N] {
    let mut bytes = [0; N];
    cx.entropy.fill(&mut bytes);
    bytes
}
