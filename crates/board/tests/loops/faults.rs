use std::cell::Cell;

use hal_esp32p4::{Scale, Side};
use machine::{Duration, Instant};

use crate::bench::{Bench, World, usual};
use crate::world::StuckAdc;

/// Runs until current flows, then applies `fault`, and runs 3 s more; returns when both sides had neither
/// drive nor current.
fn charging_then(fault: impl Fn(&World)) -> (Bench, Option<Duration>) {
    let mut bench = Bench::new();
    bench.types(Side::Charger, "start");
    bench.types(Side::Car, "start");
    let (at, dead) = (Cell::new(None), Cell::new(None));
    bench.play(|world, now| {
        usual(world, now, Duration::from_secs(100));
        let flows = world.cable.get().current_ma > 20_000;
        match at.get() {
            None if flows => {
                fault(world);
                at.set(Some(now));
            }
            Some(began) => {
                let is_dead =
                    world.cable.get().current_ma == 0 && !world.charger.is_closed() && !world.car.is_closed();
                match (is_dead, dead.get()) {
                    (true, None) => dead.set(Some(now)),
                    (false, Some(_)) => dead.set(None),
                    _ => {}
                }
                return now.since(began) >= Duration::from_secs(14);
            }
            None => {}
        }
        false
    });
    let took = at.get().zip(dead.get()).map(|(at, dead): (Instant, Instant)| dead.since(at));
    (bench, took)
}

#[test]
fn a_cable_that_is_pulled_under_load_ends_both_sides_at_once_and_they_say_so() {
    let (bench, took) = charging_then(|world| world.is_pulled.set(true));
    assert!(took.is_some_and(|took| took < Duration::from_secs(3)), "{took:?}");
    let (charger, car) = (bench.world.charger.log(), bench.world.car.log());
    assert!(charger.contains("stopping: "), "{charger}");
    assert!(car.contains("stopping: "), "{car}");
}

#[test]
fn an_ethernet_link_that_goes_down_ends_the_session_and_is_said() {
    let (bench, took) = charging_then(|world| world.charger.is_up.set(false));
    assert!(took.is_some_and(|took| took < Duration::from_secs(12)), "{took:?}");
    let charger = bench.world.charger.log();
    assert!(charger.contains("the Ethernet link is down"), "{charger}");
    assert!(charger.contains("interface"), "{charger}");
}

#[test]
fn an_emergency_stop_is_dead_within_half_a_second_and_latched() {
    let (bench, took) = charging_then(|world| world.charger.is_stopped.set(true));
    assert!(took.is_some_and(|took| took < Duration::from_secs(3)), "{took:?}");
    let charger = bench.world.charger.log();
    assert!(charger.contains("latched: the emergency stop was pressed"), "{charger}");
    // The latch is in flash: a board that starts again has it.
    let mut again = Bench::new();
    again.flash = bench.flash.clone();
    again.play(|world, _| world.charger.log().contains("charger at"));
    let log = again.world.charger.log();
    assert!(log.contains("latched before the start: the emergency stop was pressed"), "{log}");
}

#[test]
fn noise_that_reaches_across_a_threshold_of_the_pilot_ends_the_charge() {
    let (bench, took) = charging_then(|world| world.noise_mv.set(2_500));
    assert!(took.is_some_and(|took| took < Duration::from_secs(13)), "{took:?}");
    assert!(bench.world.charger.log().contains("stopping: "), "{}", bench.world.charger.log());
}

/// The charge ended within 3 s, and the log gives the pilot as the reason.
fn ends_by_the_pilot(took: Option<Duration>, log: &str, what: &str) {
    assert!(took.is_some_and(|took| took < Duration::from_secs(3)), "{what}: {took:?}");
    let reason = log.lines().find(|line| line.contains("stopping: ")).expect(log);
    assert!(reason.contains("pilot"), "{what}: {reason}");
}

#[test]
fn an_adc_that_is_stuck_while_charging_ends_the_charge_and_is_said() {
    // Silent, at each level that a pilot has while the car charges, and at both ends of its range.
    let levels =
        [12_000, 9_000, 6_000, 3_000, 0, -12_000, Scale::PILOT.wire_mv(0), Scale::PILOT.wire_mv(3_300)];
    for stuck in [StuckAdc::Silent].into_iter().chain(levels.map(StuckAdc::At)) {
        let (bench, took) = charging_then(|world| world.charger.stuck_adc.set(Some(stuck)));
        ends_by_the_pilot(took, &bench.world.charger.log(), &format!("{stuck:?}"));
    }
}

#[test]
fn a_duty_that_leaves_its_tolerance_while_charging_ends_the_charge_and_the_car_says_so() {
    // 15 %, steady high, steady low.
    for counts in [2_458, 16_384, 0] {
        let (bench, took) = charging_then(|world| world.stuck_pwm.set(Some(counts)));
        ends_by_the_pilot(took, &bench.world.car.log(), &counts.to_string());
    }
}

#[test]
fn a_cars_adc_that_is_stuck_does_not_hide_a_plug_that_is_pulled() {
    // A car measures pulses by their edges; only for a steady pilot it needs its ADC.
    for stuck in [StuckAdc::Silent, StuckAdc::At(6_000), StuckAdc::At(12_000), StuckAdc::At(0)] {
        let (bench, took) = charging_then(|world| {
            world.car.stuck_adc.set(Some(stuck));
            world.is_pulled.set(true);
        });
        assert!(took.is_some_and(|took| took < Duration::from_secs(3)), "{stuck:?}: {took:?}");
        let car = bench.world.car.log();
        assert!(car.contains("stopping: "), "{stuck:?}\n{car}");
    }
}

#[test]
fn frames_that_make_no_sense_do_not_disturb_a_charge() {
    let charges = |fault: fn(&World)| {
        let (bench, took) = charging_then(fault);
        assert_eq!(took, None, "{}", bench.world.charger.log());
    };
    charges(|world| {
        for side in [Side::Charger, Side::Car] {
            let mut received = world.end(side).received.borrow_mut();
            // Runts, of both EtherTypes and of none; frames without a whole header, and frames that are too
            // long.
            for length in [14, 15, 17, 20, 59] {
                for kind in [[0x88, 0xE1], [0x86, 0xDD], [0, 0]] {
                    let mut frame = vec![0xFF; length];
                    frame[12..14].copy_from_slice(&kind);
                    received.push_back(frame);
                }
            }
        }
    });
}

#[test]
fn a_contactor_that_does_not_close_makes_the_board_safe_and_is_named() {
    let mut bench = Bench::new();
    bench.types(Side::Charger, "start");
    bench.types(Side::Car, "start");
    bench.world.charger.dead.set(1);
    bench.play(|world, now| {
        usual(world, now, Duration::from_secs(100));
        world.charger.log().contains("phase Ended")
    });
    let log = bench.world.charger.log();
    assert!(log.contains("contactor +"), "{log}");
    assert!(!bench.world.charger.is_driven(), "{log}");
}

#[test]
fn frames_that_the_port_lost_are_counted_and_said_once_a_second() {
    let mut bench = Bench::new();
    bench.types(Side::Charger, "start");
    bench.play(|world, now| {
        world.charger.lost.set(u32::try_from(now.as_millis()).unwrap());
        now > Instant::from_millis(5_000)
    });
    let log = bench.world.charger.log();
    let said = log.matches("frames were lost: too long, damaged, or no room").count();
    assert!((4..=6).contains(&said), "{said}\n{log}");
}

#[test]
fn a_flash_that_cannot_be_written_is_said_once_and_the_board_goes_on() {
    let mut bench = Bench::new();
    bench.flash[0].1.set(true);
    bench.types(Side::Charger, "start");
    bench.play(|world, now| {
        if now.as_millis() == 700 && !world.charger.log().contains("autostart on") {
            crate::bench::types(world, Side::Charger, "autostart on");
        }
        now > Instant::from_millis(4_000)
    });
    let log = bench.world.charger.log();
    assert_eq!(log.matches("settings and latch are not kept over power loss").count(), 1, "{log}");
}

#[test]
fn power_that_fails_in_any_phase_finds_the_board_safe_at_its_next_start() {
    for phase in
        ["Plugged", "SessionSetup", "CableCheck", "PreCharge", "PowerDelivery", "CurrentDemand", "PowerOff"]
    {
        let mut bench = Bench::new();
        bench.types(Side::Charger, "autostart on");
        bench.types(Side::Charger, "start");
        bench.types(Side::Car, "start");
        let name = format!("phase {phase}");
        bench.play(|world, now| {
            usual(world, now, Duration::from_secs(1));
            world.charger.log().contains(&name)
        });
        // Both boards start again with the plug inserted; their pins are created again.
        let before = [bench.world.charger.log().len(), bench.world.car.log().len()];
        let are_tested = |world: &World| {
            let mut are_tested = true;
            for (board, before) in [&world.charger, &world.car].into_iter().zip(before) {
                let is_tested = board.log()[before..].contains("self-test passed");
                assert!(is_tested || !board.is_driven(), "{phase}: driven before the self-test");
                are_tested &= is_tested;
            }
            are_tested
        };
        let cut_at = bench.now();
        bench.play(|world, now| are_tested(world) || now.since(cut_at) > Duration::from_secs(20));
        assert!(are_tested(&bench.world), "{phase}\n{}", bench.world.charger.log());
    }
}
