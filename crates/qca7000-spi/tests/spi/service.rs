//! The driver against a simulated chip without faults.

use embedded_hal::digital::PinState;
use machine::{Cx, Duration, Instant, ScriptedEntropy};
use qca7000_spi::{
    BufferTooSmall, Buffers, Data, Event, Input, NotSent, Qca7000, READ_MAX, RECEIVE_MIN, Reset, SEND_LEN,
    times,
};

use crate::bench::{Bench, frame};
use crate::chip::{BUFFER, framed};

#[test]
fn a_chip_that_starts_with_its_host_is_set_up_without_a_reset() {
    let mut bench = Bench::new(RECEIVE_MIN, Duration::from_millis(940));
    bench.run(Duration::from_millis(930));
    assert_eq!((bench.driver.chip().is_up(), &bench.events[..]), (false, &[][..]));
    bench.run(times::PROBE + times::PROBE);
    assert_eq!(bench.events, [Event::Up]);
    assert_eq!((bench.resets(), bench.chip.borrow().enable), (0, 0x47));
    assert!(bench.passes());
}

#[test]
fn a_chip_that_ran_before_its_host_is_reset_once() {
    let mut bench = Bench::new(RECEIVE_MIN, Duration::from_millis(900));
    {
        let chip = &mut *bench.chip.borrow_mut();
        chip.now += Duration::from_secs(5);
        chip.cause = 0x400; // another host has acknowledged the start
        chip.offer(&framed(&frame(500, 1))[..300]); // and left a frame half read
    }
    bench.run(times::RESET + times::RESET);
    assert_eq!(bench.events, [Event::Resetting(Reset::Unknown), Event::Up]);
    assert_eq!(bench.resets(), 1);
    assert!(bench.passes());
    assert_eq!(bench.frames.len(), 1, "nothing of the old frame");
    assert_eq!(bench.chip.borrow().mistakes, [""; 0]);
}

#[test]
fn a_burst_of_frames_comes_out_whole_with_any_receive_buffer() {
    let burst: Vec<_> = (1..=9).map(|mark| frame(60 + 40 * usize::from(mark), mark)).collect();
    for receive in [RECEIVE_MIN, 2000, READ_MAX.into(), 5000] {
        let mut bench = Bench::up(receive);
        for frame in &burst {
            bench.chip.borrow_mut().receive(frame);
        }
        bench.run(Duration::from_millis(10));
        assert_eq!(bench.frames, burst, "receive buffer of {receive}");
        assert_eq!(bench.chip.borrow().mistakes, [""; 0]);
    }
}

#[test]
fn a_frame_that_comes_at_any_moment_of_a_service_does_not_wait_for_the_clock() {
    // Two services of 8 and 6 transactions; the cause is set once for a frame, or again while bytes are left.
    for (moment, level) in (0..14).flat_map(|moment| [(moment, false), (moment, true)]) {
        let mut bench = Bench::up(RECEIVE_MIN);
        let (first, second) = (frame(60, 1), frame(61, 2));
        {
            let chip = &mut *bench.chip.borrow_mut();
            chip.level = level;
            chip.receive(&first);
            let late = second.clone();
            chip.faults.push((chip.transactions + moment, Box::new(move |chip| chip.receive(&late))));
        }
        bench.run(Duration::from_millis(5));
        assert_eq!(bench.frames, [first, second], "before transaction {moment}");
        assert!(bench.chip.borrow().faults.is_empty());
    }
}

#[test]
fn an_interrupt_that_the_board_inverts_is_seen_at_once() {
    let mut bench = Bench::on_pin(RECEIVE_MIN, Duration::from_millis(900), PinState::Low);
    bench.run(Duration::from_secs(1));
    bench.chip.borrow_mut().receive(&frame(60, 1));
    bench.turn();
    assert_eq!(bench.frames, [frame(60, 1)]);
    bench.turn(); // until nothing is available
    let before = bench.chip.borrow().transactions;
    bench.turn();
    assert_eq!(bench.chip.borrow().transactions, before, "nor is one seen that is not there");
}

#[test]
fn the_first_signature_of_a_chip_that_is_not_set_up_counts_for_nothing() {
    let (mut receive, mut send) = ([0; RECEIVE_MIN], [0; SEND_LEN]);
    let mut chip = Qca7000::new(Buffers { receive: &mut receive, send: &mut send }).unwrap();
    let mut entropy = ScriptedEntropy::new(&[]);
    let mut cx = Cx { now: Instant::ZERO, entropy: &mut entropy };
    for command in [[0xDA, 0x00], [0xDA, 0x00], [0x4D, 0x00]] {
        let transfer = chip.poll_transfer().unwrap();
        assert_eq!(transfer.command, command);
        if let Data::Read(into) = transfer.data {
            into.copy_from_slice(&[0xAA, 0x55]);
        }
        chip.handle(&mut cx, Input::Done);
    }
}

#[test]
fn a_transaction_stays_until_it_is_done_and_nothing_else_counts_as_one() {
    let (mut receive, mut send) = ([0; RECEIVE_MIN], [0; SEND_LEN]);
    let mut chip = Qca7000::new(Buffers { receive: &mut receive, send: &mut send }).unwrap();
    let mut entropy = ScriptedEntropy::new(&[]);
    let mut cx = Cx { now: Instant::ZERO, entropy: &mut entropy };
    chip.handle(&mut cx, Input::Done);
    chip.handle(&mut cx, Input::Failed);
    assert_eq!(chip.poll_timeout(), None);
    assert_eq!(chip.poll_transfer().map(|transfer| transfer.command), Some([0xDA, 0x00]));
    assert_eq!(chip.poll_transfer().map(|transfer| transfer.command), Some([0xDA, 0x00]));
    chip.handle(&mut cx, Input::Failed);
    assert_eq!(chip.poll_transfer(), None);
    assert_eq!(chip.poll_timeout().unwrap().name, "probe");
}

#[test]
fn a_receive_buffer_that_is_too_small_is_refused() {
    let (mut receive, mut send) = ([0; RECEIVE_MIN - 1], [0; SEND_LEN]);
    let refused = Qca7000::new(Buffers { receive: &mut receive, send: &mut send }).err();
    assert_eq!(refused, Some(BufferTooSmall { have: 1535 }));
}

#[test]
fn without_the_interrupt_frames_come_by_the_clock() {
    for pin_fails in [false, true] {
        let mut bench = Bench::up(RECEIVE_MIN);
        bench.chip.borrow_mut().no_interrupt = true;
        bench.chip.borrow_mut().pin_fails = pin_fails;
        bench.chip.borrow_mut().receive(&frame(60, 1));
        bench.turn();
        assert_eq!(bench.frames, [[0; 0]; 0]);
        bench.run(times::POLL + Duration::from_millis(1));
        assert_eq!(bench.frames, [frame(60, 1)]);
    }
}

#[test]
fn nothing_is_read_while_frames_are_not_taken() {
    let mut bench = Bench::up(RECEIVE_MIN);
    for mark in 0..20 {
        bench.chip.borrow_mut().receive(&frame(140, mark));
    }
    let mut entropy = ScriptedEntropy::new(&[]);
    for _ in 0..5 {
        let now = bench.now();
        bench.driver.poll(&mut Cx { now, entropy: &mut entropy });
    }
    assert_eq!(bench.chip.borrow().waiting(), 20 * 154 - RECEIVE_MIN);
    bench.run(Duration::from_millis(5));
    assert_eq!(bench.frames, (0..20).map(|mark| frame(140, mark)).collect::<Vec<_>>());
}

#[test]
fn frames_wait_for_room_in_the_write_buffer_and_none_is_lost() {
    let mut bench = Bench::up(RECEIVE_MIN);
    bench.chip.borrow_mut().drain = Some(Duration::from_millis(100));
    for mark in 0..30 {
        while !bench.driver.chip().can_send() {
            bench.run(Duration::from_millis(1));
        }
        bench.driver.chip().send(&frame(1522, mark)).unwrap();
        bench.turn();
    }
    bench.run(times::STUCK + times::STUCK);
    assert_eq!(bench.resets(), 0);
    let chip = bench.chip.borrow();
    let marks: Vec<_> = chip.written.iter().map(|written| written[8]).collect();
    assert_eq!((marks, &chip.mistakes[..]), ((0..30).collect(), &[][..]));
    drop(chip);
    // Two frames of 1 536 bytes fit into 3 163: every pair but the first waits.
    let full = Event::WriteBufferFull { space: 91, needed: 1536 };
    assert!(bench.events.contains(&full), "{:?}", bench.events);
    assert_eq!((bench.events.len(), bench.counters().write_buffer_full, bench.counters().sent), (14, 14, 30));
}

#[test]
fn a_frame_that_fills_the_last_byte_of_the_write_buffer_is_written_at_once() {
    let mut bench = Bench::up(RECEIVE_MIN);
    bench.chip.borrow_mut().used = BUFFER - 1000;
    bench.driver.chip().send(&frame(1000 - 13, 1)).unwrap();
    bench.turn();
    assert_eq!((bench.written(), bench.counters().write_buffer_full), (0, 1));
    let mut bench = Bench::up(RECEIVE_MIN);
    bench.chip.borrow_mut().used = BUFFER - 1000;
    bench.driver.chip().send(&frame(1000 - 14, 1)).unwrap();
    bench.turn();
    assert_eq!((bench.written(), bench.counters().write_buffer_full), (1, 0));
}

#[test]
fn frames_pass_both_ways_in_turn_under_load_from_both_sides() {
    let mut bench = Bench::up(RECEIVE_MIN);
    bench.chip.borrow_mut().drain = Some(Duration::ZERO);
    for mark in 0..200 {
        bench.chip.borrow_mut().receive(&frame(400, mark));
        bench.driver.chip().send(&frame(400, mark)).unwrap();
        bench.turn();
    }
    bench.run(Duration::from_millis(1));
    assert_eq!((bench.frames.len(), bench.written()), (200, 200));
}

#[test]
fn a_frame_is_refused_before_the_chip_is_up_and_while_another_waits() {
    let mut bench = Bench::new(RECEIVE_MIN, Duration::from_millis(900));
    assert_eq!(bench.driver.chip().send(&frame(60, 1)), Err(NotSent::NotReady));
    bench.run(Duration::from_secs(1));
    assert!(bench.driver.chip().can_send());
    assert_eq!(bench.driver.chip().send(&frame(60, 1)), Ok(()));
    assert!(!bench.driver.chip().can_send());
    assert_eq!(bench.driver.chip().send(&frame(60, 2)), Err(NotSent::Busy));
    bench.turn();
    assert!(bench.driver.chip().can_send());
}

#[test]
fn an_idle_chip_costs_one_service_for_each_look_by_the_clock() {
    let mut bench = Bench::up(RECEIVE_MIN);
    let before = bench.chip.borrow().transactions;
    bench.run(Duration::from_secs(1));
    let services = 1000 / usize::try_from(times::POLL.as_millis()).unwrap();
    let made = bench.chip.borrow().transactions - before;
    assert!((services - 1) * 6 <= made && made <= services * 6, "{made}");
}
