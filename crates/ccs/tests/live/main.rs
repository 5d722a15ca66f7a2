//! `ccs evse`, `ccs pev` and `ccs listen` at the two ends of a virtual cable, in a separate network
//! namespace: what happens to program, interface and terminal while a car charges.
//!
//! Needs root (or the capabilities to make namespaces and interfaces) and the command `ip`; prints `skipped:
//! ...` otherwise.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "helpers of tests: a surprise ends the test"
)]

mod role;

use nix::sys::signal::Signal;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use role::*;

#[test]
fn an_interface_that_goes_down_or_is_made_again_ends_the_session_and_the_next_one_works() {
    on_a_cable("interface", |folder| {
        let mut charger = Role::charger(folder);
        let ended = |charger: &mut Role, take_away: &dyn Fn(), give_back: &dyn Fn()| {
            let mut car = Role::car(folder);
            charger.wait_for("phase CurrentDemand");
            car.wait_for("phase CurrentDemand");
            take_away();
            charger.wait_for("the network interface is down or gone; waiting for it");
            charger.wait_for(" stopped by the network in CurrentDemand: network interface is down");
            give_back();
            charger.wait_for("the network interface is back");
            charger.wait_for("charger applies 5 %");
        };
        let off = || assert!(ip("link set charger0 down"));
        let on = || {
            wait(500);
            assert!(ip("link set charger0 up"));
        };
        ended(&mut charger, &off, &on);
        ended(&mut charger, &|| assert!(ip("link del charger0")), &|| assert!(make_cable()));
        let mut car = Role::car(folder);
        car.wait_for("phase CurrentDemand");
        charger.wait_for("phase CurrentDemand");
        car.signal(Signal::SIGHUP);
        let (log, _, code) = car.end();
        assert!(last(&log).contains("stopped by the operator in CurrentDemand: stop requested"), "{log}");
        assert_eq!(code, Some(0));
        charger.signal(Signal::SIGTERM);
        let (log, _, _) = charger.end();
        assert!(last(&log).starts_with("stopped by the car in "), "{log}");
    });
}

#[test]
fn a_terminal_that_is_closed_ends_the_session_in_order_however_often_it_says_so() {
    on_a_cable("hangup", |folder| {
        let mut charger = Role::charger(folder);
        let mut car = Role::car(folder);
        car.wait_for("phase CurrentDemand");
        charger.wait_for("phase CurrentDemand");
        charger.signal(Signal::SIGHUP);
        charger.wait_for("ending the session");
        charger.signal(Signal::SIGHUP);
        // The reader of the log is gone too.
        charger.log = None;
        let (_, errors, code) = charger.end();
        assert!(last(&errors).starts_with("stopped by the operator in CurrentDemand"), "{errors}");
        assert_eq!(code, Some(0));
        car.wait_for("stopped by the charger");
    });
}

#[test]
fn a_program_that_was_held_up_says_so_and_for_how_long() {
    on_a_cable("held-up", |folder| {
        let was_held_up = |side: &str| {
            let mut charger = Role::charger(folder);
            let mut car = Role::car(folder);
            car.wait_for("phase CurrentDemand");
            charger.wait_for("phase CurrentDemand");
            let role = if side == "car" { &mut car } else { &mut charger };
            role.signal(Signal::SIGSTOP);
            wait(400);
            role.signal(Signal::SIGCONT);
            let lines = role.read_up_to(" stopped by ");
            let stop = lines.last().unwrap();
            let has_warning =
                lines.iter().any(|line| line.contains("warning: the program was held up for 0."));
            let words = format!(" stopped by the {side} in CurrentDemand: program held up, for 0.");
            has_warning && (stop.contains(&format!("{words}4 s")) || stop.contains(&format!("{words}5 s")))
        };
        for side in ["charger", "car"] {
            // On a busy machine the other side may be held up first, or this one for longer.
            assert!((0..5).any(|_| was_held_up(side)), "{side}");
        }
    });
}

#[test]
fn a_second_role_on_an_interface_is_refused_until_the_first_is_gone_even_by_sigkill() {
    on_a_cable("second", |folder| {
        let charger = Role::charger(folder);
        let (log, errors, code) = Role::start(&charger_args(folder)).end();
        let process = format!("interface charger0 is taken by process {} (", charger.child.id());
        assert!(errors.contains(&process) && errors.contains("ccs evse -i charger0"), "{errors}");
        assert_eq!((log.as_str(), code), ("", Some(3)));
        // The other end of the cable is another interface.
        let mut car = Role::car(folder);
        car.wait_for("ready on car0");
        charger.signal(Signal::SIGKILL);
        charger.end();
        Role::charger(folder);
    });
}

#[test]
fn a_latch_is_given_back_at_the_start_and_removed_by_a_reset_alone() {
    on_a_cable("latch", |folder| {
        let kept = "ccs latch 1\nlatch = contactors\ncause = weld\nsince = 1795000000\nend\n";
        for (text, words) in [(kept, "contactors did not follow"), ("ccs lat", "it is cut or changed")] {
            for role in ["evse", "pev"] {
                std::fs::write(state(folder, role), text).unwrap();
            }
            let mut charger = Role::start(&charger_args(folder));
            assert!(charger.wait_for("warning: latched ").contains(words));
            // The plug goes in after 0.5 s; 5 % would follow 0.5 s later.
            charger.wait_for("pilot 9 V (B)");
            wait(1_500);
            charger.signal(Signal::SIGTERM);
            let (log, _, _) = charger.end();
            assert!(!log.contains("applies 5 %"), "{log}");
            assert!(state(folder, "evse").exists(), "an end of the program is no reset");
            let reset = Role::start(&[&charger_args(folder)[..], &["--reset-latch"]].concat());
            let (log, _, code) = reset.end();
            assert!(log.starts_with("reset: it was latched ") && code == Some(0), "{log}");
            assert!(!state(folder, "evse").exists() && state(folder, "pev").exists());
            drop(Role::charger(folder));
        }
    });
}

#[test]
fn a_signal_is_no_stop_of_the_driver_and_one_that_is_kept_outlives_it() {
    on_a_cable("driver", |folder| {
        let _charger = Role::charger(folder);
        let mut car = Role::car(folder);
        car.wait_for("phase CurrentDemand");
        car.signal(Signal::SIGTERM);
        let (log, _, _) = car.end();
        assert!(!state(folder, "pev").exists(), "who starts the car again wants to charge: {log}");
        let kept = "ccs latch 1\nlatch = driver-stop\ncause = -\nsince = 1795000000\nend\n";
        std::fs::write(state(folder, "pev"), kept).unwrap();
        let mut car = Role::car(folder);
        assert!(car.wait_for("warning: latched ").contains("the driver has stopped: start again"));
        // The charger is found immediately.
        wait(1_500);
        car.signal(Signal::SIGTERM);
        let (log, _, _) = car.end();
        assert!(!log.contains("connecting") && state(folder, "pev").exists(), "{log}");
        // As a new start of charging does.
        std::fs::remove_file(state(folder, "pev")).unwrap();
        Role::car(folder).wait_for("phase Handshake");
    });
}

/// A charge of one second with a listener on the charger's own interface: output of the listener, of charger
/// and car, and the listener's exit code.
fn listened_to(folder: &Path, args: &[&str]) -> (String, [String; 2], String, Option<i32>) {
    let mut charger = Role::charger(folder);
    let listener = Role::spawn(&[&["listen", "-i", "charger0"], args].concat());
    // It opens its socket before anything else happens on the cable.
    wait(500);
    let mut car = Role::car(folder);
    car.wait_for("phase CurrentDemand");
    wait(1_000);
    car.signal(Signal::SIGINT);
    let (car, _, _) = car.end();
    charger.wait_for("disconnected: ");
    charger.signal(Signal::SIGTERM);
    let (charger, _, _) = charger.end();
    listener.signal(Signal::SIGINT);
    let (log, errors, code) = listener.end();
    (log, [charger, car], errors, code)
}

/// The lines of the first story, without the numbers of frames and times.
fn story(log: &str) -> Vec<String> {
    let lines = log.lines().skip_while(|line| !line.starts_with("  session 1: ")).skip(1);
    // A line of the log begins with a time, further to the right.
    let lines = lines.take_while(|line| line.starts_with("    ") && !line.starts_with("     "));
    let lines = lines.filter(|line| !line.contains("phases: "));
    // "(PowerDelivery(false) in CurrentDemand, frame 326)", "0.001 kWh, 12.0 rounds/s"
    let numbers = [", frame ", ", message ", " kWh, "];
    let words = |line: &str| numbers.iter().fold(line.to_owned(), |line, number| before(&line, number));
    lines.map(words).collect()
}

/// The text before the first `mark`, or all of it.
fn before(line: &str, mark: &str) -> String {
    line.split(mark).next().unwrap().to_owned()
}

#[test]
fn a_listener_on_the_charger_s_own_interface_has_the_story_that_charger_and_car_tell() {
    on_a_cable("listener", |folder| {
        let recording = folder.join("heard.pcapng");
        let args = ["-w", recording.to_str().unwrap()];
        let (log, [charger, car], errors, code) = listened_to(folder, &args);
        assert_eq!((errors.as_str(), code), ("", Some(0)));
        assert!(
            log.lines()
                .next()
                .unwrap()
                .ends_with("ready on charger0: nothing is sent; Ctrl-C ends it and shows the stories")
        );
        assert!(
            log.contains(" pev->evse  din      CurrentDemandReq ")
                && log.contains(" evse->pev  din      CurrentDemandRes ")
        );
        let heard = story(&log);
        assert!(
            heard.len() > 5
                && heard.last().unwrap().starts_with("    ended by the car (PowerDelivery(false) in Current"),
            "{log}"
        );
        assert_eq!(story(&charger), heard, "the charger's own");
        assert_eq!(story(&car), heard, "the car's own");
        let decoded = Command::new(env!("CARGO_BIN_EXE_ccs"))
            .args(["decode", "--summary"])
            .arg(recording)
            .output()
            .unwrap();
        assert_eq!(story(&String::from_utf8(decoded.stdout).unwrap()), heard, "from the recording");
    });
}

#[test]
fn a_listener_s_json_is_one_object_a_line_and_its_live_capture_is_nothing_but_one() {
    on_a_cable("listener-output", |folder| {
        let (log, _, errors, code) = listened_to(folder, &["--json"]);
        assert_eq!(code, Some(0));
        assert!(errors.contains("ready on charger0") && !log.contains("ready on"));
        let lines: Vec<serde_json::Value> =
            log.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        let (last, messages) = lines.split_last().unwrap();
        assert_eq!(last["sessions"][0]["end"]["how"], "PowerDelivery(false)");
        assert!(
            messages.iter().any(|line| line["message"] == "CurrentDemandRes" && line["file"] == "charger0")
        );

        let capture = folder.join("live.pcapng");
        let mut charger = Role::charger(folder);
        let listener = Command::new(env!("CARGO_BIN_EXE_ccs"))
            .args(["listen", "-i", "charger0", "-w", "-"])
            .stdout(std::fs::File::create(&capture).unwrap())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let listener = Role { child: listener, log: None };
        wait(500);
        let car = Role::car(folder);
        charger.wait_for("phase CurrentDemand");
        drop(car);
        listener.signal(Signal::SIGINT);
        let (_, errors, code) = listener.end();
        assert!(errors.contains("  session 1: din") && code == Some(0), "{errors}");
        let decoded = Command::new(env!("CARGO_BIN_EXE_ccs"))
            .args(["decode", "--summary"])
            .arg(capture)
            .output()
            .unwrap();
        let decoded = String::from_utf8(decoded.stdout).unwrap();
        assert!(decoded.contains(": pcapng, ") && decoded.contains("  session 1: din"), "{decoded}");
    });
}

#[test]
fn a_listener_that_may_not_or_cannot_listen_says_what_to_do() {
    on_a_cable("listener-refused", |folder| {
        let key = folder.join("key");
        let said = |args: &[&str]| {
            let (log, errors, code) = Role::spawn(&[&["listen"], args].concat()).end();
            assert_eq!(log, "");
            (errors, code)
        };
        let cases: [(&[&str], &str, i32); 6] = [
            (&["-i", "nosuch0"], "there is no interface nosuch0; there are: ", 3),
            (&["-i", "charger0", "-i", "charger0"], "each `-i` needs an interface of its own", 2),
            (&["-i", "charger0", "-w", "-", "--json"], "both want the standard output", 2),
            (&["-i", "charger0", "--key", key.to_str().unwrap()], "reading the key in ", 1),
            (&["-i", "charger0", "-w", "/nosuch/file"], "recording into /nosuch/file", 1),
            (&[], "--interface <IFACE>", 2),
        ];
        for (args, words, code) in cases {
            let (errors, found) = said(args);
            assert!(errors.contains(words) && found == Some(code), "{args:?}: {errors}");
        }
        std::fs::write(&key, "0123456789abcdef0123456789abcdeg\n").unwrap();
        let (errors, code) = said(&["-i", "charger0", "--key", key.to_str().unwrap()]);
        assert!(errors.contains("expected a network key of 32 hexadecimal digits") && code == Some(2));
        assert!(!errors.contains("0123"), "a key with a slip is not shown: {errors}");
        assert!(ip("link set car0 down"));
        let (errors, code) = said(&["-i", "car0"]);
        assert!(errors.contains("interface car0 is down: run `sudo ip link set car0 up`") && code == Some(3));
        assert!(ip("link set car0 up"));
        // A listener that joins takes the modem away from a role; a listener that only listens disturbs
        // nothing.
        let charger = Role::charger(folder);
        let (errors, code) = said(&["-i", "charger0", "--join"]);
        assert!(errors.contains("interface charger0 is taken by process ") && code == Some(3), "{errors}");
        drop(charger);
        let mut unprivileged = Command::new(env!("CARGO_BIN_EXE_ccs"));
        let output = unprivileged.args(["listen", "-i", "charger0"]).uid(65534).gid(65534).output();
        match output {
            Ok(output) => {
                let errors = String::from_utf8(output.stderr).unwrap();
                assert!(
                    errors.contains("no permission for a raw socket: run `sudo setcap ")
                        && output.status.code() == Some(3),
                    "{errors}"
                );
            }
            Err(error) => println!("skipped: another user may not run the program: {error}"),
        }
    });
}

#[test]
fn a_listener_outlives_its_interface_and_goes_on_when_that_is_back() {
    on_a_cable("listener-down", |folder| {
        let mut listener = Role::spawn(&["listen", "-i", "charger0"]);
        listener.wait_for("ready on charger0");
        assert!(ip("link set charger0 down"));
        listener.wait_for("the interface is down or gone; waiting for it");
        assert!(ip("link set charger0 up"));
        listener.wait_for("charger0: the interface is back");
        let _charger = Role::charger(folder);
        let _car = Role::car(folder);
        listener.wait_for("CurrentDemandRes");
        listener.signal(Signal::SIGTERM);
        let (log, _, code) = listener.end();
        assert!(log.contains("  session 1: din") && code == Some(0), "{log}");
    });
}

#[test]
fn a_listener_records_each_session_into_a_file_of_its_own() {
    on_a_cable("listener-folder", |folder| {
        let recordings = folder.join("heard");
        std::fs::create_dir(&recordings).unwrap();
        let (log, _, errors, code) = listened_to(folder, &["-w", recordings.to_str().unwrap()]);
        assert_eq!((errors.as_str(), code), ("", Some(0)), "{log}");
        let files: Vec<PathBuf> =
            std::fs::read_dir(&recordings).unwrap().map(|entry| entry.unwrap().path()).collect();
        let [file] = &files[..] else { panic!("{files:?}") };
        let summary = output(env!("CARGO_BIN_EXE_ccs"), &["decode", "--summary", file.to_str().unwrap()]);
        assert_eq!(story(&summary.unwrap()), story(&log));
    });
}

/// The output of a command.
fn output(program: &str, args: &[&str]) -> Option<String> {
    let output = Command::new(program).args(args).output().ok()?;
    Some(String::from_utf8_lossy(&output.stdout).into_owned())
}

#[test]
fn each_session_has_a_recording_that_outlives_a_kill_and_a_full_disk_disturbs_no_one() {
    use std::os::unix::fs::PermissionsExt;
    on_a_cable("recording", |folder| {
        let recordings = folder.join("recordings");
        std::fs::create_dir(&recordings).unwrap();
        let record = ["--record", recordings.to_str().unwrap()];
        let mut charger = Role::start(&[&charger_args(folder)[..], &record].concat());
        charger.wait_for("charger applies 5 %");
        let mut car = Role::start(&[
            "pev",
            "-i",
            "car0",
            "--state",
            state(folder, "pev").to_str().unwrap(),
            "--soc",
            "20",
            "--record",
            "/dev/full",
        ]);
        let ready = car.wait_for("ready on car0: ");
        let prefix: String = ready.split("car0: ").nth(1).unwrap()[..8].replace(':', "");
        car.wait_for("the recording ends: ");
        car.wait_for("phase CurrentDemand");
        car.signal(Signal::SIGHUP);
        let (log, _, code) = car.end();
        assert_eq!((log.matches("the recording").count(), code), (0, Some(0)), "once: {log}");
        charger.wait_for("stopped by the car");
        charger.wait_for("charger applies 5 %");
        let mut car = Role::car(folder);
        car.wait_for("phase CurrentDemand");
        charger.wait_for("phase CurrentDemand");
        wait(1_000);
        charger.signal(Signal::SIGKILL);
        drop(charger);

        let mut files: Vec<PathBuf> =
            std::fs::read_dir(&recordings).unwrap().map(|entry| entry.unwrap().path()).collect();
        files.sort();
        assert_eq!(files.len(), 2, "{files:?}");
        for file in files {
            let name = file.to_str().unwrap();
            assert!(name.ends_with(&format!("Z_{prefix}.pcapng")), "{name}, {ready}");
            assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
            let lines = output(env!("CARGO_BIN_EXE_ccs"), &["decode", name]).unwrap();
            for words in [
                "SessionSetupReq EVCCID=",
                "CurrentDemandRes",
                "plant demand pilot=5.0%",
                "contactors=closed",
            ] {
                assert!(lines.contains(words), "{words} is not in {name}: {lines}");
            }
            let summary =
                output(env!("CARGO_BIN_EXE_ccs"), &["decode", "--summary", "--json", name]).unwrap();
            let summary: serde_json::Value = serde_json::from_str(&summary).unwrap();
            assert_eq!(summary["sessions"].as_array().unwrap().len(), 1, "{summary}");
            let Some(fields) = output("tshark", &["-r", name, "-T", "fields", "-e", "frame.comment"]) else {
                println!("skipped: no tshark");
                continue;
            };
            assert!(fields.contains("din SessionSetupReq EVCCID="), "{fields}");
            let malformed = output("tshark", &["-r", name, "-Y", "_ws.malformed"]).unwrap();
            assert_eq!(malformed, "", "{name}");
        }
    });
}
