//! The built command: exit codes, streams, pipes.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "helpers of tests: a surprise ends the test"
)]

use std::io::{Read, Write};
use std::process::{Command, Output, Stdio};

use corpus::Value;

fn ccs(args: &[&str], stdin: &[u8]) -> Output {
    let mut child = Command::new(env!("CARGO_BIN_EXE_ccs"))
        .args(args)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut input = child.stdin.take().unwrap();
    let stdin = stdin.to_vec();
    // A command that does not read its input closes it early, which is no failure of the test.
    let feeder = std::thread::spawn(move || drop(input.write_all(&stdin)));
    let output = child.wait_with_output().unwrap();
    feeder.join().unwrap();
    output
}

fn code(output: &Output) -> i32 {
    output.status.code().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

#[test]
fn decode_reads_the_standard_input_and_writes_only_json_to_the_standard_output() {
    let output = ccs(&["decode", "--json", "-"], b"80400040\nnonsense\n8040\n");
    assert_eq!(code(&output), 1, "two lines are not good");
    let lines: Vec<Value> =
        text(&output.stdout).lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines.len(), 2);
    assert_eq!((&lines[0]["file"], &lines[0]["frame"]), (&"-".into(), &1.into()));
    assert_eq!((&lines[1]["frame"], &lines[1]["body"]), (&3.into(), &Value::Null));
    assert!(lines[1]["error"].is_string());
    assert!(text(&output.stderr).contains("not hexadecimal in column 1"));
}

#[test]
fn a_file_that_is_no_capture_is_refused_and_the_others_are_decoded() {
    let output =
        ccs(&["decode", "--json", env!("CARGO_MANIFEST_DIR"), "/nowhere/to/be/found", "-"], b"80400040");
    assert_eq!(code(&output), 1);
    assert_eq!(text(&output.stdout).lines().count(), 1);
    let complaints = text(&output.stderr);
    assert!(complaints.contains("/nowhere/to/be/found: cannot read it: "), "{complaints}");
    let output = ccs(&["decode", "-"], b"<!DOCTYPE html>");
    assert_eq!((code(&output), output.stdout.len()), (1, 0));
    assert!(text(&output.stderr).contains("expected a pcapng or pcap capture"));
}

#[test]
fn a_cut_capture_says_so_after_its_messages() {
    let Some(path) = corpus::path("captures/DIN_DC_DS5366_Josev.pcapng") else { return };
    let whole = std::fs::read(path).unwrap();
    let all = ccs(&["decode", "--json", "-"], &whole);
    assert_eq!((code(&all), text(&all.stderr).as_str()), (0, ""));
    let part = ccs(&["decode", "--json", "-"], &whole[..whole.len() / 2]);
    assert_eq!(code(&part), 1);
    assert!(text(&part.stderr).contains("-: cut: the file ends inside a block"), "{}", text(&part.stderr));
    assert!(part.stdout.len() > 1000 && all.stdout.starts_with(&part.stdout));
}

#[test]
fn a_reader_that_has_enough_ends_the_command_quietly() {
    let Some(path) = corpus::path("captures/DIN_DC_DS5366_Josev.pcapng") else { return };
    let mut child = Command::new(env!("CARGO_BIN_EXE_ccs"))
        .args(["decode", "--json"])
        .arg(&path)
        .arg(&path)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut first = [0; 10];
    child.stdout.take().unwrap().read_exact(&mut first).unwrap();
    let output = child.wait_with_output().unwrap();
    assert_eq!((code(&output), text(&output.stderr)), (0, String::new()));
}

#[test]
fn the_summary_counts_messages_and_lists_matchings() {
    let Some(path) = corpus::path("captures/DIN_DC_DS5366_Josev.pcapng") else { return };
    let summary = |path: &std::path::Path| {
        let output = ccs(&["decode", "--summary", "--json", path.to_str().unwrap()], b"");
        serde_json::from_slice::<Value>(&output.stdout).unwrap()
    };
    let din = summary(&path);
    assert_eq!(din["messages"]["CurrentDemandReq"], 9);
    assert_eq!(din["schemas"]["din"], 198);
    assert_eq!(din["homeplug"]["CM_SET_KEY.REQ"], 2);
    assert_eq!((&din["sdp_requests"], &din["cut"]), (&1.into(), &Value::Null));
    // Two chargers answer, and the car chooses the nearer one.
    let two = summary(&path.with_file_name("ISO-2_DC_multi_EVSE_SLAC_DS5366_Josev.pcapng"));
    let [attempt] = two["matchings"].as_array().unwrap().as_slice() else { panic!("{two}") };
    let chargers: Vec<(&Value, f64)> = attempt["chargers"]
        .as_array()
        .unwrap()
        .iter()
        .map(|charger| (&charger["charger"], charger["attenuation_db"].as_f64().unwrap()))
        .collect();
    let [(_, far), (near, close)] = chargers.as_slice() else { panic!("{attempt}") };
    assert_eq!((*far, *close), (31.27, 25.77));
    assert_eq!((&attempt["matched_with"], &attempt["outcome"]), (*near, &"matched".into()));
}

/// All network and device keys in the management frames of the captures.
fn keys() -> Option<std::collections::BTreeSet<String>> {
    let mut keys = std::collections::BTreeSet::new();
    for line in corpus::lines("captures/mme.jsonl")? {
        let bytes = corpus::bytes(corpus::text(&line, "bytes"));
        let frame = homeplug_mme::Frame::parse(&bytes).unwrap();
        homeplug_mme::view::View::of(&frame).unwrap().fields(&mut |_, value| {
            if let homeplug_mme::Value::Secret(key) = value
                && key.len() == homeplug_mme::Nmk::LEN
                && key.iter().any(|byte| *byte != 0)
            {
                keys.insert(corpus::hex(key));
            }
        });
    }
    Some(keys)
}

#[test]
fn no_key_of_any_capture_is_shown_unasked() {
    let Some(keys) = keys() else { return };
    assert!(keys.len() > 10, "{}", keys.len());
    let Some(folder) = corpus::path("captures") else { return };
    let captures: Vec<String> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|kind| kind == "pcap" || kind == "pcapng"))
        .map(|path| path.to_str().unwrap().to_owned())
        .collect();
    let shown = |args: &[&str]| {
        let args: Vec<&str> = args.iter().copied().chain(captures.iter().map(String::as_str)).collect();
        let shown = text(&ccs(&args, b"").stdout).to_lowercase();
        keys.iter().filter(|key| shown.contains(key.as_str())).count()
    };
    for args in [&["decode"][..], &["decode", "--json"], &["decode", "--summary"]] {
        assert_eq!(shown(args), 0, "{args:?}");
    }
    for args in [&["decode", "--show-keys"][..], &["decode", "--json", "--show-keys"]] {
        assert_eq!(shown(args), keys.len(), "{args:?}");
    }
}

#[test]
fn the_configuration_prints_itself_and_a_wrong_one_is_wrong_usage() {
    let output = ccs(&["evse", "--print-config", "-i", "plc0", "--plant", "simulated"], b"");
    assert_eq!(code(&output), 0);
    let printed = text(&output.stdout);
    assert!(printed.contains("[charger]") && printed.contains("interface = \"plc0\""), "{printed}");

    let folder = std::env::temp_dir().join(format!("ccs-cli-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let file = folder.join("ccs.toml");
    std::fs::write(&file, printed.replace("max_voltage_v", "max_voltag_v")).unwrap();
    let output = ccs(&["evse", "-c", file.to_str().unwrap()], b"");
    std::fs::remove_dir_all(folder).unwrap();
    assert_eq!(code(&output), 2);
    assert!(text(&output.stderr).contains("did you mean charger.max_voltage_v?"));
}

#[test]
fn a_car_has_its_levels_of_protection_in_a_configuration_of_its_own() {
    let output = ccs(&["pev", "--print-config"], b"");
    assert_eq!(code(&output), 0, "{}", text(&output.stderr));
    let printed = text(&output.stdout);
    assert!(printed.contains("[protection]") && printed.contains("hot_celsius = 90"), "{printed}");

    let folder = std::env::temp_dir().join(format!("ccs-cli-pev-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let file = folder.join("car.toml");
    let run = |contents: &str, more: &[&str]| {
        std::fs::write(&file, contents).unwrap();
        ccs(&[&["pev", "-c", file.to_str().unwrap()], more].concat(), b"")
    };
    let output = run("[protection]\nhot_celsius = 75.5", &["--print-config"]);
    assert!(text(&output.stdout).contains("hot_celsius = 75.5"), "{}", text(&output.stdout));
    let output = run("[protection]\nhot_celsius = 200", &["-i", "lo", "--plant", "simulated"]);
    assert_eq!(code(&output), 2);
    let said = text(&output.stderr);
    assert!(said.contains("protection.hot_celsius = 200: expected 60..=120: "), "{said}");
    let output = run(&"# long\n".repeat(20_000), &["--print-config"]);
    assert_eq!(code(&output), 2);
    assert!(text(&output.stderr).contains("at most 65536 bytes"), "{}", text(&output.stderr));
    std::fs::remove_dir_all(folder).unwrap();
}

#[test]
fn an_interface_or_a_file_on_the_command_line_has_a_name_that_makes_sense() {
    let long = "a".repeat(100_000);
    let names = ["", "0123456789abcdef", "a/b", "a b", "..", "a\u{1b}[31m\u{9b}\u{202e}", &long];
    let commands: [&[&str]; 6] = [
        &["evse", "-i"],
        &["pev", "-i"],
        &["modem", "list", "-i"],
        &["doctor", "-i"],
        &["sim-modem", "lo"],
        &["evse", "-i", "lo", "--record"],
    ];
    for (command, name) in commands.iter().flat_map(|command| names.map(|name| (command, name))) {
        let is_file = command.contains(&"--record");
        if is_file && matches!(name, "0123456789abcdef" | "a/b" | "a b" | "..") {
            continue;
        }
        let output = ccs(&[command, &[name][..]].concat(), b"");
        let said = text(&output.stderr);
        assert_eq!(code(&output), 2, "{command:?} {name:.20}: {said:.200}");
        assert!(said.contains("expected") && said.len() < 600, "{said:.600}");
        assert!(!said.contains(|c: char| c.is_control() && c != '\n' || c == '\u{202e}'), "{said:.200}");
    }
    let output = ccs(&["evse", "--\u{1b}[31m\u{9b}"], b"");
    assert_eq!(code(&output), 2);
    assert!(!text(&output.stderr).contains(['\u{1b}', '\u{9b}']), "{}", text(&output.stderr));
}

#[test]
fn a_charger_needs_an_interface_that_is_there_and_a_plant_by_name() {
    let output = ccs(&["evse", "-i", "lo"], b"");
    assert_eq!(code(&output), 2);
    assert!(text(&output.stderr).contains("no plant chosen"));
    assert_eq!(code(&ccs(&["evse", "--plant", "simulated"], b"")), 2);
    let output = ccs(&["evse", "-i", "nosuch0", "--plant", "simulated"], b"");
    assert_eq!(code(&output), 3);
    assert!(text(&output.stderr).contains("there is no interface nosuch0; there are: "));
}
