//! The sessions of a charger and a car, without a network between them.
#![allow(clippy::unwrap_used, reason = "a test ends where it fails")]

use contract::cable;
use contract::hostile;
use contract::timers::SESSION as SESSION_TIMERS;
use control_pilot::Output;
use evse_fsm::{Charger, PowerStage};
use machine::check::Check;
use machine::{Duration, Instant, Machine};
use pev_fsm::{Car, Closed};

/// Buffer size for each message of a DC session.
const LONGEST: usize = 512;

/// Both sides, their cable and the bytes between them.
struct Bench {
    car: Check<Car>,
    charger: Check<Charger>,
    now: Instant,
    is_connected: bool,
    most_ma: i32,
    payloads: Vec<Vec<u8>>,
}

impl Bench {
    fn new() -> Self {
        let charger = evse_fsm::Config { power_stage: PowerStage::Real, ..evse_fsm::Config::default() };
        Self {
            car: Check::new(SESSION_TIMERS, LONGEST, |_| Car::new(pev_fsm::Config::default()).unwrap())
                .unwrap()
                .observing(|car| format!("{:?} {:?} {:?}", car.demand(), car.phase(), car.stop_reason())),
            charger: Check::new(SESSION_TIMERS, LONGEST, |_| Charger::new(charger.clone()).unwrap())
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
        let cable =
            cable::sense(self.now, self.charger.machine().demand(), self.car.machine().demand(), true);
        self.most_ma = self.most_ma.max(cable.current_ma);
        self.give_car(pev_fsm::Input::Plant(cable.car));
        self.give_car(pev_fsm::Input::Vehicle(cable::vehicle(self.now)));
        self.give_charger(evse_fsm::Input::Plant(cable.charger));
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
    let mut bench = Bench::new();
    bench.connect();
    bench.run(20_000);
    assert!(bench.most_ma > 99_000, "only {} mA", bench.most_ma);
    bench.give_car(pev_fsm::Input::Operator(pev_fsm::Operator::Stop));
    bench.run(15_000);
    assert!(bench.car.machine().stop_reason().is_some() && bench.charger.machine().stop_reason().is_some());
}

#[test]
fn both_sides_keep_the_contract_when_their_caller_is_late_at_any_time_of_a_session() {
    for millis in [500, 3_000, 7_000, 15_000] {
        for late in [1_000, 120_000] {
            let mut bench = Bench::new();
            bench.connect();
            bench.run(millis);
            bench.now += Duration::from_millis(late);
            bench.car.sleep_to(bench.now).unwrap();
            bench.car.timeout().unwrap();
            bench.charger.sleep_to(bench.now).unwrap();
            bench.charger.timeout().unwrap();
            bench.run(1_000);
        }
    }
}

#[test]
fn both_sides_keep_the_contract_with_hostile_messages_in_a_session() {
    let mut bench = Bench::new();
    bench.connect();
    bench.run(15_000);
    let genuine = std::mem::take(&mut bench.payloads);
    for (seed, millis) in (1..).zip([100, 1_500, 4_000, 6_000, 8_000, 12_000]) {
        let mut bench = Bench::new();
        bench.connect();
        bench.run(millis);
        for payload in hostile(seed, &genuine).take(150) {
            for payload_type in [0x8001, 0x8001, 0x9000] {
                bench.give_charger(evse_fsm::Input::Message { payload_type, payload: &payload });
                bench.give_car(pev_fsm::Input::Message { payload_type, payload: &payload });
            }
            bench.step();
        }
    }
}
