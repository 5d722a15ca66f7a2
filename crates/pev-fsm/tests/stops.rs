//! Ends of a session: from every state, and with the right result.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test ends where it fails")]

mod bench;

use bench::{Answer, Bench, NAMES, amperes, volts, with_code, with_status};
use control_pilot::{Level, Output, Proximity};
use exi_din::*;
use machine::{Cx, Duration, Machine, ScriptedEntropy};
use pev_fsm::{Closed, Contactors, Event, Input, Latch, Lock, Operator, Sensors, Warning};
use session::{By, Cause};

/// Requests before power is being ended.
const BEFORE_END: &[&str] = NAMES.split_at(10).0;

#[test]
fn a_failed_answer_in_each_state_ends_it_safely() {
    for name in BEFORE_END {
        let mut bench = Bench::new();
        bench.tamper(move |asked, answer| {
            if asked == *name { with_code(answer, ResponseCode::FailedSequenceError) } else { answer }
        });
        bench.connect();
        let stop = bench.end();
        let expected = match *name {
            "Handshake" => Cause::NoCommonProtocol,
            "ContractAuthenticationReq" => Cause::NotAuthorised,
            "PowerOn" => Cause::FailedResponse("PowerDeliveryRes"),
            _ => stop.cause,
        };
        assert_eq!((stop.by, stop.cause), (By::Charger, expected), "{name}");
        assert!(!stop.is_normal());
        assert_eq!(bench.sent.last().unwrap().name, *name, "nothing is sent after it");
        bench.assert_safe(name);
        bench.run(200);
        assert_eq!(bench.car.demand().lock, Lock::Released);
    }
}

#[test]
fn an_answer_of_another_kind_or_session_or_one_that_does_not_decode_ends_it_safely() {
    type Change = fn(Answer) -> Answer;
    type Is = fn(Cause) -> bool;
    let changes: [(Change, Is); 3] = [
        (
            |answer| match answer {
                Answer::Din { id, .. } => Answer::Din { id, body: bench::good("SessionStopReq", 0, 0) },
                other => other,
            },
            |cause| cause == Cause::OutOfOrder("SessionStopRes"),
        ),
        (
            |answer| match answer {
                Answer::Din { mut id, body } => {
                    id[3] ^= 1;
                    Answer::Din { id, body }
                }
                other => other,
            },
            |cause| matches!(cause, Cause::UnknownSession(_)),
        ),
        (|_| Answer::Bytes(vec![0x80, 0x9a, 0x02]), |cause| cause == Cause::Undecodable),
    ];
    for (change, is_expected) in changes {
        for name in &NAMES[2..11] {
            let mut bench = Bench::new();
            bench.tamper(move |asked, answer| if asked == *name { change(answer) } else { answer });
            bench.start_to(name);
            let stop = bench.end();
            // A normal end that fails is not normal.
            assert!(is_expected(stop.cause), "{name}: {stop}");
            bench.assert_safe(name);
        }
    }
}

#[test]
fn shutdown_ends_in_order_and_malfunction_at_once() {
    use DcEvseStatusCode::{
        EvseEmergencyShutdown, EvseMalfunction, EvseShutdown, EvseUtilityInterruptEvent, Reserved8,
    };
    let table = [
        (EvseShutdown, "Shutdown", true),
        (EvseUtilityInterruptEvent, "UtilityInterrupt", true),
        (EvseEmergencyShutdown, "EmergencyShutdown", false),
        (EvseMalfunction, "Malfunction", false),
        (Reserved8, "Malfunction", false),
    ];
    for (code, status, in_order) in table {
        for name in &NAMES[5..10] {
            let mut bench = Bench::new();
            bench.tamper(move |asked, answer| match asked {
                asked if asked == *name => with_status(answer, |told| told.evse_status_code = code),
                _ => answer,
            });
            bench.connect();
            let stop = bench.end();
            let cause = match (code, *name) {
                (EvseShutdown, "CurrentDemandReq") => Cause::StoppedAtCharger,
                _ => Cause::ChargerStatus(status),
            };
            assert_eq!((stop.by, stop.cause), (By::Charger, cause), "{name}");
            let last = bench.sent.last().unwrap().name;
            assert_eq!(last, if in_order { "SessionStopReq" } else { name }, "{name} {status}");
            let powered = matches!(*name, "PowerOn" | "CurrentDemandReq");
            assert_eq!(bench.names().contains(&"PowerOff"), in_order && powered);
            bench.assert_safe(name);
        }
    }
}

#[test]
fn stop_charging_is_followed_within_its_delay() {
    for (delay_s, least_ms, most_ms) in [(0, 0, 120), (60, 59_900, 60_200)] {
        let mut bench = Bench::at("CurrentDemandReq");
        bench.tamper(move |_, answer| {
            with_status(answer, |told| {
                told.evse_notification = EvseNotification::StopCharging;
                told.notification_max_delay = delay_s;
            })
        });
        bench.run(300);
        if delay_s > 0 {
            assert_eq!(bench.sent.last().unwrap().name, "CurrentDemandReq");
        }
        let told = bench.sent.iter().find(|sent| sent.name == "CurrentDemandReq").unwrap().at;
        if !bench.names().contains(&"PowerOff") {
            bench.run_to("PowerOff");
        }
        let after = bench.sent.iter().find(|sent| sent.name == "PowerOff").unwrap().at.since(told);
        assert!((least_ms..=most_ms + 100).contains(&after.as_millis()), "{} ms", after.as_millis());
        let stop = bench.end();
        assert_eq!((stop.by, stop.cause), (By::Charger, Cause::StoppedAtCharger));
        assert!(stop.is_normal());
    }
}

#[test]
fn isolation_warning_and_invalid_in_the_loop_are_told_and_a_fault_ends_it() {
    use IsolationLevel::{Fault, Invalid, Warning as Low};
    let table = [
        (false, Low, None, Some(Warning::IsolationLow)),
        (false, Invalid, None, Some(Warning::Quirk("invalid-in-loop"))),
        (true, Low, None, Some(Warning::IsolationLow)),
        (true, Invalid, Some(Cause::Isolation), None),
        (false, Fault, Some(Cause::Isolation), None),
    ];
    for (strict, isolation, expected, warning) in table {
        let mut bench = Bench::with(|config| config.strict = strict);
        bench.start_to("CurrentDemandReq");
        bench.tamper(move |_, answer| {
            with_status(answer, |told| told.evse_isolation_status = Some(isolation))
        });
        bench.run(500);
        assert_eq!(bench.car.stop_reason().map(|stop| stop.cause), expected, "{isolation:?}");
        assert!(warning.is_none_or(|warning| bench.warned(warning)), "{isolation:?}");
    }
}

#[test]
fn the_operators_stop_ends_in_order_from_every_state() {
    for name in BEFORE_END {
        let mut bench = Bench::at(name);
        bench.input(Input::Operator(Operator::Stop));
        let stop = bench.end();
        assert_eq!((stop.by, stop.cause), (By::Operator, Cause::OperatorStop), "{name}");
        let said = if *name == "Handshake" { "Handshake" } else { "SessionStopReq" };
        assert_eq!(bench.sent.last().unwrap().name, said, "{name}");
        bench.assert_safe(name);
    }
}

#[test]
fn a_car_that_is_full_or_broken_or_asks_for_nothing_ends_in_order() {
    type Change = fn(&mut Bench);
    let table: [(Change, Cause); 3] = [
        (|bench| bench.vehicle.is_done = true, Cause::Finished),
        (|bench| bench.vehicle.error = 4, Cause::CarError(4)),
        (|bench| bench.vehicle.target.current_ma = 0, Cause::Finished),
    ];
    for (change, expected) in table {
        let mut bench = Bench::at("CurrentDemandReq");
        bench.run(1_000);
        change(&mut bench);
        let stop = bench.end();
        assert_eq!((stop.by, stop.cause), (By::Car, expected));
        assert_eq!(bench.names()[9..], NAMES[9..]);
    }
}

/// Brings the car to each state, calls `fault`, and checks that the car is safe within `millis`.
fn in_every_state(millis: u64, fault: fn(&mut Bench), is_expected: fn(Cause) -> bool) {
    for name in &NAMES[1..11] {
        let mut bench = Bench::at(name);
        let was_energised = bench.car.demand().is_energised();
        fault(&mut bench);
        bench.run(millis);
        if was_energised {
            assert_eq!(bench.car.demand().pilot, Level::B, "{name}: pilot");
            bench.run(80);
            assert_eq!(bench.car.demand().contactors, Contactors::Open, "{name}: contactors");
            let stop = bench.car.stop_reason().unwrap();
            assert!(is_expected(stop.cause), "{name}: {stop}");
        }
    }
}

#[test]
fn a_lost_pilot_makes_it_safe_within_a_tenth_of_a_second() {
    in_every_state(120, |bench| bench.output = Output::Steady, |cause| cause == Cause::PilotLost);
    in_every_state(120, |bench| bench.output = Output::Pwm(500), |cause| cause == Cause::PilotLost);
    in_every_state(120, |bench| bench.output = Output::Zero, |cause| cause == Cause::PilotFault);
    in_every_state(120, |bench| bench.output = Output::Negative, |cause| cause == Cause::PilotFault);
}

#[test]
fn a_short_dip_of_the_pilot_is_borne() {
    let mut bench = Bench::at("CurrentDemandReq");
    bench.output = Output::Steady;
    bench.run(60);
    bench.output = Output::DIGITAL;
    bench.run(1_000);
    assert_eq!(bench.car.stop_reason(), None);
}

#[test]
fn the_emergency_stop_makes_it_safe_at_once_and_is_latched() {
    in_every_state(20, |bench| bench.emergency_stop = true, |cause| cause == Cause::EmergencyStop);
    let mut bench = Bench::at("CurrentDemandReq");
    bench.input(Input::Operator(Operator::EmergencyStop));
    assert_eq!(bench.car.demand().pilot, Level::B);
    bench.end();
    assert_eq!(bench.car.latched(), Some(Latch::EmergencyStop));
    bench.connect();
    assert!(bench.events.contains(&Event::Dropped(pev_fsm::Dropped::Connection)));
    assert!(bench.car.wants_close());
    bench.close(Closed::Fin);
    bench.input(Input::Operator(Operator::Reset));
    assert!(bench.car.may_begin());
}

#[test]
fn silent_sensors_make_it_safe_after_200_ms_and_their_silence_is_recorded() {
    for name in &NAMES[6..10] {
        let mut bench = Bench::at(name);
        bench.has_sensors = false;
        bench.run(230);
        assert_eq!(bench.car.demand().pilot, Level::B, "{name}");
        bench.run(2_020);
        assert_eq!(bench.car.demand().contactors, Contactors::Open, "{name}");
        let unknown = bench.events.contains(&Event::EmergencyOpening { current_ma: None });
        assert_eq!(unknown, matches!(*name, "PowerOn" | "CurrentDemandReq"), "{name}");
        bench.run(60_000);
        assert_eq!(bench.car.demand().lock, Lock::Held, "a wait never unlocks");
    }
}

#[test]
fn one_silent_sensor_is_enough_where_it_is_needed_or_has_answered_before() {
    let names = ["pilot", "inlet voltage", "current", "contactors", "lock", "emergency stop"];
    for (number, name) in names.into_iter().enumerate() {
        // No sensor for an emergency stop is listed, but one exists.
        let mut bench = Bench::at("CurrentDemandReq");
        bench.missing = Some(number);
        bench.run(230);
        let cause = bench.car.stop_reason().map(|stop| stop.cause);
        assert_eq!(cause, Some(Cause::StaleReading(name)));
        assert_eq!(bench.car.demand().pilot, Level::B);
    }
}

#[test]
fn a_sensor_that_never_answered_is_missed_only_where_it_is_needed() {
    let without = |sensors| {
        let mut bench = Bench::with(|config| config.sensors |= sensors);
        bench.start_to("ChargeParameterDiscoveryReq");
        bench.run(1_000);
        bench.car.stop_reason().map(|stop| stop.cause)
    };
    assert_eq!(without(Sensors::empty()), None);
    assert_eq!(without(Sensors::TEMPERATURE), Some(Cause::StaleReading("temperature")));
}

#[test]
fn a_silent_battery_is_a_stop_within_a_second() {
    for name in &NAMES[6..10] {
        let mut bench = Bench::at(name);
        // The charger is Ongoing: the state stays.
        bench.tamper(|_, _| Answer::Silence);
        bench.has_vehicle = false;
        bench.run(1_100);
        assert_eq!(bench.car.stop_reason().map(|stop| stop.cause), Some(Cause::StaleReading("vehicle")));
        assert_eq!(bench.car.demand().pilot, Level::B, "{name}");
    }
}

#[test]
fn a_lost_lock_plug_or_contactor_makes_it_safe() {
    type Change = fn(&mut Bench);
    let table: [(Change, Cause); 5] = [
        (|bench| bench.proximity = Some(Proximity::Absent), Cause::Unplugged),
        (|bench| bench.proximity = Some(Proximity::Unknown), Cause::ProximityFault),
        (|bench| bench.lock_stuck = Some(false), Cause::Lock),
        (|bench| bench.proximity = Some(Proximity::Pressed), Cause::Released),
        (|bench| bench.contactors_stuck = Some(false), Cause::Contactor),
    ];
    for (change, expected) in table {
        let mut bench = Bench::with(|_| ());
        bench.proximity = Some(Proximity::Latched);
        bench.run(100);
        bench.start_to("CurrentDemandReq");
        bench.run(500);
        assert_eq!(bench.car.stop_reason(), None);
        change(&mut bench);
        bench.run(40);
        assert_eq!(bench.car.demand().pilot, Level::C, "it may be a bounce");
        bench.run(40);
        assert_eq!(bench.car.demand().pilot, Level::B);
        assert_eq!(bench.end().cause, expected);
    }
}

#[test]
fn a_program_held_up_until_its_readings_are_too_old_is_a_stop_from_pilot_c_on() {
    for name in &NAMES[6..10] {
        for (millis, stops) in [(150, false), (400, true), (710, true)] {
            let mut bench = Bench::at(name);
            bench.run(20);
            bench.now += Duration::from_millis(millis);
            let mut entropy = ScriptedEntropy::new(&[1]);
            let mut vehicle = bench.vehicle;
            vehicle.at = bench.now;
            let mut cx = Cx { now: bench.now, entropy: &mut entropy };
            bench.car.handle(&mut cx, Input::Vehicle(vehicle));
            let held_up = bench.car.stop_reason().map(|stop| stop.cause) == Some(Cause::HeldUp);
            assert_eq!(held_up, stops, "{name} {millis} ms");
        }
    }
}

#[test]
fn a_lost_connection_or_link_makes_it_safe_in_every_state() {
    in_every_state(10, |bench| bench.close(Closed::Rst), |cause| cause == Cause::ConnectionLost("RST"));
    in_every_state(10, |bench| bench.input(Input::LinkLost), |cause| cause == Cause::LinkLost);
}

#[test]
fn over_voltage_and_a_current_nobody_asked_for_are_latched() {
    let mut bench = Bench::at("CurrentDemandReq");
    bench.vehicle.battery_mv = Some(420_000);
    bench.run(380);
    assert_eq!(bench.car.stop_reason(), None);
    bench.run(60);
    assert_eq!(bench.car.stop_reason().map(|stop| stop.cause), Some(Cause::OverVoltage));
    assert_eq!(bench.car.latched(), Some(Latch::OutOfRange));

    let mut bench = Bench::at("CurrentDemandReq");
    bench.vehicle.battery_mv = Some(460_000);
    bench.run(20);
    assert_eq!(bench.car.stop_reason().map(|stop| stop.cause), Some(Cause::OverVoltage), "far over: at once");

    // 4.9 A more than requested, and a current out of the battery.
    for (wrong_ma, millis, cause, latch) in [
        (54_900, 3_000, Cause::OverCurrent, Latch::OutOfRange),
        (-5_001, 1_000, Cause::ReverseCurrent, Latch::ReverseCurrent),
    ] {
        let mut bench = Bench::at("CurrentDemandReq");
        bench.vehicle.target.current_ma = 50_000;
        bench.run(8_000);
        bench.current_ma = Some(wrong_ma);
        bench.run(millis - 50);
        assert_eq!(bench.car.stop_reason(), None);
        bench.run(100);
        assert_eq!(bench.car.stop_reason().map(|stop| stop.cause), Some(cause));
        assert_eq!(bench.car.latched(), Some(latch));
    }
}

#[test]
fn over_voltage_before_the_contactors_close_is_a_stop_and_a_test_at_the_limit_is_none() {
    for name in ["CableCheckReq", "PreChargeReq"] {
        for (inlet_mv, stops) in [(900_000, true), (454_081, true), (454_080, false), (412_900, false)] {
            let mut bench = Bench::at(name);
            bench.tamper(|_, answer| bench::ongoing(answer));
            bench.inlet_mv = Some(inlet_mv);
            bench.run(20);
            let found = bench.car.stop_reason().map(|stop| stop.cause) == Some(Cause::OverVoltage);
            assert_eq!(found, stops, "{name} {inlet_mv}");
            assert_eq!(bench.car.latched() == Some(Latch::OutOfRange), stops);
            bench.run(1_000);
            assert_eq!(bench.car.demand().pilot == Level::B, stops, "{name} {inlet_mv}");
        }
    }
}

#[test]
fn a_current_that_stays_when_nothing_is_asked_for_any_more_ends_it_within_four_seconds() {
    for silent in [None, Some("PowerOff")] {
        let mut bench = Bench::at("CurrentDemandReq");
        bench.run(14_000);
        bench.current_ma = Some(125_000);
        bench.tamper(move |name, answer| if Some(name) == silent { Answer::Silence } else { answer });
        match silent {
            None => bench.vehicle.target.current_ma = 0,
            Some(_) => bench.input(Input::Operator(Operator::Stop)),
        }
        // It may fall by 10 A/s, and be above by 5 % for 3 s.
        bench.run(3_600);
        assert_eq!(bench.car.demand().pilot, Level::C, "{silent:?}");
        bench.run(400);
        assert_eq!(bench.car.demand().pilot, Level::B, "{silent:?}");
        bench.run(2_100);
        assert_eq!(bench.car.demand().contactors, Contactors::Open, "{silent:?}");
        assert_eq!(bench.car.latched(), Some(Latch::OutOfRange));
    }
}

#[test]
fn a_charger_that_follows_a_lower_demand_by_its_own_ramp_is_no_fault() {
    let mut bench = Bench::at("CurrentDemandReq");
    bench.run(14_000);
    bench.vehicle.target.current_ma = 57_000;
    for milliamps in (57_000..=125_000).rev().step_by(1_000) {
        bench.current_ma = Some(milliamps);
        bench.run(100);
    }
    assert_eq!(bench.car.stop_reason(), None);
}

#[test]
fn a_current_that_does_not_fall_opens_the_contactors_after_two_seconds_and_is_recorded() {
    let mut bench = Bench::at("PowerOff");
    bench.current_ma = Some(120_000);
    bench.run(2_100);
    assert_eq!(bench.car.demand().contactors, Contactors::Open);
    assert!(bench.events.contains(&Event::EmergencyOpening { current_ma: Some(120_000) }));
    bench.current_ma = None;
    assert_eq!(bench.end().cause, Cause::OverCurrent);
}

#[test]
fn values_beyond_what_can_be_are_refused_in_precharge_and_loop() {
    for (name, value) in
        [("PreChargeReq", volts(1501)), ("PreChargeReq", volts(-11)), ("PreChargeReq", amperes(350))]
    {
        let mut bench = Bench::new();
        bench.tamper(move |asked, answer| match answer {
            Answer::Din { id, body: BodyElement::PreChargeRes(mut res) } if asked == name => {
                res.evse_present_voltage = value;
                Answer::Din { id, body: BodyElement::PreChargeRes(res) }
            }
            other => other,
        });
        bench.connect();
        assert_eq!(bench.end().cause, Cause::Refused("PreChargeRes"));
    }
    let mut bench = Bench::new();
    bench.tamper(|_, answer| match answer {
        Answer::Din { id, body: BodyElement::CurrentDemandRes(mut res) } => {
            res.evse_maximum_current_limit = Some(amperes(-1));
            Answer::Din { id, body: BodyElement::CurrentDemandRes(res) }
        }
        other => other,
    });
    bench.connect();
    assert_eq!(bench.end().cause, Cause::Refused("CurrentDemandRes"));
}

#[test]
fn a_charger_that_gives_nothing_for_a_minute_is_told_and_borne() {
    let mut bench = Bench::at("CurrentDemandReq");
    bench.tamper(|_, answer| match answer {
        Answer::Din { id, body: BodyElement::CurrentDemandRes(mut res) } => {
            res.evse_present_current = amperes(0);
            Answer::Din { id, body: BodyElement::CurrentDemandRes(res) }
        }
        other => other,
    });
    bench.run(59_000);
    assert!(!bench.warned(Warning::NoCurrent));
    bench.run(3_000);
    assert!(bench.warned(Warning::NoCurrent));
    assert_eq!(bench.car.stop_reason(), None);
}

#[test]
fn a_charger_that_closes_behind_session_stop_has_ended_it_in_order() {
    let mut bench = Bench::new();
    bench.tamper(|name, answer| if name == "SessionStopReq" { Answer::Silence } else { answer });
    bench.start_to("SessionStopReq");
    bench.close(Closed::Fin);
    assert!(bench.end().is_normal());
}
