//! The end of a session as `ccs decode` says it from the frames alone, against what the scenario did: `ccs demo` plays it and
//! records it.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "helpers of tests: a surprise ends the test"
)]

use std::process::Command;

use corpus::Value;

/// A scenario, and of the first session it makes: who ended it, how, where, and whose doing it was by which message.
const ENDINGS: &[(&str, &str, &str, &str, &str)] = &[
    ("X018", "-", "link lost", "CurrentDemand", "-"),
    ("X032", "-", "link lost", "CurrentDemand", "-"),
    ("X047", "charger", "FAILED_SequenceError", "ContractAuthentication", "car ContractAuthenticationReq"),
    ("X048", "charger", "FAILED_UnknownSession", "ServiceDiscovery", "car ServiceDiscoveryReq"),
    ("X051", "charger", "Failed_NoNegotiation", "Handshake", "-"),
    ("X055", "charger", "FAILED_SequenceError", "PowerDelivery", "car PowerDeliveryReq"),
    ("X056", "charger", "FAILED", "CableCheck", "-"),
    ("X058", "car", "FAILED_EVRESSMalfunction", "CurrentDemand", "-"),
    ("X061", "charger", "FAILED", "CurrentDemand", "-"),
    ("X063", "charger", "FAILED", "PreCharge", "-"),
    ("X065", "car", "FIN", "CurrentDemand", "-"),
    ("X069", "car", "SessionStopReq", "CurrentDemand", "-"),
    ("X070", "charger", "FAILED", "ContractAuthentication", "-"),
    ("X074", "charger", "FAILED", "SessionSetup", "-"),
    ("X075", "car", "FIN", "Handshake", "charger supportedAppProtocolReq"),
    ("X076", "car", "FIN", "SessionSetup", "charger ServicePaymentSelectionRes"),
    ("X077", "car", "FIN", "ServiceDiscovery", "charger ServiceDiscoveryRes"),
    ("X078", "charger", "EVSE_Shutdown", "PreCharge", "-"),
    ("X079", "charger", "StopCharging", "CurrentDemand", "-"),
    ("X084", "charger", "EVSE_Malfunction", "CableCheck", "-"),
    ("X088", "charger", "EVSE_Malfunction", "CurrentDemand", "-"),
    ("X089", "car", "PowerDelivery(false)", "CurrentDemand", "-"),
    ("X093", "car", "SessionStopReq", "ChargeParameterDiscovery", "-"),
    ("X099", "charger", "FAILED", "CableCheck", "-"),
    ("X102", "charger", "EVSE_Malfunction", "CurrentDemand", "-"),
    ("X103", "charger", "EVSE_Malfunction", "CurrentDemand", "-"),
    ("X107", "car", "PowerDelivery(false)", "CurrentDemand", "-"),
    ("X119", "car", "FIN", "CurrentDemand", "charger CurrentDemandReq"),
    ("X121", "car", "FIN", "CableCheck", "charger CableCheckReq"),
    ("S003", "charger", "EVSE_EmergencyShutdown", "CableCheck", "-"),
    ("S004", "car", "FIN", "CableCheck", "charger CableCheckRes"),
    ("S008", "charger", "FIN", "PowerDelivery", "charger PowerDeliveryReq"),
    ("S013", "car", "FIN", "CurrentDemand", "-"),
    ("S027", "charger", "FAILED_PowerDeliveryNotApplied", "PowerDelivery", "-"),
    ("S028", "charger", "EVSE_Shutdown", "CableCheck", "-"),
    ("A5", "charger", "FAILED_WrongChargeParameter", "ChargeParameterDiscovery", "-"),
    ("N03", "car", "FAILED_RESSTemperatureInhibit", "CurrentDemand", "-"),
    ("B9", "charger", "EVSE_EmergencyShutdown", "CurrentDemand", "-"),
    ("G5", "car", "SessionStopReq", "PreCharge", "-"),
    ("F6", "charger", "FIN", "CurrentDemand", "-"),
];

fn ending(scenario: &str) -> Value {
    let path = std::env::temp_dir().join(format!("ccs-endings-{}-{scenario}.pcapng", std::process::id()));
    let ccs = |args: &[&str]| Command::new(env!("CARGO_BIN_EXE_ccs")).args(args).arg(&path).output().unwrap();
    let _ = ccs(&["demo", "--fault", scenario, "--record"]);
    let summary = ccs(&["decode", "--summary", "--json"]);
    // A file that is left does no harm.
    let _ = std::fs::remove_file(&path);
    let summary: Value = serde_json::from_slice(&summary.stdout).unwrap();
    summary["sessions"][0]["end"].clone()
}

#[test]
fn each_fault_is_seen_from_its_frames_as_the_scenario_made_it() {
    assert!(ENDINGS.len() >= 30, "{}", ENDINGS.len());
    let text = |value: &Value| value.as_str().unwrap_or("-").to_owned();
    let found: Vec<String> = (ENDINGS.iter())
        .map(|(scenario, ..)| {
            let end = ending(scenario);
            let cause = &end["cause"];
            let cause = if cause.is_null() {
                "-".into()
            } else {
                format!("{} {}", text(&cause["by"]), text(&cause["message"]))
            };
            format!("{scenario} {} {} {} {cause}", text(&end["by"]), text(&end["how"]), text(&end["phase"]))
        })
        .collect();
    let expected: Vec<String> = (ENDINGS.iter())
        .map(|(scenario, by, how, phase, cause)| format!("{scenario} {by} {how} {phase} {cause}"))
        .collect();
    assert_eq!(found, expected);
}
