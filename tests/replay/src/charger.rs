use std::collections::BTreeMap;

use control_pilot::{Level, Output};
use exi_din::{BodyElement, EvChargeParameter, PhysicalValue, UnitSymbol, V2gMessage};
use machine::{Cx, Duration, Instant, Machine, ScriptedEntropy};
use pev_fsm::{
    Car, Closed, Config, Contactors, Event, Input, Latch, Lock, Operator, Plant, Reading, Vehicle,
};
use session::{Limits, StopReason, Target};

use crate::{Response, Session, switches_off};

/// How a recorded charger's session with our car ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// By the session's own messages or faults.
    Stopped(StopReason),
    /// The car sent a request for which the recording has no response. The message's name.
    Beyond(&'static str),
}

/// The result of our car with a recorded charger.
#[derive(Debug)]
pub struct Played {
    /// How it ended.
    pub end: End,
    /// Number of responses that the car accepted.
    pub taken: usize,
    /// The names of the car's messages, without repetitions.
    pub said: Vec<&'static str>,
    /// Whether the contactors were closed at any time.
    pub has_closed: bool,
    /// Whether they opened under current.
    pub has_emergency: bool,
}

/// A recorded charger's answers by the name of the request, and a car of ours with the recorded car's
/// battery.
///
/// The plant: the inlet measures the charger's last reported voltage, with closed contactors the battery's,
/// and at pilot B nothing. The current is the requested one. Contactors and lock confirm immediately. When
/// the responses to `CurrentDemandReq` are used up, the recorded car had a reason to stop; then our car's
/// operator stops it.
struct World<'s> {
    car: Car,
    vehicle: Vehicle,
    answers: BTreeMap<&'static str, Vec<&'s Response>>,
    now: Instant,
    reported_mv: i32,
    asked_ma: i32,
    due: Option<(Instant, &'s Response)>,
    is_connected: bool,
    played: Played,
    beyond: Option<&'static str>,
    stop: Option<StopReason>,
    entropy: ScriptedEntropy<'static>,
}

fn name_of(request: &[u8]) -> &'static str {
    match V2gMessage::decode(request) {
        Err(_) => "supportedAppProtocolReq",
        Ok(_) if switches_off(request) => "PowerOff",
        Ok(message) => message.name().unwrap(),
    }
}

fn milli(value: PhysicalValue, unit: UnitSymbol) -> i32 {
    value.milli_of(unit)
}

/// The recorded car's battery, derived from its messages.
fn vehicle(session: &Session) -> Vehicle {
    let mut vehicle = Vehicle {
        at: Instant::ZERO,
        limits: Limits {
            max_voltage_mv: 410_000,
            max_current_ma: 125_000,
            max_power_w: 50_000,
            ..Limits::NONE
        },
        battery_mv: Some(350_000),
        target: Target::ZERO,
        soc_percent: 50,
        capacity_wh: 28_000,
        request_wh: 14_000,
        full_soc_percent: None,
        bulk_soc_percent: None,
        full_in_s: None,
        bulk_in_s: None,
        is_done: false,
        error: 0,
    };
    for request in &session.requests {
        let Ok(message) = V2gMessage::decode(&request.stream) else { continue };
        match message.body.element {
            Some(BodyElement::ChargeParameterDiscoveryReq(req)) => {
                if let EvChargeParameter::Dc(dc) = req.ev_charge_parameter {
                    vehicle.limits.max_voltage_mv = milli(dc.ev_maximum_voltage_limit, UnitSymbol::V);
                    vehicle.limits.max_current_ma = milli(dc.ev_maximum_current_limit, UnitSymbol::A);
                    vehicle.limits.max_power_w =
                        dc.ev_maximum_power_limit.map_or(350_000, PhysicalValue::whole);
                }
            }
            Some(BodyElement::PreChargeReq(req)) => {
                vehicle.battery_mv = Some(milli(req.ev_target_voltage, UnitSymbol::V));
            }
            _ => {}
        }
    }
    vehicle.target =
        Target { voltage_mv: vehicle.limits.max_voltage_mv, current_ma: vehicle.limits.max_current_ma };
    vehicle
}

impl<'s> World<'s> {
    fn new(session: &'s Session, change: impl FnOnce(&mut Config)) -> Self {
        let mut answers: BTreeMap<&'static str, Vec<&Response>> = BTreeMap::new();
        for response in session.responses.iter().rev() {
            let request = match response.name {
                "PowerDeliveryRes" if response.is_power_off => "PowerOff",
                name => {
                    let request =
                        session.requests.iter().find(|request| request.name.replace("Req", "Res") == name);
                    request.map_or("", |request| request.name)
                }
            };
            answers.entry(request).or_default().push(response);
        }
        let schema_id =
            session.responses.first().map(|response| match exi_app::Message::decode(&response.stream) {
                Ok(exi_app::Message::Res(res)) => res.schema_id.unwrap_or(1),
                _ => 1,
            });
        let mut config = Config { schema_id: schema_id.unwrap_or(1), ..Config::default() };
        change(&mut config);
        let played = Played {
            end: End::Beyond(""),
            taken: 0,
            said: Vec::new(),
            has_closed: false,
            has_emergency: false,
        };
        Self {
            car: Car::new(config).unwrap(),
            vehicle: vehicle(session),
            answers,
            now: Instant::from_millis(1_000),
            reported_mv: 0,
            asked_ma: 0,
            due: None,
            is_connected: false,
            played,
            beyond: None,
            stop: None,
            entropy: ScriptedEntropy::new(&[1]),
        }
    }

    fn plant(&self) -> Plant {
        let at = self.now;
        let demand = self.car.demand();
        let closed = demand.contactors == Contactors::Closed;
        let is_ready = demand.pilot == Level::C;
        let inlet = match (closed, is_ready) {
            (true, _) => self.vehicle.battery_mv.unwrap(),
            (false, true) => self.reported_mv,
            (false, false) => 0,
        };
        Plant {
            pilot: Some(Reading::new(Output::DIGITAL, at)),
            inlet_mv: Some(Reading::new(inlet, at)),
            current_ma: Some(Reading::new(if closed && is_ready { self.asked_ma } else { 0 }, at)),
            contactors: Some(Reading::new(closed, at)),
            lock: Some(Reading::new(demand.lock == pev_fsm::Lock::Held, at)),
            ..Plant::default()
        }
    }

    fn input(&mut self, input: Input<'_>) {
        let mut cx = Cx { now: self.now, entropy: &mut self.entropy };
        self.car.handle(&mut cx, input);
        self.drain();
    }

    fn drain(&mut self) {
        while let Some(event) = self.car.poll_event() {
            match event {
                Event::Stopped(stop) => self.stop = Some(stop),
                Event::EmergencyOpening { .. } => self.played.has_emergency = true,
                _ => {}
            }
        }
        self.played.has_closed |= self.car.demand().contactors == Contactors::Closed;
        let mut buffer = [0; 512];
        while let Some((length, _)) = self.car.poll_transmit(&mut buffer).unwrap() {
            self.request(&buffer[..length]);
        }
    }

    fn request(&mut self, stream: &[u8]) {
        let name = name_of(stream);
        if self.played.said.last() != Some(&name) {
            self.played.said.push(name);
        }
        if let Ok(message) = V2gMessage::decode(stream)
            && let Some(BodyElement::CurrentDemandReq(req)) = message.body.element
        {
            self.asked_ma = milli(req.ev_target_current, UnitSymbol::A);
        }
        let left = self.answers.get_mut(name);
        let Some(answer) = left.and_then(Vec::pop) else {
            self.beyond = self.beyond.or(Some(name));
            return;
        };
        self.due = Some((self.now + Duration::from_micros(answer.latency), answer));
    }

    fn deliver(&mut self, response: &Response) {
        self.played.taken += 1;
        if let Ok(message) = V2gMessage::decode(&response.stream) {
            match message.body.element {
                Some(BodyElement::PreChargeRes(res)) => {
                    self.reported_mv = milli(res.evse_present_voltage, UnitSymbol::V);
                    // The sensors read the charger's output before the message arrives.
                    let plant = self.plant();
                    self.input(Input::Plant(plant));
                }
                Some(BodyElement::CurrentDemandRes(res)) => {
                    self.reported_mv = milli(res.evse_present_voltage, UnitSymbol::V);
                }
                _ => {}
            }
        }
        self.input(Input::Message { payload_type: pev_fsm::PAYLOAD_TYPE, payload: &response.stream });
        let used_up = self.answers.get("CurrentDemandReq").is_some_and(Vec::is_empty);
        let has_power_off = self.answers.contains_key("PowerOff");
        if response.name == "CurrentDemandRes" && used_up && has_power_off {
            self.input(Input::Operator(Operator::Stop));
        }
    }

    fn tick(&mut self) {
        self.now += Duration::from_millis(10);
        if let Some((_, response)) = self.due.take_if(|(at, _)| *at <= self.now) {
            self.deliver(response);
        }
        let mut cx = Cx { now: self.now, entropy: &mut self.entropy };
        self.car.handle_timeout(&mut cx);
        self.drain();
        let plant = self.plant();
        self.input(Input::Plant(plant));
        self.vehicle.at = self.now;
        self.input(Input::Vehicle(self.vehicle));
        if self.is_connected && self.car.wants_close() {
            self.is_connected = false;
            self.input(Input::Closed(Closed::Fin));
        }
    }
}

/// Runs our car against the recorded charger's responses, with the recorded latencies. `change` modifies the
/// car's configuration.
pub fn play_charger(session: &Session, change: impl FnOnce(&mut Config)) -> Played {
    World::play(session, change).played
}

/// The state after the session.
#[derive(Debug)]
pub struct After {
    /// What the car latched.
    pub latched: Option<Latch>,
    /// Its lock.
    pub lock: Lock,
}

/// Continues until a minute after the end of the connection: the car's reaction to its inlet then.
pub fn play_charger_and_after(session: &Session, change: impl FnOnce(&mut Config)) -> After {
    let mut world = World::play(session, change);
    if world.is_connected {
        world.is_connected = false;
        world.input(Input::Closed(Closed::Fin));
    }
    for _ in 0..6_000 {
        world.tick();
    }
    After { latched: world.car.latched(), lock: world.car.demand().lock }
}

/// The voltage in mV and current in mA that a recorded `CurrentDemandRes` reports.
pub fn report(response: &Response) -> Option<(i32, i32)> {
    match V2gMessage::decode(&response.stream).ok()?.body.element? {
        BodyElement::CurrentDemandRes(res) => Some((
            milli(res.evse_present_voltage, UnitSymbol::V),
            milli(res.evse_present_current, UnitSymbol::A),
        )),
        _ => None,
    }
}

impl<'s> World<'s> {
    fn play(session: &'s Session, change: impl FnOnce(&mut Config)) -> Self {
        let mut world = Self::new(session, change);
        world.tick();
        world.is_connected = true;
        world.input(Input::Connected);
        // An hour of virtual time at most.
        for _ in 0..360_000 {
            let end = world.stop.map(End::Stopped).or(world.beyond.map(End::Beyond));
            if let Some(end) = end {
                world.played.end = end;
                return world;
            }
            world.tick();
        }
        panic!("{}: no end in {}", session.name, world.car.phase());
    }
}
