//! The charger's work while it matches a car, on the host: one frame in and its answer out, and a whole run.
//!
//! `cargo bench -p benches --bench slac`.
#![allow(missing_docs, clippy::unwrap_used, clippy::indexing_slicing, reason = "a bench")]

use std::hint::black_box;

use criterion::{BatchSize, Criterion, criterion_group, criterion_main};
use homeplug_mme::{GROUPS, MAX_FRAME, Mac, Profile, RunId, Slac, StationId};
use machine::{Cx, Duration, Instant, Machine as _, ScriptedEntropy};
use slac::{Evse, EvseConfig, EvseInput, EvseState};

const CAR: Mac = Mac([2, 0, 0, 0, 0, 0xE1]);
const CHARGER: Mac = Mac([2, 0, 0, 0, 0, 0x5E]);
const MODEM: Mac = Mac([2, 0, 0, 0, 0, 0x30]);
const RUN: RunId = RunId(*b"TESLA EV");

fn frame(from: Mac, to: Mac, message: Slac) -> Vec<u8> {
    let mut buffer = [0; MAX_FRAME];
    let len = message.emit(to, from, &mut buffer).unwrap();
    buffer[..len].to_vec()
}

fn charger() -> Evse {
    let mut entropy = ScriptedEntropy::new(&[1, 2, 3]);
    let mut cx = Cx { now: Instant::ZERO, entropy: &mut entropy };
    let mut evse = Evse::new(&mut cx, EvseConfig::new(CHARGER));
    evse.handle(&mut cx, EvseInput::ModemReady(true));
    evse.handle(&mut cx, EvseInput::Start);
    evse
}

/// A frame in, the deadlines that are due, and all output.
fn exchange(evse: &mut Evse, now: Instant, frame: &[u8], buffer: &mut [u8]) -> usize {
    let mut entropy = ScriptedEntropy::new(&[1, 2, 3]);
    let mut cx = Cx { now, entropy: &mut entropy };
    evse.handle(&mut cx, EvseInput::Frame(frame));
    if evse.poll_timeout().is_some_and(|due| due.at <= now) {
        evse.handle_timeout(&mut cx);
    }
    let mut sent = 0;
    while let Some((len, ())) = evse.poll_transmit(buffer).unwrap() {
        sent += len;
    }
    while evse.poll_event().is_some() {}
    sent
}

/// The frames of a car from its request to its choice, with those of its charger's modem.
fn car() -> Vec<Vec<u8>> {
    let all = Mac::BROADCAST;
    let id = StationId::default();
    let start = Slac::StartAttenChar { run_id: RUN, sounds: 10, timeout_100ms: 6, car: CAR };
    let mut frames = vec![frame(CAR, all, Slac::ParmReq { run_id: RUN })];
    frames.extend((0..3).map(|_| frame(CAR, all, start)));
    for remaining in (0..10).rev() {
        frames.push(frame(CAR, all, Slac::Sound { run_id: RUN, remaining, random: [0xFF; 16] }));
        frames.push(frame(MODEM, all, Slac::Measured { car: CAR, profile: Some(Profile([12; GROUPS])) }));
    }
    frames.push(frame(CAR, CHARGER, Slac::AttenCharRsp { run_id: RUN, car: CAR, result: 0 }));
    let chosen = Slac::MatchReq { run_id: RUN, car: CAR, pev_id: id, charger: CHARGER, evse_id: id };
    frames.push(frame(CAR, CHARGER, chosen));
    frames
}

fn matching(c: &mut Criterion) {
    let frames = car();
    let mut buffer = [0; MAX_FRAME];
    let (mut evse, mut now) = (charger(), Instant::ZERO);
    c.bench_function("slac/evse CM_SLAC_PARM.REQ frame to CNF frame", |b| {
        b.iter(|| {
            now += Duration::from_millis(1);
            let sent = exchange(&mut evse, now, black_box(&frames[0]), &mut buffer);
            assert_eq!(sent, 60);
        });
    });
    c.bench_function("slac/evse a whole run, 26 frames in and 3 out", |b| {
        b.iter_batched_ref(
            charger,
            |evse| {
                let mut now = Instant::ZERO;
                let mut sent = 0;
                for frame in &frames {
                    now += Duration::from_millis(20);
                    sent += exchange(evse, now, black_box(frame), &mut buffer);
                }
                assert_eq!((sent, evse.state()), (60 + 129 + 109, EvseState::Joining));
            },
            BatchSize::SmallInput,
        );
    });
}

criterion_group!(slac, matching);
criterion_main!(slac);
