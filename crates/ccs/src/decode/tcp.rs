//! TCP streams put together again, with bounded memory.

use std::collections::BTreeMap;

use super::framer::{Found, Framer, Sink, When};
use super::packet::{Endpoint, Flow, Segment};

/// Streams remembered at once; the one that was silent longest goes first. Judgement: an Ioniq opened 165
/// in one session.
pub const MAX_STREAMS: usize = 256;
/// Out-of-order bytes held per direction before the gap is given up: judgement, above any window seen.
const MAX_HELD: usize = 128 * 1024;
/// A gap older than this will not be filled: clara repeats a segment for 4 s at most.
const MAX_GAP_NS: i64 = 5_000_000_000;
/// A jump of the sequence number beyond this is another connection on the same ports.
const MAX_JUMP: u32 = 1 << 20;

/// Gets what a stream gives: with the caller's state of it and who sent it to whom.
pub type OnFound<'f, T> = dyn FnMut(&mut T, Flow, When, Found<'_>) + 'f;

/// All streams, each with what the caller keeps about it.
pub struct Streams<T> {
    known: BTreeMap<(Endpoint, Endpoint), Stream<T>>,
    clock: u64,
    opened: u64,
}

/// One connection. Side 0 is the endpoint that orders first.
pub struct Stream<T> {
    halves: [Half; 2],
    used: u64,
    /// What the caller keeps about the connection; fresh for each.
    pub state: T,
}

impl<T: Default> Default for Streams<T> {
    fn default() -> Self {
        Self::new()
    }
}

impl<T: Default> Streams<T> {
    /// No streams yet.
    pub fn new() -> Self {
        Self { known: BTreeMap::new(), clock: 0, opened: 0 }
    }

    /// How many connections were seen.
    pub fn opened(&self) -> u64 {
        self.opened
    }

    /// Takes a segment; `found` gets what it completes.
    pub fn take(&mut self, when: When, flow: Flow, segment: Segment<'_>, found: &mut OnFound<'_, T>) {
        self.clock += 1;
        let side = usize::from(flow.source > flow.destination);
        let key = if side == 0 { (flow.source, flow.destination) } else { (flow.destination, flow.source) };
        let opens = segment.syn && segment.acknowledged.is_none();
        if opens && self.known.get(&key).is_some_and(|stream| stream.is_other_connection(side, segment)) {
            self.close(key, found);
        }
        if !self.known.contains_key(&key) {
            self.make_room(found);
            self.opened += 1;
        }
        let stream = self.known.entry(key).or_insert_with(Stream::new);
        stream.used = self.clock;
        let Stream { halves, state, .. } = stream;
        let [first, second] = halves;
        let (mine, other) = if side == 0 { (first, second) } else { (second, first) };
        if let Some(acknowledged) = segment.acknowledged {
            let back = Flow { source: flow.destination, destination: flow.source };
            other.acknowledged(when, acknowledged, &mut |when, item: Found<'_>| {
                found(state, back, when, item);
            });
        }
        mine.take(when, segment, &mut |when, item: Found<'_>| found(state, flow, when, item));
    }

    /// Gives what was still held back: the capture is over.
    pub fn finish(&mut self, found: &mut OnFound<'_, T>) {
        while let Some((&key, _)) = self.known.first_key_value() {
            self.close(key, found);
        }
    }

    fn make_room(&mut self, found: &mut OnFound<'_, T>) {
        if self.known.len() >= MAX_STREAMS
            && let Some((&oldest, _)) = self.known.iter().min_by_key(|(_, stream)| stream.used)
        {
            self.close(oldest, found);
        }
    }

    fn close(&mut self, key: (Endpoint, Endpoint), found: &mut OnFound<'_, T>) {
        let Some(Stream { mut halves, mut state, .. }) = self.known.remove(&key) else { return };
        let there = Flow { source: key.0, destination: key.1 };
        let back = Flow { source: key.1, destination: key.0 };
        for (half, flow) in halves.iter_mut().zip([there, back]) {
            half.finish(&mut |when, item: Found<'_>| found(&mut state, flow, when, item));
        }
    }
}

impl<T: Default> Stream<T> {
    fn new() -> Self {
        Self { halves: [Half::default(), Half::default()], used: 0, state: T::default() }
    }

    /// Whether a SYN opens another connection, rather than being a repetition of the one that opened this.
    fn is_other_connection(&self, side: usize, syn: Segment<'_>) -> bool {
        let opened = self.halves.get(side).and_then(|half| half.opened);
        opened != Some(syn.sequence) && self.halves.iter().any(|half| half.next.is_some())
    }
}

/// One direction of a stream.
#[derive(Default)]
pub struct Half {
    /// Sequence number of its SYN.
    opened: Option<u32>,
    /// Sequence number of the next byte in order.
    next: Option<u32>,
    held: Vec<Held>,
    held_bytes: usize,
    framer: Framer,
}

/// A segment that came before its turn.
struct Held {
    sequence: u32,
    when: When,
    data: Vec<u8>,
}

impl Half {
    fn take(&mut self, when: When, segment: Segment<'_>, sink: &mut dyn Sink) {
        let mut sequence = segment.sequence;
        if segment.syn {
            if self.opened != Some(sequence) {
                *self = Self { opened: Some(sequence), ..Self::default() };
                self.next = Some(sequence.wrapping_add(1));
            }
            sequence = sequence.wrapping_add(1);
        }
        if segment.data.is_empty() {
            return;
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
            let known = usize::try_from(behind).unwrap_or(usize::MAX);
            if let Some(fresh) = segment.data.get(known..).filter(|fresh| !fresh.is_empty()) {
                self.deliver(when, fresh, sink);
            }
        } else {
            self.hold(when, sequence, segment.data);
        }
        self.release(sink);
        while self.gap_is_lost(when) {
            self.skip_gap(sink);
        }
    }

    fn deliver(&mut self, when: When, data: &[u8], sink: &mut dyn Sink) {
        let length = u32::try_from(data.len()).unwrap_or(u32::MAX);
        self.next = self.next.map(|next| next.wrapping_add(length));
        self.framer.take(when, data, sink);
    }

    fn hold(&mut self, when: When, sequence: u32, data: &[u8]) {
        let next = self.next.unwrap_or(sequence);
        let distance = |at: u32| at.wrapping_sub(next);
        let place = self.held.partition_point(|held| distance(held.sequence) <= distance(sequence));
        let twin = place.checked_sub(1).and_then(|before| self.held.get(before));
        if twin.is_some_and(|twin| twin.sequence == sequence && twin.data.len() >= data.len()) {
            return;
        }
        self.held_bytes += data.len();
        self.held.insert(place, Held { sequence, when, data: data.to_vec() });
    }

    /// Delivers held segments whose turn has come.
    fn release(&mut self, sink: &mut dyn Sink) {
        while let (Some(next), Some(first)) = (self.next, self.held.first()) {
            let behind = next.wrapping_sub(first.sequence);
            if behind > MAX_JUMP {
                return;
            }
            let held = self.held.remove(0);
            self.held_bytes -= held.data.len();
            let known = usize::try_from(behind).unwrap_or(usize::MAX);
            if let Some(fresh) = held.data.get(known..).filter(|fresh| !fresh.is_empty()) {
                self.deliver(held.when, fresh, sink);
            }
        }
    }

    fn gap_is_lost(&self, now: When) -> bool {
        let Some(first) = self.held.first() else { return false };
        let waited = now.time_ns.zip(first.when.time_ns).map_or(0, |(now, then)| now - then);
        self.held_bytes > MAX_HELD || waited > MAX_GAP_NS
    }

    /// The receiver says it has the bytes that are missing here: the capture lost them.
    fn acknowledged(&mut self, now: When, acknowledged: u32, sink: &mut dyn Sink) {
        while let Some(first) = self.held.first()
            && acknowledged.wrapping_sub(first.sequence).wrapping_sub(1) < MAX_JUMP
            && now.frame > first.when.frame
        {
            self.skip_gap(sink);
        }
    }

    fn skip_gap(&mut self, sink: &mut dyn Sink) {
        if let Some(first) = self.held.first() {
            self.next = Some(first.sequence);
            sink.found(first.when, Found::Gap);
            self.framer.lose(first.when, sink);
        }
        self.release(sink);
    }

    fn finish(&mut self, sink: &mut dyn Sink) {
        while !self.held.is_empty() {
            self.skip_gap(sink);
        }
        self.framer.finish(sink);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::Ipv6Addr;
    use v2gtp::{Header, PayloadType};

    fn message(payload: &[u8]) -> Vec<u8> {
        let length = u32::try_from(payload.len()).unwrap();
        let header = Header { payload_type: PayloadType::EXI, length };
        [&header.to_bytes()[..], payload].concat()
    }

    /// Feeds segments of one direction and notes the frame and payload of what comes out.
    struct Test {
        streams: Streams<()>,
        frame: u64,
        seen: Vec<(u64, String)>,
    }

    fn show(seen: &mut Vec<(u64, String)>, when: When, found: Found<'_>) {
        let text = match found {
            Found::Message(_, payload) => String::from_utf8_lossy(payload).into_owned(),
            Found::Tls => "TLS".into(),
            Found::Skipped(count) => format!("skipped {count}"),
            Found::Gap => "gap".into(),
        };
        seen.push((when.frame, text));
    }

    impl Test {
        fn new() -> Self {
            Self { streams: Streams::new(), frame: 0, seen: Vec::new() }
        }

        fn when(&mut self) -> When {
            self.frame += 1;
            When { frame: self.frame, time_ns: Some(i64::try_from(self.frame).unwrap() * 1_000_000_000) }
        }

        fn segment(&mut self, forward: bool, port: u16, segment: Segment<'_>) {
            let when = self.when();
            let pev = Endpoint { address: Ipv6Addr::LOCALHOST, port };
            let evse = Endpoint { address: Ipv6Addr::LOCALHOST, port: 15118 };
            let (source, destination) = if forward { (pev, evse) } else { (evse, pev) };
            let seen = &mut self.seen;
            self.streams.take(when, Flow { source, destination }, segment, &mut |(), _, when, found| {
                show(seen, when, found);
            });
        }

        fn data(&mut self, sequence: u32, data: &[u8]) {
            self.segment(true, 50000, Segment { sequence, data, ..EMPTY });
        }

        fn acknowledge(&mut self, acknowledged: u32) {
            self.segment(false, 50000, Segment { acknowledged: Some(acknowledged), ..EMPTY });
        }

        fn finish(&mut self) {
            let seen = &mut self.seen;
            self.streams.finish(&mut |(), _, when, found| show(seen, when, found));
        }

        fn seen(&self) -> Vec<(u64, &str)> {
            self.seen.iter().map(|(frame, text)| (*frame, text.as_str())).collect()
        }
    }

    const EMPTY: Segment<'_> = Segment { sequence: 0, acknowledged: None, syn: false, data: &[] };

    #[test]
    fn two_messages_split_at_every_pair_of_places_come_out_with_the_frame_that_completes_them() {
        let first = message(b"one");
        let stream = [first.clone(), message(b"second")].concat();
        for one in 1..stream.len() {
            for two in one..stream.len() {
                let mut test = Test::new();
                for (from, to) in [(0, one), (one, two), (two, stream.len())] {
                    test.data(u32::try_from(from).unwrap(), &stream[from..to]);
                }
                let ends_in = |end: usize| match end {
                    end if end <= one => 1,
                    end if end <= two => 2,
                    _ => 3,
                };
                let expected = [(ends_in(first.len()), "one"), (3, "second")];
                assert_eq!(test.seen(), expected, "split at {one} and {two}");
            }
        }
    }

    #[test]
    fn sequence_numbers_wrap_around() {
        let stream = message(b"wraps");
        let mut test = Test::new();
        test.data(u32::MAX - 3, &stream[..6]);
        test.data(2, &stream[6..]);
        assert_eq!(test.seen(), [(2, "wraps")]);
    }

    #[test]
    fn segments_out_of_order_repeated_and_overlapping_give_each_message_once() {
        let stream: Vec<u8> = [message(b"aa"), message(b"bb"), message(b"cc")].concat();
        let mut test = Test::new();
        test.data(100, &stream[..10]);
        test.data(120, &stream[20..30]);
        test.data(120, &stream[20..30]);
        test.data(100, &stream[..15]);
        test.data(112, &stream[12..22]);
        test.data(100, &stream);
        assert_eq!(test.seen(), [(1, "aa"), (5, "bb"), (5, "cc")]);
    }

    #[test]
    fn what_the_capture_lost_is_given_up_when_the_receiver_has_it() {
        let mut test = Test::new();
        test.data(100, &message(b"aa"));
        test.data(120, &message(b"cc"));
        test.acknowledge(110);
        assert_eq!(test.seen(), [(1, "aa")], "110 is only the first message");
        test.acknowledge(130);
        test.data(130, &message(b"dd"));
        assert_eq!(test.seen(), [(1, "aa"), (2, "gap"), (2, "cc"), (5, "dd")]);
    }

    #[test]
    fn what_the_capture_lost_is_given_up_after_a_while_and_at_the_end() {
        let mut test = Test::new();
        test.data(100, &message(b"aa"));
        test.data(120, &message(b"cc"));
        for _ in 0..5 {
            test.acknowledge(110);
        }
        test.data(130, &message(b"dd"));
        assert_eq!(test.seen(), [(1, "aa"), (2, "gap"), (2, "cc"), (8, "dd")]);
        test.data(150, &message(b"ff"));
        test.finish();
        assert_eq!(test.seen()[4..], [(9, "gap"), (9, "ff")]);
    }

    #[test]
    fn a_lost_half_of_a_message_does_not_swallow_the_next_one() {
        let long = message(&[b'x'; 300]);
        let mut test = Test::new();
        test.data(0, &long[..200]);
        test.data(308, &message(b"next"));
        test.acknowledge(320);
        assert_eq!(test.seen(), [(2, "gap"), (2, "skipped 200"), (2, "next")]);
    }

    #[test]
    fn a_message_is_found_behind_plain_text_and_behind_a_header_of_nonsense() {
        let mut test = Test::new();
        test.data(0, &[&b"plain text notice..."[..], &message(b"aa")].concat());
        test.data(30, &[0x01, 0xFE, 0x80, 0x01, 0xFF, 0, 0, 0, 1, 2]);
        test.data(40, &message(b"bb"));
        assert_eq!(test.seen(), [(1, "skipped 20"), (1, "aa"), (2, "skipped 10"), (3, "bb")]);
    }

    #[test]
    fn an_encrypted_stream_is_told_once() {
        let mut test = Test::new();
        test.data(0, &[0x16, 3, 1, 0, 4, 1, 2, 3, 4]);
        test.data(9, &[0x17, 3, 3, 0, 1, 9]);
        assert_eq!(test.seen(), [(1, "TLS")]);
    }

    #[test]
    fn a_new_connection_on_the_same_ports_starts_afresh() {
        let mut test = Test::new();
        test.segment(true, 50000, Segment { sequence: 9, syn: true, ..EMPTY });
        test.data(10, &message(b"aa")[..5]);
        test.segment(true, 50000, Segment { sequence: 4_000, syn: true, ..EMPTY });
        test.data(4_001, &message(b"bb"));
        test.segment(true, 50000, Segment { sequence: 4_000, syn: true, ..EMPTY });
        test.data(4_011, &message(b"cc"));
        assert_eq!(test.seen(), [(2, "skipped 5"), (4, "bb"), (6, "cc")]);
        assert_eq!(test.streams.opened(), 2);
    }

    #[test]
    fn the_number_of_streams_is_bounded_and_a_live_one_stays() {
        let mut test = Test::new();
        let stream = message(b"alive");
        test.segment(true, 1, Segment { sequence: 0, data: &stream[..6], ..EMPTY });
        for port in 1000..1600 {
            test.segment(true, port, Segment { data: &[1], ..EMPTY });
            test.segment(true, 1, Segment { sequence: 6, ..EMPTY });
        }
        assert_eq!(test.streams.known.len(), MAX_STREAMS);
        test.seen.clear();
        test.segment(true, 1, Segment { sequence: 6, data: &stream[6..], ..EMPTY });
        assert_eq!(test.seen, [(1202, "alive".to_owned())]);
    }

    #[test]
    fn held_bytes_are_bounded() {
        let mut test = Test::new();
        test.data(0, b"x");
        let mut at = 10;
        for _ in 0..1000 {
            test.data(at, &[0; 1000]);
            at += 1000;
            let held: usize = test
                .streams
                .known
                .values()
                .map(|stream| stream.halves[0].held_bytes + stream.halves[1].held_bytes)
                .sum();
            assert!(held <= MAX_HELD);
        }
    }

    proptest::proptest! {
        #[test]
        fn any_segmentation_disorder_and_repetition_gives_every_message_once_and_in_order(
            lengths in proptest::collection::vec(1_usize..200, 1..8),
            cuts in proptest::collection::vec(1_usize..150, 1..30),
            picks in proptest::collection::vec(0_usize..4, 0..200),
            start: u32,
        ) {
            let payloads: Vec<String> = (0..).zip(&lengths).map(|(i, length)| {
                char::from(b'a' + i).to_string().repeat(*length)
            }).collect();
            let stream: Vec<u8> = payloads.iter().flat_map(|payload| message(payload.as_bytes())).collect();
            let mut segments = Vec::new();
            let mut at = 0;
            for cut in cuts.iter().cycle() {
                if at == stream.len() { break }
                let end = stream.len().min(at + cut);
                segments.push((start.wrapping_add(1 + u32::try_from(at).unwrap()), &stream[at..end]));
                at = end;
            }
            let mut test = Test::new();
            test.segment(true, 50000, Segment { sequence: start, syn: true, ..EMPTY });
            // Of the next four segments any may come first, and it may come again.
            let mut waiting: Vec<_> = segments.clone();
            for pick in picks.iter().chain(std::iter::repeat(&0)) {
                if waiting.is_empty() { break }
                let (sequence, data) = waiting[*pick % waiting.len().min(4)];
                test.data(sequence, data);
                if pick % 2 == 0 {
                    waiting.retain(|(other, _)| *other != sequence);
                }
                // All at one time: no gap is given up for its age.
                test.frame = 1;
            }
            test.finish();
            let seen: Vec<&str> = test.seen.iter().map(|(_, text)| text.as_str()).collect();
            proptest::prop_assert_eq!(seen, payloads);
        }
    }
}
