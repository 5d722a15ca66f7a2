//! The end of a session as `ccs decode` determines it from the frames alone, compared with the scenario: `ccs
//! demo` plays and records it.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "helpers of tests: a surprise ends the test"
)]

use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering};

use corpus::Value;

/// A scenario, and for its first session: which side ended it, how, in which phase, and which side caused it
/// by which message.
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
    ("S027", "charger", "EVSE_Shutdown", "PowerDelivery", "-"),
    ("S028", "charger", "EVSE_Shutdown", "CableCheck", "-"),
    ("A5", "charger", "FAILED_WrongChargeParameter", "ChargeParameterDiscovery", "-"),
    ("N03", "car", "FAILED_RESSTemperatureInhibit", "CurrentDemand", "-"),
    ("B9", "charger", "EVSE_EmergencyShutdown", "CurrentDemand", "-"),
    ("G5", "car", "SessionStopReq", "PreCharge", "-"),
    ("F6", "charger", "FIN", "CurrentDemand", "-"),
];

fn ending(scenario: &str, change: fn(Vec<u8>) -> Vec<u8>) -> Value {
    static COUNT: AtomicUsize = AtomicUsize::new(0);
    let name = format!("ccs-endings-{}-{}.pcapng", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
    let path = std::env::temp_dir().join(name);
    let ccs = |args: &[&str]| Command::new(env!("CARGO_BIN_EXE_ccs")).args(args).arg(&path).output().unwrap();
    let _ = ccs(&["demo", "--fault", scenario, "--record"]);
    std::fs::write(&path, change(std::fs::read(&path).unwrap())).unwrap();
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
            let end = ending(scenario, |file| file);
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

/// The frame before which the log line is inserted: the charger's first response with `EVSE_Shutdown` in
/// scenario X078.
const SHUTDOWN: usize = 372;

/// A pcapng file with a line of pyPLC's log, broadcast by syslog, as a frame before [`SHUTDOWN`].
#[allow(clippy::needless_pass_by_value, reason = "as every change of a file is called")]
fn with_stop_button(file: Vec<u8>) -> Vec<u8> {
    let line = b"<14>[81234ms] [EVSE] User pressed the STOP button on the charger. Sending EVSE_Shutdown.\0";
    let (udp, ip) = (u16::try_from(line.len() + 8).unwrap(), u16::try_from(line.len() + 28).unwrap());
    let mut frame = b"\xFF\xFF\xFF\xFF\xFF\xFF\x02\0\0\0\0\x01\x08\0\x45\0".to_vec();
    frame.extend(ip.to_be_bytes());
    frame.extend(b"\0\0\0\0\x40\x11\0\0\xC0\xA8\0\x01\xFF\xFF\xFF\xFF\xC0\0\x02\x02");
    frame.extend(udp.to_be_bytes());
    frame.extend([0, 0]);
    frame.extend(line);
    let number =
        |at: usize| usize::try_from(u32::from_le_bytes(file[at..at + 4].try_into().unwrap())).unwrap();
    let (mut at, mut packets) = (0, 0);
    loop {
        packets += usize::from(number(at) == 6);
        if packets == SHUTDOWN {
            break;
        }
        at += number(at + 4);
    }
    let length = u32::try_from(frame.len()).unwrap().to_le_bytes();
    let padded = frame.len().next_multiple_of(4);
    let total = u32::try_from(32 + padded).unwrap().to_le_bytes();
    // Interface and time of the block before which it is inserted.
    let head = [&6_u32.to_le_bytes()[..], &total, &file[at + 8..at + 20], &length, &length].concat();
    frame.resize(padded, 0);
    [&file[..at], &head, &frame, &total, &file[at..]].concat()
}

#[test]
fn a_stop_button_in_the_log_of_the_capture_is_in_the_sentence() {
    let end = ending("X078", with_stop_button);
    let frame = u64::try_from(SHUTDOWN).unwrap();
    assert_eq!((&end["how"], &end["frame"]), (&"EVSE_Shutdown".into(), &(frame + 1).into()));
    assert_eq!(end["stop_button"], serde_json::json!({ "at": "charger", "frame": frame }));
    let words = end["words"].as_str().unwrap();
    assert!(words.ends_with("; the stop button was pressed at the charger, frame 372"), "{words}");
    assert_eq!(ending("X078", |file| file)["stop_button"], Value::Null);
}
