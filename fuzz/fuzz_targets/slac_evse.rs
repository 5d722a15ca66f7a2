//! Any frames, commands and time for a charger's matching: no panic, few frames for each input, a new key
//! only if another device had the old one, and a good car matches whatever came before.
//!
//! The input is a list of steps: a byte for the kind, a byte with its argument, and for frames the bytes.
#![no_main]

use contract::timers::MATCHING;
use homeplug_mme::{Frame, GROUPS, MAX_FRAME, Mac, Profile, RunId, Slac, StationId, ValidateResult};
use libfuzzer_sys::fuzz_target;
use machine::check::Check;
use machine::{Duration, Machine};
use slac::{Event, Evse, EvseConfig, EvseInput, EvseValidation};

const CHARGER: Mac = Mac([2, 0, 0, 0, 0, 1]);
/// Most frames for one input: a report for each of five cars, and the same number of delayed answers.
const MOST: usize = 10;

struct World {
    evse: Check<Evse>,
    given: bool,
}

impl World {
    fn input(&mut self, input: EvseInput<'_>) {
        let before = self.evse.machine().key();
        self.evse.call(|evse, cx| evse.handle(cx, input)).unwrap();
        self.judge(before);
        self.time();
    }

    fn time(&mut self) {
        if self.evse.due().is_some_and(|due| due.at <= self.evse.now()) {
            let before = self.evse.machine().key();
            self.evse.timeout().unwrap();
            self.judge(before);
        }
    }

    fn judge(&mut self, before: homeplug_mme::NetworkKey) {
        let key = self.evse.machine().key();
        assert!(before == key || self.given, "a new key though nobody had the old one");
        if before != key {
            self.given = false;
        }
        let sent = self.evse.take_sent();
        assert!(sent.len() <= MOST);
        for (bytes, ()) in sent {
            let frame = Frame::parse(&bytes).expect("a frame");
            assert!(frame.from == CHARGER && frame.to.is_unicast());
            assert!(matches!(Slac::parse(&frame), Some(Ok(_))), "what is sent is valid");
        }
        self.given |= self.evse.take_events().iter().any(|event| matches!(event, Event::KeyGiven { .. }));
    }

    fn run(&mut self, millis: u64) {
        let end = self.evse.now() + Duration::from_millis(millis);
        while let Some(due) = self.evse.due().filter(|due| due.at <= end) {
            self.evse.sleep_to(due.at).unwrap();
            self.time();
        }
        self.evse.sleep_to(end).unwrap();
    }

    fn send(&mut self, car: Mac, to: Mac, message: Slac) {
        let mut buffer = [0; MAX_FRAME];
        let len = message.emit(to, car, &mut buffer).expect("room for a frame");
        self.input(EvseInput::Frame(&buffer[..len]));
    }

    /// Message number `which` of a good car, together with the modem's.
    fn good(&mut self, number: u8, which: u8) {
        let (car, run_id, all) = (Mac([2, 0, 0, 0, 1, number]), RunId([number; 8]), Mac::BROADCAST);
        let id = StationId::default();
        match which {
            0 => self.send(car, all, Slac::ParmReq { run_id }),
            1 => self.send(car, all, Slac::StartAttenChar { run_id, sounds: 10, timeout_100ms: 6, car }),
            2..=11 => {
                self.send(car, all, Slac::Sound { run_id, remaining: 11 - which, random: [which; 16] });
                let profile = Some(Profile([number.wrapping_mul(31); GROUPS])).filter(|_| number & 1 == 1);
                self.send(Mac([2, 0, 0, 0, 0, 2]), all, Slac::Measured { car, profile });
            }
            12 => self.send(car, CHARGER, Slac::AttenCharRsp { run_id, car, result: 0 }),
            13 => self.send(car, CHARGER, Slac::ValidateReq { timer: 0, result: ValidateResult::Ready }),
            14 => self.send(car, CHARGER, Slac::ValidateReq { timer: number, result: ValidateResult::Ready }),
            _ => self.send(
                car,
                CHARGER,
                Slac::MatchReq { run_id, car, pev_id: id, charger: CHARGER, evse_id: id },
            ),
        }
    }
}

fuzz_target!(|input: &[u8]| {
    let Some((kind, mut rest)) = input.split_first() else { return };
    let validation = [EvseValidation::NotRequired, EvseValidation::Failure, EvseValidation::Toggles];
    let config = EvseConfig {
        validation: validation[usize::from(*kind) % 3],
        lenient: kind & 0x80 == 0,
        offset_db: 3,
        ..EvseConfig::new(CHARGER)
    };
    let evse = Check::new(MATCHING, MAX_FRAME, |cx| Evse::new(cx, config)).unwrap();
    let mut world = World { evse, given: false };
    while let [step, argument, tail @ ..] = rest {
        rest = tail;
        let flag = argument & 1 == 1;
        match step % 8 {
            0 => {
                let (frame, tail) = rest.split_at(rest.len().min(usize::from(*argument)));
                rest = tail;
                world.input(EvseInput::Frame(frame));
            }
            1 | 2 => world.good(argument >> 4 & 7, argument & 0x0F),
            3 => {
                for which in 0..16 {
                    world.good(*argument, which);
                    world.run(20);
                }
            }
            4 => world.run(u64::from(*argument) * 10),
            5 => {
                // No call for a while.
                let late = world.evse.now() + Duration::from_millis(u64::from(*argument) * 500);
                world.evse.sleep_to(late).unwrap();
                world.time();
            }
            _ => world.input(match argument >> 1 & 7 {
                0 => EvseInput::ModemReady(flag),
                1 => EvseInput::Link(flag),
                2 => EvseInput::Busy(flag),
                3 => EvseInput::Ready(flag),
                4 if flag => EvseInput::Pause,
                4 => EvseInput::Resume,
                5 => EvseInput::Error,
                6 => EvseInput::Stop,
                _ => EvseInput::Start,
            }),
        }
    }
    for input in [EvseInput::Stop, EvseInput::Link(false), EvseInput::ModemReady(true), EvseInput::Start] {
        world.input(input);
    }
    for which in 0..16 {
        world.good(1, which);
        world.run(20);
    }
    world.input(EvseInput::Link(true));
    world.run(4_000);
    assert!(world.evse.machine().is_matched(), "a good car matches whatever came before");
});
