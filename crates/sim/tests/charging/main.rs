//! Whole sessions of the charger's machine with a car by script on a bench, and what is broken under them. Every
//! step is judged by the rules of `sim::invariant`.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test ends where it fails")]

mod session;

use ::session::Cause;
use evse_fsm::{Config, Contactors, Preset, Sensors};
use machine::{Duration, Instant};
use session::{Session, Stage};
use sim::plant::{
    Bands, BatteryProfile, BenchConfig, CableProfile, ContactorFault, Fault, Load, LockFault, PilotFault,
    Sensor, SensorFault, Side, StageFault, StageProfile,
};

fn config() -> Config {
    let sensors = Config::default().sensors
        | Sensors::LOCK
        | Sensors::EMERGENCY_STOP
        | Sensors::DUTY
        | Sensors::PROXIMITY;
    Config { isolation_test: Duration::from_millis(1_500), sensors, ..Config::default() }
}

fn plugged(config: Config, bench: BenchConfig) -> Session {
    let mut session = Session::new(config, bench);
    session.plug();
    session
}

#[test]
fn a_session_from_plug_to_plug_breaks_no_rule_at_any_charger_and_load() {
    let benches = [
        ("plain", BenchConfig::default()),
        (
            "alpitronic",
            BenchConfig {
                stage: StageProfile::ALPITRONIC,
                cable: CableProfile::HYC300,
                ..BenchConfig::default()
            },
        ),
        ("compleo", BenchConfig { stage: StageProfile::COMPLEO, ..BenchConfig::default() }),
        (
            "nearly full",
            BenchConfig { load: Load::battery(BatteryProfile::CAR_400V, 82), ..BenchConfig::default() },
        ),
        ("2023", BenchConfig { bands: Bands::Edition2023, ..BenchConfig::default() }),
    ];
    for (name, bench) in benches {
        for precharge in [Preset::Ramp, Preset::Step20, Preset::TwoStage, Preset::Overshoot] {
            let mut bench = bench.clone();
            if precharge == Preset::Overshoot {
                // Precharge is given 2 A and refused above 2 A: from above, an output that swings there is refused.
                bench.stage.ripple_ma = 0;
            }
            let mut session = plugged(Config { precharge, ..config() }, bench);
            session.reach(Stage::Charge);
            session.run(30_000);
            let truth = session.bench.truth();
            assert!(truth.current_ma > 50_000, "{name}, {precharge:?}: {truth:?}");
            session.reach(Stage::Over);
            session.run(3_000);
            let truth = session.bench.truth();
            assert!(!truth.charger_closed && !truth.car_closed && !truth.car_locked, "{name}: {truth:?}");
            assert_eq!(session.stop.map(|stop| stop.cause), Some(Cause::Finished), "{name}");
        }
    }
}

#[test]
fn a_car_of_800_v_charges_too() {
    let mut config = config();
    (config.limits.max_voltage_mv, config.limits.max_power_w) = (1_000_000, 150_000);
    let load = Load::battery(BatteryProfile::CAR_800V, 30);
    let mut session = plugged(config, BenchConfig { load, ..BenchConfig::default() });
    session.reach(Stage::Charge);
    session.run(20_000);
    assert!(session.bench.truth().battery_mv > 690_000 && session.bench.truth().current_ma >= 124_000);
    session.reach(Stage::Over);
}

#[test]
fn ten_minutes_are_followed_in_few_steps_and_fill_the_battery_as_they_should() {
    let stage = StageProfile::ALPITRONIC;
    let load = Load::battery(BatteryProfile::CAR_400V, 28);
    let mut session = plugged(config(), BenchConfig { stage, load, ..BenchConfig::default() });
    session.until = Instant::from_millis(612_000);
    session.run(612_000);
    session.reach(Stage::Over);
    // 125 A for ten minutes are 20.8 of 77.8 Ah, less the ramp.
    let soc = session.bench.load().as_battery().unwrap().soc_percent();
    assert!((52..=54).contains(&soc), "{soc} %");
    assert!(session.steps < 30_000, "{} steps", session.steps);
}

/// A fault in the middle of charging: its id in the list of faults, and why the charger stops.
const UNDER_LOAD: &[(&str, Fault, Option<Cause>)] = &[
    ("X057", Fault::Pilot(PilotFault::Duty(1_000)), Some(Cause::PilotLost)),
    ("X065", Fault::BatteryGone(true), None),
    ("X065", Fault::Contactors(Side::Car, ContactorFault::StuckOpen), None),
    (
        "X101",
        Fault::Sensor(Side::Charger, Sensor::Voltage, SensorFault::Silent),
        Some(Cause::StaleReading("voltage")),
    ),
    (
        "X101",
        Fault::Sensor(Side::Charger, Sensor::Current, SensorFault::Absent),
        Some(Cause::StaleReading("current")),
    ),
    ("X102", Fault::Stage(StageFault::Runaway), Some(Cause::OverCurrent)),
    ("X103", Fault::Leak(10_000), Some(Cause::Isolation)),
    ("X105", Fault::Lock(Side::Car, LockFault::SpringsOpen), None),
    ("X105", Fault::Lock(Side::Charger, LockFault::SpringsOpen), Some(Cause::Lock)),
    ("X108", Fault::Pilot(PilotFault::Open), Some(Cause::Unplugged)),
    ("X108", Fault::Pilot(PilotFault::Short), Some(Cause::PilotFault)),
    ("X108", Fault::Pilot(PilotFault::NoDiode), Some(Cause::PilotFault)),
    ("X109", Fault::Pilot(PilotFault::Duty(20)), Some(Cause::PilotLost)),
    ("stop", Fault::EmergencyStop(Side::Charger, true), Some(Cause::EmergencyStop)),
    ("stop", Fault::EmergencyStop(Side::Car, true), Some(Cause::LeftReady)),
    ("stale", Fault::Silence(Side::Charger, true), None),
    ("stale", Fault::Silence(Side::Car, true), Some(Cause::LeftReady)),
    ("contactor", Fault::Contactors(Side::Charger, ContactorFault::StuckOpen), Some(Cause::Contactor)),
    ("proximity", Fault::ProximityOpen(true), Some(Cause::Unplugged)),
];

#[test]
fn whatever_breaks_while_current_flows_nothing_stays_live() {
    for (id, fault, cause) in UNDER_LOAD {
        let mut session = plugged(config(), BenchConfig::default());
        session.reach(Stage::Charge);
        session.run(20_000);
        session.inject(*fault);
        session.run(90_000);
        let truth = session.bench.truth();
        assert_eq!((truth.current_ma, truth.charger_closed), (0, false), "{id} {fault:?}");
        assert!(!truth.car_closed, "{id} {fault:?}: {truth:?}");
        if cause.is_some() {
            assert_eq!(session.stop.map(|stop| stop.cause), *cause, "{id} {fault:?}");
        }
    }
}

/// Every fault there is, as far as a single one can be borne.
const FAULTS: &[Fault] = &[
    Fault::Pilot(PilotFault::Open),
    Fault::Pilot(PilotFault::Short),
    Fault::Pilot(PilotFault::NoDiode),
    Fault::Pilot(PilotFault::Duty(1_000)),
    Fault::ProximityOpen(true),
    Fault::Leak(10_000),
    Fault::Leak(200_000),
    Fault::Stage(StageFault::Dead),
    Fault::Stage(StageFault::Runaway),
    Fault::Stage(StageFault::Scaled(1_200)),
    Fault::Contactors(Side::Charger, ContactorFault::Welded),
    Fault::Contactors(Side::Charger, ContactorFault::StuckOpen),
    Fault::Contactors(Side::Car, ContactorFault::StuckOpen),
    Fault::Lock(Side::Charger, LockFault::SpringsOpen),
    Fault::Lock(Side::Car, LockFault::StaysClosed),
    Fault::Lock(Side::Car, LockFault::SpringsOpen),
    Fault::EmergencyStop(Side::Charger, true),
    Fault::EmergencyStop(Side::Car, true),
    Fault::Silence(Side::Charger, true),
    Fault::Silence(Side::Car, true),
    Fault::BatteryGone(true),
];

const STAGES: &[Stage] = &[
    Stage::Handshake,
    Stage::Parameters,
    Stage::CableCheck,
    Stage::Precharge,
    Stage::PowerOn,
    Stage::Charge,
    Stage::PowerOff,
    Stage::Welding,
    Stage::Stop,
];

#[test]
fn every_fault_in_every_stage_breaks_no_rule_and_ends_dead() {
    for stage in STAGES {
        for fault in FAULTS {
            let mut session = plugged(config(), BenchConfig::default());
            session.until = Instant::from_millis(20_000);
            while session.stage < *stage {
                session.run(10);
            }
            session.inject(*fault);
            session.run(100_000);
            let (truth, demand) = (session.bench.truth(), session.charger.demand());
            assert_eq!(truth.current_ma, 0, "{stage:?} {fault:?}");
            assert_eq!(demand.contactors, Contactors::Open, "{stage:?} {fault:?}");
        }
    }
}

#[test]
fn a_plug_that_is_pulled_in_any_stage_leaves_both_ends_dead_and_the_next_session_goes() {
    for stage in STAGES {
        let mut session = plugged(config(), BenchConfig::default());
        session.until = Instant::from_millis(20_000);
        while session.stage < *stage {
            session.run(10);
        }
        let now = session.now;
        session.bench.plug(now, false);
        session.run(1_000);
        let truth = session.bench.truth();
        assert!(truth.cable_mv < 60_000 && !truth.charger_closed, "{stage:?}: {truth:?}");
        session.run(3_000);
        let truth = session.bench.truth();
        assert!(truth.inlet_mv < 60_000 && !truth.car_closed, "{stage:?}: {truth:?}");
        session.close();
        session.again();
        session.reach(Stage::Charge);
    }
}

#[test]
fn a_car_that_hangs_gets_no_current_after_a_second_and_is_off_after_a_minute() {
    let mut session = plugged(config(), BenchConfig::default());
    session.reach(Stage::Charge);
    session.run(20_000);
    session.hangs = true;
    session.run(1_300);
    assert_eq!((session.bench.truth().current_ma, session.bench.truth().charger_closed), (0, true));
    session.run(60_000);
    assert!(!session.bench.truth().charger_closed);
    assert_eq!(session.stop.map(|stop| stop.cause), Some(Cause::Timeout("sequence")));
}

#[test]
fn a_leak_at_the_cable_check_is_judged_by_its_size() {
    let cases = [
        (50_000, Bands::Edition2014, false),
        (200_000, Bands::Edition2014, true),
        (200_000, Bands::Edition2023, true),
    ];
    for (ohms, bands, charges) in cases {
        let mut session = plugged(config(), BenchConfig { bands, ..BenchConfig::default() });
        session.inject(Fault::Leak(ohms));
        session.run(15_000);
        assert_eq!(session.stage >= Stage::Charge, charges, "X099: {ohms} Ohm, {bands:?}");
        if !charges {
            assert_eq!(session.stop.map(|stop| stop.cause), Some(Cause::Isolation));
        }
    }
}

#[test]
fn a_car_whose_contactors_are_welded_is_refused_at_the_cable_check() {
    let mut session = plugged(config(), BenchConfig::default());
    session.inject(Fault::Contactors(Side::Car, ContactorFault::Welded));
    session.run(15_000);
    assert_eq!(session.stop.map(|stop| stop.cause), Some(Cause::WeldSuspected), "X100");
}
