//! The driver's stop, latches that outlast the program, and the details of a stop.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test ends where it fails")]

mod bench;

use bench::{Bench, NAMES, din, with_code, with_status};
use control_pilot::{Output, Proximity};
use exi_din::*;
use pev_fsm::{Event, Input, Latch, Lock, Operator};
use session::{By, Cause};

fn say(bench: &mut Bench, word: Operator) {
    bench.input(Input::Operator(word));
}

#[test]
fn the_drivers_stop_is_kept_until_start_reset_or_the_plug_was_out() {
    type Change = fn(&mut Bench);
    let plug_out: Change = |bench| {
        bench.proximity = Some(Proximity::Absent);
        bench.run(100);
        bench.proximity = Some(Proximity::Latched);
    };
    let ends: [Change; 3] =
        [|bench| say(bench, Operator::Start), |bench| say(bench, Operator::Reset), plug_out];
    for (number, end) in ends.into_iter().enumerate() {
        let mut bench = Bench::new();
        bench.proximity = Some(Proximity::Latched);
        bench.run(100);
        // Without a session as well.
        say(&mut bench, Operator::Stop);
        assert!(!bench.car.may_begin() && bench.car.is_stop_kept());
        bench.connect();
        assert!(bench.sent.is_empty() && bench.car.wants_close());
        bench.run(20);
        // A charger that starts again is not a removed plug, and neither is a bounce of the wire.
        bench.output = Output::Zero;
        bench.run(4_000);
        bench.output = Output::DIGITAL;
        bench.proximity = Some(Proximity::Absent);
        bench.run(20);
        bench.proximity = Some(Proximity::Latched);
        bench.run(100);
        assert!(!bench.car.may_begin(), "{number}");
        end(&mut bench);
        bench.run(100);
        assert!(bench.car.may_begin() && !bench.car.is_stop_kept(), "{number}");
    }
}

#[test]
fn the_drivers_stop_outlives_the_program() {
    type Change = fn(&mut Bench);
    let ends: [Change; 3] = [
        |bench| say(bench, Operator::Start),
        |bench| say(bench, Operator::Reset),
        |bench| {
            bench.proximity = Some(Proximity::Absent);
            bench.run(100);
            bench.proximity = Some(Proximity::Latched);
        },
    ];
    for end in ends {
        let mut bench = Bench::at("CurrentDemandReq");
        bench.proximity = Some(Proximity::Latched);
        bench.run(1_000);
        say(&mut bench, Operator::Stop);
        assert!(bench.end().is_normal());
        assert!(bench.events.contains(&Event::Latched(Latch::DriverStop)));
        // The program starts with the stored latch.
        let mut bench = Bench::new();
        bench.proximity = Some(Proximity::Latched);
        say(&mut bench, Operator::Latch(Latch::DriverStop));
        bench.run(1_000);
        assert!(!bench.car.may_begin() && bench.car.is_stop_kept());
        assert_eq!((bench.car.latched(), bench.car.demand().lock), (None, Lock::Released));
        end(&mut bench);
        bench.run(100);
        assert!(bench.events.contains(&Event::Unlatched(Latch::DriverStop)));
        assert!(bench.car.may_begin());
    }
}

#[test]
fn a_fault_is_kept_in_place_of_the_drivers_stop_and_its_reset_ends_both() {
    for fault_first in [true, false] {
        let mut bench = Bench::new();
        let words = [Operator::Stop, Operator::Latch(Latch::OutOfRange)];
        for word in if fault_first { [words[1], words[0]] } else { words } {
            say(&mut bench, word);
        }
        say(&mut bench, Operator::Start);
        bench.run(100);
        assert!(!bench.events.contains(&Event::Unlatched(Latch::DriverStop)), "the fault is kept now");
        say(&mut bench, Operator::Stop);
        say(&mut bench, Operator::Reset);
        bench.run(100);
        assert!(bench.car.may_begin() && !bench.car.is_stop_kept());
        let told: Vec<_> = bench.events.iter().filter(|event| matches!(event, Event::Unlatched(_))).collect();
        assert_eq!(told, [&Event::Unlatched(Latch::OutOfRange)]);
    }
}

#[test]
fn the_drivers_stop_in_a_session_is_kept_behind_it() {
    let mut bench = Bench::at("CurrentDemandReq");
    bench.run(1_000);
    say(&mut bench, Operator::Stop);
    assert!(bench.end().is_normal());
    bench.run(10_000);
    assert!(!bench.car.may_begin());
    say(&mut bench, Operator::Start);
    bench.start_to("CurrentDemandReq");
}

#[test]
fn a_stop_between_power_and_the_first_demand_asks_for_nothing_once() {
    // While PowerDelivery(true) is pending, and in the pause after its response.
    for millis in [0, 50] {
        let mut bench = Bench::at("PowerOn");
        bench.run(millis);
        say(&mut bench, Operator::Stop);
        let stop = bench.end();
        assert_eq!((stop.by, stop.cause), (By::Operator, Cause::OperatorStop));
        assert_eq!(bench.names()[8..], NAMES[8..]);
        let demands: Vec<_> = bench.sent.iter().filter(|sent| sent.name == "CurrentDemandReq").collect();
        assert_eq!(demands.len(), 1, "{millis}");
        let body = V2gMessage::decode(&demands[0].stream).unwrap().body.element;
        let Some(BodyElement::CurrentDemandReq(req)) = body else { panic!("another message") };
        assert_eq!(req.ev_target_current.milli_of(UnitSymbol::A), 0);
    }
}

#[test]
fn a_charger_that_shuts_down_because_the_car_ends_does_not_change_the_cars_reason() {
    for name in ["CableCheckReq", "PreChargeReq", "CurrentDemandReq"] {
        type Change = fn(&mut Bench);
        let table: [(Change, By, Cause); 2] = [
            (|bench| say(bench, Operator::Stop), By::Operator, Cause::OperatorStop),
            (|bench| bench.vehicle.is_done = true, By::Car, Cause::Finished),
        ];
        for (end, by, cause) in table {
            let mut bench = Bench::new();
            bench.latency = machine::Duration::from_millis(200);
            bench.start_to(name);
            end(&mut bench);
            bench.run(120);
            bench.tamper(|_, answer| {
                with_status(answer, |told| told.evse_status_code = DcEvseStatusCode::EvseShutdown)
            });
            let stop = bench.end();
            assert_eq!((stop.by, stop.cause), (by, cause), "{name}");
            assert!(stop.is_normal());
        }
    }
}

#[test]
fn a_latch_that_is_given_back_holds_as_before_and_its_release_is_told() {
    for (latch, holds_lock) in [
        (Latch::OutOfRange, false),
        (Latch::ReverseCurrent, false),
        (Latch::EmergencyStop, false),
        (Latch::NoCurrent, false),
        (Latch::Suspect, true),
        (Latch::VoltagePresent, true),
        (Latch::Contactors, true),
        (Latch::Unreadable, true),
    ] {
        let mut bench = Bench::new();
        say(&mut bench, Operator::Latch(latch));
        bench.run(1_000);
        assert!(!bench.car.may_begin() && bench.car.latched() == Some(latch));
        assert_eq!(bench.car.demand().lock == Lock::Held, holds_lock, "{latch:?}");
        if matches!(latch, Latch::VoltagePresent | Latch::Contactors | Latch::Unreadable) {
            bench.inlet_mv = Some(60_000);
            bench.run(20);
            say(&mut bench, Operator::Reset);
            assert_eq!(bench.car.latched(), Some(latch), "its cause persists");
            bench.inlet_mv = None;
            bench.run(20);
        }
        say(&mut bench, Operator::Reset);
        assert!(bench.events.contains(&Event::Latched(latch)));
        assert!(bench.events.contains(&Event::Unlatched(latch)));
        bench.run(20);
        assert!(bench.car.may_begin());
        assert_eq!(bench.car.demand().lock, Lock::Released);
    }
}

#[test]
fn the_stop_button_of_the_charger_is_an_ordinary_end() {
    use DcEvseStatusCode::{EvseNotReady, EvseReady, EvseShutdown, EvseUtilityInterruptEvent};
    let table = [
        (EvseShutdown, true, Cause::StoppedAtCharger),
        (EvseReady, true, Cause::StoppedAtCharger),
        (EvseNotReady, true, Cause::StoppedAtCharger),
        (EvseShutdown, false, Cause::StoppedAtCharger),
        (EvseUtilityInterruptEvent, true, Cause::ChargerStatus("UtilityInterrupt")),
    ];
    for (code, notifies, expected) in table {
        let mut bench = Bench::at("CurrentDemandReq");
        bench.run(1_000);
        bench.tamper(move |_, answer| {
            with_status(answer, |told| {
                told.evse_status_code = code;
                told.evse_notification =
                    if notifies { EvseNotification::StopCharging } else { EvseNotification::None };
            })
        });
        let stop = bench.end();
        assert_eq!((stop.by, stop.cause), (By::Charger, expected));
        assert_eq!(stop.exit_code() == 0, expected == Cause::StoppedAtCharger);
        let names = (stop.detail.code, stop.detail.status);
        assert_eq!(names, (Some("OK"), Some(code.name())));
        assert_eq!(stop.detail.notification, Some(if notifies { "StopCharging" } else { "None" }));
    }
}

#[test]
fn a_failure_with_an_emergency_shutdown_says_that_this_was_the_cause() {
    for name in ["PreChargeReq", "PowerOn", "CurrentDemandReq", "PowerOff"] {
        let mut bench = Bench::new();
        bench.tamper(move |asked, answer| {
            if asked != name {
                return answer;
            }
            let answer = with_code(answer, ResponseCode::Failed);
            with_status(answer, |told| told.evse_status_code = DcEvseStatusCode::EvseEmergencyShutdown)
        });
        bench.start_to(name);
        let stop = bench.end();
        assert_eq!(stop.cause, Cause::ChargerStatus("EmergencyShutdown"), "{name}");
        let words = stop.to_string();
        assert!(words.contains(", FAILED, EVSE_EmergencyShutdown"), "{words}");
        assert!(words.contains("emergency stop"), "{words}");
    }
}

#[test]
fn a_failure_names_its_code_and_one_for_a_low_voltage_names_the_voltages() {
    let mut bench = Bench::new();
    bench.tamper(|asked, answer| match asked {
        "PowerOn" => with_code(answer, ResponseCode::FailedEvsePresentVoltageToLow),
        _ => answer,
    });
    bench.connect();
    let stop = bench.end();
    assert_eq!(stop.cause, Cause::FailedResponse("PowerDeliveryRes"));
    let words = stop.to_string();
    assert!(words.contains("FAILED_EVSEPresentVoltageToLow"), "{words}");
    assert!(words.contains("EVSEPresentVoltage 350.0 V against the precharge's target 350.0 V"), "{words}");
}

#[test]
fn a_refusal_names_the_values_that_were_compared() {
    let mut bench = Bench::new();
    bench.tamper(|_, answer| {
        din(answer, |body| {
            if let BodyElement::ChargeParameterDiscoveryRes(res) = body
                && let EvseChargeParameter::Dc(dc) = &mut res.evse_charge_parameter
            {
                dc.evse_maximum_voltage_limit = bench::volts(300);
            }
        })
    });
    bench.connect();
    let words = bench.end().to_string();
    assert!(words.contains("EVSEMaximumVoltageLimit 300.0 V against the car's voltage 350.0 V"), "{words}");
}

#[test]
fn an_error_of_the_car_is_named() {
    let mut bench = Bench::at("CurrentDemandReq");
    bench.run(500);
    bench.vehicle.error = 1;
    let stop = bench.end();
    assert_eq!((stop.cause, stop.detail.error), (Cause::CarError(1), Some("FAILED_RESSTemperatureInhibit")));
}
