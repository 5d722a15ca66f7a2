//! The car's plant in a session: precharge, contactors, current, the end.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test ends where it fails")]

mod bench;

use bench::{Answer, Bench, amperes, din, volts, with_code};
use control_pilot::Level;
use exi_din::*;
use machine::Duration;
use pev_fsm::{Contactors, Input, Latch, Load, Lock, Operator, Precharge, Quirks, Sensors, Warning};
use session::Cause;

/// The target in the newest `CurrentDemandReq`, in mV and mA.
fn asked(bench: &Bench) -> (i32, i32) {
    let stream = bench.said("CurrentDemandReq");
    let Some(BodyElement::CurrentDemandReq(req)) = V2gMessage::decode(&stream).unwrap().body.element else {
        panic!("another message")
    };
    (req.ev_target_voltage.milli_of(UnitSymbol::V), req.ev_target_current.milli_of(UnitSymbol::A))
}

#[test]
fn the_contactors_wait_for_the_own_measurement_whatever_the_charger_reports() {
    let mut bench = Bench::new();
    bench.inlet_mv = Some(0);
    bench.start_to("PreChargeReq");
    bench.run(3_000);
    assert_eq!(bench.car.demand().contactors, Contactors::Open);
    assert!(bench.sent.iter().filter(|sent| sent.name == "PreChargeReq").count() > 20);
    bench.inlet_mv = Some(329_999);
    bench.run(300);
    assert_eq!(bench.car.demand().contactors, Contactors::Open);
    bench.inlet_mv = Some(330_000);
    bench.run(300);
    assert_eq!(bench.car.demand().contactors, Contactors::Closed);
}

#[test]
fn a_voltage_that_still_moves_through_the_window_does_not_close_the_contactors() {
    for (precharge, volts_per_s) in
        [(Precharge::Measured, 600), (Precharge::Measured, 60), (Precharge::Reported, 60)]
    {
        let mut bench = Bench::with(|config| config.precharge = precharge);
        bench.supply_mv = Some(0);
        bench.start_to("PreChargeReq");
        while bench.supply_mv < Some(420_000) {
            bench.supply_mv = bench.supply_mv.map(|mv| mv + volts_per_s * 10);
            bench.run(10);
            assert_eq!(
                bench.car.demand().contactors,
                Contactors::Open,
                "{precharge:?} {:?}",
                bench.supply_mv
            );
        }
        bench.supply_mv = Some(360_000);
        bench.run_to("PowerOn");
    }
}

#[test]
fn the_contactors_close_with_a_reading_that_came_behind_the_answer() {
    let mut bench = Bench::new();
    bench.latency = Duration::from_millis(500);
    bench.start_to("PreChargeReq");
    bench.run(480);
    bench.has_sensors = false;
    bench.run(60);
    assert_eq!(
        bench.car.demand().contactors,
        Contactors::Open,
        "settled, but what was read is older than the answer"
    );
    bench.has_sensors = true;
    bench.run(20);
    assert_eq!(bench.car.demand().contactors, Contactors::Closed);
}

#[test]
fn a_right_measurement_closes_although_the_charger_reports_nothing() {
    let mut bench = Bench::new();
    bench.tamper(|_, answer| {
        din(answer, |body| {
            if let BodyElement::PreChargeRes(res) = body {
                res.evse_present_voltage = volts(0);
            }
        })
    });
    bench.start_to("PowerOn");
    assert_eq!(bench.car.demand().contactors, Contactors::Closed);
}

#[test]
fn a_disagreement_keeps_the_contactors_open_where_both_are_compared() {
    let mut bench = Bench::with(|config| config.precharge = Precharge::Compared { limit_mv: 20_000 });
    bench.tamper(|_, answer| {
        din(answer, |body| {
            if let BodyElement::PreChargeRes(res) = body {
                res.evse_present_voltage = volts(300);
            }
        })
    });
    bench.start_to("PreChargeReq");
    bench.run(29_000);
    assert_eq!(bench.car.demand().contactors, Contactors::Open);
    assert!(bench.warned(Warning::Disagreement));
    assert_eq!(bench.end().cause, Cause::Timeout("precharge"));
    assert!(!bench.names().contains(&"PowerOn"));
}

#[test]
fn the_chargers_word_alone_closes_only_where_configured_and_warns() {
    let mut bench = Bench::with(|config| config.precharge = Precharge::Reported);
    bench.inlet_mv = Some(0);
    bench.start_to("PowerOn");
    assert_eq!(bench.car.demand().contactors, Contactors::Closed);
    assert!(bench.warned(Warning::PrechargeByReport));
}

#[test]
fn precharge_that_never_arrives_ends_at_its_limit() {
    for (strict, limit_s) in [(true, 7), (false, 30)] {
        for supply in [410_000, 100_000] {
            let mut bench = Bench::with(|config| config.strict = strict);
            bench.supply_mv = Some(supply);
            bench.start_to("PreChargeReq");
            bench.run(limit_s * 1_000 - 500);
            assert_eq!(bench.car.stop_reason(), None);
            assert_eq!(bench.end().cause, Cause::Timeout("precharge"));
            assert_eq!(bench.sent.last().unwrap().name, "SessionStopReq");
        }
    }
}

#[test]
fn contactors_that_are_closed_before_or_do_not_close_end_it() {
    for stuck in [true, false] {
        let mut bench = Bench::at("PreChargeReq");
        bench.contactors_stuck = Some(stuck);
        bench.inlet_mv = Some(350_000);
        bench.run(40);
        assert_eq!(bench.end().cause, Cause::Contactor);
        assert!(!bench.names().contains(&"PowerOn"));
    }
}

#[test]
fn a_voltage_that_goes_away_while_the_contactors_close_takes_the_command_back() {
    for (precharge, inlet_mv, stops) in [
        (Precharge::Measured, 329_999, true),
        (Precharge::Compared { limit_mv: 20_000 }, 370_001, true),
        (Precharge::Measured, 330_000, false),
        (Precharge::Reported, 0, false),
    ] {
        let mut bench = Bench::with(|config| config.precharge = precharge);
        bench.start_to("PreChargeReq");
        bench.contactors_stuck = Some(false);
        while bench.car.demand().contactors == Contactors::Open {
            bench.tick();
        }
        bench.inlet_mv = Some(inlet_mv);
        bench.run(20);
        assert_eq!(bench.car.demand().contactors == Contactors::Open, stops, "{precharge:?} {inlet_mv}");
        bench.contactors_stuck = None;
        if stops {
            assert_eq!(bench.end().cause, Cause::VoltageOff);
        }
        bench.run(100);
        assert_ne!(bench.names().contains(&"PowerOn"), stops);
    }
}

#[test]
fn the_loop_begins_at_the_precharge_voltage_and_one_ampere_and_rises_by_the_ramp() {
    let mut bench = Bench::at("CurrentDemandReq");
    assert_eq!(asked(&bench), (350_000, 1_000));
    bench.run(1_000);
    let (voltage_mv, current_ma) = asked(&bench);
    assert_eq!(voltage_mv, 411_800, "one volt below the own limit");
    assert!((9_000..=11_000).contains(&current_ma), "{current_ma}");
    bench.run(15_000);
    assert_eq!(asked(&bench).1, 125_000);
    bench.vehicle.target.current_ma = 57_000;
    bench.run(300);
    assert_eq!(asked(&bench).1, 57_000, "falls at once");
}

#[test]
fn the_current_stays_within_the_chargers_newest_limits_and_the_cars() {
    let mut bench = Bench::new();
    bench.vehicle.target.current_ma = 1_000_000;
    bench.vehicle.limits.max_power_w = 40_000;
    bench.start_to("CurrentDemandReq");
    bench.run(20_000);
    assert_eq!(asked(&bench).1, 114_200, "40 kW at 350 V");
    bench.vehicle.limits.max_current_ma = 90_000;
    bench.run(300);
    assert_eq!(asked(&bench).1, 90_000);
    bench.tamper(|_, answer| {
        din(answer, |body| {
            if let BodyElement::CurrentDemandRes(res) = body {
                res.evse_maximum_current_limit = Some(amperes(30));
            }
        })
    });
    bench.run(300);
    assert_eq!(asked(&bench).1, 30_000);
}

#[test]
fn a_warm_inlet_asks_for_less_and_a_hot_or_unknown_one_ends_the_charge_in_order() {
    let mut bench = Bench::at("CurrentDemandReq");
    bench.run(14_000);
    assert_eq!(asked(&bench).1, 125_000);
    bench.millicelsius = Some(80_000);
    bench.run(300);
    assert_eq!(asked(&bench).1, 100_000, "half of the car's 200 A");
    bench.millicelsius = Some(70_000);
    bench.run(4_000);
    assert_eq!(asked(&bench).1, 125_000);
    for hot in [90_000, 400_000, -200_000] {
        let mut bench = Bench::at("CurrentDemandReq");
        bench.millicelsius = Some(hot);
        assert_eq!(bench.end().cause, Cause::InletHot);
        assert!(bench.names().ends_with(&["PowerOff", "WeldingDetectionReq", "SessionStopReq"]));
        bench.close(pev_fsm::Closed::Fin);
    }
}

#[test]
fn a_temperature_that_is_needed_and_missing_ends_the_charge() {
    let mut bench = Bench::with(|config| config.sensors |= pev_fsm::Sensors::TEMPERATURE);
    bench.millicelsius = Some(25_000);
    bench.start_to("CurrentDemandReq");
    bench.millicelsius = None;
    assert_eq!(bench.end().cause, Cause::StaleReading("temperature"));
}

#[test]
fn the_end_waits_for_the_current_then_rests_at_b_and_tests_for_welding() {
    let mut bench = Bench::at("PowerOff");
    bench.current_ma = Some(100_000);
    let demand = bench.car.demand();
    assert_eq!((demand.pilot, demand.contactors), (Level::C, Contactors::Closed), "until it is answered");
    bench.run(500);
    let demand = bench.car.demand();
    assert_eq!((demand.pilot, demand.contactors), (Level::B, Contactors::Closed), "current flows");
    bench.current_ma = None;
    bench.run(40);
    assert_eq!(bench.car.demand().contactors, Contactors::Open);
    bench.run(100);
    assert_eq!(bench.sent.last().unwrap().name, "SessionStopReq");
    assert!(bench.names().contains(&"WeldingDetectionReq"));
}

#[test]
fn welding_detection_repeats_until_the_cable_is_dead_ten_times_at_most() {
    for (inlet_mv, rounds, suspected) in [(20_000, 1, false), (90_000, 10, true)] {
        let mut bench = Bench::at("PowerOff");
        bench.run(320);
        bench.inlet_mv = Some(inlet_mv);
        bench.run_to("SessionStopReq");
        let polls = bench.sent.iter().filter(|sent| sent.name == "WeldingDetectionReq").count();
        assert_eq!((polls, bench.warned(Warning::WeldSuspected)), (rounds, suspected));
    }
}

#[test]
fn a_welding_detection_that_fails_or_is_not_answered_does_not_block_the_end() {
    for silent in [true, false] {
        let mut bench = Bench::new();
        bench.tamper(move |name, answer| match name {
            "WeldingDetectionReq" if silent => Answer::Silence,
            "WeldingDetectionReq" => with_code(answer, ResponseCode::Failed),
            _ => answer,
        });
        bench.start_to("SessionStopReq");
        let stop = bench.end();
        assert_eq!(stop.cause, Cause::OperatorStop);
        assert!(bench.warned(Warning::Unanswered("WeldingDetectionReq")));
        bench.run(100);
        assert_eq!(bench.car.demand().lock, Lock::Released);
    }
}

#[test]
fn the_plug_is_released_before_session_stop_is_answered_but_never_while_the_inlet_is_live() {
    let mut bench = Bench::new();
    bench.tamper(|name, answer| if name == "SessionStopReq" { Answer::Silence } else { answer });
    bench.start_to("SessionStopReq");
    bench.run(100);
    assert_eq!(bench.car.demand().lock, Lock::Released);
    assert_eq!(bench.end().cause, Cause::OperatorStop);

    let mut bench = Bench::at("WeldingDetectionReq");
    bench.inlet_mv = Some(60_000);
    bench.end();
    bench.run(60_000);
    assert_eq!(bench.car.demand().lock, Lock::Held);
    assert_eq!(bench.car.latched(), Some(Latch::VoltagePresent));
    // Latched: a dead inlet does not open it without a person, and a live one not even with a person.
    bench.input(Input::Operator(Operator::Reset));
    assert_eq!(bench.car.latched(), Some(Latch::VoltagePresent));
    bench.inlet_mv = Some(0);
    bench.run(1_000);
    assert_eq!(bench.car.demand().lock, Lock::Held);
    bench.input(Input::Operator(Operator::Reset));
    bench.run(40);
    assert_eq!(bench.car.demand().lock, Lock::Released);
}

#[test]
fn light_bulbs_have_no_voltage_of_their_own_and_are_charged_at_the_set_one() {
    let mut bench = Bench::with(|config| config.load = Load::Bulb { voltage_mv: 230_000 });
    bench.vehicle.battery_mv = None;
    bench.vehicle.target.voltage_mv = 230_000;
    bench.vehicle.target.current_ma = 2_000;
    bench.start_to("CurrentDemandReq");
    bench.run(2_000);
    assert_eq!(asked(&bench), (230_000, 2_000));
    assert_eq!(bench.car.demand().contactors, Contactors::Closed);
}

#[test]
fn without_a_battery_voltage_there_is_no_charge() {
    let mut bench = Bench::new();
    bench.vehicle.battery_mv = None;
    bench.run(100);
    bench.connect();
    assert_eq!(bench.end().cause, Cause::Refused("ChargeParameterDiscoveryRes"));
}

#[test]
fn without_feedback_of_the_contactors_their_time_counts_and_the_session_says_so() {
    let mut bench = Bench::with(|config| {
        config.sensors.remove(Sensors::CONTACTORS);
        config.unlock_without_measurement = true;
        config.quirks = Quirks::DEFAULT;
    });
    bench.start_to("SessionStopReq");
    assert!(bench.warned(Warning::UnlockWithoutMeasurement));
    bench.end();
    bench.run(100);
    assert_eq!(bench.car.demand().lock, Lock::Released);
}
