//! Forged frames that must not change anything.

use homeplug_mme::{Mac, NetworkKey, Nmk, RunId, Slac, SlacFault, StationId, ValidateResult};
use slac::{Dropped, Event, PevConfig, PevInput, PevState};

use crate::bench::*;

/// A car in each state, with the charger from which it expects a message.
fn cars() -> Vec<Bench> {
    let silent = Charger { answers: false, ..Charger::new(NEAR, 9) };
    let mute = Charger { reports: false, ..Charger::new(NEAR, 9) };
    let deaf = Charger { deaf_to_matches: 3, ..Charger::new(NEAR, 9) };
    let good = Charger::new(NEAR, 9);
    let table = [
        (PevState::Asking, &silent),
        (PevState::Sounding, &good),
        (PevState::Collecting, &mute),
        (PevState::Choosing, &deaf),
        (PevState::Joining, &good),
        (PevState::Waiting, &silent),
    ];
    let car = |(state, charger): (PevState, &Charger)| {
        let mut bench = Bench::plugged(PevConfig::new(CAR), std::slice::from_ref(charger));
        bench.until(state);
        bench
    };
    table.into_iter().map(car).collect()
}

/// State that a frame could change.
fn moved(bench: &Bench) -> (PevState, bool, Option<Mac>, usize, Option<machine::Deadline>) {
    use machine::Machine;
    let known = bench.events.iter().filter(|event| !matches!(event, Event::Dropped { .. })).count();
    (
        bench.pev.state(),
        bench.pev.key().is_some(),
        bench.pev.peer(),
        known + bench.sent.len(),
        bench.pev.poll_timeout(),
    )
}

/// Name, frame, and the only event that is allowed.
fn forgeries(run_id: RunId) -> Vec<(&'static str, Vec<u8>, &'static [Dropped])> {
    use Dropped::{Foreign, OutOfOrder, Unasked};
    let other = RunId(*b"stranger");
    let key = NetworkKey::derived(Nmk::new([0x66; 16]));
    let none = StationId::default();
    let thief = Mac([2, 0, 0, 0, 6, 6]);
    let parm = |run_id| Slac::ParmCnf { run_id, sounds: 10, timeout_100ms: 6, car: CAR };
    let report = |run_id, car| Charger::new(NEAR, 1).report(run_id, car);
    let given =
        |run_id, car, charger| Slac::MatchCnf { run_id, car, pev_id: none, charger, evse_id: none, key };
    let foreign: &[_] = &[Foreign, OutOfOrder];
    let late: &[_] = &[OutOfOrder, Unasked];
    let edit = |slac, at: usize, value: u8| {
        let mut bytes = frame(slac, NEAR, CAR);
        bytes[at] = value;
        bytes
    };
    let application: &[_] = &[Dropped::Fault(SlacFault::ApplicationType(1))];
    let security: &[_] = &[Dropped::Fault(SlacFault::SecurityType(1))];
    vec![
        ("answer to another run", frame(parm(other), NEAR, CAR), foreign),
        ("answer to another car", frame(parm(run_id), NEAR, FAR), &[]),
        ("answer to all", frame(parm(run_id), NEAR, Mac::BROADCAST), &[]),
        ("answer from all", frame(parm(run_id), Mac::BROADCAST, CAR), foreign),
        ("answer from nobody", frame(parm(run_id), Mac([0; 6]), CAR), foreign),
        ("answer from ourselves", frame(parm(run_id), CAR, CAR), &[]),
        ("answer of another application", edit(parm(run_id), 34, 1), application),
        ("answer with security", edit(parm(run_id), 35, 1), security),
        ("answer without sounds", edit(parm(run_id), 25, 0), &[Dropped::Fault(SlacFault::NoSounds)]),
        ("answer without time", edit(parm(run_id), 26, 0), &[Dropped::Fault(SlacFault::NoSounds)]),
        ("fragment of an answer", edit(parm(run_id), 17, 0x10), &[]),
        ("report of another run", frame(report(other, CAR), NEAR, CAR), foreign),
        ("report of another car", frame(report(run_id, FAR), NEAR, CAR), foreign),
        ("report to another car", frame(report(run_id, CAR), NEAR, FAR), &[]),
        ("report to all", frame(report(run_id, CAR), NEAR, Mac::BROADCAST), &[]),
        ("report of a stranger", frame(report(run_id, CAR), thief, CAR), late),
        ("report of another application", edit(report(run_id, CAR), 19, 1), application),
        ("report with security", edit(report(run_id, CAR), 20, 1), security),
        ("key of another run", frame(given(other, CAR, NEAR), NEAR, CAR), foreign),
        ("key for another car", frame(given(run_id, FAR, NEAR), NEAR, CAR), foreign),
        ("key to another car", frame(given(run_id, CAR, NEAR), NEAR, FAR), &[]),
        ("key to all", frame(given(run_id, CAR, NEAR), NEAR, Mac::BROADCAST), &[]),
        ("key in another's name", frame(given(run_id, CAR, NEAR), thief, CAR), foreign),
        ("key of a stranger", frame(given(run_id, CAR, thief), thief, CAR), late),
        ("key of another charger", frame(given(run_id, CAR, thief), NEAR, CAR), foreign),
        (
            "key of the wrong length",
            edit(given(run_id, CAR, NEAR), 21, 62),
            &[Dropped::Fault(SlacFault::MvfLength(62))],
        ),
        ("key of another application", edit(given(run_id, CAR, NEAR), 19, 1), application),
        (
            "validation that nobody asked for",
            frame(Slac::ValidateCnf { toggles: 3, result: ValidateResult::Success }, NEAR, CAR),
            late,
        ),
        ("a car's question", frame(Slac::ParmReq { run_id }, FAR, Mac::BROADCAST), &[]),
        ("a car's question to us", frame(Slac::ParmReq { run_id }, FAR, CAR), late),
        (
            "a car's choice",
            frame(Slac::MatchReq { run_id, car: FAR, pev_id: none, charger: CAR, evse_id: none }, FAR, CAR),
            late,
        ),
        ("a modem's measurement", frame(Slac::Measured { car: CAR, profile: None }, NEAR, CAR), late),
        ("nothing", vec![], &[]),
        ("another protocol", [[0xFF; 12].as_slice(), &[0x86, 0xDD], &[0; 60]].concat(), &[]),
    ]
}

#[test]
fn forged_frames_move_nothing_in_any_state_and_the_matching_goes_on() {
    for mut bench in cars() {
        let before = moved(&bench);
        let key = bench.pev.key();
        for (name, bytes, told) in forgeries(bench.run_id()) {
            bench.events.retain(|event| !matches!(event, Event::Dropped { .. }));
            bench.give(PevInput::Frame(&bytes));
            assert_eq!(moved(&bench), before, "{name} in {:?}", before.0);
            assert!(bench.pev.key() == key, "{name}");
            let dropped = bench.dropped();
            assert_eq!(dropped.is_empty(), told.is_empty(), "{name} in {:?}: {dropped:?}", before.0);
            assert!(dropped.iter().all(|why| told.contains(why)), "{name} in {:?}: {dropped:?}", before.0);
        }
        bench.chargers = vec![Charger::new(NEAR, 9)];
        if bench.pev.state() == PevState::Collecting {
            let report = bench.chargers[0].report(bench.run_id(), CAR);
            bench.hear(report, NEAR);
        }
        bench.until(PevState::Joining);
        assert!(bench.pev.key() == Some(bench.chargers[0].key()));
    }
}

#[test]
fn every_cut_of_a_good_frame_is_dropped() {
    for (index, mut bench) in cars().into_iter().enumerate() {
        let run_id = bench.run_id();
        let charger = Charger::new(NEAR, 9);
        // Complete up to its last field; the padding after it may be missing.
        let parm = Slac::ParmCnf { run_id, sounds: 10, timeout_100ms: 6, car: CAR };
        let whole = [(parm, 44), (charger.report(run_id, CAR), 129), (charger.cnf(run_id, CAR), 109)];
        let before = moved(&bench);
        for (slac, needed) in whole {
            let bytes = frame(slac, NEAR, CAR);
            for len in 0..needed {
                bench.give(PevInput::Frame(&bytes[..len]));
                assert_eq!(moved(&bench), before, "car {index}, {len} bytes");
            }
        }
        let short = |why: &Dropped| matches!(why, Dropped::Fault(SlacFault::Message(_)));
        assert!(bench.dropped().iter().any(short));
    }
}
