//! Every request in every state: permitted, or refused with the code of its cause, by a response of its own
//! type.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test ends where it fails")]

mod bench;

use bench::{Bench, GOOD, NAMES, body, protocol};
use control_pilot::Level;
use exi_din::{
    AcEvChargeParameter, BodyElement, EvChargeParameter, EvRequestedEnergyTransfer, PaymentOption,
    ResponseCode,
};

/// The states by the number of requests that lead there, and the requests that each permits (spec: EVSE state
/// table).
const STATES: &[(usize, &[&str])] = &[
    (0, &["SessionSetupReq"]),
    (1, &["ServiceDiscoveryReq", "SessionStopReq"]),
    (2, &["ServicePaymentSelectionReq", "SessionStopReq"]),
    (3, &["ContractAuthenticationReq", "SessionStopReq"]),
    (4, &["ChargeParameterDiscoveryReq", "SessionStopReq"]),
    (5, &["CableCheckReq", "SessionStopReq"]),
    (6, &["PreChargeReq", "SessionStopReq"]),
    (7, &["PreChargeReq", "PowerDeliveryReq", "SessionStopReq"]),
    (8, &["CurrentDemandReq", "PowerOffReq"]),
    (9, &["CurrentDemandReq", "PowerOffReq"]),
    (10, &["WeldingDetectionReq", "SessionStopReq"]),
    (11, &["WeldingDetectionReq", "SessionStopReq"]),
];

#[test]
fn each_request_in_each_state_is_answered_by_its_own_type_or_refused_as_out_of_order() {
    for (count, allowed) in STATES {
        let path = &GOOD[..*count];
        for name in NAMES {
            // Power may be switched off wherever it may be switched on; switching it on again is refused.
            let is_allowed =
                allowed.contains(name) || (*name == "PowerOffReq" && allowed.contains(&"PowerDeliveryReq"));
            let on_again = *name == "PowerDeliveryReq" && *count == 9;
            let mut bench = Bench::connected();
            bench.pass_all(path);
            // The pilot is in the state's position, so that only the order is wrong.
            bench.pilot = if (5..10).contains(count) { Level::C } else { Level::B };
            bench.run(40);
            let (answer, code) =
                bench.ask(name).unwrap_or_else(|| panic!("no answer to {name} after {path:?}"));
            let own = if *name == "PowerOffReq" {
                "PowerDeliveryRes".to_owned()
            } else {
                name.replace("Req", "Res")
            };
            assert_eq!(answer, own, "{name} after {path:?}");
            if is_allowed {
                assert!(
                    !code.is_failed(),
                    "{name} after {path:?}: {code:?} {:?}",
                    bench.charger.stop_reason()
                );
            } else if on_again {
                assert_eq!(code, ResponseCode::Failed, "power on again");
            } else {
                assert_eq!(code, ResponseCode::FailedSequenceError, "{name} after {path:?}");
            }
        }
    }
}

#[test]
fn power_that_is_switched_off_before_the_first_demand_is_out_of_order_without_its_quirk() {
    let mut bench = Bench::with(|config| config.quirks.remove(evse_fsm::Quirks::EARLY_POWER_OFF));
    bench.pass_all(&GOOD[..8]);
    assert_eq!(bench.ask("PowerOffReq").unwrap().1, ResponseCode::FailedSequenceError);
    assert_eq!(bench.charger.demand().supply, session::Target::ZERO);
}

#[test]
fn a_session_that_is_ended_before_the_first_demand_ends_in_order() {
    let mut bench = Bench::connected();
    bench.pass_all(&GOOD[..8]);
    assert_eq!(bench.ask("PowerOffReq").unwrap().1, ResponseCode::Ok);
    assert!(!bench.charger.demand().is_energised());
    bench.pass_all(&GOOD[10..]);
    assert_eq!(bench.charger.stop_reason().unwrap().cause, session::Cause::Finished);
}

#[test]
fn a_foreign_session_id_is_unknown_whatever_the_request_and_the_state() {
    for (count, _) in STATES.iter().skip(1) {
        let path = &GOOD[..*count];
        for name in NAMES.iter().filter(|name| **name != "SessionSetupReq") {
            let mut bench = Bench::connected();
            bench.pass_all(path);
            bench.id[0] ^= 0x80;
            let (_, code) = bench.ask(name).unwrap();
            assert_eq!(code, ResponseCode::FailedUnknownSession, "{name} after {path:?}");
            assert!(
                !bench.charger.demand().is_energised()
                    || bench.charger.demand().supply == session::Target::ZERO
            );
        }
    }
}

#[test]
fn behind_a_refusal_only_the_end_is_accepted() {
    let mut bench = Bench::connected();
    bench.pass_all(&GOOD[..5]);
    assert_eq!(bench.ask("CurrentDemandReq").unwrap().1, ResponseCode::FailedSequenceError);
    assert_eq!(bench.ask("CableCheckReq").unwrap().1, ResponseCode::FailedSequenceError);
    assert_eq!(bench.ask("SessionStopReq").unwrap().1, ResponseCode::Ok);
}

const OTHER: exi_din::SelectedService = exi_din::SelectedService { service_id: 2, parameter_set_id: None };

#[test]
fn a_selection_that_was_not_offered_has_its_own_codes() {
    let selected = |change: fn(&mut exi_din::ServicePaymentSelectionReq<'_>)| {
        let mut bench = Bench::connected();
        bench.pass_all(&GOOD[..2]);
        let BodyElement::ServicePaymentSelectionReq(mut req) = body("ServicePaymentSelectionReq") else {
            panic!()
        };
        change(&mut req);
        bench.send(BodyElement::ServicePaymentSelectionReq(req)).unwrap().1
    };
    assert_eq!(
        selected(|req| req.selected_payment_option = PaymentOption::Contract),
        ResponseCode::FailedPaymentSelectionInvalid
    );
    assert_eq!(
        selected(|req| req.selected_service_list.selected_service = (&[OTHER]).into()),
        ResponseCode::FailedServiceSelectionInvalid
    );
    assert_eq!(
        selected(|req| req.selected_service_list.selected_service = (&[OTHER, OTHER]).into()),
        ResponseCode::FailedServiceSelectionInvalid
    );
}

#[test]
fn parameters_that_do_not_fit_have_their_own_codes() {
    let asked = |change: fn(&mut exi_din::ChargeParameterDiscoveryReq)| {
        let mut bench = Bench::connected();
        bench.pass_all(&GOOD[..4]);
        let BodyElement::ChargeParameterDiscoveryReq(mut req) = body("ChargeParameterDiscoveryReq") else {
            panic!()
        };
        change(&mut req);
        bench.send(BodyElement::ChargeParameterDiscoveryReq(req)).unwrap().1
    };
    let ac = |req: &mut exi_din::ChargeParameterDiscoveryReq| {
        req.ev_requested_energy_transfer_type = EvRequestedEnergyTransfer::AcThreePhaseCore;
    };
    assert_eq!(asked(ac), ResponseCode::FailedWrongEnergyTransferType);
    let ac_parameter = |req: &mut exi_din::ChargeParameterDiscoveryReq| {
        let value = bench::volts(230);
        req.ev_charge_parameter = EvChargeParameter::Ac(AcEvChargeParameter {
            departure_time: 0,
            e_amount: value,
            ev_max_voltage: value,
            ev_max_current: value,
            ev_min_current: value,
        });
    };
    assert_eq!(asked(ac_parameter), ResponseCode::FailedWrongChargeParameter);
    // Below the charger's minimum, negative, above any DC car's maximum.
    assert_eq!(asked(|req| set_voltage(req, 20)), ResponseCode::FailedWrongChargeParameter);
    assert_eq!(asked(|req| set_voltage(req, -400)), ResponseCode::FailedWrongChargeParameter);
    assert_eq!(asked(|req| set_voltage(req, 2000)), ResponseCode::FailedWrongChargeParameter);
}

fn set_voltage(req: &mut exi_din::ChargeParameterDiscoveryReq, volts: i16) {
    if let EvChargeParameter::Dc(dc) = &mut req.ev_charge_parameter {
        dc.ev_maximum_voltage_limit = bench::volts(volts);
    }
}

#[test]
fn a_precharge_of_more_than_2_a_is_refused_and_an_odd_target_gives_nothing() {
    let asked = |voltage: i16, current: i16| {
        let mut bench = Bench::connected();
        bench.pass_all(&GOOD[..6]);
        let BodyElement::PreChargeReq(mut req) = body("PreChargeReq") else { panic!() };
        (req.ev_target_voltage, req.ev_target_current) = (bench::volts(voltage), bench::amperes(current));
        let code = bench.send(BodyElement::PreChargeReq(req)).unwrap().1;
        bench.run(2_000);
        (code, bench.charger.demand().supply.voltage_mv)
    };
    assert_eq!(asked(350, 3), (ResponseCode::Failed, 0));
    assert_eq!(asked(-10, 1), (ResponseCode::Ok, 0));
    assert_eq!(asked(10, 1), (ResponseCode::Ok, 0), "below the charger's minimum: never lifted");
    assert_eq!(asked(900, 1), (ResponseCode::Ok, 450_000), "above the car's own limit: clamped");
}

#[test]
fn a_schedule_that_was_not_offered_and_power_far_off_target_are_refused() {
    let mut bench = Bench::connected();
    bench.pass_all(&GOOD[..7]);
    let entries =
        [exi_din::ProfileEntry { charging_profile_entry_start: 0, charging_profile_entry_max_power: 1 }];
    let BodyElement::PowerDeliveryReq(mut req) = body("PowerDeliveryReq") else { panic!() };
    req.charging_profile =
        Some(exi_din::ChargingProfile { sa_schedule_tuple_id: 7, profile_entry: (&entries).into() });
    let (_, code) = bench.send(BodyElement::PowerDeliveryReq(req)).unwrap();
    assert_eq!(code, ResponseCode::FailedTariffSelectionInvalid);

    let mut bench = Bench::connected();
    bench.pass_all(&GOOD[..6]);
    bench.ask("PreChargeReq").unwrap();
    assert_eq!(bench.ask("PowerDeliveryReq").unwrap().1, ResponseCode::FailedEvsePresentVoltageToLow);
}

#[test]
fn a_car_without_a_common_protocol_is_told_so_and_the_connection_is_closed() {
    let mut bench = Bench::plugged();
    let offer = [protocol(exi_app::NAMESPACE_ISO2, 3, 0, 1)];
    let answer = bench.handshake(&offer);
    assert_eq!((answer.response_code, answer.schema_id), (exi_app::ResponseCode::FailedNoNegotiation, None));
    assert!(bench.charger.wants_close());
}

#[test]
fn the_handshake_takes_the_cars_preference_echoes_its_schema_id_and_notes_another_minor_version() {
    let din = |schema_id, minor, priority| protocol(exi_app::NAMESPACE_DIN, schema_id, minor, priority);
    let tesla = protocol("urn:tesla:din:2018:MsgDef", 9, 7, 1);
    let mut bench = Bench::plugged();
    let answer = bench.handshake(&[tesla, din(5, 0, 3), din(0, 1, 2)]);
    assert_eq!(answer.schema_id, Some(0));
    assert_eq!(answer.response_code, exi_app::ResponseCode::OkSuccessfulNegotiationWithMinorDeviation);
}

#[test]
fn session_ids_of_every_length_are_made_and_demanded_back() {
    for length in 1..=8 {
        let mut bench = Bench::with(|config| config.session_id_len = length);
        bench.pass("SessionSetupReq");
        assert_eq!(bench.id.len(), usize::from(length));
        bench.pass("ServiceDiscoveryReq");
        bench.id.pop();
        let unknown = bench.ask("ServicePaymentSelectionReq").unwrap().1;
        assert_eq!(unknown, ResponseCode::FailedUnknownSession, "one byte shorter is another id");
    }
}
