//! One direction of a TCP connection, put in order.

use super::framer::{Found, Framer, Sink, When};
use super::held::{Held, length};
use super::packet::Segment;

/// A gap older than this will not be filled: clara repeats a segment for 4 s at most.
const MAX_GAP_NS: i64 = 5_000_000_000;
/// A jump of the sequence number beyond this is another connection on the same ports.
const MAX_JUMP: u32 = 1 << 20;

/// One direction of a connection.
#[derive(Default)]
pub struct Half {
    /// Sequence number of its SYN.
    opened: Option<u32>,
    /// Sequence number of the next byte in order.
    next: Option<u32>,
    /// Its place in the stream: the same, but counted without wrapping.
    place: u64,
    held: Held,
    framer: Framer,
}

impl Half {
    /// Takes a segment of this direction; gives how many gaps were given up because too much was held.
    pub fn take(&mut self, when: When, segment: Segment<'_>, sink: &mut dyn Sink) -> u64 {
        let mut sequence = segment.sequence;
        if segment.syn {
            self.open(sequence, sink);
            sequence = sequence.wrapping_add(1);
        }
        if segment.data.is_empty() {
            return 0;
        }
        let next = *self.next.get_or_insert(sequence);
        let ahead = sequence.wrapping_sub(next);
        let behind = next.wrapping_sub(sequence);
        if ahead.min(behind) > MAX_JUMP {
            self.finish(sink);
            *self = Self { next: Some(sequence), ..Self::default() };
            self.deliver(when, segment.data, sink);
        } else if behind <= MAX_JUMP {
            // In order, perhaps with bytes that were there before: a repetition.
            self.deliver_from(behind.into(), when, segment.data, sink);
        } else {
            self.held.keep(self.place + u64::from(ahead), when, segment.data);
        }
        self.release(sink);
        while self.gap_is_old(when) {
            self.skip_gap(sink);
        }
        let mut given_up = 0;
        while self.held.is_too_much() {
            self.skip_gap(sink);
            given_up += 1;
        }
        given_up
    }

    /// A SYN: it begins this direction, unless it is a repetition or only comes late.
    fn open(&mut self, sequence: u32, sink: &mut dyn Sink) {
        if self.opened != Some(sequence) && !self.is_late(sequence) {
            self.finish(sink);
            *self = Self { next: Some(sequence.wrapping_add(1)), ..Self::default() };
        }
        self.opened = Some(sequence);
    }

    /// Whether a SYN that was not seen belongs right before what was.
    fn is_late(&self, syn: u32) -> bool {
        let first = syn.wrapping_add(1);
        self.opened.is_none() && self.next.is_some_and(|next| next.wrapping_sub(first) <= MAX_JUMP)
    }

    /// Whether a SYN of this direction opens another connection.
    pub fn is_another(&self, syn: u32) -> bool {
        self.next.is_some() && self.opened != Some(syn) && !self.is_late(syn)
    }

    fn deliver(&mut self, when: When, data: &[u8], sink: &mut dyn Sink) {
        self.advance(length(data.len()));
        self.framer.take(when, data, sink);
    }

    /// Delivers what is behind the first `known` bytes.
    fn deliver_from(&mut self, known: u64, when: When, data: &[u8], sink: &mut dyn Sink) {
        let known = usize::try_from(known).unwrap_or(usize::MAX);
        if let Some(fresh) = data.get(known..).filter(|fresh| !fresh.is_empty()) {
            self.deliver(when, fresh, sink);
        }
    }

    fn advance(&mut self, bytes: u64) {
        self.place += bytes;
        // What is held or captured at once is far below 4 GiB.
        let bytes = u32::try_from(bytes).unwrap_or(u32::MAX);
        self.next = self.next.map(|next| next.wrapping_add(bytes));
    }

    /// Delivers held segments whose turn has come.
    fn release(&mut self, sink: &mut dyn Sink) {
        while let Some((place, segment)) = self.held.take_until(self.place) {
            self.deliver_from(self.place - place, segment.when, &segment.data, sink);
        }
    }

    fn gap_is_old(&self, now: When) -> bool {
        let waited = |first: When| Some(now.time_ns?.saturating_sub(first.time_ns?));
        self.held.first().and_then(|(_, first)| waited(first)).is_some_and(|waited| waited > MAX_GAP_NS)
    }

    /// The receiver says it has the bytes that are missing here: the capture lost them.
    pub fn acknowledged(&mut self, now: When, acknowledged: u32, sink: &mut dyn Sink) {
        while let (Some(next), Some((place, first))) = (self.next, self.held.first())
            && u64::from(acknowledged.wrapping_sub(next)) > place - self.place
            && acknowledged.wrapping_sub(next) <= 2 * MAX_JUMP
            && now.frame > first.frame
        {
            self.skip_gap(sink);
        }
    }

    fn skip_gap(&mut self, sink: &mut dyn Sink) {
        if let Some((place, first)) = self.held.first() {
            self.advance(place - self.place);
            sink.found(first, Found::Gap);
            self.framer.lose(first, sink);
        }
        self.release(sink);
    }

    /// Gives what is held back: nothing more comes, or the memory is needed.
    pub fn finish(&mut self, sink: &mut dyn Sink) {
        while self.held.first().is_some() {
            self.skip_gap(sink);
        }
        self.framer.finish(sink);
    }

    /// Memory in bytes, about.
    pub fn cost(&self) -> usize {
        self.held.cost() + self.framer.held()
    }
}
