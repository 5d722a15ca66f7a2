//! The self-test: every check counts, and a check that was not done counts as failed.
#![allow(clippy::unwrap_used, reason = "a test ends where it fails")]

mod board;

use board::{Delay, World};
use control_pilot::Level;
use hal_esp32p4::{
    Check, CheckError, PinError, Pins, Pool, Revision, SafeReport, SelfTest, Sensed, Side, Signal, Stage,
    TooLittle,
};
use machine::{Duration, Instant};
use session::{MAX_AGE, Reading};

const NOW: Instant = Instant::from_millis(1_000);

/// The report of a SAFE sequence in which the lock did not follow.
fn broken_lock() -> SafeReport {
    SafeReport { failed: heapless::Vec::from_slice(&["lock"]).unwrap(), is_emergency: false }
}

/// The checks that fail if only `spoil` changes a passed self-test.
fn failing(spoil: impl Fn(&mut SelfTest)) -> Vec<(Check, CheckError)> {
    let mut test = board::self_test();
    spoil(&mut test);
    assert_eq!(test.verdict().is_some(), test.failures().next().is_none());
    test.failures().collect()
}

#[test]
fn a_test_in_which_nothing_was_done_fails_in_every_check() {
    let failures: Vec<_> = SelfTest::new().failures().collect();
    assert_eq!(failures, Check::ALL.map(|check| (check, CheckError::Missing)));
    assert!(SelfTest::new().verdict().is_none());
    assert_eq!(failing(|_| {}), []);
}

#[test]
fn a_chip_before_v3_0_is_refused_with_what_to_use() {
    for (major, minor, is_old) in
        [(0, 0, true), (1, 3, true), (2, 255, true), (3, 0, false), (3, 1, false), (4, 0, false)]
    {
        let revision = Revision { major, minor };
        let failures = failing(|test| test.revision(revision));
        let expected = if is_old { vec![(Check::Revision, CheckError::Revision(revision))] } else { vec![] };
        assert_eq!(failures, expected);
    }
    assert_eq!(
        CheckError::Revision(Revision { major: 1, minor: 3 }).to_string(),
        "chip revision v1.3 is too old: use a board with v3.0 or later"
    );
}

#[test]
fn a_wiring_that_cannot_work_is_refused_with_its_own_words() {
    let pins = Pins::default().with(Signal::ProximityAdc, 5);
    let error = PinError::Illegal { signal: Signal::ProximityAdc, pad: 5 };
    assert_eq!(failing(|test| test.pins(&pins)), [(Check::Pins, CheckError::Pins(error))]);
}

#[test]
fn a_part_that_did_not_take_its_safe_level_is_named() {
    let world = World::new();
    world.fails.set(Some("contactor -"));
    let report = world.parts(Side::Charger).make_safe(&mut || Some(0), &mut Delay(world.log.clone()));
    let failures = failing(|test| test.outputs(&report));
    assert_eq!(failures, [(Check::Outputs, CheckError::Output("contactor -"))]);
    assert_eq!(failing(|test| test.outputs(&SafeReport::default())), []);
}

#[test]
fn contactors_that_are_closed_or_say_nothing_fail_and_a_board_without_them_does_not() {
    let sensed = |contactors| Sensed { contactors, ..Sensed::default() };
    for (contactors, has_contactors, is_sound) in [
        (Some(false), true, true),
        (Some(true), true, false),
        (None, true, false),
        (None, false, true),
        (Some(true), false, false),
    ] {
        let failures = failing(|test| test.contacts(&sensed(contactors), has_contactors));
        let expected = if is_sound { vec![] } else { vec![(Check::Contacts, CheckError::Contacts)] };
        assert_eq!(failures, expected, "{contactors:?} {has_contactors}");
    }
}

#[test]
fn a_pilot_that_is_old_absent_or_impossible_fails() {
    let read = |level, ago_us| Some(Reading::new(level, Instant::from_micros(NOW.as_micros() - ago_us)));
    let limit = MAX_AGE.as_micros();
    let cases = [
        (read(Level::A, 0), true, true),
        (read(Level::C, limit), true, true),
        (read(Level::A, limit + 1), true, false),
        (None, true, false),
        (read(Level::E, 0), true, false),
        (read(Level::F, 0), true, false),
        // An unplugged car measures 0 V.
        (read(Level::E, 0), false, true),
        (None, false, false),
    ];
    for (reading, driven, is_sound) in cases {
        let failures = failing(|test| test.pilot(NOW, reading, driven));
        let expected = if is_sound { vec![] } else { vec![(Check::Pilot, CheckError::Pilot)] };
        assert_eq!(failures, expected, "{reading:?} {driven}");
    }
}

#[test]
fn too_little_entropy_fails_as_the_generator_does() {
    let TooLittle(quality) = Pool::new().generator().unwrap_err();
    let failures = failing(|test| test.entropy(&quality));
    assert_eq!(failures, [(Check::Entropy, CheckError::Entropy { got: 0, needed: 128 })]);
}

#[test]
fn a_flash_that_does_not_answer_fails() {
    assert_eq!(failing(|test| test.store(&Err::<(), _>("no flash"))), [(Check::Store, CheckError::Store)]);
}

#[test]
fn a_watchdog_that_does_not_run_fails() {
    for stage in [Stage::Off, Stage::Safe, Stage::Reset] {
        assert_eq!(failing(|test| test.watchdog(stage)), [(Check::Watchdog, CheckError::Watchdog)]);
    }
}

#[test]
fn one_failure_of_each_kind_and_all_others_passed_gives_no_proof() {
    let spoils: [fn(&mut SelfTest); Check::ALL.len()] = [
        |test| test.revision(Revision { major: 1, minor: 0 }),
        |test| test.pins(&Pins::default().without(Signal::Mdc)),
        |test| test.outputs(&broken_lock()),
        |test| test.contacts(&Sensed::default(), true),
        |test| test.pilot(NOW + Duration::from_secs(1), None, true),
        |test| test.entropy(&Pool::new().quality()),
        |test| test.store(&Err::<(), ()>(())),
        |test| test.watchdog(Stage::Off),
    ];
    for (check, spoil) in Check::ALL.into_iter().zip(spoils) {
        let failed: Vec<_> = failing(spoil).into_iter().map(|(check, _)| check).collect();
        assert_eq!(failed, [check]);
    }
}
