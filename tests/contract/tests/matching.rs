//! Matching: a charger and a car match, lose the link, and receive hostile frames.
#![allow(clippy::unwrap_used, reason = "a test ends where it fails")]

use contract::timers::MATCHING;
use contract::{hostile, pass_late};
use homeplug_mme::{GROUPS, MAX_FRAME, Mac, Profile, RunId, Slac};
use machine::check::Check;
use machine::{Duration, Instant, Machine};
use slac::{Evse, EvseConfig, EvseInput, EvseValidation, Pev, PevConfig, PevInput};

const CHARGER: Mac = Mac([2, 0, 0, 0, 0, 0x5E]);
const CHARGER_MODEM: Mac = Mac([0, 0xB0, 0x52, 0, 1, 0x5E]);
const CAR: Mac = Mac([2, 0, 0, 0, 0, 0xE1]);

/// Both sides and the power line, which measures 20 dB.
struct Line {
    evse: Check<Evse>,
    pev: Check<Pev>,
    frames: Vec<Vec<u8>>,
}

impl Line {
    fn new() -> Self {
        let config = EvseConfig { validation: EvseValidation::Toggles, ..EvseConfig::new(CHARGER) };
        let mut evse = Check::new(MATCHING, MAX_FRAME, |cx| Evse::new(cx, config))
            .unwrap()
            .observing(|evse| format!("{:?} {:?} {}", evse.state(), evse.peer(), evse.offers()));
        let mut pev = Check::new(MATCHING, MAX_FRAME, |_| Pev::new(PevConfig::new(CAR)))
            .unwrap()
            .observing(|pev| format!("{:?} {:?} {:?}", pev.state(), pev.peer(), pev.toggle()));
        for input in [EvseInput::ModemReady(true), EvseInput::Start] {
            evse.call(|evse, cx| evse.handle(cx, input)).unwrap();
        }
        for input in [PevInput::ModemReady(true), PevInput::Start] {
            pev.call(|pev, cx| pev.handle(cx, input)).unwrap();
        }
        Self { evse, pev, frames: Vec::new() }
    }

    fn call_evse(&mut self, frame: &[u8]) {
        self.evse.call(|evse, cx| evse.handle(cx, EvseInput::Frame(frame))).unwrap();
    }

    fn call_pev(&mut self, frame: &[u8]) {
        self.pev.call(|pev, cx| pev.handle(cx, PevInput::Frame(frame))).unwrap();
    }

    /// Carries the frames of both, and what the charger's modem measures of the car's sounds.
    fn exchange(&mut self) {
        loop {
            let (from_evse, from_pev) = (self.evse.take_sent(), self.pev.take_sent());
            if from_evse.is_empty() && from_pev.is_empty() {
                return;
            }
            for (frame, ()) in from_evse {
                self.call_pev(&frame);
                self.frames.push(frame);
            }
            for (frame, ()) in from_pev {
                self.call_evse(&frame);
                let parsed = homeplug_mme::Frame::parse(&frame).unwrap();
                if let Some(Ok(Slac::Sound { .. })) = Slac::parse(&parsed) {
                    let mut buffer = [0; MAX_FRAME];
                    let measured = Slac::Measured { car: CAR, profile: Some(Profile([20; GROUPS])) };
                    let length = measured.emit(Mac::BROADCAST, CHARGER_MODEM, &mut buffer).unwrap();
                    self.call_evse(buffer.get(..length).unwrap());
                }
                self.frames.push(frame);
            }
        }
    }

    fn run_to(&mut self, millis: u64) {
        let end = Instant::from_millis(millis);
        let due =
            |line: &Self| [line.evse.due(), line.pev.due()].into_iter().flatten().map(|due| due.at).min();
        while let Some(at) = due(self).filter(|at| *at <= end) {
            self.evse.pass_to(at).unwrap();
            self.pev.pass_to(at).unwrap();
            self.exchange();
        }
        self.evse.pass_to(end).unwrap();
        self.pev.pass_to(end).unwrap();
    }
}

#[test]
fn both_sides_keep_the_contract_from_the_first_frame_to_the_link_and_after_it_is_lost() {
    let mut line = Line::new();
    line.exchange();
    line.run_to(3_000);
    assert!(line.pev.machine().peer().is_some(), "the car has chosen");
    for up in [true, false] {
        line.evse.call(|evse, cx| evse.handle(cx, EvseInput::Link(up))).unwrap();
        line.pev.call(|pev, cx| pev.handle(cx, PevInput::ModemReady(true))).unwrap();
        line.pev.call(|pev, cx| pev.handle(cx, PevInput::Link(up))).unwrap();
        line.exchange();
        let now = line.evse.now().as_millis();
        line.run_to(now + 1_500);
        assert_eq!(line.evse.machine().is_matched(), up);
        assert_eq!(line.pev.machine().is_matched(), up);
        line.run_to(now + 60_000);
    }
}

#[test]
fn both_sides_keep_the_contract_alone_and_when_their_caller_is_late() {
    for late in [0, 7, 1_000, 60_000] {
        let mut line = Line::new();
        let (end, late) = (Instant::from_millis(200_000), Duration::from_millis(late));
        pass_late(&mut line.evse, end, late).unwrap();
        pass_late(&mut line.pev, end, late).unwrap();
    }
}

#[test]
fn both_sides_keep_the_contract_with_hostile_frames() {
    let mut line = Line::new();
    line.exchange();
    line.run_to(2_000);
    let mut genuine = std::mem::take(&mut line.frames);
    let mut crowd = [0; MAX_FRAME];
    for car in 0..8 {
        let ask = Slac::ParmReq { run_id: RunId([car; 8]) };
        let length = ask.emit(Mac::BROADCAST, Mac([2, 0, 0, 0, 1, car]), &mut crowd).unwrap();
        genuine.push(crowd.get(..length).unwrap().to_vec());
    }
    for (frame, millis) in hostile(11, &genuine).take(3_000).zip((2_000..).step_by(17)) {
        line.call_evse(&frame);
        line.call_pev(&frame);
        line.evse.take_sent();
        line.pev.take_sent();
        line.evse.pass_to(Instant::from_millis(millis)).unwrap();
        line.pev.pass_to(Instant::from_millis(millis)).unwrap();
    }
}
