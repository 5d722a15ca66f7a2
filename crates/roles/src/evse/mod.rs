//! A charger on a link: IPv6, discovery and the session in one machine.

mod config;
mod event;
mod link;
mod plug;
mod storage;

use core::net::Ipv6Addr;

use evse_fsm::{Charger, Demand, Operator, Plant};
use machine::{Cx, Deadline, Machine, Queue, Timers, TooShort, timers};
use sdp::{Offer, Security, Server};
use session::{Phase, StopReason};

use crate::channel::{self, Channels, Plain};
use crate::line::{Line, LineEvent};
use crate::net::{Mac, Station};
use crate::stream::Stream;
use crate::watch::Watch;
use plug::Plug;

pub use config::{EvseConfig, EvseConfigError, EvseLink};
pub use event::{EvseEvent, Happening};
pub use storage::EvseStorage;

/// A charger's connector. One `Evse` per connector, each with its own MAC address.
///
/// Pass received frames with [`EvseInput::Frame`], and fetch frames to send with `poll_transmit`, in a buffer
/// of [`MAX_FRAME`](crate::MAX_FRAME) bytes. After each call fetch all frames, and read and apply
/// [`demand`](Self::demand). See the documentation of the crate for an example.
///
/// One car at a time is served: with matching the matched car, with [`EvseLink::Up`] the station that
/// discovery answers first or that connects first. Frames of all other stations are then ignored:
/// * With matching until the link ends. Without a connection for 60 s the charger ends it.
/// * With [`EvseLink::Up`] until the connection is closed, or for 18 s without one.
///
/// A second connection of the same station is refused and does not affect the first.
pub struct Evse<'a, C: Channels = Plain, const N: usize = { v2gtp::MAX_DIN }> {
    connector: u8,
    address: Ipv6Addr,
    port: u16,
    station: Station<'a>,
    discovery: Server,
    channels: C,
    /// The security in the newest discovery response: that of the next connection.
    given: Security,
    stream: Stream<'a, C::Channel, N>,
    session: Charger,
    /// The power line; `None` with [`EvseLink::Up`].
    line: Option<Line<slac::Evse>>,
    plug: Plug,
    stage: Stage,
    serving: Option<Mac>,
    timers: Timers<Timer, 3>,
    ignored: u32,
    events: Queue<Happening, EVENTS>,
}

/// An input of an [`Evse`].
#[derive(Clone, Copy, Debug)]
pub enum EvseInput<'a> {
    /// A received Ethernet frame, without its check sequence.
    Frame(&'a [u8]),
    /// The newest readings of the sensors.
    Plant(Plant),
    /// A command of a person or a back end.
    Operator(Operator),
    /// The network interface is down or removed: every connection ends.
    InterfaceDown,
}

/// Capacity of the network part's event queue; the session has its own.
const EVENTS: usize = 8;

/// The connection, as session and timers see it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    Free,
    Opening,
    Open,
    Closing,
}

timers! {
    enum Timer {
        /// Time for the served car to open a connection.
        Place = "communication setup",
        /// Time for a connection to close.
        Close = "tcp close",
        /// Time for a matched car to open a connection.
        Quiet = "no connection over the link",
    }
}

impl<'a, const N: usize> Evse<'a, Plain, N> {
    /// A charger over plain TCP, without an inserted plug. The time of `cx` is the start of its clock; the
    /// entropy makes its TCP sequence numbers unpredictable.
    ///
    /// # Errors
    /// As [`EvseConfig::check`].
    pub fn new(
        cx: &mut Cx<'_>,
        config: EvseConfig,
        storage: &'a mut EvseStorage<'a, N>,
    ) -> Result<Self, EvseConfigError> {
        Self::with_channels(cx, config, Plain, storage)
    }
}

impl<'a, C: Channels, const N: usize> Evse<'a, C, N> {
    /// A charger whose connections use channels of `channels`.
    ///
    /// # Errors
    /// As [`EvseConfig::check`].
    // Not inlined: the stack used for the construction is free again afterwards. The value is constructed in
    // its final place.
    #[inline(never)]
    pub fn with_channels(
        cx: &mut Cx<'_>,
        config: EvseConfig,
        channels: C,
        storage: &'a mut EvseStorage<'a, N>,
    ) -> Result<Self, EvseConfigError> {
        config.check()?;
        let (address, port) = (config.address(), config.port);
        let offered = |security| channels.offers(security).then_some(port);
        let offer = Offer { address, plain: offered(Security::NONE), tls: offered(Security::TLS) };
        let mut discovery = Server::new(offer);
        let line = match config.link {
            EvseLink::Up => {
                discovery.start(None);
                None
            }
            EvseLink::Matched { slac, modem } => {
                let modem = modem::ModemConfig { profile: modem, ..modem::ModemConfig::new(config.mac) };
                let slac = slac::Evse::new(cx, slac);
                Some(Line::new(cx, modem, slac))
            }
        };
        let EvseStorage { station, deframer, out } = storage;
        let mut station = Station::new(cx, config.mac, address, sdp::PORT, port, station);
        if line.is_none() {
            station.claim(cx.now);
        }
        station.schedule();
        // From the first input on the power line determines whether 5 % may be offered.
        let offers = line.as_ref().is_none_or(|line| line.slac().offers());
        let charger = evse_fsm::Config { available: config.charger.available && offers, ..config.charger };
        Ok(Self {
            connector: config.connector,
            address,
            port,
            station,
            discovery,
            given: channel::only(&channels),
            channels,
            stream: Stream::new(deframer, out),
            plug: Plug::new(config.charger.available),
            session: Charger::new(charger)?,
            line,
            stage: Stage::Free,
            serving: None,
            timers: Timers::new(),
            ignored: 0,
            events: Queue::new(),
        })
    }

    /// From now on reports every message of the served connection to `watch`. Without a watch nothing is
    /// copied or called.
    pub fn watch(&mut self, watch: &'a dyn Watch) {
        self.stream.watch = Some(watch);
    }

    /// The levels that the charger requires of its plant. Read and apply them after each call.
    pub fn demand(&self) -> Demand {
        self.session.demand()
    }

    /// The phase of the connector.
    pub fn phase(&self) -> Phase {
        self.session.phase()
    }

    /// Why the current session is being ended, or why the last one ended; `None` if neither.
    pub fn stop_reason(&self) -> Option<StopReason> {
        self.session.stop_reason()
    }

    /// Number of ignored frames: of other protocols, addresses or ports.
    pub fn ignored(&self) -> u32 {
        self.ignored
    }

    /// The state of the matching; `None` with [`EvseLink::Up`].
    pub fn matching(&self) -> Option<slac::EvseState> {
        self.line.as_ref().map(|line| line.slac().state())
    }

    /// The modem; `None` with [`EvseLink::Up`].
    pub fn modem(&self) -> Option<&modem::Modem> {
        self.line.as_ref().map(Line::modem)
    }

    /// The station's link-local address.
    pub fn address(&self) -> Ipv6Addr {
        self.address
    }

    /// The channel of the present connection, between TCP and V2GTP.
    pub fn channel(&self) -> Option<&C::Channel> {
        self.stream.channel.as_ref()
    }
}

impl<C: Channels, const N: usize> Machine for Evse<'_, C, N> {
    type Input<'i> = EvseInput<'i>;
    type Route = ();
    type Event = EvseEvent;

    fn handle(&mut self, cx: &mut Cx<'_>, input: EvseInput<'_>) {
        self.station.tick(cx.now);
        match input {
            EvseInput::Frame(frame) => self.frame(cx, frame),
            EvseInput::Plant(plant) => {
                self.session.handle(cx, evse_fsm::Input::Plant(plant));
                self.plug.read(self.session.level());
            }
            EvseInput::Operator(Operator::Available(yes)) => self.plug.available = yes,
            EvseInput::Operator(operator) => self.session.handle(cx, evse_fsm::Input::Operator(operator)),
            EvseInput::InterfaceDown => self.interface_down(cx),
        }
        self.follow(cx);
        self.follow_line(cx);
    }

    fn handle_timeout(&mut self, cx: &mut Cx<'_>) {
        self.station.tick(cx.now);
        self.session.handle_timeout(cx);
        if let Some(line) = &mut self.line {
            line.handle_timeout(cx);
        }
        while let Some(timer) = self.timers.expired(cx.now) {
            self.expired(cx, timer);
        }
        self.follow(cx);
        self.follow_line(cx);
        self.recycle();
    }

    fn poll_transmit(&mut self, buffer: &mut [u8]) -> Result<Option<(usize, ())>, TooShort> {
        if let Some(line) = &mut self.line
            && let Some(sent) = line.poll_transmit(buffer)?
        {
            return Ok(Some(sent));
        }
        let sent = self.station.transmit(buffer)?;
        if sent.is_none() {
            self.recycle();
        }
        Ok(sent.map(|len| (len, ())))
    }

    fn poll_event(&mut self) -> Option<EvseEvent> {
        let line = self.line.as_mut().and_then(Line::poll_event).map(|event| match event {
            LineEvent::Modem(event) => Happening::Modem(event),
            LineEvent::Slac(event) => Happening::Slac(event),
        });
        let own = line.or_else(|| self.events.pop());
        let what = own.or_else(|| self.session.poll_event().map(Happening::Session))?;
        Some(EvseEvent { connector: self.connector, what })
    }

    fn poll_timeout(&self) -> Option<Deadline> {
        let network = self.station.due().map(|at| Deadline { at, name: "tcp" });
        let own = Deadline::earlier(self.timers.next(), self.session.poll_timeout());
        let line = self.line.as_ref().and_then(Line::poll_timeout);
        Deadline::earlier(Deadline::earlier(own, line), network)
    }
}
