//! `ccs decode --summary --json` on every capture of the corpus, compared with the facts of other decoders
//! (`summary/keys.tsv`, `summary/differences.tsv`) and with the true story of each DIN session
//! (`summary/stories.tsv`).
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "helpers of tests: a surprise ends the test"
)]

use std::collections::BTreeSet;
use std::process::Command;

use corpus::Value;

/// The rows of a table: its first line that is no comment has the names of the columns.
fn table(text: &'static str) -> Vec<Vec<&'static str>> {
    let lines = text.lines().filter(|line| !line.starts_with('#')).skip(1);
    lines.map(|line| line.split('\t').collect()).collect()
}

fn captures() -> Option<Vec<Value>> {
    let path = corpus::path("captures/summary.json")?;
    Some(serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap())
}

fn summary(capture: &str) -> Value {
    let path = corpus::path(&format!("captures/{capture}")).unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_ccs"))
        .args(["decode", "--summary", "--json"])
        .arg(path)
        .output()
        .unwrap();
    serde_json::from_slice(&output.stdout).unwrap()
}

/// The value at a path of keys and indices; null if it does not exist.
fn at<'v>(value: &'v Value, path: &str) -> &'v Value {
    value.pointer(&format!("/{path}")).unwrap_or(&Value::Null)
}

fn items(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

fn agree(theirs: &Value, ours: &Value) -> bool {
    match (theirs, ours) {
        (Value::Number(theirs), Value::Number(ours)) => {
            (theirs.as_f64().unwrap() - ours.as_f64().unwrap()).abs() < 1.1e-3
        }
        (Value::String(theirs), Value::String(ours)) => theirs.eq_ignore_ascii_case(ours),
        (Value::String(theirs), Value::Null) => theirs.is_empty(),
        _ => theirs == ours,
    }
}

/// Compares two objects by the keys of `part`.
struct Comparison {
    keys: Vec<Vec<&'static str>>,
    differences: Vec<Vec<&'static str>>,
    used: BTreeSet<usize>,
    wrong: Vec<String>,
    compared: usize,
}

impl Comparison {
    fn compare(&mut self, capture: &str, part: &str, theirs: &Value, ours: &Value) {
        for key in self.keys.clone().iter().filter(|key| key[0] == part) {
            self.value(capture, theirs, key[1], at(theirs, key[1]), at(ours, key[2]));
        }
    }

    fn value(&mut self, capture: &str, of: &Value, key: &str, theirs: &Value, ours: &Value) {
        self.compared += 1;
        if agree(theirs, ours) {
            return;
        }
        let frame = of["first_frame"].to_string();
        let known = |row: &Vec<&str>| {
            row[0] == capture
                && row[1] == frame
                && (key == row[2] || key.starts_with(&format!("{}/", row[2])))
        };
        match self.differences.iter().position(known) {
            Some(row) => {
                self.used.insert(row);
            }
            None => self.wrong.push(format!("{capture} frame {frame} {key}: theirs {theirs}, ours {ours}")),
        }
    }
}

#[test]
fn matching_discovery_connections_and_values_agree_with_other_decoders() {
    let Some(captures) = captures() else { return };
    let mut comparison = Comparison {
        keys: table(include_str!("summary/keys.tsv")),
        differences: table(include_str!("summary/differences.tsv")),
        used: BTreeSet::new(),
        wrong: Vec::new(),
        compared: 0,
    };
    for theirs in &captures {
        let name = corpus::text(theirs, "capture");
        let ours = summary(name);
        comparison.compare(name, "capture", theirs, &ours);
        let chargers: BTreeSet<String> = items(&theirs["sdp"])
            .iter()
            .map(|sdp| format!("[{}]:{}", sdp["secc_ip"].as_str().unwrap(), sdp["secc_port"]))
            .collect();
        let found =
            items(&ours["chargers"]).iter().map(|charger| charger.as_str().unwrap().to_owned()).collect();
        assert_eq!(chargers, found, "{name}: what discovery announced");
        assert_eq!(items(&theirs["slac_runs"]).len(), items(&ours["matchings"]).len(), "{name}: attempts");
        for (theirs, ours) in items(&theirs["slac_runs"]).iter().zip(items(&ours["matchings"])) {
            comparison.compare(name, "matching", theirs, ours);
            for (at, report) in items(&theirs["atten_char_ind"]).iter().enumerate() {
                let charger = items(&ours["chargers"]).iter().find(|ours| ours["charger"] == report["from"]);
                // The other decoder rounds to two decimals; ours are cut.
                let ours = charger.unwrap()["attenuation_db"].as_f64().unwrap();
                let is_same = (report["avg_db"].as_f64().unwrap() - ours).abs() < 0.011;
                let ours = if is_same { report["avg_db"].clone() } else { ours.into() };
                comparison.value(name, theirs, &format!("atten_char_ind/{at}"), &report["avg_db"], &ours);
            }
        }
        assert_eq!(items(&theirs["sessions"]).len(), items(&ours["sessions"]).len(), "{name}: sessions");
        for (theirs, ours) in items(&theirs["sessions"]).iter().zip(items(&ours["sessions"])) {
            comparison.compare(name, "session", theirs, ours);
            if theirs["schemas"]["din"].is_null() {
                continue;
            }
            comparison.compare(name, "din", theirs, ours);
            for key in comparison.keys.clone().iter().filter(|key| key[0] == "phase") {
                let phase = items(&ours["phases"]).iter().find(|phase| phase["phase"] == key[2]);
                let phase = phase.unwrap_or(&Value::Null);
                for (theirs_key, ours_key) in [("_s", "duration_s"), ("_pairs", "requests")] {
                    let theirs_key = format!("{}{theirs_key}", key[1]);
                    comparison.value(name, theirs, &theirs_key, at(theirs, &theirs_key), at(phase, ours_key));
                }
            }
        }
    }
    assert_eq!(comparison.wrong, [""; 0]);
    let unused = (0..comparison.differences.len()).filter(|row| !comparison.used.contains(row));
    let unused: Vec<_> = unused.map(|row| comparison.differences[row].clone()).collect();
    assert!(unused.is_empty(), "no difference any more: {unused:?}");
    assert!(comparison.compared > 1500, "only {} values compared", comparison.compared);
}

/// A column of the table of stories, and its place in the summary.
const STORY: &[(&str, &str)] = &[
    ("last_frame", "last_frame"),
    ("car_max_v", "car/limits/max_voltage_v"),
    ("car_max_a", "car/limits/max_current_a"),
    ("car_max_w", "car/limits/max_power_w"),
    ("charger_max_v", "charger/limits/max_voltage_v"),
    ("charger_max_a", "charger/limits/max_current_a"),
    ("charger_max_w", "charger/limits/max_power_w"),
    ("soc_first", "soc_percent/first"),
    ("soc_last", "soc_percent/last"),
    ("precharge_target_v", "precharge_target_v"),
    ("precharge_reached_v", "precharge_reached_v"),
    ("energy_wh", "energy_wh"),
    ("by", "end/by"),
    ("how", "end/how"),
    ("frame", "end/frame"),
];

#[test]
fn every_din_session_has_its_true_story() {
    if captures().is_none() {
        return;
    }
    let text = include_str!("summary/stories.tsv");
    let columns: Vec<&str> = text.lines().find(|line| !line.starts_with('#')).unwrap().split('\t').collect();
    let column =
        |row: &[&'static str], name: &str| row[columns.iter().position(|column| *column == name).unwrap()];
    let mut wrong = Vec::new();
    let rows = table(text);
    for row in &rows {
        let (capture, first) = (column(row, "capture"), column(row, "first_frame"));
        let summary = summary(capture);
        let session = items(&summary["sessions"])
            .iter()
            .find(|session| session["first_frame"].as_u64() == first.parse().ok());
        let session = session.unwrap_or_else(|| panic!("{capture}: no session from frame {first} on"));
        let mut check = |name: &str, ours: &Value| {
            let truth = column(row, name);
            let is_same = match (truth, ours) {
                ("-", ours) => ours.is_null(),
                (truth, Value::Number(ours)) => {
                    let (truth, ours): (f64, f64) = (truth.parse().unwrap(), ours.as_f64().unwrap());
                    let tolerance = if name == "energy_wh" { 0.02 * truth.abs() } else { 0.0 };
                    (truth - ours).abs() <= tolerance.max(1.1e-3)
                }
                (truth, ours) => ours.as_str().is_some_and(|ours| ours.eq_ignore_ascii_case(truth)),
            };
            if !is_same {
                wrong.push(format!("{capture} frame {first} {name}: {truth}, ours {ours}"));
            }
        };
        for (name, path) in STORY {
            check(name, at(session, path));
        }
        for (name, phase) in
            [("cable_check_s", "CableCheck"), ("precharge_s", "PreCharge"), ("charge_s", "CurrentDemand")]
        {
            let phase = items(&session["phases"]).iter().find(|span| span["phase"] == phase);
            check(name, phase.map_or(&Value::Null, |phase| &phase["duration_s"]));
        }
        let orderly = if session["end"]["orderly"] == true { "yes" } else { "no" };
        check("orderly", &orderly.into());
        let maker = session["car"]["id"].as_str().map(|id| Value::from(id[..6].to_owned()));
        check("maker", &maker.unwrap_or_default());
    }
    assert_eq!(wrong, [""; 0]);
    assert!(rows.len() >= 24, "{}", rows.len());
}

#[test]
fn sessions_of_other_message_sets_are_named_with_protocol_and_end() {
    if captures().is_none() {
        return;
    }
    for (capture, protocol, by, how) in [
        ("ISO-2_DC_DS5366.pcapng", "iso2", "car", "FIN"),
        ("porsche-taycan-4s-driverside-ac-iso2.pcap", "iso2", "charger", "FIN"),
        ("ISO-20_BPT_AC_DS5366_Josev.pcapng", "iso20-ac", "car", "FIN"),
    ] {
        let summary = summary(capture);
        let session = &summary["sessions"][0];
        assert_eq!(session["protocol"], protocol, "{capture}");
        assert_eq!((&session["end"]["by"], &session["end"]["how"]), (&by.into(), &how.into()), "{capture}");
    }
}
