//! Reassembly of connections.

use super::*;
use std::net::Ipv6Addr;
use std::prelude::v1::*;

use v2gtp::{Header, PayloadType};

fn message(payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).unwrap();
    let header = Header { payload_type: PayloadType::EXI, length };
    [&header.to_bytes()[..], payload].concat()
}

/// Connections of one kind (with or without a message) that fit.
const MAX_STREAMS: usize = 256;
/// Bytes that the pool can hold.
const MAX_MEMORY: usize = 8192 * BLOCK_LEN;
/// Bytes that one direction may hold.
const MAX_BYTES: usize = MAX_MEMORY / 2;

struct Heap {
    slots: Vec<Slot<()>>,
    blocks: Vec<Block>,
    message: Vec<u8>,
}

impl Default for Heap {
    fn default() -> Self {
        Self {
            slots: (0..2 * MAX_STREAMS).map(|_| Slot::EMPTY).collect(),
            blocks: vec![Block::EMPTY; 8192],
            message: vec![0; 64 * 1024 + 8],
        }
    }
}

impl Storage for Heap {
    type State = ();
    fn parts(&mut self) -> Parts<'_, ()> {
        Parts { slots: &mut self.slots, blocks: &mut self.blocks, message: &mut self.message }
    }
}

/// Feeds segments of one direction and records frame and payload of each message.
struct Test {
    streams: Streams<Heap>,
    frame: u64,
    /// Whether frames have times, one second apart.
    timed: bool,
    seen: Vec<(u64, String)>,
}

fn flow(forward: bool, port: u16) -> Flow {
    let pev = Endpoint { address: Ipv6Addr::LOCALHOST, port };
    let evse = Endpoint { address: Ipv6Addr::LOCALHOST, port: 15118 };
    let (source, destination) = if forward { (pev, evse) } else { (evse, pev) };
    Flow { source, destination }
}

fn show(seen: &mut Vec<(u64, String)>, when: When, found: Found<'_>) {
    let text = match found {
        Found::Message(_, payload) => String::from_utf8_lossy(payload).into_owned(),
        Found::Tls => "TLS".into(),
        Found::Skipped(count) => format!("skipped {count}"),
        Found::Gap => "gap".into(),
        Found::Opened | Found::Closed(_) | Found::Over { .. } => return,
    };
    seen.push((when.frame, text));
}

impl Test {
    fn new() -> Self {
        Self { streams: Streams::default(), frame: 0, timed: true, seen: Vec::new() }
    }

    fn when(&mut self) -> When {
        self.frame += 1;
        let time_ns = self.timed.then(|| i64::try_from(self.frame).unwrap() * 1_000_000_000);
        When { frame: self.frame, time_ns }
    }

    fn segment(&mut self, forward: bool, port: u16, segment: Segment<'_>) {
        let when = self.when();
        let seen = &mut self.seen;
        self.streams.take(when, flow(forward, port), segment, &mut |(), _, when, found| {
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

const EMPTY: Segment<'_> = Segment { sequence: 0, acknowledged: None, syn: false, close: None, data: &[] };

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
fn what_the_capture_lost_is_given_up_a_while_after_the_receiver_has_it() {
    let mut test = Test::new();
    test.timed = false;
    test.data(100, &message(b"aa"));
    test.data(120, &message(b"cc"));
    let mut acknowledge = |acknowledged| {
        for _ in 0..130 {
            test.acknowledge(acknowledged);
        }
        test.seen.len()
    };
    assert_eq!(acknowledge(110), 1, "only the first message");
    assert_eq!(acknowledge(130), 3);
    test.data(130, &message(b"dd"));
    assert_eq!(test.seen(), [(1, "aa"), (2, "gap"), (2, "cc"), (263, "dd")]);
}

#[test]
fn an_acknowledgement_that_was_captured_before_its_segment_loses_nothing() {
    let mut test = Test::new();
    test.timed = false;
    test.data(100, &message(b"aa"));
    test.data(120, &message(b"cc"));
    for _ in 0..100 {
        test.acknowledge(130);
    }
    test.data(110, &message(b"bb"));
    assert_eq!(test.seen(), [(1, "aa"), (103, "bb"), (2, "cc")]);
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
    test.finish();
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
    assert_eq!(known(&test), MAX_STREAMS);
    test.seen.clear();
    test.segment(true, 1, Segment { sequence: 6, data: &stream[6..], ..EMPTY });
    assert_eq!(test.seen, [(1202, "alive".to_owned())]);
}

/// Number of connections in the storage.
fn known(test: &Test) -> usize {
    test.streams.storage.slots.iter().filter(|slot| slot.0.is_some()).count()
}

/// Bytes of the blocks that all connections hold, counted connection by connection.
fn memory(test: &Test) -> usize {
    let connections = test.streams.storage.slots.iter().filter_map(|slot| slot.0.as_ref());
    let blocks = connections.map(Connection::blocks).sum::<usize>();
    assert_eq!(blocks, test.streams.free.used(), "no block is lost or counted twice");
    blocks * BLOCK_LEN
}

#[test]
fn what_one_direction_holds_is_bounded_and_each_gap_given_up_is_counted() {
    let mut test = Test::new();
    test.data(0, b"x");
    for at in 0..6000 {
        test.data(10 + at * 1000, &[0; 999]);
        assert!(memory(&test) <= MAX_BYTES);
        test.frame = 1;
    }
    let gaps = u64::try_from(test.seen.iter().filter(|(_, text)| text == "gap").count()).unwrap();
    assert!(gaps > 100);
    assert_eq!(test.streams.given_up(), GivenUp { connections: 0, gaps });
}

#[test]
fn a_hundred_thousand_bytes_each_in_a_segment_of_its_own_are_held_in_any_order() {
    let payload: Vec<u8> = (0..60_000_u32).map(|at| b'a' + u8::try_from(at % 26).unwrap()).collect();
    let stream = [message(&payload), message(&payload), message(b"end")].concat();
    let count = u32::try_from(stream.len()).unwrap();
    // 7 919 is prime, so every place occurs once.
    let orders: [&dyn Fn(u32) -> u32; 3] = [&|at| at, &|at| count - 1 - at, &|at| {
        u32::try_from(u64::from(at) * 7919 % u64::from(count)).unwrap()
    }];
    for order in orders {
        let mut test = Test::new();
        test.segment(true, 50000, Segment { sequence: u32::MAX - 5000, syn: true, ..EMPTY });
        let first = u32::MAX - 4999;
        for at in (0..count).map(order).filter(|at| *at != 0) {
            test.data(first.wrapping_add(at), &stream[usize::try_from(at).unwrap()..][..1]);
            test.frame = 1;
        }
        assert!(test.seen.is_empty() && memory(&test) < MAX_MEMORY);
        test.data(first, &stream[..1]);
        let lengths: Vec<usize> = test.seen.iter().map(|(_, text)| text.len()).collect();
        assert_eq!(lengths, [60_000, 60_000, 3]);
        assert_eq!(test.streams.given_up(), GivenUp::default());
        assert_eq!(memory(&test), 0);
    }
}

#[test]
fn all_together_hold_no_more_than_the_bound_and_a_session_keeps_its_few_segments() {
    let mut test = Test::new();
    let stream = message(b"session");
    test.segment(true, 1, Segment { sequence: 0, syn: true, ..EMPTY });
    test.segment(true, 1, Segment { sequence: 6, data: &stream[5..], ..EMPTY });
    let mut most = 0;
    for port in 1000..1200 {
        test.segment(true, port, Segment { sequence: 0, data: b"x", ..EMPTY });
        for at in 0..100 {
            test.segment(true, port, Segment { sequence: 10 + 2001 * at, data: &[b'y'; 2000], ..EMPTY });
            most = most.max(memory(&test));
            test.frame = 1;
        }
    }
    assert!(most <= MAX_MEMORY && most > MAX_MEMORY / 2, "{most}");
    assert!(test.streams.given_up().gaps > 0);
    test.seen.clear();
    test.segment(true, 1, Segment { sequence: 1, data: &stream[..5], ..EMPTY });
    assert_eq!(test.seen, [(2, "session".to_owned())]);
}

#[test]
fn starts_of_long_messages_count_as_held_too() {
    let mut test = Test::new();
    let mut start = message(&vec![0; 60_000]);
    start.pop();
    for port in 1..2000 {
        test.segment(true, port, Segment { data: &start, ..EMPTY });
        assert!(memory(&test) <= MAX_MEMORY);
    }
}

#[test]
fn a_flood_of_connections_drives_no_session_out() {
    let mut test = Test::new();
    let stream = message(b"one");
    let second = message(b"two");
    test.segment(true, 1, Segment { sequence: 0, data: &stream, ..EMPTY });
    test.segment(true, 1, Segment { sequence: 11, data: &second[..5], ..EMPTY });
    for flood in 0..5000 {
        let data: &[u8] = if flood % 2 == 0 { &[] } else { &[0x01] };
        test.segment(true, 10_000 + flood, Segment { syn: flood % 3 == 0, data, ..EMPTY });
    }
    assert_eq!(known(&test), MAX_STREAMS + 1);
    assert_eq!(test.streams.given_up().connections, 5000 - u64::try_from(MAX_STREAMS).unwrap());
    test.seen.clear();
    test.segment(true, 1, Segment { sequence: 16, data: &second[5..], ..EMPTY });
    assert_eq!(test.seen[0].1, "two");
}

#[test]
fn sessions_are_bounded_too_and_the_one_silent_longest_goes() {
    let mut test = Test::new();
    for port in 1..1000 {
        test.segment(true, port, Segment { data: &message(b"m"), ..EMPTY });
        test.segment(true, 1, Segment { sequence: 9, ..EMPTY });
    }
    assert_eq!(known(&test), MAX_STREAMS);
    test.seen.clear();
    test.segment(true, 1, Segment { sequence: 9, data: &message(b"last"), ..EMPTY });
    assert_eq!(test.seen[0].1, "last");
    assert_eq!(test.streams.opened(), 999);
}

#[test]
fn a_syn_that_was_captured_late_begins_no_other_connection() {
    let mut test = Test::new();
    test.data(101, &message(b"aa"));
    test.segment(true, 50000, Segment { sequence: 100, syn: true, ..EMPTY });
    test.data(111, &message(b"bb"));
    // The SYN-ACK before the SYN.
    let answer = Segment { sequence: 7, acknowledged: Some(101), syn: true, ..EMPTY };
    test.segment(false, 50001, answer);
    test.segment(true, 50001, Segment { sequence: 100, syn: true, ..EMPTY });
    assert_eq!(test.seen(), [(1, "aa"), (3, "bb")]);
    assert_eq!(test.streams.opened(), 2);
}

#[test]
fn what_was_captured_before_the_syn_in_any_order_is_found() {
    let mut test = Test::new();
    test.data(111, &message(b"bb"));
    test.segment(true, 50000, Segment { sequence: 100, syn: true, ..EMPTY });
    test.data(101, &message(b"aa"));
    test.data(101, &message(b"aa"));
    test.data(121, &message(b"cc"));
    // A keep-alive segment: one byte that was sent before.
    test.data(100, &[0]);
    assert_eq!(test.seen(), [(1, "bb"), (3, "aa"), (5, "cc")]);
    assert_eq!(test.streams.opened(), 1);
}

#[test]
fn a_message_is_found_where_the_start_of_one_turned_out_to_be_none() {
    let mut test = Test::new();
    let stream = [&[0x01][..], &message(b"aa")].concat();
    for (at, byte) in (0..).zip(&stream) {
        test.data(at, &[*byte]);
    }
    assert_eq!(test.seen(), [(2, "skipped 1"), (11, "aa")]);
}

#[test]
fn segments_without_bytes_change_nothing() {
    let mut test = Test::new();
    let stream = message(b"aa");
    test.data(0, &stream[..4]);
    for sequence in [0, 4, 500, u32::MAX, 1 << 31] {
        test.data(sequence, &[]);
    }
    test.data(4, &stream[4..]);
    assert_eq!(test.seen(), [(7, "aa")]);
}

#[test]
fn times_as_far_apart_as_they_can_be_end_nothing() {
    for times in [[i64::MIN, i64::MAX, i64::MIN], [i64::MAX, i64::MIN, i64::MAX], [0, i64::MIN, i64::MAX]] {
        let mut test = Test::new();
        let stream = [message(b"aa"), message(b"bb")].concat();
        for ((sequence, range), time_ns) in [(0, 0..5), (10, 10..20), (5, 5..10)].into_iter().zip(times) {
            let when = When { frame: u64::from(sequence), time_ns: Some(time_ns) };
            let seen = &mut test.seen;
            let found: &mut OnFound<'_, ()> = &mut |(), _, when, found| show(seen, when, found);
            test.streams.take(
                when,
                flow(true, 50000),
                Segment { sequence, data: &stream[range], ..EMPTY },
                found,
            );
        }
        assert!(test.seen.iter().any(|(_, text)| text == "bb"), "{:?}", test.seen);
    }
}

#[test]
fn who_opened_a_connection_is_known_from_either_end_and_stays() {
    let mut seen = Vec::new();
    let mut streams = Streams::<Heap>::default();
    let syn = Segment { syn: true, ..EMPTY };
    let accept = Segment { syn: true, acknowledged: Some(1), ..EMPTY };
    let data = message(b"a");
    let data = Segment { sequence: 1, data: &data, ..EMPTY };
    for (port, segments) in [
        (1, vec![(true, syn), (true, data), (false, data)]),
        (2, vec![(false, accept), (true, data), (false, data)]),
        (3, vec![(true, syn), (true, Segment { sequence: 0, ..accept }), (true, data)]),
        (4, vec![(true, data)]),
    ] {
        for (forward, segment) in segments {
            let when = When { frame: port.into(), time_ns: None };
            streams.take(when, flow(forward, port), segment, &mut |(), sender, when, found| {
                if matches!(found, Found::Message(..)) {
                    seen.push((when.frame, sender.has_opened));
                }
            });
        }
    }
    let expected =
        [(1, Some(true)), (1, Some(false)), (2, Some(true)), (2, Some(false)), (3, Some(true)), (4, None)];
    assert_eq!(seen, expected);
}

/// The connections and messages of these segments, each with its time in seconds.
fn connections(segments: &[(i64, bool, Segment<'_>)]) -> Vec<(u64, String)> {
    let mut streams = Streams::<Heap>::default();
    let mut seen = Vec::new();
    for (frame, (time_s, forward, segment)) in (1..).zip(segments) {
        let when = When { frame, time_ns: Some(time_s * 1_000_000_000) };
        streams.take(when, flow(*forward, 50000), *segment, &mut |(), sender, _, found| {
            let what = match found {
                Found::Message(_, payload) => String::from_utf8_lossy(payload).into_owned(),
                Found::Over { .. } => return,
                other => format!("{other:?}"),
            };
            seen.push((sender.connection, what));
        });
    }
    seen
}

#[test]
fn the_same_capture_twice_is_two_connections() {
    let (first, second) = (message(b"aa"), message(b"bb"));
    let once = [
        (100, true, Segment { sequence: 9, syn: true, ..EMPTY }),
        (101, true, Segment { sequence: 10, data: &first, ..EMPTY }),
        (110, true, Segment { sequence: 20, data: &second, close: Some(Close::Fin), ..EMPTY }),
    ];
    let seen = connections(&[once, once].concat());
    let words = ["Opened", "aa", "bb", "Closed(Fin)"];
    let expected: Vec<_> = [1, 2].iter().flat_map(|n| words.map(|what| (*n, what.to_owned()))).collect();
    assert_eq!(seen, expected);
    // An observation that starts in the middle: no SYN, and no FIN.
    let seen = connections(&[&once[1..2], &once[2..], &once[1..2], &once[2..]].concat());
    let messages: Vec<_> = seen.iter().filter(|(_, what)| what.len() == 2).cloned().collect();
    let expected = [(1, "aa"), (1, "bb"), (2, "aa"), (2, "bb")].map(|(n, what)| (n, what.to_owned()));
    assert_eq!(messages, expected);
}

#[test]
fn a_repetition_within_the_disorder_of_a_capture_is_no_other_connection() {
    let data = message(b"aa");
    let opened = (100, true, Segment { sequence: 9, syn: true, ..EMPTY });
    let sent = (101, true, Segment { sequence: 10, data: &data, ..EMPTY });
    let seen = connections(&[opened, sent, opened, sent]);
    assert_eq!(seen, [(1, "Opened".to_owned()), (1, "aa".to_owned())]);
}

#[test]
fn a_refused_connection_and_one_that_is_reset_are_told_apart() {
    let syn = (1, true, Segment { sequence: 9, syn: true, ..EMPTY });
    let reset = Segment { acknowledged: Some(10), close: Some(Close::Reset), ..EMPTY };
    let closes =
        |segments: &[_]| -> Vec<_> { connections(segments).into_iter().skip(1).map(|seen| seen.1).collect() };
    assert_eq!(closes(&[syn, (2, false, reset)]), ["Closed(Refused)"]);
    let accept = Segment { sequence: 70, acknowledged: Some(10), syn: true, ..EMPTY };
    assert_eq!(
        closes(&[syn, (2, false, accept), (3, false, Segment { sequence: 71, ..reset })]),
        ["Closed(Reset)"]
    );
}

#[test]
fn storage_for_two_connections_and_eight_blocks_serves_a_session_and_reports_what_it_loses() {
    let mut streams = Streams::<Fixed<(), 2, 8, 1024>>::default();
    let (mut seen, mut lost) = (0, 0);
    let long = message(&[7; 900]);
    for round in 0..50_u32 {
        for (part, bytes) in long.chunks(100).enumerate() {
            let at = round * 908 + u32::try_from(part).unwrap() * 100;
            let when = When { frame: 1, time_ns: None };
            let segment = Segment { sequence: at, data: bytes, ..EMPTY };
            streams.take(when, flow(true, 1), segment, &mut |(), _, _, found| {
                seen += u32::from(matches!(found, Found::Message(..)));
            });
        }
        let foreign = Segment { sequence: 5, data: &[1], ..EMPTY };
        let port = 1000 + u16::try_from(round).unwrap();
        streams.take(When { frame: 1, time_ns: None }, flow(true, port), foreign, &mut |(), _, _, found| {
            lost += u32::from(matches!(found, Found::Over { is_evicted: true, .. }));
        });
    }
    assert_eq!((seen, lost, streams.given_up().connections), (50, 49, 49));
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
        // Any of the next four segments may arrive first, and may be repeated.
        let mut waiting: Vec<_> = segments.clone();
        for pick in picks.iter().chain(std::iter::repeat(&0)) {
            if waiting.is_empty() { break }
            let (sequence, data) = waiting[*pick % waiting.len().min(4)];
            test.data(sequence, data);
            if pick % 2 == 0 {
                waiting.retain(|(other, _)| *other != sequence);
            }
            // All at one time: no gap is abandoned because of its age.
            test.frame = 1;
        }
        test.finish();
        let seen: Vec<&str> = test.seen.iter().map(|(_, text)| text.as_str()).collect();
        proptest::prop_assert_eq!(seen, payloads);
    }
}
