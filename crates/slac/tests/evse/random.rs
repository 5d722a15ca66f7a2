//! Any inputs and frames in any order, at any time.

use homeplug_mme::{GROUPS, Mac, Profile, Slac, ValidateResult};
use proptest::prelude::*;
use slac::{Event, EvseConfig, EvseInput, EvseState, EvseValidation};

use crate::bench::{Bench, CHARGER, Car, MODEM, bytes};

#[derive(Clone, Debug)]
enum Step {
    /// A message of a car.
    Message(u8, usize),
    /// The same with a changed byte, or cut.
    Broken(u8, usize, usize, u8, bool),
    Garbage(Vec<u8>),
    Good(u8),
    Start,
    Stop,
    ModemReady(bool),
    Link(bool),
    Busy(bool),
    Ready(bool),
    Error,
    Pause,
    Resume,
    /// Time passes with all timers on time.
    Run(u64),
    /// Time passes without a call.
    Jump(u64),
}

const MESSAGES: usize = 10;

/// A message of a car, or one similar to it.
fn message(car: &Car, which: usize) -> Vec<u8> {
    let all = Mac::BROADCAST;
    match which {
        0 => bytes(car.mac, all, car.asks()),
        1 => bytes(car.mac, all, car.starts()),
        2 => bytes(car.mac, all, car.sound(9)),
        3 => bytes(car.mac, all, car.sound(0)),
        4 => bytes(MODEM, all, Slac::Measured { car: car.mac, profile: Some(Profile([20; GROUPS])) }),
        5 => bytes(MODEM, all, Slac::Measured { car: car.mac, profile: None }),
        6 => bytes(car.mac, CHARGER, car.acknowledges(0)),
        7 => bytes(car.mac, CHARGER, Slac::ValidateReq { timer: 0, result: ValidateResult::Ready }),
        8 => bytes(car.mac, CHARGER, Slac::ValidateReq { timer: 9, result: ValidateResult::Ready }),
        _ => bytes(car.mac, CHARGER, car.chooses()),
    }
}

fn step() -> impl Strategy<Value = Step> {
    let car = 1..=7_u8;
    prop_oneof![
        8 => (car.clone(), 0..MESSAGES).prop_map(|(car, which)| Step::Message(car, which)),
        2 => (car.clone(), 0..MESSAGES, 0..130_usize, any::<u8>(), any::<bool>())
            .prop_map(|(car, which, at, value, cut)| Step::Broken(car, which, at, value, cut)),
        1 => prop::collection::vec(any::<u8>(), 0..140).prop_map(Step::Garbage),
        2 => car.prop_map(Step::Good),
        2 => Just(Step::Start),
        1 => Just(Step::Stop),
        2 => prop::bool::weighted(0.8).prop_map(Step::ModemReady),
        2 => any::<bool>().prop_map(Step::Link),
        1 => any::<bool>().prop_map(Step::Busy),
        1 => any::<bool>().prop_map(Step::Ready),
        1 => prop_oneof![Just(Step::Error), Just(Step::Pause), Just(Step::Resume)],
        3 => prop_oneof![0..300_u64, 0..15_000_u64, 0..100_000_u64].prop_map(Step::Run),
        1 => prop_oneof![0..2_000_u64, 0..1_000_000_u64].prop_map(Step::Jump),
    ]
}

fn take(bench: &mut Bench, step: Step) {
    match step {
        Step::Message(car, which) => bench.frame(&message(&Car::new(car), which)),
        Step::Broken(car, which, at, value, cut) => {
            let mut frame = message(&Car::new(car), which);
            let at = at % frame.len();
            frame[at] = value;
            frame.truncate(if cut { at } else { frame.len() });
            bench.frame(&frame);
        }
        Step::Garbage(bytes) => bench.frame(&bytes),
        Step::Good(car) => Car::new(car).reach_key(bench),
        Step::Start => bench.input(EvseInput::Start),
        Step::Stop => bench.input(EvseInput::Stop),
        Step::ModemReady(ready) => bench.input(EvseInput::ModemReady(ready)),
        Step::Link(link) => bench.input(EvseInput::Link(link)),
        Step::Busy(busy) => bench.input(EvseInput::Busy(busy)),
        Step::Ready(ready) => bench.input(EvseInput::Ready(ready)),
        Step::Error => bench.input(EvseInput::Error),
        Step::Pause => bench.input(EvseInput::Pause),
        Step::Resume => bench.input(EvseInput::Resume),
        Step::Run(ms) => {
            bench.after(ms);
        }
        Step::Jump(ms) => {
            bench.jump(bench.now.as_millis() + 1 + ms);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn whatever_came_before_a_good_car_matches_after_stop(
        validation in prop::sample::select(
            &[EvseValidation::NotRequired, EvseValidation::Failure, EvseValidation::Toggles][..]),
        lenient in any::<bool>(),
        steps in prop::collection::vec(step(), 0..80),
    ) {
        let mut bench = Bench::cold(EvseConfig { validation, lenient, ..EvseConfig::new(CHARGER) });
        let mut key = bench.evse.key();
        let mut given = false;
        for step in steps {
            take(&mut bench, step);
            let told = bench.told();
            given |= told.iter().any(|event| matches!(event, Event::KeyGiven { .. }));
            prop_assert!(bench.evse.key() == key || given, "a new key though nobody had the old one");
            if bench.evse.key() != key {
                key = bench.evse.key();
                given = bench.evse.peer().is_some();
            }
            prop_assert!(bench.most <= 10, "{} frames for one input", bench.most);
            let has_peer = matches!(
                bench.evse.state(),
                EvseState::Joining | EvseState::Matched | EvseState::Paused
            );
            prop_assert_eq!(has_peer, bench.evse.peer().is_some());
            bench.sent();
        }
        bench.input(EvseInput::Stop);
        prop_assert_eq!(bench.evse.state(), EvseState::Idle);
        bench.input(EvseInput::Link(false));
        bench.input(EvseInput::ModemReady(true));
        bench.input(EvseInput::Start);
        let car = Car::new(3);
        car.reach_link(&mut bench);
        prop_assert!(bench.evse.is_matched());
        prop_assert_eq!(bench.evse.peer(), Some(car.mac));
    }
}
