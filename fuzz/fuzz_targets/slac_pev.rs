//! Any frames, commands and time for a car's matching: no panic, few frames for each input, the chosen
//! charger is one that answered, and a good charger is matched whatever came before.
//!
//! The input is a list of steps: a byte for the kind, a byte with its argument, and for frames the bytes.
#![no_main]

use contract::timers::MATCHING;
use homeplug_mme::{
    Frame, GROUPS, MAX_FRAME, Mac, NetworkKey, Nmk, Profile, RunId, Slac, StationId, ValidateResult,
};
use libfuzzer_sys::fuzz_target;
use machine::check::Check;
use machine::{Duration, Machine};
use slac::{Pev, PevConfig, PevInput, PevState, PevValidation};

const CAR: Mac = Mac([2, 0, 0, 0, 0, 1]);
const GOOD: Mac = Mac([2, 0, 0, 0, 9, 9]);
const RUN: RunId = RunId(*b"a car's.");
/// Most frames for one input: an answer to each of the stored chargers, and one more.
const MOST: usize = 16;

struct World {
    pev: Check<Pev>,
    /// The car's requests to the good charger, in order.
    asked: Vec<Slac>,
}

impl World {
    fn input(&mut self, input: PevInput<'_>) {
        self.pev.call(|pev, cx| pev.handle(cx, input)).unwrap();
        self.judge();
        self.time();
    }

    fn time(&mut self) {
        if self.pev.due().is_some_and(|due| due.at <= self.pev.now()) {
            self.pev.timeout().unwrap();
            self.judge();
        }
    }

    fn judge(&mut self) {
        let sent = self.pev.take_sent();
        assert!(sent.len() <= MOST);
        for (bytes, ()) in sent {
            let frame = Frame::parse(&bytes).expect("a frame");
            assert!(frame.from == CAR);
            let Some(Ok(message)) = Slac::parse(&frame) else { panic!("what is sent is valid") };
            if frame.to == GOOD || frame.to == Mac::BROADCAST {
                self.asked.push(message);
            }
        }
        self.pev.take_events();
    }

    fn run(&mut self, millis: u64) {
        let end = self.pev.now() + Duration::from_millis(millis);
        while let Some(due) = self.pev.due().filter(|due| due.at <= end) {
            self.pev.sleep_to(due.at).unwrap();
            self.time();
        }
        self.pev.sleep_to(end).unwrap();
    }

    fn hear(&mut self, charger: Mac, message: Slac) {
        let mut buffer = [0; MAX_FRAME];
        let len = message.emit(CAR, charger, &mut buffer).expect("room for a frame");
        self.input(PevInput::Frame(&buffer[..len]));
    }

    /// Message number `which` of a charger.
    fn charger(&mut self, charger: Mac, db: u8, which: u8) {
        let (run_id, car, id) = (RUN, CAR, StationId::default());
        let key = NetworkKey::derived(Nmk::new([charger.0[5]; 16]));
        match which {
            0 => self.hear(charger, Slac::ParmCnf { run_id, sounds: 10, timeout_100ms: 6, car }),
            1 => {
                let profile = (db != 200).then_some(Profile([db; GROUPS]));
                self.hear(charger, Slac::AttenChar { run_id, car, sounds: 10, profile });
            }
            2 => self.hear(charger, Slac::ValidateCnf { toggles: 0, result: ValidateResult::Ready }),
            3 => self.hear(charger, Slac::ValidateCnf { toggles: 3, result: ValidateResult::Success }),
            4 => self.hear(charger, Slac::ValidateCnf { toggles: 0, result: ValidateResult::NotRequired }),
            _ => self.hear(charger, Slac::MatchCnf { run_id, car, pev_id: id, charger, evse_id: id, key }),
        }
    }

    /// Unplugged and plugged in again at a good charger.
    fn good_end(&mut self) {
        self.input(PevInput::Stop);
        self.run(1000);
        self.input(PevInput::ModemReady(true));
        self.input(PevInput::Start);
        for _ in 0..400 {
            self.asked.retain(|asked| !matches!(asked, Slac::Sound { .. } | Slac::StartAttenChar { .. }));
            let asked = core::mem::take(&mut self.asked);
            for asked in asked {
                match asked {
                    Slac::ParmReq { .. } => {
                        self.charger(GOOD, 5, 0);
                        self.run(500);
                        self.charger(GOOD, 5, 1);
                    }
                    Slac::ValidateReq { timer: 0, .. } => self.charger(GOOD, 5, 2),
                    Slac::ValidateReq { .. } => self.charger(GOOD, 5, 3),
                    Slac::MatchReq { .. } => self.charger(GOOD, 5, 5),
                    _ => {}
                }
            }
            if self.pev.machine().state() == PevState::Joining {
                self.input(PevInput::ModemReady(true));
                self.input(PevInput::Link(true));
            }
            if self.pev.machine().state() == PevState::Matched {
                return assert_eq!(self.pev.machine().peer(), Some(GOOD));
            }
            self.run(50);
        }
        panic!("no match with a good charger, but {:?}", self.pev.machine().state());
    }
}

fuzz_target!(|input: &[u8]| {
    let Some((kind, mut rest)) = input.split_first() else { return };
    let validation = if kind & 1 == 1 { PevValidation::WhenPotential } else { PevValidation::Never };
    let limit_cdb = [None, Some(2000), Some(4000)][usize::from(kind >> 1) % 3];
    let max_attempts = Some(3).filter(|_| kind & 0x40 != 0);
    let config = PevConfig { run_id: Some(RUN), validation, limit_cdb, max_attempts, ..PevConfig::new(CAR) };
    let pev = Check::new(MATCHING, MAX_FRAME, |_| Pev::new(config)).unwrap();
    let mut world = World { pev, asked: Vec::new() };
    while let [step, argument, tail @ ..] = rest {
        rest = tail;
        let flag = argument & 1 == 1;
        match step % 6 {
            0 => {
                let (frame, tail) = rest.split_at(rest.len().min(usize::from(*argument)));
                rest = tail;
                world.input(PevInput::Frame(frame));
            }
            1 | 2 => world.charger(Mac([2, 0, 0, 0, 1, argument >> 4]), argument >> 3, argument & 7),
            3 => world.run(u64::from(*argument) * 10),
            4 => {
                // No call for a while.
                let late = world.pev.now() + Duration::from_millis(u64::from(*argument) * 500);
                world.pev.sleep_to(late).unwrap();
                world.time();
            }
            _ => world.input(match argument >> 1 & 7 {
                0 => PevInput::ModemReady(flag),
                1 => PevInput::Link(flag),
                2 => PevInput::Error,
                3 if flag => PevInput::Pause,
                3 => PevInput::Resume,
                4 => PevInput::Stop,
                _ => PevInput::Start,
            }),
        }
        world.asked.clear();
    }
    world.good_end();
});
