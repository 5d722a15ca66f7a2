//! The sessions of a charger and a car, without a network between them.
#![allow(clippy::unwrap_used, reason = "a test ends where it fails")]

use contract::hostile;
use control_pilot::Output;
use evse_fsm::{Charger, PowerStage};
use machine::check::Check;
use machine::{Duration, Instant, Machine};
use pev_fsm::{Car, Closed, Contactors, Lock, Reading, Vehicle};
use session::{Isolation, Limits, Target};

const BATTERY_MV: i32 = 350_000;
/// Long enough for each message of a DC session.
const LONGEST: usize = 512;
const TIMERS: &[&str] = &[
    "authorisation",
    "battery voltage",
    "cable check",
    "close",
    "communication setup",
    "contactors",
    "discharge",
    "lock confirmation",
    "loop",
    "next request",
    "no current",
    "no demand",
    "pilot",
    "power",
    "precharge",
    "protection",
    "ramp",
    "ready to charge",
    "response",
    "rest",
    "sequence",
    "stale reading",
    "stale vehicle",
    "stop by the charger",
    "stop grace",
    "vehicle",
    "watch",
    "welding detection",
];

/// The plainest cable: contactors and sensors follow at once, and so does the current.
struct Cable {
    car: Check<Car>,
    charger: Check<Charger>,
    now: Instant,
    is_connected: bool,
    most_ma: i32,
    payloads: Vec<Vec<u8>>,
}

impl Cable {
    fn new() -> Self {
        let charger = evse_fsm::Config { power_stage: PowerStage::Real, ..evse_fsm::Config::default() };
        Self {
            car: Check::new(TIMERS, LONGEST, |_| Car::new(pev_fsm::Config::default()).unwrap())
                .unwrap()
                .observing(|car| format!("{:?} {:?} {:?}", car.demand(), car.phase(), car.stop_reason())),
            charger: Check::new(TIMERS, LONGEST, |_| Charger::new(charger.clone()).unwrap())
                .unwrap()
                .observing(|charger| {
                    format!("{:?} {:?} {:?}", charger.demand(), charger.phase(), charger.stop_reason())
                }),
            now: Instant::ZERO,
            is_connected: false,
            most_ma: 0,
            payloads: Vec::new(),
        }
    }

    fn vehicle(&self) -> Vehicle {
        Vehicle {
            at: self.now,
            limits: Limits {
                max_voltage_mv: 412_800,
                max_current_ma: 200_000,
                max_power_w: 98_000,
                ..Limits::NONE
            },
            battery_mv: Some(BATTERY_MV),
            target: Target { voltage_mv: 412_800, current_ma: 100_000 },
            soc_percent: 50,
            capacity_wh: 28_000,
            request_wh: 14_000,
            full_soc_percent: Some(94),
            bulk_soc_percent: Some(80),
            full_in_s: None,
            bulk_in_s: None,
            is_done: false,
            error: 0,
        }
    }

    /// Both sides' sensors.
    fn sense(&self) -> (pev_fsm::Plant, evse_fsm::Plant) {
        let (car, charger, at) = (self.car.machine().demand(), self.charger.machine().demand(), self.now);
        let car_closed = car.contactors == Contactors::Closed;
        let charger_closed = charger.contactors == Contactors::Closed;
        let supply = if charger_closed { charger.supply.voltage_mv } else { 0 };
        let voltage = if car_closed { BATTERY_MV } else { supply };
        let flows = car_closed && charger_closed && charger.supply.current_ma > 2_000;
        let current = if flows { charger.supply.current_ma } else { 0 };
        let read = |value| Some(Reading::new(value, at));
        let plug = pev_fsm::Plant {
            pilot: Some(Reading::new(charger.pilot, at)),
            inlet_mv: read(voltage),
            current_ma: read(current),
            contactors: Some(Reading::new(car_closed, at)),
            lock: Some(Reading::new(car.lock == Lock::Held, at)),
            ..pev_fsm::Plant::default()
        };
        let post = evse_fsm::Plant {
            pilot: Some(Reading::new(car.pilot, at)),
            voltage_mv: read(voltage),
            current_ma: read(current),
            isolation: Some(Reading::new(evse_fsm::Insulation::of(Isolation::Valid), at)),
            contactors: Some(Reading::new(charger_closed, at)),
            emergency_stop: Some(Reading::new(false, at)),
            ..evse_fsm::Plant::default()
        };
        (plug, post)
    }

    fn give_car(&mut self, input: pev_fsm::Input<'_>) {
        self.car.call(|car, cx| car.handle(cx, input)).unwrap();
    }

    fn give_charger(&mut self, input: evse_fsm::Input<'_>) {
        self.charger.call(|charger, cx| charger.handle(cx, input)).unwrap();
    }

    fn step(&mut self) {
        self.now += Duration::from_millis(10);
        self.car.pass_to(self.now).unwrap();
        self.charger.pass_to(self.now).unwrap();
        let (plug, post) = self.sense();
        self.most_ma = self.most_ma.max(plug.current_ma.unwrap().value);
        let vehicle = self.vehicle();
        self.give_car(pev_fsm::Input::Plant(plug));
        self.give_car(pev_fsm::Input::Vehicle(vehicle));
        self.give_charger(evse_fsm::Input::Plant(post));
        for (payload, payload_type) in self.car.take_sent() {
            self.give_charger(evse_fsm::Input::Message { payload_type, payload: &payload });
            self.payloads.push(payload);
        }
        for (payload, payload_type) in self.charger.take_sent() {
            self.give_car(pev_fsm::Input::Message { payload_type, payload: &payload });
            self.payloads.push(payload);
        }
        let wants_close = self.car.machine().wants_close() || self.charger.machine().wants_close();
        if self.is_connected && wants_close {
            self.is_connected = false;
            self.give_car(pev_fsm::Input::Closed(Closed::Fin));
            self.give_charger(evse_fsm::Input::Closed(Closed::Fin));
        }
    }

    fn run(&mut self, millis: u64) {
        for _ in 0..millis / 10 {
            self.step();
        }
    }

    fn connect(&mut self) {
        for _ in 0..1_000 {
            if self.charger.machine().demand().pilot == Output::DIGITAL && self.car.machine().may_begin() {
                break;
            }
            self.step();
        }
        self.run(100);
        self.is_connected = true;
        self.give_charger(evse_fsm::Input::Connected);
        self.give_car(pev_fsm::Input::Connected);
    }
}

#[test]
fn both_sides_keep_the_contract_through_a_session_and_its_end() {
    let mut cable = Cable::new();
    cable.connect();
    cable.run(20_000);
    assert!(cable.most_ma > 99_000, "only {} mA", cable.most_ma);
    cable.give_car(pev_fsm::Input::Operator(pev_fsm::Operator::Stop));
    cable.run(15_000);
    assert!(cable.car.machine().stop_reason().is_some() && cable.charger.machine().stop_reason().is_some());
}

#[test]
fn both_sides_keep_the_contract_when_their_caller_is_late_at_any_time_of_a_session() {
    for millis in [500, 3_000, 7_000, 15_000] {
        for late in [1_000, 120_000] {
            let mut cable = Cable::new();
            cable.connect();
            cable.run(millis);
            cable.now += Duration::from_millis(late);
            cable.car.sleep_to(cable.now).unwrap();
            cable.car.timeout().unwrap();
            cable.charger.sleep_to(cable.now).unwrap();
            cable.charger.timeout().unwrap();
            cable.run(1_000);
        }
    }
}

#[test]
fn both_sides_keep_the_contract_with_hostile_messages_in_a_session() {
    let mut cable = Cable::new();
    cable.connect();
    cable.run(15_000);
    let genuine = std::mem::take(&mut cable.payloads);
    for (seed, millis) in (1..).zip([100, 1_500, 4_000, 6_000, 8_000, 12_000]) {
        let mut cable = Cable::new();
        cable.connect();
        cable.run(millis);
        for payload in hostile(seed, &genuine).take(150) {
            for payload_type in [0x8001, 0x8001, 0x9000] {
                cable.give_charger(evse_fsm::Input::Message { payload_type, payload: &payload });
                cable.give_car(pev_fsm::Input::Message { payload_type, payload: &payload });
            }
            cable.step();
        }
    }
}
