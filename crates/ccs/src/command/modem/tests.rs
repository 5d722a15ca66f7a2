//! The commands with simulated modems, in virtual time.

use std::path::{Path, PathBuf};

use clap::Parser;
use machine::{Duration, Instant};
use modem::pib::{Editor, Image, Role};
use serde_json::Value;
use sim::{ModemConfig, ModemKind, Port};

use super::*;
use crate::cli::code_of;
use crate::drive::simulated::SimulatedWire;

#[derive(Parser)]
struct Line {
    #[command(subcommand)]
    command: ModemCommand,
}

struct Answer {
    out: String,
    error: String,
    code: u8,
}

/// Runs `ccs modem` with these arguments on this wire.
fn ccs(wire: &mut SimulatedWire, words: &str) -> Answer {
    let with_interface = if words.contains("pib check") { "" } else { "-i plc0" };
    let words = format!("modem {words} {with_interface}");
    let line = Line::try_parse_from(words.split_whitespace()).unwrap_or_else(|error| panic!("{error}"));
    let mut out = Vec::new();
    let mut bench = Bench::new(wire, SimulatedWire::HOST, &mut out, Progress::new(std::io::sink(), false));
    let result = before(&line.command).and_then(|()| act(&line.command, &mut bench));
    drop(bench);
    let (error, code) = match result {
        Ok(exit) => (String::new(), exit.code()),
        Err(error) => (format!("{error:#}"), code_of(&error)),
    };
    Answer { out: String::from_utf8(out).unwrap(), error, code }
}

fn good(wire: &mut SimulatedWire, words: &str) -> String {
    let answer = ccs(wire, words);
    assert_eq!((answer.code, answer.error.as_str()), (0, ""), "{words}");
    answer.out
}

fn json(wire: &mut SimulatedWire, words: &str) -> Value {
    serde_json::from_str(&good(wire, &format!("{words} --json"))).unwrap()
}

fn pair() -> SimulatedWire {
    SimulatedWire::pair(ModemKind::Qca7005, ModemKind::Qca7420)
}

/// A folder for one test, removed at its end.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let folder = std::env::temp_dir().join(format!("ccs-modem-{name}-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        Self(folder)
    }

    fn file(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    fn with(&self, name: &str, bytes: &[u8]) -> PathBuf {
        let file = self.file(name);
        std::fs::write(&file, bytes).unwrap();
        file
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

fn flash(wire: &SimulatedWire) -> Vec<u8> {
    wire.line.image(wire.port).unwrap().bytes().to_vec()
}

fn role_of(wire: &SimulatedWire) -> Option<Role> {
    Image::parse(&flash(wire)).unwrap().role()
}

fn evse_to_pev(wire: &SimulatedWire) -> Vec<u8> {
    let mut bytes = flash(wire);
    Editor::open(&mut bytes).unwrap().set_role(Role::Pev).unwrap();
    bytes
}

const KEY_NMK: &str = "50d3e4933f855b7040784df815aa8db7"; // of the password HomePlugAV

#[test]
fn the_own_modem_is_listed_and_after_pairing_the_other_one_with_rates() {
    let mut wire = pair();
    let alone = json(&mut wire, "list");
    let modem = &alone["modems"][0];
    assert_eq!(alone["modems"].as_array().unwrap().len(), 1);
    assert_eq!((&modem["mac"], &modem["local"]), (&SimulatedWire::OWN.to_string().into(), &true.into()));
    assert_eq!((&modem["family"], &modem["role"]), (&"QCA7000/7005".into(), &"EVSE".into()));

    good(&mut wire, "key --password HomePlugAV --yes");
    wire.port = Port(1);
    good(&mut wire, "key --password HomePlugAV --yes");
    wire.port = Port(0);
    let both = json(&mut wire, "list");
    let other = SimulatedWire::OTHER.to_string();
    assert_eq!(
        (&both["modems"][1]["mac"], &both["modems"][1]["role"], &both["modems"][1]["local"]),
        (&other.as_str().into(), &"PEV".into(), &false.into())
    );
    let seen = &both["modems"][0]["network"]["stations"][0];
    assert_eq!((&seen["mac"], seen["tx_mbit_s"].as_u64()), (&other.as_str().into(), Some(9)));
    let table = good(&mut wire, "list");
    assert!(table.contains("coordinator") && table.contains("9 Mbit/s to it"), "{table}");
}

#[test]
fn everything_of_one_modem_is_shown_near_and_far() {
    let mut wire = pair();
    let own = json(&mut wire, "info");
    assert_eq!((&own["attributes"]["hardware"], &own["link"]), (&"QCA7005".into(), &false.into()));
    assert_eq!((&own["parameters"]["role"], &own["parameters"]["layout"]), (&"EVSE".into(), &"chain".into()));
    assert_eq!(own["parameters"]["fields"]["NMK"], Value::Null);
    let text = good(&mut wire, "info");
    assert!(
        text.contains("NMK                      (secret)\n")
            && text.contains("role                     EVSE\n")
    );
    // Not in the network: out of reach.
    let far = ccs(&mut wire, &format!("info --modem {}", SimulatedWire::OTHER));
    assert_eq!(far.code, 62);
}

#[test]
fn a_family_whose_parameters_are_not_known_says_so() {
    for (kind, words) in [(ModemKind::Lumissil, "Lumissil"), (ModemKind::Int6000, "does not answer")] {
        let folder = Folder::new("unknown");
        let mut wire = SimulatedWire::pair(kind, ModemKind::Qca7005);
        let shown = json(&mut wire, "info");
        assert_eq!(shown["parameters"], Value::Null);
        let file = folder.file("a.pib");
        for command in [format!("pib read {}", file.display()), "pib role evse --yes".into()] {
            let answer = ccs(&mut wire, &command);
            assert_eq!(answer.code, 1);
            assert!(answer.error.contains(words), "{}", answer.error);
        }
        assert!(!file.exists());
    }
}

#[test]
fn a_key_is_set_verified_and_shown_only_when_asked_for() {
    let mut wire = pair();
    let refused = ccs(&mut wire, "key --random");
    assert_eq!((refused.code, wire.sent.len()), (2, 0));
    assert!(refused.error.contains("--yes") && refused.error.contains("restarts"), "{}", refused.error);

    let set = json(&mut wire, "key --password HomePlugAV --yes");
    assert_eq!((&set["verified"], &set["nid"]), (&true.into(), &"b0f2e695666b03".into()));
    assert_eq!(set["key"], Value::Null);
    for words in ["key", "key --json", "key --show", "info", "info --json", "list --json", "link"] {
        assert!(!good(&mut wire, words).contains(KEY_NMK), "{words}");
    }
    assert_eq!(json(&mut wire, "key --show-keys")["key"], KEY_NMK);
    assert!(good(&mut wire, "key --random --yes").contains("shows it"));
    assert_ne!(json(&mut wire, "key --show-keys")["key"], KEY_NMK);
}

#[test]
fn a_lumissil_modem_takes_a_key_unseen_and_a_stubborn_one_is_a_failure() {
    let mut wire = SimulatedWire::pair(ModemKind::Lumissil, ModemKind::Qca7005);
    assert_eq!(json(&mut wire, "key --random --yes")["verified"], false);
    assert!(good(&mut wire, "key").contains("Lumissil does not tell it"));
    let own = ModemConfig { takes_keys: false, ..ModemConfig::evse(ModemKind::Qca7005, SimulatedWire::OWN) };
    let stubborn = ccs(&mut SimulatedWire::with(&[own]), "key --random --yes");
    assert_eq!(stubborn.code, 1);
    assert!(stubborn.error.contains("keeps another"), "{}", stubborn.error);
}

#[test]
fn ctrl_c_ends_what_only_asks_at_any_frame() {
    for words in ["list", "info", "key", "link"] {
        for frames in 1..12 {
            let mut wire = pair();
            wire.interrupt_after = Some(frames);
            let answer = ccs(&mut wire, words);
            let is_done = answer.code == 0 && wire.sent.len() <= frames;
            assert!(is_done || answer.code == 130, "{words}, {frames}: {} {}", answer.code, answer.error);
        }
    }
}

#[test]
fn a_key_that_is_lost_for_a_while_is_given_again_and_one_that_is_never_confirmed_is_a_failure() {
    use sim::power_line::{Act, Place, Rule};
    for (times, code) in [(3, 0), (Rule::ALWAYS, 1)] {
        let mut wire = pair();
        let mm_type = Some(homeplug_mme::MmType(0x6008));
        wire.line.add_rule(Rule { place: Place::FromHost(Port(0)), mm_type, skip: 0, times, act: Act::Lose });
        let answer = ccs(&mut wire, "key --random --yes");
        assert_eq!(answer.code, code, "{}", answer.error);
        assert_eq!(answer.error.contains("does not confirm"), code == 1);
    }
}

#[test]
fn passwords_that_are_too_short_or_not_printable_are_wrong_usage() {
    for password in ["short", "sch\u{f6}nespasswort"] {
        let mut wire = pair();
        let answer = ccs(&mut wire, &format!("key --yes --password {password}"));
        assert_eq!((answer.code, wire.sent.len()), (2, 0));
    }
    assert!(Line::try_parse_from(["modem", "key", "-i", "x", "--random", "--show"]).is_err());
}

#[test]
fn an_interrupted_key_says_what_is_known() {
    let mut wire = pair();
    wire.interrupt_after = Some(3);
    let answer = ccs(&mut wire, "key --random --yes");
    assert_eq!(answer.code, 130);
    assert!(answer.error.contains("is not known"), "{}", answer.error);
    let mut wire = pair();
    wire.interrupt_at = Some(Instant::ZERO);
    let answer = ccs(&mut wire, "key --random --yes");
    assert!(answer.error.contains("nothing was changed"), "{}", answer.error);
}

#[test]
fn without_a_modem_each_command_ends_with_the_stop_reasons_words_and_code() {
    let folder = Folder::new("none");
    let file = folder.with("a.pib", &flash(&pair()));
    let (new, file) = (folder.file("new.pib"), file.display().to_string());
    let table = [
        "list".into(),
        "info".into(),
        "link".into(),
        "key".into(),
        "key --random --yes".into(),
        "reset --yes".into(),
        "pib role evse --yes".into(),
        format!("pib read {}", new.display()),
        format!("pib write {file} --backup {} --yes", new.display()),
    ];
    for words in table {
        let mut wire = pair();
        wire.line.freeze(wire.port, true);
        let answer = ccs(&mut wire, &words);
        assert_eq!(answer.code, 62, "{words}: {}", answer.error);
        assert!(answer.error.starts_with("no modem answers; check its supply"), "{}", answer.error);
        assert_eq!(answer.out, "");
    }
    assert!(!new.exists());
}

#[test]
fn a_modem_is_reset_only_when_told_so() {
    let mut wire = pair();
    let refused = ccs(&mut wire, "reset");
    assert_eq!((refused.code, wire.sent.len()), (2, 0));
    assert!(refused.error.contains("the own modem restarts"), "{}", refused.error);
    assert!(good(&mut wire, "reset --yes").contains("is back"));
    assert_eq!(wire.count(0xA01C), 1);
    assert_eq!(json(&mut wire, "reset --yes")["confirmed"], true);
}

#[test]
fn the_link_is_watched_over_a_restart_until_the_end() {
    let mut wire = pair();
    wire.line.restart(Instant::ZERO, Port(1), Duration::from_secs(1));
    assert!(good(&mut wire, "link").contains("link down"));
    wire.interrupt_at = Some(wire_now(&wire) + Duration::from_secs(9));
    wire.line.add_rule(silent_for_a_while());
    let told = good(&mut wire, "link --watch --json");
    let lines: Vec<Value> = told.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert!(lines.len() > 4, "{told}");
    assert!(lines.iter().any(|line| line["error"] == "no modem answers"), "{told}");
    assert_eq!(lines.last().unwrap()["link"], false, "{told}");
}

fn wire_now(wire: &SimulatedWire) -> Instant {
    crate::drive::Wire::now(wire)
}

/// Loses the modem's version messages: after the first, as many as one inspection requests.
fn silent_for_a_while() -> sim::power_line::Rule {
    use sim::power_line::{Act, Place, Rule};
    let mm_type = Some(homeplug_mme::MmType(0xA000));
    Rule { place: Place::FromHost(Port(0)), mm_type, skip: 2, times: 4, act: Act::Lose }
}

#[test]
fn parameters_go_to_a_file_that_only_its_owner_reads_and_check_as_good() {
    use std::os::unix::fs::PermissionsExt;
    let folder = Folder::new("read");
    let file = folder.file("a.pib");
    let mut wire = pair();
    let read = json(&mut wire, &format!("pib read {}", file.display()));
    assert_eq!((&read["role"], &read["mac"]), (&"EVSE".into(), &SimulatedWire::OWN.to_string().into()));
    assert_eq!(std::fs::read(&file).unwrap(), flash(&wire));
    assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);

    wire.sent.clear();
    let again = ccs(&mut wire, &format!("pib read {}", file.display()));
    assert_eq!((again.code, wire.sent.len()), (2, 0));
    assert!(again.error.contains("is there already"), "{}", again.error);
    good(&mut wire, &format!("pib read {} --yes", file.display()));

    wire.sent.clear();
    assert!(good(&mut wire, &format!("pib check {}", file.display())).contains("Chain, 9040 bytes"));
    assert!(wire.sent.is_empty());
}

#[test]
fn a_bad_file_is_refused_with_reason_and_place_and_nothing_is_sent() {
    let folder = Folder::new("bad");
    let mut wire = pair();
    let sound = flash(&wire);
    let flipped = |at: usize| {
        let mut bytes = sound.clone();
        bytes[at] ^= 1;
        bytes
    };
    let table: [(&str, Vec<u8>, &str); 6] = [
        ("cut", sound[..5000].to_vec(), "cut off"),
        ("long", [&sound[..], &[0]].concat(), "bytes follow the end"),
        ("link", flipped(28), "checksum"),
        ("data", flipped(5000), "checksum is wrong"),
        ("other", b"#!/bin/sh\n".repeat(20), "no parameter image"),
        ("empty", Vec::new(), "cut off"),
    ];
    for (name, bytes, reason) in table {
        let file = folder.with(name, &bytes);
        let checked = ccs(&mut wire, &format!("pib check {}", file.display()));
        assert_eq!(checked.code, 1, "{name}");
        assert!(checked.out.contains(reason), "{}", checked.out);
        let as_json = ccs(&mut wire, &format!("pib check --json {}", file.display()));
        let found: Value = serde_json::from_str(&as_json.out).unwrap();
        assert!(as_json.code == 1 && found["error"].as_str().unwrap().contains(reason));
        let backup = folder.file("backup");
        let written =
            ccs(&mut wire, &format!("pib write {} --backup {} --yes", file.display(), backup.display()));
        assert_eq!((written.code, wire.sent.len()), (1, 0), "{name}");
        assert!(written.error.contains(reason) && !backup.exists(), "{}", written.error);
    }
    assert_eq!(ccs(&mut wire, "pib check /nowhere/at/all").code, 1);
}

/// Whether the modem received read requests only.
fn only_read(wire: &SimulatedWire) -> bool {
    use homeplug_mme::view::{ModuleOperationReq, Operation};
    wire.sent.iter().all(|frame| {
        let frame = homeplug_mme::Frame::parse(frame).unwrap();
        frame
            .get::<ModuleOperationReq<'_>>()
            .is_none_or(|request| matches!(request.unwrap().operation, Operation::Read(_)))
    })
}

#[test]
fn what_is_not_for_this_modem_is_refused_before_anything_is_written() {
    let folder = Folder::new("foreign");
    let backup = folder.file("backup");
    let mut wire = pair();
    let mut foreign = flash(&wire);
    Editor::open(&mut foreign).unwrap().set_mac(SimulatedWire::OTHER).unwrap();
    let of_7420 = wire.line.image(Port(1)).unwrap().bytes().to_vec();
    let bare = Image::parse(&flash(&wire)).unwrap().parameters().to_vec();
    let table = [
        (foreign, "belongs to the modem 02:b0:52:00:00:c0, not to 02:b0:52:00:00:e0"),
        (of_7420, "is it for another chip?"),
        (bare, "a Bare image cannot be written"),
    ];
    for (bytes, reason) in table {
        let file = folder.with("a.pib", &bytes);
        let words = format!("pib write {} --backup {} --yes", file.display(), backup.display());
        let answer = ccs(&mut wire, &words);
        assert_eq!(answer.code, 1);
        assert!(
            answer.error.starts_with("nothing was sent") && answer.error.contains(reason),
            "{}",
            answer.error
        );
        assert!(only_read(&wire) && !backup.exists());
    }
    let file = folder.with("a.pib", &evse_to_pev(&wire));
    let other = folder.with("other", b"something else");
    let answer = ccs(&mut wire, &write(&file, &other));
    assert!(answer.code == 1 && answer.error.contains("give another name"), "{}", answer.error);
    assert!(only_read(&wire) && role_of(&wire) == Some(Role::Evse));
    assert_eq!(std::fs::read(other).unwrap(), b"something else");
}

fn write(file: &Path, backup: &Path) -> String {
    format!("pib write {} --backup {} --yes", file.display(), backup.display())
}

#[test]
fn a_role_is_shown_first_written_when_told_so_and_undone_with_the_backup() {
    let folder = Folder::new("role");
    let backup = folder.file("before.pib");
    let mut wire = pair();
    let before = flash(&wire);
    let dry = ccs(&mut wire, &format!("pib role pev --backup {}", backup.display()));
    assert_eq!(dry.code, 2);
    assert!(dry.out.contains("SLAC_EnableMode: 2 (EVSE) -> 1 (PEV)\n"), "{}", dry.out);
    assert!(only_read(&wire) && flash(&wire) == before);
    assert_eq!(std::fs::read(&backup).unwrap(), before);

    let written = json(&mut wire, &format!("pib role pev --yes --backup {}", backup.display()));
    assert_eq!((&written["written"], written["changes"].as_array().unwrap().len()), (&true.into(), 2));
    assert_eq!(role_of(&wire), Some(Role::Pev));
    let same = json(&mut wire, &format!("pib role pev --yes --backup {}", backup.display()));
    assert_eq!((&same["written"], &same["backup"]), (&false.into(), &Value::Null));

    let words = write(&backup, &folder.file("between.pib"));
    assert!(good(&mut wire, &words).contains("they compare"));
    assert_eq!(flash(&wire), before);
}

/// Number of frames of a complete write.
fn frames_of_a_write(folder: &Folder) -> usize {
    let mut wire = pair();
    let file = folder.with("a.pib", &evse_to_pev(&wire));
    good(&mut wire, &write(&file, &folder.file("whole.bak")));
    wire.sent.len()
}

#[test]
fn ctrl_c_at_any_frame_of_a_write_says_what_state_the_modem_is_in_and_it_is_true() {
    let folder = Folder::new("interrupt");
    let whole = frames_of_a_write(&folder);
    assert!(whole > 20);
    let mut states = [0; 4];
    for frames in 1..whole {
        let mut wire = pair();
        let before = flash(&wire);
        wire.interrupt_after = Some(frames);
        let file = folder.file("a.pib");
        let answer = ccs(&mut wire, &write(&file, &folder.file(&format!("{frames}.bak"))));
        assert_eq!(answer.code, 130, "{frames}: {}", answer.error);
        let table = ["nothing was changed", "the modem is unchanged", "is not known", "has"];
        let state = table.iter().position(|words| answer.error.contains(words)).unwrap();
        states[state] += 1;
        match state {
            0 | 1 => assert!(flash(&wire) == before, "{frames}"),
            2 => assert!(folder.file(&format!("{frames}.bak")).exists()),
            _ => assert_eq!(role_of(&wire), Some(Role::Pev), "{frames}"),
        }
    }
    assert!(states.iter().all(|count| *count > 0), "{states:?}");
}

#[test]
fn a_write_that_fails_says_what_state_the_modem_is_in() {
    use sim::power_line::{Act, Place, Rule};
    let folder = Folder::new("fail");
    let mut wire = pair();
    let file = folder.with("a.pib", &evse_to_pev(&wire));
    let mm_type = Some(homeplug_mme::MmType(0xA0B0));
    // The parts that are read pass, then the start of the session, then nothing.
    let rule =
        Rule { place: Place::FromHost(Port(0)), mm_type, skip: 8, times: Rule::ALWAYS, act: Act::Lose };
    wire.line.add_rule(rule);
    let answer = ccs(&mut wire, &write(&file, &folder.file("backup")));
    assert_eq!(answer.code, 1);
    assert!(answer.error.starts_with("the modem is unchanged"), "{}", answer.error);
    assert_eq!(role_of(&wire), Some(Role::Evse));
}

#[test]
fn progress_is_quiet_for_two_seconds_and_a_terminal_has_one_line() {
    let told = |is_terminal: bool, millis: &[u64]| {
        let mut text = Vec::new();
        let mut progress = Progress::new(&mut text, is_terminal);
        for at in millis {
            progress.tell(Instant::from_millis(*at), || format!("at {at}"));
        }
        drop(progress);
        String::from_utf8(text).unwrap()
    };
    assert_eq!(told(false, &[0, 1000, 1999]), "");
    assert_eq!(told(false, &[0, 2000, 3000, 3999, 4000]), "at 2000\nat 4000\n");
    assert_eq!(told(true, &[5, 1000, 2005, 2010, 2200]), "\r\x1b[Kat 2005\r\x1b[Kat 2200\r\x1b[K");
    assert_eq!(told(true, &[5, 1000]), "");
}
