//! A charger on a link: the network half, discovery and the session in one machine.

mod config;
mod event;
mod storage;

use core::net::Ipv6Addr;

use evse_fsm::{Charger, Closed, Demand, Operator, Plant};
use machine::{Cx, Deadline, Duration, Instant, Machine, Queue, TimerName, Timers};
use sdp::{Datagram, Endpoint, Offer, Security, Server, ServerEvent};
use session::{Phase, StopReason};

use crate::channel::{Channel, Plain};
use crate::net::{Ended, Heard, Ignored, Kind, MAX_FRAME, Mac, Received, Station, TcpState};
use crate::stream::{Stream, StreamError};

pub use config::{ConfigError, EvseConfig};
pub use event::{Event, Happening};
pub use storage::EvseStorage;

/// A charger's connector on a link that is up. One `Evse` per connector, each with its own MAC address.
///
/// Frames go in with [`Input::Frame`], frames come out of `poll_transmit` into a buffer of at least
/// [`MAX_FRAME`] bytes; take them all after each call. [`demand`](Self::demand) is to be read and applied
/// after each call, too. See the crate's documentation for a whole example.
///
/// One car at a time. Which one: the station that discovery answers first, or that connects first; from
/// then on no other station is heard, until its connection is over or it has made none in 18 s. A second
/// connection of the same station is refused and does not disturb the first.
pub struct Evse<'a, C: Channel = Plain, const N: usize = { v2gtp::MAX_DIN }> {
    connector: u8,
    address: Ipv6Addr,
    port: u16,
    station: Station<'a>,
    discovery: Server,
    stream: Stream<'a, C, N>,
    session: Charger,
    stage: Stage,
    /// Whether the session has been told of a connection and not of its end.
    is_connected: bool,
    serving: Option<Mac>,
    timers: Timers<Timer, 2>,
    ignored: u32,
    events: Queue<Happening, EVENTS>,
}

/// What goes into an [`Evse`].
#[derive(Clone, Copy, Debug)]
pub enum Input<'a> {
    /// An Ethernet frame without its check sequence, as it came.
    Frame(&'a [u8]),
    /// What the sensors say now.
    Plant(Plant),
    /// A person or a back end wants something.
    Operator(Operator),
}

/// Events of the network half that wait at most; the session has its own.
const EVENTS: usize = 16;

/// Without a `SessionSetupReq` for so long a car loses its place (DIN SPEC 70121 and ISO 15118-2,
/// `V2G_SECC_CommunicationSetup_Timeout`).
const SETUP: Duration = Duration::from_secs(18);

/// Time for the three steps of TCP's handshake: judgement, 20 repetitions; a car that tries again from a
/// new port is refused for so long when the handshake was lost halfway.
const HANDSHAKE: Duration = Duration::from_secs(2);

/// From closing a connection to resetting it (ISO 15118-4: TCP is to be over 5 s later).
const CLOSING: Duration = Duration::from_secs(5);

/// Where the connection is, as the session and the timers know it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    Free,
    Opening,
    Open,
    Closing,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Timer {
    /// The car's place.
    Place,
    /// The end of a connection that is being closed.
    Close,
}

impl TimerName for Timer {
    const ALL: &'static [Self] = &[Self::Place, Self::Close];
    fn name(self) -> &'static str {
        match self {
            Self::Place => "communication setup",
            Self::Close => "tcp close",
        }
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
    ) -> Result<Self, ConfigError> {
        Self::with_channel(cx, config, Plain, storage)
    }
}

impl<'a, C: Channel, const N: usize> Evse<'a, C, N> {
    /// A charger whose connections go through `channel`.
    ///
    /// # Errors
    /// What [`EvseConfig::check`] says.
    pub fn with_channel(
        cx: &mut Cx<'_>,
        config: EvseConfig,
        channel: C,
        storage: &'a mut EvseStorage<'a, N>,
    ) -> Result<Self, ConfigError> {
        config.check()?;
        let (address, port) = (config.address(), config.port);
        let offered = |security| (C::SECURITY == security).then_some(port);
        let offer = Offer { address, plain: offered(Security::NONE), tls: offered(Security::TLS) };
        let mut discovery = Server::new(offer);
        discovery.start(None);
        let EvseStorage { station, deframer, out } = storage;
        let mut station = Station::new(cx, config.mac, address, sdp::PORT, port, station);
        station.schedule();
        Ok(Self {
            connector: config.connector,
            address,
            port,
            station,
            discovery,
            stream: Stream::new(channel, deframer, out),
            session: Charger::new(config.charger)?,
            stage: Stage::Free,
            is_connected: false,
            serving: None,
            timers: Timers::new(),
            ignored: 0,
            events: Queue::new(),
        })
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

    /// The station's link-local address.
    pub fn address(&self) -> Ipv6Addr {
        self.address
    }

    fn frame(&mut self, cx: &mut Cx<'_>, frame: &[u8]) {
        let heard = match self.station.classify(frame) {
            Ok(heard) => heard,
            Err(Ignored::Full) => return self.events.push(Happening::Overrun),
            Err(_) => {
                self.ignored = self.ignored.saturating_add(1);
                return;
            }
        };
        if self.serving.is_some_and(|mac| mac != heard.mac) {
            if matches!(heard.kind, Kind::Discovery | Kind::Segment { opens: true, .. }) {
                self.events.push(Happening::OtherStation(heard.mac));
            }
            return;
        }
        if self.station.receive(cx.now, frame) == Received::Sockets {
            self.discover(cx, &heard);
            self.opened(cx, &heard);
        }
        if let Kind::Segment { opens: true, port, from_port } = heard.kind
            && port == self.port
            && self.stage != Stage::Free
        {
            let from = Endpoint { address: heard.from, port: from_port };
            if self.station.peer() != Some(from) {
                self.events.push(Happening::Refused(from));
            }
        }
    }

    /// Answers discovery requests. The first one answered decides who is served.
    fn discover(&mut self, cx: &mut Cx<'_>, heard: &Heard) {
        while self
            .station
            .datagram(|from, bytes| self.discovery.handle(cx, Datagram { from, bytes }))
            .is_some()
        {}
        while let Some(event) = self.discovery.poll_event() {
            self.events.push(Happening::Discovery(event));
            if let ServerEvent::Answered { .. } = event {
                self.station.learn(heard);
                self.serve(cx.now, heard.mac);
            }
        }
        let mut bytes = [0; sdp::MAX_LEN];
        while let Some((len, to)) = self.discovery.poll_transmit(&mut bytes) {
            self.station.send_datagram(to, bytes.get(..len).unwrap_or_default());
        }
    }

    /// Notices a new connection, while the frame that opened it is at hand.
    fn opened(&mut self, cx: &mut Cx<'_>, heard: &Heard) {
        let is_new = self.stage == Stage::Free && self.station.tcp_state() != TcpState::Listening;
        if is_new && matches!(heard.kind, Kind::Segment { .. }) {
            self.station.learn(heard);
            self.serve(cx.now, heard.mac);
            self.discovery.stop();
            self.stage = Stage::Opening;
            self.timers.set(Timer::Place, cx.now + HANDSHAKE);
        }
    }

    fn serve(&mut self, now: Instant, mac: Mac) {
        if self.serving.is_none() {
            self.serving = Some(mac);
            self.timers.set(Timer::Place, now + SETUP);
            self.events.push(Happening::Serving(mac));
        }
    }

    /// Follows the connection after anything that may have changed it, and lets bytes and answers flow.
    fn follow(&mut self, cx: &mut Cx<'_>) {
        let state = self.station.tcp_state();
        if self.stage == Stage::Opening && matches!(state, TcpState::Open | TcpState::PeerClosed) {
            self.connected(cx);
        }
        if self.stage == Stage::Open {
            self.flow(cx);
        }
        match (self.stage, self.station.tcp_state()) {
            (Stage::Opening, TcpState::Listening) => self.free(),
            (Stage::Open, TcpState::PeerClosed) if !self.station.has_bytes() => {
                self.disconnected(cx, Closed::Fin);
                self.close(cx.now);
            }
            (Stage::Open, TcpState::Gone) => {
                let closed = match self.station.ended() {
                    Some(Ended::Timeout) => Closed::Timeout,
                    _ => Closed::Rst,
                };
                self.disconnected(cx, closed);
                self.stage = Stage::Closing;
            }
            (Stage::Closing, state) => {
                // Nobody listens any more: what still comes is dropped.
                let _ = self.station.read(|bytes| (bytes.len(), ()));
                if state == TcpState::Gone {
                    self.disconnected(cx, Closed::Fin);
                }
            }
            _ => {}
        }
        self.station.schedule();
    }

    fn connected(&mut self, cx: &mut Cx<'_>) {
        self.stage = Stage::Open;
        self.timers.set(Timer::Place, cx.now + SETUP);
        self.stream.reset();
        if let Some(peer) = self.station.peer() {
            self.events.push(Happening::Connected(peer));
        }
        self.is_connected = true;
        self.session.handle(cx, evse_fsm::Input::Connected);
    }

    /// Lets messages and answers through, and closes where the session wants it.
    fn flow(&mut self, cx: &mut Cx<'_>) {
        let Self { stream, station, session, events, .. } = self;
        let pumped = stream.pump(cx, station, session, |payload_type| {
            events.push(Happening::Skipped(payload_type));
        });
        if let Err(error) = pumped {
            self.broken(cx, error);
        } else if self.session.wants_close() {
            if self.stream.is_sending() {
                self.close_later(cx.now);
            } else {
                self.close(cx.now);
            }
        }
    }

    fn broken(&mut self, cx: &mut Cx<'_>, error: StreamError) {
        self.events.push(Happening::Broken(error));
        // Not an orderly end: the session shall not take it for one.
        self.disconnected(cx, Closed::Rst);
        self.close(cx.now);
    }

    fn disconnected(&mut self, cx: &mut Cx<'_>, closed: Closed) {
        if core::mem::take(&mut self.is_connected) {
            self.events.push(Happening::Disconnected(closed));
            self.session.handle(cx, evse_fsm::Input::Closed(closed));
        }
    }

    fn close(&mut self, now: Instant) {
        self.station.close();
        self.stage = Stage::Closing;
        self.close_later(now);
    }

    fn close_later(&mut self, now: Instant) {
        if self.timers.due(Timer::Close).is_none() {
            self.timers.set(Timer::Close, now + CLOSING);
        }
    }

    /// Makes room for the next car.
    fn free(&mut self) {
        self.station.listen();
        self.stream.reset();
        self.stage = Stage::Free;
        self.timers.clear_all();
        self.discovery.start(None);
        if self.serving.take().is_some() {
            self.events.push(Happening::Free);
        }
    }

    /// Makes room for the next car when the connection is over and its last frame sent.
    fn recycle(&mut self) {
        let is_over = matches!(self.stage, Stage::Opening | Stage::Closing)
            && self.station.tcp_state() == TcpState::Gone;
        if is_over && !self.is_connected && !self.station.is_sending() {
            self.free();
            self.station.schedule();
        }
    }

    fn expired(&mut self, cx: &mut Cx<'_>, timer: Timer) {
        match (timer, self.stage) {
            (Timer::Place, Stage::Free) => self.free(),
            (Timer::Place, Stage::Opening) => self.station.abort(),
            (Timer::Place, Stage::Open) if self.session.phase() < Phase::SessionSetup => {
                self.disconnected(cx, Closed::Timeout);
                self.station.abort();
                self.stage = Stage::Closing;
            }
            (Timer::Close, _) => {
                self.disconnected(cx, Closed::Timeout);
                self.station.abort();
                self.stage = Stage::Closing;
            }
            (Timer::Place, _) => {}
        }
    }
}

impl<C: Channel, const N: usize> Machine for Evse<'_, C, N> {
    type Input<'i> = Input<'i>;
    type Route = ();
    type Event = Event;

    fn handle(&mut self, cx: &mut Cx<'_>, input: Input<'_>) {
        self.station.tick(cx.now);
        match input {
            Input::Frame(frame) => self.frame(cx, frame),
            Input::Plant(plant) => self.session.handle(cx, evse_fsm::Input::Plant(plant)),
            Input::Operator(operator) => self.session.handle(cx, evse_fsm::Input::Operator(operator)),
        }
        self.follow(cx);
    }

    fn handle_timeout(&mut self, cx: &mut Cx<'_>) {
        self.station.tick(cx.now);
        self.session.handle_timeout(cx);
        while let Some(timer) = self.timers.expired(cx.now) {
            self.expired(cx, timer);
        }
        self.follow(cx);
        self.recycle();
    }

    fn poll_transmit(&mut self, buffer: &mut [u8]) -> Option<(usize, ())> {
        if buffer.len() < MAX_FRAME {
            self.events.push(Happening::BufferTooShort { len: buffer.len() });
            return None;
        }
        let sent = self.station.transmit(buffer);
        if sent.is_none() {
            self.recycle();
        }
        self.station.schedule();
        sent.map(|len| (len, ()))
    }

    fn poll_event(&mut self) -> Option<Event> {
        let what = self.events.pop().or_else(|| self.session.poll_event().map(Happening::Session))?;
        Some(Event { connector: self.connector, what })
    }

    fn poll_timeout(&self) -> Option<Deadline> {
        let network = self.station.due().map(|at| Deadline { at, name: "tcp" });
        let own = Deadline::earlier(self.timers.next(), self.session.poll_timeout());
        Deadline::earlier(own, network)
    }
}
