//! When the car sends requests, repeats them and stops.

use homeplug_mme::Slac;
use slac::{Event, Failure, PevConfig, PevInput, PevState};

use crate::bench::*;

const ONE: PevConfig = PevConfig::new(CAR);

#[test]
fn unanswered_questions_go_out_three_times_and_the_attempt_again_after_a_growing_pause() {
    let mut bench = Bench::plugged(ONE, &[]);
    bench.run(ms(6500));
    let expected: Vec<u64> =
        [0, 1000, 2400, 4300, 6200].iter().flat_map(|at| [*at, at + 200, at + 400]).collect();
    // The pauses in between: 400, 800, 1300, 1300 ms.
    assert_eq!(bench.times(is_parm_req), expected[..14]);
    assert_eq!(bench.failures(), [Failure::NoPeer; 4]);
}

#[test]
fn a_car_without_a_limit_never_stops_asking() {
    let mut bench = Bench::plugged(ONE, &[]);
    bench.run(ms(3_600_000));
    assert!(bench.times(is_parm_req).len() > 4000);
    assert!(!bench.events.contains(&Event::GaveUp));
}

#[test]
fn a_car_with_a_limit_gives_up_after_its_attempts_but_not_before_the_repetition_time() {
    for (most, attempts) in [(1, 7), (3, 7), (20, 20)] {
        let mut bench = Bench::plugged(PevConfig { max_attempts: Some(most), ..ONE }, &[]);
        bench.until(PevState::GaveUp);
        assert!(bench.now.as_millis() >= 10_000);
        assert_eq!(bench.failures().len(), attempts, "at most {most}");
        assert_eq!(bench.events.last(), Some(&Event::GaveUp));

        // No further attempt until the plug is pulled.
        let sent = bench.sent.len();
        bench.give(PevInput::Start);
        bench.give(PevInput::ModemReady(true));
        bench.run(ms(100_000));
        assert_eq!((bench.sent.len(), bench.pev.state()), (sent, PevState::GaveUp));
        bench.give(PevInput::Stop);
        assert_eq!(bench.pev.state(), PevState::Unmatched);
        // A new plug resets attempts and time.
        let (now, failed) = (bench.now, bench.failures().len());
        bench.give(PevInput::Start);
        bench.until(PevState::GaveUp);
        assert!((bench.now - now).as_millis() >= 10_000);
        assert_eq!(bench.failures().len(), 2 * failed);
    }
}

#[test]
fn nothing_is_asked_before_the_plug_and_before_the_modem_is_ready() {
    let mut bench = Bench::new(ONE);
    bench.give(PevInput::ModemReady(true));
    bench.run(ms(5000));
    assert_eq!((bench.sent.len(), bench.pev.state()), (0, PevState::Unmatched));

    let mut bench = Bench::new(ONE);
    bench.give(PevInput::Start);
    bench.run(ms(5000));
    assert_eq!((bench.sent.len(), bench.pev.state()), (0, PevState::Waiting));
    bench.give(PevInput::ModemReady(true));
    assert_eq!(bench.times(is_parm_req), [5000]);
}

#[test]
fn a_second_start_changes_nothing() {
    let mut bench = Bench::plugged(ONE, &[]);
    bench.run(ms(100));
    bench.give(PevInput::Start);
    bench.give(PevInput::ModemReady(true));
    assert_eq!(bench.times(is_parm_req), [0]);
}

#[test]
fn a_modem_that_restarts_in_the_middle_is_waited_for_and_the_attempt_begins_anew() {
    for state in [PevState::Asking, PevState::Sounding, PevState::Collecting, PevState::Choosing] {
        let quiet = state != PevState::Asking;
        let charger = Charger {
            answers: quiet,
            reports: state == PevState::Choosing,
            deaf_to_matches: 9,
            ..Charger::new(NEAR, 9)
        };
        let mut bench = Bench::plugged(ONE, &[charger]);
        bench.until(state);
        let first = bench.run_id();
        bench.give(PevInput::ModemReady(false));
        let sent = bench.sent.len();
        bench.run(ms(7000));
        assert_eq!((bench.sent.len(), bench.pev.state()), (sent, PevState::Waiting), "{state:?}");
        assert_eq!(bench.failures(), []);
        bench.chargers = vec![Charger::new(NEAR, 9)];
        bench.give(PevInput::ModemReady(true));
        assert_ne!(bench.run_id(), first);
        bench.until(PevState::Joining);
    }
}

#[test]
fn the_pause_between_attempts_is_kept_when_the_modem_becomes_ready_in_it() {
    let mut bench = Bench::plugged(ONE, &[]);
    bench.until(PevState::Waiting);
    bench.give(PevInput::ModemReady(false));
    bench.give(PevInput::ModemReady(true));
    bench.run(ms(500));
    assert_eq!(bench.times(is_parm_req), [0, 200, 400, 1000]);
}

#[test]
fn pulling_the_plug_ends_every_state_at_once_and_the_next_plug_matches() {
    let states = [
        PevState::Asking,
        PevState::Sounding,
        PevState::Collecting,
        PevState::Choosing,
        PevState::Joining,
        PevState::Waiting,
    ];
    for state in states {
        let charger = Charger {
            answers: !matches!(state, PevState::Asking | PevState::Waiting),
            reports: !matches!(state, PevState::Collecting),
            deaf_to_matches: if state == PevState::Choosing { 9 } else { 0 },
            ..Charger::new(NEAR, 9)
        };
        let mut bench = Bench::plugged(ONE, &[charger]);
        bench.until(state);
        bench.give(PevInput::Stop);
        let sent = bench.sent.len();
        bench.run(ms(60_000));
        assert_eq!((bench.sent.len(), bench.pev.state()), (sent, PevState::Unmatched), "{state:?}");
        assert_eq!(bench.pev.peer(), None);

        bench.chargers = vec![Charger::new(NEAR, 9)];
        bench.give(PevInput::ModemReady(true));
        bench.give(PevInput::Start);
        bench.until(PevState::Joining);
        bench.join();
        assert!(bench.pev.is_matched());
    }
}

#[test]
fn d_link_error_during_an_attempt_begins_a_new_one() {
    let mut bench = Bench::plugged(ONE, &[]);
    bench.run(ms(100));
    bench.give(PevInput::Error);
    assert_eq!((bench.failures(), bench.pev.state()), (vec![Failure::Asked], PevState::Waiting));
    assert_eq!(bench.pev.key(), None);
    bench.run(ms(450));
    assert_eq!(bench.times(is_parm_req), [0, 500]);
}

#[test]
fn the_same_inputs_give_the_same_frames() {
    let run = || {
        let chargers = [Charger::new(FAR, 30), Charger::new(NEAR, 25)];
        let mut bench = Bench::plugged(ONE, &chargers);
        bench.run(ms(30_000));
        bench.sent.into_iter().map(|sent| (sent.at, sent.bytes)).collect::<Vec<_>>()
    };
    let first = run();
    // One request, three announcements, ten sounds, two responses, one choice.
    assert_eq!(first.len(), 17);
    assert_eq!(first, run());
}

#[test]
fn after_an_answer_no_further_question_goes_out_and_the_announcement_follows() {
    for (answered, questions) in [(199, &[0][..]), (399, &[0, 200]), (599, &[0, 200, 400])] {
        let mut bench = Bench::plugged(ONE, &[]);
        bench.run(ms(answered));
        bench.hear(Slac::ParmCnf { run_id: bench.run_id(), sounds: 10, timeout_100ms: 6, car: CAR }, NEAR);
        bench.run(ms(50));
        assert_eq!(bench.times(is_parm_req), questions);
        assert_eq!(bench.pev.state(), PevState::Sounding);
    }
}
