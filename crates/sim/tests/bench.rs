//! Both ends of a cable, driven by hand: the behaviour of the hardware with and without faults.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test ends where it fails")]

use control_pilot::{Level, Output, Proximity};
use evse_fsm::{Contactors, Demand, Isolation};
use machine::Instant;
use session::Target;
use sim::plant::{
    Bench, BenchConfig, CarDemand, ContactorFault, Fault, Load, LockFault, Occurrence, PilotFault, Sensor,
    SensorFault, Side, StageFault, StageProfile,
};

const fn at(millis: u64) -> Instant {
    Instant::from_millis(millis)
}

const CLOSED: CarDemand =
    CarDemand { level: Level::C, contactors: Contactors::Closed, lock: evse_fsm::Lock::Held };

fn supply(voltage_mv: i32, current_ma: i32) -> Demand {
    let supply = Target { voltage_mv, current_ma };
    Demand { pilot: Output::DIGITAL, supply, contactors: Contactors::Closed, ..Demand::SAFE }
}

/// A bench that charges at 100 A from 3 s on.
fn charging(config: BenchConfig) -> Bench {
    let mut bench = Bench::new(config);
    bench.plug(at(0), true);
    bench.drive_charger(at(0), &supply(350_000, 2_000));
    bench.drive_car(at(0), &CarDemand::pilot(Level::C));
    bench.drive_car(at(1_000), &CLOSED);
    bench.drive_charger(at(1_100), &supply(410_000, 100_000));
    bench.advance(at(3_000));
    bench
}

#[test]
fn precharge_close_charge_and_stop() {
    let mut bench = charging(BenchConfig::default());
    let truth = bench.truth();
    assert_eq!(truth.current_ma, 100_000);
    assert_eq!((truth.cable_mv, truth.inlet_mv), (truth.battery_mv, truth.battery_mv));
    assert!((356_000..358_000).contains(&truth.battery_mv), "349.5 V at rest: {}", truth.battery_mv);
    let plant = bench.charger(at(3_000));
    assert_eq!(plant.pilot.unwrap().value, Level::C);
    assert_eq!(plant.isolation.unwrap().value.status, Isolation::Valid);
    assert_eq!(plant.voltage_mv.unwrap().value, truth.cable_mv);

    bench.drive_charger(at(3_000), &Demand { supply: Target::ZERO, ..supply(0, 0) });
    bench.drive_car(at(3_050), &CarDemand::SAFE);
    bench.drive_charger(at(3_050), &Demand::SAFE);
    bench.advance(at(4_000));
    let truth = bench.truth();
    assert_eq!((truth.current_ma, truth.charger_closed, truth.car_closed), (0, false, false));
    assert!(truth.inlet_mv < 1_000, "{}", truth.inlet_mv);
    let closed = Occurrence::Closed {
        side: Side::Car,
        told_mv: 350_000,
        voltage_mv: 350_000,
        difference_mv: 500,
        is_commanded: true,
    };
    let all: Vec<Occurrence> = bench.occurrences().iter().map(|(_, what)| *what).collect();
    assert!(all.contains(&closed), "0.5 V between the contacts: {all:?}");
    assert!(all.contains(&Occurrence::Opened {
        side: Side::Charger,
        told_ma: 0,
        current_ma: 0,
        is_commanded: true
    }));
}

#[test]
fn what_the_steps_are_does_not_matter() {
    let config = || BenchConfig { stage: StageProfile::ALPITRONIC, ..BenchConfig::default() };
    let mut fine = charging(config());
    let mut coarse = charging(config());
    (3_000..63_000).step_by(7).for_each(|ms| fine.advance(at(ms)));
    fine.advance(at(63_000));
    coarse.advance(at(63_000));
    let (fine, coarse) = (fine.truth(), coarse.truth());
    assert_eq!(fine.current_ma, coarse.current_ma);
    assert!((fine.battery_mv - coarse.battery_mv).abs() < 50, "{fine:?} {coarse:?}");
}

#[test]
fn a_plug_that_is_pulled_under_load_breaks_the_current_and_the_pilot() {
    let mut bench = charging(BenchConfig::default());
    bench.plug(at(3_000), false);
    bench.advance(at(3_001));
    let truth = bench.truth();
    assert_eq!((truth.current_ma, truth.level, truth.car_locked), (0, Level::A, false));
    assert_eq!((truth.cable_mv, truth.inlet_mv), (410_000, truth.battery_mv));
    let pulled = Occurrence::Plug { is_plugged: false, current_ma: 100_000 };
    assert_eq!(bench.occurrences().last().unwrap().1, pulled);
    let car = bench.car(at(3_001));
    assert_eq!((car.duty_permille.unwrap().value, car.proximity.unwrap().value), (0, Proximity::Absent));
}

#[test]
fn a_battery_that_disconnects_lets_the_voltage_jump_to_the_set_point() {
    let mut bench = charging(BenchConfig::default());
    bench.inject(at(3_000), Fault::BatteryGone(true));
    assert_eq!((bench.truth().current_ma, bench.truth().cable_mv), (0, 410_000));
}

#[test]
fn bulbs_draw_what_the_voltage_drives() {
    let mut bench = charging(BenchConfig { load: Load::Bulbs(4), ..BenchConfig::default() });
    assert_eq!((bench.truth().cable_mv, bench.truth().current_ma), (410_000, 1_860));
    assert_eq!(bench.car(at(3_000)).soc_percent, None);
}

/// The state half a second after a fault while charging.
fn after(fault: Fault) -> Bench {
    let mut bench = charging(BenchConfig::default());
    bench.inject(at(3_000), fault);
    bench.advance(at(3_500));
    bench
}

#[test]
fn faults_of_contactors_stage_pilot_and_locks_show_in_the_truth() {
    let stuck = after(Fault::Contactors(Side::Charger, ContactorFault::StuckOpen)).truth();
    assert_eq!((stuck.current_ma, stuck.charger_closed, stuck.cable_mv), (0, false, stuck.battery_mv));
    let mut welded = after(Fault::Contactors(Side::Car, ContactorFault::Welded));
    welded.drive_car(at(3_500), &CarDemand::SAFE);
    welded.drive_charger(at(3_500), &Demand::SAFE);
    welded.advance(at(5_000));
    assert_eq!((welded.truth().car_closed, welded.truth().inlet_mv), (true, welded.truth().battery_mv));
    assert!(after(Fault::Stage(StageFault::Extra(20_000))).truth().current_ma >= 119_999);
    assert_eq!(after(Fault::Stage(StageFault::Dead)).truth().current_ma, 0);
    assert_eq!(after(Fault::Pilot(PilotFault::Open)).truth().level, Level::A);
    assert_eq!(after(Fault::Pilot(PilotFault::Short)).truth().level, Level::E);
    assert!(!after(Fault::Lock(Side::Car, LockFault::SpringsOpen)).truth().car_locked);
}

#[test]
fn a_leak_is_found_after_the_measuring_time() {
    let mut bench = after(Fault::Leak(20_000));
    assert_eq!(bench.charger(at(3_999)).isolation.unwrap().value.status, Isolation::Valid);
    assert_eq!(bench.charger(at(4_001)).isolation.unwrap().value.status, Isolation::Fault);
}

#[test]
fn silence_keeps_old_readings_and_a_broken_sensor_only_its_own() {
    let mut bench = charging(BenchConfig::default());
    let before = bench.charger(at(3_000));
    bench.inject(at(3_000), Fault::Silence(Side::Charger, true));
    assert_eq!(bench.charger(at(3_300)), before);
    assert_eq!(bench.silent_since(Side::Charger), Some(at(3_000)));
    bench.inject(at(3_300), Fault::Silence(Side::Charger, false));
    bench.inject(at(3_300), Fault::Sensor(Side::Charger, Sensor::Voltage, SensorFault::Offset(-60_000)));
    bench.inject(at(3_300), Fault::EmergencyStop(Side::Charger, true));
    let plant = bench.charger(at(3_400));
    assert_eq!(plant.voltage_mv.unwrap().value, bench.truth().cable_mv - 60_000);
    assert_eq!(plant.current_ma.unwrap().at, at(3_400));
    assert!(plant.emergency_stop.unwrap().value);
}

#[test]
fn a_charger_that_is_not_heard_of_is_made_safe_by_its_hardware() {
    let heartbeat = Some(BenchConfig::HEARTBEAT);
    let mut bench = charging(BenchConfig { heartbeat, ..BenchConfig::default() });
    assert_eq!(bench.truth().current_ma, 0, "no demand for more than a second");
    assert!(bench.occurrences().contains(&(at(500), Occurrence::Heartbeat(Side::Charger))));
    assert!(bench.occurrences().contains(&(at(500), Occurrence::Heartbeat(Side::Car))));
    assert_eq!((bench.demand(), bench.car_demand()), (&Demand::SAFE, &CarDemand::SAFE));
    bench.drive_charger(at(3_001), &supply(400_000, 1_000));
    assert_eq!(bench.demand(), &Demand::SAFE, "a program that comes back demands what it demanded before");
    bench.drive_charger(at(3_002), &Demand::SAFE);
    bench.drive_charger(at(3_003), &supply(400_000, 1_000));
    assert_eq!(bench.demand().supply.voltage_mv, 400_000, "it has seen that it has to begin again");
}
