//! Faulty sensors, and how the car reacts to them.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test ends where it fails")]

mod bench;

use bench::{Answer, Bench, din};
use control_pilot::{Level, Output, Proximity};
use exi_din::*;
use pev_fsm::{Contactors, Event, Input, Latch, Lock, Operator, Warning};
use session::Cause;

/// A car in the loop at 60 A.
fn charging() -> Bench {
    let mut bench = Bench::with(|_| {});
    bench.vehicle.target.current_ma = 60_000;
    bench.start_to("CurrentDemandReq");
    bench.run(8_000);
    bench
}

fn cause(bench: &Bench) -> Option<Cause> {
    bench.car.stop_reason().map(|stop| stop.cause)
}

fn asked_ma(bench: &Bench) -> i32 {
    let stream = bench.said("CurrentDemandReq");
    let Some(BodyElement::CurrentDemandReq(req)) = V2gMessage::decode(&stream).unwrap().body.element else {
        panic!("another message")
    };
    req.ev_target_current.milli_of(UnitSymbol::A)
}

#[test]
fn an_inlet_sensor_that_contradicts_the_battery_for_2_s_is_suspect_however_it_lies() {
    // Dead, off by -400 V, frozen elsewhere, scaled, reversed; the last one within 50 V.
    for (inlet_mv, is_suspect) in
        [(0, true), (-50_000, true), (401_000, true), (175_000, true), (-350_000, true), (300_000, false)]
    {
        let mut bench = charging();
        bench.inlet_mv = Some(inlet_mv);
        bench.run(1_900);
        assert_eq!(cause(&bench), None, "{inlet_mv}");
        bench.run(200);
        let expected = is_suspect.then_some(Cause::Suspect("inlet and battery voltage"));
        assert_eq!(cause(&bench), expected, "{inlet_mv}");
        assert_eq!(bench.car.latched(), is_suspect.then_some(Latch::Suspect));
        if is_suspect {
            let stop = bench.end().to_string();
            assert!(stop.contains("against battery voltage 350.0 V") && stop.contains("by hand"), "{stop}");
        }
    }
}

#[test]
fn a_battery_sensor_that_lies_is_found_by_the_same_comparison() {
    let mut bench = charging();
    (bench.inlet_mv, bench.vehicle.battery_mv) = (Some(350_000), Some(299_999));
    bench.run(2_200);
    assert_eq!(bench.car.latched(), Some(Latch::Suspect));
}

#[test]
fn a_sensor_that_contradicts_when_the_contactors_open_holds_the_lock_until_a_reset() {
    // The driver stops immediately, or when the comparison is about to find the fault.
    for millis in [0, 100, 1_500, 1_900] {
        let mut bench = charging();
        bench.inlet_mv = Some(-53_000);
        bench.run(40 + millis);
        bench.input(Input::Operator(Operator::Stop));
        bench.end();
        bench.run(60_000);
        assert_eq!(bench.car.latched(), Some(Latch::Suspect), "{millis}");
        assert_eq!(bench.car.demand().lock, Lock::Held, "347 V are at the pins");
        bench.input(Input::Operator(Operator::Reset));
        assert!(bench.events.contains(&Event::Unlatched(Latch::Suspect)));
        bench.run(40);
        assert_eq!(bench.car.demand().lock, Lock::Released, "a person has measured");
    }
}

#[test]
fn one_that_is_off_by_less_than_50_v_is_dead_by_the_batterys_measure_too() {
    let mut bench = charging();
    bench.inlet_mv = Some(302_000);
    bench.run(3_000);
    bench.input(Input::Operator(Operator::Stop));
    bench.run(400);
    // 60 V are present.
    bench.inlet_mv = Some(12_000);
    bench.end();
    bench.run(2_000);
    assert_eq!(bench.car.demand().lock, Lock::Held);
    bench.inlet_mv = Some(11_999);
    bench.run(40);
    assert_eq!(bench.car.demand().lock, Lock::Released);
}

#[test]
fn an_emergency_stop_that_is_released_does_not_release_a_suspect_sensor() {
    let mut bench = charging();
    bench.inlet_mv = Some(0);
    bench.run(100);
    bench.input(Input::Operator(Operator::EmergencyStop));
    bench.end();
    assert_eq!(bench.car.latched(), Some(Latch::EmergencyStop));
    bench.run(15_000);
    bench.input(Input::Operator(Operator::Reset));
    bench.run(1_000);
    assert_eq!(bench.car.latched(), Some(Latch::Suspect));
    assert_eq!(bench.car.demand().lock, Lock::Held);
    bench.input(Input::Operator(Operator::Reset));
    bench.run(40);
    assert!(bench.car.demand().lock == Lock::Released && bench.car.may_begin());
}

#[test]
fn without_a_battery_voltage_nothing_can_be_compared_and_the_loop_ends() {
    let mut bench = charging();
    bench.vehicle.battery_mv = None;
    bench.inlet_mv = Some(350_000);
    bench.run(120);
    assert_eq!(cause(&bench), Some(Cause::StaleReading("battery voltage")));
}

#[test]
fn the_chargers_report_holds_no_lock_frees_none_and_latches_nothing() {
    // A constant report of 349 V, whatever is present: the car's own sensor shows a dead inlet.
    let constant = |name: &'static str, answer: Answer| {
        let _ = name;
        din(answer, |body| match body {
            BodyElement::CurrentDemandRes(res) => {
                res.evse_present_voltage = bench::volts(349);
                res.evse_present_current = bench::amperes(10);
            }
            BodyElement::WeldingDetectionRes(res) => res.evse_present_voltage = bench::volts(349),
            _ => {}
        })
    };
    let mut bench = charging();
    bench.tamper(constant);
    bench.run(5_000);
    bench.input(Input::Operator(Operator::Stop));
    assert!(bench.end().is_normal());
    bench.run(100);
    assert_eq!((bench.car.demand().lock, bench.car.latched()), (Lock::Released, None));
    // A constant report of 0 V, although the car's own sensor shows a live inlet.
    let mut bench = charging();
    bench.rest_mv = 0;
    bench.input(Input::Operator(Operator::Stop));
    bench.run(400);
    bench.inlet_mv = Some(350_000);
    bench.end();
    bench.run(60_000);
    assert_eq!(bench.car.demand().lock, Lock::Held);
}

#[test]
fn a_live_inlet_after_a_session_is_told_after_a_second_and_latched_after_ten() {
    let mut bench = charging();
    bench.close(pev_fsm::Closed::Rst);
    bench.run(20);
    bench.inlet_mv = Some(60_000);
    bench.run(900);
    assert!(!bench.warned(Warning::SlowDischarge));
    bench.run(300);
    assert!(bench.warned(Warning::SlowDischarge));
    assert_eq!(bench.car.latched(), None);
    bench.run(9_000);
    assert_eq!(bench.car.latched(), Some(Latch::VoltagePresent));
}

#[test]
fn a_current_sensor_that_shows_nothing_is_not_believed_that_the_current_is_gone() {
    let mut bench = charging();
    bench.current_ma = Some(0);
    bench.run(600);
    bench.input(Input::Operator(Operator::EmergencyStop));
    bench.run(140);
    let demand = bench.car.demand();
    assert_eq!((demand.pilot, demand.contactors), (Level::B, Contactors::Closed));
    bench.run(20);
    assert_eq!(bench.car.demand().contactors, Contactors::Open);
}

#[test]
fn a_reversed_battery_ends_it_in_every_phase_and_one_reading_ends_nothing() {
    for name in ["ServiceDiscoveryReq", "CableCheckReq", "PreChargeReq", "CurrentDemandReq"] {
        let mut bench = Bench::at(name);
        bench.tamper(|_, _| Answer::Silence);
        let good = bench.vehicle.battery_mv;
        bench.vehicle.battery_mv = Some(-10_001);
        bench.run(100);
        bench.vehicle.battery_mv = good;
        bench.run(100);
        assert_eq!(cause(&bench), None, "{name}");
        bench.vehicle.battery_mv = Some(-10_001);
        bench.run(200);
        assert_eq!(cause(&bench), Some(Cause::Polarity), "{name}");
    }
    let mut bench = Bench::at("ServiceDiscoveryReq");
    bench.vehicle.battery_mv = Some(-10_000);
    bench.run(150);
    assert_eq!(cause(&bench), None);
}

#[test]
fn a_reversed_inlet_before_the_contactors_close_is_polarity_too() {
    for (inlet_mv, expected) in [(-60_000, Some(Cause::Polarity)), (-59_999, None)] {
        let mut bench = Bench::at("PreChargeReq");
        bench.tamper(|_, _| Answer::Silence);
        bench.inlet_mv = Some(inlet_mv);
        bench.run(100);
        assert_eq!(cause(&bench), expected);
    }
}

#[test]
fn what_may_be_a_bounce_asks_for_nothing_at_once_and_comes_back_by_the_ramp() {
    type Change = fn(&mut Bench);
    let table: [(Change, Change); 4] = [
        (|b| b.output = Output::Steady, |b| b.output = Output::DIGITAL),
        (|b| b.lock_stuck = Some(false), |b| b.lock_stuck = None),
        (|b| b.proximity = Some(Proximity::Unknown), |b| b.proximity = Some(Proximity::Latched)),
        (|b| b.millicelsius = Some(90_000), |b| b.millicelsius = Some(25_000)),
    ];
    for (wrong, right) in table {
        let mut bench = Bench::with(|_| {});
        (bench.proximity, bench.millicelsius) = (Some(Proximity::Latched), Some(25_000));
        bench.start_to("CurrentDemandReq");
        bench.run(8_000);
        assert!(asked_ma(&bench) > 60_000);
        // Between two requests.
        while bench.sent.last().unwrap().at != bench.now {
            bench.tick();
        }
        bench.run(30);
        wrong(&mut bench);
        bench.run(20);
        assert_eq!(asked_ma(&bench), 0, "not after the pause between two requests");
        right(&mut bench);
        bench.run(200);
        assert!((1_000..5_000).contains(&asked_ma(&bench)), "{}", asked_ma(&bench));
        bench.run(2_000);
        assert!(asked_ma(&bench) > 15_000);
        assert_eq!(cause(&bench), None);
    }
}

#[test]
fn a_bounce_of_lock_or_feedback_does_not_take_the_precharge_away() {
    let mut bench = Bench::at("PreChargeReq");
    bench.lock_stuck = Some(false);
    bench.run(40);
    assert_eq!(bench.car.demand().contactors, Contactors::Open, "not with an open lock");
    bench.lock_stuck = None;
    bench.run_to("PowerOn");
    assert_eq!(cause(&bench), None);
}

#[test]
fn a_hot_inlet_is_at_pilot_b_within_a_second_whatever_is_pending() {
    for is_stopping in [false, true] {
        for millicelsius in [90_000, 140_000, 400_000, -200_000] {
            let mut bench = charging();
            bench.tamper(|name, answer| if name == "PowerOff" { Answer::Silence } else { answer });
            if is_stopping {
                bench.input(Input::Operator(Operator::Stop));
                bench.run(200);
            }
            bench.millicelsius = Some(millicelsius);
            bench.run(150);
            assert_eq!(bench.car.demand().pilot, Level::C, "one reading ends nothing");
            bench.run(800);
            assert_eq!(bench.car.demand().pilot, Level::B, "{is_stopping} {millicelsius}");
            assert_eq!(bench.end().cause, Cause::InletHot);
        }
    }
}

#[test]
fn a_limit_that_the_battery_lowers_ends_the_charge_in_order_and_latches_nothing() {
    let mut bench = charging();
    bench.vehicle.limits.max_voltage_mv = 349_000;
    bench.run(250);
    assert_eq!(asked_ma(&bench), 0, "at once");
    assert_eq!(cause(&bench), None);
    let stop = bench.end();
    assert_eq!(stop.cause, Cause::VoltageOff);
    assert!(stop.to_string().contains("inlet voltage 350.0 V against the battery's newest limit 349.0 V"));
    assert!(bench.names().ends_with(&["PowerOff", "WeldingDetectionReq", "SessionStopReq"]));
    assert_eq!(bench.car.latched(), None);
}

#[test]
fn a_lowered_limit_that_leaves_nothing_to_charge_ends_it_too_and_a_current_that_flows_does_not() {
    // Without current the inlet has the battery's 350 V: the car requests 1 V less than its limit.
    for (limit_mv, flows_ma, ends) in
        [(350_900, None, true), (350_900, Some(5_000), false), (351_000, None, false), (360_000, None, false)]
    {
        let mut bench = charging();
        bench.vehicle.limits.max_voltage_mv = limit_mv;
        bench.current_ma = Some(flows_ma.unwrap_or(0));
        bench.run(2_000);
        let expected = ends.then_some(Cause::VoltageOff);
        assert_eq!(cause(&bench), expected, "{limit_mv} {flows_ma:?}");
        assert_eq!(bench.car.latched(), None);
        if ends {
            let stop = bench.end().to_string();
            assert!(stop.contains("350.0 V against the most that is asked for 349.9 V"), "{stop}");
        }
    }
}

#[test]
fn a_limit_that_the_battery_raises_is_no_more_voltage_than_the_charger_was_named() {
    let mut bench = charging();
    bench.vehicle.limits.max_voltage_mv = 500_000;
    bench.vehicle.target.voltage_mv = 500_000;
    bench.run(300);
    let Some(BodyElement::CurrentDemandReq(req)) =
        V2gMessage::decode(&bench.said("CurrentDemandReq")).unwrap().body.element
    else {
        panic!("another message")
    };
    assert_eq!(req.ev_target_voltage.milli_of(UnitSymbol::V), 411_800);
}

#[test]
fn a_sensor_within_1_percent_at_the_limit_is_no_over_voltage() {
    for (found_mv, expected) in [(416_900, None), (417_950, Some(Cause::OverVoltage))] {
        let mut bench = charging();
        bench.vehicle.battery_mv = Some(found_mv);
        bench.run(1_000);
        assert_eq!(cause(&bench), expected, "{found_mv}");
    }
}
