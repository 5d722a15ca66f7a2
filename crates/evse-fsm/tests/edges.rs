//! What real cars and people do at the edges of a session.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test ends where it fails")]

mod bench;

use bench::{Bench, GOOD, amperes, body, volts};
use control_pilot::{Level, Output, Proximity};
use evse_fsm::{Authorisation, Closed, Input, Lock, Operator, Sensors};
use exi_din::{BodyElement, DcEvErrorCode, DcEvseStatusCode, ResponseCode};
use machine::Duration;
use session::{Cause, Phase, Target};

fn after(count: usize) -> Bench {
    let mut bench = Bench::connected();
    bench.pass_all(&GOOD[..count]);
    bench
}

/// A request of the charging loop, changed.
fn demanded(bench: &mut Bench, change: fn(&mut exi_din::CurrentDemandReq)) -> ResponseCode {
    let BodyElement::CurrentDemandReq(mut req) = body("CurrentDemandReq") else { panic!() };
    change(&mut req);
    bench.send(BodyElement::CurrentDemandReq(req)).unwrap().1
}

fn precharged(bench: &mut Bench, change: fn(&mut exi_din::PreChargeReq)) -> ResponseCode {
    let BodyElement::PreChargeReq(mut req) = body("PreChargeReq") else { panic!() };
    change(&mut req);
    bench.send(BodyElement::PreChargeReq(req)).unwrap().1
}

#[test]
fn a_car_that_is_ready_when_the_charger_starts_is_plugged_in() {
    let mut bench = Bench::unplugged(|_| {});
    bench.pilot = Level::C;
    bench.run(100);
    assert_eq!(bench.charger.phase(), Phase::Plugged);
    bench.pilot = Level::A;
    bench.run(100);
    assert_eq!(bench.charger.phase(), Phase::Idle);
}

#[test]
fn connections_on_which_nothing_is_said_leave_the_pilot_alone() {
    let mut bench = Bench::plugged();
    for closed in [Closed::Fin, Closed::Rst, Closed::Timeout] {
        bench.input(Input::Closed(closed));
        assert_eq!(bench.charger.demand().pilot, Output::DIGITAL);
        assert_eq!(bench.charger.stop_reason(), None);
        bench.input(Input::Connected);
    }
    bench.run(18_100);
    assert!(bench.charger.wants_close(), "a silent connection does not keep its place");
    assert_eq!(bench.charger.demand().pilot, Output::DIGITAL);
}

#[test]
fn a_connection_that_is_refused_between_two_offers_does_not_put_off_the_next_one() {
    let mut bench = after(4);
    bench.input(Input::Closed(Closed::Rst));
    for _ in 0..3 {
        bench.input(Input::Connected);
        assert!(bench.charger.wants_close());
        bench.input(Input::Closed(Closed::Rst));
        bench.run(1_000);
    }
    assert_eq!(bench.charger.demand().pilot, Output::DIGITAL);
}

#[test]
fn a_charger_that_was_stopped_offers_nothing_until_a_reset_or_a_new_plug() {
    for reset in [true, false] {
        let mut bench = after(5);
        bench.input(Input::Operator(Operator::Stop));
        assert_eq!(bench.charger.demand().pilot, Output::DIGITAL, "the car needs it to end in order");
        bench.ask("SessionStopReq").unwrap();
        bench.input(Input::Closed(Closed::Fin));
        bench.run(20_000);
        assert_eq!(bench.charger.demand().pilot, Output::Steady);
        if reset {
            bench.input(Input::Operator(Operator::Reset));
        } else {
            bench.pilot = Level::A;
            bench.run(1_000);
        }
        bench.pilot = Level::B;
        bench.run(5_000);
        assert_eq!(bench.charger.demand().pilot, Output::DIGITAL);
    }
}

#[test]
fn a_charger_taken_out_of_service_keeps_the_pilot_until_the_session_is_over() {
    let mut bench = after(9);
    bench.input(Input::Operator(Operator::Available(false)));
    bench.run(500);
    assert_eq!(bench.charger.demand().pilot, Output::DIGITAL);
    bench.pass_all(&GOOD[9..]);
    bench.input(Input::Closed(Closed::Fin));
    bench.run(20_000);
    assert_eq!(bench.charger.demand().pilot, Output::Steady);
}

#[test]
fn an_emergency_stop_behind_an_orderly_one_is_the_reason() {
    let mut bench = after(9);
    bench.input(Input::Operator(Operator::Stop));
    bench.input(Input::Operator(Operator::EmergencyStop));
    assert_eq!(bench.charger.stop_reason().unwrap().cause, Cause::EmergencyStop);
    assert_eq!(bench.charger.demand().supply, Target::ZERO);
}

#[test]
fn the_lock_is_held_from_the_cars_parameters_to_the_dead_output() {
    let mut bench = after(4);
    assert_eq!(bench.charger.demand().lock, Lock::Released);
    bench.pass_all(&GOOD[4..5]);
    assert_eq!(bench.charger.demand().lock, Lock::Held);
    bench.pass_all(&GOOD[5..9]);
    bench.pass_all(&GOOD[9..]);
    assert_eq!(bench.charger.demand().lock, Lock::Held);
    bench.input(Input::Closed(Closed::Fin));
    bench.run(100);
    assert_eq!(bench.charger.demand().lock, Lock::Released);
    // The state of the output is unknown: time never unlocks.
    bench.run_blind(10_000);
    assert_eq!(bench.charger.demand().lock, Lock::Held);
}

#[test]
fn a_pilot_wire_that_opens_resets_nothing_while_lock_or_proximity_say_that_the_plug_is_in() {
    type Hold = fn(&mut Bench);
    let silent: Hold = |bench| {
        bench.lock = Some(true);
        bench.run(100);
        bench.lock = None;
    };
    let holds: [Hold; 3] =
        [|bench| bench.lock = Some(true), |bench| bench.proximity = Some(Proximity::Latched), silent];
    for hold in holds {
        let mut bench = after(9);
        hold(&mut bench);
        bench.run(100);
        bench.input(Input::Operator(Operator::EmergencyStop));
        bench.input(Input::Closed(Closed::Fin));
        let offers_after = |bench: &mut Bench| {
            bench.pilot = Level::A;
            bench.run(1_000);
            bench.pilot = Level::B;
            bench.run(20_000);
            bench.charger.demand().pilot == Output::DIGITAL
        };
        assert!(!offers_after(&mut bench));
        (bench.lock, bench.proximity) = (Some(false), Some(Proximity::Absent));
        assert!(offers_after(&mut bench), "the plug was out");
    }
}

#[test]
fn the_lock_is_held_while_nobody_knows_whether_the_contactors_are_open() {
    let mut bench = after(4);
    assert_eq!(bench.charger.demand().lock, Lock::Released);
    bench.has_feedback = false;
    bench.run(100);
    assert_eq!(bench.charger.demand().lock, Lock::Held);
}

#[test]
fn a_refused_car_that_goes_on_asking_does_not_keep_the_connection() {
    let mut bench = after(5);
    bench.ask("CurrentDemandReq").unwrap();
    for _ in 0..48 {
        assert!(!bench.charger.wants_close());
        bench.ask("CurrentDemandReq").unwrap();
        bench.run(100);
    }
    bench.run(300);
    assert!(bench.charger.wants_close(), "5 s after the first refusal");
}

#[test]
fn a_car_that_reports_an_error_gets_no_current_any_more_and_loses_the_voltage_after_the_grace() {
    let mut bench = after(9);
    let error = |req: &mut exi_din::CurrentDemandReq| {
        req.dc_ev_status.ev_error_code = DcEvErrorCode::FailedChargingCurrentDifferential;
    };
    assert_eq!(demanded(&mut bench, error), ResponseCode::Ok);
    assert_eq!(bench.status, Some(DcEvseStatusCode::EvseShutdown));
    assert_eq!(bench.charger.stop_reason().unwrap().cause, Cause::CarError(5));
    // One message without a status changes nothing.
    for _ in 0..28 {
        assert_eq!(bench.charger.demand().supply.current_ma, 0);
        assert_eq!(bench.ask("CurrentDemandReq").unwrap().1, ResponseCode::Ok);
        bench.run(100);
    }
    assert!(bench.charger.demand().is_energised());
    for _ in 0..20 {
        bench.ask("CurrentDemandReq").unwrap();
        bench.run(100);
    }
    assert!(!bench.charger.demand().is_energised());
}

#[test]
fn a_car_that_is_not_ready_gets_no_current_until_it_is() {
    let mut bench = after(9);
    for _ in 0..3 {
        let code = demanded(&mut bench, |req| req.dc_ev_status.ev_ready = false);
        assert_eq!((code, bench.status), (ResponseCode::Ok, Some(DcEvseStatusCode::EvseReady)));
        assert_eq!(bench.charger.demand().supply.current_ma, 0);
        bench.run(100);
    }
    assert_eq!(bench.charger.stop_reason(), None);
    for _ in 0..10 {
        bench.ask("CurrentDemandReq").unwrap();
        bench.run(100);
    }
    let current_ma = bench.charger.demand().supply.current_ma;
    assert!((15_000..=22_000).contains(&current_ma), "by the ramp: {current_ma}");
    bench.pass_all(&GOOD[9..]);
    assert_eq!(bench.charger.stop_reason().unwrap().cause, Cause::Finished);
}

#[test]
fn values_in_another_unit_or_beyond_every_charger_are_refused_and_switch_off() {
    let demands: [fn(&mut exi_din::CurrentDemandReq); 5] = [
        |req| req.ev_target_voltage = amperes(400),
        |req| req.ev_target_current = volts(10),
        |req| req.ev_target_voltage = volts(1_501),
        |req| req.ev_target_current = amperes(1_001),
        |req| req.ev_target_current = amperes(-1),
    ];
    for change in demands {
        let mut bench = after(9);
        assert_eq!(demanded(&mut bench, change), ResponseCode::Failed);
        assert_eq!(bench.charger.demand().supply, Target::ZERO);
    }
    let targets: [fn(&mut exi_din::PreChargeReq); 2] =
        [|req| req.ev_target_voltage = amperes(350), |req| req.ev_target_voltage = volts(1_501)];
    for change in targets {
        let mut bench = after(7);
        assert_eq!(precharged(&mut bench, change), ResponseCode::Failed);
        assert_eq!(bench.charger.demand().supply, Target::ZERO);
    }
}

#[test]
fn power_is_not_switched_on_behind_a_target_that_the_output_did_not_follow() {
    let targets: [fn(&mut exi_din::PreChargeReq); 2] =
        [|req| req.ev_target_voltage = volts(-350), |req| req.ev_target_voltage = volts(480)];
    for change in targets {
        let mut bench = after(7);
        assert_eq!(precharged(&mut bench, change), ResponseCode::Ok);
        bench.run(2_000);
        assert_eq!(bench.ask("PowerDeliveryReq").unwrap().1, ResponseCode::FailedEvsePresentVoltageToLow);
    }
}

#[test]
fn a_request_behind_the_sequence_timeout_is_too_late_even_if_nobody_called_in_between() {
    let mut bench = after(3);
    bench.now += Duration::from_secs(61);
    bench.ask("ContractAuthenticationReq");
    assert!(bench.charger.wants_close());
    assert_eq!(bench.charger.stop_reason().unwrap().cause, Cause::Timeout("sequence"));
}

#[test]
fn a_lock_that_does_not_confirm_keeps_the_output_off() {
    let mut bench = Bench::with(|config| config.sensors |= Sensors::LOCK);
    bench.pass_all(&GOOD[..5]);
    bench.pilot = Level::C;
    bench.run(100);
    assert_eq!(bench.ask("CableCheckReq").unwrap().1, ResponseCode::Failed);
    assert_eq!(bench.charger.stop_reason().unwrap().cause, Cause::Lock);
    assert!(!bench.charger.demand().is_energised());
}

#[test]
fn a_budget_that_is_spent_refuses_the_next_request_by_its_cause_and_only_the_end_behind_it() {
    let cases = [("authorisation", 3), ("cable check", 5), ("precharge", 6)];
    for (timer, passed) in cases {
        let mut bench = Bench::with(|config| {
            config.authorisation = Authorisation::Operator;
            config.isolation_test = Duration::from_secs(300);
        });
        if passed > 3 {
            bench.input(Input::Operator(Operator::Authorise(true)));
        }
        if timer == "precharge" {
            bench = Bench::connected();
        }
        bench.pass_all(&GOOD[..passed]);
        bench.pilot = if passed > 4 { Level::C } else { Level::B };
        bench.run(40);
        let code = loop {
            let code = bench.ask(GOOD[passed]).unwrap().1;
            if code != ResponseCode::Ok {
                break code;
            }
            bench.run(200);
        };
        assert_eq!(code, ResponseCode::Failed, "{timer}");
        assert_eq!(bench.charger.stop_reason().unwrap().cause, Cause::Timeout(timer));
        assert!(!bench.charger.demand().is_energised(), "{timer}");
        assert_eq!(bench.ask(GOOD[passed]).unwrap().1, ResponseCode::FailedSequenceError, "{timer}");
        assert_eq!(bench.ask("SessionStopReq").unwrap().1, ResponseCode::Ok, "{timer}");
    }
}

/// In the charging loop with sensors that the configuration does not list, without a fault.
fn watched() -> Bench {
    let mut bench = Bench::with(|_| ());
    (bench.lock, bench.proximity, bench.duty) = (Some(true), Some(Proximity::Latched), Some(50));
    bench.pass_all(&GOOD[..9]);
    bench.run(200);
    assert!(bench.charger.demand().is_energised());
    bench
}

#[test]
fn a_lock_that_answered_once_is_missed_when_it_does_not_though_nobody_named_it() {
    // A sensor falls silent while the output is live.
    let mut bench = watched();
    bench.lock = None;
    bench.run(200);
    assert_eq!(bench.charger.stop_reason().unwrap().cause, Cause::StaleReading("lock"));
    assert!(!bench.charger.demand().is_energised());

    // It has fallen silent before the session.
    let mut bench = Bench::with(|_| ());
    bench.lock = Some(false);
    bench.run(100);
    bench.lock = None;
    bench.pass_all(&GOOD[..5]);
    bench.pilot = Level::C;
    bench.run(100);
    assert_eq!(bench.ask("CableCheckReq").unwrap().1, ResponseCode::Failed);
    assert!(!bench.charger.demand().is_energised());
}

#[test]
fn a_duty_cycle_that_is_measured_back_as_another_switches_off() {
    for (permille, cause) in
        [(30, None), (70, None), (0, Some(Cause::PilotLost)), (71, Some(Cause::PilotLost))]
    {
        let mut bench = watched();
        bench.duty = Some(permille);
        bench.run(200);
        assert_eq!(bench.charger.stop_reason().map(|stop| stop.cause), cause, "{permille}");
        assert_eq!(bench.charger.demand().is_energised(), cause.is_none(), "{permille}");
    }
}

#[test]
fn a_lock_that_opens_and_a_latch_that_is_pressed_switch_off() {
    let mut bench = watched();
    bench.lock = Some(false);
    bench.run(200);
    assert_eq!(bench.charger.stop_reason().unwrap().cause, Cause::Lock);
    assert!(!bench.charger.demand().is_energised());

    let cases = [
        (Proximity::Pressed, Cause::Released),
        (Proximity::Absent, Cause::ProximityFault),
        (Proximity::Unknown, Cause::ProximityFault),
    ];
    for (gone, cause) in cases {
        let mut bench = watched();
        bench.proximity = Some(gone);
        bench.run(200);
        assert_eq!(bench.charger.stop_reason().unwrap().cause, cause, "{gone:?}");
        assert!(!bench.charger.demand().is_energised());
    }
}

#[test]
fn a_plug_whose_proximity_wire_opens_long_before_its_pilot_is_a_plug_that_was_pulled() {
    let mut bench = watched();
    bench.proximity = Some(Proximity::Absent);
    bench.run(200);
    assert_eq!(bench.charger.stop_reason().unwrap().cause, Cause::ProximityFault);
    bench.pilot = Level::A;
    bench.run(100);
    assert_eq!(bench.charger.stop_reason().unwrap().cause, Cause::Unplugged);
    bench.proximity = Some(Proximity::Unknown);
    bench.run(100);
    assert_eq!(bench.charger.stop_reason().unwrap().cause, Cause::Unplugged, "told once");
}

#[test]
fn a_voltage_beyond_the_cars_limit_switches_off_behind_400_ms_and_of_either_sign() {
    for measured in [460_000, -460_000] {
        let mut bench = watched();
        bench.measured_mv = Some(measured);
        bench.run(300);
        assert!(bench.charger.demand().is_energised());
        bench.measured_mv = None;
        bench.run(100);
        bench.measured_mv = Some(measured);
        bench.run(300);
        assert!(bench.charger.demand().is_energised(), "two short peaks are not one long one");
        bench.run(240);
        assert_eq!(bench.charger.stop_reason().unwrap().cause, Cause::OverVoltage, "{measured} mV");
        assert_eq!(bench.charger.demand().supply, Target::ZERO);
    }
}
