//! The SAFE sequence: the same for the loop, the panic handler and the watchdog, whatever fails.
#![allow(clippy::unwrap_used, reason = "a test ends where it fails")]

mod board;

use board::{CHARGE, Delay, Did, OFFER, SIDES, World, at, close};
use embedded_hal_mock::eh1::delay::NoopDelay;
use embedded_hal_mock::eh1::digital::{Mock, State, Transaction};
use hal_esp32p4::{Drive, OutputFault, Parts, Side, Wanted};

#[test]
fn the_safe_sequence_takes_the_energy_first_and_opens_below_1_a() {
    for side in SIDES {
        let world = World::new();
        let mut outputs = world.armed(side);
        close(&world, &mut outputs, 0);
        world.log.take();
        let log = world.log.clone();
        let mut falling = 5;
        let mut current = || {
            falling -= 1;
            Some(if falling > 0 { -1_000 } else { 999 })
        };
        let report = outputs.make_safe(&mut current, &mut Delay(log));
        let mut expected = vec![Did::Pin("relay", false)];
        expected.extend([Did::Waited; 4]);
        expected.extend(
            ["contactor +", "contactor -", "precharge", "discharge", "lock"]
                .map(|part| Did::Pin(part, false)),
        );
        if side == Side::Charger {
            expected.insert(0, Did::Pilot(16_384));
        }
        assert_eq!((world.log.take(), report.is_emergency), (expected, false));
    }
}

#[test]
fn a_current_that_stays_or_is_not_known_is_waited_for_as_long_as_the_side_may() {
    for (side, patience_ms) in [(Side::Charger, 100), (Side::Car, 2_000)] {
        for current_ma in [Some(200_000), Some(1_000), Some(-1_000), Some(i32::MIN), None] {
            let world = World::new();
            let mut outputs = world.armed(side);
            close(&world, &mut outputs, 0);
            world.log.take();
            let report = outputs.make_safe(&mut || current_ma, &mut Delay(world.log.clone()));
            let log = world.log.take();
            assert_eq!(log.iter().filter(|did| **did == Did::Waited).count(), patience_ms);
            assert!(report.is_emergency && World::on(&log).is_empty());
        }
    }
}

#[test]
fn a_current_that_falls_in_the_last_moment_is_no_emergency() {
    for (polls, is_emergency) in [(101, false), (102, true)] {
        let world = World::new();
        let mut outputs = world.armed(Side::Charger);
        close(&world, &mut outputs, 0);
        let mut poll = 0;
        let mut current = || {
            poll += 1;
            Some(if poll < polls { 5_000 } else { 0 })
        };
        let report = outputs.make_safe(&mut current, &mut Delay(world.log.clone()));
        assert_eq!(report.is_emergency, is_emergency, "{polls}");
    }
}

#[test]
fn a_coil_of_either_polarity_is_known_to_be_driven() {
    type Make = fn(Mock) -> Drive<Mock>;
    let cases: [(Make, State, State, bool); 4] = [
        (Drive::active_high, State::High, State::Low, true),
        (Drive::active_high, State::Low, State::Low, false),
        (Drive::active_low, State::Low, State::High, true),
        (Drive::active_low, State::High, State::High, false),
    ];
    for (make, is, off, is_driven) in cases {
        let mut pin = Mock::new(&[Transaction::get_state(is), Transaction::set(off)]);
        let mut parts: Parts<Mock, Mock, board::Pwm> =
            Parts { plus: Some(make(pin.clone())), ..Parts::none(Side::Charger) };
        let report = parts.make_safe(&mut || None, &mut NoopDelay::new());
        assert_eq!(report.is_emergency, is_driven, "{is:?}");
        pin.done();
    }
}

#[test]
fn each_coil_alone_is_a_reason_to_wait() {
    for (coil, waits) in [("contactor +", true), ("contactor -", true), ("precharge", true), ("relay", false)]
    {
        let world = World::new();
        world.log.push(Did::Pin(coil, true));
        let mut parts = world.parts(Side::Charger);
        let report = parts.make_safe(&mut || None, &mut Delay(world.log.clone()));
        assert_eq!(report.is_emergency, waits, "{coil}");
    }
}

#[test]
fn after_safe_the_contactors_are_commanded_open_and_a_second_self_test_does_not_end_it() {
    let world = World::new();
    let mut outputs = world.armed(Side::Charger);
    let closed = close(&world, &mut outputs, 0);
    outputs.make_safe(&mut || Some(0), &mut Delay(world.log.clone()));
    world.plus_closed.set(Some(false));
    assert_eq!(outputs.sense().contactors, Some(true), "one is still closed");
    outputs.arm(board::passed());
    assert_eq!(outputs.apply(at(closed + 1), &CHARGE), Err(OutputFault::Held));
}

#[test]
fn a_part_that_fails_keeps_no_other_from_being_made_safe() {
    let names = ["pilot", "relay", "contactor +", "contactor -", "precharge", "discharge", "lock"];
    for broken in names.into_iter().chain(["all"]) {
        let world = World::new();
        let mut outputs = world.armed(Side::Charger);
        close(&world, &mut outputs, 0);
        world.log.take();
        world.fails.set(Some(broken));
        let report = outputs.make_safe(&mut || Some(0), &mut Delay(world.log.clone()));
        let log = world.log.take();
        assert!(log.contains(&Did::Pilot(16_384)), "{broken}");
        for name in names.into_iter().skip(1) {
            assert!(log.contains(&Did::Pin(name, false)), "{broken} keeps {name}");
        }
        let expected: Vec<_> = names.into_iter().filter(|name| broken == "all" || *name == broken).collect();
        assert_eq!(report.failed.as_slice(), expected);
    }
}

#[test]
fn a_second_safe_sequence_changes_nothing_and_waits_for_nothing() {
    let world = World::new();
    let mut outputs = world.armed(Side::Car);
    close(&world, &mut outputs, 0);
    outputs.make_safe(&mut || None, &mut Delay(world.log.clone()));
    world.log.take();
    let report = outputs.make_safe(&mut || None, &mut Delay(world.log.clone()));
    let log = world.log.take();
    assert!(log.iter().all(|did| matches!(did, Did::Pin(_, false))), "{log:?}");
    assert!(!report.is_emergency);
}

#[test]
fn a_panic_handler_makes_the_same_of_bare_pins_as_the_loop_of_its_outputs() {
    for side in SIDES {
        let world = World::new();
        let mut outputs = world.armed(side);
        close(&world, &mut outputs, 0);
        world.log.take();
        outputs.make_safe(&mut || None, &mut Delay(world.log.clone()));
        let by_loop = world.log.take();
        // The handler has only the registers: pins are driven as the program left them.
        let world = World::new();
        let mut driven = world.armed(side);
        close(&world, &mut driven, 0);
        let mut parts = world.parts(side);
        world.log.take();
        let report = parts.make_safe(&mut || None, &mut Delay(world.log.clone()));
        assert_eq!((world.log.take(), report.is_emergency), (by_loop, true));
    }
}

#[test]
fn after_safe_nothing_is_driven_until_a_demand_without_energy_came() {
    let world = World::new();
    let mut outputs = world.armed(Side::Charger);
    let closed = close(&world, &mut outputs, 0);
    outputs.make_safe(&mut || Some(0), &mut Delay(world.log.clone()));
    world.plus_closed.set(Some(false));
    world.minus_closed.set(Some(false));
    world.log.take();
    for wanted in [CHARGE, Wanted { relay: true, ..OFFER }] {
        assert_eq!(outputs.apply(at(closed + 10), &wanted), Err(OutputFault::Held));
        assert_eq!(world.log.take(), []);
    }
    outputs.apply(at(closed + 20), &OFFER).unwrap();
    close(&world, &mut outputs, closed + 30);
}
