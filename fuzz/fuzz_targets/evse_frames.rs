//! Any bytes as frames, readings and time for a whole charger: no panic, bounded work, and no output is
//! energised while no car is at C or D.
//!
//! The input is a list of steps: a byte for the kind, then its data.
#![no_main]

use contract::timers::{DISCOVERY, MATCHING, MODEM, ROLES, SESSION};
use control_pilot::Level;
use evse_fsm::{Insulation, Isolation, Operator, Plant, Reading};
use libfuzzer_sys::fuzz_target;
use machine::check::Check;
use machine::{Cx, Instant, Machine};
use roles::{Evse, EvseConfig, EvseInput, EvseStorage, MAX_FRAME, Mac};

const LEVELS: [Level; 6] = [Level::A, Level::B, Level::C, Level::D, Level::E, Level::F];

fn reading(now: Instant, level: Level, value: u8) -> Plant {
    Plant {
        pilot: Some(Reading::new(level, now)),
        voltage_mv: Some(Reading::new(i32::from(value) * 4000, now)),
        current_ma: Some(Reading::new(i32::from(value % 16) * 100, now)),
        isolation: Some(Reading::new(
            Insulation::of(if value & 1 == 0 { Isolation::Valid } else { Isolation::Measuring }),
            now,
        )),
        contactors: Some(Reading::new(value & 2 == 0, now)),
        emergency_stop: Some(Reading::new(value == 255, now)),
        ..Plant::default()
    }
}

fuzz_target!(|input: &[u8]| {
    let mut storages: [EvseStorage<'_>; 5] = std::array::from_fn(|_| EvseStorage::new());
    let mut storages = storages.iter_mut();
    let config = EvseConfig::new(Mac([0x02, 0, 0, 0, 0, 1]));
    let make = |cx: &mut Cx<'_>| {
        Evse::new(cx, config.clone(), storages.next().expect("five")).expect("a valid configuration")
    };
    let timers = [SESSION, MATCHING, MODEM, DISCOVERY, ROLES].concat();
    let mut evse =
        Check::new(&timers, MAX_FRAME, make).unwrap().observing(|evse| format!("{:?}", evse.demand()));
    let mut level = Level::A;
    let mut rest = input;
    while let [step, argument, tail @ ..] = rest {
        rest = tail;
        match step % 4 {
            0 => {
                let (frame, tail) = rest.split_at(rest.len().min(usize::from(*argument) * 2));
                rest = tail;
                evse.call(|evse, cx| evse.handle(cx, EvseInput::Frame(frame))).unwrap();
            }
            1 => {
                level = LEVELS[usize::from(*argument) % LEVELS.len()];
                let plant = reading(evse.now(), level, *argument);
                evse.call(|evse, cx| evse.handle(cx, EvseInput::Plant(plant))).unwrap();
            }
            2 => {
                let now = evse.now() + machine::Duration::from_millis(u64::from(*argument) * 10);
                evse.sleep_to(now).unwrap();
                evse.timeout().unwrap();
            }
            _ => {
                let words =
                    [Operator::Authorise(true), Operator::Stop, Operator::EmergencyStop, Operator::Reset];
                let word = words[usize::from(*argument) % words.len()];
                evse.call(|evse, cx| evse.handle(cx, EvseInput::Operator(word))).unwrap();
            }
        }
        assert!(evse.take_sent().len() <= 100);
        evse.take_events();
        let ready = matches!(level, Level::C | Level::D);
        let is_energised = evse.machine().demand().is_energised();
        assert!(ready || !is_energised, "energised with the pilot at {level:?}");
    }
});
