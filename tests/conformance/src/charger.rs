//! A car that does as the cases of ISO 15118-4 say, against the whole charger.

use control_pilot::{Level, Output};
use evse_fsm::{Contactors, Operator};
use exi_app::{AppProtocol, Message as Handshake, NAMESPACE_DIN, SupportedAppProtocolReq};
use exi_din::{
    Body, BodyElement, ChargingProfile, DcEvErrorCode, DcEvPowerDeliveryParameter, EvPowerDeliveryParameter,
    EvRequestedEnergyTransfer, Header, PaymentOption, ProfileEntry, ResponseCode, SelectedService,
    V2gMessage,
};
use machine::Duration;
use replay::{Car, World, code};
use roles::{EvseConfig, EvseStorage, Mac};
use session::Target;

use crate::{Outcome, check, same};

#[path = "../../../crates/evse-fsm/tests/bench/mod.rs"]
#[allow(clippy::wildcard_imports, reason = "the charger's own tests use all of it")]
mod bench;

use bench::protocol;
pub(crate) use bench::{GOOD, body};

/// The places of requests in a good session: so many requests go before.
pub(crate) mod due {
    pub const SESSION_SETUP: usize = 0;
    pub const SERVICE_DISCOVERY: usize = 1;
    pub const PAYMENT: usize = 2;
    pub const AUTHENTICATION: usize = 3;
    pub const PARAMETERS: usize = 4;
    pub const CABLE_CHECK: usize = 5;
    pub const PRECHARGE: usize = 6;
    pub const POWER_ON: usize = 7;
    pub const DEMAND: usize = 8;
    pub const POWER_OFF: usize = 9;
    pub const WELDING: usize = 10;
    pub const STOP: usize = 11;
}

/// `V2G_SECC_Sequence_Timeout`, and the time in which the connection must be over (the testers' configuration).
const SEQUENCE_S: u64 = 60;
const CLOSE_S: u64 = 5;
/// `V2G_SECC_CommunicationSetup_Timeout`.
const SETUP_S: u64 = 18;
/// The longest that an answer may take: the car's `V2G_EVCC_Msg_Timeout` (2 s), and `PowerDelivery`'s 5 s.
const ANSWER_S: u64 = 5;

const SECOND: u64 = 1_000_000;

/// A charger with a car plugged in.
struct Tester<'s> {
    world: World<'s>,
    id: Vec<u8>,
    /// What the last looping answer said.
    is_ongoing: bool,
}

/// The charger as it is delivered, but quick where only waiting would be tested.
fn delivered() -> EvseConfig {
    let mut config = EvseConfig::new(Mac([0x02, 0, 0, 0, 0, 0x01]));
    config.charger.isolation_test = Duration::from_millis(100);
    config
}

/// Sets a charger up, changed by `change`, and lets a tester at it that has connected.
fn with(change: impl FnOnce(&mut EvseConfig), test: impl FnOnce(&mut Tester<'_>) -> Outcome) -> Outcome {
    let mut config = delivered();
    change(&mut config);
    let mut storage = EvseStorage::new();
    let mut world = World::new(config, &mut storage, &[1, 2, 3, 4, 5, 6, 7, 8]);
    world.isolation_valid = true;
    world.connect();
    test(&mut Tester { world, id: vec![0; 8], is_ongoing: false })
}

/// The same, where the tester has passed the first `count` requests of a good session.
fn after(count: usize, test: impl FnOnce(&mut Tester<'_>) -> Outcome) -> Outcome {
    with(|_| {}, |tester| tester.reach(count).and_then(|()| test(tester)))
}

/// A request's stream.
pub(crate) fn encode(id: &[u8], element: BodyElement<'_>) -> Vec<u8> {
    let header = Header { session_id: id.into(), notification: None, signature: None };
    let mut stream = [0; 512];
    let length = V2gMessage { header, body: Body { element: Some(element) } }.encode(&mut stream).unwrap();
    stream[..length].to_vec()
}

/// A handshake that offers DIN SPEC 70121 alone.
pub(crate) fn handshake() -> Vec<u8> {
    let offer = [protocol(NAMESPACE_DIN, 7, 0, 1)];
    let message = Handshake::Req(SupportedAppProtocolReq { app_protocol: (&offer).into() });
    let mut stream = [0; 512];
    let length = message.encode(&mut stream).unwrap();
    stream[..length].to_vec()
}

/// Whether a request's answer says that its loop goes on.
pub(crate) fn is_ongoing(stream: &[u8]) -> bool {
    let Ok(message) = V2gMessage::decode(stream) else { return false };
    let processing = match message.body.element {
        Some(BodyElement::ContractAuthenticationRes(res)) => res.evse_processing,
        Some(BodyElement::ChargeParameterDiscoveryRes(res)) => res.evse_processing,
        Some(BodyElement::CableCheckRes(res)) => res.evse_processing,
        _ => return false,
    };
    processing == exi_din::EvseProcessing::Ongoing
}

impl Tester<'_> {
    fn wait(&mut self, micros: u64) {
        self.world.run(self.world.now + micros);
    }

    /// The pilot, and time for the sensors to see it.
    fn pilot(&mut self, level: Level) {
        self.world.pilot = level;
        self.wait(60_000);
    }

    /// What comes back within the longest time for it.
    fn exchange(&mut self, stream: &[u8]) -> Option<Vec<u8>> {
        if self.world.car.is_closed() {
            return None;
        }
        self.world.send(stream);
        self.world.answer(self.world.now + ANSWER_S * SECOND).map(|answer| answer.stream)
    }

    fn stream(&self, element: BodyElement<'_>) -> Vec<u8> {
        encode(&self.id, element)
    }

    /// Sends a request and takes its answer's code; the answer must be of its own type.
    fn ask(&mut self, element: BodyElement<'_>) -> Result<ResponseCode, String> {
        let own = element.name().replace("Req", "Res");
        let answer = self.exchange(&self.stream(element)).ok_or(format!("no {own}"))?;
        let (name, code) = code(&answer);
        same("the answer's type", &name, &own)?;
        if own == "SessionSetupRes" {
            self.id = V2gMessage::decode(&answer).unwrap().header.session_id.iter().collect();
        }
        self.is_ongoing = is_ongoing(&answer);
        code.ok_or("an answer without a code".to_owned())
    }

    fn refused(&mut self, element: BodyElement<'_>, wanted: ResponseCode) -> Outcome {
        let seen = self.ask(element)?;
        same("code", seen, wanted)?;
        self.closes_within(CLOSE_S)
    }

    fn closes_within(&mut self, seconds: u64) -> Outcome {
        self.wait(seconds * SECOND);
        check(self.world.car.is_closed(), || format!("the connection is open after {seconds} s"))
    }

    /// Offers protocols: code and schema id of the answer.
    fn offer(&mut self, offer: &[AppProtocol<'_>]) -> Option<(exi_app::ResponseCode, Option<u8>)> {
        let mut stream = [0; 512];
        let message = Handshake::Req(SupportedAppProtocolReq { app_protocol: offer.into() });
        let length = message.encode(&mut stream).unwrap();
        let answer = self.exchange(&stream[..length])?;
        match Handshake::decode(&answer).unwrap() {
            Handshake::Res(res) => Some((res.response_code, res.schema_id)),
            Handshake::Req(_) => panic!("a charger offers nothing"),
        }
    }

    fn handshake(&mut self) -> Outcome {
        let wanted = (exi_app::ResponseCode::OkSuccessfulNegotiation, Some(7));
        let seen = self.offer(&[protocol(NAMESPACE_DIN, 7, 0, 1)]);
        same("handshake", seen, Some(wanted))
    }

    /// A request of a good session, as often as its phase lasts; the pilot where it belongs.
    fn pass(&mut self, name: &str) -> Outcome {
        match name {
            "CableCheckReq" => self.pilot(Level::C),
            "WeldingDetectionReq" | "SessionStopReq" => self.pilot(Level::B),
            _ => {}
        }
        let wanted =
            if name == "SessionSetupReq" { ResponseCode::OkNewSessionEstablished } else { ResponseCode::Ok };
        // A second of precharging brings the output to the car's 350 V.
        let least = if name == "PreChargeReq" { 10 } else { 1 };
        for round in 1..=600 {
            let seen = self.ask(body(name))?;
            same(name, seen, wanted)?;
            if round >= least && !self.is_ongoing {
                return Ok(());
            }
            self.wait(100_000);
        }
        Err(format!("{name}: Ongoing without end"))
    }

    fn reach(&mut self, count: usize) -> Outcome {
        self.handshake()?;
        GOOD[..count].iter().try_for_each(|name| self.pass(name))
    }

    /// Power off, pilot steady, contactors open.
    fn is_safe(&self) -> Outcome {
        let demand = self.world.evse.demand();
        same("supply", demand.supply, Target::ZERO)?;
        same("contactors", demand.contactors, Contactors::Open)?;
        same("pilot", demand.pilot, Output::Steady)
    }
}

/// The good case of the request that is due.
pub(crate) fn good(due: usize) -> Outcome {
    after(due, |tester| tester.pass(GOOD[due]))
}

/// Another request than the one that is due: `ServiceDiscoveryReq`, or `ContractAuthenticationReq` in its place.
pub(crate) fn out_of_order(due: usize) -> Outcome {
    let other =
        if due == due::SERVICE_DISCOVERY { "ContractAuthenticationReq" } else { "ServiceDiscoveryReq" };
    after(due, |tester| tester.refused(body(other), ResponseCode::FailedSequenceError))
}

/// The request that is due, with another session's id.
pub(crate) fn foreign_session(due: usize) -> Outcome {
    after(due, |tester| {
        tester.id[0] ^= 0x80;
        tester.refused(body(GOOD[due]), ResponseCode::FailedUnknownSession)
    })
}

/// Silence in the place of the request that is due: for so long the connection stays, and 5 s past the sequence
/// timeout it is over.
pub(crate) fn silence(due: usize, stays_s: u64) -> Outcome {
    after(due, |tester| {
        tester.wait(stays_s * SECOND);
        check(!tester.world.car.is_closed(), || format!("closed before {stays_s} s"))?;
        tester.closes_within(SEQUENCE_S + CLOSE_S - stays_s)?;
        check(!tester.world.evse.demand().is_energised(), || "still energised".to_owned())
    })
}

/// Silence behind the handshake: past the communication setup's time the connection is over.
pub(crate) fn silence_before_session() -> Outcome {
    silence(due::SESSION_SETUP, SETUP_S - 1)?;
    after(due::SESSION_SETUP, |tester| tester.closes_within(SETUP_S + CLOSE_S))
}

/// Silence from the connection on; afterwards nothing is answered.
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

/// Protocols that are offered, and what is answered; without a common one the connection ends.
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

/// The operator is slow: Ongoing until it has authorised.
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
    // And nobody ever does: the loop ends by its own time.
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

/// Parameters that take their time.
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

/// The isolation test at this pilot.
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

/// The isolation test goes on until its monitor has a result; without one it fails by its own time.
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

/// The request that is due, with the pilot where it must not be.
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

/// Parameters of a car that does not fit.
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

/// AC is asked for.
pub(crate) fn wrong_energy_transfer() -> Outcome {
    let ac = |req: &mut exi_din::ChargeParameterDiscoveryReq| {
        req.ev_requested_energy_transfer_type = EvRequestedEnergyTransfer::AcThreePhaseCore;
    };
    parameters(ac, ResponseCode::FailedWrongEnergyTransferType)
}

/// A car of -400 V, and one of 2000 V.
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

/// Power is switched off by a car with an error.
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

/// What the pilot shows when cable or car break, while the session is set up and while the car charges: the power
/// is off and the session over.
pub(crate) fn broken_pilot(level: Level) -> Outcome {
    [due::PARAMETERS, due::PRECHARGE, due::POWER_OFF].into_iter().try_for_each(|count| {
        after(count, |tester| {
            tester.pilot(level);
            // One reading, and the 100 ms in which contactors open at the latest.
            tester.wait(160_000);
            tester.is_safe()?;
            let before = tester.world.evse.stop_reason();
            check(before.is_some(), || "no reason to stop".to_owned())?;
            // And whatever the car goes on to send.
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

/// Whole sessions, one after the other, without pulling the plug.
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

/// A charger that is plugged in, and a datagram to where discovery is answered: the security of the answer.
fn discovery(datagram: &[u8], wait_s: u64) -> Option<u8> {
    let mut storage = EvseStorage::new();
    let mut world = World::new(delivered(), &mut storage, &[0; 8]);
    world.run(SECOND);
    world.pilot = Level::B;
    world.run((3 + wait_s) * SECOND);
    world.car.datagram(datagram);
    world.run(world.now + 2 * SECOND);
    world.car.discovery_answer().map(|answer| answer.security.0)
}

/// Where the fields are: version, its inverse, payload type, payload length.
pub(crate) mod field {
    pub const VERSION: usize = 0;
    pub const INVERSE: usize = 1;
    pub const TYPE: usize = 2;
    pub const LENGTH: usize = 4;
}

/// Discovery for a security: what is answered.
pub(crate) fn discovered(security: u8, wanted: Option<u8>, wait_s: u64) -> Outcome {
    let mut datagram = Car::DISCOVERY;
    datagram[8] = security;
    same("security", discovery(&datagram, wait_s), wanted)
}

/// A request whose header has a field changed is not answered.
pub(crate) fn bad_discovery(at: usize, bytes: &[u8]) -> Outcome {
    let mut datagram = Car::DISCOVERY;
    datagram[at..at + bytes.len()].copy_from_slice(bytes);
    same("answer", discovery(&datagram, 0), None)
}

/// What becomes of a message on the connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Taken {
    Answered,
    /// Not answered; the connection stays.
    Skipped,
    /// Not answered; the connection is over.
    Broken,
}

/// `SessionSetupReq` in a header of which a field may be changed.
pub(crate) fn session_setup_header(at: usize, bytes: &[u8], wanted: Taken) -> Outcome {
    after(due::SESSION_SETUP, |tester| {
        let stream = tester.stream(body("SessionSetupReq"));
        let length = u32::try_from(stream.len()).unwrap();
        let header = v2gtp::Header { payload_type: v2gtp::PayloadType(0x8001), length };
        let mut message = header.to_bytes().to_vec();
        message[at..at + bytes.len()].copy_from_slice(bytes);
        message.extend_from_slice(&stream);
        tester.world.car.send(&message);
        tester.world.exchange();
        let answer = tester.world.answer(tester.world.now + ANSWER_S * SECOND);
        let seen = match answer {
            Some(_) => Taken::Answered,
            None if tester.world.car.is_closed() => Taken::Broken,
            None => Taken::Skipped,
        };
        same("message", seen, wanted)
    })
}
