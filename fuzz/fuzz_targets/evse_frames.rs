//! Any bytes as frames, readings and time for a whole charger: no panic, bounded work, and nothing is ever
//! energised while no car is at C or D.
//!
//! The input is a list of steps: a byte that says what, then what it needs.
#![no_main]

use control_pilot::Level;
use evse_fsm::{Insulation, Isolation, Operator, Plant, Reading};
use libfuzzer_sys::fuzz_target;
use machine::{Cx, Instant, Machine, ScriptedEntropy};
use roles::{Evse, EvseConfig, EvseStorage, EvseInput, MAX_FRAME, Mac};

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
    let mut entropy = ScriptedEntropy::new(&[7, 11, 13]);
    let mut now = Instant::ZERO;
    let mut storage: EvseStorage = EvseStorage::new();
    let config = EvseConfig::new(Mac([0x02, 0, 0, 0, 0, 1]));
    let mut evse = Evse::new(&mut Cx { now, entropy: &mut entropy }, config, &mut storage)
        .expect("a valid configuration");
    let mut level = Level::A;
    let mut buffer = [0; MAX_FRAME];
    let mut rest = input;
    while let [step, argument, tail @ ..] = rest {
        rest = tail;
        let mut cx = Cx { now, entropy: &mut entropy };
        match step % 4 {
            0 => {
                let (frame, tail) = rest.split_at(rest.len().min(usize::from(*argument) * 2));
                rest = tail;
                evse.handle(&mut cx, EvseInput::Frame(frame));
            }
            1 => {
                level = LEVELS[usize::from(*argument) % LEVELS.len()];
                evse.handle(&mut cx, EvseInput::Plant(reading(now, level, *argument)));
            }
            2 => {
                now += machine::Duration::from_millis(u64::from(*argument) * 10);
                evse.handle_timeout(&mut Cx { now, entropy: &mut entropy });
            }
            _ => {
                let words =
                    [Operator::Authorise(true), Operator::Stop, Operator::EmergencyStop, Operator::Reset];
                evse.handle(&mut cx, EvseInput::Operator(words[usize::from(*argument) % words.len()]));
            }
        }
        for _ in 0..100 {
            if evse.poll_transmit(&mut buffer).unwrap().is_none() {
                break;
            }
        }
        while evse.poll_event().is_some() {}
        let ready = matches!(level, Level::C | Level::D);
        assert!(ready || !evse.demand().is_energised(), "energised with the pilot at {level:?}");
    }
});
