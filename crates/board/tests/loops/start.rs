use std::ops::ControlFlow;

use board::Desk;
use hal_esp32p4::Side;
use machine::Instant;

use crate::bench::{Bench, Sectors, TestCharger, World, board, charger_cable, types};

/// Turns of a charger's board before its role, for this many ms.
fn tests(world: &std::rc::Rc<World>, flash: Sectors, lines: &[&str], ms: u64) -> (bool, String) {
    let mut cable = charger_cable(world);
    let mut desk = Desk::new::<TestCharger>(board(world, Side::Charger), flash);
    for line in lines {
        types(world, Side::Charger, line);
    }
    let until = world.now.get() + ms * 1_000;
    let mut has_passed = false;
    while world.now.get() < until {
        has_passed |= desk.test(&mut cable) == ControlFlow::Continue(true);
        world.now.set(world.now.get() + 50);
    }
    (has_passed, world.charger.log())
}

#[test]
fn nothing_is_driven_and_each_failure_said_once_until_the_self_test_passes() {
    let world = World::new();
    world.charger.has_noise.set(false);
    world.charger.stuck.set(1);
    let (has_passed, log) = tests(&world, Sectors::new(), &["start", "authorise yes"], 5_000);
    assert!(!has_passed && !world.charger.is_driven());
    assert_eq!(log.matches("of 128 bits of entropy: give a host's seed").count(), 1, "{log}");
    assert_eq!(log.matches("contactors are closed or silent although nothing is driven").count(), 1, "{log}");
    assert!(log.contains("not before the self-test has passed"), "{log}");
    assert_eq!(world.charger.pwm.get(), 16_384, "steady +12 V");
}

#[test]
fn a_hosts_seed_is_what_a_board_without_noise_waits_for() {
    let world = World::new();
    world.charger.has_noise.set(false);
    let seed = "seed 000102030405060708090a0b0c0d0e0f";
    assert!(tests(&world, Sectors::new(), &[seed], 3_000).0);
}

#[test]
fn a_stuck_adc_fails_the_self_test() {
    let world = World::new();
    // E: the level for an ADC at 0 V.
    world.noise_mv.set(-12_000);
    let (has_passed, log) = tests(&world, Sectors::new(), &[], 3_000);
    assert!(!has_passed && log.contains("the pilot cannot be measured"), "{log}");
}

#[test]
fn a_latch_whose_save_was_torn_counts_and_is_said_at_the_start() {
    let flash = Sectors::new();
    flash.0.borrow_mut()[0][..8].copy_from_slice(&[0x0F, 0xFF, 0xFF, 0xFF, b'C', b'C', b'S', b'1']);
    let world = World::new();
    let (has_passed, log) = tests(&world, flash, &[], 2_000);
    assert!(has_passed, "{log}");
    assert!(log.contains("latched before the start: the kept state cannot be read"), "{log}");
}

#[test]
fn the_watchdog_is_fed_while_the_board_waits_for_its_self_test() {
    let world = World::new();
    world.charger.has_noise.set(false);
    tests(&world, Sectors::new(), &[], 3_000);
    assert!(world.now.get() - world.charger.fed.get() < 20_000);
}

#[test]
fn before_the_first_turn_every_output_is_safe() {
    let bench = Bench::new();
    let _cable = charger_cable(&bench.world);
    assert!(!bench.world.charger.is_driven());
    assert_eq!((bench.world.charger.pwm.get(), bench.now()), (16_384, Instant::ZERO));
}
