//! The cases of a session.

use control_pilot::Level;
use evse_fsm::Operator;
use exi_app::NAMESPACE_DIN;
use exi_din::{
    BodyElement, ChargingProfile, DcEvErrorCode, DcEvPowerDeliveryParameter, EvPowerDeliveryParameter,
    EvRequestedEnergyTransfer, PaymentOption, ProfileEntry, ResponseCode, SelectedService,
};
use machine::Duration;
use session::Target;

use super::{CLOSE_S, GOOD, SECOND, SEQUENCE_S, SETUP_S, Tester, after, bench, body, due, protocol, with};
use crate::{Outcome, check, same};

/// The good case of the request that is due.
pub(crate) fn good(due: usize) -> Outcome {
    after(due, |tester| tester.pass(GOOD[due]))
}

/// A request other than the one that is due: `ServiceDiscoveryReq`, or `ContractAuthenticationReq` in its
/// place.
pub(crate) fn out_of_order(due: usize) -> Outcome {
    let other =
        if due == due::SERVICE_DISCOVERY { "ContractAuthenticationReq" } else { "ServiceDiscoveryReq" };
    after(due, |tester| tester.refused(body(other), ResponseCode::FailedSequenceError))
}

/// The request that is due, with the id of another session.
pub(crate) fn foreign_session(due: usize) -> Outcome {
    after(due, |tester| {
        tester.id[0] ^= 0x80;
        tester.refused(body(GOOD[due]), ResponseCode::FailedUnknownSession)
    })
}

/// Silence instead of the request that is due: the connection stays for this time, and is closed 5 s after
/// the sequence timeout.
pub(crate) fn silence(due: usize, stays_s: u64) -> Outcome {
    after(due, |tester| {
        tester.wait(stays_s * SECOND);
        check(!tester.world.car.is_closed(), || format!("closed before {stays_s} s"))?;
        tester.closes_within(SEQUENCE_S + CLOSE_S - stays_s)?;
        check(!tester.world.evse.demand().is_energised(), || "still energised".to_owned())
    })
}

/// Silence after the handshake: after the communication setup's timeout the connection is closed.
pub(crate) fn silence_before_session() -> Outcome {
    silence(due::SESSION_SETUP, SETUP_S - 1)?;
    after(due::SESSION_SETUP, |tester| tester.closes_within(SETUP_S + CLOSE_S))
}

/// Silence from the connection on; after the timeout no request is answered.
pub(crate) fn silence_before_handshake() -> Outcome {
    with(
        |_| {},
        |tester| {
            tester.wait((SETUP_S - 1) * SECOND);
            check(!tester.world.car.is_closed(), || "closed too early".to_owned())?;
            tester.closes_within(1 + CLOSE_S)?;
            let answer = tester.offer(&[protocol(NAMESPACE_DIN, 1, 0, 1)]);
            same("answer", answer, None)
        },
    )
}

/// Offered protocols and the response; without a common one the connection ends.
pub(crate) fn negotiation(offer: &[(&str, u32)], wanted: exi_app::ResponseCode) -> Outcome {
    with(
        |_| {},
        |tester| {
            let offer: Vec<_> = (1u8..)
                .zip(offer)
                .map(|(id, (namespace, minor))| protocol(namespace, id, *minor, id.cast_signed()))
                .collect();
            let seen = tester.offer(&offer).map(|(code, _)| code);
            same("code", seen, Some(wanted))?;
            if wanted == exi_app::ResponseCode::FailedNoNegotiation {
                tester.closes_within(CLOSE_S)?;
            }
            Ok(())
        },
    )
}

/// The operator is slow: Ongoing until the authorisation.
pub(crate) fn authorisation_loop() -> Outcome {
    with(
        |config| config.charger.authorisation = evse_fsm::Authorisation::Operator,
        |tester| {
            tester.reach(due::AUTHENTICATION)?;
            for _ in 0..20 {
                let seen = tester.ask(body("ContractAuthenticationReq"))?;
                same("code and loop", (seen, tester.is_ongoing), (ResponseCode::Ok, true))?;
                tester.wait(SECOND);
            }
            tester.world.operator(Operator::Authorise(true));
            let seen = tester.ask(body("ContractAuthenticationReq"))?;
            same("code and loop", (seen, tester.is_ongoing), (ResponseCode::Ok, false))
        },
    )?;
    // Without any authorisation the loop ends by its own timeout.
    with(
        |config| config.charger.authorisation = evse_fsm::Authorisation::Operator,
        |tester| {
            tester.reach(due::AUTHENTICATION)?;
            for _ in 0..120 {
                if tester.ask(body("ContractAuthenticationReq"))? == ResponseCode::Failed {
                    return tester.closes_within(CLOSE_S);
                }
                tester.wait(SECOND);
            }
            Err("Ongoing without end".to_owned())
        },
    )
}

/// `ChargeParameterDiscovery` that takes time.
pub(crate) fn parameter_loop() -> Outcome {
    with(
        |config| config.charger.parameter_time = Duration::from_secs(3),
        |tester| {
            tester.reach(due::PARAMETERS)?;
            let seen = tester.ask(body("ChargeParameterDiscoveryReq"))?;
            same("code and loop", (seen, tester.is_ongoing), (ResponseCode::Ok, true))?;
            tester.pass("ChargeParameterDiscoveryReq")
        },
    )
}

/// The isolation test at this pilot level.
pub(crate) fn cable_check(level: Level) -> Outcome {
    after(due::CABLE_CHECK, |tester| {
        tester.pilot(level);
        cable_check_rounds(tester, 600)
    })
}

fn cable_check_rounds(tester: &mut Tester<'_>, most: usize) -> Outcome {
    for _ in 0..most {
        let seen = tester.ask(body("CableCheckReq"))?;
        same("code", seen, ResponseCode::Ok)?;
        if !tester.is_ongoing {
            return Ok(());
        }
        tester.wait(100_000);
    }
    Err("Ongoing without end".to_owned())
}

/// The isolation test continues until its monitor has a result; without one it fails by its own timeout.
pub(crate) fn cable_check_loop(level: Level) -> Outcome {
    after(due::CABLE_CHECK, |tester| {
        tester.pilot(level);
        tester.world.isolation_valid = false;
        for _ in 0..50 {
            let seen = tester.ask(body("CableCheckReq"))?;
            same("code and loop", (seen, tester.is_ongoing), (ResponseCode::Ok, true))?;
            tester.wait(100_000);
        }
        tester.world.isolation_valid = true;
        cable_check_rounds(tester, 100)
    })?;
    after(due::CABLE_CHECK, |tester| {
        tester.pilot(level);
        tester.world.isolation_valid = false;
        for _ in 0..70 {
            if tester.ask(body("CableCheckReq"))? == ResponseCode::Failed {
                return tester.closes_within(CLOSE_S);
            }
            tester.wait(SECOND);
        }
        Err("Ongoing without end".to_owned())
    })
}

/// The request that is due, at a pilot level that is not allowed.
pub(crate) fn wrong_pilot(due: usize, level: Level) -> Outcome {
    after(due, |tester| {
        tester.pilot(level);
        tester.refused(body(GOOD[due]), ResponseCode::Failed)
    })
}

/// A selection of services and payment that was not offered.
pub(crate) fn selection(services: &[u16], payment: PaymentOption, wanted: ResponseCode) -> Outcome {
    let services: Vec<_> =
        services.iter().map(|id| SelectedService { service_id: *id, parameter_set_id: None }).collect();
    after(due::PAYMENT, |tester| {
        let BodyElement::ServicePaymentSelectionReq(mut req) = body(GOOD[due::PAYMENT]) else { panic!() };
        req.selected_payment_option = payment;
        req.selected_service_list.selected_service = services.as_slice().into();
        tester.refused(BodyElement::ServicePaymentSelectionReq(req), wanted)
    })
}

/// Parameters of an incompatible car.
pub(crate) fn parameters(
    change: impl FnOnce(&mut exi_din::ChargeParameterDiscoveryReq),
    wanted: ResponseCode,
) -> Outcome {
    after(due::PARAMETERS, |tester| {
        let BodyElement::ChargeParameterDiscoveryReq(mut req) = body(GOOD[due::PARAMETERS]) else { panic!() };
        change(&mut req);
        tester.refused(BodyElement::ChargeParameterDiscoveryReq(req), wanted)
    })
}

/// The car requests AC.
pub(crate) fn wrong_energy_transfer() -> Outcome {
    let ac = |req: &mut exi_din::ChargeParameterDiscoveryReq| {
        req.ev_requested_energy_transfer_type = EvRequestedEnergyTransfer::AcThreePhaseCore;
    };
    parameters(ac, ResponseCode::FailedWrongEnergyTransferType)
}

/// A car of -400 V, and a car of 2000 V.
pub(crate) fn implausible_limit() -> Outcome {
    [-400, 2000].into_iter().try_for_each(|volts| {
        let limit = move |req: &mut exi_din::ChargeParameterDiscoveryReq| {
            if let exi_din::EvChargeParameter::Dc(dc) = &mut req.ev_charge_parameter {
                dc.ev_maximum_voltage_limit = bench::volts(volts);
            }
        };
        parameters(limit, ResponseCode::FailedWrongChargeParameter)
    })
}

/// Power is switched on with a profile of a schedule; a charger without any leniency refuses it.
pub(crate) fn profile(tuple: i16, watts: i16, wanted: ResponseCode) -> Outcome {
    with(
        |config| {
            config.charger.strict = true;
            config.charger.limits.max_power_w = 20_000;
        },
        |tester| {
            tester.reach(due::POWER_ON)?;
            let entries =
                [ProfileEntry { charging_profile_entry_start: 0, charging_profile_entry_max_power: watts }];
            let BodyElement::PowerDeliveryReq(mut req) = body(GOOD[due::POWER_ON]) else { panic!() };
            req.charging_profile =
                Some(ChargingProfile { sa_schedule_tuple_id: tuple, profile_entry: (&entries).into() });
            tester.refused(BodyElement::PowerDeliveryReq(req), wanted)
        },
    )
}

/// A car with an error switches power off.
pub(crate) fn power_off_with(error: DcEvErrorCode) -> Outcome {
    after(due::POWER_OFF, |tester| {
        let BodyElement::PowerDeliveryReq(mut req) = body(GOOD[due::POWER_OFF]) else { panic!() };
        let BodyElement::CableCheckReq(cable_check) = body("CableCheckReq") else { panic!() };
        let mut dc_ev_status = cable_check.dc_ev_status;
        dc_ev_status.ev_error_code = error;
        let parameter = DcEvPowerDeliveryParameter {
            dc_ev_status,
            bulk_charging_complete: None,
            charging_complete: true,
        };
        req.ev_power_delivery_parameter = Some(EvPowerDeliveryParameter::Dc(parameter));
        let seen = tester.ask(BodyElement::PowerDeliveryReq(req))?;
        same("code", seen, ResponseCode::Ok)?;
        same("supply", tester.world.evse.demand().supply, Target::ZERO)
    })
}

/// Power is switched off, and the pilot goes to B.
pub(crate) fn power_off() -> Outcome {
    after(due::POWER_OFF, |tester| {
        let seen = tester.ask(body(GOOD[due::POWER_OFF]))?;
        same("code", seen, ResponseCode::Ok)?;
        tester.pilot(Level::B);
        check(!tester.world.evse.demand().is_energised(), || "still energised".to_owned())
    })
}

/// The pilot level of a broken cable or car, during the session's setup and while charging: the power is off
/// and the session over.
pub(crate) fn broken_pilot(level: Level) -> Outcome {
    [due::PARAMETERS, due::PRECHARGE, due::POWER_OFF].into_iter().try_for_each(|count| {
        after(count, |tester| {
            tester.pilot(level);
            // One reading, and the 100 ms in which contactors open at the latest.
            tester.wait(160_000);
            tester.is_safe()?;
            let before = tester.world.evse.stop_reason();
            check(before.is_some(), || "no reason to stop".to_owned())?;
            // Whatever the car continues to send.
            let _ = tester.exchange(&tester.stream(body(GOOD[count])));
            tester.wait(SECOND);
            check(!tester.world.evse.demand().is_energised(), || "energised again".to_owned())?;
            tester.closes_within(SEQUENCE_S + CLOSE_S)
        })
    })
}

/// `SessionStop` refused: with welding detection before it or without.
pub(crate) fn session_stop_refused(with_welding: bool, wanted: ResponseCode) -> Outcome {
    after(due::WELDING, |tester| {
        if with_welding {
            tester.pass("WeldingDetectionReq")?;
        }
        tester.pilot(if wanted == ResponseCode::Failed { Level::C } else { Level::B });
        if wanted == ResponseCode::FailedUnknownSession {
            tester.id[0] ^= 0x80;
        }
        let name = if wanted == ResponseCode::FailedSequenceError {
            "ServiceDiscoveryReq"
        } else {
            "SessionStopReq"
        };
        tester.refused(body(name), wanted)
    })
}

/// Consecutive whole sessions without pulling the plug.
pub(crate) fn endurance() -> Outcome {
    with(
        |_| {},
        |tester| {
            for round in 1..=20 {
                tester.reach(GOOD.len()).map_err(|what| format!("session {round}: {what}"))?;
                tester.world.car.close();
                tester.wait(10 * SECOND);
                tester.id = vec![0; 8];
                tester.world.car.discover();
                tester.wait(SECOND);
                let found = tester.world.car.discovered().ok_or(format!("not found again after {round}"))?;
                tester.world.car.connect_from(found, 49_200 + round);
                tester.wait(SECOND);
            }
            Ok(())
        },
    )
}
