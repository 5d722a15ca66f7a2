//! A car on a cable: the network half, discovery and the session in one machine.

mod config;
mod event;
mod network;

use control_pilot::{Level, Output, Proximity};
use core::net::Ipv6Addr;
use homeplug_mme::Mac;
use machine::{Cx, Deadline, Machine, Queue, Timers, TooShort, timers};
use pev_fsm::{Car, Demand, Operator, Plant, Vehicle};
use sdp::{Client, ClientConfig, Endpoint, Security};
use session::{Phase, StopReason};

use crate::channel::{self, Channels, Plain};
use crate::evse::EvseStorage;
use crate::line::{Line, LineEvent};
use crate::net::Station;
use crate::stream::Stream;
use crate::watch::Watch;

pub use config::{PevConfig, PevConfigError, PevLink};
pub use event::PevEvent;

/// The memory that a [`Pev`] borrows: the same as a charger's.
pub type PevStorage<'a, const N: usize = { v2gtp::MAX_DIN }> = EvseStorage<'a, N>;

/// A car's inlet: 5 % seen, matched, discovered, connected, charged.
///
/// Frames go in with [`PevInput::Frame`], frames come out of `poll_transmit` into a buffer of
/// [`MAX_FRAME`](crate::MAX_FRAME) bytes; take them all after each call. [`demand`](Self::demand) is to be
/// read and applied after each call, too.
///
/// One session for each offer of 5 %: when it is over, the next begins after the pilot was taken away, or the
/// plug pulled, or with [`PevInput::Restart`]. A car that has charged all that its owner wanted leaves the
/// network and sleeps until that changes, or the plug was out; and so does one whose driver has stopped it,
/// until [`Start`](pev_fsm::Operator::Start) or a reset. A way to a session that ends before it is tried
/// again by itself: where nobody answers discovery, the network is left after a rest and the car matched anew
/// (where the link is taken as up, it is asked anew); where no connection is taken, discovery is asked where
/// else. Each such end is told as [`Stopped`](pev_fsm::Event::Stopped), with `NoDiscovery` or `NoConnection`
/// as its cause.
#[allow(clippy::struct_excessive_bools, reason = "each is a level of its own")]
pub struct Pev<'a, C: Channels = Plain, const N: usize = { v2gtp::MAX_DIN }> {
    mac: Mac,
    address: Ipv6Addr,
    station: Station<'a>,
    discovery: Client,
    channels: C,
    /// The security that the charger announced.
    given: Security,
    stream: Stream<'a, C::Channel, N>,
    session: Car,
    /// The power line; `None` where the link is taken as up.
    line: Option<Line<slac::Pev>>,
    discovers: bool,
    stage: Stage,
    /// The only station that is heard.
    charger: Option<Mac>,
    /// Where the charger said that it takes connections.
    announced: Option<Endpoint>,
    tries: u8,
    /// Why the last way to a session ended before there was one.
    gave_up: Option<StopReason>,
    /// The battery has what its owner wanted.
    is_done: bool,
    /// And so ended the last session: nothing more is wanted of this charger.
    is_content: bool,
    /// Whether matching and everything above it has been told of an offer, and of a link.
    was_offered: bool,
    was_up: bool,
    timers: Timers<Timer, 3>,
    ignored: u32,
    events: Queue<PevEvent, EVENTS>,
}

/// What goes into a [`Pev`].
#[derive(Clone, Copy, Debug)]
pub enum PevInput<'a> {
    /// An Ethernet frame without its check sequence, as it came.
    Frame(&'a [u8]),
    /// What the sensors say now.
    Plant(Plant),
    /// What the battery wants now.
    Vehicle(Vehicle),
    /// Both at once.
    Snapshot(Plant, Vehicle),
    /// A person or the rest of the car wants something.
    Operator(Operator),
    /// The network interface is down or gone, to be said again while it is: no connection outlives that. A
    /// rest after the last of it the way to a session begins again.
    InterfaceDown,
    /// Leave the network and begin again, without waiting for the pilot. Does nothing while a session runs,
    /// nor against the driver's stop.
    Restart,
}

/// Events of the network half that wait at most; session, modem and matching have their own.
const EVENTS: usize = 8;

/// Where the way to a session is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    /// No offer, or no link.
    Waiting,
    /// Discovery asks.
    Asking,
    /// A connection is being made.
    Opening,
    /// It is open.
    Open,
    /// It is being closed.
    Closing,
    /// The session of this offer is over.
    Done,
}

timers! {
    enum Timer {
        /// The handshake of a connection, and the pause before the next try.
        Connect = "tcp connect",
        /// The end of a connection that is being closed.
        Close = "tcp close",
        /// Behind a discovery that nobody answered.
        Rest = "rest",
    }
}

impl<'a, const N: usize> Pev<'a, Plain, N> {
    /// A car over plain TCP that sees no pilot yet.
    ///
    /// # Errors
    /// What [`PevConfig::check`] says.
    pub fn new(
        cx: &mut Cx<'_>,
        config: PevConfig,
        storage: &'a mut PevStorage<'a, N>,
    ) -> Result<Self, PevConfigError> {
        Self::with_channels(cx, config, Plain, storage)
    }
}

impl<'a, C: Channels, const N: usize> Pev<'a, C, N> {
    /// A car whose connections go through what `channels` makes.
    ///
    /// # Errors
    /// What [`PevConfig::check`] says.
    // Called: what it takes of the stack is free again when the role runs.
    #[inline(never)]
    pub fn with_channels(
        cx: &mut Cx<'_>,
        config: PevConfig,
        channels: C,
        storage: &'a mut PevStorage<'a, N>,
    ) -> Result<Self, PevConfigError> {
        config.check()?;
        let (mac, address) = (config.mac, config.address());
        let line = match config.link {
            PevLink::Up => None,
            PevLink::Matched { slac, modem } => {
                let modem = modem::ModemConfig { profile: modem, ..modem::ModemConfig::new(mac) };
                Some(Line::new(cx, modem, slac::Pev::new(slac)))
            }
        };
        let EvseStorage { station, deframer, out } = storage;
        let own_port = network::ephemeral(cx);
        let mut station = Station::new(cx, mac, address, own_port, own_port, station);
        station.abort();
        station.schedule();
        let wish =
            ClientConfig { plain: channels.offers(Security::NONE), tls: channels.offers(Security::TLS) };
        Ok(Self {
            mac,
            address,
            station,
            discovery: Client::new(wish),
            given: channel::only(&channels),
            channels,
            stream: Stream::new(deframer, out),
            session: Car::new(config.car)?,
            line,
            discovers: config.discovers,
            stage: Stage::Waiting,
            charger: None,
            announced: None,
            tries: 0,
            gave_up: None,
            is_done: false,
            is_content: false,
            was_offered: false,
            was_up: false,
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

    /// What the car wants of its plant now. Read and apply it after each call.
    pub fn demand(&self) -> Demand {
        let demand = self.session.demand();
        // While it is being recognised by its pilot there is no session.
        let toggled = self.line.as_ref().and_then(|line| line.slac().toggle());
        match toggled {
            Some(true) if !self.stream.is_connected() => Demand { pilot: Level::C, ..demand },
            _ => demand,
        }
    }

    /// Where the session is.
    pub fn phase(&self) -> Phase {
        self.session.phase()
    }

    /// Why the session at hand is being ended, or why the last one ended; one that did not come about because
    /// nobody answered discovery, or took the connection, counts.
    pub fn stop_reason(&self) -> Option<StopReason> {
        self.gave_up.or(self.session.stop_reason())
    }

    /// Where matching is; `None` where the link is taken as up.
    pub fn matching(&self) -> Option<slac::PevState> {
        self.line.as_ref().map(|line| line.slac().state())
    }

    /// The charger's host, once there is a link to it.
    pub fn charger(&self) -> Option<Mac> {
        self.charger
    }

    /// The modem, where the link is matched.
    pub fn modem(&self) -> Option<&modem::Modem> {
        self.line.as_ref().map(Line::modem)
    }

    /// The station's own MAC address.
    pub fn mac(&self) -> Mac {
        self.mac
    }

    /// The station's link-local address.
    pub fn address(&self) -> Ipv6Addr {
        self.address
    }

    /// How many frames were none of its business.
    pub fn ignored(&self) -> u32 {
        self.ignored
    }

    fn read_plant(&mut self, cx: &mut Cx<'_>, plant: Plant) {
        self.session.handle(cx, pev_fsm::Input::Plant(plant));
        let Some(pilot) = plant.pilot else { return };
        // The next plug is another charger.
        let proximity = plant.proximity.map(|proximity| proximity.value);
        self.is_content &= pilot.value != Output::Zero && proximity != Some(Proximity::Absent);
    }

    fn read_vehicle(&mut self, cx: &mut Cx<'_>, vehicle: Vehicle) {
        self.is_done = vehicle.is_done;
        self.is_content &= vehicle.is_done;
        self.session.handle(cx, pev_fsm::Input::Vehicle(vehicle));
    }
}

impl<C: Channels, const N: usize> Machine for Pev<'_, C, N> {
    type Input<'i> = PevInput<'i>;
    type Route = ();
    type Event = PevEvent;

    fn handle(&mut self, cx: &mut Cx<'_>, input: PevInput<'_>) {
        self.station.tick(cx.now);
        match input {
            PevInput::Frame(frame) => self.frame(cx, frame),
            PevInput::Plant(plant) => self.read_plant(cx, plant),
            PevInput::Snapshot(plant, vehicle) => {
                // After a pause the plant's readings are the ones that grow stale soonest.
                self.read_plant(cx, plant);
                self.read_vehicle(cx, vehicle);
            }
            PevInput::Vehicle(vehicle) => self.read_vehicle(cx, vehicle),
            PevInput::Operator(word) => self.operator(cx, word),
            PevInput::InterfaceDown => self.interface_down(cx),
            PevInput::Restart => self.restart(cx, slac::PevInput::Error),
        }
        self.follow(cx);
    }

    fn handle_timeout(&mut self, cx: &mut Cx<'_>) {
        self.station.tick(cx.now);
        self.session.handle_timeout(cx);
        self.discovery.handle_timeout(cx);
        if let Some(line) = &mut self.line {
            line.handle_timeout(cx);
        }
        while let Some(timer) = self.timers.expired(cx.now) {
            self.expired(cx, timer);
        }
        self.follow(cx);
    }

    fn poll_transmit(&mut self, buffer: &mut [u8]) -> Result<Option<(usize, ())>, TooShort> {
        if let Some(line) = &mut self.line
            && let Some(sent) = line.poll_transmit(buffer)?
        {
            return Ok(Some(sent));
        }
        Ok(self.station.transmit(buffer)?.map(|len| (len, ())))
    }

    fn poll_event(&mut self) -> Option<PevEvent> {
        let line = self.line.as_mut().and_then(Line::poll_event).map(|event| match event {
            LineEvent::Modem(event) => PevEvent::Modem(event),
            LineEvent::Slac(event) => PevEvent::Slac(event),
        });
        let own = line.or_else(|| self.events.pop());
        own.or_else(|| self.session.poll_event().map(PevEvent::Session))
    }

    fn poll_timeout(&self) -> Option<Deadline> {
        let all = [
            self.station.due().map(|at| Deadline { at, name: "tcp" }),
            self.session.poll_timeout(),
            self.discovery.poll_timeout(),
            self.line.as_ref().and_then(Line::poll_timeout),
        ];
        all.into_iter().fold(self.timers.next(), Deadline::earlier)
    }
}
