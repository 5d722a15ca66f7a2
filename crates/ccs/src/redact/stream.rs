//! The bytes of TCP connections. Messages are rewritten when they are complete, however they are split into
//! segments. Every byte of a direction is rewritten once; a repeated segment repeats the rewritten bytes.

use std::collections::{BTreeMap, VecDeque};
use std::ops::Range;

use listen::packet::{Endpoint, Flow};
use listen::{Found, When};
use v2gtp::{HEADER_LEN, PayloadType};

use super::message;
use super::names::Names;
use super::packet::Segment;

/// Directions of connections tracked at the same time: judgement, half as many as `ccs decode` tracks. With
/// the window at most about 130 MB, in a real capture less than 1 MB.
const MAX_HALVES: usize = 256;
/// Bytes kept of a direction: rewritten bytes for repeated segments, and waiting bytes. Judgement: the
/// largest message and the segments that arrive before it.
const WINDOW: u64 = 128 * 1024;
/// Largest message in bytes, header included, as in `ccs decode`.
const MAX_MESSAGE: usize = 64 * 1024 + HEADER_LEN;
/// Size of the header of a TLS record.
const TLS_HEADER: usize = 5;

/// The bytes of a direction that a segment contains.
#[derive(Clone, Debug)]
pub(super) struct Span {
    half: u64,
    bytes: Range<u64>,
}

/// All directions of all connections.
#[derive(Default)]
pub(super) struct Streams {
    halves: BTreeMap<u64, Half>,
    /// The latest direction of each flow, and when it was last used.
    latest: BTreeMap<(Endpoint, Endpoint), u64>,
    made: u64,
}

impl Streams {
    /// Adds a segment's bytes. [`get`](Self::get) returns them when they are final.
    pub(super) fn take(&mut self, names: &mut Names<'_>, segment: &Segment, data: &[u8]) -> Option<Span> {
        let Segment { flow, sequence, syn, .. } = segment;
        let first = sequence.wrapping_add(u32::from(*syn));
        let number = self.half(*flow, first, *syn);
        if data.is_empty() {
            return None;
        }
        let half = self.halves.get_mut(&number)?;
        let bytes = half.insert(names, first, data)?;
        half.advance(names, false);
        Some(Span { half: number, bytes })
    }

    /// The direction to which this sequence number belongs; a new one after a SYN with another number, or for
    /// a distant number.
    fn half(&mut self, flow: Flow, first: u32, syn: bool) -> u64 {
        let key = (flow.source, flow.destination);
        if let Some(number) = self.latest.get(&key)
            && let Some(half) = self.halves.get(number)
            && half.span(first).is_some_and(|at| !syn || at == half.begin)
        {
            return *number;
        }
        self.made += 1;
        self.latest.insert(key, self.made);
        self.halves.insert(self.made, Half::new(first));
        // The oldest directions are evicted; frames that wait for their bytes are blanked.
        while self.halves.len() > MAX_HALVES {
            self.halves.pop_first();
        }
        let Self { latest, halves, .. } = self;
        if latest.len() > 2 * MAX_HALVES {
            latest.retain(|_, number| halves.contains_key(number));
        }
        self.made
    }

    /// The rewritten bytes of a span; `None` until all of them are final.
    pub(super) fn get(&self, span: &Span) -> Option<Vec<u8>> {
        self.halves.get(&span.half)?.settled(&span.bytes)
    }

    /// The rewritten bytes of a span in any case, whatever it waits for; `None` after eviction.
    pub(super) fn force(&mut self, names: &mut Names<'_>, span: &Span) -> Option<Vec<u8>> {
        let half = self.halves.get_mut(&span.half)?;
        if half.settled(&span.bytes).is_none() {
            half.leave_gap();
            half.advance(names, false);
        }
        if half.settled(&span.bytes).is_none() {
            half.advance(names, true);
        }
        half.settled(&span.bytes)
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    Missing,
    Original,
    Settled,
}

/// One direction of a connection.
struct Half {
    /// Sequence number at the offset `WINDOW`, so that earlier bytes have offsets too.
    origin: u32,
    /// Offset at which the connection began.
    begin: u64,
    /// Offset of the first byte that is kept.
    first: u64,
    bytes: VecDeque<(u8, State)>,
    /// Everything before this offset is final, or permanently missing.
    next: u64,
}

impl Half {
    fn new(sequence: u32) -> Self {
        Self { origin: sequence, begin: WINDOW, first: WINDOW, bytes: VecDeque::new(), next: WINDOW }
    }

    /// The offset of a sequence number; `None` if it is too far from the next bytes.
    fn span(&self, sequence: u32) -> Option<u64> {
        // Sequence numbers wrap every 4 GiB.
        let expected = self.origin.wrapping_add(u32::try_from((self.next - WINDOW) & 0xFFFF_FFFF).ok()?);
        let distance = i64::from(sequence.wrapping_sub(expected).cast_signed());
        let window = i64::try_from(WINDOW).unwrap_or_default();
        (distance.abs() < window).then(|| self.next.checked_add_signed(distance)).flatten()
    }

    /// Stores the bytes that are new, and returns their offsets.
    fn insert(&mut self, names: &mut Names<'_>, sequence: u32, data: &[u8]) -> Option<Range<u64>> {
        let start = self.span(sequence)?;
        let end = start + u64::try_from(data.len()).ok()?;
        while self.first > start {
            self.bytes.push_front((0, State::Missing));
            self.first -= 1;
        }
        let needed = usize::try_from(end - self.first).ok()?;
        if self.bytes.len() < needed {
            self.bytes.resize(needed, (0, State::Missing));
        }
        let at = usize::try_from(start - self.first).ok()?;
        let is_late = end <= self.next;
        let mut late = Vec::new();
        for (span, byte) in self.bytes.iter_mut().skip(at).zip(data) {
            if span.1 == State::Missing {
                *span = (*byte, State::Original);
                late.push(*byte);
            }
        }
        if is_late && !late.is_empty() {
            // The earlier bytes were already returned without these, because only complete messages are read.
            settle(names, &mut late, true);
            let mut new = late.into_iter();
            for span in self.bytes.iter_mut().skip(at).take(data.len()) {
                if span.1 == State::Original {
                    *span = (new.next().unwrap_or_default(), State::Settled);
                }
            }
        }
        while self.bytes.len() as u64 > 2 * WINDOW && self.first + WINDOW < self.next {
            self.bytes.pop_front();
            self.first += 1;
        }
        Some(start..end)
    }

    /// Rewrites the complete messages in the next bytes; with `is_final` all bytes that are present in a row.
    fn advance(&mut self, names: &mut Names<'_>, is_final: bool) {
        let Ok(at) = usize::try_from(self.next - self.first) else { return };
        let waiting = self.bytes.iter().skip(at).take_while(|span| span.1 == State::Original);
        let mut run: Vec<u8> = waiting.map(|span| span.0).collect();
        let count = settle(names, &mut run, is_final);
        for (span, byte) in self.bytes.iter_mut().skip(at).zip(run).take(count) {
            *span = (byte, State::Settled);
        }
        self.next += count as u64;
        // Bytes that were rewritten before, out of order.
        let Ok(at) = usize::try_from(self.next - self.first) else { return };
        let settled = self.bytes.iter().skip(at).take_while(|span| span.1 == State::Settled).count();
        self.next += settled as u64;
    }

    /// Skips missing bytes, with the message whose end was lost in them.
    fn leave_gap(&mut self) {
        let Ok(at) = usize::try_from(self.next - self.first) else { return };
        let missing = self.bytes.iter().skip(at).take_while(|span| span.1 == State::Missing).count();
        if at + missing < self.bytes.len() {
            self.next += missing as u64;
        }
    }

    fn settled(&self, bytes: &Range<u64>) -> Option<Vec<u8>> {
        let at = usize::try_from(bytes.start.checked_sub(self.first)?).ok()?;
        let count = usize::try_from(bytes.end - bytes.start).ok()?;
        let places = self.bytes.iter().skip(at).take(count);
        let new: Vec<u8> = places.take_while(|span| span.1 == State::Settled).map(|span| span.0).collect();
        (new.len() == count).then_some(new)
    }
}

/// Rewrites what is complete at the start of a run and returns its length; with `is_final` all of it.
fn settle(names: &mut Names<'_>, run: &mut [u8], is_final: bool) -> usize {
    let mut at = 0;
    while let Some(rest) = run.get_mut(at..).filter(|rest| !rest.is_empty()) {
        let length = match *rest {
            [0x14..=0x17, 3, 0..=4, high, low, ..] => {
                let length = TLS_HEADER + usize::from(u16::from_be_bytes([high, low]));
                if length > rest.len() && !is_final {
                    return at;
                }
                names.blank("TLS records");
                let length = length.min(rest.len());
                clear(rest.get_mut(TLS_HEADER..length));
                length
            }
            _ => messages(names, rest),
        };
        if length == 0 {
            break;
        }
        at += length;
    }
    if is_final && at < run.len() {
        names.blank("messages that are not whole");
        // The header identifies no one.
        let kept = if run.get(at..).is_some_and(|rest| rest.len() >= HEADER_LEN) { HEADER_LEN } else { 2 };
        clear(run.get_mut(at + kept..));
        at = run.len();
    }
    at
}

fn clear(bytes: Option<&mut [u8]>) {
    bytes.unwrap_or_default().fill(0);
}

/// Rewrites complete V2GTP messages and blanks foreign bytes. Returns the number of bytes handled.
fn messages(names: &mut Names<'_>, bytes: &mut [u8]) -> usize {
    let original = bytes.to_vec();
    let mut found: Vec<(Option<PayloadType>, usize)> = Vec::new();
    listen::whole(When::NEVER, &original, MAX_MESSAGE, &mut |_, part: Found<'_>| match part {
        Found::Message(payload_type, payload) => found.push((Some(payload_type), payload.len())),
        Found::Skipped(length) => found.push((None, length)),
        _ => {}
    });
    let mut at = 0;
    for (payload_type, length) in found {
        if let Some(payload_type) = payload_type {
            at += HEADER_LEN;
            if let Some(payload) = bytes.get_mut(at..at + length) {
                message::rewrite(names, payload_type, payload);
            }
        } else {
            names.blank("bytes in connections that are no messages");
            clear(bytes.get_mut(at..at + length));
        }
        at += length;
    }
    at
}
