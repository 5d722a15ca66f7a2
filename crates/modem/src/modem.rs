use homeplug_mme::view::{
    GetKeyCnf, GetKeyReq, NscmGetDLinkStatusCnf, NscmGetDLinkStatusReq, NscmGetVersionCnf, NscmGetVersionReq,
    PlLinkStatusCnf, PlLinkStatusReq, SetKeyCnf, SetKeyReq, SwVerCnf, SwVerReq,
};
use homeplug_mme::{Frame, Mac, NetworkKey, Nid, Nmk, emit};
use machine::{Cx, Deadline, Duration, Instant, Machine, Queue, TimerName, Timers};

use crate::Firmware;
use crate::profile::{LUMISSIL, Profile, UNKNOWN, Vendor};
use crate::restart::{POLL, Restart};

/// Pause between two searches, and after [`FAST_SEARCHES`] of them: judgement.
const SEARCH: Duration = Duration::from_millis(500);
const SEARCH_SLOW: Duration = Duration::from_secs(2);
/// Searches before the modem counts as absent: a modem that is just restarting is found within them; judgement.
const FAST_SEARCHES: u8 = 12;
/// Wait for the answer to a key (the tools take 0.5 to 1 s).
const KEY_ANSWER: Duration = Duration::from_millis(500);
/// Times that a key is sent before the modem counts as faulty: judgement.
const KEY_TRIES: u8 = 3;
/// Times that a key which was not taken is set anew before the modem counts as faulty: judgement.
const KEY_ROUNDS: u8 = 3;
/// Times that the key is asked for after a restart: a modem tells no network in its first second (observed in
/// `2022-11-25_v0.2_ABB`); judgement.
const VERIFY_TRIES: u8 = 10;
/// Pause after a fault: judgement.
const FAULT_PAUSE: Duration = Duration::from_secs(10);
/// Pause between two questions to a modem that has nothing to do: short enough to see the 1.3 s of a restart.
const PRESENCE: Duration = Duration::from_millis(1000);
/// Unanswered questions in a row after which the modem counts as gone: judgement.
const SILENCE: u8 = 4;
/// The link is down when no answer has said `up` for this many intervals and a half: one lost answer is no lost
/// link; judgement.
const HOLD_INTERVALS: u64 = 2;

const EVENTS: usize = 8;
const ASKS: usize = 4;

/// What a charger or a car needs of its modem: that it is there, has the key of the day, and whether the link is up.
///
/// It finds the modem on the own cable and finds it again whenever it was away, sets the key that it was given and
/// sets it again when the modem lost it, and watches the link. It never gives up: a modem that is absent or faulty
/// is told once and tried again at a low rate. Everything it sends goes to [`Mac::LOCAL_MODEM`], which is never
/// carried over the power line; a key is never broadcast.
#[derive(Debug)]
pub struct Modem {
    config: ModemConfig,
    profile: Option<&'static Profile>,
    address: Option<Mac>,
    firmware: Firmware,
    /// The key that the caller wants, and the one that the modem has confirmed.
    wanted: Option<NetworkKey>,
    confirmed: Option<NetworkKey>,
    rounds: u8,
    nonce: [u8; 4],
    state: State,
    /// Whether the last question has not been answered yet.
    asked: bool,
    /// Whether the modem has been silent since it last showed its key: it may have restarted and lost it.
    doubt: bool,
    watching: bool,
    link: Option<bool>,
    timers: Timers<Timer, 2>,
    asks: Queue<Ask, ASKS>,
    events: Queue<ModemEvent, EVENTS>,
}

/// How a [`Modem`] works.
#[derive(Clone, Copy, Debug)]
pub struct ModemConfig {
    /// The host's own address.
    pub own: Mac,
    /// The modem's family where it is known; [`NONE`](crate::NONE) where there is no modem. Else it is found out.
    pub profile: Option<&'static Profile>,
    /// Pause between two questions for the link's state; 500 ms is usual.
    pub link_interval: Duration,
}

impl ModemConfig {
    /// A modem of any family, asked for its link twice a second.
    pub const fn new(own: Mac) -> Self {
        Self { own, profile: None, link_interval: Duration::from_millis(500) }
    }
}

/// What a [`Modem`] tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ModemEvent {
    /// The modem is there.
    Found {
        /// Its address.
        address: Mac,
        /// Its family.
        profile: &'static Profile,
    },
    /// No modem answers: is it powered, is the cable in? The search goes on.
    NotFound,
    /// The modem answers and the wanted key is set.
    Ready {
        /// Whether the modem has shown that it has the key; not all can.
        verified: bool,
    },
    /// Something is wrong with the modem; it is tried again after a pause.
    Fault(ModemFault),
    /// The modem does not answer any more: it restarts, sleeps, or lost its power. The search begins anew.
    Silent,
    /// The modem has another key than the one it was given: it restarted by itself, or somebody else set it. The
    /// key is set again.
    OtherKey,
    /// The link to another modem came up or was lost. Only while it is watched.
    Link(bool),
    /// The modem sent a message that cannot be read.
    Malformed,
    /// The caller's buffer was too short for a frame.
    NotSent,
}

/// What is wrong with a modem.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ModemFault {
    /// It has no firmware.
    #[error("the modem has no firmware (it says BootLoader): load it with its maker's tool")]
    NoFirmware,
    /// It does not confirm a key.
    #[error("the modem does not confirm the key")]
    KeyNotConfirmed,
    /// It confirms the key and then has another one.
    #[error("the modem confirms the key but keeps another")]
    KeyNotTaken,
    /// It does not come back from its restart.
    #[error("the modem does not answer after it took the key")]
    NotBack,
}

#[derive(Clone, Copy, Debug)]
enum State {
    Stopped,
    Searching { searches: u8 },
    SettingKey { tries: u8 },
    Restarting(Restart),
    Verifying { tries: u8 },
    Present { unanswered: u8 },
    Faulty,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Ask {
    Version,
    LumissilVersion,
    SetKey,
    GetKey,
    Link,
}

/// What `CM_GET_KEY.CNF` says about the key.
enum Verdict {
    Same,
    Other,
    Unknown,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Timer {
    Step,
    Hold,
}

impl TimerName for Timer {
    const ALL: &'static [Self] = &[Self::Step, Self::Hold];
    fn name(self) -> &'static str {
        match self {
            Self::Step => "modem",
            Self::Hold => "modem link",
        }
    }
}

impl Modem {
    /// A modem that has not been started.
    pub const fn new(config: ModemConfig) -> Self {
        Self {
            config,
            profile: config.profile,
            address: None,
            firmware: Firmware::new(),
            wanted: None,
            confirmed: None,
            rounds: 0,
            nonce: [0; 4],
            state: State::Stopped,
            asked: false,
            doubt: false,
            watching: false,
            link: None,
            timers: Timers::new(),
            asks: Queue::new(),
            events: Queue::new(),
        }
    }

    /// Begins to look for the modem.
    pub fn start(&mut self, cx: &mut Cx<'_>) {
        if self.has_modem() {
            self.search(cx.now, 0);
        } else {
            self.state = State::Present { unanswered: 0 };
        }
    }

    /// Gives the modem a key, now or as soon as it is there. It restarts and leaves its network.
    pub fn set_key(&mut self, cx: &mut Cx<'_>, key: NetworkKey) {
        self.wanted = Some(key);
        self.rounds = 0;
        if !self.has_modem() {
            self.confirmed = self.wanted;
            self.events.push(ModemEvent::Ready { verified: false });
            return;
        }
        match self.state {
            State::Stopped | State::Searching { .. } | State::Restarting(_) => {}
            State::SettingKey { .. } | State::Verifying { .. } | State::Present { .. } | State::Faulty => {
                self.proceed(cx);
            }
        }
    }

    /// Begins or ends to ask for the link's state. Without a modem the state stays the caller's.
    pub fn watch_link(&mut self, cx: &mut Cx<'_>, on: bool) {
        if self.watching == on {
            return;
        }
        self.watching = on;
        if self.has_modem() {
            self.link = None;
            self.timers.clear(Timer::Hold);
            if matches!(self.state, State::Present { .. }) {
                self.ask_present(cx.now);
            }
        }
    }

    /// Tells the link's state where there is no modem to tell it.
    pub fn set_link(&mut self, up: bool) {
        if !self.has_modem() {
            self.change_link(up);
        }
    }

    /// Whether the modem answers and has the wanted key. Without a modem: always.
    pub fn is_ready(&self) -> bool {
        let present = matches!(self.state, State::Present { .. });
        !self.has_modem() || (present && self.wanted.is_some() && self.wanted == self.confirmed)
    }

    /// Whether there is a link to another modem, if that is known.
    pub const fn link(&self) -> Option<bool> {
        self.link
    }

    /// The key that the modem has confirmed.
    pub const fn key(&self) -> Option<NetworkKey> {
        self.confirmed
    }

    /// The modem's address, once it has answered.
    pub const fn address(&self) -> Option<Mac> {
        self.address
    }

    /// The modem's family, as given or as found.
    pub const fn profile(&self) -> Option<&'static Profile> {
        self.profile
    }

    /// The modem's firmware version in ASCII; empty while not known.
    pub fn firmware(&self) -> &[u8] {
        &self.firmware
    }

    fn has_modem(&self) -> bool {
        self.profile.is_none_or(Profile::is_modem)
    }

    /// The family, where it matters before it is known: Qualcomm's way.
    fn family(&self) -> &'static Profile {
        self.profile.unwrap_or(&UNKNOWN)
    }

    fn search(&mut self, now: Instant, searches: u8) {
        self.state = State::Searching { searches };
        for (vendor, ask) in [(Vendor::Qualcomm, Ask::Version), (Vendor::Lumissil, Ask::LumissilVersion)] {
            if self.config.profile.is_none_or(|profile| profile.vendor == vendor) {
                self.asks.push(ask);
            }
        }
        let pause = if searches < FAST_SEARCHES { SEARCH } else { SEARCH_SLOW };
        self.timers.set(Timer::Step, now + pause);
    }

    /// The modem is there: sets the wanted key if it does not have it, or rests.
    fn proceed(&mut self, cx: &mut Cx<'_>) {
        match self.wanted {
            Some(_) if self.wanted != self.confirmed => self.begin_key(cx),
            Some(_) => self.rest(cx.now, Some(false)),
            None => self.rest(cx.now, None),
        }
    }

    fn begin_key(&mut self, cx: &mut Cx<'_>) {
        self.confirmed = None;
        if self.link == Some(true) {
            self.change_link(false);
        }
        self.link = None;
        self.timers.clear(Timer::Hold);
        if self.rounds >= KEY_ROUNDS {
            return self.fail(cx.now, ModemFault::KeyNotTaken);
        }
        self.rounds += 1;
        self.new_nonce(cx);
        self.send_key(cx.now, 1);
    }

    fn send_key(&mut self, now: Instant, tries: u8) {
        self.state = State::SettingKey { tries };
        self.asks.push(Ask::SetKey);
        self.timers.set(Timer::Step, now + KEY_ANSWER);
    }

    fn verify(&mut self, now: Instant, tries: u8) {
        self.state = State::Verifying { tries };
        self.asks.push(Ask::GetKey);
        self.timers.set(Timer::Step, now + KEY_ANSWER);
    }

    /// There is nothing to do but to watch.
    fn rest(&mut self, now: Instant, verified: Option<bool>) {
        self.state = State::Present { unanswered: 0 };
        self.doubt = false;
        if let Some(verified) = verified {
            self.rounds = 0;
            self.events.push(ModemEvent::Ready { verified });
        }
        self.ask_present(now);
    }

    fn ask_present(&mut self, now: Instant) {
        let watches = self.watching && self.family().tells_link;
        let ask = if watches { Ask::Link } else { self.version_ask() };
        self.asks.push(ask);
        self.asked = true;
        let pause = if watches { self.config.link_interval } else { PRESENCE };
        self.timers.set(Timer::Step, now + pause);
    }

    fn ask_restarting(&mut self, now: Instant, restart: Restart) {
        self.state = State::Restarting(restart);
        self.asks.push(self.version_ask());
        self.asked = true;
        self.timers.set(Timer::Step, now + POLL);
    }

    fn version_ask(&self) -> Ask {
        if self.family().vendor == Vendor::Lumissil { Ask::LumissilVersion } else { Ask::Version }
    }

    fn fail(&mut self, now: Instant, fault: ModemFault) {
        self.events.push(ModemEvent::Fault(fault));
        self.rounds = 0;
        self.state = State::Faulty;
        self.timers.set(Timer::Step, now + FAULT_PAUSE);
    }

    fn new_nonce(&mut self, cx: &mut Cx<'_>) {
        cx.entropy.fill(&mut self.nonce);
        // Never zero: the echo of zeros would prove nothing.
        let [first, ..] = &mut self.nonce;
        *first |= 1;
    }

    fn change_link(&mut self, up: bool) {
        if self.link != Some(up) {
            self.link = Some(up);
            self.events.push(ModemEvent::Link(up));
        }
    }

    fn on_step(&mut self, cx: &mut Cx<'_>) {
        match self.state {
            State::Stopped => {}
            State::Searching { searches } => {
                let searches = searches.saturating_add(1);
                if searches == FAST_SEARCHES {
                    self.events.push(ModemEvent::NotFound);
                }
                self.search(cx.now, searches);
            }
            State::SettingKey { tries } if tries < KEY_TRIES => self.send_key(cx.now, tries + 1),
            State::SettingKey { .. } => self.fail(cx.now, ModemFault::KeyNotConfirmed),
            State::Restarting(mut restart) => {
                if self.asked {
                    restart.missed();
                }
                if restart.is_over(cx.now) {
                    self.events.push(ModemEvent::Fault(ModemFault::NotBack));
                    self.search(cx.now, FAST_SEARCHES);
                } else {
                    self.ask_restarting(cx.now, restart);
                }
            }
            State::Verifying { tries } if tries < VERIFY_TRIES => self.verify(cx.now, tries + 1),
            State::Verifying { .. } => self.proceed(cx),
            State::Present { unanswered } => self.on_present_step(cx, unanswered),
            State::Faulty => self.search(cx.now, 0),
        }
    }

    fn on_present_step(&mut self, cx: &mut Cx<'_>, unanswered: u8) {
        let unanswered = if self.asked { unanswered.saturating_add(1) } else { 0 };
        self.doubt |= unanswered > 0;
        if unanswered >= SILENCE {
            self.events.push(ModemEvent::Silent);
            return self.search(cx.now, 0);
        }
        self.state = State::Present { unanswered };
        if self.doubt && self.confirmed.is_some() && self.family().tells_key {
            self.new_nonce(cx);
            self.asks.push(Ask::GetKey);
        }
        self.ask_present(cx.now);
    }

    fn on_version(&mut self, cx: &mut Cx<'_>, from: Mac, version: &[u8]) {
        self.firmware = crate::firmware(version);
        if version.starts_with(b"BootLoader") {
            self.address = Some(from);
            return self.fail(cx.now, ModemFault::NoFirmware);
        }
        self.on_present(cx, from, Profile::of_firmware(version));
    }

    /// The modem answered a question whether it is there.
    fn on_present(&mut self, cx: &mut Cx<'_>, from: Mac, profile: &'static Profile) {
        match self.state {
            State::Searching { .. } => {
                self.address = Some(from);
                let profile = self.config.profile.unwrap_or(profile);
                self.profile = Some(profile);
                self.events.push(ModemEvent::Found { address: from, profile });
                self.check(cx);
            }
            State::Restarting(mut restart) => {
                self.asked = false;
                let back = restart.answered(cx.now);
                self.state = State::Restarting(restart);
                if back {
                    self.check(cx);
                }
            }
            _ => {}
        }
    }

    /// The modem is there again: asks which key it has, where it can tell.
    fn check(&mut self, cx: &mut Cx<'_>) {
        if self.confirmed.is_none() || self.confirmed != self.wanted {
            return self.proceed(cx);
        }
        if self.family().tells_key {
            self.new_nonce(cx);
            self.verify(cx.now, 1);
        } else if matches!(self.state, State::Restarting(_)) {
            self.proceed(cx);
        } else {
            // Who knows what it has after an absence.
            self.begin_key(cx);
        }
    }

    fn on_set_key(&mut self, cx: &mut Cx<'_>, answer: &SetKeyCnf) {
        // The result is not judged: modems that take the key answer 1 (39 of 40 captured).
        if matches!(self.state, State::SettingKey { .. }) && answer.your_nonce == self.nonce {
            self.confirmed = self.wanted;
            self.ask_restarting(cx.now, Restart::new(cx.now));
        }
    }

    fn on_get_key(&mut self, cx: &mut Cx<'_>, answer: &GetKeyCnf) {
        if answer.your_nonce != self.nonce {
            return;
        }
        match (self.state, self.verdict(answer)) {
            (State::Verifying { .. }, Verdict::Same) => self.rest(cx.now, Some(true)),
            (State::Present { .. }, Verdict::Same) => self.doubt = false,
            (State::Verifying { .. } | State::Present { .. }, Verdict::Other) => {
                self.events.push(ModemEvent::OtherKey);
                self.begin_key(cx);
            }
            _ => {}
        }
    }

    /// The modem tells its network even where it refuses the key; one that has not joined tells the key alone.
    fn verdict(&self, answer: &GetKeyCnf) -> Verdict {
        let Some(key) = self.confirmed else { return Verdict::Unknown };
        let unknown = answer.nid == Nid::default();
        let hidden = answer.key == Nmk::new([0; Nmk::LEN]);
        match (unknown, hidden) {
            (true, true) => Verdict::Unknown,
            (true, false) if answer.key == key.nmk => Verdict::Same,
            (false, _) if answer.nid == key.nid => Verdict::Same,
            _ => Verdict::Other,
        }
    }

    fn on_link(&mut self, now: Instant, up: bool) {
        if !self.watching || !matches!(self.state, State::Present { .. }) {
            return;
        }
        if up {
            let interval = self.config.link_interval.as_micros();
            let hold = interval.saturating_mul(HOLD_INTERVALS).saturating_add(interval / 2);
            self.timers.set(Timer::Hold, now + Duration::from_micros(hold));
            self.change_link(true);
        } else if self.link.is_none() {
            self.link = Some(false);
        }
    }

    fn on_frame(&mut self, cx: &mut Cx<'_>, frame: &Frame<'_>) -> Result<(), homeplug_mme::MessageError> {
        if let Some(answer) = frame.get::<SwVerCnf>() {
            self.on_version(cx, frame.from, answer?.text());
        } else if let Some(answer) = frame.get::<NscmGetVersionCnf>() {
            answer?;
            self.on_present(cx, frame.from, &LUMISSIL);
        } else if let Some(answer) = frame.get::<SetKeyCnf>() {
            self.on_set_key(cx, &answer?);
        } else if let Some(answer) = frame.get::<GetKeyCnf>() {
            self.on_get_key(cx, &answer?);
        } else if let Some(answer) = frame.get::<PlLinkStatusCnf>() {
            let answer = answer?;
            self.on_link(cx.now, answer.mstatus == 0 && answer.link_status == 1);
        } else if let Some(answer) = frame.get::<NscmGetDLinkStatusCnf>() {
            self.on_link(cx.now, answer?.link_status == 1);
        }
        Ok(())
    }

    fn write(&self, ask: Ask, buffer: &mut [u8]) -> Option<usize> {
        let (to, own) = (Mac::LOCAL_MODEM, self.config.own);
        match ask {
            Ask::Version => emit(&SwVerReq::default(), to, own, buffer),
            Ask::LumissilVersion => emit(&NscmGetVersionReq::default(), to, own, buffer),
            Ask::SetKey => emit(&SetKeyReq::new(self.nonce, self.wanted?), to, own, buffer),
            Ask::GetKey => emit(&GetKeyReq::new(self.nonce, self.wanted?.nid), to, own, buffer),
            Ask::Link if self.family().vendor == Vendor::Lumissil => {
                emit(&NscmGetDLinkStatusReq::default(), to, own, buffer)
            }
            Ask::Link => emit(&PlLinkStatusReq::default(), to, own, buffer),
        }
    }
}

impl Machine for Modem {
    /// A whole Ethernet frame; what is not from the own modem is passed over.
    type Input<'a> = &'a [u8];
    type Route = ();
    type Event = ModemEvent;

    fn handle(&mut self, cx: &mut Cx<'_>, bytes: &[u8]) {
        let Ok(frame) = Frame::parse(bytes) else { return };
        let searching = matches!(self.state, State::Searching { .. });
        if frame.to != self.config.own || !(searching || self.address == Some(frame.from)) {
            return;
        }
        self.asked &= !matches!(self.state, State::Present { .. });
        if self.on_frame(cx, &frame).is_err() {
            self.events.push(ModemEvent::Malformed);
        }
    }

    fn handle_timeout(&mut self, cx: &mut Cx<'_>) {
        while let Some(timer) = self.timers.expired(cx.now) {
            match timer {
                Timer::Step => self.on_step(cx),
                Timer::Hold => self.change_link(false),
            }
        }
    }

    fn poll_transmit(&mut self, buffer: &mut [u8]) -> Option<(usize, ())> {
        let ask = self.asks.pop()?;
        let len = self.write(ask, buffer);
        if len.is_none() {
            self.events.push(ModemEvent::NotSent);
        }
        len.map(|len| (len, ()))
    }

    fn poll_event(&mut self) -> Option<ModemEvent> {
        self.events.pop()
    }

    fn poll_timeout(&self) -> Option<Deadline> {
        self.timers.next()
    }
}

#[cfg(test)]
#[path = "modem_tests.rs"]
mod tests;
