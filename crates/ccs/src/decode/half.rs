//! One direction of a TCP connection, put in order.

use super::framer::{Found, Framer, Sink, When};
use super::held::{Held, length};
use super::packet::Segment;

/// A gap older than this will not be filled: clara repeats a segment for 4 s at most.
const MAX_GAP_NS: i64 = 5_000_000_000;
/// Frames between the acknowledgement of bytes that are missing and their loss: a capture of several queues has the
/// answer before what it answers. Judgement: far above any disorder seen.
const MAX_DISORDER: u64 = 128;
/// A jump of the sequence number beyond this is another connection on the same ports.
const MAX_JUMP: u32 = 1 << 20;

/// One direction of a connection.
#[derive(Default)]
pub struct Half {
    /// Sequence number of its SYN.
    opened: Option<u32>,
    /// Sequence number of the next byte in order.
    next: Option<u32>,
    /// Sequence number of the first byte captured, where there may be bytes before it: the SYN did not come first.
    start: Option<u32>,
    /// Place in the stream of the next byte in order, counted without wrapping.
    place: u64,
    /// The frame in which the receiver first said that it has what is missing here.
    missed_since: Option<u64>,
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
        if self.next.is_none() {
            self.begin(sequence);
        }
        let next = self.next.unwrap_or(sequence);
        let ahead = sequence.wrapping_sub(next);
        let behind = next.wrapping_sub(sequence);
        if ahead.min(behind) > MAX_JUMP {
            self.finish(sink);
            self.begin(sequence);
            self.deliver(when, segment.data, sink);
        } else if self.is_before_the_start(sequence, segment.data) {
            self.start = Some(sequence).filter(|start| self.may_follow_bytes(*start));
            let mut framer = Framer::default();
            framer.take(when, segment.data, sink);
            framer.finish(sink);
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

    /// Picks the stream up at this byte.
    fn begin(&mut self, sequence: u32) {
        *self = Self { next: Some(sequence), start: Some(sequence), ..Self::default() };
    }

    /// Whether bytes end right before the first that was captured: they come late, they are no repetition.
    fn is_before_the_start(&self, sequence: u32, data: &[u8]) -> bool {
        u32::try_from(data.len()).is_ok_and(|length| self.start == Some(sequence.wrapping_add(length)))
    }

    /// Whether there may be bytes before this one: it does not follow the SYN.
    fn may_follow_bytes(&self, sequence: u32) -> bool {
        self.opened.is_none_or(|syn| syn.wrapping_add(1) != sequence)
    }

    /// A SYN: it begins this direction, unless it is a repetition or only comes late.
    fn open(&mut self, sequence: u32, sink: &mut dyn Sink) {
        if self.opened != Some(sequence) && !self.is_late(sequence) {
            self.finish(sink);
            *self = Self { next: Some(sequence.wrapping_add(1)), ..Self::default() };
        }
        self.opened = Some(sequence);
        self.start = self.start.filter(|start| self.may_follow_bytes(*start));
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
        self.missed_since = None;
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

    /// The receiver says what it has. What is missing here of it, and does not come soon, the capture lost.
    pub fn acknowledged(&mut self, now: When, acknowledged: u32, sink: &mut dyn Sink) {
        while self.is_missing(acknowledged)
            && now.frame > self.missed_since.get_or_insert(now.frame).saturating_add(MAX_DISORDER)
        {
            let since = self.missed_since;
            self.skip_gap(sink);
            self.missed_since = since;
        }
    }

    /// Whether the first gap ends before what the receiver has ends.
    fn is_missing(&self, acknowledged: u32) -> bool {
        let (Some(next), Some((place, _))) = (self.next, self.held.first()) else { return false };
        let ahead = acknowledged.wrapping_sub(next);
        ahead <= 2 * MAX_JUMP && u64::from(ahead) > place - self.place
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
