//! A listener on a cable: it hears what others say, and gives the own modem keys when it is told to.

use ::listen::{Attempt, Event, GivenUp, Sight, Status, Storage, Talk, When};
use homeplug_mme::{Mac, NetworkKey};
use machine::{Cx, Deadline, Instant, Machine, Queue, TooShort};
use modem::{Modem, ModemConfig, ModemEvent};

/// The memory that a [`Listen`] borrows on a board: 4 connections, 16 kB of bytes that cannot be given yet,
/// messages up to 8 192 bytes.
pub use ::listen::BoardStorage as ListenStorage;

/// Gets what a listener hears, when it is complete and with the bytes where they are.
///
/// It has no effect on the listener, and is to return at once: to print or keep a message, copy it and do
/// that elsewhere.
pub trait ListenWatch {
    /// A management message, a discovery message, a message of a session, the begin or the end of a
    /// connection.
    fn heard(&self, event: &Event<'_>);
}

/// A passive observer of Ethernet frames, with matchings, connections, messages and stories; `ATTEMPTS` is
/// the number of matchings that it keeps.
///
/// Frames go in with [`handle`](Machine::handle); what is heard goes to a [`ListenWatch`]. It transmits
/// nothing until it is told to [`join`](Self::join) or to [set a key](Self::set_key); then it has a [`Modem`]
/// of its own, which is given each key that a charger gives away (`CM_SLAC_MATCH.CNF`), again at every new
/// match. What that modem says to this host is not part of what is heard.
///
/// # Example
/// ```
/// use machine::{Cx, Instant, Machine, ScriptedEntropy};
/// use roles::{Listen, ListenStorage, MAX_FRAME, Mac};
///
/// let mut storage = ListenStorage::default();
/// let mut listen: Listen<'_> = Listen::new(Mac([2, 0, 0, 0, 0, 1]), &mut storage);
/// let mut cx = Cx { now: Instant::ZERO, entropy: &mut ScriptedEntropy::new(&[7]) };
/// // A car asks who is there: CM_SLAC_PARM.REQ.
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
    /// The own modem is in use: a key was set, or is to be.
    has_modem: bool,
    joins: bool,
    /// The key that was given or learned last.
    key: Option<NetworkKey>,
    said: Sight,
    events: Queue<ListenEvent, EVENTS>,
}

/// What a [`Listen`] reports.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ListenEvent {
    /// What can be seen has changed.
    Sight(Sight),
    /// A charger has given this car a key that is not the one known before.
    Learned(Mac),
    /// Something about the own modem.
    Modem(ModemEvent),
}

/// Events that wait at most, beside the modem's own.
const EVENTS: usize = 8;
/// Ticks of the observer's clock in one of a machine's.
const NS_PER_US: u64 = 1000;

impl<'a, S: Storage<State = Talk>, const A: usize> Listen<'a, S, A> {
    /// A listener on the host `own` that has heard nothing.
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

    /// Shows `watch` what is heard from now on.
    pub fn watch(&mut self, watch: &'a dyn ListenWatch) {
        self.watch = Some(watch);
    }

    /// From now on the own modem is given each key that is learned, and the one that is known already. It
    /// restarts for it and leaves its network.
    pub fn join(&mut self, cx: &mut Cx<'_>) {
        self.joins = true;
        self.start_modem(cx);
        if let Some(key) = self.key {
            self.modem.set_key(cx, key);
        }
    }

    /// Gives the own modem a key that is known otherwise.
    pub fn set_key(&mut self, cx: &mut Cx<'_>, key: NetworkKey) {
        self.key = Some(key);
        self.start_modem(cx);
        self.modem.set_key(cx, key);
    }

    /// The network's key, as given or as learned last: who has it can join the network. For those who ask for
    /// it alone.
    pub fn key(&self) -> Option<NetworkKey> {
        self.key
    }

    /// Whether the own modem has confirmed the key that it was given last.
    pub fn has_joined(&self) -> bool {
        self.has_modem && self.modem.is_ready()
    }

    /// What was seen so far.
    pub fn status(&self) -> Status {
        Status { has_key: self.key.is_some(), ..self.heard.status() }
    }

    /// The latest attempts of matching.
    pub fn attempts(&self) -> &[Attempt] {
        self.heard.attempts()
    }

    /// What is known so far about a connection, by the number that its events have, and its first and its
    /// latest frame; `None` once it is evicted.
    pub fn talk(&mut self, connection: u64) -> Option<(&Talk, [When; 2])> {
        self.heard.talk(connection)
    }

    /// What was abandoned because storage is bounded.
    pub fn given_up(&self) -> GivenUp {
        self.heard.given_up()
    }

    /// Shows the watch what is held back and the stories of all connections: nothing more comes of them.
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

    /// Reports what can be seen where that has changed.
    fn look(&mut self, now: Instant) {
        self.heard.pass(nanos(now));
        let sight = self.heard.status().sight;
        if core::mem::replace(&mut self.said, sight) != sight {
            self.events.push(ListenEvent::Sight(sight));
        }
    }
}

impl<S: Storage<State = Talk>, const A: usize> Machine for Listen<'_, S, A> {
    /// An Ethernet frame without its check sequence, as it came.
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

/// Shows an event, where someone looks on.
fn show(watch: Option<&dyn ListenWatch>, event: &Event<'_>) {
    if let Some(watch) = watch {
        watch.heard(event);
    }
}

/// The observer's clock.
fn nanos(now: Instant) -> i64 {
    i64::try_from(now.as_micros().saturating_mul(NS_PER_US)).unwrap_or(i64::MAX)
}
