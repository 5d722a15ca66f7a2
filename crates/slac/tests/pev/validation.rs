//! `CM_VALIDATE`: with and without a result.

use homeplug_mme::{Slac, ValidateResult};
use slac::{Dropped, Event, Failure, PevConfig, PevState, PevValidation};

use crate::bench::*;

const SURE: PevConfig = PevConfig { validation: PevValidation::WhenPotential, ..PevConfig::new(CAR) };

fn is_validate(slac: &Slac) -> bool {
    matches!(slac, Slac::ValidateReq { .. })
}

fn cnf(toggles: u8, result: ValidateResult) -> Slac {
    Slac::ValidateCnf { toggles, result }
}

/// The request of step 1 is sent.
fn validating(chargers: &[Charger]) -> Bench {
    let mut bench = Bench::plugged(SURE, chargers);
    bench.until(PevState::Validating);
    bench
}

fn one() -> Bench {
    validating(&[Charger::new(NEAR, 15)])
}

fn two() -> Bench {
    validating(&[Charger::new(NEAR, 15), Charger::new(FAR, 18)])
}

#[test]
fn only_what_is_not_certain_is_validated_and_only_when_configured() {
    let never = PevConfig::new(CAR);
    for (config, db, validates) in [(SURE, 10, false), (SURE, 11, true), (SURE, 30, true), (never, 15, false)]
    {
        let mut bench = Bench::plugged(config, &[Charger::new(NEAR, db)]);
        bench.run(ms(500));
        assert_eq!(bench.pev.state() == PevState::Validating, validates, "{db} dB");
        assert_eq!(bench.times(is_validate).is_empty(), !validates);
    }
}

#[test]
fn three_toggles_of_300_ms_states_are_shown_in_the_window_and_counted_right_they_match() {
    let mut bench = one();
    let began = bench.now;
    assert_eq!(bench.pev.toggle(), None);
    bench.hear(cnf(0, ValidateResult::Ready), NEAR);
    bench.run(ms(1900));
    let shown: Vec<_> = bench.toggles.iter().map(|(at, shown)| ((*at - began).as_millis(), *shown)).collect();
    // A lead, so that the charger counts before the first toggle.
    let expected =
        [(0, false), (100, true), (400, false), (700, true), (1000, false), (1300, true), (1600, false)];
    assert_eq!(shown, expected.map(|(at, c)| (at, Some(c))));
    let timers: Vec<_> =
        bench.sent.iter().filter(|sent| is_validate(&sent.slac)).map(|sent| sent.slac).collect();
    let ready = ValidateResult::Ready;
    assert_eq!(
        timers,
        [Slac::ValidateReq { timer: 0, result: ready }, Slac::ValidateReq { timer: 20, result: ready }]
    );

    bench.hear(cnf(3, ValidateResult::Success), NEAR);
    assert_eq!(bench.pev.toggle(), None);
    assert_eq!(bench.chosen(), [NEAR]);
    assert_eq!(bench.pev.state(), PevState::Joining);
    assert!(bench.events.contains(&Event::Validated { peer: NEAR, result: ValidateResult::Success }));
}

#[test]
fn an_early_success_or_one_from_elsewhere_counts_for_nothing() {
    let mut bench = one();
    bench.hear(cnf(3, ValidateResult::Success), NEAR);
    bench.hear(cnf(0, ValidateResult::Ready), FAR);
    bench.hear(cnf(0, ValidateResult::Ready), NEAR);
    bench.run(ms(1000));
    bench.hear(cnf(3, ValidateResult::Success), NEAR);
    bench.hear(cnf(3, ValidateResult::Success), FAR);
    assert_eq!(
        bench.dropped(),
        [Dropped::OutOfOrder, Dropped::Unasked, Dropped::OutOfOrder, Dropped::Unasked]
    );
    assert_eq!((bench.pev.state(), bench.chosen().len()), (PevState::Validating, 0));
}

#[test]
fn a_wrong_count_or_a_failure_of_the_count_brings_the_next_charger() {
    for (toggles, result) in [(2, ValidateResult::Success), (3, ValidateResult::Failure)] {
        let mut bench = two();
        bench.hear(cnf(0, ValidateResult::Ready), NEAR);
        bench.run(ms(1900));
        bench.hear(cnf(toggles, result), NEAR);
        assert_eq!(bench.failures(), [Failure::NotValidated { peer: NEAR }]);
        assert_eq!((bench.pev.state(), bench.pev.peer()), (PevState::Validating, Some(FAR)));
        bench.hear(cnf(0, ValidateResult::NotRequired), FAR);
        assert_eq!(bench.chosen(), [FAR]);
    }
}

#[test]
fn a_charger_that_needs_no_validation_is_matched() {
    let mut bench = two();
    bench.hear(cnf(0, ValidateResult::NotRequired), NEAR);
    assert_eq!(bench.chosen(), [NEAR]);
}

#[test]
fn a_charger_that_does_not_validate_is_matched_when_there_is_no_other() {
    let mut bench = one();
    bench.hear(cnf(0, ValidateResult::Failure), NEAR);
    assert_eq!(bench.chosen(), [NEAR]);
    // No response at all to three requests.
    let mut bench = one();
    bench.until(PevState::Joining);
    assert_eq!(bench.times(is_validate), [440, 640, 840]);
    assert_eq!(bench.chosen(), [NEAR]);
}

#[test]
fn where_several_reported_and_none_validates_the_attempt_fails() {
    let mut bench = two();
    bench.hear(cnf(0, ValidateResult::Failure), NEAR);
    bench.hear(cnf(0, ValidateResult::Failure), FAR);
    let failures = [NEAR, FAR].map(|peer| Failure::NotValidated { peer });
    assert_eq!((bench.failures(), bench.pev.state()), (failures.to_vec(), PevState::Waiting));
    assert_eq!(bench.chosen(), []);
}

#[test]
fn a_charger_that_is_not_ready_is_asked_again_with_patience_that_ends() {
    let mut bench = one();
    for round in 1..=6 {
        assert_eq!(bench.times(is_validate).len(), round);
        bench.hear(cnf(0, ValidateResult::NotReady), NEAR);
        assert_eq!(bench.pev.state() == PevState::Validating, round < 6);
        bench.run(ms(1000));
    }
    assert_eq!(bench.failures(), [Failure::NotValidated { peer: NEAR }]);
}

#[test]
fn an_uncounted_window_is_shown_again_twice_and_then_fails() {
    let mut bench = one();
    bench.hear(cnf(0, ValidateResult::Ready), NEAR);
    bench.until(PevState::Waiting);
    // Windows of 2.1 s, and 200 ms for the response.
    assert_eq!(bench.times(is_validate), [440, 440, 2740, 5040]);
    assert_eq!(bench.toggles.iter().filter(|(_, shown)| *shown == Some(true)).count(), 9);
    assert_eq!((bench.failures(), bench.pev.toggle()), (vec![Failure::NotValidated { peer: NEAR }], None));
}
