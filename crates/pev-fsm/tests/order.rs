//! The car's table, row by row: which request is sent when, and which step follows each response.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test ends where it fails")]

mod bench;

use bench::{Answer, Bench, ID, NAMES, amperes, din, ongoing, volts, with_code, with_status};
use control_pilot::Level;
use exi_din::*;
use pev_fsm::{Config, Contactors, Event, Input, Lock, Operator, PAYLOAD_TYPE, Quirks, Time, Warning};
use session::{By, Cause, Checkpoint, Phase, StopReason};

#[test]
fn a_good_session_says_everything_in_order_and_ends_unlocked() {
    let mut bench = Bench::at("CurrentDemandReq");
    bench.run(5_000);
    assert_eq!(bench.car.demand().contactors, Contactors::Closed);
    bench.input(Input::Operator(Operator::Stop));
    let stop = bench.end();
    assert_eq!(stop, StopReason::new(By::Operator, Cause::OperatorStop, Phase::ChargeLoop));
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
    // The voltage is reached when the second PreChargeRes arrives.
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
fn an_agreement_without_a_number_is_taken_unless_strict_or_switched_off() {
    let off = Quirks::DEFAULT.difference(Quirks::NO_SCHEMA_ID);
    for (strict, quirks, good) in
        [(false, Quirks::DEFAULT, true), (true, Quirks::DEFAULT, false), (false, off, false)]
    {
        for response_code in [
            exi_app::ResponseCode::OkSuccessfulNegotiation,
            exi_app::ResponseCode::OkSuccessfulNegotiationWithMinorDeviation,
        ] {
            let mut bench = Bench::with(|config| (config.strict, config.quirks) = (strict, quirks));
            bench.tamper(move |_, answer| match answer {
                Answer::Handshake(_) => {
                    Answer::Handshake(exi_app::SupportedAppProtocolRes { response_code, schema_id: None })
                }
                other => other,
            });
            bench.connect();
            bench.run(300);
            assert_eq!(bench.names().contains(&"SessionSetupReq"), good);
            assert_eq!(bench.warned(Warning::Quirk("no-schema-id")), good);
            if !good {
                assert_eq!(bench.end().cause, Cause::NoCommonProtocol);
            }
        }
    }
}

#[test]
fn a_handshake_with_another_number_or_without_agreement_ends_it() {
    for (schema_id, response_code) in [
        (Some(2), exi_app::ResponseCode::OkSuccessfulNegotiation),
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
    let stream = bench.said("ServicePaymentSelectionReq");
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
        ("ContractAuthenticationReq", Time::AuthorisationLoop, 60, 120),
        ("ChargeParameterDiscoveryReq", Time::ChargeParametersLoop, 60, 60),
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
fn sessions_follow_each_other_without_a_new_plug() {
    let mut bench = Bench::at("SessionStopReq");
    for _ in 0..3 {
        bench.end();
        bench.events.clear();
        bench.sent.clear();
        bench.input(Input::Operator(Operator::Start));
        assert!(bench.car.may_begin());
        bench.start_to("SessionStopReq");
        assert_eq!(bench.names(), NAMES);
    }
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
    Time::ServiceSelection,
    Time::Authorisation,
    Time::ChargeParameters,
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
    // Between two requests none is pending.
    bench.input(Input::Message { payload_type: PAYLOAD_TYPE, payload: &[0x80, 0x40, 0x00, 0x40] });
    assert_eq!(bench.car.stop_reason(), None);
    assert!(bench.events.contains(&Event::Dropped(pev_fsm::Dropped::NotAsked)));
}
