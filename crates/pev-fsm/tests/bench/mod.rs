//! A car on a bench: a charger with configurable responses, and a plant that follows both sides immediately.
#![allow(dead_code, reason = "each test uses a part of it")]

mod answers;

pub(crate) use answers::*;
use control_pilot::{Level, Output, Proximity};
use exi_din::*;
use machine::{Cx, Duration, Instant, Machine, ScriptedEntropy};
use pev_fsm::{
    Car, Closed, Config, Contactors, Demand, Event, Input, PAYLOAD_TYPE, Plant, Reading, Vehicle, Warning,
};
use session::{Limits, StopReason, Target};

/// Every request of a session in its order; `PowerOn` and `PowerOff` are the two kinds of `PowerDeliveryReq`.
pub(crate) const NAMES: &[&str] = &[
    "Handshake",
    "SessionSetupReq",
    "ServiceDiscoveryReq",
    "ServicePaymentSelectionReq",
    "ContractAuthenticationReq",
    "ChargeParameterDiscoveryReq",
    "CableCheckReq",
    "PreChargeReq",
    "PowerOn",
    "CurrentDemandReq",
    "PowerOff",
    "WeldingDetectionReq",
    "SessionStopReq",
];

/// What the charger has really sent in this session, decoded from the delivered bytes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Told {
    /// A Finished `CableCheckRes` with isolation Valid or Warning.
    pub isolated: bool,
    /// Its newest limit, in mA.
    pub max_current_ma: i32,
}

impl Default for Told {
    fn default() -> Self {
        Self { isolated: false, max_current_ma: i32::MAX }
    }
}

type Tamper = Box<dyn FnMut(&'static str, Answer) -> Answer>;

/// A request of the car, as it was sent.
#[derive(Clone, Debug)]
pub(crate) struct Sent {
    pub at: Instant,
    pub name: &'static str,
    pub id: Vec<u8>,
    pub stream: Vec<u8>,
}

#[allow(clippy::struct_excessive_bools, reason = "each is a fact of its own")]
pub(crate) struct Bench {
    pub car: Car,
    pub now: Instant,
    pub vehicle: Vehicle,
    /// Whether the battery's requirements are passed every 100 ms.
    pub has_vehicle: bool,
    pub has_sensors: bool,
    /// The index of a sensor that does not answer.
    pub missing: Option<usize>,
    pub output: Output,
    pub proximity: Option<Proximity>,
    pub emergency_stop: bool,
    /// The contactors' feedback, whatever is demanded.
    pub contactors_stuck: Option<bool>,
    pub lock_stuck: Option<bool>,
    /// The inlet's temperature; `None` without a sensor.
    pub millicelsius: Option<i32>,
    /// The measured voltage at the inlet, whatever is present.
    pub inlet_mv: Option<i32>,
    pub current_ma: Option<i32>,
    /// The charger's output after its isolation test, in mV, if it does not follow the car's target.
    pub supply_mv: Option<i32>,
    /// The voltage on the cable during `WeldingDetection`, in mV.
    pub rest_mv: i32,
    pub tamper: Option<Tamper>,
    pub latency: Duration,
    pub sent: Vec<Sent>,
    pub events: Vec<Event>,
    /// Called after each call of the car.
    pub check: Option<fn(&mut Self)>,
    /// The newest readings passed to the car.
    pub given: Plant,
    pub vehicle_at: Instant,
    pub pilot_lost_since: Option<Instant>,
    pub winding_down_since: Option<Instant>,
    pub told: Told,
    pub last: Demand,
    /// The charger's output.
    target: Target,
    power: bool,
    pub connected: bool,
    due: Option<(Instant, Answer)>,
    entropy: ScriptedEntropy<'static>,
}

/// A battery of 350 V in a car of 412.8 V and 200 A.
pub(crate) fn vehicle(at: Instant) -> Vehicle {
    Vehicle {
        at,
        limits: Limits {
            max_voltage_mv: 412_800,
            max_current_ma: 200_000,
            max_power_w: 98_000,
            ..Limits::NONE
        },
        battery_mv: Some(350_000),
        target: Target { voltage_mv: 412_800, current_ma: 125_000 },
        soc_percent: 50,
        capacity_wh: 28_000,
        request_wh: 14_000,
        full_soc_percent: Some(94),
        bulk_soc_percent: Some(80),
        full_in_s: Some(1_260),
        bulk_in_s: Some(660),
        is_done: false,
        error: 0,
    }
}

impl Bench {
    pub(crate) fn new() -> Self {
        Self::with(|_| {})
    }

    /// Plugged in, with readings of sensors and battery, not connected yet.
    pub(crate) fn with(change: impl FnOnce(&mut Config)) -> Self {
        let mut config = Config::default();
        change(&mut config);
        let mut bench = Self {
            car: Car::new(config).unwrap(),
            now: Instant::from_millis(1_000),
            vehicle: vehicle(Instant::ZERO),
            has_vehicle: true,
            has_sensors: true,
            missing: None,
            output: Output::DIGITAL,
            proximity: None,
            emergency_stop: false,
            contactors_stuck: None,
            lock_stuck: None,
            millicelsius: None,
            inlet_mv: None,
            current_ma: None,
            supply_mv: None,
            rest_mv: 20_000,
            tamper: None,
            latency: Duration::from_millis(10),
            sent: Vec::new(),
            events: Vec::new(),
            check: None,
            given: Plant::default(),
            vehicle_at: Instant::ZERO,
            pilot_lost_since: None,
            winding_down_since: None,
            told: Told::default(),
            last: Demand::SAFE,
            target: Target::ZERO,
            power: false,
            connected: false,
            due: None,
            entropy: ScriptedEntropy::new(&[1]),
        };
        bench.run(200);
        bench
    }

    /// From now on `tamper` changes the responses.
    pub(crate) fn tamper(&mut self, tamper: impl FnMut(&'static str, Answer) -> Answer + 'static) {
        self.tamper = Some(Box::new(tamper));
    }

    pub(crate) fn input(&mut self, input: Input<'_>) {
        let mut cx = Cx { now: self.now, entropy: &mut self.entropy };
        if let Input::Plant(plant) = input {
            self.given = plant;
            let is_lost = plant.pilot.is_some_and(|reading| reading.value != Output::DIGITAL);
            self.pilot_lost_since = self.pilot_lost_since.or(Some(self.now)).filter(|_| is_lost);
        }
        if let Input::Vehicle(vehicle) = input {
            self.vehicle_at = vehicle.at;
        }
        self.car.handle(&mut cx, input);
        self.drain();
    }

    /// Sends these bytes instead of the response.
    pub(crate) fn garbage(&mut self, bytes: &[u8]) {
        self.due = None;
        self.input(Input::Message { payload_type: PAYLOAD_TYPE, payload: bytes });
    }

    pub(crate) fn connect(&mut self) {
        self.connected = true;
        (self.due, self.power, self.target) = (None, false, Target::ZERO);
        self.told = Told::default();
        self.input(Input::Connected);
    }

    fn drain(&mut self) {
        while let Some(event) = self.car.poll_event() {
            self.events.push(event);
        }
        if let Some(check) = self.check {
            check(self);
        }
        self.last = self.car.demand();
        let mut buffer = [0; 512];
        while let Some((length, _)) = self.car.poll_transmit(&mut buffer).unwrap() {
            self.request(&buffer[..length]);
        }
    }

    /// The voltage on the cable's side of the contactors: what is measured at the inlet.
    pub(crate) fn inlet(&self) -> i32 {
        let closed = self.contactors_stuck.unwrap_or(self.car.demand().contactors == Contactors::Closed);
        if closed {
            return self.vehicle.battery_mv.unwrap_or(self.target.voltage_mv);
        }
        if self.car.demand().pilot == Level::B { 0 } else { self.supply_mv.unwrap_or(self.target.voltage_mv) }
    }

    fn current(&self) -> i32 {
        let demand = self.car.demand();
        let flows = self.power && demand.contactors == Contactors::Closed && demand.pilot != Level::B;
        if flows { self.target.current_ma } else { 0 }
    }

    pub(crate) fn plant(&self) -> Plant {
        let at = self.now;
        let demand = self.car.demand();
        let closed = self.contactors_stuck.unwrap_or(demand.contactors == Contactors::Closed);
        let locked = self.lock_stuck.unwrap_or(demand.lock == pev_fsm::Lock::Held);
        let mut plant = Plant {
            pilot: Some(Reading::new(self.output, at)),
            proximity: self.proximity.map(|proximity| Reading::new(proximity, at)),
            inlet_mv: Some(Reading::new(self.inlet_mv.unwrap_or_else(|| self.inlet()), at)),
            current_ma: Some(Reading::new(self.current_ma.unwrap_or_else(|| self.current()), at)),
            contactors: Some(Reading::new(closed, at)),
            lock: Some(Reading::new(locked, at)),
            inlet_millicelsius: self.millicelsius.map(|value| Reading::new(value, at)),
            emergency_stop: Some(Reading::new(self.emergency_stop, at)),
        };
        match self.missing {
            Some(0) => plant.pilot = None,
            Some(1) => plant.inlet_mv = None,
            Some(2) => plant.current_ma = None,
            Some(3) => plant.contactors = None,
            Some(4) => plant.lock = None,
            Some(5) => plant.emergency_stop = None,
            Some(_) | None => {}
        }
        plant
    }

    /// One step of 10 ms; readings every 20 ms.
    pub(crate) fn tick(&mut self) {
        self.now += Duration::from_millis(10);
        if let Some((_, answer)) = self.due.take_if(|(at, _)| *at <= self.now) {
            self.deliver(&answer);
        }
        let mut cx = Cx { now: self.now, entropy: &mut self.entropy };
        self.car.handle_timeout(&mut cx);
        self.drain();
        if self.has_sensors && self.now.as_millis().is_multiple_of(20) {
            self.input(Input::Plant(self.plant()));
        }
        if self.has_vehicle && self.now.as_millis().is_multiple_of(100) {
            self.vehicle.at = self.now;
            self.input(Input::Vehicle(self.vehicle));
        }
        if self.connected && self.car.wants_close() {
            self.close(Closed::Fin);
        }
    }

    pub(crate) fn close(&mut self, closed: Closed) {
        self.connected = false;
        self.due = None;
        self.input(Input::Closed(closed));
    }

    pub(crate) fn run(&mut self, millis: u64) {
        for _ in 0..millis / 10 {
            self.tick();
        }
    }

    /// Runs until a request of this name is sent; it is not answered yet.
    pub(crate) fn run_to(&mut self, name: &str) {
        let before = self.sent.len();
        for _ in 0..12_000 {
            if self.sent[before..].iter().any(|sent| sent.name == name) {
                return;
            }
            self.tick();
        }
        panic!("{name} never comes; {:?}", self.car.stop_reason());
    }

    /// Connects and runs until a request of this name is sent.
    pub(crate) fn at(name: &str) -> Self {
        let mut bench = Self::new();
        bench.start_to(name);
        bench
    }

    /// The newest request of this name, as it was sent.
    pub(crate) fn said(&self, name: &str) -> Vec<u8> {
        self.sent.iter().rev().find(|sent| sent.name == name).unwrap().stream.clone()
    }

    pub(crate) fn start_to(&mut self, name: &str) {
        self.connect();
        if self.sent.last().is_none_or(|sent| sent.name != name) {
            if matches!(name, "PowerOff" | "WeldingDetectionReq" | "SessionStopReq") {
                self.run_to("CurrentDemandReq");
                self.run(500);
                self.input(Input::Operator(pev_fsm::Operator::Stop));
            }
            if self.sent.last().is_none_or(|sent| sent.name != name) {
                self.run_to(name);
            }
        }
    }

    /// Asserts that nothing is closed and the pilot is not at C.
    pub(crate) fn assert_safe(&self, label: &str) {
        let demand = self.car.demand();
        assert_eq!((demand.pilot, demand.contactors), (Level::B, Contactors::Open), "{label}");
    }

    /// Runs until the session has ended, 90 s at most, and returns the reason.
    pub(crate) fn end(&mut self) -> StopReason {
        for _ in 0..9_000 {
            if let Some(Event::Stopped(stop)) =
                self.events.iter().rev().find(|e| matches!(e, Event::Stopped(_)))
            {
                return *stop;
            }
            self.tick();
        }
        panic!("the session does not end in {}", self.car.phase());
    }

    pub(crate) fn names(&self) -> Vec<&'static str> {
        let mut names: Vec<_> = self.sent.iter().map(|sent| sent.name).collect();
        names.dedup();
        names
    }

    pub(crate) fn warned(&self, warning: Warning) -> bool {
        self.events.contains(&Event::Warning(warning))
    }

    fn deliver(&mut self, answer: &Answer) {
        let stream = encode(answer);
        self.note(&stream);
        self.input(Input::Message { payload_type: PAYLOAD_TYPE, payload: &stream });
    }

    /// Records the content of the delivered bytes.
    fn note(&mut self, stream: &[u8]) {
        let Ok(message) = V2gMessage::decode(stream) else { return };
        let asked = self.sent.last().map_or("", |sent| sent.name);
        match (asked, message.body.element) {
            ("CableCheckReq", Some(BodyElement::CableCheckRes(res))) => {
                let isolation = res.dc_evse_status.evse_isolation_status;
                self.told.isolated = res.evse_processing == EvseProcessing::Finished
                    && matches!(isolation, Some(IsolationLevel::Valid | IsolationLevel::Warning));
            }
            ("ChargeParameterDiscoveryReq", Some(BodyElement::ChargeParameterDiscoveryRes(res))) => {
                if let EvseChargeParameter::Dc(dc) = res.evse_charge_parameter {
                    self.told.max_current_ma = dc.evse_maximum_current_limit.milli_of(UnitSymbol::A);
                }
            }
            ("CurrentDemandReq", Some(BodyElement::CurrentDemandRes(res))) => {
                if let Some(limit) = res.evse_maximum_current_limit {
                    self.told.max_current_ma = limit.milli_of(UnitSymbol::A);
                }
            }
            _ => {}
        }
    }

    fn request(&mut self, stream: &[u8]) {
        let (name, id, answer) = match V2gMessage::decode(stream) {
            Err(_) => {
                let exi_app::Message::Req(offer) = exi_app::Message::decode(stream).unwrap() else {
                    panic!("a car that answers")
                };
                let schema_id = offer.app_protocol.first().map(|protocol| protocol.schema_id);
                let response_code = exi_app::ResponseCode::OkSuccessfulNegotiation;
                let res = exi_app::SupportedAppProtocolRes { response_code, schema_id };
                ("Handshake", Vec::new(), Answer::Handshake(res))
            }
            Ok(message) => {
                let id: Vec<u8> = message.header.session_id.iter().collect();
                let body = message.body.element.unwrap();
                let name = match &body {
                    BodyElement::PowerDeliveryReq(req) if req.ready_to_charge_state => "PowerOn",
                    BodyElement::PowerDeliveryReq(_) => "PowerOff",
                    body => body.name(),
                };
                (name, id, Answer::Din { id: ID.to_vec(), body: self.serve(&body) })
            }
        };
        self.sent.push(Sent { at: self.now, name, id, stream: stream.to_vec() });
        let answer = match &mut self.tamper {
            Some(tamper) => tamper(name, answer),
            None => answer,
        };
        assert!(self.due.is_none(), "one request at a time: {name}");
        if !matches!(answer, Answer::Silence) {
            self.due = Some((self.now + self.latency, answer));
        }
    }

    fn serve(&mut self, body: &BodyElement<'_>) -> BodyElement<'static> {
        match body {
            BodyElement::PreChargeReq(req) => {
                self.target = target(req.ev_target_voltage, req.ev_target_current);
            }
            BodyElement::CurrentDemandReq(req) => {
                self.target = target(req.ev_target_voltage, req.ev_target_current);
            }
            BodyElement::PowerDeliveryReq(req) => {
                self.power = req.ready_to_charge_state;
                if !self.power {
                    self.target = Target::ZERO;
                }
            }
            _ => {}
        }
        let present = match body {
            BodyElement::PreChargeReq(_) => self.supply_mv.unwrap_or(self.target.voltage_mv),
            BodyElement::WeldingDetectionReq(_) => self.rest_mv,
            _ => self.inlet(),
        };
        good(body.name(), present, self.current())
    }
}
