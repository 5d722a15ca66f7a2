//! The power line below IP: a modem and the matching, kept consistent.
//!
//! Modem and matching do not depend on each other. The matching determines the key that the modem must have.
//! The modem reports whether it has the key and whether it sees another modem. Both are levels and compared
//! after each step, so that no change is lost.

use homeplug_mme::view::AttenProfileInd;
use homeplug_mme::{ETHERTYPE, Frame, Mac, NetworkKey};
use machine::{Cx, Deadline, Machine, TooShort};
use modem::{Modem, ModemConfig, ModemEvent};

/// The matching of either side, as the power line uses it.
pub(crate) trait Matching: Machine<Route = (), Event = slac::Event> {
    /// The key that the modem must have; `None`: any.
    fn key(&self) -> Option<NetworkKey>;
    /// The peer's host; `None` without a match.
    fn peer(&self) -> Option<Mac>;
    /// Whether the link to it is up.
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

/// An event of the power line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum LineEvent {
    Modem(ModemEvent),
    Slac(slac::Event),
}

/// A modem and one side of the matching.
#[derive(Debug)]
pub(crate) struct Line<M> {
    modem: Modem,
    slac: M,
    wanted: Option<NetworkKey>,
    ready: bool,
    link: bool,
}

/// Rounds of the comparison: for a change of the key, of the modem's readiness and of the link.
const ROUNDS: usize = 4;

impl<M: Matching> Line<M> {
    /// Starts the detection of the modem.
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

    /// Whether the link is up.
    pub(crate) fn is_up(&self) -> bool {
        self.slac.is_up()
    }

    /// The peer's host; `None` without a match.
    pub(crate) fn peer(&self) -> Option<Mac> {
        self.slac.peer()
    }

    /// Whether a frame belongs to the power line and not to IP.
    pub(crate) fn is_for(frame: &[u8]) -> bool {
        frame.get(12..14) == Some(&ETHERTYPE.to_be_bytes()[..])
    }

    /// Processes a management frame.
    pub(crate) fn frame(&mut self, cx: &mut Cx<'_>, frame: &[u8]) {
        self.modem.handle(cx, frame);
        if self.is_anothers_measurement(frame) {
            return self.settle(cx);
        }
        self.tell(cx, M::frame(frame));
    }

    /// Whether a frame is a measurement of a car's sounds by a modem other than our own: it must not be mixed
    /// with ours. Modems report with the address under which they are detected (three captures).
    fn is_anothers_measurement(&self, frame: &[u8]) -> bool {
        let Ok(frame) = Frame::parse(frame) else { return false };
        let own = self.modem.address().is_none_or(|own| own == frame.from);
        !own && frame.get::<AttenProfileInd<'_>>().is_some()
    }

    /// Passes an input to the matching.
    pub(crate) fn tell(&mut self, cx: &mut Cx<'_>, input: M::Input<'_>) {
        self.slac.handle(cx, input);
        self.settle(cx);
    }

    /// Processes timers.
    pub(crate) fn handle_timeout(&mut self, cx: &mut Cx<'_>) {
        self.modem.handle_timeout(cx);
        self.slac.handle_timeout(cx);
        self.settle(cx);
    }

    /// Compares what each of both requires with the state of the other, until they agree.
    fn settle(&mut self, cx: &mut Cx<'_>) {
        for _ in 0..ROUNDS {
            let before = (self.wanted, self.ready, self.link);
            let wanted = self.slac.key();
            if core::mem::replace(&mut self.wanted, wanted) != wanted {
                // Until it is informed, the matching treats a new key as one that the modem does not have.
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

    /// Whether the modem sees another modem. One that cannot report this counts as linked when it has the
    /// key: a missing link shows as a TCP timeout.
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
