//! A car that follows the cases of ISO 15118-4, against the whole charger.

mod cases;
mod framing;

use control_pilot::{Level, Output};
use evse_fsm::Contactors;
use exi_app::{AppProtocol, Message as Handshake, NAMESPACE_DIN, SupportedAppProtocolReq};
use exi_din::{Body, BodyElement, Header, ResponseCode, V2gMessage};
use machine::Duration;
use replay::{World, code};
use roles::{EvseConfig, EvseStorage, Mac};
use session::Target;

use crate::{Outcome, check, same};

pub(crate) use cases::*;
pub(crate) use framing::*;

#[path = "../../../../crates/evse-fsm/tests/bench/mod.rs"]
#[allow(clippy::wildcard_imports, reason = "the charger's own tests use all of it")]
mod bench;

use bench::protocol;
pub(crate) use bench::{GOOD, body};

/// Index of each request in a good session: the number of requests before it.
pub(crate) mod due {
    pub(crate) const SESSION_SETUP: usize = 0;
    pub(crate) const SERVICE_DISCOVERY: usize = 1;
    pub(crate) const PAYMENT: usize = 2;
    pub(crate) const AUTHENTICATION: usize = 3;
    pub(crate) const PARAMETERS: usize = 4;
    pub(crate) const CABLE_CHECK: usize = 5;
    pub(crate) const PRECHARGE: usize = 6;
    pub(crate) const POWER_ON: usize = 7;
    pub(crate) const DEMAND: usize = 8;
    pub(crate) const POWER_OFF: usize = 9;
    pub(crate) const WELDING: usize = 10;
    pub(crate) const STOP: usize = 11;
}

/// `V2G_SECC_Sequence_Timeout`, and the time in which the connection must be closed (the testers'
/// configuration).
const SEQUENCE_S: u64 = 60;
const CLOSE_S: u64 = 5;
/// `V2G_SECC_CommunicationSetup_Timeout`.
const SETUP_S: u64 = 18;
/// Longest time of a response: the car's `V2G_EVCC_Msg_Timeout` (2 s), and `PowerDelivery`'s 5 s.
const ANSWER_S: u64 = 5;

const SECOND: u64 = 1_000_000;

/// A charger with a car plugged in.
struct Tester<'s> {
    world: World<'s>,
    id: Vec<u8>,
    /// Whether the last response of a loop was Ongoing.
    is_ongoing: bool,
}

/// The charger in its default configuration, with shorter times where only waiting would be tested.
fn delivered() -> EvseConfig {
    let mut config = EvseConfig::new(Mac([0x02, 0, 0, 0, 0, 0x01]));
    config.charger.isolation_test = Duration::from_millis(100);
    config
}

/// Sets a charger up, changed by `change`, and runs a test with a connected tester.
fn with(change: impl FnOnce(&mut EvseConfig), test: impl FnOnce(&mut Tester<'_>) -> Outcome) -> Outcome {
    let mut config = delivered();
    change(&mut config);
    let mut storage = EvseStorage::new();
    let mut world = World::new(config, &mut storage, &[1, 2, 3, 4, 5, 6, 7, 8]);
    world.isolation_valid = true;
    world.connect();
    test(&mut Tester { world, id: vec![0; 8], is_ongoing: false })
}

/// The same, after the tester has passed the first `count` requests of a good session.
fn after(count: usize, test: impl FnOnce(&mut Tester<'_>) -> Outcome) -> Outcome {
    with(|_| {}, |tester| tester.reach(count).and_then(|()| test(tester)))
}

/// The EXI stream of a request.
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

/// Whether a response continues its loop.
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

    /// Sets the pilot, and waits until the sensors have read it.
    fn pilot(&mut self, level: Level) {
        self.world.pilot = level;
        self.wait(60_000);
    }

    /// Sends a stream; returns the response of the longest permitted time.
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

    /// Sends a request and returns its response code; the response must have the right type.
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

    /// Offers protocols; returns code and `SchemaID` of the response.
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

    /// A request of a good session, repeated as long as its phase lasts, with the right pilot.
    fn pass(&mut self, name: &str) -> Outcome {
        match name {
            "CableCheckReq" => self.pilot(Level::C),
            "WeldingDetectionReq" | "SessionStopReq" => self.pilot(Level::B),
            _ => {}
        }
        let wanted =
            if name == "SessionSetupReq" { ResponseCode::OkNewSessionEstablished } else { ResponseCode::Ok };
        // A second of precharge brings the output to the car's 350 V.
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
