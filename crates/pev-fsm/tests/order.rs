//! The car's table, row by row: what is said when, and what follows from each answer.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test ends where it fails")]

mod bench;

use bench::{Answer, Bench, ID, NAMES, amperes, ongoing, volts, with_code, with_status};
use control_pilot::Level;
use exi_din::*;
use pev_fsm::{
    Config, Contactors, Event, Input, Latch, Load, Lock, Operator, PAYLOAD_TYPE, Precharge, Quirks, Sensors,
    Time, Warning,
};
use session::{By, Cause, Checkpoint, Phase, StopReason};

fn body(bench: &Bench, name: &str) -> Vec<u8> {
    bench.sent.iter().rev().find(|sent| sent.name == name).unwrap().stream.clone()
}

/// What the newest `CurrentDemandReq` asks for, in mV and mA.
fn asked(bench: &Bench) -> (i32, i32) {
    let stream = body(bench, "CurrentDemandReq");
    let Some(BodyElement::CurrentDemandReq(req)) = V2gMessage::decode(&stream).unwrap().body.element else {
        panic!("another message")
    };
    (req.ev_target_voltage.milli_of(UnitSymbol::V), req.ev_target_current.milli_of(UnitSymbol::A))
}

fn din(answer: Answer, change: impl FnOnce(&mut BodyElement<'static>)) -> Answer {
    let Answer::Din { id, mut body } = answer else { return answer };
    change(&mut body);
    Answer::Din { id, body }
}

#[test]
fn a_good_session_says_everything_in_order_and_ends_unlocked() {
    let mut bench = Bench::at("CurrentDemandReq");
    bench.run(5_000);
    assert_eq!(bench.car.demand().contactors, Contactors::Closed);
    bench.input(Input::Operator(Operator::Stop));
    let stop = bench.end();
    assert_eq!(stop, StopReason::new(By::Operator, Cause::OperatorStop, Phase::CurrentDemand));
    assert_eq!(bench.names(), NAMES);
    bench.run(100);
    assert_eq!(bench.car.demand().lock, Lock::Released);
    assert_eq!(bench.car.phase(), Phase::Ended);
    assert!(!bench.events.iter().any(|event| matches!(event, Event::EmergencyOpening { .. })));
}

#[test]
fn every_message_and_moment_carries_its_checkpoint_in_order() {
    let mut bench = Bench::at("SessionStopReq");
    bench.end();
    let mut numbers: Vec<u16> = bench
        .events
        .iter()
        .filter_map(|event| match event {
            Event::Message(message) => message.checkpoint.map(Checkpoint::number),
            Event::Checkpoint(checkpoint) => Some(checkpoint.number()),
            _ => None,
        })
        .collect();
    numbers.dedup();
    // The voltage is there when the second PreChargeRes comes.
    let expected = [
        400, 403, 500, 506, 510, 515, 520, 525, 530, 535, 538, 540, 545, 550, 555, 556, 560, 565, 566, 570,
        575, 581, 582, 570, 575, 581, 590, 600, 605, 700, 705, 710, 700, 705,
    ];
    assert_eq!(numbers[..expected.len()], expected);
    assert_eq!(numbers[numbers.len() - 7..], [800, 806, 810, 850, 855, 900, 905]);
}

#[test]
fn the_session_id_is_echoed_with_its_length_and_bytes() {
    for id in [&[0][..], ID, &[0, 0, 0, 0, 0, 0xeb, 0x9e, 0x17], &[]] {
        let mut bench = Bench::new();
        bench.tamper(move |_, answer| match answer {
            Answer::Din { body, .. } => Answer::Din { id: id.to_vec(), body },
            other => other,
        });
        bench.start_to("SessionStopReq");
        let setup = bench.sent.iter().find(|sent| sent.name == "SessionSetupReq").unwrap();
        assert_eq!(setup.id, [0; 8]);
        assert!(bench.sent.iter().skip(2).all(|sent| sent.id == id), "{id:?}");
    }
}

#[test]
fn plain_ok_opens_a_session_unless_strict() {
    for (strict, good) in [(false, true), (true, false)] {
        let mut bench = Bench::with(|config| config.strict = strict);
        bench.tamper(|_, answer| match answer {
            Answer::Din { .. } => with_code(answer, ResponseCode::Ok),
            other => other,
        });
        bench.connect();
        bench.run(300);
        assert_eq!(bench.names().contains(&"ServiceDiscoveryReq"), good);
        assert_eq!(bench.warned(Warning::Quirk("plain-ok")), good);
    }
}

#[test]
fn a_handshake_with_another_number_or_without_agreement_ends_it() {
    for (schema_id, response_code) in [
        (Some(2), exi_app::ResponseCode::OkSuccessfulNegotiation),
        (None, exi_app::ResponseCode::OkSuccessfulNegotiation),
        (None, exi_app::ResponseCode::FailedNoNegotiation),
    ] {
        let mut bench = Bench::new();
        bench.tamper(move |_, _| {
            Answer::Handshake(exi_app::SupportedAppProtocolRes { response_code, schema_id })
        });
        bench.connect();
        assert_eq!(bench.end().cause, Cause::NoCommonProtocol);
        assert_eq!(bench.names(), ["Handshake"]);
    }
}

#[test]
fn the_offered_service_is_chosen_and_an_offer_of_ac_or_contract_only_is_left_in_order() {
    let mut bench = Bench::at("ContractAuthenticationReq");
    let stream = body(&bench, "ServicePaymentSelectionReq");
    let Some(BodyElement::ServicePaymentSelectionReq(req)) =
        V2gMessage::decode(&stream).unwrap().body.element
    else {
        panic!("another message")
    };
    assert_eq!(req.selected_service_list.selected_service.first().unwrap().service_id, 7);
    bench.close(pev_fsm::Closed::Fin);
    let changes: [fn(&mut ServiceDiscoveryRes<'static>); 2] = [
        |res| res.charge_service.energy_transfer_type = EvseSupportedEnergyTransfer::AcThreePhaseCore,
        |res| res.payment_options.payment_option = (&[PaymentOption::Contract]).into(),
    ];
    for change in changes {
        let mut bench = Bench::new();
        bench.tamper(move |_, answer| {
            din(answer, |body| {
                if let BodyElement::ServiceDiscoveryRes(res) = body {
                    change(res);
                }
            })
        });
        bench.connect();
        assert_eq!(bench.end().cause, Cause::Refused("ServiceDiscoveryRes"));
        assert_eq!(bench.names()[3..], ["SessionStopReq"]);
    }
}

#[test]
fn ongoing_is_repeated_and_ends_in_order_at_the_loops_limit() {
    let table = [
        ("ContractAuthenticationReq", Time::AuthenticationLoop, 60, 120),
        ("ChargeParameterDiscoveryReq", Time::ChargeParameterLoop, 60, 60),
        ("CableCheckReq", Time::CableCheckLoop, 40, 60),
    ];
    for (name, time, standard_s, field_s) in table {
        for (strict, limit_s) in [(true, standard_s), (false, field_s)] {
            let mut bench = Bench::with(|config| config.strict = strict);
            bench.tamper(move |asked, answer| if asked == name { ongoing(answer) } else { answer });
            bench.connect();
            bench.run_to(name);
            bench.run((limit_s - 1) * 1_000);
            assert_eq!(bench.car.stop_reason(), None, "{name} strict {strict}: a second before the limit");
            assert!(bench.sent.len() > 200, "{name} is repeated");
            let stop = bench.end();
            assert_eq!(stop.cause, Cause::Timeout(time.name()));
            assert_eq!(bench.sent.last().unwrap().name, "SessionStopReq");
            assert!(!bench.names().contains(&"PreChargeReq"));
        }
    }
}

#[test]
fn pilot_c_and_the_lock_come_behind_the_parameters_and_before_the_cable_check() {
    let mut bench = Bench::new();
    bench.lock_stuck = Some(false);
    bench.start_to("ChargeParameterDiscoveryReq");
    assert_eq!(bench.car.demand(), pev_fsm::Demand { lock: Lock::Released, ..pev_fsm::Demand::SAFE });
    bench.run(500);
    assert_eq!((bench.car.demand().pilot, bench.car.demand().lock), (Level::C, Lock::Held));
    assert!(!bench.names().contains(&"CableCheckReq"), "not without the lock's confirmation");
    bench.lock_stuck = None;
    bench.run(40);
    assert!(bench.names().contains(&"CableCheckReq"));
}

#[test]
fn a_lock_that_does_not_confirm_within_two_seconds_ends_it() {
    let mut bench = Bench::new();
    bench.lock_stuck = Some(false);
    bench.connect();
    assert_eq!(bench.end().cause, Cause::Lock);
    assert!(!bench.names().contains(&"CableCheckReq"));
}

#[test]
fn parameters_that_do_not_fit_end_in_order_before_pilot_c() {
    type Change = fn(&mut DcEvseChargeParameter);
    let changes: [Change; 6] = [
        |dc| dc.evse_maximum_voltage_limit = volts(349),
        |dc| dc.evse_maximum_voltage_limit = volts(1600),
        |dc| dc.evse_maximum_current_limit = amperes(0),
        |dc| dc.evse_minimum_voltage_limit = volts(360),
        |dc| dc.evse_maximum_voltage_limit = amperes(500),
        |dc| dc.evse_maximum_power_limit = Some(PhysicalValue { unit: None, ..volts(0) }),
    ];
    for change in changes {
        let mut bench = Bench::new();
        bench.tamper(move |_, answer| {
            din(answer, |body| {
                if let BodyElement::ChargeParameterDiscoveryRes(res) = body
                    && let EvseChargeParameter::Dc(dc) = &mut res.evse_charge_parameter
                {
                    change(dc);
                }
            })
        });
        bench.connect();
        assert_eq!(bench.end().cause, Cause::Refused("ChargeParameterDiscoveryRes"));
        assert_eq!(bench.sent.last().unwrap().name, "SessionStopReq");
        assert!(!bench.events.contains(&Event::Checkpoint(Checkpoint::PILOT_C)));
    }
}

#[test]
fn only_a_finished_cable_check_with_good_isolation_leads_on() {
    use DcEvseStatusCode::{EvseNotReady, EvseReady};
    use IsolationLevel::{Fault, Invalid, Valid, Warning as Low};
    let cause = Some(Cause::Isolation);
    let not_ready = Some(Cause::ChargerStatus("NotReady"));
    let table = [
        (false, EvseReady, Some(Valid), None),
        (false, EvseReady, Some(Low), None),
        (false, EvseNotReady, Some(Valid), None),
        (true, EvseNotReady, Some(Valid), not_ready),
        (false, EvseReady, Some(Invalid), cause),
        (false, EvseReady, Some(Fault), cause),
        (false, EvseNotReady, None, cause),
    ];
    for (strict, status, isolation, expected) in table {
        let mut bench = Bench::with(|config| config.strict = strict);
        bench.tamper(move |name, answer| match name {
            "CableCheckReq" => with_status(answer, |told| {
                (told.evse_status_code, told.evse_isolation_status) = (status, isolation);
            }),
            _ => answer,
        });
        bench.connect();
        bench.run(1_000);
        assert_eq!(bench.car.stop_reason().map(|stop| stop.cause), expected, "{status:?} {isolation:?}");
        assert_eq!(bench.names().contains(&"PreChargeReq"), expected.is_none());
    }
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
    // Latched: not even a dead inlet opens it without a person, and a live one not even with one.
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
fn sessions_follow_each_other_without_a_new_plug() {
    let mut bench = Bench::at("SessionStopReq");
    for _ in 0..3 {
        bench.end();
        bench.events.clear();
        bench.sent.clear();
        assert!(bench.car.may_begin());
        bench.start_to("SessionStopReq");
        assert_eq!(bench.names(), NAMES);
    }
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
fn each_answer_may_take_its_time_and_no_more() {
    for (index, name) in NAMES.iter().copied().enumerate() {
        for strict in [true, false] {
            let mut bench = Bench::with(|config| config.strict = strict);
            let config = Config { strict, ..Config::default() };
            let times = if strict { pev_fsm::Times::STANDARD } else { config.times };
            let row = pev_fsm::TIMES.iter().find(|row| row.time == TIMES_OF[index]).unwrap();
            let mut limit = times.get(row.time).as_millis();
            if name == "Handshake" {
                limit += times.get(Time::StartAllowance).as_millis();
            }
            bench.tamper(move |asked, answer| if asked == name { Answer::Silence } else { answer });
            bench.start_to(name);
            let before = bench.sent.len();
            bench.run(limit - 20);
            assert_eq!((bench.sent.len(), bench.car.wants_close()), (before, false), "{name}: too early");
            bench.run(60);
            let ends = bench.car.stop_reason().map(|stop| stop.cause);
            match name {
                "WeldingDetectionReq" => assert_eq!(bench.sent.last().unwrap().name, "SessionStopReq"),
                "SessionStopReq" => assert_eq!(bench.end().cause, Cause::OperatorStop),
                _ => assert_eq!(ends, Some(Cause::Timeout(row.name)), "{name} strict {strict}"),
            }
        }
    }
}

/// The times of [`NAMES`].
const TIMES_OF: [Time; 13] = [
    Time::Handshake,
    Time::SessionSetup,
    Time::ServiceDiscovery,
    Time::PaymentSelection,
    Time::Authentication,
    Time::ChargeParameter,
    Time::CableCheck,
    Time::PreCharge,
    Time::PowerOn,
    Time::CurrentDemand,
    Time::PowerOff,
    Time::WeldingDetection,
    Time::SessionStop,
];

#[test]
fn payload_types_that_are_unknown_and_answers_to_nothing_are_ignored() {
    let mut bench = Bench::at("PreChargeReq");
    let before = bench.car.demand();
    bench.input(Input::Message { payload_type: 0x8002, payload: &[1, 2, 3] });
    assert_eq!((bench.car.demand(), bench.car.stop_reason()), (before, None));
    bench.run(20);
    bench.run_to("CurrentDemandReq");
    bench.run(20);
    // Between two requests: nothing was asked.
    bench.input(Input::Message { payload_type: PAYLOAD_TYPE, payload: &[0x80, 0x40, 0x00, 0x40] });
    assert_eq!(bench.car.stop_reason(), None);
    assert!(bench.events.contains(&Event::Dropped(pev_fsm::Dropped::NotAsked)));
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
