//! How sessions end: by the operator, by emergency stop, by silence, by invalid messages.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test ends where it fails")]

mod bench;

use bench::{Bench, GOOD};
use evse_fsm::{Authorisation, Input, Operator, PAYLOAD_TYPE, Purpose};
use exi_din::{BodyElement, DcEvseStatusCode, ResponseCode};
use session::{By, Cause, Target};

fn charging() -> Bench {
    let mut bench = Bench::connected();
    bench.pass_all(&GOOD[..9]);
    for _ in 0..20 {
        bench.ask("CurrentDemandReq").unwrap();
        bench.run(100);
    }
    assert!(bench.charger.demand().supply.current_ma > 10_000, "{:?}", bench.charger.demand());
    bench
}

#[test]
fn a_stop_by_the_operator_is_told_to_the_car_which_ends_the_session_in_order() {
    let mut bench = charging();
    bench.input(Input::Operator(Operator::Stop));
    assert!(bench.charger.demand().supply.current_ma > 10_000, "the car is asked first");
    assert_eq!(bench.ask("CurrentDemandReq").unwrap().1, ResponseCode::Ok);
    assert_eq!(bench.status, Some(DcEvseStatusCode::EvseShutdown));
    assert_eq!(bench.ask("PowerOffReq").unwrap().1, ResponseCode::Ok);
    assert!(!bench.charger.demand().is_energised());
    bench.pass_all(&["WeldingDetectionReq", "SessionStopReq"]);
    let reason = bench.charger.stop_reason().unwrap();
    assert_eq!((reason.by, reason.cause, reason.exit_code()), (By::Operator, Cause::OperatorStop, 0));
}

#[test]
fn a_car_that_ignores_the_stop_loses_its_current_after_the_grace() {
    let mut bench = charging();
    bench.input(Input::Operator(Operator::Stop));
    for _ in 0..130 {
        bench.ask("CurrentDemandReq");
        bench.run(100);
    }
    assert!(!bench.charger.demand().is_energised());
}

#[test]
fn a_stop_before_the_precharge_keeps_the_output_off() {
    let mut bench = Bench::connected();
    bench.pass_all(&GOOD[..6]);
    bench.input(Input::Operator(Operator::Stop));
    bench.run(200);
    assert!(!bench.charger.demand().is_energised());
    assert_eq!(bench.ask("PreChargeReq").unwrap().1, ResponseCode::Ok);
    assert_eq!(bench.status, Some(DcEvseStatusCode::EvseShutdown));
    assert!(!bench.charger.demand().is_energised(), "a request after the stop energises nothing");
    assert_eq!(bench.ask("SessionStopReq").unwrap().1, ResponseCode::Ok);
}

#[test]
fn a_stop_in_the_precharge_keeps_the_voltage_until_the_car_ends_the_session_or_the_grace_is_over() {
    let stopped = || {
        let mut bench = Bench::connected();
        bench.pass_all(&GOOD[..7]);
        bench.input(Input::Operator(Operator::Stop));
        bench.run(200);
        let voltage_mv = bench.charger.demand().supply.voltage_mv;
        assert!(voltage_mv > 100_000, "its contactors may be closing");
        assert_eq!(bench.ask("PreChargeReq").unwrap().1, ResponseCode::Ok);
        assert_eq!(bench.status, Some(DcEvseStatusCode::EvseShutdown));
        bench
    };
    let mut bench = stopped();
    assert_eq!(bench.ask("SessionStopReq").unwrap().1, ResponseCode::Ok);
    bench.run(200);
    assert!(!bench.charger.demand().is_energised());

    // A car that then requests power receives the stop in the charging loop, and gets 0 A.
    for ends in [true, false] {
        let mut bench = stopped();
        let before = bench.charger.demand().supply;
        assert_eq!(bench.ask("PowerDeliveryReq").unwrap().1, ResponseCode::Ok);
        for _ in 0..if ends { 5 } else { 110 } {
            assert_eq!(bench.ask("CurrentDemandReq").unwrap().1, ResponseCode::Ok);
            assert_eq!(bench.status, Some(DcEvseStatusCode::EvseShutdown));
            bench.run(100);
            let supply = bench.charger.demand().supply;
            assert!(supply.voltage_mv <= before.voltage_mv && supply.current_ma <= before.current_ma);
        }
        assert_eq!(bench.charger.demand().is_energised(), ends, "the grace");
        assert_eq!(bench.ask("PowerOffReq").unwrap().1, ResponseCode::Ok);
        bench.run(200);
        assert!(!bench.charger.demand().is_energised());
    }

    let mut bench = stopped();
    for _ in 0..110 {
        bench.ask("PreChargeReq");
        bench.run(100);
    }
    assert!(!bench.charger.demand().is_energised());
}

#[test]
fn an_emergency_stop_switches_off_first_and_then_answers_with_its_status() {
    let mut bench = charging();
    bench.input(Input::Operator(Operator::EmergencyStop));
    assert_eq!(bench.charger.demand().supply, Target::ZERO);
    assert_eq!(bench.ask("CurrentDemandReq").unwrap().1, ResponseCode::Ok);
    assert_eq!(bench.status, Some(DcEvseStatusCode::EvseEmergencyShutdown));
    bench.run(200);
    assert!(!bench.charger.demand().is_energised());
}

#[test]
fn a_stop_out_of_order_is_refused_and_switches_off_at_once() {
    let mut bench = charging();
    assert_eq!(bench.ask("SessionStopReq").unwrap().1, ResponseCode::FailedSequenceError);
    assert_eq!(bench.charger.demand().supply, Target::ZERO);

    let mut bench = Bench::connected();
    bench.pass_all(&GOOD[..6]);
    assert_eq!(bench.ask("PowerOffReq").unwrap().1, ResponseCode::FailedSequenceError);
    bench.run(200);
    assert!(!bench.charger.demand().is_energised());
}

#[test]
fn silence_for_the_sequence_timeout_ends_the_session() {
    let mut bench = Bench::connected();
    bench.pass_all(&GOOD[..4]);
    bench.run(59_000);
    assert!(!bench.charger.wants_close());
    bench.run(2_000);
    assert!(bench.charger.wants_close());
    assert_eq!(bench.charger.stop_reason().unwrap().cause, Cause::Timeout("sequence"));
}

#[test]
fn the_third_message_that_does_not_decode_ends_the_session() {
    let mut bench = charging();
    let garbage = Input::Message { payload_type: PAYLOAD_TYPE, payload: &[0x80, 0x9a, 0xff] };
    bench.input(garbage);
    bench.input(garbage);
    assert!(!bench.charger.wants_close());
    bench.input(garbage);
    assert!(bench.charger.wants_close());
    assert_eq!(bench.charger.demand().supply, Target::ZERO);
}

#[test]
fn a_refused_authorisation_fails_and_an_absent_one_is_ongoing_until_its_timer_ends() {
    let mut bench = Bench::with(|config| config.authorisation = Authorisation::Operator);
    bench.pass_all(&GOOD[..3]);
    assert_eq!(bench.ask("ContractAuthenticationReq").unwrap().1, ResponseCode::Ok);
    assert_eq!(bench.ask("ContractAuthenticationReq").unwrap().1, ResponseCode::Ok);
    bench.input(Input::Operator(Operator::Authorise(false)));
    assert_eq!(bench.ask("ContractAuthenticationReq").unwrap().1, ResponseCode::Failed);
    assert_eq!(bench.charger.stop_reason().unwrap().cause, Cause::NotAuthorised);

    let mut bench = Bench::with(|config| config.authorisation = Authorisation::Operator);
    bench.pass_all(&GOOD[..3]);
    for _ in 0..119 {
        bench.ask("ContractAuthenticationReq");
        bench.run(1_000);
    }
    assert_eq!(bench.charger.stop_reason().unwrap().cause, Cause::Timeout("authorisation"));
}

#[test]
fn reading_a_car_ends_with_its_parameters_and_energises_nothing() {
    let mut bench = Bench::with(|config| config.purpose = Purpose::ReadCar);
    bench.pass_all(&GOOD[..4]);
    assert_eq!(bench.ask("ChargeParameterDiscoveryReq").unwrap().1, ResponseCode::Ok);
    assert_eq!(bench.status, Some(DcEvseStatusCode::EvseShutdown));
    assert_eq!(bench.ask("CableCheckReq").unwrap().1, ResponseCode::FailedSequenceError);
    assert!(!bench.charger.demand().is_energised());
    assert_eq!(bench.ask("SessionStopReq").unwrap().1, ResponseCode::Ok);
    assert_eq!(bench.charger.stop_reason().unwrap().exit_code(), 0);
}

#[test]
fn a_contactor_that_opens_by_itself_ends_the_session() {
    let mut bench = charging();
    bench.contactors_stuck = Some(false);
    bench.run(40);
    assert_eq!(bench.charger.stop_reason(), None, "one reading does not decide");
    bench.run(40);
    assert_eq!(bench.charger.demand().supply, Target::ZERO);
    assert_eq!(bench.charger.stop_reason().unwrap().cause, Cause::Contactor);
}

#[test]
fn a_fault_of_the_isolation_ends_the_session_and_a_warning_does_not() {
    let mut bench = charging();
    bench.isolation = evse_fsm::Isolation::Warning;
    bench.run(100);
    assert_eq!(bench.ask("CurrentDemandReq").unwrap().1, ResponseCode::Ok);
    assert!(bench.charger.demand().is_energised());
    bench.isolation = evse_fsm::Isolation::Fault;
    bench.run(40);
    assert_eq!(bench.charger.demand().supply, Target::ZERO);
    assert_eq!(bench.charger.stop_reason().unwrap().cause, Cause::Isolation);
}

#[test]
fn a_welded_contactor_is_found_before_the_next_isolation_test() {
    let mut bench = Bench::connected();
    bench.pass_all(&GOOD[..5]);
    bench.contactors_stuck = Some(true);
    bench.pilot = control_pilot::Level::C;
    bench.run(40);
    assert_eq!(bench.ask("CableCheckReq").unwrap().1, ResponseCode::Ok);
    bench.run(100);
    assert_eq!(bench.ask("CableCheckReq").unwrap().1, ResponseCode::Failed);
    assert_eq!(bench.charger.stop_reason().unwrap().cause, Cause::WeldSuspected);
    assert!(!bench.charger.demand().is_energised());
}

#[test]
fn a_lost_link_in_the_loop_takes_voltage_current_and_pilot_away_at_once() {
    let mut bench = charging();
    bench.input(Input::LinkLost);
    let demand = bench.charger.demand();
    assert_eq!((demand.supply, demand.pilot), (Target::ZERO, control_pilot::Output::Steady));
    bench.run(200);
    assert!(!bench.charger.demand().is_energised(), "the contactors follow within 100 ms");
    let reason = bench.charger.stop_reason().unwrap();
    assert_eq!((reason.by, reason.cause), (By::Network, Cause::LinkLost));
}

#[test]
fn a_link_that_went_with_the_plug_is_a_pulled_plug() {
    let mut bench = Bench::connected();
    bench.pass_all(&GOOD[..5]);
    bench.pilot = control_pilot::Level::A;
    bench.run(100);
    bench.input(Input::LinkLost);
    assert_eq!(bench.charger.stop_reason().unwrap().cause, Cause::Unplugged);
}

#[test]
fn a_link_that_goes_behind_the_end_of_the_session_is_no_fault() {
    let mut bench = charging();
    bench.pass_all(&["PowerOffReq", "WeldingDetectionReq", "SessionStopReq"]);
    bench.run(100);
    // The car leaves the network before it has closed its connection.
    bench.input(Input::LinkLost);
    let reason = bench.charger.stop_reason().unwrap();
    assert_eq!((reason.by, reason.cause, reason.exit_code()), (By::Car, Cause::Finished, 0));
    assert_eq!(bench.charger.demand().pilot, control_pilot::Output::Steady, "without a link no 5 %");
    bench.run(2_900);
    assert_eq!(bench.charger.demand().pilot, control_pilot::Output::Steady);
    bench.run(200);
    assert_eq!(bench.charger.demand().pilot, control_pilot::Output::DIGITAL);
}

#[test]
fn a_link_that_goes_under_a_refused_connection_is_no_session() {
    let mut bench = charging();
    bench.pass_all(&["PowerOffReq", "WeldingDetectionReq", "SessionStopReq"]);
    bench.input(Input::Closed(evse_fsm::Closed::Fin));
    bench.input(Input::Connected);
    assert!(bench.charger.wants_close(), "5 % is only kept for the session before");
    bench.input(Input::LinkLost);
    assert_eq!(bench.charger.stop_reason().unwrap().cause, Cause::Finished);
}

#[test]
fn a_stage_of_two_amperes_passes_the_precharge_with_its_ripple_and_an_inrush_and_more_does_not() {
    let mut bench = Bench::connected();
    bench.pass_all(&GOOD[..7]);
    for (current_ma, millis) in [(3_000, 1_000), (300_000, 60), (2_250, 500)] {
        bench.current_ma = Some(current_ma);
        bench.run(millis);
        assert_eq!(bench.ask("PreChargeReq").unwrap().1, ResponseCode::Ok, "{current_ma} mA");
        assert_eq!(bench.charger.stop_reason(), None, "{current_ma} mA");
    }
    bench.current_ma = Some(3_100);
    bench.run(140);
    assert_eq!(bench.charger.stop_reason().unwrap().cause, Cause::OverCurrent);
    assert_eq!(bench.charger.demand().supply, Target::ZERO);
    bench.reopen();
    assert!(bench.charger.wants_close(), "latched");
}

#[test]
fn a_current_that_stays_when_nothing_is_asked_for_any_more_ends_the_session_within_three_seconds() {
    let mut bench = charging();
    bench.current_ma = Some(60_000);
    let BodyElement::CurrentDemandReq(mut nothing) = bench::body("CurrentDemandReq") else { panic!() };
    nothing.ev_target_current = bench::amperes(0);
    for _ in 0..29 {
        bench.send(BodyElement::CurrentDemandReq(nothing)).unwrap();
        bench.run(100);
    }
    assert_eq!(bench.charger.stop_reason(), None);
    for _ in 0..3 {
        bench.send(BodyElement::CurrentDemandReq(nothing)).unwrap();
        bench.run(100);
    }
    assert_eq!(bench.charger.stop_reason().unwrap().cause, Cause::OverCurrent);
    bench.run(100);
    assert!(!bench.charger.demand().is_energised());
}

#[test]
fn a_stage_that_gives_current_behind_the_end_of_power_is_cut_off_and_latched() {
    let mut bench = charging();
    bench.current_ma = Some(60_000);
    assert_eq!(bench.ask("PowerOffReq").unwrap().1, ResponseCode::Ok);
    bench.run(100);
    assert!(!bench.charger.demand().is_energised());
    assert_eq!(bench.charger.stop_reason().unwrap().cause, Cause::OverCurrent);
    bench.input(Input::Closed(evse_fsm::Closed::Fin));
    bench.run(10_000);
    assert_eq!(bench.charger.demand().pilot, control_pilot::Output::Steady, "no new offer");
}

#[test]
fn a_sensor_that_is_off_by_a_few_amperes_makes_no_fault_of_the_end_of_power() {
    let mut bench = charging();
    bench.current_ma = Some(4_900);
    bench.pass_all(&["PowerOffReq", "WeldingDetectionReq", "SessionStopReq"]);
    assert!(!bench.charger.demand().is_energised());
    assert_eq!(bench.charger.stop_reason().unwrap().cause, Cause::Finished);
}

#[test]
fn the_own_lock_that_springs_open_ends_the_session_where_there_is_one() {
    for phase in 6..=9 {
        let mut bench = Bench::connected();
        bench.lock = Some(true);
        bench.pass_all(&GOOD[..phase]);
        bench.lock = Some(false);
        bench.run(40);
        assert_eq!(bench.charger.stop_reason(), None, "one reading does not decide");
        bench.run(40);
        assert_eq!(bench.charger.stop_reason().unwrap().cause, Cause::Lock, "{}", GOOD[phase]);
        assert_eq!(bench.charger.demand().supply, Target::ZERO);
    }
}

#[test]
fn an_own_lock_that_does_not_close_refuses_the_cable_check() {
    let mut bench = Bench::connected();
    bench.lock = Some(false);
    bench.pass_all(&GOOD[..5]);
    bench.pilot = control_pilot::Level::C;
    bench.run(40);
    assert_eq!(bench.ask("CableCheckReq").unwrap().1, ResponseCode::Failed);
    assert_eq!(bench.charger.stop_reason().unwrap().cause, Cause::Lock);
    assert!(!bench.charger.demand().is_energised());
}

#[test]
fn contactors_do_not_close_onto_a_live_stage_and_open_where_both_voltages_differ() {
    let mut bench = Bench::connected();
    bench.stage_mv = Some(60_000);
    bench.pass_all(&GOOD[..5]);
    bench.pilot = control_pilot::Level::C;
    bench.run(40);
    for _ in 0..100 {
        assert_eq!(bench.ask("CableCheckReq").unwrap().1, ResponseCode::Ok, "it is waited for");
        assert_eq!(bench.charger.demand().contactors, evse_fsm::Contactors::Open);
        bench.run(100);
    }
    assert_eq!(bench.ask("CableCheckReq").unwrap().1, ResponseCode::Failed);
    assert_eq!(bench.charger.stop_reason().unwrap().cause, Cause::VoltageOff);

    for (apart_mv, cause) in [(50_000, None), (50_001, Some(Cause::Suspect("cable and stage voltage")))] {
        let mut bench = charging();
        bench.measured_mv = Some(350_000);
        bench.stage_mv = Some(350_000 + apart_mv);
        for _ in 0..22 {
            bench.ask("CurrentDemandReq").unwrap();
            bench.run(100);
        }
        assert_eq!(bench.charger.stop_reason().map(|stop| stop.cause), cause);
    }
}

#[test]
fn a_stage_that_is_live_without_being_asked_is_found_when_its_contactors_close() {
    let mut bench = Bench::connected();
    bench.pass_all(&GOOD[..5]);
    bench.pilot = control_pilot::Level::C;
    bench.run(40);
    bench.ask("CableCheckReq").unwrap();
    bench.measured_mv = Some(350_000);
    bench.run(40);
    assert_eq!(bench.ask("CableCheckReq").unwrap().1, ResponseCode::Failed);
    assert_eq!(bench.charger.stop_reason().unwrap().cause, Cause::WeldSuspected);
}

#[test]
fn a_needed_reading_that_is_missing_refuses_the_cable_check_before_anything_closes() {
    let mut bench = Bench::with(|config| config.sensors |= evse_fsm::Sensors::DUTY);
    bench.pass_all(&GOOD[..5]);
    bench.pilot = control_pilot::Level::C;
    bench.run(40);
    assert_eq!(bench.ask("CableCheckReq").unwrap().1, ResponseCode::Failed);
    assert_eq!(bench.charger.stop_reason().unwrap().cause, Cause::StaleReading("pilot duty"));
    assert!(!bench.charger.demand().is_energised());
}
