use std::cell::RefCell;
use std::rc::Rc;

use board::{Exit, kept_role};
use machine::Duration;

use crate::bench::{Bench, Lived, types, usual};
use hal_esp32p4::Side;

/// A charger's board alone, at which a person types each line after the answer to the line before; then it
/// starts again.
fn converses(bench: Bench, roles: &'static [&'static str], talk: &[(&'static str, &'static str)]) -> Lived {
    let first = ("json off", "self-test passed");
    let mut talk: Vec<_> = [first].iter().chain(talk).copied().rev().collect();
    let from = RefCell::new(bench.world.charger.log().len());
    bench.live(roles, move |world, now| {
        let log = world.charger.log();
        assert!(now.as_millis() < 120_000, "waits for {:?}\n{log}", talk.last());
        let Some((_, answer)) = talk.last() else { return };
        if !log[*from.borrow()..].contains(answer) {
            return;
        }
        from.replace(log.len());
        talk.pop();
        types(world, Side::Charger, talk.last().map_or("reboot", |(line, _)| line));
    })
}

#[test]
fn a_setting_makes_the_role_again_in_the_same_memory_and_is_kept() {
    let mac = ("set mac 02:00:00:00:00:99", "charger at 02:00:00:00:00:99");
    let status = ("status", "status: charger, started, phase Idle");
    let talk = [("start", "started"), mac, status, ("set max-current-ma 32000", "charger at"), status];
    let life = converses(Bench::new(), &["charger"], &talk);
    assert_eq!(life.exit, Exit::Reboot);
    assert_eq!(life.log.matches("charger at 02:00:00:00:00:99").count(), 2, "{}", life.log);
    let again = Bench { flash: life.flash, ..Bench::new() };
    let settings = [("settings", "mac 02:00:00:00:00:99"), ("settings", "max-current-ma 32000 (")];
    converses(again, &["charger"], &settings);
}

#[test]
fn a_role_that_is_changed_is_kept_over_the_start_that_follows() {
    let roles = &["charger", "car"];
    let mut bench = Bench::new();
    assert_eq!(kept_role(&mut bench.flash[0], roles), None);
    let talk = [
        ("role", "role charger; this firmware has: charger, car"),
        ("role charger", "it is the charger already"),
    ];
    bench = Bench { flash: converses(bench, roles, &talk).flash, ..Bench::new() };
    assert_eq!(kept_role(&mut bench.flash[0], roles), None);
    let life = converses(bench, roles, &[("role car", "role car after the start that follows")]);
    let [mut flash, _] = life.flash;
    assert_eq!((life.exit, kept_role(&mut flash, roles)), (Exit::Reboot, Some("car")));
    assert_eq!(kept_role(&mut flash, &["charger"]), None, "a firmware without that role");
}

#[test]
fn the_modem_is_found_shown_and_prepared_for_the_other_side_with_its_backup_first() {
    let life = converses(
        Bench::new(),
        &["charger"],
        &[
            ("modem find", "modem find: 02:b0:52:00:00:e0 on the own cable, QCA7000/7005"),
            ("modem show", "modem show: 02:b0:52:00:00:e0, QCA7000/7005"),
            ("modem pib role pev", "the backup that comes first has the modem's keys: give `key show`"),
            ("key show", "network"),
            ("modem pib role pev", "modem pib role: done; the modem has restarted"),
            ("modem pib role pev", "exactly"),
            ("status", "status: charger, stopped"),
        ],
    );
    let (before, _) = life.log.split_once("modem pib role: done").expect("it is done");
    assert!(before.contains("backup 000000 "), "{}", life.log);
    assert_eq!(life.exit, Exit::Reboot);
}

#[test]
fn without_a_power_stage_a_cars_state_of_charge_is_read_and_nothing_is_driven() {
    let talk = [("set stage none", "stage none"), ("set purpose read", "purpose read"), ("start", "started")];
    let mut bench = Bench { flash: converses(Bench::new(), &["charger"], &talk).flash, ..Bench::new() };
    bench.types(Side::Charger, "start");
    bench.types(Side::Car, "start");
    bench.play(|world, now| {
        usual(world, now, Duration::from_secs(1));
        assert!(!world.charger.is_driven(), "{}", world.charger.log());
        world.charger.log().contains("phase Ended")
    });
    let log = bench.world.charger.log();
    assert!(log.contains("soc=42%"), "{log}");
    assert!(
        log.contains("no power stage: sending synthetic values to the car"),
        "each session says it: {log}"
    );
}

#[test]
fn a_link_that_flaps_is_said_each_time_and_a_session_follows_once_it_stays() {
    const FLAPS: u64 = 5;
    let mut bench = Bench::new();
    bench.types(Side::Charger, "start");
    bench.types(Side::Car, "start");
    let flows = Rc::new(RefCell::new(false));
    bench.play(|world, now| {
        usual(world, now, Duration::from_secs(1));
        // Down for 700 ms of each 2 s.
        let ms = now.as_millis().saturating_sub(8_000);
        let is_down = now.as_millis() >= 8_000 && ms < FLAPS * 2_000 && ms % 2_000 < 700;
        world.charger.is_up.set(!is_down);
        *flows.borrow_mut() |= ms > FLAPS * 2_000 && world.cable.get().current_ma > 5_000;
        *flows.borrow()
    });
    let log = bench.world.charger.log();
    for word in ["down", "up"] {
        assert_eq!(log.matches(&format!("the Ethernet link is {word}")).count() as u64, FLAPS, "{log}");
    }
    assert!(!bench.world.car.log().contains("latched"), "{}", bench.world.car.log());
}
