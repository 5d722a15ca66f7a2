//! Faulty sensors, and power stages that do not follow their demand.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test ends where it fails")]

mod bench;

use bench::{Bench, GOOD, amperes, volts};
use evse_fsm::{
    Closed, Config, Event, Input, Insulation, Isolation, Latch, Lock, Operator, ReverseCurrent, Warning,
};
use exi_din::{BodyElement, ResponseCode};
use machine::Duration;
use session::{Cause, Target};

/// In the charging loop at 400 V and 60 A.
fn charging(change: impl FnOnce(&mut Config)) -> Bench {
    let mut bench = Bench::with(change);
    bench.pass_all(&GOOD[..9]);
    bench.charge(4_000);
    assert_eq!(bench.charger.demand().supply, Target { voltage_mv: 400_000, current_ma: 60_000 });
    bench
}

/// The cause for which the session is being stopped.
fn cause(bench: &Bench) -> Option<Cause> {
    bench.events.iter().rev().find_map(|event| match event {
        Event::Stopping(reason) => Some(reason.cause),
        _ => None,
    })
}

/// The car connects again after the session; whether that is accepted.
fn is_offered_again(bench: &mut Bench) -> bool {
    bench.input(Input::Closed(Closed::Fin));
    bench.pilot = control_pilot::Level::B;
    (bench.measured_mv, bench.stage_mv, bench.current_ma) = (None, None, None);
    bench.run(10_000);
    bench.reopen();
    !bench.charger.wants_close()
}

#[test]
fn a_cable_that_reads_dead_in_the_loop_is_a_suspect_sensor_that_holds_the_lock_until_a_reset() {
    type Change = fn(&mut Bench);
    let cases: [(Change, &str); 2] = [
        // One sensor, compared with a set point of 400 V and a battery.
        (|bench| bench.measured_mv = Some(0), "voltage"),
        // Two sensors.
        (
            |bench| (bench.measured_mv, bench.stage_mv) = (Some(300_000), Some(380_000)),
            "cable and stage voltage",
        ),
    ];
    for (change, name) in cases {
        let mut bench = charging(|_| {});
        change(&mut bench);
        bench.charge(1_900);
        assert_eq!(cause(&bench), None, "{name}");
        bench.charge(300);
        assert_eq!(cause(&bench), Some(Cause::Suspect(name)));
        assert!(bench.charger.stop_reason().unwrap().detail.compared.is_some());
        assert!(bench.has_said(Event::Latched(Latch::Suspect)));
        bench.input(Input::Closed(Closed::Rst));
        bench.stage_mv = None;
        bench.measured_mv = Some(0);
        bench.run(5_000);
        assert_eq!(bench.charger.demand().lock, Lock::Held, "a sensor that is suspect says nothing");
        // Removing the plug repairs no sensor.
        bench.pilot = control_pilot::Level::A;
        bench.run(1_000);
        assert_eq!(bench.charger.demand().lock, Lock::Held);
        bench.input(Input::Operator(Operator::Reset));
        bench.run(100);
        assert_eq!(bench.charger.demand().lock, Lock::Released);
    }
}

#[test]
fn a_lock_opens_after_a_latched_fault_as_soon_as_the_output_is_dead_and_open_and_not_before() {
    let mut bench = charging(|_| {});
    bench.current_ma = Some(200_000);
    bench.run(100);
    assert_eq!(cause(&bench), Some(Cause::OverCurrent));
    bench.input(Input::Closed(Closed::Rst));
    for (measured_mv, contactors_stuck) in [(Some(60_000), None), (Some(0), Some(true))] {
        (bench.measured_mv, bench.contactors_stuck) = (measured_mv, contactors_stuck);
        bench.run(200);
        assert_eq!(bench.charger.demand().lock, Lock::Held);
    }
    (bench.measured_mv, bench.contactors_stuck) = (Some(59_999), None);
    bench.run(200);
    assert_eq!(bench.charger.demand().lock, Lock::Released);
    assert!(!is_offered_again(&mut bench), "the latch holds all the same");

    let mut bench = charging(|_| {});
    bench.input(Input::Operator(Operator::EmergencyStop));
    bench.input(Input::Closed(Closed::Rst));
    bench.run(5_000);
    assert_eq!(bench.charger.demand().lock, Lock::Held, "the emergency stop holds it");
}

#[test]
fn a_demand_without_current_ends_the_session_and_latches_after_the_second_in_a_row() {
    let without_current = |bench: &mut Bench| {
        bench.current_ma = Some(0);
        bench.measured_mv = Some(350_000);
        bench.charge(14_800);
        assert_eq!(cause(bench), None);
        bench.charge(400);
        assert_eq!(cause(bench), Some(Cause::NoCurrent));
    };
    let mut bench = charging(|_| {});
    without_current(&mut bench);
    assert!(is_offered_again(&mut bench));
    bench.pass_all(&GOOD[..9]);
    bench.charge(4_000);
    without_current(&mut bench);
    assert!(bench.has_said(Event::Latched(Latch::NoCurrent)));
    assert!(!is_offered_again(&mut bench));
}

#[test]
fn a_sensor_that_shows_no_current_where_one_is_missed_is_not_believed_at_the_stop() {
    for (missed_ms, warned) in [(1_500, false), (2_300, true)] {
        let mut bench = charging(|_| {});
        (bench.current_ma, bench.measured_mv) = (Some(0), Some(350_000));
        bench.charge(missed_ms);
        bench.ask("PowerOffReq").unwrap();
        bench.run(1_700);
        assert!(!bench.charger.demand().is_energised());
        assert_eq!(bench.has_said(Event::Warning(Warning::OpenedUnderCurrent(None))), warned, "{missed_ms}");
    }
}

#[test]
fn current_out_of_the_car_is_a_latched_stop_unless_it_is_allowed() {
    let mut bench = charging(|_| {});
    bench.current_ma = Some(-60_000);
    bench.charge(900);
    assert_eq!(cause(&bench), None);
    bench.charge(300);
    assert_eq!(cause(&bench), Some(Cause::ReverseCurrent));
    assert!(bench.has_said(Event::Latched(Latch::ReverseCurrent)));

    for (current_ma, found) in [(-60_000, None), (-60_001, Some(Cause::ReverseCurrent))] {
        let allowed = ReverseCurrent::Allowed(60_000);
        let mut bench = charging(|config| config.protection.reverse_current = allowed);
        assert!(bench.has_said(Event::Warning(Warning::ReverseAllowed(60_000))));
        bench.current_ma = Some(current_ma);
        bench.charge(2_000);
        assert_eq!(cause(&bench), found, "{current_ma}");
    }
}

#[test]
fn without_a_power_stage_current_out_of_the_car_is_a_stop_too_unless_it_is_allowed() {
    let none = |config: &mut Config| {
        *config = Config {
            isolation_test: Duration::from_millis(100),
            ..Config::without_power_stage(evse_fsm::Preset::Mirror)
        };
    };
    for (allowed, found) in [(false, Some(Cause::ReverseCurrent)), (true, None)] {
        let mut bench = Bench::with(|config| {
            none(config);
            if allowed {
                config.protection.reverse_current = ReverseCurrent::Allowed(20_000);
            }
        });
        bench.pass_all(&GOOD[..9]);
        bench.out_ma = Some(-20_000);
        bench.charge(2_000);
        assert_eq!(cause(&bench), found);
    }
}

#[test]
fn a_monitor_that_makes_no_new_measurement_for_10_s_ends_the_session() {
    let mut bench = Bench::with(|_| {});
    bench.counts = true;
    bench.pass_all(&GOOD[..9]);
    bench.charge(15_000);
    assert_eq!(cause(&bench), None);
    bench.counts = false;
    bench.charge(9_900);
    assert_eq!(cause(&bench), None);
    bench.charge(300);
    assert_eq!(cause(&bench), Some(Cause::MonitorHangs));

    // A monitor without a count, that has no result any more.
    let mut bench = charging(|config| config.protection.monitor = Duration::from_secs(3));
    bench.isolation = Isolation::Measuring;
    bench.charge(2_900);
    assert_eq!(cause(&bench), None);
    bench.charge(300);
    assert_eq!(cause(&bench), Some(Cause::MonitorHangs));
}

#[test]
fn a_monitor_with_neither_count_nor_self_test_is_said_so_once_a_session() {
    let said = |bench: &Bench| {
        bench.events.iter().filter(|e| **e == Event::Warning(Warning::MonitorUnproven)).count()
    };
    let mut bench = charging(|_| {});
    assert_eq!(said(&bench), 1);
    bench.pass_all(&GOOD[9..]);
    assert_eq!(said(&bench), 1);
    let mut bench = Bench::with(|_| {});
    bench.counts = true;
    bench.pass_all(&GOOD[..9]);
    assert_eq!(said(&bench), 0);
}

#[test]
fn a_self_test_is_asked_for_and_waited_for_before_the_voltage_is_raised() {
    let mut bench = Bench::with(|_| {});
    bench.monitor.self_test = Some(evse_fsm::SelfTest::Pending);
    bench.pass_all(&GOOD[..9]);
    assert_eq!(bench.monitor.self_test, Some(evse_fsm::SelfTest::Passed), "asked for by the demand");
    assert!(!bench.charger.demand().self_test);

    let mut bench = Bench::with(|_| {});
    bench.monitor.self_test = Some(evse_fsm::SelfTest::Failed);
    bench.pass_all(&GOOD[..5]);
    bench.pilot = control_pilot::Level::C;
    bench.run(40);
    while bench.ask("CableCheckReq").unwrap().1 == ResponseCode::Ok {
        assert_eq!(bench.charger.demand().supply, Target::ZERO);
        bench.run(100);
    }
    assert_eq!(cause(&bench), Some(Cause::MonitorHangs));
}

#[test]
fn ohms_that_are_too_low_for_the_chargers_voltage_end_the_session_whatever_the_monitor_calls_them() {
    for (ohm, found) in [(50_000, None), (49_999, Some(Cause::Isolation))] {
        let mut bench = charging(|_| {});
        bench.monitor = Insulation { resistance_ohm: Some(ohm), ..Insulation::of(Isolation::Valid) };
        bench.charge(200);
        assert_eq!(cause(&bench), found, "{ohm}");
        assert!(bench.has_said(Event::Warning(Warning::IsolationLow)) || found.is_some());
    }
}

#[test]
fn a_stage_that_gives_more_than_its_regulation_allows_is_found_and_one_within_it_is_not() {
    for (current_ma, found) in [(63_600, None), (64_100, Some(Cause::OverCurrent))] {
        let mut bench = charging(|_| {});
        bench.current_ma = Some(current_ma);
        bench.charge(3_300);
        assert_eq!(cause(&bench), found, "{current_ma}");
    }
}

#[test]
fn a_precharge_that_stays_above_its_target_ends_the_session_without_a_latch() {
    let mut bench = Bench::connected();
    bench.pass_all(&GOOD[..6]);
    for _ in 0..2 {
        bench.ask("PreChargeReq").unwrap();
        bench.run(100);
    }
    bench.measured_mv = Some(449_000);
    let mut rounds = 0;
    while cause(&bench).is_none() {
        bench.ask("PreChargeReq").unwrap();
        bench.run(100);
        rounds += 1;
    }
    assert!((29..=32).contains(&rounds), "{rounds}");
    assert_eq!(cause(&bench), Some(Cause::VoltageOff));
    assert!(is_offered_again(&mut bench));
}

#[test]
fn a_target_that_comes_down_explains_the_voltage_of_the_one_before() {
    let mut bench = Bench::connected();
    bench.pass_all(&GOOD[..6]);
    let ask = |bench: &mut Bench, volts_asked: i16| {
        let BodyElement::PreChargeReq(mut req) = bench::body("PreChargeReq") else { panic!() };
        req.ev_target_voltage = volts(volts_asked);
        assert_eq!(bench.send(BodyElement::PreChargeReq(req)).unwrap().1, ResponseCode::Ok);
        bench.run(100);
    };
    for target in [440, 350] {
        // A stage without a load keeps its voltage.
        bench.measured_mv = Some(440_000);
        (0..50).for_each(|_| ask(&mut bench, target));
        assert_eq!(cause(&bench), None);
    }
}

#[test]
fn a_limit_that_the_car_lowers_below_the_voltage_lowers_the_set_point_and_is_no_over_voltage() {
    for limit_v in [399, 340, 100] {
        let mut bench = charging(|_| {});
        bench.measured_mv = Some(400_000);
        let ask = |bench: &mut Bench, current_a| {
            let BodyElement::CurrentDemandReq(mut req) = bench::body("CurrentDemandReq") else { panic!() };
            req.ev_maximum_voltage_limit = Some(volts(limit_v));
            req.ev_target_current = amperes(current_a);
            let answer = bench.send(BodyElement::CurrentDemandReq(req));
            assert_eq!(answer, Some(("CurrentDemandRes", ResponseCode::Ok)));
            bench.run(100);
        };
        for _ in 0..20 {
            ask(&mut bench, 0);
        }
        let set_mv = i32::from(limit_v) * 1_000;
        assert_eq!(bench.charger.demand().supply, Target { voltage_mv: set_mv, current_ma: 0 });
        assert_eq!(cause(&bench), None, "{limit_v}");
        // ChargeParameterDiscovery contained 450 V: a voltage far above that is over-voltage as before.
        bench.measured_mv = Some(495_001);
        bench.run(40);
        assert_eq!(cause(&bench), Some(Cause::OverVoltage));
        assert!(bench.has_said(Event::Latched(Latch::OutOfRange)));
    }
}
