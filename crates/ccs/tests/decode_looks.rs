//! The output of `ccs decode`: width, repetitions, filter, times, table, picture, HTML, a growing file.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "helpers of tests: a surprise ends the test"
)]

use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::OnceLock;

fn ccs(args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_ccs")).args(args).env_remove("NO_COLOR").output().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

fn temporary(name: &str) -> PathBuf {
    std::env::temp_dir().join(format!("ccs-looks-{}-{name}", std::process::id()))
}

/// The recording of the simulated session.
fn session() -> &'static str {
    static PATH: OnceLock<String> = OnceLock::new();
    PATH.get_or_init(|| {
        let path = temporary("session.pcapng").to_str().unwrap().to_owned();
        assert!(ccs(&["demo", "--soc", "50", "--target-soc", "52", "--record", &path]).status.success());
        path
    })
}

fn decode(args: &[&str]) -> String {
    let args: Vec<&str> = ["decode"].iter().chain(args).copied().chain([session()]).collect();
    let output = ccs(&args);
    assert_eq!((output.status.code(), text(&output.stderr)), (Some(0), String::new()), "{args:?}");
    text(&output.stdout)
}

#[test]
fn lines_fit_the_width_that_is_asked_for_and_are_whole_in_a_pipe() {
    for width in [80, 120] {
        let shown = decode(&["--width", &width.to_string()]);
        let longest = shown.lines().map(|line| line.chars().count()).max().unwrap();
        assert!(longest <= width, "{longest} of {width}");
    }
    assert!(decode(&["--width", "80"]).contains(" -> din PreChargeReq ready=true error=NO_ERROR SoC="));
    let whole = decode(&[]);
    assert!(
        whole
            .lines()
            .any(|line| line.contains("PreChargeReq EVReady=true") && line.contains("EVTargetCurrent="))
    );
    assert_eq!(whole, decode(&["--wide"]));
    assert!(!whole.contains('\u{1b}'), "no colours in a pipe");
}

#[test]
fn repeats_are_counted_and_every_message_is_there_on_request() {
    let count = |shown: &str, name: &str| shown.lines().filter(|line| line.contains(name)).count();
    let (folded, all) = (decode(&[]), decode(&["--all"]));
    assert!(count(&all, " CurrentDemandReq ") > 100 && count(&folded, " CurrentDemandReq ") < 20);
    // Counted and shown messages are all messages.
    let counted = |name: &str| -> usize {
        let lines = folded.lines().filter(|line| line.contains(name));
        lines
            .map(|line| {
                line.split_once(" x ").map_or(1, |(_, more)| more.split(' ').next().unwrap().parse().unwrap())
            })
            .sum()
    };
    for name in [" CurrentDemandReq ", " CurrentDemandRes ", " CableCheckRes ", " VS_PL_LINK_STATUS.REQ "] {
        assert_eq!(counted(name), count(&all, name), "{name}");
    }
    assert!(folded.lines().any(|line| line.contains(" x ") && line.ends_with(" s")));
}

#[test]
fn a_story_follows_its_session() {
    let shown = decode(&[]);
    let story = shown.find("\n  session 1: din").unwrap();
    assert!(shown[..story].trim_end().lines().last().unwrap().contains("TCP closes (FIN)"));
    assert!(shown[story..].contains("\n    SoC 50 % to 52 %\n"));
    assert!(shown[story..].contains("ended by the car (PowerDelivery(false) in CurrentDemand"));
}

#[test]
fn only_what_is_asked_for_is_shown() {
    let names = |args: &[&str]| -> Vec<String> {
        let shown = decode(args);
        let lines = shown.lines().take_while(|line| !line.starts_with("  session"));
        lines.map(|line| line.split_whitespace().nth(4).unwrap_or_default().to_owned()).collect()
    };
    assert!(names(&["--filter", "PreCharge"]).iter().all(|name| name.starts_with("PreCharge")));
    assert!(names(&["--filter", "precharge,evse"]).iter().all(|name| name == "PreChargeRes"));
    let v2g = decode(&["--v2g"]);
    assert!(!v2g.contains("homeplug") && !v2g.contains("TCP opens") && v2g.contains("SDP_REQ"));
    let trouble = decode(&["--filter", "trouble"]);
    let lines: Vec<&str> = trouble.lines().take_while(|line| !line.starts_with("  session")).collect();
    assert!(!lines.is_empty() && lines.iter().all(|line| line.contains("EVSE_Shutdown")), "{trouble}");
    let json = decode(&["--json", "--filter", "SessionStop"]);
    assert_eq!(json.lines().count(), 2);
}

#[test]
fn times_are_those_that_are_asked_for() {
    let first = |how: &str| {
        let shown = decode(&["--time", how, "--filter", "SessionSetup"]);
        let lines = shown.lines().take_while(|line| !line.starts_with("  session"));
        lines.map(|line| line[..26].trim().to_owned()).collect::<Vec<_>>()
    };
    let seconds = |line: &str| line.split_whitespace().next().unwrap().parse::<f64>().unwrap();
    let (rel, delta) = (first("rel"), first("delta"));
    assert!(seconds(&rel[0]) > 1.0 && seconds(&rel[1]) >= seconds(&rel[0]));
    assert!(seconds(&delta[1]) < 1.0);
    let abs = &first("abs")[0];
    assert!(
        abs.len() == 26 && abs.starts_with("20") && abs.as_bytes()[10] == b' ' || abs.len() == 15,
        "{abs}"
    );
}

#[test]
fn values_have_their_units() {
    let shown = decode(&["--filter", "ChargeParameterDiscoveryRes"]);
    for value in
        ["NotificationMaxDelay=0s", "duration=86400s", "PMax=32767W", "EVSEMaximumVoltageLimit=920.0V"]
    {
        assert!(shown.contains(value), "{value}: {shown}");
    }
    assert!(decode(&["--filter", "CableCheckReq"]).contains("EVRESSSOC=50%"));
}

#[test]
fn a_table_has_a_row_for_each_answer_and_nothing_that_was_not_measured() {
    let table = decode(&["--csv"]);
    let mut lines = table.lines();
    let head: Vec<&str> = lines.next().unwrap().split(',').collect();
    assert_eq!(head[..6], ["time_s", "frame", "phase", "voltage_v", "current_a", "target_voltage_v"]);
    let rows: Vec<Vec<&str>> = lines.map(|line| line.split(',').collect()).collect();
    assert!(rows.len() > 100 && rows.iter().all(|row| row.len() == head.len()));
    for row in &rows {
        let (voltage, current, target) = (row[3], row[4], row[5]);
        assert!(!voltage.is_empty());
        assert_eq!(current.is_empty(), row[2] != "CurrentDemand", "{row:?}");
        assert_eq!(target.is_empty(), row[2] == "WeldingDetection", "{row:?}");
    }
}

#[test]
fn the_picture_and_the_page_are_small_and_refer_to_nothing() {
    let (svg, html) = (temporary("a.svg"), temporary("a.html"));
    assert_eq!(decode(&["--plot", svg.to_str().unwrap(), "--html", html.to_str().unwrap()]), "");
    let (picture, page) = (std::fs::read_to_string(&svg).unwrap(), std::fs::read_to_string(&html).unwrap());
    for words in ["U in V", "I in A", "P in kW", "SoC in %", "CurrentDemand"] {
        assert!(picture.contains(words), "{words}");
    }
    assert!(picture.len() < 200_000 && page.len() < 400_000, "{} {}", picture.len(), page.len());
    for words in ["<svg", "<details", "bits ", "ended by the car", "CurrentDemandReq"] {
        assert!(page.contains(words), "{words}");
    }
    assert!(!page.contains("<script") && !page.contains("src=") && !page.contains("href="));
    let keys = ["nmk=", "new_key=", "key="];
    assert!(keys.iter().all(|key| !page.contains(key) || page.contains(&format!("{key}&lt;redacted&gt;"))));
    for path in [svg, html] {
        std::fs::remove_file(path).unwrap();
    }
}

#[test]
fn a_file_without_values_has_no_curves_and_says_so() {
    let path = temporary("none.svg");
    let answer = temporary("answer.txt");
    std::fs::write(&answer, "80400040\n").unwrap();
    let output = ccs(&["decode", "--plot", path.to_str().unwrap(), answer.to_str().unwrap()]);
    assert_ne!(output.status.code(), Some(0));
    assert!(text(&output.stderr).contains("there are no values to draw"), "{}", text(&output.stderr));
    std::fs::remove_file(answer).unwrap();
    // An empty file may be left.
    let _ = std::fs::remove_file(path);
}

#[test]
fn a_growing_file_is_followed_until_it_is_interrupted() {
    let path = temporary("growing.txt");
    let sample = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/text/pyplc.log");
    let lines = std::fs::read(sample).unwrap();
    let middle = lines.len() / 2;
    std::fs::write(&path, &lines[..middle]).unwrap();
    let mut child = Command::new(env!("CARGO_BIN_EXE_ccs"))
        .args(["decode", "-f", "--all", path.to_str().unwrap()])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut shown = BufReader::new(child.stdout.take().unwrap()).lines().map(Result::unwrap);
    assert!(shown.next().unwrap().contains("supportedAppProtocolReq"));
    let mut file = std::fs::OpenOptions::new().append(true).open(&path).unwrap();
    file.write_all(&lines[middle..]).unwrap();
    assert!(shown.by_ref().any(|line| line.contains("CurrentDemandReq")));
    assert!(Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap().success());
    assert!(shown.any(|line| line.contains("session 1: din")), "the story at the end");
    assert!(child.wait().unwrap().success());
    std::fs::remove_file(path).unwrap();
}

#[test]
fn options_that_do_not_go_together_are_wrong_usage() {
    for args in [
        &["decode", "-f", "-"][..],
        &["decode", "--csv", "a", "b"],
        &["decode", "--csv", "--json", "a"],
        &["decode", "--wide", "--width", "80", "a"],
        &["decode", "--width", "10", "a"],
        &["decode", "--time", "noon", "a"],
    ] {
        assert_eq!(ccs(args).status.code(), Some(2), "{args:?}");
    }
}
