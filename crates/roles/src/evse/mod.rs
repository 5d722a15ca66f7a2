//! A charger on a link: the network half, discovery and the session in one machine.

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
/// Frames go in with [`EvseInput::Frame`], frames come out of `poll_transmit` into a buffer of
/// [`MAX_FRAME`](crate::MAX_FRAME) bytes; take them all after each call. [`demand`](Self::demand) is to be
/// read and applied after each call, too. See the crate's documentation for a whole example.
///
/// One car at a time. Which one: the car that matching found; where the link is taken as up, the station that
/// discovery answers first, or that connects first. From then on no other station is heard, until the link is
/// left, which a car without a connection is made to do after a minute; where it is taken as up, until its
/// connection is over or it has made none in 18 s. A second connection of the same station is refused and
/// does not disturb the first.
pub struct Evse<'a, C: Channels = Plain, const N: usize = { v2gtp::MAX_DIN }> {
    connector: u8,
    address: Ipv6Addr,
    port: u16,
    station: Station<'a>,
    discovery: Server,
    channels: C,
    /// The security that discovery gave last: that of the connection that follows.
    given: Security,
    stream: Stream<'a, C::Channel, N>,
    session: Charger,
    /// The power line; `None` where the link is taken as up.
    line: Option<Line<slac::Evse>>,
    plug: Plug,
    stage: Stage,
    serving: Option<Mac>,
    timers: Timers<Timer, 3>,
    ignored: u32,
    events: Queue<Happening, EVENTS>,
}

/// What goes into an [`Evse`].
#[derive(Clone, Copy, Debug)]
pub enum EvseInput<'a> {
    /// An Ethernet frame without its check sequence, as it came.
    Frame(&'a [u8]),
    /// What the sensors say now.
    Plant(Plant),
    /// A person or a back end wants something.
    Operator(Operator),
    /// The network interface is down or gone: no connection outlives that.
    InterfaceDown,
}

/// Events of the network half that wait at most; the session has its own.
const EVENTS: usize = 8;

/// Where the connection is, as the session and the timers know it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    Free,
    Opening,
    Open,
    Closing,
}

timers! {
    enum Timer {
        /// The car's place.
        Place = "communication setup",
        /// The end of a connection that is being closed.
        Close = "tcp close",
        /// A car that is matched and opens no connection.
        Quiet = "no connection over the link",
    }
}

impl<'a, const N: usize> Evse<'a, Plain, N> {
    /// A charger over plain TCP, with nothing plugged in. Of `cx` the time is the start of its clock and
    /// the entropy makes its TCP sequence numbers unpredictable.
    ///
    /// # Errors
    /// What [`EvseConfig::check`] says.
    pub fn new(
        cx: &mut Cx<'_>,
        config: EvseConfig,
        storage: &'a mut EvseStorage<'a, N>,
    ) -> Result<Self, EvseConfigError> {
        Self::with_channels(cx, config, Plain, storage)
    }
}

impl<'a, C: Channels, const N: usize> Evse<'a, C, N> {
    /// A charger whose connections go through what `channels` makes.
    ///
    /// # Errors
    /// What [`EvseConfig::check`] says.
    // Called: what making it takes of the stack is free again when the role runs. It is made where it stays.
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
        // The line says from the first input on whether 5 % may be offered.
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

    /// Lets `watch` see every message of the served connection from now on; without one nothing is copied or
    /// called.
    pub fn watch(&mut self, watch: &'a dyn Watch) {
        self.stream.watch = Some(watch);
    }

    /// What the charger wants of its plant now. Read and apply it after each call.
    pub fn demand(&self) -> Demand {
        self.session.demand()
    }

    /// Where the connector is.
    pub fn phase(&self) -> Phase {
        self.session.phase()
    }

    /// Why the session at hand is being ended, or why the last one ended.
    pub fn stop_reason(&self) -> Option<StopReason> {
        self.session.stop_reason()
    }

    /// How many frames were none of this station's business: other protocols, addresses, ports.
    pub fn ignored(&self) -> u32 {
        self.ignored
    }

    /// Where matching is; `None` where the link is taken as up.
    pub fn matching(&self) -> Option<slac::EvseState> {
        self.line.as_ref().map(|line| line.slac().state())
    }

    /// The modem, where the link is matched.
    pub fn modem(&self) -> Option<&modem::Modem> {
        self.line.as_ref().map(Line::modem)
    }

    /// The station's link-local address.
    pub fn address(&self) -> Ipv6Addr {
        self.address
    }

    /// The channel between TCP and V2GTP of the connection that there is.
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
