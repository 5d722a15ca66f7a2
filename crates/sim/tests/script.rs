//! Every fault scenario of `scenarios/`, each judged by the safety rules too.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test ends where it fails")]

use std::collections::BTreeSet;
use std::path::Path;

use sim::script::{FILES, Script, library, parse, play, run, unplayed};

/// Every scenario, one for each case.
fn scripts() -> Vec<Script> {
    let read =
        |(name, text): &(&str, &str)| parse(text).unwrap_or_else(|mistake| panic!("{name}: {mistake}"));
    FILES.iter().flat_map(read).collect()
}

#[test]
fn every_file_of_the_folder_is_in_the_library() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios");
    let names =
        std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let files: BTreeSet<String> =
        names.filter_map(|name| name.strip_suffix(".txt").map(str::to_owned)).collect();
    assert_eq!(files, FILES.iter().map(|(name, _)| (*name).to_owned()).collect());
    assert_eq!(library().unwrap().len(), scripts().len());
}

/// `ONLY=X074` runs these alone, and `TRACE=1` prints the trace of those that fail.
#[test]
fn every_scenario_ends_as_expected() {
    let only = std::env::var("ONLY").unwrap_or_default();
    let mut bad = Vec::new();
    for script in
        scripts().iter().filter(|script| format!("{} {}", script.id, script.case).starts_with(&only))
    {
        let verdict = run(script);
        if !verdict.passed() {
            bad.push(verdict.to_string());
            if std::env::var_os("TRACE").is_some() {
                eprintln!("{}", play(script, None).trace);
            }
        }
    }
    assert!(bad.is_empty(), "{} failed\n{}", bad.len(), bad.join("\n"));
}

#[test]
fn a_scenario_ends_the_same_way_twice() {
    for script in scripts().iter().step_by(11) {
        let [once, twice] = [(); 2].map(|()| play(script, None));
        assert!(once.verdict == twice.verdict && once.trace == twice.trace, "{} {}", script.id, script.case);
    }
}

/// The list of faults from the corpus, or `None` without the corpus.
fn listed() -> Option<BTreeSet<String>> {
    let beside = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/spec/faults.json");
    let Ok(text) = std::fs::read_to_string(beside) else {
        println!("skipped: no list of faults");
        return None;
    };
    let list: serde_json::Value = serde_json::from_str(&text).unwrap();
    Some(list.as_array().unwrap().iter().map(|fault| fault["id"].as_str().unwrap().to_owned()).collect())
}

#[test]
fn every_fault_of_the_list_is_played_or_says_why_not() {
    let played: BTreeSet<String> =
        scripts().into_iter().map(|script| script.id).filter(|id| id.starts_with('X')).collect();
    let pending: BTreeSet<String> = unplayed().map(|row| row.id.to_owned()).collect();
    assert!(unplayed().all(|row| row.why.split(' ').count() > 2), "without a reason");
    assert!(played.is_disjoint(&pending), "both played and pending");
    if let Some(listed) = listed() {
        assert_eq!(played.union(&pending).cloned().collect::<BTreeSet<_>>(), listed);
    }
}

#[test]
fn every_case_of_py_plc_is_played() {
    let played: BTreeSet<String> = scripts()
        .iter()
        .filter(|script| script.id == "pyPLC")
        .map(|script| script.case.split(' ').next().unwrap().to_owned())
        .collect();
    assert_eq!(played, (1..=16).map(|case| format!("TC{case}")).collect());
}

#[test]
fn every_scenario_says_what_happens_to_whom_and_what_must_be_seen() {
    let mut seen = BTreeSet::new();
    for script in scripts() {
        let name = format!("{} {} {}", script.id, script.case, script.title);
        assert!(!script.title.is_empty() && !script.side.is_empty() && !script.expect.is_empty(), "{name}");
        assert!(seen.insert(name.clone()), "twice: {name}");
    }
}

#[test]
fn a_car_is_judged_by_what_has_come_to_it() {
    // The charger ends the session; its message and the FIN reach the car a second later.
    let late = "scenario late\nsetup charger strict\non PreChargeReq 4: set EVTargetVoltage 0V\n\
                on PreChargeRes 4: line delays 1036 ms\nexpect car stops FailedResponse(PreChargeRes)\n";
    let verdict = run(&parse(late).unwrap()[0]);
    assert!(verdict.passed(), "{verdict}");
}

#[test]
fn what_is_too_much_to_be_played_is_said_and_not_done() {
    let cases = [
        "on CurrentDemandReq 5: car hears 1000000 frames a second for 1h",
        "on ChargeParameterDiscoveryRes: repeat SAScheduleList.SAScheduleTuple 99999999999",
    ];
    for step in cases {
        let text = format!(
            "scenario big\ntitle    a flood\nside     car\nsetup    until 30s\n{step}\nexpect   charging\n"
        );
        let verdict = run(&parse(&text).unwrap()[0]);
        assert!(verdict.stuck.as_ref().is_some_and(|why| why.contains("too many: at most")), "{verdict}");
    }
}
