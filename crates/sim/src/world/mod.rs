//! Virtual time, nodes, their modems and their cables.

mod injection;
mod step;

use std::fmt;

use homeplug_mme::MAX_FRAME;
use machine::{Cx, Deadline, Duration, Instant};

pub use injection::Injection;

use crate::plant::{Bench, BenchConfig};
use crate::queue::earlier;
use crate::trace::{Kind, Trace, describe};
use crate::{Cable, Chance, Drive, EventQueue, Input, ModemConfig, Node, Pilot, Port, PowerLine};

/// Nodes, each at its modem, on one power line, in virtual time. A node is identified by the port of its
/// modem.
///
/// All events come from the nodes, the seed and the script of [injections](Injection): the same three give
/// the same [trace](Self::trace), byte for byte.
pub struct World<N> {
    now: Instant,
    /// Steps since time advanced last.
    still: usize,
    chance: Chance,
    line: PowerLine,
    slots: Vec<Slot<N>>,
    cables: Vec<Cable>,
    script: EventQueue<Injection>,
    trace: Trace,
    taps: Vec<Tap>,
    buffer: Vec<u8>,
}

/// Sees every frame on every host's cable: the time, the host's port, whether the host sent it, the frame.
pub type Tap = Box<dyn FnMut(Instant, Port, bool, &[u8])>;

/// A node and the world's state for it.
struct Slot<N> {
    name: String,
    node: N,
    chance: Chance,
    is_frozen: bool,
    /// Whether it is at an end of a cable.
    has_cable: bool,
    /// The node's answers after its last call, when it had nothing left to send; `None` since it was called
    /// again.
    rest: Option<Rest>,
}

/// A node's answers, valid until it is called again: stored, because the world needs them at every step.
#[derive(Clone, Copy)]
struct Rest {
    deadline: Option<Deadline>,
    /// When it reads its sensors next; `None` without sensors.
    reads_at: Option<Instant>,
    /// The earlier of deadline and reading.
    acts_at: Option<Instant>,
    drive: Drive,
    /// Whether the cables have its demand.
    is_driven: bool,
}

impl<N: Node> Slot<N> {
    /// Polls the node.
    fn ask(&self) -> Rest {
        let (deadline, reads_at) = (self.node.poll_timeout(), self.node_reads_at());
        let acts_at = earlier(deadline.map(|deadline| deadline.at), reads_at);
        Rest { deadline, reads_at, acts_at, drive: self.node.drive(), is_driven: false }
    }

    fn node_reads_at(&self) -> Option<Instant> {
        self.node.reads_at().filter(|_| self.has_cable)
    }

    fn deadline(&self) -> Option<Deadline> {
        self.rest.map_or_else(|| self.node.poll_timeout(), |rest| rest.deadline)
    }

    fn reads_at(&self) -> Option<Instant> {
        self.rest.map_or_else(|| self.node_reads_at(), |rest| rest.reads_at)
    }

    fn acts_at(&self) -> Option<Instant> {
        self.rest.unwrap_or_else(|| self.ask()).acts_at
    }
}

/// The end of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limit {
    /// Time of the end.
    pub until: Instant,
    /// Most steps. A step is everything that happens at one moment.
    pub steps: u64,
}

impl Limit {
    /// Ends by time, or after a million steps: a session of an hour needs a fraction of them.
    pub const fn until(until: Instant) -> Self {
        Self { until, steps: 1_000_000 }
    }
}

/// Why a run ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Stop {
    /// `watch` ended it, with this text.
    Watched(String),
    /// The time of the limit was reached.
    Time,
    /// Nothing is left to do: no deadline, no frame in transit, no injection.
    Idle,
    /// A node never comes to rest: it keeps a deadline that has passed, or sends without end.
    Stuck {
        /// The node's name.
        who: String,
        /// The timer's name, or the node's activity.
        what: String,
    },
    /// The number of steps of the limit was reached.
    Steps,
}

impl fmt::Display for Stop {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Watched(words) => f.write_str(words),
            Self::Time => f.write_str("time is up"),
            Self::Idle => f.write_str("nobody has anything left to do"),
            Self::Stuck { who, what } => write!(f, "{who} never comes to rest: {what}"),
            Self::Steps => f.write_str("too many steps"),
        }
    }
}

/// Attenuation in dB between modems that share no plugged cable: crosstalk of neighbouring charging posts,
/// far above the limits for a match and still received; judgement.
pub const NEIGHBOUR_DB: u8 = 60;
/// Attenuation in dB of a plugged cable: below the limit for a direct match (10 dB); judgement.
pub const PLUGGED_DB: u8 = 9;

impl<N: Node> World<N> {
    /// A world without nodes.
    pub fn new(seed: u64) -> Self {
        let chance = Chance::new(seed);
        let mut line = PowerLine::from_chance(&chance);
        line.set_default_attenuation(Instant::ZERO, NEIGHBOUR_DB);
        Self {
            now: Instant::ZERO,
            still: 0,
            line,
            chance,
            slots: Vec::new(),
            cables: Vec::new(),
            script: EventQueue::new(),
            trace: Trace::default(),
            taps: Vec::new(),
            buffer: vec![0; MAX_FRAME],
        }
    }

    /// Adds a node with its modem.
    pub fn add(&mut self, name: &str, node: N, modem: ModemConfig) -> Port {
        self.add_with(name, modem, |_| node)
    }

    /// Adds a node whose creation needs the time or random numbers, with its modem.
    pub fn add_with(&mut self, name: &str, modem: ModemConfig, make: impl FnOnce(&mut Cx<'_>) -> N) -> Port {
        let port = self.line.add_modem(self.now, modem);
        let mut chance = self.chance.child(&format!("node {name}"));
        let node = make(&mut Cx { now: self.now, entropy: &mut chance });
        self.slots.push(Slot {
            name: name.to_owned(),
            node,
            chance,
            is_frozen: false,
            has_cable: false,
            rest: None,
        });
        self.tell(port, Node::start);
        port
    }

    /// Adds a cable between a charger and a car, with plain hardware and its heartbeat; it is not plugged in.
    pub fn add_cable(&mut self, charger: Port, car: Port) {
        let heartbeat = Some(BenchConfig::HEARTBEAT);
        self.add_cable_with(charger, car, BenchConfig { heartbeat, ..BenchConfig::default() });
    }

    /// Adds a cable with this hardware at its ends.
    pub fn add_cable_with(&mut self, charger: Port, car: Port, config: BenchConfig) {
        let cable = Cable::new(charger, car, config);
        let pilot = cable.bench().pilot();
        self.cables.push(cable);
        for port in [charger, car] {
            if let Some(slot) = self.slots.get_mut(usize::from(port.0)) {
                slot.has_cable = true;
            }
            self.show(port, pilot);
            let _ = self.settle();
        }
    }

    /// Adds an injection to the script, for the time `at`.
    pub fn inject(&mut self, at: Instant, injection: Injection) {
        self.script.push(at, injection);
    }

    /// Calls a node as its operator would, and carries out the consequences.
    pub fn tell(&mut self, port: Port, words: impl FnOnce(&mut N, &mut Cx<'_>)) {
        self.with(port, words);
        let _ = self.settle();
    }

    /// Runs until `watch` returns a text, or another limit is reached. `watch` is called after every step and
    /// sees the whole world: for a condition that is awaited, or a rule that must always hold.
    pub fn run(&mut self, limit: Limit, mut watch: impl FnMut(&Self) -> Option<String>) -> Stop {
        for _ in 0..limit.steps {
            if let Err(stop) = self.step(limit.until) {
                return stop;
            }
            if let Some(words) = watch(self) {
                return Stop::Watched(words);
            }
        }
        Stop::Steps
    }

    /// Advances time in which nothing is due, as [`Stop::Idle`] reports.
    pub fn rest(&mut self, until: Instant) {
        self.now = self.now.max(until);
        let now = self.now;
        self.cables.iter_mut().for_each(|cable| cable.bench.advance(now));
    }

    /// Runs for a time, whatever happens.
    pub fn run_for(&mut self, time: Duration) -> Stop {
        self.run(Limit::until(self.now + time), |_| None)
    }

    /// The virtual time.
    pub const fn now(&self) -> Instant {
        self.now
    }

    /// The node at a port.
    pub fn node(&self, port: Port) -> Option<&N> {
        self.slot(port).map(|slot| &slot.node)
    }

    /// Whether the node at a port hangs.
    pub fn is_frozen(&self, port: Port) -> bool {
        self.slot(port).is_some_and(|slot| slot.is_frozen)
    }

    /// The name of the node at a port.
    pub fn name(&self, port: Port) -> &str {
        self.slot(port).map_or("nobody", |slot| slot.name.as_str())
    }

    /// The cable that ends at a port.
    pub fn cable(&self, port: Port) -> Option<&Cable> {
        self.cables.iter().find(|cable| cable.side(port).is_some())
    }

    /// The hardware at the cable that ends at a port.
    pub fn bench(&self, port: Port) -> Option<&Bench> {
        self.cable(port).map(Cable::bench)
    }

    /// The power line.
    pub const fn line(&self) -> &PowerLine {
        &self.line
    }

    /// The power line, to change it.
    pub const fn line_mut(&mut self) -> &mut PowerLine {
        &mut self.line
    }

    /// What has happened.
    pub const fn trace(&self) -> &Trace {
        &self.trace
    }

    /// What has happened, to take it out.
    pub const fn trace_mut(&mut self) -> &mut Trace {
        &mut self.trace
    }

    /// Keeps no trace from now on: for runs of which only the result counts, because the trace takes about
    /// half of the time.
    pub const fn keep_no_trace(&mut self) {
        self.trace.keep_none();
    }

    /// Passes every frame to `tap`, to record or judge it.
    pub fn add_tap(&mut self, tap: Tap) {
        self.taps.push(tap);
    }

    fn slot(&self, port: Port) -> Option<&Slot<N>> {
        self.slots.get(usize::from(port.0))
    }

    fn ports(&self) -> impl Iterator<Item = Port> + use<N> {
        (0..u8::try_from(self.slots.len()).unwrap_or(u8::MAX)).map(Port)
    }

    /// Calls a node, unless it is frozen.
    fn with<R>(&mut self, port: Port, call: impl FnOnce(&mut N, &mut Cx<'_>) -> R) -> Option<R> {
        let slot = self.slots.get_mut(usize::from(port.0)).filter(|slot| !slot.is_frozen)?;
        slot.rest = None;
        Some(call(&mut slot.node, &mut Cx { now: self.now, entropy: &mut slot.chance }))
    }

    fn note(&mut self, kind: Kind, port: Option<Port>, what: impl FnOnce() -> String) {
        if !self.trace.is_kept() {
            return;
        }
        let who = port.map_or("world", |port| {
            self.slots.get(usize::from(port.0)).map_or("nobody", |slot| slot.name.as_str())
        });
        self.trace.push(self.now, kind, who, what());
    }
}

impl<N> fmt::Debug for World<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("World")
            .field("now", &self.now)
            .field("nodes", &self.slots.len())
            .finish_non_exhaustive()
    }
}
