//! Any values on the bus: no panic, bounded work, and frames pass again when the disturbance ends.

use machine::{Cx, Duration, Instant, ScriptedEntropy};
use proptest::prelude::*;
use qca7000_spi::{Buffers, Data, Deframer, Input, Item, Qca7000, READ_MAX, RECEIVE_MIN, SEND_LEN};

use crate::bench::{Bench, frame};
use crate::chip::{BUFFER, framed};

/// Values on the bus: those that registers have, and any other.
fn word() -> impl Strategy<Value = u16> {
    prop_oneof![
        6 => Just(0xAA55),
        2 => Just(0),
        1 => Just(0xFFFF),
        1 => Just(0x0440),
        2 => Just(0x0401),
        2 => Just(0x0C5B),
        2 => 1_u16..=READ_MAX,
        1 => any::<u16>(),
    ]
}

/// Data from a chip: frames, cut frames, other bytes.
fn piece() -> impl Strategy<Value = Vec<u8>> {
    let whole = || (60_usize..1600, any::<u8>()).prop_map(|(length, mark)| framed(&frame(length, mark)));
    prop_oneof![
        whole(),
        (whole(), any::<prop::sample::Index>()).prop_map(|(mut bytes, at)| {
            bytes.truncate(at.index(bytes.len()));
            bytes
        }),
        prop::collection::vec(any::<u8>(), 0..40),
        prop::collection::vec(prop::sample::select(&[0, 0xAA, 0x55, 0x3C, 0x46][..]), 0..40),
    ]
}

#[derive(Clone, Debug)]
enum Happening {
    Receive(Vec<u8>),
    Send(usize),
    Mute(u8),
    Restart,
    Fail,
    Cause(u16),
    Fill,
    Wait(u64),
}

fn happening() -> impl Strategy<Value = Happening> {
    prop_oneof![
        4 => piece().prop_map(Happening::Receive),
        3 => (14_usize..=1522).prop_map(Happening::Send),
        1 => prop::sample::select(&[0x00, 0xFF, 0xAA][..]).prop_map(Happening::Mute),
        1 => Just(Happening::Restart),
        1 => Just(Happening::Fail),
        1 => prop::sample::select(&[0x02_u16, 0x04, 0x08][..]).prop_map(Happening::Cause),
        1 => Just(Happening::Fill),
        4 => (0_u64..60).prop_map(Happening::Wait),
    ]
}

fn apply(bench: &mut Bench, happening: Happening) {
    match happening {
        Happening::Receive(bytes) => bench.chip.borrow_mut().offer(&bytes),
        Happening::Send(length) => drop(bench.driver.chip().send(&frame(length, 5))),
        Happening::Wait(millis) => bench.run(Duration::from_millis(millis)),
        Happening::Mute(value) => bench.chip.borrow_mut().mute = Some(value),
        Happening::Restart => bench.chip.borrow_mut().restart(),
        Happening::Fail => bench.chip.borrow_mut().fails = true,
        Happening::Cause(cause) => bench.chip.borrow_mut().cause |= cause,
        Happening::Fill => bench.chip.borrow_mut().used = BUFFER,
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn whatever_a_bus_answers_there_is_no_panic_and_the_work_is_bounded(
        answers in prop::collection::vec((word(), any::<u8>(), 0_u64..3000), 1..400),
    ) {
        let (mut receive, mut send) = ([0; RECEIVE_MIN], [0; SEND_LEN]);
        let mut chip = Qca7000::new(Buffers { receive: &mut receive, send: &mut send }).unwrap();
        let mut entropy = ScriptedEntropy::new(&[]);
        let mut cx = Cx { now: Instant::ZERO, entropy: &mut entropy };
        for (word, fill, micros) in answers {
            chip.handle(&mut cx, Input::Interrupt);
            chip.handle_timeout(&mut cx);
            if let Some(transfer) = chip.poll_transfer() {
                match transfer.data {
                    Data::Read(into) if into.len() == 2 => into.copy_from_slice(&word.to_be_bytes()),
                    Data::Read(into) => into.fill(fill),
                    Data::Write(bytes) => prop_assert!(bytes.len() <= SEND_LEN),
                }
                chip.handle(&mut cx, if fill == 77 { Input::Failed } else { Input::Done });
            }
            let _ = chip.send(&[fill; 60]);
            let mut frames = 0;
            while chip.poll_frame().is_some() {
                frames += 1;
            }
            prop_assert!(frames <= RECEIVE_MIN / 74);
            cx.now += Duration::from_micros(micros);
            chip.handle_timeout(&mut cx);
            prop_assert!(chip.poll_timeout().is_none_or(|deadline| deadline.at > cx.now));
        }
    }

    #[test]
    fn frames_pass_again_after_whatever_happened(happenings in prop::collection::vec(happening(), 0..60)) {
        let mut bench = Bench::up(RECEIVE_MIN);
        for happening in happenings {
            apply(&mut bench, happening);
            bench.turn();
            let now = bench.now();
            bench.chip.borrow_mut().now = now + Duration::from_micros(100);
        }
        bench.chip.borrow_mut().mute = None;
        // The longest recovery: the first try ends a silence, the second finds the write buffer full, and the
        // chip is reset.
        let passes = (0..3).any(|_| {
            let passes = bench.passes();
            bench.run(Duration::from_secs(4));
            passes
        });
        prop_assert!(passes, "{:?}", bench.events);
    }

    #[test]
    fn a_host_that_is_not_disturbed_makes_no_mistake_and_loses_nothing(
        lengths in prop::collection::vec((60_usize..=1522, 60_usize..=1522, 0_u64..4), 1..60),
        receive in RECEIVE_MIN..4000,
        level: bool,
        drain in 0_u64..5,
    ) {
        let mut bench = Bench::up(receive);
        bench.chip.borrow_mut().drain = Some(Duration::from_millis(drain));
        bench.chip.borrow_mut().level = level;
        let (mut offered, mut sent) = (Vec::new(), Vec::new());
        for (mark, (down, up, pause)) in (0_u8..).zip(lengths) {
            if bench.chip.borrow().waiting() + down + 14 <= BUFFER + 4 {
                offered.push(frame(down, mark));
                bench.chip.borrow_mut().receive(&frame(down, mark));
            }
            if bench.driver.chip().can_send() {
                sent.push(frame(up, mark));
                bench.driver.chip().send(&frame(up, mark)).unwrap();
            }
            bench.run(Duration::from_millis(pause));
        }
        bench.run(Duration::from_millis(50));
        prop_assert_eq!(&bench.frames, &offered);
        let chip = bench.chip.borrow();
        let written: Vec<_> = chip.written.iter().map(|bytes| bytes[8..bytes.len() - 2].to_vec()).collect();
        prop_assert_eq!(written, sent);
        prop_assert_eq!(&chip.mistakes, &[""; 0]);
    }

    #[test]
    fn the_same_frames_come_out_however_the_bytes_are_cut(
        pieces in prop::collection::vec(piece(), 0..12),
        sizes in prop::collection::vec(1_usize..1600, 1..10),
    ) {
        let stream = pieces.concat();
        let (mut one, mut two) = (Vec::new(), Vec::new());
        feed(&mut Deframer::new(&mut vec![0; 20_000]), &stream, &[20_000], &mut one);
        feed(&mut Deframer::new(&mut [0; RECEIVE_MIN]), &stream, &sizes, &mut two);
        prop_assert_eq!(one, two);
    }

    #[test]
    fn after_any_bytes_and_a_pause_every_whole_frame_is_found(
        before in prop::collection::vec(piece(), 0..8),
        frames in prop::collection::vec((60_usize..=1522, any::<u8>()), 1..6),
        sizes in prop::collection::vec(1_usize..1600, 1..10),
    ) {
        let mut buffer = [0; RECEIVE_MIN];
        let mut deframer = Deframer::new(&mut buffer);
        let mut seen = Vec::new();
        feed(&mut deframer, &before.concat(), &sizes, &mut seen);
        while deframer.poll_rest().is_some() {}
        prop_assert!(!deframer.is_partial());
        seen.clear();
        let frames: Vec<_> = frames.into_iter().map(|(length, mark)| frame(length, mark)).collect();
        let stream: Vec<u8> = frames.iter().flat_map(|frame| framed(frame)).collect();
        feed(&mut deframer, &stream, &sizes, &mut seen);
        prop_assert_eq!(seen, frames);
    }

    #[test]
    fn a_frame_that_is_cut_costs_no_frame_that_begins_after_its_announced_end(
        length in 60_usize..=1522,
        kept in any::<prop::sample::Index>(),
        frames in prop::collection::vec((60_usize..=400, 0_u8..0x50), 1..30),
    ) {
        let cut = &framed(&frame(length, 9))[..kept.index(length + 14)];
        let frames: Vec<_> = frames.into_iter().map(|(length, mark)| frame(length, mark)).collect();
        let mut at = cut.len();
        let mut needed = Vec::new();
        for frame in &frames {
            if at >= length + 14 {
                needed.push(frame.clone());
            }
            at += frame.len() + 14;
        }
        let stream: Vec<u8> = cut.iter().copied().chain(frames.iter().flat_map(|frame| framed(frame))).collect();
        let mut buffer = [0; RECEIVE_MIN];
        let mut deframer = Deframer::new(&mut buffer);
        let mut seen = Vec::new();
        feed(&mut deframer, &stream, &[700], &mut seen);
        while let Some(item) = deframer.poll_rest() {
            if let Item::Frame(place) = item {
                seen.push(deframer.get(place).to_vec());
            }
        }
        prop_assert!(seen.ends_with(&needed));
    }
}

/// Adds `stream` in pieces of `sizes` and collects the frames.
fn feed(deframer: &mut Deframer<'_>, mut stream: &[u8], sizes: &[usize], seen: &mut Vec<Vec<u8>>) {
    for size in sizes.iter().cycle() {
        let (piece, rest) = stream.split_at((*size).min(deframer.free()).min(stream.len()));
        stream = rest;
        deframer.space()[..piece.len()].copy_from_slice(piece);
        deframer.filled(piece.len());
        while let Some(item) = deframer.poll_item() {
            if let Item::Frame(place) = item {
                seen.push(deframer.get(place).to_vec());
            }
        }
        if stream.is_empty() {
            return;
        }
    }
}

#[test]
fn a_chip_is_found_however_long_it_takes_to_start() {
    for millis in [0, 1, 19, 20, 21, 500, 2100, 9000] {
        let mut bench = Bench::new(RECEIVE_MIN, Duration::from_millis(millis));
        bench.run(Duration::from_millis(millis + 50));
        assert!(bench.passes(), "{millis} ms");
    }
}
