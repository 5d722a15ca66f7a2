use hal_esp32p4::Side;
use machine::Instant;

use crate::bench::Bench;

/// The answers of a charger's board to these lines, typed every 200 ms after its self-test.
fn answers(bench: &mut Bench, lines: &[&str]) -> String {
    let (began, before) = (bench.now(), bench.world.charger.log().len());
    let mut typed = 0;
    let lines: Vec<String> = lines.iter().map(|line| (*line).to_owned()).collect();
    bench.play(|world, now| {
        let due = 600 + 200 * typed as u64;
        let is_due = now.since(began).as_millis() >= due;
        if is_due && world.charger.log()[before..].contains("self-test passed") {
            if let Some(line) = lines.get(typed) {
                crate::bench::types(world, Side::Charger, line);
            }
            typed += 1;
        }
        typed > lines.len()
    });
    bench.world.charger.log().split_off(before)
}

#[test]
fn autostart_is_kept_over_a_power_cut_and_starts_the_role() {
    let mut bench = Bench::new();
    let log = answers(&mut bench, &["autostart on", "settings"]);
    assert!(log.contains("autostart on (off | on)"), "{log}");
    let log = answers(&mut bench, &["status"]);
    assert!(log.contains("status: charger, started, phase Idle"), "{log}");
}

#[test]
fn without_autostart_a_board_offers_nothing() {
    let mut bench = Bench::new();
    bench.world.plugged.set(true);
    let log = answers(&mut bench, &["status"; 20]);
    assert!(log.contains("status: charger, stopped, phase Plugged"), "{log}");
    assert_eq!(bench.world.charger.pwm.get(), 16_384, "steady +12 V");
}

#[test]
fn the_network_key_is_shown_only_when_that_is_asked_for() {
    let mut bench = Bench::new();
    let log = answers(&mut bench, &["start", "key", "key show", "key hide"]);
    let lines: Vec<_> = log.lines().filter(|line| line.contains("key")).collect();
    let shown = lines.iter().filter(|line| line.contains("network") && line.contains(", key "));
    assert_eq!(shown.count(), 1, "{log}");
    assert_eq!(log.matches("a network key is set; `key show` shows it").count(), 2, "{log}");
}

#[test]
fn log_and_commands_have_a_json_form_and_frames_are_lines_of_it() {
    let mut bench = Bench::new();
    let log =
        answers(&mut bench, &["{\"command\":\"json on\"}", "{\"command\":\"frames on\"}", "start", "status"]);
    let json: Vec<_> = log.lines().filter(|line| line.starts_with('{') && line.ends_with('}')).collect();
    assert!(json.iter().any(|line| line.contains("\"words\":\"status: charger")), "{log}");
    let frame = json.iter().find(|line| line.contains("\"frame\":\"sent\"")).expect("a frame");
    assert!(frame.contains("\"hex\":\"00b052000001"), "{frame}");
}

#[test]
fn the_pilot_is_tested_step_by_step_and_not_while_a_plug_is_in() {
    let mut bench = Bench::new();
    let log = answers(&mut bench, &[&["test pilot"][..], &["help"; 55]].concat());
    for step in ["driven steady +12 V", "driven 5.0 %", "driven 10.0 %", "driven 50.0 %", "driven 96.0 %"] {
        let line = log.lines().find(|line| line.contains("test pilot: pilot A") && line.contains(step));
        assert!(line.is_some(), "{step}\n{log}");
    }
    assert_eq!(bench.world.charger.pwm.get(), 16_384, "steady +12 V after it");
    bench.world.plugged.set(true);
    let log = answers(&mut bench, &["status", "test pilot"]);
    assert!(log.contains("not while a plug is in"), "{log}");
}

#[test]
fn a_setting_that_cannot_be_is_refused_with_what_can_be() {
    let mut bench = Bench::new();
    let log = answers(&mut bench, &["set link up", "set max-voltage-mv 2000000", "frobnicate", "role car"]);
    assert!(log.contains("link can be matched | given"), "{log}");
    assert!(log.contains("max-voltage-mv can be 60000..1000000"), "{log}");
    assert!(log.contains("no such command; `help` lists them"), "{log}");
    assert!(log.contains("this firmware has: charger; flash another one"), "{log}");
}

#[test]
fn a_line_that_is_too_long_or_no_text_is_refused_whole() {
    let mut bench = Bench::new();
    let long = "status ".repeat(40);
    let log = answers(&mut bench, &[&long, "status"]);
    assert_eq!(log.matches("a command has 200 bytes at most").count(), 1, "{log}");
    assert_eq!(log.matches("status: ").count(), 1, "{log}");
    bench.world.charger.input.borrow_mut().extend([0xFF, 0xFE, b'\n']);
    assert!(answers(&mut bench, &[]).contains("no such command"));
    assert!(bench.now() > Instant::ZERO);
}
