mod answers;
mod steps;
#[cfg(test)]
mod tests;

use homeplug_mme::view::{
    GetKeyReq, NscmGetDLinkStatusReq, NscmGetVersionReq, PlLinkStatusReq, SetKeyReq, SwVerReq,
};
use homeplug_mme::{Frame, Mac, NetworkKey, emit};
use machine::{Cx, Deadline, Duration, Instant, Machine, Queue, Retry, Timers, TooShort, timers};

use crate::Firmware;
use crate::profile::{Profile, UNKNOWN, Vendor};
use crate::restart::Restart;

const EVENTS: usize = 8;
const ASKS: usize = 4;

/// What a charger or a car needs of its modem: that it is there, has the key of the day, and whether the link
/// is up.
///
/// It finds the modem on the own cable and finds it again whenever it was away, sets the key that it was
/// given and sets it again when the modem lost it, and watches the link. It never gives up: a modem that is
/// absent or faulty is told once and tried again at a low rate. Everything it sends goes to
/// [`Mac::LOCAL_MODEM`], which is never carried over the power line; a key is never broadcast.
#[derive(Debug)]
#[allow(clippy::struct_excessive_bools, reason = "each is a fact of its own")]
pub struct Modem {
    config: ModemConfig,
    profile: Option<&'static Profile>,
    address: Option<Mac>,
    firmware: Firmware,
    /// The key that the caller wants, and the one that the modem has confirmed.
    wanted: Option<NetworkKey>,
    confirmed: Option<NetworkKey>,
    rounds: u8,
    /// Whether it was faulty since it last took a key.
    has_failed: bool,
    nonce: [u8; 4],
    state: State,
    /// Whether the last question has not been answered yet.
    asked: bool,
    /// Whether the modem has been silent since it last showed its key: it may have restarted and lost it.
    doubt: bool,
    watching: bool,
    link: Option<bool>,
    /// Whether there may have been a link when the key was set, and it has not been seen to go.
    had_link: bool,
    /// Until then a link that is missed may only be the restart which follows the key.
    rejoined: Option<Instant>,
    timers: Timers<Timer, 2>,
    asks: Queue<Ask, ASKS>,
    events: Queue<ModemEvent, EVENTS>,
}

/// How a [`Modem`] works.
#[derive(Clone, Copy, Debug)]
pub struct ModemConfig {
    /// The host's own address.
    pub own: Mac,
    /// The modem's family where it is known; [`NONE`](crate::NONE) where there is no modem. Else it is found
    /// out.
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
    /// The modem has another key than the one it was given: it restarted by itself, or somebody else set it.
    /// The key is set again.
    OtherKey,
    /// The link to another modem came up or was lost. Only while it is watched.
    Link(bool),
    /// The modem sent a message that cannot be read.
    Malformed,
}

/// What is wrong with a modem.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
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
    SettingKey(Retry),
    Restarting(Restart),
    Verifying(Retry),
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

timers! {
    enum Timer {
        Step = "modem",
        Hold = "modem link",
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
            has_failed: false,
            nonce: [0; 4],
            state: State::Stopped,
            asked: false,
            doubt: false,
            watching: false,
            link: None,
            had_link: false,
            rejoined: None,
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
            State::SettingKey(_) | State::Verifying(_) | State::Present { .. } | State::Faulty => {
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

    /// Whether the modem answers and is not busy with a key. Without a modem: always.
    pub fn is_present(&self) -> bool {
        !self.has_modem() || matches!(self.state, State::Present { .. })
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

    fn write(&self, ask: Ask, buffer: &mut [u8]) -> Result<Option<usize>, TooShort> {
        let (to, own) = (Mac::LOCAL_MODEM, self.config.own);
        let len = match (ask, self.wanted) {
            (Ask::Version, _) => emit(&SwVerReq::default(), to, own, buffer),
            (Ask::LumissilVersion, _) => emit(&NscmGetVersionReq::default(), to, own, buffer),
            (Ask::SetKey, Some(key)) => emit(&SetKeyReq::new(self.nonce, key), to, own, buffer),
            (Ask::GetKey, Some(key)) => emit(&GetKeyReq::new(self.nonce, key.nid), to, own, buffer),
            // Asked for a key only, which there is by then.
            (Ask::SetKey | Ask::GetKey, None) => return Ok(None),
            (Ask::Link, _) if self.family().vendor == Vendor::Lumissil => {
                emit(&NscmGetDLinkStatusReq::default(), to, own, buffer)
            }
            (Ask::Link, _) => emit(&PlLinkStatusReq::default(), to, own, buffer),
        };
        len.map(Some)
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
                Timer::Hold => self.link_missed(cx.now),
            }
        }
    }

    fn poll_transmit(&mut self, buffer: &mut [u8]) -> Result<Option<(usize, ())>, TooShort> {
        let Some(&ask) = self.asks.peek() else { return Ok(None) };
        let sent = self.write(ask, buffer)?;
        self.asks.pop();
        Ok(sent.map(|len| (len, ())))
    }

    fn poll_event(&mut self) -> Option<ModemEvent> {
        self.events.pop()
    }

    fn poll_timeout(&self) -> Option<Deadline> {
        self.timers.next()
    }
}
