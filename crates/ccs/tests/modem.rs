//! `ccs modem` and `ccs doctor` on virtual cables with `ccs sim-modem` at the other end.
//!
//! Most need root (or the capabilities to make namespaces and interfaces) and the command `ip`; those print
//! `skipped: ...` otherwise.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "helpers of tests: a surprise ends the test"
)]

use std::io::{BufRead, BufReader};
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Child, Command, Output, Stdio};

use nix::sched::{CloneFlags, unshare};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::Value;

const CCS: &str = env!("CARGO_BIN_EXE_ccs");
/// A user without privileges.
const NOBODY: u32 = 65534;

fn ip(args: &str) -> bool {
    let status = Command::new("ip").args(args.split(' ')).stderr(Stdio::null()).status();
    status.is_ok_and(|status| status.success())
}

/// Runs `test` on a thread in a separate network namespace, with a charger's modem at `plc0` and a car's at
/// `car0`.
fn with_modems(test: impl FnOnce() + Send + 'static) {
    let thread = std::thread::spawn(move || {
        let made = unshare(CloneFlags::CLONE_NEWNET).is_ok()
            && ["plc0 line0", "car0 line1"].iter().all(|pair| {
                let (host, line) = pair.split_once(' ').unwrap();
                ip(&format!("link add {host} type veth peer name {line}"))
                    && ip(&format!("link set {host} up"))
                    && ip(&format!("link set {line} up"))
            });
        if !made {
            println!("skipped: no right to make namespaces and interfaces, or no `ip`");
            return;
        }
        let modems = Modems::start();
        test();
        drop(modems);
    });
    thread.join().unwrap();
}

struct Modems(Child);

impl Modems {
    fn start() -> Self {
        let mut child = Command::new(CCS)
            .args(["sim-modem", "line0", "line1", "--restart-ms", "300"])
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.as_mut().unwrap()).read_line(&mut line).unwrap();
        assert!(line.contains("ready"), "{line}");
        Self(child)
    }
}

impl Drop for Modems {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn ccs(words: &str) -> Output {
    Command::new(CCS).args(words.split_whitespace()).output().unwrap()
}

fn code(output: &Output) -> i32 {
    output.status.code().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

fn json(words: &str) -> Value {
    let output = ccs(&format!("{words} --json"));
    assert_eq!(code(&output), 0, "{words}: {}", text(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

fn folder(name: &str) -> PathBuf {
    let folder = std::env::temp_dir().join(format!("ccs-{name}-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    folder
}

#[test]
fn modems_are_listed_paired_and_linked_and_the_doctor_is_content() {
    with_modems(|| {
        assert_eq!(json("modem list -i plc0")["modems"][0]["role"], "EVSE");
        for interface in ["plc0", "car0"] {
            let set = json(&format!("modem key --password HomePlugAV --yes -i {interface}"));
            assert_eq!(set["verified"], true);
        }
        let linked = (0..50).any(|_| json("modem link -i plc0")["link"] == true);
        assert!(linked, "no link");
        let both = json("modem list -i car0");
        assert_eq!(both["modems"].as_array().unwrap().len(), 2);
        let healthy = json("doctor -i plc0");
        assert_eq!((&healthy["good"], &healthy["not_checked"]), (&true.into(), &Value::Array(Vec::new())));
        let shown = ccs("doctor -i car0");
        assert_eq!(code(&shown), 0);
        let words = text(&shown.stdout);
        assert!(
            words.contains("good  role         PEV: fits `ccs pev`") && !words.contains('\x1b'),
            "{words}"
        );
    });
}

#[test]
fn parameters_are_saved_changed_written_and_put_back() {
    with_modems(|| {
        let folder = folder("pib");
        let (file, bak) = (folder.join("a.pib"), folder.join("b.pib"));
        let (file, bak) = (file.to_str().unwrap(), bak.to_str().unwrap());
        assert_eq!(json(&format!("modem pib read {file} -i plc0"))["role"], "EVSE");
        assert_eq!(json(&format!("modem pib check {file}"))["findings"], Value::Array(Vec::new()));
        let dry = ccs(&format!("modem pib role pev --backup {bak} -i plc0"));
        assert_eq!(code(&dry), 2);
        assert!(text(&dry.stderr).contains("nothing was written: with --yes"), "{}", text(&dry.stderr));
        assert_eq!(json(&format!("modem pib role pev --backup {bak} --yes -i plc0"))["written"], true);
        let sick = json("doctor -i plc0");
        let role = sick["checks"].as_array().unwrap().iter().find(|check| check["check"] == "role").unwrap();
        assert!(role["says"].as_str().unwrap().starts_with("PEV"), "{role}");
        let back = format!("modem pib write {bak} --backup {file}.2 --yes -i plc0");
        assert_eq!(json(&back)["written"], true);
        let other = ccs(&format!("modem pib write {bak} --backup {file}.3 --yes -i car0"));
        assert_eq!(code(&other), 1);
        assert!(text(&other.stderr).contains("belongs to the modem"), "{}", text(&other.stderr));
        assert_eq!(json("modem info -i plc0")["parameters"]["role"], "EVSE");
        std::fs::remove_dir_all(folder).unwrap();
    });
}

#[test]
fn no_modem_and_no_privilege_have_their_exit_codes_and_words() {
    with_modems(|| {
        // No modem responds on the modems' side of the cable.
        let nobody = ccs("modem info -i line0");
        assert_eq!((code(&nobody), nobody.stdout.len()), (62, 0));
        assert!(text(&nobody.stderr).contains("no modem answers; check its supply"));
        let sick = ccs("doctor -i line0");
        assert_eq!(code(&sick), 1);
        assert!(
            text(&sick.stdout).contains("BAD   modem        no modem answers\n"),
            "{}",
            text(&sick.stdout)
        );

        let unprivileged =
            |words: &str| Command::new(CCS).args(words.split(' ')).uid(NOBODY).gid(NOBODY).output();
        let (Ok(list), Ok(doctor)) = (unprivileged("modem list -i plc0"), unprivileged("doctor -i plc0"))
        else {
            println!("skipped: the command cannot be run by another user here");
            return;
        };
        assert_eq!(code(&list), 3);
        assert!(text(&list.stderr).contains("sudo setcap cap_net_raw=ep"), "{}", text(&list.stderr));
        assert_eq!(code(&doctor), 1);
        assert!(text(&doctor.stdout).contains("-> run `sudo setcap"), "{}", text(&doctor.stdout));
    });
}

#[test]
fn a_watched_link_ends_in_order_with_ctrl_c() {
    with_modems(|| {
        let mut child = Command::new(CCS)
            .args(["modem", "link", "--watch", "--json", "-i", "plc0"])
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        for _ in 0..2 {
            let line: Value = serde_json::from_str(&lines.next().unwrap().unwrap()).unwrap();
            assert_eq!(line["link"], false);
        }
        kill(Pid::from_raw(child.id().try_into().unwrap()), Signal::SIGINT).unwrap();
        assert_eq!(child.wait().unwrap().code(), Some(0));
    });
}

#[test]
fn the_doctor_finds_an_interface_that_is_off_or_has_nobody_at_the_other_end() {
    with_modems(|| {
        assert!(ip("link set line0 down"));
        // The kernel reports a lost carrier with a delay.
        let mut looks = std::iter::repeat_with(|| ccs("doctor -i plc0")).take(20);
        let found = looks.any(|doctor| {
            assert_eq!(code(&doctor), 1);
            text(&doctor.stdout).contains("BAD   carrier      no link partner\n")
        });
        assert!(found, "{}", text(&ccs("doctor -i plc0").stdout));
        assert!(ip("link set plc0 down"));
        let off = ccs("doctor -i plc0");
        assert_eq!(code(&off), 1);
        assert!(text(&off.stdout).contains("-> run `sudo ip link set plc0 up`\n"), "{}", text(&off.stdout));
        assert_eq!(code(&ccs("modem list -i plc0")), 3);
    });
}

#[test]
fn a_missing_interface_is_no_access_and_no_agreement_is_wrong_usage() {
    for words in ["modem list", "modem reset --yes", "modem key --random --yes", "modem pib role evse --yes"]
    {
        let output = ccs(&format!("{words} -i nosuch0"));
        assert_eq!((code(&output), output.stdout.len()), (3, 0), "{words}");
        assert!(text(&output.stderr).contains("there is no interface nosuch0; there are: "));
    }
    for words in ["modem reset", "modem key --random"] {
        let output = ccs(&format!("{words} -i nosuch0"));
        assert_eq!(code(&output), 2, "{words}");
        assert!(text(&output.stderr).contains("with --yes"), "{}", text(&output.stderr));
    }
    let doctor = ccs("doctor -i nosuch0 --json");
    assert_eq!(code(&doctor), 1);
    let found: Value = serde_json::from_slice(&doctor.stdout).unwrap();
    assert_eq!((&found["good"], &found["checks"][0]["state"]), (&false.into(), &"bad".into()));
    assert_eq!(code(&ccs("modem list -i lo --modem 1")), 2);
}
