//! Validation of a car by the toggles of its pilot.

use homeplug_mme::{Mac, Slac, ValidateResult};
use slac::{Event, EvseConfig, EvseInput, EvseState, EvseValidation};

use crate::bench::{Bench, CAR, CHARGER, Car};

fn bench(validation: EvseValidation) -> Bench {
    let mut bench = Bench::with(EvseConfig { validation, ..EvseConfig::new(CHARGER) });
    CAR.reach_choosing(&mut bench);
    bench.sent();
    bench
}

/// First step: timer 0; second step: a window of (timer + 1) * 100 ms.
fn ask(bench: &mut Bench, car: Mac, timer: u8) {
    bench.send(car, CHARGER, Slac::ValidateReq { timer, result: ValidateResult::Ready });
}

fn toggle(bench: &mut Bench, times: u8) {
    for _ in 0..times {
        bench.input(EvseInput::Ready(true));
        bench.after(300).input(EvseInput::Ready(false));
        bench.after(300);
    }
}

fn results(bench: &mut Bench) -> Vec<(u8, ValidateResult)> {
    let result = |(_, _, message)| match message {
        Slac::ValidateCnf { toggles, result } => (toggles, result),
        other => panic!("{other:?}"),
    };
    bench.answers().into_iter().map(result).collect()
}

#[test]
fn a_charger_that_does_not_validate_says_so_and_the_match_goes_on() {
    let policies = [
        (EvseValidation::NotRequired, ValidateResult::NotRequired),
        (EvseValidation::Failure, ValidateResult::Failure),
    ];
    for (policy, expected) in policies {
        let mut bench = bench(policy);
        bench.told();
        for timer in [0, 20] {
            ask(&mut bench, CAR.mac, timer);
            assert_eq!(results(&mut bench), [(0, expected)]);
            assert_eq!(bench.told(), [Event::Validated { peer: CAR.mac, result: expected }]);
        }
        bench.send(CAR.mac, CHARGER, CAR.chooses());
        assert_eq!(bench.evse.state(), EvseState::Joining);
    }
}

#[test]
fn toggles_are_counted_in_the_window_that_the_car_names() {
    for toggles in 1..=3 {
        let mut bench = bench(EvseValidation::Toggles);
        ask(&mut bench, CAR.mac, 0);
        assert_eq!(results(&mut bench), [(0, ValidateResult::Ready)]);
        let begin = bench.now.as_millis();
        ask(&mut bench, CAR.mac, 19);
        toggle(&mut bench, toggles);
        bench.at(begin + 1999);
        assert_eq!(results(&mut bench), []);
        bench.at(begin + 2000);
        assert_eq!(results(&mut bench), [(toggles, ValidateResult::Success)]);
        bench.send(CAR.mac, CHARGER, CAR.chooses());
        assert_eq!(bench.evse.state(), EvseState::Joining);
    }
}

#[test]
fn no_toggle_is_a_failure_and_the_window_is_at_most_3500_ms() {
    let mut bench = bench(EvseValidation::Toggles);
    let begin = bench.now.as_millis();
    ask(&mut bench, CAR.mac, 255);
    bench.at(begin + 3499);
    assert_eq!(results(&mut bench), []);
    bench.at(begin + 3500);
    assert_eq!(results(&mut bench), [(0, ValidateResult::Failure)]);
    // Toggles after the window do not count.
    toggle(&mut bench, 2);
    assert_eq!(results(&mut bench), []);
}

#[test]
fn a_level_told_twice_is_one_toggle() {
    let mut bench = bench(EvseValidation::Toggles);
    ask(&mut bench, CAR.mac, 9);
    for level in [false, true, true, false, false, true, true] {
        bench.input(EvseInput::Ready(level));
    }
    bench.after(1000);
    assert_eq!(results(&mut bench), [(2, ValidateResult::Success)]);
}

#[test]
fn one_car_is_validated_at_a_time() {
    let mut bench = bench(EvseValidation::Toggles);
    let other = Car::new(2);
    other.reach_choosing(&mut bench);
    bench.sent();
    ask(&mut bench, CAR.mac, 29);
    // Requested again within the window: one window, one response.
    ask(&mut bench, CAR.mac, 29);
    for timer in [0, 29] {
        ask(&mut bench, other.mac, timer);
        assert_eq!(results(&mut bench), [(0, ValidateResult::NotReady)]);
    }
    toggle(&mut bench, 1);
    bench.after(3000);
    assert_eq!(results(&mut bench), [(1, ValidateResult::Success)]);
    ask(&mut bench, other.mac, 0);
    assert_eq!(results(&mut bench), [(0, ValidateResult::Ready)]);
}

#[test]
fn only_a_car_that_may_choose_is_validated() {
    let mut bench =
        Bench::with(EvseConfig { validation: EvseValidation::Toggles, ..EvseConfig::new(CHARGER) });
    CAR.begin(&mut bench);
    bench.sent();
    ask(&mut bench, CAR.mac, 0);
    ask(&mut bench, Mac([2, 0, 0, 0, 9, 9]), 0);
    assert_eq!(results(&mut bench), []);
    CAR.sounds(&mut bench, 12);
    bench.sent();
    ask(&mut bench, CAR.mac, 0);
    assert_eq!(results(&mut bench), []);
    bench.send(CAR.mac, CHARGER, CAR.acknowledges(0));
    // A car that is not ready, another signal, a broadcast.
    bench.send(CAR.mac, CHARGER, Slac::ValidateReq { timer: 0, result: ValidateResult::NotReady });
    bench.cast(CAR.mac, Slac::ValidateReq { timer: 0, result: ValidateResult::Ready });
    assert_eq!(results(&mut bench), []);
    ask(&mut bench, CAR.mac, 0);
    assert_eq!(results(&mut bench), [(0, ValidateResult::Ready)]);
}

#[test]
fn a_car_that_begins_anew_in_the_window_gets_no_answer_from_the_old_run() {
    let mut bench = bench(EvseValidation::Toggles);
    ask(&mut bench, CAR.mac, 9);
    bench.after(500).cast(CAR.mac, CAR.asks());
    assert_eq!(bench.sent().len(), 1);
    bench.told();
    bench.after(5000);
    assert!(bench.sent().is_empty() && bench.told().is_empty());
}

#[test]
fn the_time_to_choose_begins_anew_with_each_step() {
    let mut bench = bench(EvseValidation::Toggles);
    let begin = bench.now.as_millis();
    bench.at(begin + 9_000);
    ask(&mut bench, CAR.mac, 19);
    toggle(&mut bench, 1);
    bench.at(begin + 11_000);
    assert_eq!(results(&mut bench), [(1, ValidateResult::Success)]);
    bench.at(begin + 20_900).send(CAR.mac, CHARGER, CAR.chooses());
    assert_eq!(bench.evse.state(), EvseState::Joining);
}
