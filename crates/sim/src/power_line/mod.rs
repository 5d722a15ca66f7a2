//! The power line with all its modems, without clock or I/O.

mod answers;
mod faults;
mod image;
mod kind;
mod modem;
mod network;
mod parameters;
mod travel;
mod writing;

use std::collections::VecDeque;
use std::fmt;

use homeplug_mme::{MAX_FRAME, Mac, Message, emit};
use machine::{Duration, Instant};

pub use faults::{Act, Place, Rule, Weather};
pub use image::{Coordinator, Image, SlacMode};
pub use kind::{ModemKind, Traits, Vendor};
pub use modem::ModemConfig;
pub use network::OUT_OF_REACH_DB;

use crate::{Chance, EventQueue};
use faults::Rules;
use modem::Modem;
use network::{Network, Station};

/// The connection of a host to its modem.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Port(pub u8);

impl fmt::Display for Port {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

/// Events at modems that no host receives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LineEvent {
    /// A modem runs.
    Up(Port),
    /// A modem has stopped: it restarts.
    Down(Port),
    /// Two modems can exchange frames in one network.
    Linked(Port, Port),
    /// Two modems no longer can.
    Unlinked(Port, Port),
}

impl fmt::Display for LineEvent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Up(port) => write!(f, "modem {port} is up"),
            Self::Down(port) => write!(f, "modem {port} is down"),
            Self::Linked(a, b) => write!(f, "modems {a} and {b} are linked"),
            Self::Unlinked(a, b) => write!(f, "modems {a} and {b} are no longer linked"),
        }
    }
}

/// The power line with all its modems.
///
/// A host passes a frame to its port with [`handle`](Self::handle) and receives the frames of its modem from
/// [`poll_transmit`](Self::poll_transmit); time advances with [`handle_timeout`](Self::handle_timeout). All
/// random numbers come from the seed: the same calls give the same frames.
#[derive(Debug)]
pub struct PowerLine {
    chance: Chance,
    network: Network,
    modems: Vec<Modem>,
    queue: EventQueue<Event>,
    rules: Rules,
    outbox: VecDeque<(Port, Vec<u8>)>,
    events: VecDeque<LineEvent>,
}

/// An event in the queue.
#[derive(Debug)]
enum Event {
    /// A frame of the host reaches its modem.
    FromHost(Port, Vec<u8>),
    /// A frame of the modem reaches its host.
    ToHost(Port, Vec<u8>),
    /// A frame reaches a modem over the power line.
    Heard { from: Port, at: Port, frame: Vec<u8> },
    /// A modem sends its answer to its host, or to the host at another modem.
    Ready { port: Port, asker: Option<Port>, frame: Vec<u8> },
    /// A modem stops.
    Down(Port, u32),
    /// A modem starts. `Down` and `Up` take effect only if no later start was announced: they carry its
    /// number.
    Up(Port, u32),
    /// A link may have come up.
    Joined(Port, Port),
}

/// Attenuation between modems without another setting: one short cable, judgement.
const DEFAULT_DB: u8 = 10;

impl PowerLine {
    /// A power line without modems.
    pub fn new(seed: u64) -> Self {
        Self::from_chance(&Chance::new(seed))
    }

    /// A power line without modems whose random stream belongs to another's.
    pub fn from_chance(chance: &Chance) -> Self {
        let chance = chance.child("power line");
        Self {
            network: Network::new(chance.child("network"), DEFAULT_DB),
            chance,
            modems: Vec::new(),
            queue: EventQueue::new(),
            rules: Rules::default(),
            outbox: VecDeque::new(),
            events: VecDeque::new(),
        }
    }

    /// Adds a modem, which runs immediately, and returns the port of its host.
    pub fn add_modem(&mut self, now: Instant, config: ModemConfig) -> Port {
        let port = Port(u8::try_from(self.modems.len()).unwrap_or(u8::MAX));
        self.modems.push(Modem::new(config, self.chance.child(&format!("modem {port}"))));
        self.events.push_back(LineEvent::Up(port));
        self.update(now);
        port
    }

    /// Takes a frame from the host at `port`.
    pub fn handle(&mut self, now: Instant, port: Port, frame: &[u8]) {
        self.handle_timeout(now);
        self.cable(now, Place::FromHost(port), frame.to_vec(), Event::FromHost);
        self.handle_timeout(now);
    }

    /// Carries out everything that is due at `now`.
    pub fn handle_timeout(&mut self, now: Instant) {
        while let Some((at, event)) = self.queue.pop_due(now) {
            match event {
                Event::FromHost(port, frame) => self.host_sent(at, port, &frame),
                Event::ToHost(port, frame) => self.outbox.push_back((port, frame)),
                Event::Ready { port, asker: None, frame } => self.tell_host(at, port, frame),
                Event::Ready { port, asker: Some(asker), frame } => self.carry(at, port, asker, frame),
                Event::Heard { from, at: port, frame } => self.heard(at, from, port, frame),
                Event::Down(port, start) => {
                    if self.modem(port).is_some_and(|modem| modem.awaits(start)) {
                        self.stop(at, port);
                    }
                }
                Event::Up(port, start) => self.start(at, port, start),
                Event::Joined(a, b) if self.network.is_linked(at, a, b) => {
                    self.events.push_back(LineEvent::Linked(a, b));
                }
                Event::Joined(..) => (),
            }
        }
    }

    /// Carries out what is due before `end`, up to the first moment with a frame or an event to collect.
    /// Returns that moment, or the next one at which something is due.
    pub(crate) fn run_before(&mut self, end: Instant) -> Option<Instant> {
        loop {
            let at = self.queue.next_at()?;
            if at >= end {
                return Some(at);
            }
            self.handle_timeout(at);
            if self.has_news() {
                return Some(at);
            }
        }
    }

    /// The next frame that has arrived at a host's port.
    pub fn poll_transmit(&mut self) -> Option<(Port, Vec<u8>)> {
        self.outbox.pop_front()
    }

    /// The next event at a modem, oldest first.
    pub fn poll_event(&mut self) -> Option<LineEvent> {
        self.events.pop_front()
    }

    /// Whether a frame or an event waits.
    pub(crate) fn has_news(&self) -> bool {
        !self.outbox.is_empty() || !self.events.is_empty()
    }

    /// When [`handle_timeout`](Self::handle_timeout) is due; `None`: nothing is pending.
    pub fn poll_timeout(&self) -> Option<Instant> {
        self.queue.next_at()
    }

    /// The flash of the modem at `port`.
    pub fn image(&self, port: Port) -> Option<&Image> {
        self.modem(port).map(|modem| &modem.image)
    }

    /// Whether the modems at `a` and `b` can exchange frames in one network.
    pub fn is_linked(&self, now: Instant, a: Port, b: Port) -> bool {
        self.network.is_linked(now, a, b)
    }

    /// Sets the attenuation in dB between modems without another setting.
    pub fn set_default_attenuation(&mut self, now: Instant, db: u8) {
        self.network.set_default_db(db);
        self.update(now);
    }

    /// Sets the attenuation in dB between two modems; from [`OUT_OF_REACH_DB`] on they do not receive each
    /// other.
    pub fn set_attenuation(&mut self, now: Instant, a: Port, b: Port, db: u8) {
        self.network.path(a, b).attenuation_db = db;
        self.update(now);
    }

    /// Cuts the path between two modems, or repairs it.
    pub fn partition(&mut self, now: Instant, a: Port, b: Port, is_cut: bool) {
        self.network.path(a, b).is_cut = is_cut;
        self.update(now);
    }

    /// Sets the random disturbance on the path between two modems.
    pub fn set_path_weather(&mut self, a: Port, b: Port, weather: Weather) {
        self.network.path(a, b).set_weather(weather);
    }

    /// Sets the random disturbance on the cable between a host and its modem.
    pub fn set_cable_weather(&mut self, port: Port, weather: Weather) {
        if let Some(modem) = self.modem_mut(port) {
            for way in &mut modem.cable {
                way.weather = weather;
            }
        }
    }

    /// Adds a scripted fault.
    pub fn add_rule(&mut self, rule: Rule) {
        self.rules.add(rule);
    }

    /// Removes all scripted faults.
    pub fn clear_rules(&mut self) {
        self.rules.clear();
    }

    /// Stops a modem immediately; it runs again after `downtime`.
    pub fn restart(&mut self, now: Instant, port: Port, downtime: Duration) {
        self.stop(now, port);
        if let Some(modem) = self.modem_mut(port) {
            let start = modem.begin_start();
            self.queue.push(now + downtime, Event::Up(port, start));
        }
    }

    /// Makes a modem hang, so that it neither answers nor forwards frames, or ends that.
    pub fn freeze(&mut self, port: Port, is_frozen: bool) {
        if let Some(modem) = self.modem_mut(port) {
            modem.is_frozen = is_frozen;
        }
    }

    fn modem(&self, port: Port) -> Option<&Modem> {
        self.modems.get(usize::from(port.0))
    }

    fn modem_mut(&mut self, port: Port) -> Option<&mut Modem> {
        self.modems.get_mut(usize::from(port.0))
    }

    fn ports(&self) -> impl Iterator<Item = Port> + use<> {
        (0..u8::try_from(self.modems.len()).unwrap_or(u8::MAX)).map(Port)
    }

    /// The modems that run.
    fn stations(&self) -> Vec<Station> {
        self.ports().zip(&self.modems).filter_map(|(port, modem)| modem.station(port)).collect()
    }

    /// The modem, if it is active: it runs, does not hang, and does not sleep.
    fn awake(&self, port: Port) -> Option<Station> {
        let modem = self.modem(port).filter(|modem| !modem.is_frozen)?;
        let station = modem.station(port)?;
        let sleeps = modem.config.sleeps && !self.network.hears_beacons(&station, &self.stations());
        (!sleeps).then_some(station)
    }

    /// Recomputes which modems form a network.
    fn update(&mut self, now: Instant) {
        let changes = self.network.update(now, &self.stations());
        for (joined, (a, b)) in changes.begun {
            self.queue.push(joined, Event::Joined(a, b));
        }
        self.events.extend(changes.ended.into_iter().map(|(a, b)| LineEvent::Unlinked(a, b)));
    }

    fn stop(&mut self, now: Instant, port: Port) {
        if self.modem_mut(port).is_some_and(Modem::stop) {
            self.events.push_back(LineEvent::Down(port));
            self.update(now);
        }
    }

    fn start(&mut self, now: Instant, port: Port, start: u32) {
        if self.modem_mut(port).is_some_and(|modem| modem.start(now, start)) {
            self.events.push_back(LineEvent::Up(port));
            self.update(now);
        }
    }
}

/// The frame of a message.
fn write<'m, M: Message<'m>>(message: &M, to: Mac, from: Mac) -> Vec<u8> {
    let mut buffer = vec![0; MAX_FRAME];
    let length = emit(message, to, from, &mut buffer).unwrap_or_default();
    buffer.truncate(length);
    buffer
}
