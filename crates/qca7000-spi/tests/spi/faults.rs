//! The driver against a simulated chip that fails, restarts, or is on a disturbed bus.

use machine::Duration;
use qca7000_spi::{Dropped, Event, Loss, RECEIVE_MIN, Register, Reset, TRANSFERS_A_TURN, times};

use crate::bench::{Bench, frame};
use crate::chip::{BUFFER, Chip, framed};

const SECOND: Duration = Duration::from_secs(1);

#[test]
fn a_signature_that_is_lost_for_a_while_costs_no_reset_and_no_frame_in_the_chip() {
    for mute in [0x00, 0xFF, 0x5A] {
        let mut bench = Bench::up(RECEIVE_MIN);
        bench.chip.borrow_mut().mute = Some(mute);
        bench.chip.borrow_mut().receive(&frame(90, 3));
        let before = bench.chip.borrow().transactions;
        bench.run(Duration::from_millis(300));
        assert!(!bench.driver.chip().is_up());
        // The interrupt is active, but probing is timed by the clock.
        let probes = (bench.chip.borrow().transactions - before) / 2;
        assert!((14..=16).contains(&probes), "{probes} probes in 300 ms");
        bench.chip.borrow_mut().mute = None;
        bench.run(times::PROBE + Duration::from_millis(1));
        let lost = Loss::Value { register: Register::Signature, value: u16::from_be_bytes([mute, mute]) };
        assert_eq!(bench.events, [Event::Lost(lost), Event::Resumed]);
        assert_eq!((bench.frames.len(), bench.resets()), (1, 0));
        assert!(bench.passes());
    }
}

#[test]
fn one_wrong_signature_is_no_loss() {
    let mut bench = Bench::up(RECEIVE_MIN);
    bench.chip.borrow_mut().receive(&frame(90, 3));
    disturb(&mut bench, 0, 0xFF);
    bench.turn();
    assert_eq!((bench.events.len(), bench.frames.len()), (0, 1));
}

/// The result of one later transaction, 0 for the next one, consists of `value` only.
fn disturb(bench: &mut Bench, after: usize, value: u8) {
    let chip = &mut *bench.chip.borrow_mut();
    let at = chip.transactions + after;
    chip.faults.push((at, Box::new(move |chip| chip.mute = Some(value))));
    chip.faults.push((at + 1, Box::new(|chip| chip.mute = None)));
}

#[test]
fn one_disturbed_answer_at_any_place_costs_no_reset() {
    for (after, value) in (0..20).flat_map(|after| [(after, 0x00), (after, 0xFF)]) {
        let mut bench = Bench::up(RECEIVE_MIN);
        bench.chip.borrow_mut().receive(&frame(90, 3));
        bench.driver.chip().send(&frame(91, 4)).unwrap();
        disturb(&mut bench, after, value);
        bench.run(Duration::from_millis(150));
        assert_eq!(bench.resets(), 0, "transaction {after} reads {value:02X}");
        assert_eq!(bench.chip.borrow().mistakes, [""; 0]);
        assert!(bench.passes(), "transaction {after} reads {value:02X}: {:?}", bench.events);
    }
}

/// 0404 is `WRBUF_ERR` as a cause, and more bytes than are available.
#[test]
fn a_wrong_value_that_a_register_could_have_costs_one_reset_at_most() {
    for after in 0..20 {
        let mut bench = Bench::up(RECEIVE_MIN);
        bench.chip.borrow_mut().receive(&frame(90, 3));
        bench.driver.chip().send(&frame(91, 4)).unwrap();
        disturb(&mut bench, after, 0x04);
        bench.run(SECOND + SECOND);
        assert!(bench.resets() <= 1, "transaction {after}: {:?}", bench.events);
        assert!(bench.passes(), "transaction {after}: {:?}", bench.events);
    }
}

#[test]
fn a_transaction_that_fails_at_any_place_is_survived() {
    for after in 0..20 {
        let mut bench = Bench::up(RECEIVE_MIN);
        bench.chip.borrow_mut().receive(&frame(90, 3));
        bench.driver.chip().send(&frame(91, 4)).unwrap();
        let at = bench.chip.borrow().transactions + after;
        bench.chip.borrow_mut().faults.push((at, Box::new(|chip| chip.fails = true)));
        bench.run(Duration::from_millis(150));
        assert_eq!(bench.events, [Event::Lost(Loss::Bus), Event::Resumed], "transaction {after}");
        // The frame in transfer stays in the chip, or stays queued.
        assert_eq!((bench.frames.len(), bench.written()), (1, 1), "transaction {after}");
        assert_eq!((bench.resets(), bench.passes()), (0, true));
    }
}

#[test]
fn a_chip_that_restarts_at_any_place_is_set_up_again_without_a_reset() {
    for after in 0..20 {
        let mut bench = Bench::up(RECEIVE_MIN);
        bench.chip.borrow_mut().receive(&frame(90, 3));
        bench.driver.chip().send(&frame(91, 4)).unwrap();
        let at = bench.chip.borrow().transactions + after;
        bench.chip.borrow_mut().faults.push((at, Box::new(Chip::restart)));
        bench.run(SECOND + SECOND);
        assert_eq!(bench.resets(), 0, "before transaction {after}");
        assert!(bench.events.contains(&Event::Restarted), "before transaction {after}");
        assert!(bench.passes(), "before transaction {after}");
    }
}

#[test]
fn a_chip_that_is_back_before_the_next_look_is_seen_to_have_restarted() {
    let mut bench = Bench::up(RECEIVE_MIN);
    bench.chip.borrow_mut().boot = Duration::ZERO;
    bench.chip.borrow_mut().no_interrupt = true;
    bench.chip.borrow_mut().used = BUFFER;
    bench.driver.chip().send(&frame(80, 1)).unwrap();
    bench.turn();
    bench.chip.borrow_mut().restart();
    bench.chip.borrow_mut().mute = Some(0); // so that the frame does not go out before the restart is seen
    bench.run(times::POLL);
    bench.chip.borrow_mut().mute = None;
    bench.run(times::PROBE + Duration::from_millis(1));
    let unsent = Event::Dropped(Dropped::Unsent { length: 80 });
    assert_eq!(bench.events[2..], [Event::Restarted, unsent, Event::Up]);
    assert!(bench.passes());
}

#[test]
fn a_chip_that_does_not_answer_is_reported_once_and_found_when_it_does() {
    let mut bench = Bench::new(RECEIVE_MIN, Duration::from_secs(30));
    bench.run(Duration::from_secs(20));
    let silent = Event::Silent(Loss::Value { register: Register::Signature, value: 0 });
    assert_eq!(bench.events, [silent]);
    bench.run(Duration::from_secs(11));
    assert_eq!(bench.events, [silent, Event::Up]);
    // And again when it is lost again.
    bench.chip.borrow_mut().mute = Some(0xFF);
    bench.run(Duration::from_secs(10));
    let gone = Loss::Value { register: Register::Signature, value: 0xFFFF };
    assert_eq!(bench.events[2..], [Event::Lost(gone), Event::Silent(gone)]);
}

#[test]
fn errors_of_the_chips_buffers_reset_it_and_a_frame_that_waits_is_reported() {
    for (cause, why) in [(0x02, Reset::ReadError), (0x04, Reset::WriteError)] {
        let mut bench = Bench::up(RECEIVE_MIN);
        bench.chip.borrow_mut().cause |= cause;
        bench.chip.borrow_mut().used = BUFFER;
        bench.driver.chip().send(&frame(80, 1)).unwrap();
        bench.run(SECOND + SECOND);
        let full = Event::WriteBufferFull { space: 0, needed: 94 };
        let unsent = Event::Dropped(Dropped::Unsent { length: 80 });
        assert_eq!(bench.events, [full, Event::Resetting(why), unsent, Event::Up]);
        assert_eq!((bench.resets(), bench.passes()), (1, true));
    }
}

#[test]
fn a_write_buffer_that_stays_full_resets_the_chip_after_a_second() {
    let mut bench = Bench::up(RECEIVE_MIN);
    bench.chip.borrow_mut().drain = None;
    for mark in 0..2 {
        bench.driver.chip().send(&frame(1522, mark)).unwrap();
        bench.turn();
    }
    bench.driver.chip().send(&frame(1522, 2)).unwrap();
    bench.run(Duration::from_millis(990));
    assert_eq!(bench.resets(), 0);
    bench.run(Duration::from_millis(20));
    assert_eq!(bench.resets(), 1);
    bench.chip.borrow_mut().drain = Some(Duration::ZERO);
    bench.run(SECOND);
    let full = Event::WriteBufferFull { space: 91, needed: 1536 };
    let unsent = Event::Dropped(Dropped::Unsent { length: 1522 });
    assert_eq!(bench.events, [full, Event::Resetting(Reset::Stuck), unsent, Event::Up]);
    // The next frame without room has its own second.
    bench.chip.borrow_mut().used = BUFFER;
    bench.driver.chip().send(&frame(1522, 3)).unwrap();
    bench.run(Duration::from_millis(900));
    assert_eq!(bench.events[4..], [Event::WriteBufferFull { space: 0, needed: 1536 }]);
    bench.chip.borrow_mut().used = 0;
    assert!(!bench.passes() && bench.passes(), "the one that waited goes first");
}

#[test]
fn a_wrong_value_above_the_size_of_the_write_buffer_is_no_room() {
    let mut bench = Bench::up(RECEIVE_MIN);
    bench.chip.borrow_mut().used = BUFFER;
    bench.driver.chip().send(&frame(80, 1)).unwrap();
    disturb(&mut bench, 0, 0xFF);
    bench.run(Duration::from_millis(100));
    assert_eq!((bench.written(), &bench.chip.borrow().mistakes[..]), (0, &[][..]));
}

#[test]
fn a_chip_that_does_not_take_its_reset_is_reset_again_after_ten_seconds() {
    let mut bench = Bench::up(RECEIVE_MIN);
    bench.chip.borrow_mut().ignores_reset = true;
    bench.chip.borrow_mut().cause |= 0x02;
    bench.run(Duration::from_millis(500));
    bench.chip.borrow_mut().cause |= 0x02; // it fails on
    bench.run(Duration::from_millis(9400));
    assert_eq!((&bench.events[..], bench.resets()), (&[Event::Resetting(Reset::ReadError)][..], 1));
    bench.run(SECOND);
    assert_eq!(bench.events[1..], [Event::ResetUnanswered, Event::Resetting(Reset::Unknown)]);
    bench.chip.borrow_mut().ignores_reset = false;
    bench.run(times::RESET + SECOND);
    assert_eq!(bench.events.last(), Some(&Event::Up));
    assert!(bench.passes());
}

#[test]
fn a_write_buffer_that_is_not_empty_after_the_start_resets_the_chip() {
    let mut bench = Bench::new(RECEIVE_MIN, Duration::from_millis(900));
    bench.chip.borrow_mut().used = 100;
    bench.run(SECOND + SECOND);
    let space = 0x0C5B - 100;
    assert_eq!(bench.events, [Event::Resetting(Reset::NotEmpty { space }), Event::Up]);
}

#[test]
fn a_start_whose_write_buffer_is_not_known_to_be_empty_is_followed_by_a_reset() {
    let mut bench = Bench::up(RECEIVE_MIN);
    bench.chip.borrow_mut().boot = Duration::ZERO;
    bench.chip.borrow_mut().restart();
    // Two signatures, interrupts off, cause, acknowledged: then the room.
    disturb(&mut bench, 5, 0xFF);
    bench.run(SECOND);
    assert_eq!(bench.events, [Event::Restarted, Event::Resetting(Reset::Unknown), Event::Up]);
}

#[test]
fn the_rest_of_a_frame_above_the_mtu_that_does_not_come_costs_no_other_frame() {
    let mut bench = Bench::up(RECEIVE_MIN);
    bench.chip.borrow_mut().offer(&framed(&frame(3000, 9))[..200]);
    bench.run(times::CUT + times::POLL);
    assert_eq!(bench.events, [Event::Dropped(Dropped::TooLong { length: 3000 })]);
    assert!(bench.passes());
}

#[test]
fn frames_after_one_that_is_cut_come_within_the_time_of_a_cut() {
    let mut bench = Bench::up(RECEIVE_MIN);
    let cut = &framed(&frame(1500, 9))[..50];
    bench.chip.borrow_mut().offer(&[cut, &framed(&frame(60, 1))].concat());
    bench.run(times::CUT + Duration::from_millis(1));
    assert_eq!(bench.frames, [frame(60, 1)]);
    let dropped = [Dropped::Cut { length: 1500 }, Dropped::Noise { bytes: 49 }];
    assert_eq!(bench.events, dropped.map(Event::Dropped));
    assert_eq!((bench.counters().cut, bench.counters().noise_bytes), (1, 49));
    assert!(bench.passes());
}

#[test]
fn a_frame_whose_rest_comes_within_the_time_of_a_cut_is_whole() {
    let mut bench = Bench::up(RECEIVE_MIN);
    let bytes = framed(&frame(1500, 9));
    for part in bytes.chunks(510) {
        bench.chip.borrow_mut().offer(part);
        bench.run(Duration::from_millis(15));
    }
    assert_eq!((&bench.frames[..], &bench.events[..]), (&[frame(1500, 9)][..], &[][..]));
}

#[test]
fn a_frame_above_the_mtu_is_dropped_and_the_next_one_comes() {
    let mut bench = Bench::up(RECEIVE_MIN);
    for length in [1522, 1523, 3153] {
        bench.chip.borrow_mut().receive(&frame(length, 1));
        bench.run(Duration::from_millis(2));
        bench.chip.borrow_mut().receive(&frame(60, 2));
        bench.run(Duration::from_millis(2));
    }
    assert_eq!(bench.frames, [frame(1522, 1), frame(60, 2), frame(60, 2), frame(60, 2)]);
    let long = [1523, 3153].map(|length| Event::Dropped(Dropped::TooLong { length }));
    assert_eq!(bench.events, long);
    assert_eq!(bench.counters().too_long, 2);
}

#[test]
fn an_interrupt_that_is_always_active_leaves_the_caller_its_turn() {
    let mut bench = Bench::up(RECEIVE_MIN);
    for _ in 0..100 {
        bench.chip.borrow_mut().cause |= 1; // and nothing to read
        let before = bench.chip.borrow().transactions;
        bench.turn();
        assert!(bench.chip.borrow().transactions - before <= 6);
    }
    assert!(bench.passes());
}

#[test]
fn a_chip_that_never_ends_leaves_the_caller_its_turn() {
    let mut bench = Bench::up(RECEIVE_MIN);
    bench.chip.borrow_mut().endless = true;
    bench.chip.borrow_mut().cause |= 1;
    for _ in 0..100 {
        let before = bench.chip.borrow().transactions;
        bench.turn();
        assert!(bench.chip.borrow().transactions - before <= TRANSFERS_A_TURN);
    }
    assert!(bench.counters().noise_bytes > 100 * 500);
    bench.chip.borrow_mut().endless = false;
    assert!(bench.passes());
}
