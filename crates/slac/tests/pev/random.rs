//! Random histories.

use homeplug_mme::{MAX_FRAME, Mac, Profile, RunId, Slac, StationId, ValidateResult};
use machine::{Cx, Machine};
use proptest::prelude::*;
use slac::{Pev, PevConfig, PevInput, PevState, PevValidation};

use crate::bench::*;

const RUN: RunId = RunId(*b"TESLA EV");

#[derive(Clone, Debug)]
enum Act {
    Start,
    Stop,
    Ready(bool),
    Link(bool),
    Error,
    Pause,
    Resume,
    Wait(u64),
    /// Events of the machine are not polled.
    WaitDeaf(u64),
    /// A frame of a charger, with changed bytes or cut.
    Hear {
        from: u8,
        kind: u8,
        a: u8,
        b: u8,
        edits: Vec<(usize, u8)>,
        cut: usize,
    },
    Noise(Vec<u8>),
}

fn act() -> impl Strategy<Value = Act> {
    let edits = prop_oneof![
        4 => Just(vec![]),
        1 => proptest::collection::vec((0_usize..130, any::<u8>()), 0..4)
    ];
    let cut = prop_oneof![9 => Just(MAX_FRAME), 1 => 0_usize..130];
    let hear = (0_u8..12, 0_u8..5, any::<u8>(), any::<u8>(), edits, cut)
        .prop_map(|(from, kind, a, b, edits, cut)| Act::Hear { from, kind, a, b, edits, cut });
    prop_oneof![
        2 => Just(Act::Start),
        1 => Just(Act::Stop),
        4 => any::<bool>().prop_map(Act::Ready),
        4 => any::<bool>().prop_map(Act::Link),
        1 => Just(Act::Error),
        1 => Just(Act::Pause),
        1 => Just(Act::Resume),
        8 => (0_u64..3000).prop_map(Act::Wait),
        1 => (0_u64..30_000).prop_map(Act::WaitDeaf),
        16 => hear,
        1 => proptest::collection::vec(any::<u8>(), 0..200).prop_map(Act::Noise),
    ]
}

fn said(kind: u8, a: u8, b: u8, from: Mac) -> Slac {
    let none = StationId::default();
    let results = [
        ValidateResult::NotReady,
        ValidateResult::Ready,
        ValidateResult::Success,
        ValidateResult::Failure,
        ValidateResult::NotRequired,
    ];
    match kind {
        0 => Slac::ParmCnf { run_id: RUN, sounds: a.max(1), timeout_100ms: 6, car: CAR },
        1 => {
            Slac::AttenChar { run_id: RUN, car: CAR, sounds: a, profile: (b > 9).then_some(Profile([b; 58])) }
        }
        2 | 3 => Slac::ValidateCnf { toggles: a % 5, result: results[usize::from(b) % 5] },
        _ => Slac::MatchCnf {
            run_id: RUN,
            car: CAR,
            pev_id: none,
            charger: from,
            evse_id: none,
            key: Charger::new(from, a).key(),
        },
    }
}

fn apply(bench: &mut Bench, act: Act) {
    match act {
        Act::Start => bench.give(PevInput::Start),
        Act::Stop => bench.give(PevInput::Stop),
        Act::Ready(ready) => bench.give(PevInput::ModemReady(ready)),
        Act::Link(up) => bench.give(PevInput::Link(up)),
        Act::Error => bench.give(PevInput::Error),
        Act::Pause => bench.give(PevInput::Pause),
        Act::Resume => bench.give(PevInput::Resume),
        Act::Wait(millis) => bench.run(ms(millis)),
        Act::WaitDeaf(millis) => {
            bench.now += ms(millis);
            let cx = &mut Cx { now: bench.now, entropy: &mut bench.entropy };
            bench.pev.handle_timeout(cx);
            assert!(bench.pev.poll_timeout().is_none_or(|due| due.at > bench.now));
        }
        Act::Hear { from, kind, a, b, edits, cut } => {
            let from =
                if from < 3 { [NEAR, FAR, CAR][usize::from(from)] } else { Mac([2, 0, 0, 0, 9, from]) };
            let mut bytes = frame(said(kind, a, b, from), from, CAR);
            for (at, value) in edits {
                if let Some(byte) = bytes.get_mut(at) {
                    *byte = value;
                }
            }
            bytes.truncate(cut);
            bench.give(PevInput::Frame(&bytes));
        }
        Act::Noise(bytes) => bench.give(PevInput::Frame(&bytes)),
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    /// No panic, few frames for each input, never a link without the key, and from any state the next plug
    /// leads to a match.
    #[test]
    fn from_any_history_the_next_plug_matches(
        acts in proptest::collection::vec(act(), 0..120),
        sure in any::<bool>(),
        limits in any::<bool>(),
        helped in any::<bool>(),
    ) {
        let validation = if sure { PevValidation::WhenPotential } else { PevValidation::Never };
        let (limit_cdb, max_attempts) = if limits { (Some(3000), Some(3)) } else { (None, None) };
        let config =
            PevConfig { validation, limit_cdb, max_attempts, run_id: Some(RUN), ..PevConfig::new(CAR) };
        let mut bench = Bench::new(config);
        if helped {
            bench.chargers = vec![Charger::new(NEAR, 15), Charger::new(FAR, 15)];
        }
        for act in acts {
            let sent = bench.sent.len();
            let waits = matches!(act, Act::Wait(_));
            apply(&mut bench, act);
            prop_assert!(waits || bench.sent.len() - sent <= 12);
            if bench.pev.is_matched() {
                prop_assert!(bench.pev.key().is_some() && bench.pev.peer().is_some());
            }
            prop_assert!(bench.pev.toggle().is_none() || bench.pev.state() == PevState::Validating);
        }
        bench.give(PevInput::Stop);
        prop_assert_eq!(bench.pev.state(), PevState::Unmatched);
        bench.chargers = vec![Charger::new(NEAR, 9)];
        bench.give(PevInput::ModemReady(true));
        bench.give(PevInput::Start);
        bench.until(PevState::Joining);
        bench.join();
        prop_assert!(bench.pev.is_matched());
        prop_assert!(bench.pev.key() == Some(bench.chargers[0].key()));
    }
}

#[test]
fn a_car_fits_into_four_kilobytes_whatever_it_hears() {
    assert!(size_of::<Pev>() <= 4096, "{} bytes", size_of::<Pev>());
}
