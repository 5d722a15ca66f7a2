//! `ccs world` and `ccs demo --fault`, as users call them.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "helpers of tests: a surprise ends the test"
)]

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use corpus::Value;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

/// The result of a call: exit code, standard output, standard error.
struct Called(i32, String, String);

fn ccs(args: &[&str]) -> Called {
    let output = Command::new(env!("CARGO_BIN_EXE_ccs")).args(args).output().unwrap();
    let [out, err] = [output.stdout, output.stderr].map(|bytes| String::from_utf8(bytes).unwrap());
    assert!(!out.contains('\x1b') && !err.contains('\x1b'), "{args:?}: colours where nobody can see them");
    Called(output.status.code().unwrap(), out, err)
}

/// A file for one test, removed at its end.
struct Scratch(PathBuf);

impl Scratch {
    fn new(name: &str, text: &str) -> Self {
        let path = std::env::temp_dir().join(format!("ccs-world-{}-{name}", std::process::id()));
        std::fs::write(&path, text).unwrap();
        Self(path)
    }

    fn name(&self) -> &str {
        self.0.to_str().unwrap()
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        drop(std::fs::remove_file(&self.0));
    }
}

/// A scenario with an expectation that cannot be met.
const FAILS: &str = "scenario wrong\ntitle    nobody charges without a plug\nside     car\nsetup    seed 3\n\
                     setup    until 10s\nat 6s: unplug\nat 8s: driver stops\nexpect   charging\n";

const PASSES: &str = "scenario right\ntitle    no plug, no energy\nside     both\nsetup    until 10s\n\
                      at 6s: unplug\nexpect   no energy\n";

#[test]
fn an_interrupted_run_tells_what_it_has_played() {
    let child = Command::new(env!("CARGO_BIN_EXE_ccs"))
        .args(["world", "run", "--seeds", "1000000000", "--jobs", "1", "--json"])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    // Signals are held before anything else: bit 1 of the blocked signals is SIGINT.
    let status = format!("/proc/{}/status", child.id());
    let is_held = || {
        let status = std::fs::read_to_string(&status).unwrap();
        let mask = status.lines().find_map(|line| line.strip_prefix("SigBlk:")).unwrap();
        u64::from_str_radix(mask.trim(), 16).unwrap() & 2 != 0
    };
    while !is_held() {
        std::thread::yield_now();
    }
    kill(Pid::from_raw(child.id().try_into().unwrap()), Signal::SIGINT).unwrap();
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(130));
    let told: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert!(told["interrupted"] == true && told["seeds"].as_u64().unwrap() < 1_000_000_000, "{told}");
}

#[test]
fn seeds_are_played_twice_and_counted() {
    let Called(code, out, err) = ccs(&["world", "run", "--seeds", "20", "--twice"]);
    assert_eq!((code, err.as_str()), (0, ""));
    assert!(out.starts_with("20 seeds from 0, each twice: "), "{out}");
    assert!(out.ends_with("and the second run was the same, entry by entry\n"), "{out}");
    let counts = out.lines().filter_map(|line| line.split_whitespace().next()?.parse::<u32>().ok());
    assert_eq!(counts.skip(1).sum::<u32>(), 40, "each side of each seed ended somehow: {out}");

    let Called(code, out, _) = ccs(&["world", "run", "--seeds", "5", "--from", "7", "--json"]);
    let report: Value = serde_json::from_str(&out).unwrap();
    assert_eq!((code, &report["from"], &report["seeds"]), (0, &7.into(), &5.into()));
    assert_eq!((report["failed"].as_array().map(Vec::len), &report["twice"]), (Some(0), &false.into()));

    assert_eq!(ccs(&["world", "run", "--seeds", "0"]).0, 2);
}

#[test]
fn a_seed_is_replayed_with_its_script_its_log_and_who_stopped() {
    let Called(code, out, err) = ccs(&["world", "replay", "16"]);
    assert_eq!((code, err.as_str()), (0, ""));
    assert!(out.starts_with("scenario 16\n"), "{out}");
    // A step that applies to dozens of messages is written once.
    let steps: Vec<&str> = out.lines().filter(|line| line.starts_with("on ")).collect();
    for step in steps {
        assert_eq!(out.matches(&format!("==> {step}")).count(), 1, "{step}");
    }
    let table = out.split_once("\nphase ").unwrap().1;
    let mended = "-- all is mended, the plug is pulled and put in again\nPlugged ";
    assert!(table.contains(mended) && table.contains("\nfirst to stop: "), "{table}");
    assert!(out.ends_with("\npassed: all as expected, and no safety rule was broken\n"), "{out}");
    assert_eq!(ccs(&["world", "replay", "16"]).1, out, "the same again");
    let all = ccs(&["world", "replay", "16", "--all"]).1;
    assert!(all.len() > 2 * out.len() && !all.contains("\n      ...\n"));
}

#[test]
fn a_trace_has_every_frame() {
    let Called(code, out, _) = ccs(&["world", "replay", "X074", "--case", "2", "--trace"]);
    assert_eq!(code, 0);
    assert!(out.lines().count() > 1_000 && !out.contains("\nphase "), "{}", out.lines().count());
    assert!(out.ends_with("no safety rule was broken\n"));
}

#[test]
fn a_scenario_is_played_with_all_its_cases_or_one_of_them() {
    let Called(code, out, _) = ccs(&["world", "replay", "x089"]);
    assert_eq!((code, out.matches("\nexpected of X089").count()), (0, 2));
    assert!(out.ends_with("2 of 2 cases passed\n"), "{out}");
    let Called(code, out, _) = ccs(&["world", "replay", "X089", "--case", "2"]);
    assert_eq!((code, out.matches("\nexpected of X089").count()), (0, 1));
    for case in ["0", "3"] {
        let Called(code, _, err) = ccs(&["world", "replay", "X089", "--case", case]);
        assert_eq!((code, err), (2, format!("error: there are 2 cases, no case {case}\n")));
    }
}

#[test]
fn what_is_not_there_is_named_with_what_could_be_meant() {
    let cases = [
        ("X999", "no scenario X999: did you mean X099? `ccs world list` shows all"),
        (
            "X118",
            "no scenario X118: it is played elsewhere: tests/listen.rs: it is Listen's, which is no node here; `ccs world list` shows all",
        ),
        ("./nothing.txt", "there is no file ./nothing.txt"),
    ];
    for (what, words) in cases {
        let Called(code, out, err) = ccs(&["world", "replay", what]);
        assert_eq!((code, out.as_str(), err), (2, "", format!("error: {words}\n")));
    }
    assert_eq!(ccs(&["world", "list", "X999"]).0, 2);
    let Called(code, _, err) = ccs(&["world", "replay", env!("CARGO_MANIFEST_DIR")]);
    assert_eq!(code, 2);
    assert!(err.contains(env!("CARGO_MANIFEST_DIR")) && err.contains("cannot read it"), "{err}");
}

#[test]
fn a_mistake_in_a_file_has_its_line_and_a_suggestion() {
    let cases = [
        ("scenario X\nat 6s: unplugg\n", "line 2: unknown step `unplugg`: did you mean `unplug`?"),
        (
            "scenario X\nsetup until 30s\n\nat 31s: unplug\n",
            "line 4: at 31000 ms the script is over: it ends after 30000 ms; set `setup until TIME`",
        ),
        ("# only a comment\n", "no scenario in it; the first line is `scenario ID`"),
    ];
    for (text, words) in cases {
        let file = Scratch::new("mistake.txt", text);
        for command in ["replay", "report"] {
            let Called(code, _, err) = ccs(&["world", command, file.name()]);
            assert_eq!((code, err), (2, format!("error: {}: {words}\n", file.name())));
        }
    }
}

#[test]
fn a_file_that_fails_says_what_was_seen_and_shrinks_to_what_that_needs() {
    let file = Scratch::new("fails.txt", FAILS);
    let Called(code, out, err) = ccs(&["world", "replay", file.name()]);
    assert_eq!((code, err.as_str()), (1, ""));
    assert!(out.starts_with(FAILS) && out.ends_with("\nFAILED\n"), "{out}");
    assert!(out.contains("\n  NO   charging; seen: 0 mA at the end\n"), "{out}");

    let Called(code, out, _) = ccs(&["world", "replay", file.name(), "--shrink"]);
    assert_eq!(code, 1);
    let shrunk = "scenario wrong\nsetup    until 10s\nexpect   charging\n\n";
    assert!(out.starts_with(shrunk), "neither step matters here: {out}");

    let both = Scratch::new("both.txt", &format!("{PASSES}{FAILS}"));
    let Called(code, out, _) = ccs(&["world", "replay", both.name()]);
    assert_eq!(code, 1);
    assert!(out.ends_with("\n1 of 2 cases passed\n"), "{out}");
    assert_eq!(ccs(&["world", "replay", both.name(), "--case", "1"]).0, 0);
    for what in [both.name(), "X089"] {
        assert_eq!(ccs(&["world", "replay", what, "--shrink"]).0, 2, "which of them?");
    }
}

#[test]
fn a_recording_is_read_by_decode() {
    let file = Scratch::new("x074.pcapng", "");
    let Called(code, _, err) = ccs(&["world", "replay", "X074", "--record", file.name()]);
    assert_eq!(code, 2, "twelve cases into one file");
    assert!(err.contains("--case N"), "{err}");
    let Called(code, _, _) = ccs(&["world", "replay", "X074", "--case", "2", "--record", file.name()]);
    assert_eq!(code, 0);
    let Called(code, out, err) = ccs(&["decode", file.name()]);
    assert_eq!((code, err.as_str()), (0, ""));
    assert!(out.contains("ServiceDiscoveryRes ResponseCode=FAILED "), "{out}");
    let Called(code, _, err) = ccs(&["world", "replay", "3", "--record", "/nowhere/to/be/found"]);
    assert_eq!(code, 1);
    assert!(err.contains("/nowhere/to/be/found"), "{err}");
}

#[test]
fn the_list_has_scenarios_their_cases_and_the_rules() {
    let Called(code, out, _) = ccs(&["world", "list"]);
    assert_eq!(code, 0);
    assert!(out.contains("\nX074   car      a response says FAILED") && out.contains("\nX045   elsewhere "));
    let Called(code, out, _) = ccs(&["world", "list", "x074"]);
    assert_eq!(code, 0);
    let case = "X074 case 2, judged car: a response says FAILED (ServiceDiscoveryRes 1s)\n    \
                on ServiceDiscoveryRes: set ResponseCode FAILED\n    expect car stops ";
    assert!(out.contains(case), "{out}");
    let Called(code, out, _) = ccs(&["world", "list", "--rules"]);
    assert_eq!((code, out.lines().count()), (0, 2 * sim::invariant::RULES.len()));
    assert!(out.starts_with("E1   charger "), "{out}");
}

#[test]
fn a_report_is_markdown_json_or_a_page() {
    let file = Scratch::new("report.txt", &format!("{PASSES}{FAILS}"));
    let Called(code, markdown, _) = ccs(&["world", "report", file.name()]);
    assert_eq!(code, 1);
    assert!(markdown.contains("| right | both | no plug, no energy | 1 | 1 |"), "{markdown}");
    assert!(markdown.contains("## Failed"), "{markdown}");
    let Called(code, json, _) = ccs(&["world", "report", "--format", "json", file.name()]);
    let report: Value = serde_json::from_str(&json).unwrap();
    assert_eq!((code, &report["cases"], &report["failed"]), (1, &2.into(), &1.into()));
    assert_eq!(report["scenarios"][1]["verdict"]["checks"][0]["seen"], "0 mA at the end");
    let into = Scratch::new("report.html", "");
    let Called(code, out, _) = ccs(&["world", "report", "--format", "html", "-o", into.name(), file.name()]);
    assert_eq!((code, out.as_str()), (1, ""));
    let page = std::fs::read_to_string(&into.0).unwrap();
    assert!(page.starts_with("<!DOCTYPE html>") && page.contains("<td>no plug, no energy</td>"), "{page}");
    let Called(code, _, err) = ccs(&["world", "report", "-o", "/nowhere/to/be/found", file.name()]);
    assert_eq!(code, 1);
    assert!(err.contains("/nowhere/to/be/found"), "{err}");
}

#[test]
fn the_committed_reports_are_those_that_the_commands_write() {
    for (command, name) in [("report", "scenarios.md"), ("lies", "lies.md")] {
        let Called(code, report, _) = ccs(&["world", command]);
        assert_eq!(code, 0, "{command}");
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs").join(name);
        let committed = std::fs::read_to_string(path).unwrap_or_default();
        let differs = report.lines().zip(committed.lines()).find(|(new, old)| new != old);
        assert!(
            report == committed,
            "docs/{name} is old: `ccs world {command} -o docs/{name}`; first: {differs:?}"
        );
    }
}

#[test]
fn a_reader_that_has_enough_ends_it_quietly() {
    for args in [&["world", "replay", "3", "--trace"][..], &["world", "replay", "3", "--all"], &["demo"]] {
        let mut child = Command::new(env!("CARGO_BIN_EXE_ccs"))
            .args(args)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut first = String::new();
        BufReader::with_capacity(16, child.stdout.take().unwrap()).read_line(&mut first).unwrap();
        let output = child.wait_with_output().unwrap();
        assert_eq!((output.status.code(), output.stderr.len()), (Some(0), 0), "{args:?}");
    }
}

#[test]
fn a_fault_in_the_demo_names_who_stopped() {
    let Called(code, out, err) = ccs(&["demo", "--fault", "X074", "--case", "2"]);
    assert_eq!((code, err.as_str()), (0, ""));
    assert!(out.contains(" ==> on ServiceDiscoveryRes: set ResponseCode FAILED\n"), "{out}");
    let (_, first) = out.split_once("\nfirst to stop: the car at ").unwrap();
    let why = "stopped by the charger in ServiceDiscovery: answered with a failure";
    assert!(first.lines().next().unwrap().contains(why), "{first}");
    assert!(out.contains("\n-- another session\nHandshake "), "it tries again: {out}");

    let Called(code, out, err) = ccs(&["demo", "--fault", "X999"]);
    assert_eq!((code, out.as_str()), (2, ""));
    assert!(err.contains("did you mean X099?"), "{err}");
    let Called(code, _, err) = ccs(&["demo", "--fault", "X089", "--case", "3"]);
    assert_eq!((code, err.as_str()), (2, "error: there are 2 cases, no case 3\n"));
    assert_eq!(ccs(&["demo", "--fault", "X074", "--soc", "20"]).0, 2);
    assert_eq!(ccs(&["demo", "--case", "1"]).0, 2);
}

#[test]
fn alone_it_shows_one_session_that_ends_in_order() {
    let Called(code, out, err) = ccs(&[]);
    assert_eq!((code, err.as_str()), (0, ""));
    let table = out.split_once("\nphase ").unwrap().1;
    assert!(!table.contains("--") && !table.contains("first to stop"), "{table}");
    assert!(
        table.ends_with("car: stopped by the car in CurrentDemand: ended normally; nothing to do\n"),
        "{table}"
    );
}
