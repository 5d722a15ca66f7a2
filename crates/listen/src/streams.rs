//! Reassembly of TCP connections in storage of the caller.

#[cfg(test)]
mod tests;

use crate::framer::{Close, Found, Sink, When};
use crate::half::{Half, Memory};
use crate::held::{BLOCK_LEN, Block, Free, Pool};
use crate::packet::{Endpoint, Flow, Segment};

/// If time goes back by more than this, repeated bytes begin a new connection: judgement, captures of several
/// queues are out of order by milliseconds.
const BACK_NS: i64 = 2_000_000_000;

/// Receives the findings of a connection, with the caller's state of it and the sender.
pub type OnFound<'f, T> = dyn FnMut(&mut T, Sender, When, Found<'_>) + 'f;

/// The sending end of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sender {
    /// From this end to the other one.
    pub flow: Flow,
    /// Whether it opened the connection; `None` where the SYN was not observed.
    pub has_opened: Option<bool>,
    /// Number of the connection, in the order of first frames, from 1 on.
    pub connection: u64,
}

/// Counts of what was evicted or abandoned because storage is bounded.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct GivenUp {
    /// Evicted connections. Later segments of one count as another connection.
    pub connections: u64,
    /// Gaps that were abandoned because too many bytes arrived after them.
    pub gaps: u64,
}

/// Storage for [`Streams`], its only memory. The owner chooses the sizes.
pub trait Storage {
    /// The caller's state of a connection.
    type State: Default;
    /// The parts of the storage. Every call must return the same sizes.
    fn parts(&mut self) -> Parts<'_, Self::State>;
}

/// The parts of a storage.
pub struct Parts<'s, T> {
    /// One slot for each connection, at least two. Half of them are for connections with a V2GTP message,
    /// half for connections without: a flood of connections without messages evicts no session.
    pub slots: &'s mut [Slot<T>],
    /// Blocks for bytes that cannot be delivered yet, shared by all connections. One direction uses at most
    /// half of them.
    pub blocks: &'s mut [Block],
    /// Room for one message. A longer one, V2GTP header included, counts as foreign bytes.
    pub message: &'s mut [u8],
}

/// Storage of fixed size, in place: for programs without an allocator.
pub struct Fixed<T, const CONNECTIONS: usize, const BLOCKS: usize, const MESSAGE: usize> {
    slots: [Slot<T>; CONNECTIONS],
    blocks: [Block; BLOCKS],
    message: [u8; MESSAGE],
}

impl<T, const C: usize, const B: usize, const M: usize> Fixed<T, C, B, M> {
    /// Empty storage; `const`, so that it can be a `static`.
    pub const fn new() -> Self {
        Self { slots: [const { Slot::EMPTY }; C], blocks: [Block::EMPTY; B], message: [0; M] }
    }
}

impl<T, const C: usize, const B: usize, const M: usize> Default for Fixed<T, C, B, M> {
    fn default() -> Self {
        Self::new()
    }
}

impl<T: Default, const C: usize, const B: usize, const M: usize> Storage for Fixed<T, C, B, M> {
    type State = T;
    fn parts(&mut self) -> Parts<'_, T> {
        Parts { slots: &mut self.slots, blocks: &mut self.blocks, message: &mut self.message }
    }
}

/// Borrowed storage.
impl<S: Storage> Storage for &mut S {
    type State = S::State;
    fn parts(&mut self) -> Parts<'_, Self::State> {
        (**self).parts()
    }
}

/// All connections of an observer.
pub struct Streams<S> {
    storage: S,
    free: Free,
    /// The slot used last. The next segment most likely belongs to the same connection.
    recent: usize,
    clock: u64,
    opened: u64,
    given_up: GivenUp,
}

/// Room for one connection.
pub struct Slot<T>(Option<Connection<T>>);

impl<T> Slot<T> {
    /// A slot without a connection.
    pub const EMPTY: Self = Self(None);
}

/// One connection. Side 0 is the endpoint that orders first.
struct Connection<T> {
    key: (Endpoint, Endpoint),
    number: u64,
    halves: [Half; 2],
    /// The side that opened it.
    opener: Option<usize>,
    first: Option<When>,
    latest: When,
    used: u64,
    has_message: bool,
    /// The caller's state; the default for each new connection.
    state: T,
}

impl<S: Storage + Default> Default for Streams<S> {
    fn default() -> Self {
        Self::new(S::default())
    }
}

impl<S: Storage> Streams<S> {
    /// A reassembler without connections.
    pub fn new(storage: S) -> Self {
        Self { storage, free: Free::default(), recent: 0, clock: 0, opened: 0, given_up: GivenUp::default() }
    }

    /// Number of connections observed.
    pub fn opened(&self) -> u64 {
        self.opened
    }

    /// Counts of what was evicted or abandoned so far.
    pub fn given_up(&self) -> GivenUp {
        self.given_up
    }

    /// The caller's state of a connection by its number, with its first and its latest frame; `None` after
    /// its eviction.
    pub fn state(&mut self, number: u64) -> Option<(&S::State, [When; 2])> {
        let known = self.storage.parts().slots.iter().filter_map(|slot| slot.0.as_ref());
        let connection = known.into_iter().find(|connection| connection.number == number)?;
        let first = connection.first.unwrap_or(connection.latest);
        Some((&connection.state, [first, connection.latest]))
    }

    /// Handles a segment; `found` receives the completed findings.
    pub fn take(&mut self, when: When, flow: Flow, segment: Segment<'_>, found: &mut OnFound<'_, S::State>) {
        let side = usize::from(flow.source > flow.destination);
        let key = if side == 0 { (flow.source, flow.destination) } else { (flow.destination, flow.source) };
        let opens = segment.syn && segment.acknowledged.is_none();
        let mut at = self.find(key);
        if let Some(known) = at
            && self.connection(known).is_some_and(|known| known.is_another(when, side, opens, &segment))
        {
            self.close(known, found);
            at = None;
        }
        let at = at.unwrap_or_else(|| self.begin(key, found));
        self.recent = at;
        self.make_room(segment.data.len(), found);
        let Parts { slots, blocks, message } = self.storage.parts();
        let Some(Slot(Some(connection))) = slots.get_mut(at) else { return };
        let mut memory = Memory { pool: Pool { blocks, free: &mut self.free }, message };
        self.clock += 1;
        connection.used = self.clock;
        let was_silent = !connection.has_message;
        self.given_up.gaps += connection.take(when, side, opens, segment, &mut memory, found);
        if was_silent && connection.has_message {
            let room = self.room();
            self.evict(true, room, found);
        }
    }

    /// Ends the capture: delivers all bytes that still wait.
    pub fn finish(&mut self, found: &mut OnFound<'_, S::State>) {
        while let Some(first) = self.first() {
            self.close(first, found);
        }
    }

    /// The connection with the lowest number.
    fn first(&mut self) -> Option<usize> {
        let slots = self.storage.parts().slots.iter().enumerate();
        let numbers = slots.filter_map(|(at, slot)| Some((slot.0.as_ref()?.number, at)));
        numbers.min().map(|(_, at)| at)
    }

    fn connection(&mut self, at: usize) -> Option<&mut Connection<S::State>> {
        self.storage.parts().slots.get_mut(at)?.0.as_mut()
    }

    fn find(&mut self, key: (Endpoint, Endpoint)) -> Option<usize> {
        let recent = self.recent;
        let slots = self.storage.parts().slots;
        let is_it = |slot: &Slot<_>| slot.0.as_ref().is_some_and(|connection| connection.key == key);
        if slots.get(recent).is_some_and(is_it) { Some(recent) } else { slots.iter().position(is_it) }
    }

    /// A slot for a new connection: a free one, or that of the connection of its kind that is silent for the
    /// longest time.
    fn begin(&mut self, key: (Endpoint, Endpoint), found: &mut OnFound<'_, S::State>) -> usize {
        let room = self.room();
        self.evict(false, room - 1, found);
        self.opened += 1;
        let number = self.opened;
        let slots = self.storage.parts().slots;
        let free = slots.iter().position(|slot| slot.0.is_none()).unwrap_or(0);
        if let Some(slot) = slots.get_mut(free) {
            slot.0 = Some(Connection {
                key,
                number,
                halves: [Half::default(), Half::default()],
                opener: None,
                first: None,
                latest: When::NEVER,
                used: 0,
                has_message: false,
                state: S::State::default(),
            });
        }
        free
    }

    /// Number of connections of one kind that fit.
    fn room(&mut self) -> usize {
        (self.storage.parts().slots.len() / 2).max(1)
    }

    /// If there are more than `most` connections of this kind, evicts the one that is silent for the longest
    /// time.
    fn evict(&mut self, has_message: bool, most: usize, found: &mut OnFound<'_, S::State>) {
        let slots = self.storage.parts().slots.iter().enumerate();
        let of_kind = slots.filter_map(|(at, slot)| {
            slot.0.as_ref().filter(|known| known.has_message == has_message).map(|known| (known.used, at))
        });
        let (count, oldest) =
            of_kind.fold((0, (u64::MAX, 0)), |(count, oldest), this| (count + 1, oldest.min(this)));
        if count > most {
            self.given_up.connections += 1;
            self.finish_one(oldest.1, true, found);
        }
    }

    /// Makes room for `bytes`. The direction that holds the most bytes is the first that has to deliver.
    fn make_room(&mut self, bytes: usize, found: &mut OnFound<'_, S::State>) {
        // The first and the last block may be used in part.
        let needed = bytes / BLOCK_LEN + 2;
        let Parts { slots, blocks, message } = self.storage.parts();
        let mut memory = Memory { pool: Pool { blocks, free: &mut self.free }, message };
        while memory.pool.available() < needed {
            let all = slots.iter_mut().filter_map(|slot| slot.0.as_mut());
            let Some(most) = all.max_by_key(|known| known.blocks()).filter(|most| most.blocks() > 0) else {
                return;
            };
            most.finish(&mut memory, found);
            self.given_up.gaps += 1;
        }
    }

    fn close(&mut self, at: usize, found: &mut OnFound<'_, S::State>) {
        self.finish_one(at, false, found);
    }

    fn finish_one(&mut self, at: usize, is_evicted: bool, found: &mut OnFound<'_, S::State>) {
        let Parts { slots, blocks, message } = self.storage.parts();
        let Some(mut connection) = slots.get_mut(at).and_then(|slot| slot.0.take()) else { return };
        let mut memory = Memory { pool: Pool { blocks, free: &mut self.free }, message };
        connection.finish(&mut memory, found);
        let (sender, first) = (connection.sender(0), connection.first.unwrap_or(connection.latest));
        found(&mut connection.state, sender, connection.latest, Found::Over { first, is_evicted });
    }
}

impl<T> Connection<T> {
    fn half(&self, side: usize) -> &Half {
        let [first, second] = &self.halves;
        if side == 0 { first } else { second }
    }

    /// Whether a segment of this side begins another connection on the same ports: its SYN is not that of
    /// this connection, or it repeats bytes with an earlier time.
    fn is_another(&self, when: When, side: usize, opens: bool, segment: &Segment<'_>) -> bool {
        let back = |latest: i64| when.time_ns.is_some_and(|now| now < latest.saturating_sub(BACK_NS));
        let half = self.half(side);
        let is_again = segment.syn || half.is_repeated(segment);
        (opens && half.is_another(segment.sequence)) || (is_again && self.latest.time_ns.is_some_and(back))
    }

    fn take(
        &mut self,
        when: When,
        side: usize,
        opens: bool,
        mut segment: Segment<'_>,
        memory: &mut Memory<'_>,
        found: &mut OnFound<'_, T>,
    ) -> u64 {
        self.first.get_or_insert(when);
        self.latest = self.latest.max(when);
        if segment.syn {
            self.opener.get_or_insert(if opens { side } else { 1 - side });
        }
        if opens && !self.half(side).has_opened() {
            self.with(side, found, |_, sink| sink.found(when, Found::Opened));
        }
        let is_answer = self.opener == Some(1 - side) && !self.half(side).has_begun();
        if is_answer && segment.close == Some(Close::Reset) {
            segment.close = Some(Close::Refused);
        }
        if let Some(acknowledged) = segment.acknowledged {
            self.with(1 - side, found, |half, sink| half.acknowledged(when, acknowledged, memory, sink));
        }
        self.with(side, found, |half, sink| half.take(when, segment, memory, sink))
    }

    fn blocks(&self) -> usize {
        self.half(0).blocks() + self.half(1).blocks()
    }

    /// Delivers all bytes that wait.
    fn finish(&mut self, memory: &mut Memory<'_>, found: &mut OnFound<'_, T>) {
        for side in [0, 1] {
            self.with(side, found, |half, sink| half.finish(memory, sink));
        }
    }

    fn sender(&self, side: usize) -> Sender {
        let (low, high) = self.key;
        let (source, destination) = if side == 0 { (low, high) } else { (high, low) };
        Sender {
            flow: Flow { source, destination },
            has_opened: self.opener.map(|opener| opener == side),
            connection: self.number,
        }
    }

    /// Calls a function on one direction; `found` receives its findings.
    fn with<R>(
        &mut self,
        side: usize,
        found: &mut OnFound<'_, T>,
        act: impl FnOnce(&mut Half, &mut dyn Sink) -> R,
    ) -> R {
        let sender = self.sender(side);
        let Self { halves: [first, second], has_message, state, .. } = self;
        act(if side == 0 { first } else { second }, &mut |when, item: Found<'_>| {
            *has_message |= matches!(item, Found::Message(..));
            found(state, sender, when, item);
        })
    }
}
