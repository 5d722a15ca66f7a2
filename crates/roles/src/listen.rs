//! A listener on a cable: it decodes messages of other stations, and gives its own modem keys on request.

use ::listen::{Attempt, Event, GivenUp, Sight, Status, Storage, Talk, When};
use homeplug_mme::{Mac, NetworkKey};
use machine::{Cx, Deadline, Instant, Machine, Queue, TooShort};
use modem::{Modem, ModemConfig, ModemEvent};

/// The memory that a [`Listen`] borrows on a board: 4 connections, 16 kB for bytes that wait for a gap to
/// close, messages of up to 8 192 bytes.
pub use ::listen::BoardStorage as ListenStorage;

/// Receives each event of a listener when it is complete, without a copy of its bytes.
///
/// It does not affect the listener and must return quickly. To print or store a message, copy it and do that
/// elsewhere.
pub trait ListenWatch {
    /// A management message, a discovery message, a message of a session, the start or the end of a
    /// connection.
    fn heard(&self, event: &Event<'_>);
}

/// A passive observer of Ethernet frames, with matchings, connections, messages and stories. `ATTEMPTS` is
/// the number of matchings that it stores.
///
/// Pass frames with [`handle`](Machine::handle); events go to a [`ListenWatch`]. It transmits nothing until
/// [`join`](Self::join) or [`set_key`](Self::set_key) is called. From then on it has a [`Modem`] of its own
/// and gives it each key that a charger sends to a car (`CM_SLAC_MATCH.CNF`), again at every new match.
/// Messages of that modem to this host are not events.
///
/// # Example
/// ```
/// use machine::{Cx, Instant, Machine, ScriptedEntropy};
/// use roles::{Listen, ListenStorage, MAX_FRAME, Mac};
///
/// let mut storage = ListenStorage::default();
/// let mut listen: Listen<'_> = Listen::new(Mac([2, 0, 0, 0, 0, 1]), &mut storage);
/// let mut cx = Cx { now: Instant::ZERO, entropy: &mut ScriptedEntropy::new(&[7]) };
/// // A car looks for chargers: CM_SLAC_PARM.REQ.
/// let mut frame = vec![0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 2, 0, 0, 0, 0, 0xE1, 0x88, 0xE1, 1, 0x64, 0x60];
/// frame.extend([0, 0, 0, 0]);
/// frame.extend(b"TESLA EV");
/// listen.handle(&mut cx, &frame);
/// assert_eq!(listen.attempts().len(), 1);
/// assert_eq!(listen.poll_transmit(&mut [0; MAX_FRAME]), Ok(None));
/// ```
pub struct Listen<'a, S = &'a mut ListenStorage, const ATTEMPTS: usize = 4> {
    own: Mac,
    heard: ::listen::Listen<S, ATTEMPTS>,
    watch: Option<&'a dyn ListenWatch>,
    modem: Modem,
    /// The listener's own modem is in use: a key was set or will be.
    has_modem: bool,
    joins: bool,
    /// The newest key that was given or learned.
    key: Option<NetworkKey>,
    said: Sight,
    events: Queue<ListenEvent, EVENTS>,
}

/// An event of a [`Listen`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ListenEvent {
    /// What this place on the line lets the listener observe has changed: sessions, or only a part of them.
    Sight(Sight),
    /// A charger has sent this car a key that differs from the last one.
    Learned(Mac),
    /// An event of the listener's own modem.
    Modem(ModemEvent),
}

/// Capacity of the event queue, in addition to the modem's own.
const EVENTS: usize = 8;
/// Ticks of the observer's clock per tick of a machine's.
const NS_PER_US: u64 = 1000;

impl<'a, S: Storage<State = Talk>, const A: usize> Listen<'a, S, A> {
    /// A listener on the host `own` before the first frame.
    pub fn new(own: Mac, storage: S) -> Self {
        Self {
            own,
            heard: ::listen::Listen::new(storage),
            watch: None,
            modem: Modem::new(ModemConfig::new(own)),
            has_modem: false,
            joins: false,
            key: None,
            said: Sight::Nothing,
            events: Queue::new(),
        }
    }

    /// Reports events to `watch` from now on.
    pub fn watch(&mut self, watch: &'a dyn ListenWatch) {
        self.watch = Some(watch);
    }

    /// From now on gives the own modem each key that is learned, and the newest one immediately. The modem
    /// restarts for each and leaves its network.
    pub fn join(&mut self, cx: &mut Cx<'_>) {
        self.joins = true;
        self.start_modem(cx);
        if let Some(key) = self.key {
            self.modem.set_key(cx, key);
        }
    }

    /// Gives the own modem a key from another source.
    pub fn set_key(&mut self, cx: &mut Cx<'_>, key: NetworkKey) {
        self.key = Some(key);
        self.start_modem(cx);
        self.modem.set_key(cx, key);
    }

    /// The network's key, as given or learned last. Secret: with it any modem can join the network.
    pub fn key(&self) -> Option<NetworkKey> {
        self.key
    }

    /// Whether the own modem has confirmed its newest key.
    pub fn has_joined(&self) -> bool {
        self.has_modem && self.modem.is_ready()
    }

    /// What was observed up to now.
    pub fn status(&self) -> Status {
        Status { has_key: self.key.is_some(), ..self.heard.status() }
    }

    /// The latest matching attempts.
    pub fn attempts(&self) -> &[Attempt] {
        self.heard.attempts()
    }

    /// The state of a connection, with its first and its latest frame; `connection` is its number in events.
    /// `None` after it was evicted.
    pub fn talk(&mut self, connection: u64) -> Option<(&Talk, [When; 2])> {
        self.heard.talk(connection)
    }

    /// Counts of what was abandoned because storage is bounded.
    pub fn given_up(&self) -> GivenUp {
        self.heard.given_up()
    }

    /// Reports bytes that still wait for a gap to close and the stories of all connections: no more frames
    /// follow.
    pub fn finish(&mut self) {
        let watch = self.watch;
        self.heard.finish(&mut |event| show(watch, event));
    }

    fn start_modem(&mut self, cx: &mut Cx<'_>) {
        if !core::mem::replace(&mut self.has_modem, true) {
            self.modem.start(cx);
        }
    }

    fn learn(&mut self, cx: &mut Cx<'_>, key: NetworkKey) {
        if self.key == Some(key) {
            return;
        }
        self.key = Some(key);
        if let Some(car) = self.heard.status().car {
            self.events.push(ListenEvent::Learned(car));
        }
        if self.joins {
            self.modem.set_key(cx, key);
        }
    }

    /// Reports a change of what can be observed.
    fn look(&mut self, now: Instant) {
        self.heard.pass(nanos(now));
        let sight = self.heard.status().sight;
        if core::mem::replace(&mut self.said, sight) != sight {
            self.events.push(ListenEvent::Sight(sight));
        }
    }
}

impl<S: Storage<State = Talk>, const A: usize> Machine for Listen<'_, S, A> {
    /// A received Ethernet frame, without its check sequence.
    type Input<'i> = &'i [u8];
    type Route = ();
    type Event = ListenEvent;

    fn handle(&mut self, cx: &mut Cx<'_>, frame: &[u8]) {
        if self.has_modem {
            self.modem.handle(cx, frame);
            if frame.starts_with(&self.own.0) {
                return;
            }
        }
        let watch = self.watch;
        if let Some(key) = self.heard.handle(nanos(cx.now), frame, &mut |event| show(watch, event)) {
            self.learn(cx, key);
        }
        self.look(cx.now);
    }

    fn handle_timeout(&mut self, cx: &mut Cx<'_>) {
        self.modem.handle_timeout(cx);
        self.look(cx.now);
    }

    fn poll_transmit(&mut self, buffer: &mut [u8]) -> Result<Option<(usize, ())>, TooShort> {
        self.modem.poll_transmit(buffer)
    }

    fn poll_event(&mut self) -> Option<ListenEvent> {
        self.events.pop().or_else(|| self.modem.poll_event().map(ListenEvent::Modem))
    }

    fn poll_timeout(&self) -> Option<Deadline> {
        let due = self.heard.due_ns().and_then(|due| u64::try_from(due).ok());
        let due = due.map(|due| Instant::from_micros(due.div_ceil(NS_PER_US)));
        Deadline::earliest(self.modem.poll_timeout(), &[("sight", due)])
    }
}

/// Reports an event, if a watch is set.
fn show(watch: Option<&dyn ListenWatch>, event: &Event<'_>) {
    if let Some(watch) = watch {
        watch.heard(event);
    }
}

/// The time on the observer's clock, in ns.
fn nanos(now: Instant) -> i64 {
    i64::try_from(now.as_micros().saturating_mul(NS_PER_US)).unwrap_or(i64::MAX)
}
