//! TCP connections put together again, with bounded memory.

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::mem;

use super::framer::{Found, Sink, When};
use super::half::Half;
use super::packet::{Endpoint, Flow, Segment};

/// Connections remembered at once that gave a V2GTP message, and as many that gave none yet: a flood of connections
/// without one drives no session out. Of each kind the one that was silent longest goes first. Judgement: an Ioniq
/// opened 165 in one session.
pub const MAX_STREAMS: usize = 256;
/// Memory of all connections altogether, in bytes: judgement, one direction at its bound takes half of it. The one
/// that holds most is given up first, so that a flood of disorder costs no session its few segments.
pub const MAX_MEMORY: usize = 32 * 1024 * 1024;

/// Gets what a stream gives: with the caller's state of it and who sent it.
pub type OnFound<'f, T> = dyn FnMut(&mut T, Sender, When, Found<'_>) + 'f;

/// One end of a connection that sends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sender {
    /// From it to the other end.
    pub flow: Flow,
    /// Whether it opened the connection, where that was seen.
    pub has_opened: Option<bool>,
}

/// What was given up because memory is bounded.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct GivenUp {
    /// Connections that were forgotten, see [`MAX_STREAMS`]: what comes of one later counts as another.
    pub connections: u64,
    /// Gaps that were not waited for: too much came after them.
    pub gaps: u64,
}

type Key = (Endpoint, Endpoint);

/// All streams, each with what the caller keeps about it.
pub struct Streams<T> {
    known: BTreeMap<Key, Box<Stream<T>>>,
    /// The streams by when they were used last: those without a message, those with one.
    silent: BTreeMap<u64, Key>,
    talking: BTreeMap<u64, Key>,
    clock: u64,
    opened: u64,
    memory: usize,
    given_up: GivenUp,
}

/// One connection. Side 0 is the endpoint that orders first.
struct Stream<T> {
    key: Key,
    halves: [Half; 2],
    /// The side that opened it.
    opener: Option<usize>,
    used: u64,
    has_message: bool,
    /// What the caller keeps about the connection; fresh for each.
    state: T,
}

impl<T: Default> Default for Streams<T> {
    fn default() -> Self {
        Self::new()
    }
}

impl<T: Default> Streams<T> {
    /// No streams yet.
    pub fn new() -> Self {
        Self {
            known: BTreeMap::new(),
            silent: BTreeMap::new(),
            talking: BTreeMap::new(),
            clock: 0,
            opened: 0,
            memory: 0,
            given_up: GivenUp::default(),
        }
    }

    /// How many connections were seen.
    pub fn opened(&self) -> u64 {
        self.opened
    }

    /// What was given up so far because memory is bounded.
    pub fn given_up(&self) -> GivenUp {
        self.given_up
    }

    /// Takes a segment; `found` gets what it completes.
    pub fn take(&mut self, when: When, flow: Flow, segment: Segment<'_>, found: &mut OnFound<'_, T>) {
        let side = usize::from(flow.source > flow.destination);
        let key = if side == 0 { (flow.source, flow.destination) } else { (flow.destination, flow.source) };
        let opens = segment.syn && segment.acknowledged.is_none();
        if opens && self.known.get(&key).is_some_and(|stream| stream.is_another(side, segment.sequence)) {
            self.close(key, found);
        }
        let mut stream = self.remove(key).unwrap_or_else(|| {
            self.opened += 1;
            Box::new(Stream::new(key))
        });
        if segment.syn {
            stream.opener.get_or_insert(if opens { side } else { 1 - side });
        }
        if let Some(acknowledged) = segment.acknowledged {
            stream.with(1 - side, found, |half, sink| half.acknowledged(when, acknowledged, sink));
        }
        self.given_up.gaps += stream.with(side, found, |half, sink| half.take(when, segment, sink));
        self.clock += 1;
        stream.used = self.clock;
        self.insert(stream);
        self.make_room(found);
    }

    /// Gives what was still held back: the capture is over.
    pub fn finish(&mut self, found: &mut OnFound<'_, T>) {
        while let Some((&key, _)) = self.known.first_key_value() {
            self.close(key, found);
        }
    }

    fn insert(&mut self, stream: Box<Stream<T>>) {
        self.memory += stream.cost();
        self.order(stream.has_message).insert(stream.used, stream.key);
        self.known.insert(stream.key, stream);
    }

    fn remove(&mut self, key: Key) -> Option<Box<Stream<T>>> {
        let stream = self.known.remove(&key)?;
        self.memory -= stream.cost();
        self.order(stream.has_message).remove(&stream.used);
        Some(stream)
    }

    fn order(&mut self, has_message: bool) -> &mut BTreeMap<u64, Key> {
        if has_message { &mut self.talking } else { &mut self.silent }
    }

    fn make_room(&mut self, found: &mut OnFound<'_, T>) {
        for has_message in [false, true] {
            let order = self.order(has_message);
            if order.len() > MAX_STREAMS
                && let Some((_, &oldest)) = order.first_key_value()
            {
                self.given_up.connections += 1;
                self.close(oldest, found);
            }
        }
        // The largest of so few holds so much that the search for it pays.
        while self.memory > MAX_MEMORY
            && let Some(largest) = self.known.values().max_by_key(|stream| stream.cost())
            && let Some(mut largest) = self.remove(largest.key)
        {
            self.given_up.gaps += 1;
            largest.finish(found);
            self.insert(largest);
        }
    }

    fn close(&mut self, key: Key, found: &mut OnFound<'_, T>) {
        if let Some(mut stream) = self.remove(key) {
            stream.finish(found);
        }
    }
}

impl<T: Default> Stream<T> {
    fn new(key: Key) -> Self {
        let halves = [Half::default(), Half::default()];
        Self { key, halves, opener: None, used: 0, has_message: false, state: T::default() }
    }
}

impl<T> Stream<T> {
    fn half(&self, side: usize) -> &Half {
        let [first, second] = &self.halves;
        if side == 0 { first } else { second }
    }

    /// Whether a SYN of this side opens another connection on the same ports.
    fn is_another(&self, side: usize, syn: u32) -> bool {
        self.half(side).is_another(syn)
    }

    fn cost(&self) -> usize {
        mem::size_of::<Self>() + self.half(0).cost() + self.half(1).cost()
    }

    /// Gives what is held back.
    fn finish(&mut self, found: &mut OnFound<'_, T>) {
        for side in [0, 1] {
            self.with(side, found, |half, sink| half.finish(sink));
        }
    }

    /// Does something with what one side sends; `found` gets what comes of it.
    fn with<R>(
        &mut self,
        side: usize,
        found: &mut OnFound<'_, T>,
        act: impl FnOnce(&mut Half, &mut dyn Sink) -> R,
    ) -> R {
        let Self { key, halves: [first, second], opener, has_message, state, .. } = self;
        let (half, source, destination) =
            if side == 0 { (first, key.0, key.1) } else { (second, key.1, key.0) };
        let has_opened = opener.map(|opener| opener == side);
        let sender = Sender { flow: Flow { source, destination }, has_opened };
        act(half, &mut |when, item: Found<'_>| {
            *has_message |= matches!(item, Found::Message(..));
            found(state, sender, when, item);
        })
    }
}
