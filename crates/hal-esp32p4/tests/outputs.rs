//! The outputs: nothing before the self-test, contactors in their order, interlocks.
#![allow(clippy::unwrap_used, reason = "a test ends where it fails")]

mod board;

use board::{CHARGE, Delay, Did, OFFER, SIDES, World, at, close};
use control_pilot::Output;
use embedded_hal_mock::eh1::MockError;
use embedded_hal_mock::eh1::digital::{Mock, State, Transaction};
use embedded_hal_mock::eh1::pwm::Mock as PwmMock;
use hal_esp32p4::{ContactorFault, Drive, OutputFault, Outputs, Parts, Side, Wanted};
use machine::Duration;
use proptest::prelude::*;
use session::{Contactors, Lock};

#[test]
fn the_first_thing_that_happens_to_every_pin_is_its_safe_level() {
    for side in SIDES {
        let world = World::new();
        let (_, report) = Outputs::new(world.parts(side), board::PRECHARGE);
        let mut expected = vec![
            Did::Pin("relay", false),
            Did::Pin("contactor +", false),
            Did::Pin("contactor -", false),
            Did::Pin("precharge", false),
            Did::Pin("discharge", false),
            Did::Pin("lock", false),
        ];
        if side == Side::Charger {
            expected.insert(0, Did::Pilot(16_384));
        }
        assert_eq!((world.log.take(), report.failed.is_empty()), (expected, true));
    }
}

#[test]
fn nothing_is_driven_before_the_self_test_passed() {
    let some = [
        OFFER,
        CHARGE,
        Wanted { relay: true, ..Wanted::SAFE },
        Wanted { lock: Lock::Released, ..Wanted::SAFE },
        Wanted { discharge: true, ..Wanted::SAFE },
        Wanted { pilot: Output::Negative, ..Wanted::SAFE },
    ];
    for side in SIDES {
        let world = World::new();
        let mut outputs = world.untested(side);
        for wanted in some {
            assert_eq!(outputs.apply(at(1), &wanted), Err(OutputFault::NotTested));
            assert_eq!(world.log.take(), []);
        }
        outputs.apply(at(2), &Wanted::SAFE).unwrap();
        outputs.make_safe(&mut || Some(0), &mut Delay(world.log.clone()));
        let log = world.log.take();
        let is_safe = |did: &Did| matches!(did, Did::Pin(_, false) | Did::Pilot(16_384));
        assert!(log.iter().all(is_safe), "{log:?}");
        assert_eq!(outputs.apply(at(3), &OFFER), Err(OutputFault::NotTested), "SAFE is no self-test");
        outputs.arm(board::passed());
        outputs.apply(at(4), &OFFER).unwrap();
    }
}

#[test]
fn pins_of_either_polarity_get_their_transactions() {
    // Start, bleeder on, bleeder off.
    let high = [State::Low, State::High, State::Low].map(Transaction::set);
    let low = [State::High, State::Low, State::High].map(Transaction::set);
    for (transactions, drive) in
        [(high, Drive::active_high as fn(Mock) -> Drive<Mock>), (low, Drive::active_low)]
    {
        let mut pin = Mock::new(&transactions);
        let parts: Parts<Mock, Mock, NoPwm> =
            Parts { discharge: Some(drive(pin.clone())), ..Parts::none(Side::Car) };
        let (mut outputs, _) = Outputs::new(parts, Duration::ZERO);
        outputs.arm(board::passed());
        outputs.apply(at(0), &Wanted { discharge: true, ..Wanted::SAFE }).unwrap();
        outputs.apply(at(1), &Wanted::SAFE).unwrap();
        pin.done();
    }
}

/// A car has no PWM.
struct NoPwm;

impl hal_esp32p4::Ledc for NoPwm {
    type Error = <PwmMock as embedded_hal::pwm::ErrorType>::Error;

    fn start(&mut self, _: hal_esp32p4::Timing, _: u16) -> Result<(), Self::Error> {
        Ok(())
    }

    fn set_duty(&mut self, _: u16) -> Result<(), Self::Error> {
        Ok(())
    }
}

#[test]
fn contactors_close_in_their_order_and_open_in_one_call() {
    let world = World::new();
    let mut outputs = world.armed(Side::Charger);
    let closed = close(&world, &mut outputs, 0);
    let order: Vec<_> =
        [("contactor -", true), ("precharge", true), ("contactor +", true), ("precharge", false)]
            .map(|(name, on)| Did::Pin(name, on))
            .to_vec();
    let log = world.log.take();
    let mut rest = log.iter();
    let first_on =
        rest.by_ref().find(|did| matches!(did, Did::Pin("contactor +" | "contactor -" | "precharge", true)));
    assert_eq!(first_on, order.first());
    for did in order.iter().skip(1) {
        assert!(rest.any(|other| other == did), "{did:?} in its order");
    }
    outputs.apply(at(closed + 1), &OFFER).unwrap();
    assert_eq!(World::on(&world.log.take()), Vec::<&str>::new());
}

#[test]
fn a_weld_or_a_silent_feedback_before_the_command_keeps_every_coil_off() {
    for state in [Some(true), None] {
        for which in 0..2 {
            let world = World::new();
            let mut outputs = world.armed(Side::Charger);
            let (contact, name) =
                [(&world.plus_closed, "contactor +"), (&world.minus_closed, "contactor -")][which];
            contact.set(state);
            for ms in 0..200 {
                outputs.apply(at(ms), &CHARGE).unwrap();
                assert_eq!(World::on(&world.log.take()), ["relay"]);
            }
            let fault = OutputFault::Contactors(ContactorFault::NotOpen(name));
            assert_eq!(outputs.apply(at(200), &CHARGE), Err(fault));
            assert_eq!(World::on(&world.log.take()), Vec::<&str>::new());
            assert_eq!(outputs.apply(at(201), &CHARGE), Err(OutputFault::Held));
        }
    }
}

#[test]
fn a_contactor_that_does_not_close_in_200_ms_takes_all_coils_and_the_relay_back() {
    let world = World::new();
    let mut outputs = world.armed(Side::Charger);
    for ms in 0..200 {
        outputs.apply(at(ms), &CHARGE).unwrap();
    }
    let error = outputs.apply(at(200), &CHARGE).unwrap_err();
    assert_eq!(error, OutputFault::Contactors(ContactorFault::NotClosed("contactor -")));
    assert_eq!(
        error.to_string(),
        "contactor - did not close within 0.200 s: look at its coil, supply and feedback"
    );
    assert_eq!(World::on(&world.log.take()), Vec::<&str>::new());
}

#[test]
fn bleeder_and_lock_wait_for_open_contactors() {
    let world = World::new();
    let mut outputs = world.armed(Side::Charger);
    let free = Wanted { lock: Lock::Released, discharge: true, ..Wanted::SAFE };
    let closed = close(&world, &mut outputs, 0);
    outputs.apply(at(closed), &Wanted { contactors: Contactors::Closed, ..free }).unwrap();
    assert_eq!(World::on(&world.log.take()), ["contactor +", "contactor -"]);
    // Commanded to open, but the contacts still read closed, or one cannot be read.
    for contacts in [(Some(true), Some(true)), (Some(false), Some(true)), (Some(false), None)] {
        world.plus_closed.set(contacts.0);
        world.minus_closed.set(contacts.1);
        outputs.apply(at(closed + 1), &free).unwrap();
        assert_eq!(World::on(&world.log.take()), Vec::<&str>::new(), "{contacts:?}");
    }
    world.minus_closed.set(Some(false));
    outputs.apply(at(closed + 2), &free).unwrap();
    assert_eq!(World::on(&world.log.take()), ["discharge", "lock"]);
}

#[test]
fn a_pin_that_does_not_take_its_level_is_named_and_the_others_get_theirs() {
    let world = World::new();
    let mut outputs = world.armed(Side::Charger);
    for broken in ["relay", "discharge", "lock", "pilot"] {
        world.fails.set(Some(broken));
        assert_eq!(outputs.apply(at(0), &OFFER), Err(OutputFault::Part(broken)));
        assert_eq!(world.log.take().len(), 7);
    }
}

#[test]
fn an_output_that_the_pilot_cannot_drive_is_a_fault_of_the_pilot() {
    let mut outputs = World::new().armed(Side::Charger);
    let wanted = Wanted { pilot: Output::Zero, ..Wanted::SAFE };
    assert_eq!(outputs.apply(at(0), &wanted), Err(OutputFault::Part("pilot")));
}

#[test]
fn two_contacts_that_differ_read_as_the_opposite_of_the_command() {
    let world = World::new();
    let mut outputs = world.armed(Side::Charger);
    world.plus_closed.set(Some(true));
    assert_eq!(outputs.sense().contactors, Some(true), "commanded open");
    world.plus_closed.set(Some(false));
    close(&world, &mut outputs, 0);
    assert_eq!(outputs.sense().contactors, Some(true));
    world.minus_closed.set(Some(false));
    assert_eq!(outputs.sense().contactors, Some(false), "commanded closed");
    world.minus_closed.set(None);
    assert_eq!(outputs.sense().contactors, None);
}

#[test]
fn a_broken_wire_reads_as_pressed_not_locked_and_closed() {
    let world = World::new();
    let mut outputs = world.armed(Side::Charger);
    let sound = outputs.sense();
    assert_eq!((sound.contactors, sound.lock, sound.emergency_stop), (Some(false), Some(true), Some(false)));
    // Only the pull-up remains.
    for contact in [&world.plus_closed, &world.minus_closed, &world.lock_high, &world.stop_pressed] {
        contact.set(Some(true));
    }
    let broken = outputs.sense();
    assert_eq!(
        (broken.contactors, broken.lock, broken.emergency_stop),
        (Some(true), Some(false), Some(true))
    );
}

#[test]
fn flash_may_be_written_only_while_nothing_is_or_may_be_connected() {
    let world = World::new();
    let mut outputs = world.armed(Side::Charger);
    assert!(outputs.while_safe().is_some());
    outputs.apply(at(0), &OFFER).unwrap();
    assert!(outputs.while_safe().is_some(), "5 % is no energy");
    outputs.apply(at(1), &Wanted { relay: true, ..OFFER }).unwrap();
    assert!(outputs.while_safe().is_none(), "the power stage is enabled");
    outputs.apply(at(2), &CHARGE).unwrap();
    assert!(outputs.while_safe().is_none(), "closing");
    outputs.apply(at(3), &OFFER).unwrap();
    assert!(outputs.while_safe().is_some());
    world.plus_closed.set(Some(true));
    assert!(outputs.while_safe().is_none(), "a contact says closed");
    world.plus_closed.set(None);
    assert!(outputs.while_safe().is_none(), "a contact says nothing");
}

#[test]
fn flash_is_not_written_while_a_coil_is_stuck_on() {
    for coil in ["relay", "contactor -"] {
        let world = World::new();
        let mut outputs = world.armed(Side::Charger);
        outputs.apply(at(0), &CHARGE).unwrap();
        world.fails.set(Some(coil));
        assert_eq!(outputs.apply(at(1), &OFFER), Err(OutputFault::Part(coil)));
        assert!(outputs.while_safe().is_none(), "{coil}");
    }
}

#[test]
fn flash_is_not_written_while_energy_is_wanted_of_what_has_no_pin() {
    let world = World::new();
    let parts = Parts { relay: None, ..world.parts(Side::Charger) };
    let (mut outputs, _) = Outputs::new(parts, board::PRECHARGE);
    outputs.arm(board::passed());
    outputs.apply(at(0), &Wanted { relay: true, ..OFFER }).unwrap();
    assert!(outputs.while_safe().is_none());
    outputs.make_safe(&mut || Some(0), &mut Delay(world.log.clone()));
    assert!(outputs.while_safe().is_some());
}

#[test]
fn a_coil_that_does_not_say_what_it_is_counts_as_driven() {
    let silent = || Transaction::get_state(State::Low).with_error(MockError::Io(std::io::ErrorKind::Other));
    // Start, the query of the sequence, its end.
    let mut pin = Mock::new(&[Transaction::set(State::Low), silent(), Transaction::set(State::Low)]);
    let parts: Parts<Mock, Mock, NoPwm> =
        Parts { minus: Some(Drive::active_high(pin.clone())), ..Parts::none(Side::Charger) };
    let (mut outputs, _) = Outputs::new(parts, Duration::ZERO);
    let log = board::Log::default();
    let report = outputs.make_safe(&mut || None, &mut Delay(log.clone()));
    assert_eq!((log.take().len(), report.is_emergency), (100, true));
    pin.done();
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Random demands, contacts and SAFE sequences: plus never closes without minus; bleeder and lock never
    /// act while a coil is driven.
    #[test]
    fn no_order_of_demands_breaks_an_interlock(
        steps in proptest::collection::vec(
            (any::<[bool; 4]>(), any::<[Option<bool>; 2]>(), 0_u64..400, prop_oneof![9 => Just(false), 1 => Just(true)]),
            1..60,
        ),
    ) {
        let world = World::new();
        let mut outputs = world.armed(Side::Charger);
        let mut now = 0;
        let mut all = Vec::new();
        for ([relay, closed, released, discharge], [plus, minus], ms, is_safe) in steps {
            now += ms;
            world.plus_closed.set(plus);
            world.minus_closed.set(minus);
            if is_safe {
                outputs.make_safe(&mut || Some(0), &mut Delay(world.log.clone()));
            } else {
                let contactors = if closed { Contactors::Closed } else { Contactors::Open };
                let lock = if released { Lock::Released } else { Lock::Held };
                let _ = outputs.apply(at(now), &Wanted { relay, contactors, lock, discharge, ..OFFER });
            }
            all.extend(world.log.take());
            let on = World::on(&all);
            let has = |name| on.contains(&name);
            prop_assert!(!has("contactor +") || has("contactor -"), "{:?}", on);
            prop_assert!(!has("precharge") || has("contactor -"), "{:?}", on);
            let is_free = has("discharge") || has("lock");
            prop_assert!(!(is_free && (has("contactor +") || has("contactor -"))), "{:?}", on);
            prop_assert!(!is_free || (plus == Some(false) && minus == Some(false)) || is_safe, "{:?}", on);
        }
    }
}
