//! One direction of a TCP connection: puts segments in order and splits the stream into messages.

use v2gtp::HEADER_LEN;

use crate::framer::{Close, Found, Sink, Start, When, foreign, is_tls, start, whole};
use crate::held::{Held, Pool, length};
use crate::packet::Segment;

/// Age in ns from which a gap is not filled any more: clara repeats a segment for at most 4 s.
const MAX_GAP_NS: i64 = 5_000_000_000;
/// Frames from the acknowledgement of missing bytes until they count as lost: a capture of several queues may
/// contain the acknowledgement before the bytes. Judgement: far above any disorder seen.
const MAX_DISORDER: u64 = 128;
/// A sequence number that jumps by more than this belongs to another connection on the same ports: judgement.
const MAX_JUMP: u32 = 1 << 20;

/// Working memory of a direction, shared by all directions.
pub(crate) struct Memory<'m> {
    /// Blocks for bytes that cannot be delivered yet.
    pub pool: Pool<'m>,
    /// Room for one message in contiguous memory.
    pub message: &'m mut [u8],
}

/// One direction of a connection.
#[derive(Debug, Default)]
pub(crate) struct Half {
    /// Sequence number of its SYN; `None` if the SYN was not observed.
    opened: Option<u32>,
    /// Sequence number of the next byte in order.
    next: Option<u32>,
    /// Sequence number of the first captured byte, if earlier bytes may exist because the SYN was not
    /// captured first.
    start: Option<u32>,
    /// Position of the next byte in order, counted from the start of the stream without wrapping.
    place: u64,
    /// Position of the first byte that was not delivered yet; the bytes up to `place` are held.
    base: u64,
    /// Position of the first held byte after the gap, and since when it waits.
    waits: Option<(u64, When)>,
    /// Frame in which the receiver first acknowledged the bytes that are missing here.
    missed_since: Option<u64>,
    is_tls: bool,
    closed: Option<Close>,
    held: Held,
}

impl Half {
    /// Handles a segment of this direction. Returns the number of gaps that were abandoned because too many
    /// bytes were held.
    pub(crate) fn take(
        &mut self,
        when: When,
        segment: Segment<'_>,
        memory: &mut Memory<'_>,
        sink: &mut dyn Sink,
    ) -> u64 {
        let mut sequence = segment.sequence;
        if segment.syn {
            self.open(sequence, memory, sink);
            sequence = sequence.wrapping_add(1);
        }
        let mut abandoned = 0;
        if !segment.data.is_empty() {
            abandoned = self.data(when, sequence, segment.data, memory, sink);
        }
        if let Some(close) = segment.close
            && self.closed.is_none_or(|before| before == Close::Fin && close != Close::Fin)
        {
            self.closed = Some(close);
            sink.found(when, Found::Closed(close));
        }
        abandoned
    }

    fn data(
        &mut self,
        when: When,
        sequence: u32,
        data: &[u8],
        memory: &mut Memory<'_>,
        sink: &mut dyn Sink,
    ) -> u64 {
        if self.next.is_none() {
            self.begin(sequence);
        }
        let mut abandoned = 0;
        let next = self.next.unwrap_or(sequence);
        let ahead = sequence.wrapping_sub(next);
        let known = next.wrapping_sub(sequence);
        if ahead.min(known) > MAX_JUMP {
            self.finish(memory, sink);
            self.begin(sequence);
            self.deliver(when, data, memory, sink);
        } else if self.is_before_the_start(sequence, data) {
            self.start = Some(sequence).filter(|start| self.may_follow_bytes(*start));
            let rest = whole(when, data, memory.message.len(), sink);
            if !rest.is_empty() {
                sink.found(when, Found::Skipped(rest.len()));
            }
        } else if known <= MAX_JUMP {
            // In order, perhaps with repeated bytes at the start.
            self.deliver_from(known.into(), when, data, memory, sink);
        } else {
            // An old gap before it is skipped first, because this segment has its own time.
            let place = self.place + u64::from(ahead);
            while self.gap_is_old(when, memory) && self.next_held(memory).is_some_and(|held| held.0 < place) {
                self.skip_gap(memory, sink);
            }
            abandoned += self.hold(when, place, data, memory, sink);
        }
        while self.gap_is_old(when, memory) {
            self.skip_gap(memory, sink);
        }
        while self.held.count() > memory.pool.len() / 2 && self.next_held(memory).is_some() {
            self.skip_gap(memory, sink);
            abandoned += 1;
        }
        abandoned
    }

    /// Holds bytes that arrive before their turn. Returns the number of gaps that were abandoned for lack of
    /// room.
    fn hold(
        &mut self,
        when: When,
        place: u64,
        data: &[u8],
        memory: &mut Memory<'_>,
        sink: &mut dyn Sink,
    ) -> u64 {
        if let Some(known) = self.place.checked_sub(place) {
            self.deliver_from(known, when, data, memory, sink);
            return 0;
        }
        if self.held.keep(&mut memory.pool, place, when, data) {
            return 0;
        }
        self.finish(memory, sink);
        sink.found(when, Found::Gap);
        self.skip_to(place.max(self.place), memory);
        self.deliver(when, data, memory, sink);
        1
    }

    /// Starts the stream at this byte.
    fn begin(&mut self, sequence: u32) {
        *self = Self { next: Some(sequence), start: Some(sequence), ..Self::default() };
    }

    /// Whether the bytes end directly before the first captured one: they arrive late and are no repetition.
    fn is_before_the_start(&self, sequence: u32, data: &[u8]) -> bool {
        u32::try_from(data.len()).is_ok_and(|length| self.start == Some(sequence.wrapping_add(length)))
    }

    /// Whether earlier bytes may exist: this byte does not follow the SYN.
    fn may_follow_bytes(&self, sequence: u32) -> bool {
        self.opened.is_none_or(|syn| syn.wrapping_add(1) != sequence)
    }

    /// Handles a SYN: it starts this direction, unless it is a repetition or late.
    fn open(&mut self, sequence: u32, memory: &mut Memory<'_>, sink: &mut dyn Sink) {
        if self.opened != Some(sequence) && !self.is_late(sequence) {
            self.finish(memory, sink);
            *self = Self { next: Some(sequence.wrapping_add(1)), ..Self::default() };
        }
        self.opened = Some(sequence);
        self.start = self.start.filter(|start| self.may_follow_bytes(*start));
    }

    /// Whether a SYN that was not seen yet belongs directly before the first captured byte.
    fn is_late(&self, syn: u32) -> bool {
        let first = syn.wrapping_add(1);
        self.opened.is_none() && self.next.is_some_and(|next| next.wrapping_sub(first) <= MAX_JUMP)
    }

    /// Whether a SYN of this direction opens another connection.
    pub(crate) fn is_another(&self, syn: u32) -> bool {
        let is_repetition = self.opened == Some(syn) && self.closed.is_none();
        self.next.is_some() && !is_repetition && !self.is_late(syn)
    }

    /// Whether these bytes were delivered before.
    pub(crate) fn is_repeated(&self, segment: &Segment<'_>) -> bool {
        let known = self.next.unwrap_or(segment.sequence).wrapping_sub(segment.sequence);
        !segment.data.is_empty() && known != 0 && known <= MAX_JUMP
    }

    /// Whether its SYN was observed.
    pub(crate) fn has_opened(&self) -> bool {
        self.opened.is_some()
    }

    /// Whether any of its segments was observed.
    pub(crate) fn has_begun(&self) -> bool {
        self.next.is_some()
    }

    /// Delivers the bytes after the first `known` ones, which are repetitions.
    fn deliver_from(
        &mut self,
        known: u64,
        when: When,
        data: &[u8],
        memory: &mut Memory<'_>,
        sink: &mut dyn Sink,
    ) {
        let fresh = usize::try_from(known).ok().and_then(|known| data.get(known..)).unwrap_or_default();
        if !fresh.is_empty() {
            self.deliver(when, fresh, memory, sink);
            self.release(memory, sink);
        }
    }

    /// Delivers the next bytes in order.
    fn deliver(&mut self, when: When, data: &[u8], memory: &mut Memory<'_>, sink: &mut dyn Sink) {
        let place = self.place;
        self.advance(length(data.len()));
        if self.base < place {
            if !self.held.keep(&mut memory.pool, place, when, data) {
                let lost = usize::try_from(self.place - self.base).unwrap_or(usize::MAX);
                self.skip_to(self.place, memory);
                sink.found(when, Found::Skipped(lost));
                return;
            }
            return self.drain(memory, sink);
        }
        if !self.is_tls && is_tls(data) {
            self.is_tls = true;
            sink.found(when, Found::Tls);
        }
        let rest = if self.is_tls { &[] } else { whole(when, data, memory.message.len(), sink) };
        self.base = self.place - length(rest.len());
        if !self.held.keep(&mut memory.pool, self.base, when, rest) {
            self.skip_to(self.place, memory);
            sink.found(when, Found::Skipped(rest.len()));
        }
        self.drop_given(memory);
    }

    /// Returns the blocks whose bytes were delivered.
    fn drop_given(&mut self, memory: &mut Memory<'_>) {
        let is_all = self.base == self.place && self.next_held(memory).is_none();
        self.held.drop_until(&mut memory.pool, if is_all { u64::MAX } else { self.base });
    }

    fn advance(&mut self, bytes: u64) {
        (self.missed_since, self.waits) = (None, None);
        self.place += bytes;
        // Held and captured bytes are far below 4 GiB.
        let bytes = u32::try_from(bytes).unwrap_or(u32::MAX);
        self.next = self.next.map(|next| next.wrapping_add(bytes));
    }

    /// Abandons all bytes before `place`.
    fn skip_to(&mut self, place: u64, memory: &mut Memory<'_>) {
        self.advance(place - self.place);
        self.base = place;
        self.drop_given(memory);
    }

    /// Delivers held bytes whose turn has come.
    fn release(&mut self, memory: &mut Memory<'_>, sink: &mut dyn Sink) {
        let run = self.held.run(&memory.pool, self.place);
        if run > 0 {
            self.advance(run);
            self.drain(memory, sink);
        }
    }

    /// Delivers the complete messages in the held bytes up to `place`.
    fn drain(&mut self, memory: &mut Memory<'_>, sink: &mut dyn Sink) {
        let longest = memory.message.len();
        while self.base < self.place {
            let available = usize::try_from(self.place - self.base).unwrap_or(usize::MAX);
            let mut header = [0; HEADER_LEN];
            let header = header.get_mut(..available.min(HEADER_LEN)).unwrap_or_default();
            let when = self.held.copy(&memory.pool, self.base, header);
            if !self.is_tls && is_tls(header) {
                self.is_tls = true;
                sink.found(when, Found::Tls);
            }
            let (length, payload_type) = match start(header, longest) {
                _ if self.is_tls => (available, None),
                Start::Message(_, length) if length > available => return,
                Start::Message(payload_type, length) => (length, Some(payload_type)),
                Start::Part => return,
                Start::Foreign => (available.min(longest), None),
            };
            let bytes = memory.message.get_mut(..length).unwrap_or_default();
            let when = self.held.copy(&memory.pool, self.base, bytes);
            let taken = match payload_type {
                Some(payload_type) => {
                    let payload = bytes.get(HEADER_LEN..).unwrap_or_default();
                    sink.found(when, Found::Message(payload_type, payload));
                    length
                }
                None if self.is_tls => length,
                None => {
                    let count = foreign(bytes, longest);
                    sink.found(when, Found::Skipped(count));
                    count
                }
            };
            self.base += crate::held::length(taken);
            self.drop_given(memory);
        }
    }

    /// Position of the first held byte after the gap, and since when it waits.
    fn next_held(&mut self, memory: &Memory<'_>) -> Option<(u64, When)> {
        let next = self.held.next(&memory.pool, self.place)?;
        self.waits = self.waits.filter(|waits| waits.0 == next.0).or(Some(next));
        self.waits
    }

    fn gap_is_old(&mut self, now: When, memory: &Memory<'_>) -> bool {
        let waited = |since: When| Some(now.time_ns?.saturating_sub(since.time_ns?));
        self.next_held(memory).and_then(|(_, since)| waited(since)).is_some_and(|waited| waited > MAX_GAP_NS)
    }

    /// Handles an acknowledgement of the receiver. Acknowledged bytes that are missing here and do not arrive
    /// soon were lost by the capture.
    pub(crate) fn acknowledged(
        &mut self,
        now: When,
        acknowledged: u32,
        memory: &mut Memory<'_>,
        sink: &mut dyn Sink,
    ) {
        while self.is_missing(acknowledged, memory)
            && now.frame > self.missed_since.get_or_insert(now.frame).saturating_add(MAX_DISORDER)
        {
            let since = self.missed_since;
            self.skip_gap(memory, sink);
            self.missed_since = since;
        }
    }

    /// Whether the first gap ends before the acknowledged position.
    fn is_missing(&mut self, acknowledged: u32, memory: &Memory<'_>) -> bool {
        let Some((place, _)) = self.next_held(memory) else { return false };
        let Some(next) = self.next else { return false };
        let ahead = acknowledged.wrapping_sub(next);
        ahead <= 2 * MAX_JUMP && u64::from(ahead) > place - self.place
    }

    fn skip_gap(&mut self, memory: &mut Memory<'_>, sink: &mut dyn Sink) {
        if let Some((place, since)) = self.next_held(memory) {
            let lost = self.place - self.base;
            self.skip_to(place, memory);
            sink.found(since, Found::Gap);
            if lost > 0 {
                sink.found(since, Found::Skipped(usize::try_from(lost).unwrap_or(usize::MAX)));
            }
            self.release(memory, sink);
        }
    }

    /// Delivers all bytes that wait, because the capture is over or the memory is needed.
    pub(crate) fn finish(&mut self, memory: &mut Memory<'_>, sink: &mut dyn Sink) {
        while self.next_held(memory).is_some() {
            self.skip_gap(memory, sink);
        }
        if self.base < self.place {
            let mut last = [0];
            let when = self.held.copy(&memory.pool, self.place - 1, &mut last);
            let lost = self.place - self.base;
            sink.found(when, Found::Skipped(usize::try_from(lost).unwrap_or(usize::MAX)));
        }
        self.base = self.place;
        self.held.clear(&mut memory.pool);
    }

    /// Number of blocks it uses.
    pub(crate) fn blocks(&self) -> usize {
        self.held.count()
    }
}
