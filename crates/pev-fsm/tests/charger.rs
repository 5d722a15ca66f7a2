//! Our car at our charger: two machines, one cable, virtual time.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test ends where it fails")]

use control_pilot::{Level, Output};
use evse_fsm::{Charger, PowerStage};
use machine::{Cx, Duration, Instant, Machine, ScriptedEntropy};
use pev_fsm::{Car, Closed, Contactors, Lock, Operator, Reading, Vehicle};
use session::{By, Cause, Isolation, Limits, StopReason, Target};

const BATTERY_MV: i32 = 350_000;

/// The simplest cable: contactors, sensors and current follow immediately.
struct Cable {
    car: Car,
    charger: Charger,
    now: Instant,
    is_connected: bool,
    most_ma: i32,
    stopped: Option<StopReason>,
    emergency: bool,
}

impl Cable {
    fn new(strict: bool) -> Self {
        let config =
            evse_fsm::Config { strict, power_stage: PowerStage::Real, ..evse_fsm::Config::default() };
        Self {
            car: Car::new(pev_fsm::Config { strict, ..pev_fsm::Config::default() }).unwrap(),
            charger: Charger::new(config).unwrap(),
            now: Instant::from_millis(1_000),
            is_connected: false,
            most_ma: 0,
            stopped: None,
            emergency: false,
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
        let (car, charger, at) = (self.car.demand(), self.charger.demand(), self.now);
        let car_closed = car.contactors == Contactors::Closed;
        let charger_closed = charger.contactors == Contactors::Closed;
        let supply = if charger_closed { charger.supply.voltage_mv } else { 0 };
        let voltage = if car_closed { BATTERY_MV } else { supply };
        // Above the 2 A of the precharge the power stage regulates the current.
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

    fn step(&mut self) {
        let mut entropy = ScriptedEntropy::new(&[1, 2, 3, 4, 5, 6, 7, 8]);
        self.now += Duration::from_millis(10);
        let mut cx = Cx { now: self.now, entropy: &mut entropy };
        let (plug, post) = self.sense();
        let vehicle = self.vehicle();
        self.most_ma = self.most_ma.max(plug.current_ma.unwrap().value);
        self.car.handle_timeout(&mut cx);
        self.charger.handle_timeout(&mut cx);
        self.car.handle(&mut cx, pev_fsm::Input::Plant(plug));
        self.car.handle(&mut cx, pev_fsm::Input::Vehicle(vehicle));
        self.charger.handle(&mut cx, evse_fsm::Input::Plant(post));
        let mut buffer = [0; 512];
        if let Some((length, payload_type)) = self.car.poll_transmit(&mut buffer).unwrap() {
            let payload = &buffer[..length];
            self.charger.handle(&mut cx, evse_fsm::Input::Message { payload_type, payload });
        }
        if let Some((length, payload_type)) = self.charger.poll_transmit(&mut buffer).unwrap() {
            let payload = &buffer[..length];
            self.car.handle(&mut cx, pev_fsm::Input::Message { payload_type, payload });
        }
        if self.is_connected && (self.car.wants_close() || self.charger.wants_close()) {
            self.is_connected = false;
            self.car.handle(&mut cx, pev_fsm::Input::Closed(Closed::Fin));
            self.charger.handle(&mut cx, evse_fsm::Input::Closed(Closed::Fin));
        }
        while self.charger.poll_event().is_some() {}
        while let Some(event) = self.car.poll_event() {
            match event {
                pev_fsm::Event::Stopped(stop) => self.stopped = Some(stop),
                pev_fsm::Event::EmergencyOpening { .. } => self.emergency = true,
                _ => {}
            }
        }
    }

    fn run(&mut self, millis: u64) {
        for _ in 0..millis / 10 {
            self.step();
        }
    }

    /// Waits for the 5 % pilot and connects. After a session the charger first keeps 5 % for 1.5 s, then
    /// pauses.
    fn connect(&mut self) {
        self.run(2_000);
        for _ in 0..1_000 {
            if self.charger.demand().pilot == Output::DIGITAL && self.car.may_begin() {
                break;
            }
            self.step();
        }
        self.run(1_000);
        self.is_connected = true;
        let mut entropy = ScriptedEntropy::new(&[1]);
        let mut cx = Cx { now: self.now, entropy: &mut entropy };
        self.charger.handle(&mut cx, evse_fsm::Input::Connected);
        self.car.handle(&mut cx, pev_fsm::Input::Connected);
    }

    fn tell_car(&mut self, word: Operator) {
        let mut entropy = ScriptedEntropy::new(&[1]);
        let mut cx = Cx { now: self.now, entropy: &mut entropy };
        self.car.handle(&mut cx, pev_fsm::Input::Operator(word));
    }

    fn tell_charger(&mut self, word: evse_fsm::Operator) {
        let mut entropy = ScriptedEntropy::new(&[1]);
        let mut cx = Cx { now: self.now, entropy: &mut entropy };
        self.charger.handle(&mut cx, evse_fsm::Input::Operator(word));
    }

    fn end(&mut self) -> StopReason {
        for _ in 0..6_000 {
            if let Some(stop) = self.stopped.take() {
                return stop;
            }
            self.step();
        }
        panic!("no end: car {} charger {}", self.car.phase(), self.charger.phase());
    }
}

#[test]
fn three_sessions_on_one_plug_charge_and_end_in_order_strict_or_not() {
    for strict in [true, false] {
        let mut cable = Cable::new(strict);
        for _ in 0..3 {
            cable.tell_car(Operator::Start);
            cable.connect();
            cable.run(30_000);
            assert_eq!(cable.car.demand().contactors, Contactors::Closed, "{:?}", cable.car.stop_reason());
            assert!(cable.most_ma > 99_000, "only {} mA", cable.most_ma);
            cable.tell_car(Operator::Stop);
            let stop = cable.end();
            assert_eq!((stop.by, stop.cause), (By::Operator, Cause::OperatorStop));
            cable.run(100);
            assert_eq!((cable.car.demand().pilot, cable.car.demand().lock), (Level::B, Lock::Released));
            assert!(cable.charger.stop_reason().unwrap().is_normal() && !cable.emergency);
        }
    }
}

#[test]
fn a_stop_at_the_charger_is_followed() {
    let mut cable = Cable::new(false);
    cable.connect();
    cable.run(20_000);
    cable.tell_charger(evse_fsm::Operator::Stop);
    let stop = cable.end();
    assert_eq!((stop.by, stop.cause), (By::Charger, Cause::StoppedAtCharger));
    assert!(!cable.emergency);
}

#[test]
fn an_emergency_stop_on_either_side_ends_both_without_opening_under_current() {
    for at_car in [true, false] {
        let mut cable = Cable::new(false);
        cable.connect();
        cable.run(20_000);
        assert!(cable.most_ma > 50_000);
        if at_car {
            cable.tell_car(Operator::EmergencyStop);
        } else {
            cable.tell_charger(evse_fsm::Operator::EmergencyStop);
        }
        cable.run(150);
        assert!(!cable.car.demand().is_energised() && !cable.charger.demand().is_energised());
        assert!(!cable.end().is_normal() && !cable.emergency);
    }
}
