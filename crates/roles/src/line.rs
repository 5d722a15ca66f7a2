//! The power line below IP: a modem and matching, kept in step.
//!
//! Neither knows the other. Matching says which key the modem must hold; the modem says whether it does and
//! whether it sees another one. Both are levels, compared after each step, so that nothing is missed.

use homeplug_mme::view::AttenProfileInd;
use homeplug_mme::{ETHERTYPE, Frame, Mac, NetworkKey};
use machine::{Cx, Deadline, Machine, TooShort};
use modem::{Modem, ModemConfig, ModemEvent};

/// Either side's matching, as the power line needs it.
pub(crate) trait Matching: Machine<Route = (), Event = slac::Event> {
    /// The key that the modem must hold; `None`: any.
    fn key(&self) -> Option<NetworkKey>;
    /// The host at the other end.
    fn peer(&self) -> Option<Mac>;
    /// Whether there is a link to it.
    fn is_up(&self) -> bool;
    fn frame(frame: &[u8]) -> Self::Input<'_>;
    fn modem_ready<'a>(ready: bool) -> Self::Input<'a>;
    fn link<'a>(up: bool) -> Self::Input<'a>;
}

impl Matching for slac::Evse {
    fn key(&self) -> Option<NetworkKey> {
        Some(Self::key(self))
    }
    fn peer(&self) -> Option<Mac> {
        Self::peer(self)
    }
    fn is_up(&self) -> bool {
        self.is_matched()
    }
    fn frame(frame: &[u8]) -> slac::EvseInput<'_> {
        slac::EvseInput::Frame(frame)
    }
    fn modem_ready<'a>(ready: bool) -> slac::EvseInput<'a> {
        slac::EvseInput::ModemReady(ready)
    }
    fn link<'a>(up: bool) -> slac::EvseInput<'a> {
        slac::EvseInput::Link(up)
    }
}

impl Matching for slac::Pev {
    fn key(&self) -> Option<NetworkKey> {
        Self::key(self)
    }
    fn peer(&self) -> Option<Mac> {
        Self::peer(self)
    }
    fn is_up(&self) -> bool {
        self.is_matched()
    }
    fn frame(frame: &[u8]) -> slac::PevInput<'_> {
        slac::PevInput::Frame(frame)
    }
    fn modem_ready<'a>(ready: bool) -> slac::PevInput<'a> {
        slac::PevInput::ModemReady(ready)
    }
    fn link<'a>(up: bool) -> slac::PevInput<'a> {
        slac::PevInput::Link(up)
    }
}

/// What the power line tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum LineEvent {
    Modem(ModemEvent),
    Slac(slac::Event),
}

/// A modem and one side of matching.
#[derive(Debug)]
pub(crate) struct Line<M> {
    modem: Modem,
    slac: M,
    wanted: Option<NetworkKey>,
    ready: bool,
    link: bool,
}

/// Rounds of comparing: a change of key, of readiness, of the link.
const ROUNDS: usize = 4;

impl<M: Matching> Line<M> {
    /// Begins to look for the modem.
    pub(crate) fn new(cx: &mut Cx<'_>, config: ModemConfig, slac: M) -> Self {
        let mut modem = Modem::new(config);
        modem.start(cx);
        let mut line = Self { modem, slac, wanted: None, ready: false, link: false };
        line.settle(cx);
        line
    }

    pub(crate) const fn slac(&self) -> &M {
        &self.slac
    }

    pub(crate) const fn modem(&self) -> &Modem {
        &self.modem
    }

    /// Whether there is a link.
    pub(crate) fn is_up(&self) -> bool {
        self.slac.is_up()
    }

    /// The host at the other end.
    pub(crate) fn peer(&self) -> Option<Mac> {
        self.slac.peer()
    }

    /// Whether a frame is for the power line, not for IP.
    pub(crate) fn is_for(frame: &[u8]) -> bool {
        frame.get(12..14) == Some(&ETHERTYPE.to_be_bytes()[..])
    }

    /// Takes a management frame.
    pub(crate) fn frame(&mut self, cx: &mut Cx<'_>, frame: &[u8]) {
        self.modem.handle(cx, frame);
        if self.is_anothers_measurement(frame) {
            return self.settle(cx);
        }
        self.tell(cx, M::frame(frame));
    }

    /// Whether a frame says how loud a car was, and another than the own modem says so: its report would be
    /// mixed with ours. Modems measure under the address under which they are found (three captures).
    fn is_anothers_measurement(&self, frame: &[u8]) -> bool {
        let Ok(frame) = Frame::parse(frame) else { return false };
        let own = self.modem.address().is_none_or(|own| own == frame.from);
        !own && frame.get::<AttenProfileInd<'_>>().is_some()
    }

    /// Tells matching something.
    pub(crate) fn tell(&mut self, cx: &mut Cx<'_>, input: M::Input<'_>) {
        self.slac.handle(cx, input);
        self.settle(cx);
    }

    /// Lets timers act.
    pub(crate) fn handle_timeout(&mut self, cx: &mut Cx<'_>) {
        self.modem.handle_timeout(cx);
        self.slac.handle_timeout(cx);
        self.settle(cx);
    }

    /// Compares what one side wants with what the other has, until they agree.
    fn settle(&mut self, cx: &mut Cx<'_>) {
        for _ in 0..ROUNDS {
            let before = (self.wanted, self.ready, self.link);
            let wanted = self.slac.key();
            if core::mem::replace(&mut self.wanted, wanted) != wanted {
                // Matching takes a new key for one that the modem does not have, until it is told.
                (self.ready, self.link) = (false, false);
                if let Some(key) = wanted {
                    self.modem.set_key(cx, key);
                }
            }
            let ready = match wanted {
                Some(key) => self.modem.is_ready() && self.modem.key() == Some(key),
                None => self.modem.is_present(),
            };
            if core::mem::replace(&mut self.ready, ready) != ready {
                self.slac.handle(cx, M::modem_ready(ready));
            }
            self.modem.watch_link(cx, self.slac.peer().is_some());
            let link = self.sees_link();
            if core::mem::replace(&mut self.link, link) != link {
                self.slac.handle(cx, M::link(link));
            }
            if before == (self.wanted, self.ready, self.link) && self.wanted == self.slac.key() {
                break;
            }
        }
    }

    /// Whether the modem sees another one. One that cannot tell is taken at its key: TCP will find out.
    fn sees_link(&self) -> bool {
        let tells = self.modem.profile().is_none_or(|profile| profile.tells_link);
        if tells { self.modem.link() == Some(true) } else { self.ready }
    }

    pub(crate) fn poll_transmit(&mut self, buffer: &mut [u8]) -> Result<Option<(usize, ())>, TooShort> {
        match self.slac.poll_transmit(buffer)? {
            None => self.modem.poll_transmit(buffer),
            sent => Ok(sent),
        }
    }

    pub(crate) fn poll_event(&mut self) -> Option<LineEvent> {
        let modem = self.modem.poll_event().map(LineEvent::Modem);
        modem.or_else(|| self.slac.poll_event().map(LineEvent::Slac))
    }

    pub(crate) fn poll_timeout(&self) -> Option<Deadline> {
        Deadline::earlier(self.modem.poll_timeout(), self.slac.poll_timeout())
    }
}
