//! Chargers whose modems do not measure.

use homeplug_mme::{GROUPS, Mac, Profile, RunId, Slac};
use slac::{Dropped, Event, PevConfig, PevState, Verdict};

use crate::bench::*;

const ONE: PevConfig = PevConfig::new(CAR);

/// Reports of chargers with a QCA7420 and of similar ones: name, sounds, groups.
const REPORTS: [(&str, u8, Option<[u8; GROUPS]>); 6] = [
    ("EVerest", 0, Some([1; GROUPS])),
    ("open-plc-utils", 10, Some([0; GROUPS])),
    ("pyslac", 10, None),
    ("no sounds and no groups", 0, None),
    ("values that look good, of no sounds", 0, Some([9; GROUPS])),
    ("nonsense, of no sounds", 0, Some([255; GROUPS])),
];

fn report(run_id: RunId, sounds: u8, groups: Option<[u8; GROUPS]>) -> Slac {
    Slac::AttenChar { run_id, car: CAR, sounds, profile: groups.map(Profile) }
}

fn silent(mac: Mac) -> Charger {
    Charger { reports: false, ..Charger::new(mac, 9) }
}

fn unmeasured(mac: Mac) -> Charger {
    Charger { measures: false, ..Charger::new(mac, 9) }
}

/// Warnings that no charger measured, with the charger that is tried.
fn warned(bench: &Bench) -> Vec<Mac> {
    let of = |event: &Event| if let Event::NoneMeasured { peer } = event { Some(*peer) } else { None };
    bench.events.iter().filter_map(of).collect()
}

#[test]
fn a_charger_that_does_not_measure_is_acknowledged_and_taken_with_a_warning_when_the_window_is_over() {
    for (who, sounds, groups) in REPORTS {
        let mut bench = Bench::plugged(ONE, &[silent(NEAR)]);
        bench.until(PevState::Collecting);
        let run_id = bench.run_id();
        bench.hear(report(run_id, sounds, groups), NEAR);
        assert_eq!(bench.times(is_rsp).len(), 1, "{who}");
        assert_eq!((bench.dropped(), bench.chosen()), (vec![], vec![]), "{who}: the window is open");
        bench.until(PevState::Joining);
        assert_eq!(bench.times(is_match_req), [1250], "{who}");
        assert_eq!((warned(&bench), bench.chosen()), (vec![NEAR], vec![NEAR]), "{who}");
        assert_eq!(bench.pev.verdict(), Some(Verdict::Unmeasured), "{who}");
        assert!(bench.events.contains(&Event::Unmeasured { peer: NEAR }), "{who}");
        bench.join();
        assert!(bench.pev.is_matched(), "{who}");
    }
}

#[test]
fn another_number_of_groups_is_no_measurement_that_can_be_compared() {
    for groups in [1, 29, 57] {
        let mut bench = Bench::plugged(ONE, &[silent(NEAR)]);
        bench.until(PevState::Collecting);
        let mut bytes = frame(Charger::new(NEAR, 1).report(bench.run_id(), CAR), NEAR, CAR);
        bytes[70] = groups;
        bench.give(slac::PevInput::Frame(&bytes));
        bench.until(PevState::Joining);
        assert_eq!((warned(&bench), bench.times(is_rsp).len()), (vec![NEAR], 1), "{groups} groups");
    }
}

#[test]
fn who_measured_comes_first_in_any_order_and_however_far_it_is() {
    for order in [[unmeasured(NEAR), Charger::new(FAR, 39)], [Charger::new(FAR, 39), unmeasured(NEAR)]] {
        let mut bench = Bench::plugged(ONE, &order);
        bench.until(PevState::Joining);
        assert_eq!((bench.chosen(), warned(&bench)), (vec![FAR], vec![]));
        assert_eq!(bench.times(is_rsp).len(), 2);
    }
}

#[test]
fn who_did_not_measure_is_tried_when_those_who_did_fail_or_are_too_far_away() {
    let deaf = Charger { deaf_to_matches: 9, ..Charger::new(FAR, 20) };
    for (measured, tried) in [(deaf, vec![FAR, NEAR]), (Charger::new(FAR, 41), vec![NEAR])] {
        let mut bench = Bench::plugged(ONE, &[unmeasured(NEAR), measured]);
        bench.until(PevState::Joining);
        assert_eq!((bench.chosen(), warned(&bench)), (tried, vec![NEAR]));
    }
}

#[test]
fn of_several_that_do_not_measure_the_lower_address_is_tried_first_and_then_the_other() {
    for order in [[NEAR, FAR], [FAR, NEAR]] {
        let mut chargers = order.map(unmeasured);
        chargers.iter_mut().find(|charger| charger.mac == NEAR).unwrap().deaf_to_matches = 9;
        let mut bench = Bench::plugged(ONE, &chargers);
        bench.until(PevState::Joining);
        assert_eq!((bench.chosen(), warned(&bench)), (vec![NEAR, FAR], vec![NEAR, FAR]));
        assert_eq!(bench.times(is_rsp).len(), 2);
    }
}

#[test]
fn a_measurement_within_the_window_replaces_a_report_without_one_and_not_the_other_way() {
    let mut bench = Bench::plugged(ONE, &[silent(NEAR)]);
    bench.until(PevState::Collecting);
    let run_id = bench.run_id();
    bench.hear(report(run_id, 0, None), NEAR);
    bench.hear(Charger::new(NEAR, 9).report(run_id, CAR), NEAR);
    assert_eq!((bench.chosen(), warned(&bench), bench.times(is_rsp).len()), (vec![NEAR], vec![], 2));

    let mut bench = Bench::plugged(ONE, &[Charger::new(NEAR, 9), silent(FAR)]);
    bench.until(PevState::Collecting);
    let run_id = bench.run_id();
    bench.hear(report(run_id, 0, None), NEAR);
    assert_eq!(bench.dropped(), [Dropped::Repeated]);
    bench.until(PevState::Joining);
    assert_eq!((bench.chosen(), warned(&bench)), (vec![NEAR], vec![]));
}

#[test]
fn a_report_without_a_measurement_after_the_choice_is_acknowledged_and_its_station_not_tried() {
    let deaf = Charger { deaf_to_matches: 9, ..Charger::new(NEAR, 20) };
    let mut bench = Bench::plugged(ONE, &[deaf, silent(FAR)]);
    bench.until(PevState::Choosing);
    let run_id = bench.run_id();
    bench.hear(report(run_id, 0, Some([1; GROUPS])), FAR);
    assert_eq!((bench.times(is_rsp).len(), bench.dropped()), (2, vec![Dropped::Repeated]));
    bench.until(PevState::Waiting);
    assert_eq!((bench.chosen(), warned(&bench)), (vec![NEAR], vec![]));
}

#[test]
fn a_strict_car_neither_acknowledges_nor_takes_it() {
    for (who, sounds, groups) in REPORTS {
        let mut bench = Bench::plugged(PevConfig { lenient: false, ..ONE }, &[silent(NEAR)]);
        bench.until(PevState::Collecting);
        let run_id = bench.run_id();
        bench.hear(report(run_id, sounds, groups), NEAR);
        assert_eq!(bench.dropped(), [Dropped::Implausible], "{who}");
        bench.until(PevState::Waiting);
        assert_eq!((bench.times(is_rsp).len(), bench.chosen()), (0, vec![]), "{who}");
    }
}
