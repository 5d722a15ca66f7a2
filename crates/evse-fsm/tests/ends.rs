//! Ends: what decreases from the start of a stop, what the reason contains, and what one reading does not
//! decide.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test ends where it fails")]

mod bench;

use bench::{Bench, GOOD, amperes, body, volts};
use control_pilot::{Level, Output};
use evse_fsm::{Authorisation, Closed, Config, Event, Input, Operator, Preset, TestVoltage, Warning};
use exi_din::{
    BodyElement, ChargeParameterDiscoveryReq, DcEvErrorCode, DcEvPowerDeliveryParameter, DcEvStatus,
    DcEvseStatusCode, EvChargeParameter, EvPowerDeliveryParameter, Percent, PreChargeReq, ResponseCode,
};
use machine::{Duration, Machine};
use session::{By, Cause, Target};

fn after(count: usize) -> Bench {
    let mut bench = Bench::connected();
    bench.pass_all(&GOOD[..count]);
    bench
}

fn charging() -> Bench {
    let mut bench = after(9);
    bench.charge(4_000);
    assert_eq!(bench.charger.demand().supply, Target { voltage_mv: 400_000, current_ma: 60_000 });
    bench
}

fn reason(bench: &Bench) -> session::StopReason {
    bench.charger.stop_reason().unwrap()
}

fn ask_precharge(bench: &mut Bench, change: impl Fn(&mut PreChargeReq)) -> ResponseCode {
    let BodyElement::PreChargeReq(mut req) = body("PreChargeReq") else { panic!() };
    change(&mut req);
    bench.send(BodyElement::PreChargeReq(req)).unwrap().1
}

fn ask_parameters(bench: &mut Bench, max_v: i16) -> ResponseCode {
    let BodyElement::ChargeParameterDiscoveryReq(req) = body("ChargeParameterDiscoveryReq") else { panic!() };
    let EvChargeParameter::Dc(mut dc) = req.ev_charge_parameter else { panic!() };
    dc.ev_maximum_voltage_limit = volts(max_v);
    let ev_charge_parameter = EvChargeParameter::Dc(dc);
    let req = ChargeParameterDiscoveryReq { ev_charge_parameter, ..req };
    bench.send(BodyElement::ChargeParameterDiscoveryReq(req)).unwrap().1
}

/// `PowerDelivery(true)` with the car's state.
fn switch_on(bench: &mut Bench, ev_ready: bool, ev_error_code: DcEvErrorCode) -> ResponseCode {
    let BodyElement::PowerDeliveryReq(mut req) = body("PowerDeliveryReq") else { panic!() };
    let dc_ev_status = DcEvStatus {
        ev_ready,
        ev_cabin_conditioning: None,
        ev_ress_conditioning: None,
        ev_error_code,
        ev_ress_soc: Percent::MAX,
    };
    let dc =
        DcEvPowerDeliveryParameter { dc_ev_status, bulk_charging_complete: None, charging_complete: false };
    req.ev_power_delivery_parameter = Some(EvPowerDeliveryParameter::Dc(dc));
    bench.send(BodyElement::PowerDeliveryReq(req)).unwrap().1
}

#[test]
fn a_stop_takes_the_current_to_0_within_the_grace_whatever_the_car_asks_for() {
    let stops: [fn(&mut Bench); 3] = [
        |bench| bench.input(Input::Operator(Operator::Stop)),
        |bench| bench.input(Input::Operator(Operator::Authorise(false))),
        |bench| bench.input(Input::Operator(Operator::Available(false))),
    ];
    for stop in stops {
        let mut bench = charging();
        stop(&mut bench);
        let mut before = bench.charger.demand().supply;
        for round in 0..98 {
            let BodyElement::CurrentDemandReq(mut req) = body("CurrentDemandReq") else { panic!() };
            req.ev_target_current = amperes(if round % 2 == 0 { 20 } else { 120 });
            req.ev_target_voltage = volts(if round % 2 == 0 { 380 } else { 440 });
            assert_eq!(bench.send(BodyElement::CurrentDemandReq(req)).unwrap().1, ResponseCode::Ok);
            bench.run(100);
            let supply = bench.charger.demand().supply;
            assert!(supply.current_ma <= before.current_ma && supply.voltage_mv <= before.voltage_mv);
            assert!(supply.current_ma <= 60_000 - round * 600, "{supply:?} in round {round}");
            before = supply;
        }
        assert!(before.current_ma < 1_500, "{before:?}");
        bench.charge(2_000);
        assert!(!bench.charger.demand().is_energised());
    }
}

#[test]
fn the_next_session_after_a_stop_is_not_held_down() {
    let mut bench = charging();
    bench.input(Input::Operator(Operator::Authorise(false)));
    bench.pass_all(&GOOD[9..]);
    bench.input(Input::Closed(Closed::Fin));
    bench.input(Input::Operator(Operator::Authorise(true)));
    bench.run(8_000);
    bench.reopen();
    bench.pass_all(&GOOD[..9]);
    bench.charge(4_000);
    assert_eq!(bench.charger.demand().supply.current_ma, 60_000);
}

#[test]
fn a_pilot_that_bounces_gives_0_a_at_once_and_the_current_returns_by_its_ramp() {
    for level in [Level::A, Level::B, Level::E, Level::F] {
        let mut bench = charging();
        bench.pilot = level;
        bench.run(20);
        let demand = bench.charger.demand();
        assert_eq!(demand.supply, Target { voltage_mv: 400_000, current_ma: 0 }, "{level:?}");
        assert_eq!(demand.pilot, Output::DIGITAL);
        bench.run(20);
        assert_eq!(bench.charger.stop_reason(), None);
        bench.pilot = Level::C;
        bench.charge(1_000);
        assert_eq!(bench.charger.stop_reason(), None, "{level:?}");
        let current_ma = bench.charger.demand().supply.current_ma;
        assert!((15_000..=22_000).contains(&current_ma), "{current_ma}");
    }
}

#[test]
fn a_pilot_that_stays_outside_c_and_d_ends_the_session_with_its_second_reading() {
    let cases = [
        (Level::A, Cause::Unplugged),
        (Level::B, Cause::LeftReady),
        (Level::E, Cause::PilotFault),
        (Level::F, Cause::PilotFault),
    ];
    for (level, cause) in cases {
        let mut bench = charging();
        bench.pilot = level;
        bench.run(60);
        assert_eq!(reason(&bench).cause, cause);
        assert_eq!(bench.charger.demand().supply, Target::ZERO);
        bench.run(60);
        assert!(!bench.charger.demand().is_energised(), "100 ms after 0 A were demanded at the latest");
    }
}

#[test]
fn contactors_open_100_ms_after_the_first_sample_of_a_pilot_that_left_under_a_stuck_current() {
    let mut bench = charging();
    bench.current_ma = Some(60_000);
    bench.pilot = Level::B;
    bench.run(100);
    assert!(bench.charger.demand().is_energised());
    bench.run(20);
    assert!(!bench.charger.demand().is_energised());
}

#[test]
fn contacts_that_bounce_end_nothing() {
    let bounces: [fn(&mut Bench, bool); 3] = [
        |bench, is_off| bench.lock = Some(!is_off),
        |bench, is_off| {
            bench.proximity = Some(if is_off {
                control_pilot::Proximity::Absent
            } else {
                control_pilot::Proximity::Latched
            });
        },
        |bench, is_off| bench.contactors_stuck = is_off.then_some(false),
    ];
    for bounce in bounces {
        let mut bench = Bench::with(|_| {});
        bounce(&mut bench, false);
        bench.pass_all(&GOOD[..9]);
        for is_off in [true, false, true, false] {
            bounce(&mut bench, is_off);
            bench.run(40);
        }
        assert_eq!(bench.charger.stop_reason(), None);
    }
}

#[test]
fn a_car_that_ends_the_session_before_power_is_granted_ends_it_in_order() {
    for (count, says_stop) in [(5, true), (6, true), (6, false)] {
        let mut bench = after(count);
        bench.pilot = Level::C;
        bench.run(40);
        bench.ask(GOOD[count]).unwrap();
        bench.pilot = Level::B;
        bench.run(100);
        assert!(!bench.charger.demand().is_energised());
        if says_stop {
            assert_eq!(bench.ask("SessionStopReq").unwrap().1, ResponseCode::Ok, "{count}");
        }
        bench.input(Input::Closed(Closed::Fin));
        let reason = reason(&bench);
        assert_eq!((reason.by, reason.cause, reason.exit_code()), (By::Car, Cause::Finished, 0), "{count}");
    }
}

#[test]
fn a_reason_that_was_told_is_replaced_by_a_worse_one_only() {
    // A normal end, then an electrical fault; the usual consequences of a stop change nothing.
    let mut bench = after(6);
    bench.pilot = Level::B;
    bench.run(100);
    bench.pilot = Level::A;
    bench.run(100);
    assert_eq!(reason(&bench).cause, Cause::Finished, "a plug that is pulled after the end");

    let mut bench = charging();
    bench.input(Input::Operator(Operator::Stop));
    assert_eq!(bench.ask("SessionStopReq").unwrap().1, ResponseCode::FailedSequenceError);
    assert_eq!(reason(&bench).cause, Cause::OperatorStop);
    assert_eq!(reason(&bench).detail.code, Some("FAILED_SequenceError"));

    let mut bench = charging();
    bench.pilot = Level::B;
    bench.current_ma = Some(200_000);
    bench.run(60);
    assert_eq!(reason(&bench).cause, Cause::OverCurrent);
}

#[test]
fn power_is_granted_only_to_a_car_that_is_ready_and_reports_no_error() {
    let cases = [
        (true, DcEvErrorCode::NoError, ResponseCode::Ok, None),
        (
            false,
            DcEvErrorCode::NoError,
            ResponseCode::FailedPowerDeliveryNotApplied,
            Some(Cause::Refused("PowerDeliveryReq")),
        ),
        (
            true,
            DcEvErrorCode::FailedRessTemperatureInhibit,
            ResponseCode::FailedPowerDeliveryNotApplied,
            Some(Cause::CarError(1)),
        ),
    ];
    for (ready, error, code, cause) in cases {
        let mut bench = after(7);
        assert_eq!(switch_on(&mut bench, ready, error), code);
        assert_eq!(bench.charger.stop_reason().map(|stop| stop.cause), cause);
        if cause == Some(Cause::CarError(1)) {
            assert_eq!(reason(&bench).detail.error, Some("FAILED_RESSTemperatureInhibit"));
        }
    }
}

#[test]
fn power_is_not_granted_at_a_target_below_the_minimum_and_the_reason_says_what_was_compared() {
    for target in [0, -15, 49] {
        let mut bench = after(6);
        for _ in 0..3 {
            assert_eq!(
                ask_precharge(&mut bench, |req| req.ev_target_voltage = volts(target)),
                ResponseCode::Ok
            );
            bench.run(100);
            assert_eq!(bench.charger.demand().supply.voltage_mv, 0);
        }
        assert_eq!(bench.ask("PowerDeliveryReq").unwrap().1, ResponseCode::FailedEvsePresentVoltageToLow);
        let line = reason(&bench).to_string();
        let wanted = std::format!(
            "FAILED_EVSEPresentVoltageToLow, Shutdown, StopCharging, precharge target {target}.0 V against charger's minimum 50.0 V"
        );
        assert!(line.contains(&wanted), "{line}");
    }
    let mut bench = after(7);
    bench.measured_mv = Some(329_000);
    bench.run(20);
    bench.ask("PowerDeliveryReq").unwrap();
    let line = reason(&bench).to_string();
    assert!(line.contains("output voltage 329.0 V against precharge target 350.0 V"), "{line}");
}

#[test]
fn a_car_that_bears_too_little_for_an_isolation_test_is_refused_with_its_figures() {
    for (max_v, code) in [
        (50, ResponseCode::FailedWrongChargeParameter),
        (149, ResponseCode::FailedWrongChargeParameter),
        (150, ResponseCode::Ok),
    ] {
        let mut bench = after(4);
        assert_eq!(ask_parameters(&mut bench, max_v), code, "{max_v}");
        if code.is_failed() {
            assert_eq!(bench.status, Some(DcEvseStatusCode::EvseShutdown));
            let compared = reason(&bench).detail.compared.unwrap();
            assert_eq!((compared.found, compared.unit), (i32::from(max_v) * 1_000, "V"));
        }
    }
    // Without a power stage nothing is tested.
    let mut bench = Bench::with(|config| *config = Config::without_power_stage(Preset::Mirror));
    bench.pass_all(&GOOD[..4]);
    assert_eq!(ask_parameters(&mut bench, 60), ResponseCode::Ok);
}

#[test]
fn the_isolation_is_tested_at_the_voltage_of_the_configured_edition() {
    for (test_voltage, wanted_mv) in [(TestVoltage::Least, 450_000), (TestVoltage::Iec2023, 500_000)] {
        let mut bench = Bench::with(|config| config.protection.test_voltage = test_voltage);
        bench.pass_all(&GOOD[..5]);
        bench.pilot = Level::C;
        bench.run(40);
        let mut most_mv = 0;
        while !bench.is_finished {
            assert_eq!(bench.ask("CableCheckReq").unwrap().1, ResponseCode::Ok);
            for _ in 0..10 {
                bench.run(20);
                most_mv = most_mv.max(bench.charger.demand().supply.voltage_mv);
            }
        }
        assert_eq!(most_mv, wanted_mv);
        bench.pass_all(&GOOD[6..9]);
        assert_eq!(bench.charger.stop_reason(), None);
    }
}

#[test]
fn without_a_power_stage_told_values_are_held_and_never_jump() {
    // With the sensors of a simulated plant, which measure nothing, and without any sensor.
    for sensors in [true, false] {
        let mut bench = Bench::unplugged(|config| {
            *config = Config {
                isolation_test: Duration::from_millis(100),
                ..Config::without_power_stage(Preset::Ramp)
            };
        });
        bench.has_sensors = sensors;
        bench.run(500);
        bench.pilot = Level::B;
        bench.run(1_000);
        bench.reopen();
        bench.pass_all(&GOOD[..8]);
        let precharged_mv = bench.told.unwrap().voltage_mv;
        assert!((345_000..=350_000).contains(&precharged_mv), "{precharged_mv}");
        for _ in 0..30 {
            bench.ask("CurrentDemandReq").unwrap();
            bench.run(100);
            let told = bench.told.unwrap();
            assert!((345_000..=355_000).contains(&told.voltage_mv), "{told:?}");
            assert!((0..=1_000).contains(&told.current_ma), "{told:?}");
        }
        assert_eq!(bench.told.unwrap().current_ma, 1_000, "the least of what is asked for and 1 A");
        let BodyElement::CurrentDemandReq(mut req) = body("CurrentDemandReq") else { panic!() };
        req.ev_target_current = amperes(0);
        bench.send(BodyElement::CurrentDemandReq(req)).unwrap();
        assert_eq!(bench.told.unwrap().current_ma, 0);
        let said =
            bench.events.iter().filter(|event| **event == Event::Warning(Warning::NoPowerStage)).count();
        assert_eq!(said, 1);
    }
}

#[test]
fn without_a_power_stage_a_sensor_that_sees_the_battery_is_told() {
    let mut bench = Bench::with(|config| {
        *config = Config {
            isolation_test: Duration::from_millis(100),
            ..Config::without_power_stage(Preset::Mirror)
        };
    });
    bench.pass_all(&GOOD[..8]);
    (bench.measured_mv, bench.out_ma) = (Some(341_000), Some(-700));
    bench.charge(500);
    assert_eq!(
        bench.told.unwrap(),
        Target { voltage_mv: 341_000, current_ma: 0 },
        "DIN knows no current out of the car"
    );
}

#[test]
fn a_bleeder_is_asked_for_after_an_unplug_until_the_cable_is_dead_and_5_s_at_most() {
    for (bleeder, live_ms) in [(true, 600), (true, 60_000), (false, 600)] {
        let mut bench = Bench::with(|config| config.bleeder = bleeder);
        bench.pass_all(&GOOD[..7]);
        assert!(!bench.charger.demand().discharge);
        bench.pilot = Level::A;
        bench.measured_mv = Some(340_000);
        let mut asked_ms = 0;
        for step in 0..400 {
            if step * 20 >= live_ms {
                bench.measured_mv = Some(59_000);
            }
            bench.run(20);
            asked_ms += if bench.charger.demand().discharge { 20 } else { 0 };
        }
        let wanted = match (bleeder, live_ms) {
            (false, _) => 0..=0,
            (true, 600) => 400..=600,
            _ => 4_900..=5_000,
        };
        assert!(wanted.contains(&asked_ms), "{asked_ms} ms");
        assert_eq!(live_ms > 5_000, bench.has_said(Event::Warning(Warning::StillLive(340_000))));
    }
}

#[test]
fn no_bleeder_is_asked_for_while_the_cars_battery_may_be_on_the_cable() {
    let mut bench = Bench::with(|config| config.bleeder = true);
    bench.pass_all(&GOOD[..9]);
    bench.measured_mv = Some(350_000);
    bench.ask("PowerOffReq").unwrap();
    for _ in 0..20 {
        bench.run(20);
        assert!(!bench.charger.demand().discharge, "pilot C");
    }
    bench.pilot = Level::B;
    bench.run(40);
    assert!(bench.charger.demand().discharge);
}

#[test]
fn a_patience_that_ends_by_time_alone_is_a_deadline() {
    let mut bench = charging();
    bench.current_ma = Some(-60_000);
    bench.run(20);
    let due = bench.charger.poll_timeout().unwrap().at;
    assert!(due <= bench.now + Duration::from_millis(201), "readings grow old");
    // No deadline remains of what has ended.
    bench.run(60_000);
    assert!(bench.charger.poll_timeout().is_none_or(|deadline| deadline.at > bench.now));
}

#[test]
fn a_refusal_of_the_authorisation_holds_its_code() {
    let mut bench = Bench::with(|config| config.authorisation = Authorisation::Operator);
    bench.pass_all(&GOOD[..3]);
    bench.input(Input::Operator(Operator::Authorise(false)));
    bench.ask("ContractAuthenticationReq").unwrap();
    let detail = reason(&bench).detail;
    assert_eq!(
        (detail.code, detail.status, detail.notification),
        (Some("FAILED"), Some("Shutdown"), Some("StopCharging"))
    );
}

#[test]
fn a_car_that_takes_its_readiness_back_before_the_cable_check_has_ended_it_and_one_that_never_was_ready_is_refused()
 {
    for (levels, code, cause) in [
        (&[Level::C, Level::B][..], ResponseCode::Ok, Cause::Finished),
        (&[Level::B], ResponseCode::Failed, Cause::Timeout("pilot detection")),
        (&[Level::C, Level::B, Level::C], ResponseCode::Ok, Cause::OperatorStop),
    ] {
        let mut bench = Bench::connected();
        bench.pass_all(&GOOD[..5]);
        for level in levels {
            bench.pilot = *level;
            bench.run(20);
        }
        assert_eq!(bench.ask("CableCheckReq"), Some(("CableCheckRes", code)), "{levels:?}");
        assert!(code.is_failed() || !bench.is_finished);
        bench.input(Input::Operator(Operator::Stop));
        assert_eq!(reason(&bench).cause, cause, "{levels:?}");
        assert_eq!(bench.ask("SessionStopReq"), Some(("SessionStopRes", ResponseCode::Ok)));
        assert_eq!(reason(&bench).cause, cause);
    }
}
