//! A charger on a bench: a car that sends any message at any time, and a plant that follows the demand
//! immediately.
#![allow(dead_code, reason = "each test uses a part of it")]

use control_pilot::{Level, Proximity};
use evse_fsm::{
    Charger, Config, Contactors, Event, Input, Insulation, Isolation, PAYLOAD_TYPE, Plant, Reading, SelfTest,
};
use exi_din::*;
use machine::{Cx, Duration, Instant, Machine, ScriptedEntropy};

/// Every request of a DC session; `PowerOffReq` stands for `PowerDeliveryReq` with `ReadyToChargeState`
/// false.
pub(super) const NAMES: &[&str] = &[
    "SessionSetupReq",
    "ServiceDiscoveryReq",
    "ServicePaymentSelectionReq",
    "ContractAuthenticationReq",
    "ChargeParameterDiscoveryReq",
    "CableCheckReq",
    "PreChargeReq",
    "PowerDeliveryReq",
    "CurrentDemandReq",
    "PowerOffReq",
    "WeldingDetectionReq",
    "SessionStopReq",
    "ServiceDetailReq",
    "ChargingStatusReq",
];

/// The order of a successful session; the charging loop repeats.
pub(crate) const GOOD: &[&str] = NAMES.split_at(12).0;

/// A protocol that a car offers.
pub(super) fn protocol(namespace: &str, schema_id: u8, minor: u32, priority: i8) -> exi_app::AppProtocol<'_> {
    exi_app::AppProtocol {
        protocol_namespace: namespace.into(),
        version_number_major: exi::Saturated(2),
        version_number_minor: exi::Saturated(minor),
        schema_id,
        priority: exi_app::Priority::clamped(priority),
    }
}

#[allow(clippy::struct_excessive_bools, reason = "each is a fact of its own")]
pub(super) struct Bench {
    pub charger: Charger,
    pub now: Instant,
    pub pilot: Level,
    /// The session id that the car sends.
    pub id: Vec<u8>,
    pub isolation: Isolation,
    /// The monitor's other values: resistance, count, self-test.
    pub monitor: Insulation,
    /// Whether its count increases.
    pub counts: bool,
    /// The events since the car's last connection.
    pub events: Vec<Event>,
    /// The contactors' feedback, whatever is demanded.
    pub contactors_stuck: Option<bool>,
    /// Whether any sensor except the pilot's exists.
    pub has_sensors: bool,
    /// The newest voltage and current that the charger has reported.
    pub told: Option<session::Target>,
    /// Whether the contactors have feedback.
    pub has_feedback: bool,
    /// The measured voltage at the output, whatever is demanded.
    pub measured_mv: Option<i32>,
    /// The measured current, whatever is demanded.
    pub current_ma: Option<i32>,
    /// The measured current, whatever the output contactors do.
    pub out_ma: Option<i32>,
    /// The measured voltage on the power stage's side of the output contactors.
    pub stage_mv: Option<i32>,
    pub lock: Option<bool>,
    pub proximity: Option<Proximity>,
    /// The pilot's measured duty cycle, in per mille.
    pub duty: Option<u16>,
    /// Whether the last `CableCheckRes` was Finished.
    pub is_finished: bool,
    /// The charger's newest status in a response.
    pub status: Option<DcEvseStatusCode>,
    entropy: ScriptedEntropy<'static>,
}

pub(super) fn volts(value: i16) -> PhysicalValue {
    PhysicalValue { multiplier: UnitMultiplier::clamped(0), unit: Some(UnitSymbol::V), value }
}

pub(super) fn amperes(value: i16) -> PhysicalValue {
    PhysicalValue { multiplier: UnitMultiplier::clamped(0), unit: Some(UnitSymbol::A), value }
}

const CAR: DcEvStatus = DcEvStatus {
    ev_ready: true,
    ev_cabin_conditioning: None,
    ev_ress_conditioning: None,
    ev_error_code: DcEvErrorCode::NoError,
    ev_ress_soc: Percent::MAX,
};

const SERVICES: &[SelectedService] = &[SelectedService { service_id: 1, parameter_set_id: None }];

/// A valid request of each kind: a car of 450 V and 200 A whose battery has 350 V.
pub(crate) fn body(name: &str) -> BodyElement<'static> {
    match name {
        "SessionSetupReq" => {
            BodyElement::SessionSetupReq(SessionSetupReq { evcc_id: (&[2, 0, 0, 0, 0, 1]).into() })
        }
        "ServiceDiscoveryReq" => BodyElement::ServiceDiscoveryReq(ServiceDiscoveryReq {
            service_scope: None,
            service_category: Some(ServiceCategory::EvCharging),
        }),
        "ServicePaymentSelectionReq" => BodyElement::ServicePaymentSelectionReq(ServicePaymentSelectionReq {
            selected_payment_option: PaymentOption::ExternalPayment,
            selected_service_list: SelectedServiceList { selected_service: SERVICES.into() },
        }),
        "ContractAuthenticationReq" => BodyElement::ContractAuthenticationReq(ContractAuthenticationReq {
            id: None,
            gen_challenge: None,
        }),
        "ChargeParameterDiscoveryReq" => {
            BodyElement::ChargeParameterDiscoveryReq(ChargeParameterDiscoveryReq {
                ev_requested_energy_transfer_type: EvRequestedEnergyTransfer::DcExtended,
                ev_charge_parameter: EvChargeParameter::Dc(DcEvChargeParameter {
                    dc_ev_status: CAR,
                    ev_maximum_current_limit: amperes(200),
                    ev_maximum_power_limit: None,
                    ev_maximum_voltage_limit: volts(450),
                    ev_energy_capacity: None,
                    ev_energy_request: None,
                    full_soc: None,
                    bulk_soc: None,
                }),
            })
        }
        "CableCheckReq" => BodyElement::CableCheckReq(CableCheckReq { dc_ev_status: CAR }),
        "PreChargeReq" => BodyElement::PreChargeReq(PreChargeReq {
            dc_ev_status: CAR,
            ev_target_voltage: volts(350),
            ev_target_current: amperes(1),
        }),
        "PowerDeliveryReq" | "PowerOffReq" => BodyElement::PowerDeliveryReq(PowerDeliveryReq {
            ready_to_charge_state: name == "PowerDeliveryReq",
            charging_profile: None,
            ev_power_delivery_parameter: None,
        }),
        "CurrentDemandReq" => BodyElement::CurrentDemandReq(CurrentDemandReq {
            dc_ev_status: CAR,
            ev_target_current: amperes(60),
            ev_maximum_voltage_limit: None,
            ev_maximum_current_limit: None,
            ev_maximum_power_limit: None,
            bulk_charging_complete: None,
            charging_complete: false,
            remaining_time_to_full_soc: None,
            remaining_time_to_bulk_soc: None,
            ev_target_voltage: volts(400),
        }),
        "WeldingDetectionReq" => BodyElement::WeldingDetectionReq(WeldingDetectionReq { dc_ev_status: CAR }),
        "SessionStopReq" => BodyElement::SessionStopReq(SessionStopReq {}),
        "ServiceDetailReq" => BodyElement::ServiceDetailReq(ServiceDetailReq { service_id: 1 }),
        "ChargingStatusReq" => BodyElement::ChargingStatusReq(ChargingStatusReq {}),
        other => panic!("no request {other}"),
    }
}

/// The response code.
pub(super) fn code(body: &BodyElement<'_>) -> ResponseCode {
    match body {
        BodyElement::SessionSetupRes(res) => res.response_code,
        BodyElement::ServiceDiscoveryRes(res) => res.response_code,
        BodyElement::ServicePaymentSelectionRes(res) => res.response_code,
        BodyElement::ContractAuthenticationRes(res) => res.response_code,
        BodyElement::ChargeParameterDiscoveryRes(res) => res.response_code,
        BodyElement::CableCheckRes(res) => res.response_code,
        BodyElement::PreChargeRes(res) => res.response_code,
        BodyElement::PowerDeliveryRes(res) => res.response_code,
        BodyElement::CurrentDemandRes(res) => res.response_code,
        BodyElement::WeldingDetectionRes(res) => res.response_code,
        BodyElement::SessionStopRes(res) => res.response_code,
        BodyElement::ServiceDetailRes(res) => res.response_code,
        BodyElement::ChargingStatusRes(res) => res.response_code,
        other => panic!("{other:?} is no answer of a charger"),
    }
}

/// The voltage and current in a response.
fn told(body: &BodyElement<'_>) -> Option<session::Target> {
    match body {
        BodyElement::PreChargeRes(res) => {
            let voltage_mv = res.evse_present_voltage.milli_of(UnitSymbol::V);
            Some(session::Target { voltage_mv, current_ma: 0 })
        }
        BodyElement::CurrentDemandRes(res) => Some(session::Target {
            voltage_mv: res.evse_present_voltage.milli_of(UnitSymbol::V),
            current_ma: res.evse_present_current.milli_of(UnitSymbol::A),
        }),
        _ => None,
    }
}

/// The charger's status in a response.
fn status(body: &BodyElement<'_>) -> Option<DcEvseStatusCode> {
    let status = match body {
        BodyElement::ChargeParameterDiscoveryRes(res) => match res.evse_charge_parameter {
            EvseChargeParameter::Dc(dc) => dc.dc_evse_status,
            _ => return None,
        },
        BodyElement::CableCheckRes(res) => res.dc_evse_status,
        BodyElement::PreChargeRes(res) => res.dc_evse_status,
        BodyElement::PowerDeliveryRes(res) => match res.evse_status {
            EvseStatus::Dc(dc) => dc,
            _ => return None,
        },
        BodyElement::CurrentDemandRes(res) => res.dc_evse_status,
        BodyElement::WeldingDetectionRes(res) => res.dc_evse_status,
        _ => return None,
    };
    Some(status.evse_status_code)
}

impl Bench {
    /// A charger with an inserted plug and a connection, before the handshake.
    pub(super) fn plugged() -> Self {
        Self::prepare(|_| {})
    }

    /// A charger after the handshake.
    pub(super) fn connected() -> Self {
        Self::with(|_| {})
    }

    pub(super) fn with(change: impl FnOnce(&mut Config)) -> Self {
        let mut bench = Self::prepare(change);
        let din = protocol(exi_app::NAMESPACE_DIN, 1, 0, 1);
        assert_eq!(bench.handshake(&[din]).schema_id, Some(1));
        bench
    }

    fn prepare(change: impl FnOnce(&mut Config)) -> Self {
        let mut bench = Self::unplugged(change);
        bench.run(500);
        bench.pilot = Level::B;
        bench.run(1_000);
        bench.input(Input::Connected);
        bench
    }

    /// A charger that has just started, without a plug.
    pub(super) fn unplugged(change: impl FnOnce(&mut Config)) -> Self {
        let mut config = Config { isolation_test: Duration::from_millis(100), ..Config::default() };
        change(&mut config);
        Self {
            charger: Charger::new(config).unwrap(),
            now: Instant::ZERO,
            pilot: Level::A,
            id: vec![0; 8],
            isolation: Isolation::Valid,
            monitor: Insulation::of(Isolation::Valid),
            counts: false,
            events: Vec::new(),
            contactors_stuck: None,
            has_sensors: true,
            told: None,
            has_feedback: true,
            measured_mv: None,
            current_ma: None,
            out_ma: None,
            stage_mv: None,
            lock: None,
            proximity: None,
            duty: None,
            is_finished: false,
            status: None,
            entropy: ScriptedEntropy::new(&[1, 2, 3, 4, 5, 6, 7, 8]),
        }
    }

    /// The car connects again and offers DIN SPEC 70121; whether that succeeds depends on the charger.
    pub(super) fn reopen(&mut self) {
        self.id = vec![0; 8];
        self.input(Input::Connected);
        let _ = self.offer(&[protocol(exi_app::NAMESPACE_DIN, 1, 0, 1)]);
    }

    pub(super) fn input(&mut self, input: Input<'_>) {
        let mut cx = Cx { now: self.now, entropy: &mut self.entropy };
        if matches!(input, Input::Connected) {
            self.events.clear();
        }
        self.charger.handle(&mut cx, input);
        while let Some(event) = self.charger.poll_event() {
            self.events.push(event);
        }
    }

    /// Advances by `millis`, with a reading every 20 ms.
    pub(super) fn run(&mut self, millis: u64) {
        for _ in 0..millis / 20 {
            self.now += Duration::from_millis(20);
            let mut cx = Cx { now: self.now, entropy: &mut self.entropy };
            self.charger.handle_timeout(&mut cx);
            let (at, demand) = (self.now, self.charger.demand());
            let closed = demand.contactors == Contactors::Closed;
            let follow = |value| Some(Reading::new(if closed { value } else { 0 }, at));
            let read = |value| Reading::new(value, at);
            let read_bool = |value: bool| Reading::new(value, at);
            if self.counts {
                self.monitor.count = self.monitor.count.map_or(Some(0), |count| Some(count.wrapping_add(1)));
            }
            if let (Some(SelfTest::Pending), true) = (self.monitor.self_test, demand.self_test) {
                self.monitor.self_test = Some(SelfTest::Passed);
            }
            let plant = Plant {
                pilot: Some(Reading::new(self.pilot, at)),
                voltage_mv: self.measured_mv.map(read).or(follow(demand.supply.voltage_mv)),
                stage_mv: self.stage_mv.map(read),
                current_ma: self
                    .out_ma
                    .or(self.current_ma)
                    .filter(|_| closed || self.out_ma.is_some())
                    .map(read)
                    .or(follow(if demand.supply.current_ma > 2000 { demand.supply.current_ma } else { 0 })),
                isolation: Some(Reading::new(Insulation { status: self.isolation, ..self.monitor }, at)),
                contactors: Some(read_bool(self.contactors_stuck.unwrap_or(closed)))
                    .filter(|_| self.has_feedback),
                emergency_stop: Some(Reading::new(false, at)),
                lock: self.lock.map(|lock| Reading::new(lock, at)),
                proximity: self.proximity.map(|proximity| Reading::new(proximity, at)),
                duty_permille: self.duty.map(|duty| Reading::new(duty, at)),
            };
            let bare = Plant { pilot: plant.pilot, ..Plant::default() };
            self.input(Input::Plant(if self.has_sensors { plant } else { bare }));
        }
    }

    /// Advances by `millis` without any reading.
    pub(super) fn run_blind(&mut self, millis: u64) {
        for _ in 0..millis / 20 {
            self.now += Duration::from_millis(20);
            let mut cx = Cx { now: self.now, entropy: &mut self.entropy };
            self.charger.handle_timeout(&mut cx);
        }
    }

    pub(super) fn handshake(
        &mut self,
        offer: &[exi_app::AppProtocol<'_>],
    ) -> exi_app::SupportedAppProtocolRes {
        self.offer(offer).unwrap()
    }

    fn offer(&mut self, offer: &[exi_app::AppProtocol<'_>]) -> Option<exi_app::SupportedAppProtocolRes> {
        let mut buffer = [0; 512];
        let message = exi_app::Message::Req(exi_app::SupportedAppProtocolReq { app_protocol: offer.into() });
        let length = message.encode(&mut buffer).unwrap();
        self.input(Input::Message { payload_type: PAYLOAD_TYPE, payload: &buffer[..length] });
        let (length, _) = self.charger.poll_transmit(&mut buffer).unwrap()?;
        match exi_app::Message::decode(&buffer[..length]).unwrap() {
            exi_app::Message::Res(answer) => Some(answer),
            exi_app::Message::Req(_) => panic!("a charger offers nothing"),
        }
    }

    /// Sends a request and waits for its response, 3 s at most: name and code.
    pub(super) fn send(&mut self, element: BodyElement<'_>) -> Option<(&'static str, ResponseCode)> {
        let header = Header { session_id: self.id.as_slice().into(), notification: None, signature: None };
        let mut buffer = [0; 512];
        let message = V2gMessage { header, body: Body { element: Some(element) } };
        let length = message.encode(&mut buffer).unwrap();
        self.input(Input::Message { payload_type: PAYLOAD_TYPE, payload: &buffer[..length] });
        for _ in 0..150 {
            if let Some((length, _)) = self.charger.poll_transmit(&mut buffer).unwrap() {
                let answer = V2gMessage::decode(&buffer[..length]).unwrap();
                let element = answer.body.element.unwrap();
                if matches!(element, BodyElement::SessionSetupRes(_)) && !code(&element).is_failed() {
                    self.id = answer.header.session_id.iter().collect();
                }
                if let BodyElement::CableCheckRes(res) = &element {
                    self.is_finished = res.evse_processing == EvseProcessing::Finished;
                }
                self.status = status(&element).or(self.status);
                self.told = told(&element).or(self.told);
                return Some((element.name(), code(&element)));
            }
            self.run(20);
        }
        None
    }

    /// Requests current as a car does, for `millis`.
    pub(super) fn charge(&mut self, millis: u64) {
        for _ in 0..millis / 100 {
            self.ask("CurrentDemandReq");
            self.run(100);
        }
    }

    /// Whether this event has occurred since the car's last connection.
    pub(super) fn has_said(&self, event: Event) -> bool {
        self.events.contains(&event)
    }

    pub(super) fn ask(&mut self, name: &str) -> Option<(&'static str, ResponseCode)> {
        self.send(body(name))
    }

    /// Sends requests as a car does, one after the other.
    pub(super) fn pass_all(&mut self, names: &[&str]) {
        for name in names {
            self.pass(name);
        }
    }

    /// Sends a request as a car does: with the pilot in its state, and repeated until its phase is over.
    pub(super) fn pass(&mut self, name: &str) {
        match name {
            "CableCheckReq" => self.pilot = Level::C,
            "WeldingDetectionReq" => self.pilot = Level::B,
            _ => {}
        }
        self.run(40);
        let rounds = if matches!(name, "CableCheckReq" | "PreChargeReq") { 60 } else { 1 };
        for _ in 0..rounds {
            let (_, code) = self.ask(name).unwrap();
            assert!(!code.is_failed(), "{name}: {code:?}");
            if name == "CableCheckReq" && self.is_finished {
                break;
            }
            if name != "CurrentDemandReq" {
                self.run(100);
            }
        }
    }
}
