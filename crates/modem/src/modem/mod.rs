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

/// The modem of a charger or a car: keeps it present, with the required key, and reports its link.
///
/// It finds the modem on the own cable, and again after each absence. It sets the key, and again if the modem
/// has lost it. It watches the link. It has no final failure: an absent or faulty modem is reported once and
/// tried again at a low rate. All requests go to [`Mac::LOCAL_MODEM`], which is never forwarded over the
/// power line; a key is never broadcast.
#[derive(Debug)]
#[allow(clippy::struct_excessive_bools, reason = "each is a fact of its own")]
pub struct Modem {
    config: ModemConfig,
    profile: Option<&'static Profile>,
    address: Option<Mac>,
    firmware: Firmware,
    /// The key that the caller requires, and the key that the modem has confirmed.
    wanted: Option<NetworkKey>,
    confirmed: Option<NetworkKey>,
    rounds: u8,
    /// Whether a fault occurred since the last accepted key.
    has_failed: bool,
    nonce: [u8; 4],
    state: State,
    /// Whether the last request is unanswered.
    asked: bool,
    /// Whether the modem has been silent since it last reported its key: it may have restarted and lost it.
    doubt: bool,
    watching: bool,
    link: Option<bool>,
    /// Whether a link may have existed when the key was set, and its loss was not observed.
    had_link: bool,
    /// Until then a missing link may be the restart that follows the key.
    rejoined: Option<Instant>,
    timers: Timers<Timer, 2>,
    asks: Queue<Ask, ASKS>,
    events: Queue<ModemEvent, EVENTS>,
}

/// Configuration of a [`Modem`].
#[derive(Clone, Copy, Debug)]
pub struct ModemConfig {
    /// The host's own address.
    pub own: Mac,
    /// The modem's family; [`NONE`](crate::NONE) without a modem; `None` to detect it.
    pub profile: Option<&'static Profile>,
    /// Pause between two requests for the link's state; 500 ms is usual.
    pub link_interval: Duration,
}

impl ModemConfig {
    /// A modem of any family, with two link requests a second.
    pub const fn new(own: Mac) -> Self {
        Self { own, profile: None, link_interval: Duration::from_millis(500) }
    }
}

/// Events of a [`Modem`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ModemEvent {
    /// The modem responded.
    Found {
        /// Its address.
        address: Mac,
        /// Its family.
        profile: &'static Profile,
    },
    /// No modem responds: check its power and the cable. The search continues.
    NotFound,
    /// The modem responds and has the required key.
    Ready {
        /// Whether the modem has reported the key; not all can.
        verified: bool,
    },
    /// A fault of the modem; it is tried again after a pause.
    Fault(ModemFault),
    /// The modem stopped responding: it restarts, sleeps, or lost its power. The search begins again.
    Silent,
    /// The modem has another key: it restarted, or another host set it. The key is set again.
    OtherKey,
    /// The link to another modem was established or lost. Only while it is watched.
    Link(bool),
    /// The modem sent a malformed message.
    Malformed,
}

/// A fault of the modem.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ModemFault {
    /// It has no firmware.
    #[error("the modem has no firmware (it says BootLoader): load it with its maker's tool")]
    NoFirmware,
    /// It does not confirm a key.
    #[error("the modem does not confirm the key")]
    KeyNotConfirmed,
    /// It confirms the key and then reports another one.
    #[error("the modem confirms the key but keeps another")]
    KeyNotTaken,
    /// It does not respond after its restart.
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
    /// A modem before its start.
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

    /// Begins to search for the modem.
    pub fn start(&mut self, cx: &mut Cx<'_>) {
        if self.has_modem() {
            self.search(cx.now, 0);
        } else {
            self.state = State::Present { unanswered: 0 };
        }
    }

    /// Sets the modem's key, immediately or as soon as it responds. The modem restarts and leaves its
    /// network.
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

    /// Begins or ends the requests for the link's state. Without a modem the caller sets the state.
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

    /// Sets the link's state if there is no modem to report it.
    pub fn set_link(&mut self, up: bool) {
        if !self.has_modem() {
            self.change_link(up);
        }
    }

    /// Whether the modem responds and has the required key. Without a modem: always.
    pub fn is_ready(&self) -> bool {
        let present = matches!(self.state, State::Present { .. });
        !self.has_modem() || (present && self.wanted.is_some() && self.wanted == self.confirmed)
    }

    /// Whether the modem responds and is not busy with a key. Without a modem: always.
    pub fn is_present(&self) -> bool {
        !self.has_modem() || matches!(self.state, State::Present { .. })
    }

    /// Whether a link to another modem exists; `None` if undetermined.
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

    /// The modem's family, as configured or detected.
    pub const fn profile(&self) -> Option<&'static Profile> {
        self.profile
    }

    /// The modem's firmware version in ASCII; empty until it is reported.
    pub fn firmware(&self) -> &[u8] {
        &self.firmware
    }

    fn has_modem(&self) -> bool {
        self.profile.is_none_or(Profile::is_modem)
    }

    /// The family before it is detected: Qualcomm's messages.
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
            // These stages follow `set_key` only, so a key exists.
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
    /// A whole Ethernet frame; frames of other stations are ignored.
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
