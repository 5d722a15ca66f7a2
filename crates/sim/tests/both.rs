//! Both machines, the charger's and the car's, on one bench, without a network between them: sessions, and every
//! fault of the hardware in every phase. Every step is judged by the rules of `sim::invariant`.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test ends where it fails")]

use evse_fsm::Charger;
use machine::{Cx, Duration, Instant, Machine, ScriptedEntropy};
use pev_fsm::{Car, Closed, Contactors, Event, PAYLOAD_TYPE, Vehicle};
use session::{Cause, Limits, Phase, Target};
use sim::Port;
use sim::invariant::{Broken, Witness};
use sim::plant::{
    Bench, BenchConfig, CarDemand, CarPlant, ContactorFault, Fault, LockFault, PilotFault, Sensor,
    SensorFault, Side, StageFault, StageProfile,
};

struct Both {
    charger: Charger,
    car: Car,
    bench: Bench,
    witness: Witness,
    now: Instant,
    next_reading: Instant,
    offered: Option<Instant>,
    is_connected: bool,
    is_done: bool,
    broken: Option<Broken>,
    entropy: ScriptedEntropy<'static>,
}

const READING: Duration = Duration::from_millis(50);
/// From 5 % to the connection: matching and discovery.
const MATCHING: Duration = Duration::from_millis(2_000);

impl Both {
    fn new(config: BenchConfig) -> Self {
        let charger =
            evse_fsm::Config { isolation_test: Duration::from_millis(1_500), ..evse_fsm::Config::default() };
        let mut car = pev_fsm::Config::default();
        let _ = car.evcc_id.extend_from_slice(&[2, 0, 0, 0, 0, 1]);
        let mut bench = Bench::new(config);
        bench.plug(Instant::ZERO, true);
        Self {
            charger: Charger::new(charger).unwrap(),
            car: Car::new(car).unwrap(),
            bench,
            witness: Witness::new(Port(0)),
            now: Instant::ZERO,
            next_reading: Instant::ZERO,
            offered: None,
            is_connected: false,
            is_done: false,
            broken: None,
            entropy: ScriptedEntropy::new(&[1, 2, 3, 4, 5, 6, 7, 8]),
        }
    }

    fn charger(&mut self, input: evse_fsm::Input<'_>) {
        self.charger.handle(&mut Cx { now: self.now, entropy: &mut self.entropy }, input);
    }

    fn car(&mut self, input: pev_fsm::Input<'_>) {
        self.car.handle(&mut Cx { now: self.now, entropy: &mut self.entropy }, input);
    }

    fn run(&mut self, millis: u64) {
        let end = self.now + Duration::from_millis(millis);
        loop {
            let due = [self.charger.poll_timeout(), self.car.poll_timeout()];
            let due = due.into_iter().flatten().map(|due| due.at);
            let next = due.chain([self.next_reading]).min().unwrap();
            if next > end {
                self.now = end;
                return;
            }
            self.now = self.now.max(next);
            self.step();
        }
    }

    fn step(&mut self) {
        let mut cx = Cx { now: self.now, entropy: &mut self.entropy };
        self.charger.handle_timeout(&mut cx);
        self.car.handle_timeout(&mut cx);
        if self.next_reading <= self.now {
            self.next_reading = self.now + READING;
            self.read();
        }
        self.exchange();
        self.bench.drive_charger(self.now, &self.charger.demand());
        let pev_fsm::Demand { pilot: level, contactors, lock } = self.car.demand();
        self.bench.drive_car(self.now, &CarDemand { level, contactors, lock });
        while self.charger.poll_event().is_some() {}
        while let Some(event) = self.car.poll_event() {
            if matches!(event, Event::EmergencyOpening { .. }) {
                self.witness.tell(|facts| facts.emergency_opening = true);
            }
        }
        if let Err(broken) = self.witness.check(self.now, &self.bench) {
            self.broken = self.broken.or(Some(broken));
        }
    }

    fn read(&mut self) {
        let plant = self.bench.charger(self.now);
        self.charger(evse_fsm::Input::Plant(plant));
        let sensed: CarPlant = self.bench.car(self.now);
        let pilot = sensed.duty_permille.map(|duty| {
            let output = match duty.value {
                0 => control_pilot::Output::Zero,
                1_000 => control_pilot::Output::Steady,
                permille => control_pilot::Output::Pwm(permille),
            };
            pev_fsm::Reading::new(output, duty.at)
        });
        let CarPlant { proximity, inlet_mv, current_ma, contactors, lock, emergency_stop, .. } = sensed;
        let inlet_millicelsius = sensed.inlet_millicelsius;
        let plant = pev_fsm::Plant {
            pilot,
            proximity,
            inlet_mv,
            current_ma,
            contactors,
            lock,
            inlet_millicelsius,
            emergency_stop,
        };
        self.car(pev_fsm::Input::Plant(plant));
        let battery = sensed.battery_mv.unwrap();
        let limits =
            Limits { max_voltage_mv: 412_800, max_current_ma: 200_000, max_power_w: 98_000, ..Limits::NONE };
        self.car(pev_fsm::Input::Vehicle(Vehicle {
            at: battery.at,
            limits,
            battery_mv: Some(battery.value),
            target: Target { voltage_mv: 412_800, current_ma: sensed.request_ma.map_or(0, |ma| ma.value) },
            soc_percent: sensed.soc_percent.map_or(0, |soc| soc.value),
            capacity_wh: 28_000,
            request_wh: 14_000,
            full_soc_percent: Some(94),
            bulk_soc_percent: Some(80),
            full_in_s: None,
            bulk_in_s: None,
            is_done: self.is_done,
            error: 0,
        }));
        let is_offered = pilot.is_some_and(|pilot| pilot.value == control_pilot::Output::DIGITAL);
        self.offered = if is_offered { self.offered.or(Some(self.now)) } else { None };
        let is_matched = self.offered.is_some_and(|since| self.now.since(since) >= MATCHING);
        if is_matched && !self.is_connected && !self.is_done && self.car.may_begin() {
            self.is_connected = true;
            self.charger(evse_fsm::Input::Connected);
            self.car(pev_fsm::Input::Connected);
        }
    }

    /// Carries messages until nobody has any, and the end of the connection.
    fn exchange(&mut self) {
        let mut buffer = [0; 512];
        while let Some((length, _)) = self.car.poll_transmit(&mut buffer) {
            let (now, payload) = (self.now, &buffer[..length]);
            if self.is_connected {
                self.witness.tell(|facts| facts.message(now, payload));
                self.charger(evse_fsm::Input::Message { payload_type: PAYLOAD_TYPE, payload });
            }
            self.answer();
        }
        self.answer();
        if self.is_connected && (self.charger.wants_close() || self.car.wants_close()) {
            self.is_connected = false;
            let now = self.now;
            self.witness.tell(|facts| facts.closed(now));
            self.charger(evse_fsm::Input::Closed(Closed::Fin));
            self.car(pev_fsm::Input::Closed(Closed::Fin));
        }
    }

    fn answer(&mut self) {
        let mut buffer = [0; 512];
        while let Some((length, _)) = self.charger.poll_transmit(&mut buffer) {
            let (now, payload) = (self.now, &buffer[..length]);
            if self.is_connected {
                self.witness.tell(|facts| facts.message(now, payload));
                self.car(pev_fsm::Input::Message { payload_type: PAYLOAD_TYPE, payload });
            }
        }
    }

    /// Runs until the car is in `phase`.
    fn reach(&mut self, phase: Phase) {
        for _ in 0..6_000 {
            if self.car.phase() == phase {
                return;
            }
            self.run(10);
        }
        panic!("{phase:?} never comes: {:?}, {:?}", self.car.stop_reason(), self.charger.stop_reason());
    }
}

#[test]
fn ten_minutes_between_both_machines_break_no_rule_and_end_in_order() {
    for stage in [StageProfile::PLAIN, StageProfile::ALPITRONIC, StageProfile::COMPLEO] {
        let mut both = Both::new(BenchConfig { stage, ..BenchConfig::default() });
        both.reach(Phase::CurrentDemand);
        both.run(20_000);
        assert!(both.bench.truth().current_ma > 120_000, "{:?}", both.bench.truth());
        both.run(580_000);
        both.is_done = true;
        both.run(30_000);
        assert_eq!(both.broken.map(|broken| broken.to_string()), None);
        let truth = both.bench.truth();
        assert!(!truth.charger_closed && !truth.car_closed && !truth.car_locked, "{truth:?}");
        assert_eq!(both.car.stop_reason().map(|reason| reason.cause), Some(Cause::Finished));
        assert_eq!(both.charger.stop_reason().map(|reason| reason.cause), Some(Cause::Finished));
    }
}

const FAULTS: &[Fault] = &[
    Fault::Pilot(PilotFault::Open),
    Fault::Pilot(PilotFault::Short),
    Fault::Pilot(PilotFault::NoDiode),
    Fault::Pilot(PilotFault::Duty(1_000)),
    Fault::ProximityOpen(true),
    Fault::Leak(10_000),
    Fault::Stage(StageFault::Dead),
    Fault::Stage(StageFault::Runaway),
    Fault::Stage(StageFault::Scaled(1_200)),
    Fault::Stage(StageFault::Stuck),
    Fault::Stage(StageFault::Extra(1_500)),
    Fault::Stage(StageFault::Extra(20_000)),
    Fault::Contactors(Side::Charger, ContactorFault::Welded),
    Fault::Contactors(Side::Charger, ContactorFault::StuckOpen),
    Fault::Contactors(Side::Car, ContactorFault::Welded),
    Fault::Contactors(Side::Car, ContactorFault::StuckOpen),
    Fault::Lock(Side::Car, LockFault::StaysClosed),
    Fault::Lock(Side::Car, LockFault::SpringsOpen),
    Fault::Lock(Side::Charger, LockFault::StaysClosed),
    Fault::Lock(Side::Charger, LockFault::SpringsOpen),
    Fault::Sensor(Side::Charger, Sensor::Stage, SensorFault::Offset(60_000)),
    Fault::EmergencyStop(Side::Charger, true),
    Fault::EmergencyStop(Side::Car, true),
    Fault::Silence(Side::Charger, true),
    Fault::Silence(Side::Car, true),
    Fault::BatteryGone(true),
];

const PHASES: &[Phase] = &[Phase::CableCheck, Phase::PreCharge, Phase::PowerDelivery, Phase::CurrentDemand];

#[test]
fn every_fault_in_every_live_phase_breaks_no_rule_at_either_end() {
    let mut bad = Vec::new();
    for phase in PHASES {
        for fault in FAULTS {
            let mut both = Both::new(BenchConfig::default());
            both.reach(*phase);
            both.run(if *phase == Phase::CurrentDemand { 15_000 } else { 20 });
            both.bench.inject(both.now, *fault);
            both.run(90_000);
            both.is_done = true;
            both.run(60_000);
            if let Some(broken) = both.broken {
                bad.push(format!("{phase:?} {fault:?}: {broken}"));
            }
            let truth = both.bench.truth();
            let is_welded = matches!(fault, Fault::Contactors(_, ContactorFault::Welded));
            if truth.current_ma != 0 || (!is_welded && (truth.charger_closed || truth.car_closed)) {
                bad.push(format!("{phase:?} {fault:?}: live at the end: {truth:?}"));
            }
            if both.charger.demand().contactors == Contactors::Closed {
                bad.push(format!("{phase:?} {fault:?}: still demanded"));
            }
        }
    }
    assert!(bad.is_empty(), "{}", bad.join("\n"));
}
