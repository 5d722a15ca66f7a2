//! A car on a cable: IPv6, discovery and the session in one machine.

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

/// A car's inlet: it detects 5 %, is matched, discovers the charger, connects and charges.
///
/// Pass received frames with [`PevInput::Frame`], and fetch frames to send with `poll_transmit`, in a buffer
/// of [`MAX_FRAME`](crate::MAX_FRAME) bytes. After each call fetch all frames, and read and apply
/// [`demand`](Self::demand).
///
/// One session follows each offer of 5 %. The next one begins after the pilot was removed, after the plug was
/// removed, or with [`PevInput::Restart`]. The car leaves the network and does not begin again
/// * after it has charged the requested energy, until the request changes or the plug was removed;
/// * after its driver's stop, until [`Start`](pev_fsm::Operator::Start), a reset, or the plug was removed.
///
/// The car tries again automatically if no session begins. Where no charger answers discovery, it leaves the
/// network after a pause and is matched again; with [`PevLink::Up`] it repeats discovery. Where the charger
/// accepts no connection, it repeats discovery to receive another address. Each such end is reported as
/// [`Stopped`](pev_fsm::Event::Stopped), with the cause `NoDiscovery` or `NoConnection`.
#[allow(clippy::struct_excessive_bools, reason = "each is a level of its own")]
pub struct Pev<'a, C: Channels = Plain, const N: usize = { v2gtp::MAX_DIN }> {
    mac: Mac,
    address: Ipv6Addr,
    station: Station<'a>,
    discovery: Client,
    channels: C,
    /// The security that the charger has announced.
    given: Security,
    stream: Stream<'a, C::Channel, N>,
    session: Car,
    /// The power line; `None` with [`PevLink::Up`].
    line: Option<Line<slac::Pev>>,
    discovers: bool,
    stage: Stage,
    /// The only station whose frames are accepted.
    charger: Option<Mac>,
    /// The address for connections that the charger has announced.
    announced: Option<Endpoint>,
    tries: u8,
    /// Why the last attempt ended before a session began.
    gave_up: Option<StopReason>,
    /// The requested energy is reached.
    is_done: bool,
    /// The last session ended for that reason: the car requires no more of this charger.
    is_content: bool,
    /// Whether an offer, and a link, was reported to the matching and all parts above it.
    was_offered: bool,
    was_up: bool,
    timers: Timers<Timer, 3>,
    ignored: u32,
    events: Queue<PevEvent, EVENTS>,
}

/// An input of a [`Pev`].
#[derive(Clone, Copy, Debug)]
pub enum PevInput<'a> {
    /// A received Ethernet frame, without its check sequence.
    Frame(&'a [u8]),
    /// The newest readings of the sensors.
    Plant(Plant),
    /// The newest requirements of the battery.
    Vehicle(Vehicle),
    /// Both at the same time.
    Snapshot(Plant, Vehicle),
    /// A command of a person or of another part of the car.
    Operator(Operator),
    /// The network interface is down or removed; repeat this while it is. Every connection ends. After a
    /// pause since the last repetition the car begins again.
    InterfaceDown,
    /// Leave the network and begin again, without waiting for the pilot. No effect during a session or
    /// against the driver's stop.
    Restart,
}

/// Capacity of the network part's event queue; session, modem and matching have their own.
const EVENTS: usize = 8;

/// The stage on the way to a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    /// No offer, or no link.
    Waiting,
    /// Discovery is running.
    Asking,
    /// A connection is being opened.
    Opening,
    /// The connection is open.
    Open,
    /// The connection is being closed.
    Closing,
    /// The session of this offer has ended.
    Done,
}

timers! {
    enum Timer {
        /// Time for the handshake of a connection, and the pause before the next one.
        Connect = "tcp connect",
        /// Time for a connection to close.
        Close = "tcp close",
        /// The pause after a discovery that no charger answered.
        Rest = "rest",
    }
}

impl<'a, const N: usize> Pev<'a, Plain, N> {
    /// A car over plain TCP, before the first reading of its pilot.
    ///
    /// # Errors
    /// As [`PevConfig::check`].
    pub fn new(
        cx: &mut Cx<'_>,
        config: PevConfig,
        storage: &'a mut PevStorage<'a, N>,
    ) -> Result<Self, PevConfigError> {
        Self::with_channels(cx, config, Plain, storage)
    }
}

impl<'a, C: Channels, const N: usize> Pev<'a, C, N> {
    /// A car whose connections use channels of `channels`.
    ///
    /// # Errors
    /// As [`PevConfig::check`].
    // Not inlined: the stack used for the construction is free again afterwards.
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

    /// From now on reports every message of the served connection to `watch`. Without a watch nothing is
    /// copied or called.
    pub fn watch(&mut self, watch: &'a dyn Watch) {
        self.stream.watch = Some(watch);
    }

    /// The levels that the car requires of its plant. Read and apply them after each call.
    pub fn demand(&self) -> Demand {
        let demand = self.session.demand();
        // During the validation of the matching there is no session: the matching sets the pilot.
        let toggled = self.line.as_ref().and_then(|line| line.slac().toggle());
        match toggled {
            Some(true) if !self.stream.is_connected() => Demand { pilot: Level::C, ..demand },
            _ => demand,
        }
    }

    /// The phase of the session.
    pub fn phase(&self) -> Phase {
        self.session.phase()
    }

    /// Why the current session is being ended, or why the last one ended. A session that did not begin,
    /// because no charger answered discovery or accepted the connection, counts.
    pub fn stop_reason(&self) -> Option<StopReason> {
        self.gave_up.or(self.session.stop_reason())
    }

    /// The state of the matching; `None` with [`PevLink::Up`].
    pub fn matching(&self) -> Option<slac::PevState> {
        self.line.as_ref().map(|line| line.slac().state())
    }

    /// The charger's host; `None` without a link.
    pub fn charger(&self) -> Option<Mac> {
        self.charger
    }

    /// The modem; `None` with [`PevLink::Up`].
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

    /// Number of ignored frames: of other protocols, addresses or ports.
    pub fn ignored(&self) -> u32 {
        self.ignored
    }

    fn read_plant(&mut self, cx: &mut Cx<'_>, plant: Plant) {
        self.session.handle(cx, pev_fsm::Input::Plant(plant));
        let Some(pilot) = plant.pilot else { return };
        // The next plug belongs to another charger.
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
                // After a pause the plant's readings become too old first.
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
