//! One fault at each point of a session: both sides comply with every safety rule, and after the repair and a
//! new plug current flows. `scenarios/` has the further expectations for single faults; random scripts test
//! combinations.
#![allow(clippy::panic, reason = "a test ends where it fails")]

use sim::script::{parse, run};

/// A complete short charge: from the plug to a normal end.
const SESSION: &str = "\
    title sweep\n\
    side both\n\
    setup loose\n\
    setup sensors within 10 permille\n\
    setup enough 51 %\n\
    setup until 90s\n\
    expect recovers\n";

/// Each message of a session, and the loop when the current is up.
const POINTS: &[&str] = &[
    "supportedAppProtocolReq",
    "SessionSetupReq",
    "ChargeParameterDiscoveryReq",
    "ChargeParameterDiscoveryRes",
    "CableCheckReq 5",
    "PreChargeReq",
    "PreChargeRes 5",
    "PowerDeliveryReq",
    "CurrentDemandRes 20",
    "CurrentDemandReq 200",
    "PowerDeliveryReq 2",
    "PowerDeliveryRes 2",
    "WeldingDetectionReq",
    "WeldingDetectionRes",
    "SessionStopReq",
];

const FAULTS: &[&str] = &[
    "unplug",
    "cut line",
    "freeze charger",
    "freeze car",
    "freeze modem of charger",
    "freeze modem of car",
    "operator stops",
    "driver stops",
    "emergency stop of charger",
    "emergency stop of car",
    "pilot open",
    "pilot short",
    "pilot without diode",
    "pilot duty 20 permille",
    "pilot duty 1000 permille",
    "proximity open",
    "leak 10000 ohm",
    "leak 200000 ohm",
    "stage dead",
    "stage stuck",
    "stage runs away",
    "stage scaled 1200 permille",
    "stage adds 2A",
    "stage adds 20A",
    "contactors of charger weld",
    "contactors of charger stay open",
    "contactors of car weld",
    "contactors of car stay open",
    "lock of charger springs open",
    "lock of charger stays open",
    "lock of charger stays closed",
    "lock of car springs open",
    "lock of car stays open",
    "lock of car stays closed",
    "pilot bounces 20ms",
    "stage draws 20A",
    "restart charger",
    "restart car",
    "silence charger",
    "silence car",
    "battery goes",
];

/// Points at which sensors begin to lie: one in each phase.
const LIE_POINTS: &[&str] = &[
    "ChargeParameterDiscoveryReq",
    "CableCheckReq 5",
    "PreChargeRes 5",
    "CurrentDemandReq 200",
    "PowerDeliveryReq 2",
    "WeldingDetectionReq",
];

/// The lies: each kind, and each sensor at least once. docs/lies.md has all combinations.
const LIES: &[&str] = &[
    "charger pilot frozen",
    "charger pilot stuck at B",
    "charger duty stuck at 1000",
    "charger proximity stuck at unknown",
    "charger voltage stuck at 0V",
    "charger voltage scaled 1500 permille",
    "charger voltage noisy 60V",
    "charger stage off 60V",
    "charger current frozen",
    "charger current reversed",
    "charger current off 30A",
    "charger isolation frozen",
    "charger isolation stuck at measuring",
    "charger contactors reversed",
    "charger lock stuck at open",
    "charger emergency stuck at pressed",
    "car duty frozen",
    "car proximity stuck at pressed",
    "car voltage stuck at 0V",
    "car voltage off -60V",
    "car battery scaled 500 permille",
    "car current stuck at 0A",
    "car current reversed",
    "car contactors frozen",
    "car lock reversed",
    "car temperature stuck at 140C",
    "car emergency frozen",
];

/// Runs a session with each of these actions at each point; returns the failures.
fn sweep(points: &[&str], actions: &[String]) -> Vec<String> {
    let mut bad = Vec::new();
    for point in points {
        for action in actions {
            let text = format!("scenario sweep\n{SESSION}on {point}: {action}\n");
            let scripts = parse(&text).unwrap_or_else(|mistake| panic!("{mistake}"));
            let verdicts = scripts.iter().map(run).filter(|verdict| !verdict.passed());
            bad.extend(verdicts.map(|verdict| format!("on {point}: {action}: {verdict}")));
        }
    }
    bad
}

#[test]
fn whatever_breaks_wherever_a_session_is_no_rule_is_broken_and_the_next_plug_charges() {
    let faults: Vec<String> = FAULTS.iter().map(|fault| (*fault).to_owned()).collect();
    let bad = sweep(POINTS, &faults);
    assert!(bad.is_empty(), "{} failed\n{}", bad.len(), bad.join("\n"));
}

#[test]
fn whatever_sensor_lies_no_rule_is_broken_that_its_side_could_know_and_the_next_plug_charges() {
    let lies: Vec<String> = LIES.iter().map(|lie| format!("sensor of {lie}")).collect();
    let bad = sweep(LIE_POINTS, &lies);
    assert!(bad.is_empty(), "{} failed\n{}", bad.len(), bad.join("\n"));
}

#[test]
fn each_point_of_the_sweep_is_reached() {
    let points = POINTS.join(": nothing\non ");
    let strict = SESSION.replace("setup loose\n", "");
    let text = format!("scenario sweep\n{strict}on {points}: nothing\nexpect finishes\n");
    for script in parse(&text).unwrap_or_else(|mistake| panic!("{mistake}")) {
        let verdict = run(&script);
        assert!(verdict.passed(), "{verdict}");
    }
}
