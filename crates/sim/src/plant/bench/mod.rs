//! Both ends of a DC cable together.

mod asked;
mod config;
mod fact;
mod sense;
mod step;

use evse_fsm::{Contactors, Demand, Plant};
use machine::{Duration, Instant};

pub use config::{BenchConfig, CarDemand};
pub use fact::{Fault, Occurrence, Truth};
pub use sense::CarPlant;

use super::sensor::Sensors;
use super::{Contactor, DcCable, InsulationMonitor, Load, LockMotor, PilotWire, PowerStage, Side, milli};
use crate::Pilot;

/// Both ends of a DC cable: accepts the demands of charger and car, advances in time, and returns what each
/// of them measures.
///
/// Steps end at each occurrence and are short only while a value moves.
#[derive(Clone, Debug)]
pub struct Bench {
    now: Instant,
    heartbeat: Option<Duration>,
    stage: PowerStage,
    cable: DcCable,
    wire: PilotWire,
    /// The pilot as both ends see it.
    pilot: Pilot,
    monitor: InsulationMonitor,
    load: Load,
    amps: f64,
    charger: End,
    car: End,
    demand: Demand,
    car_demand: CarDemand,
    sensors: Sensors,
    is_proximity_open: bool,
    is_bleeder_open: bool,
    /// The bleeder was broken at some time since the plug was inserted.
    was_bleeder_open: bool,
    last: Plant,
    last_car: CarPlant,
    occurrences: Vec<(Instant, Occurrence)>,
}

/// The state that both ends have.
#[derive(Clone, Debug)]
struct End {
    contactor: Contactor,
    lock: LockMotor,
    /// Since when the emergency stop is pressed.
    stopped: Option<Instant>,
    /// Since when no new readings come.
    silent: Option<Instant>,
    /// Time of the last demand.
    fed: Instant,
    /// The hardware has made it SAFE, and holds that until open contactors are demanded.
    tripped: bool,
    /// Current in mA when the contactors were commanded.
    told_ma: i32,
    /// Voltage in mV on this side's conductors when the contactors were commanded.
    told_mv: i32,
}

impl Bench {
    /// A bench at rest, unplugged.
    pub fn new(config: BenchConfig) -> Self {
        let end = |profile| End {
            contactor: Contactor::new(profile),
            lock: LockMotor::new(config.lock),
            stopped: None,
            silent: None,
            fed: Instant::ZERO,
            tripped: false,
            told_ma: 0,
            told_mv: 0,
        };
        let mut wire = PilotWire::new();
        Self {
            now: Instant::ZERO,
            heartbeat: config.heartbeat,
            stage: PowerStage::new(config.stage),
            cable: DcCable::new(config.cable),
            pilot: wire.seen(),
            wire,
            monitor: InsulationMonitor::new(config.monitor),
            amps: 0.0,
            charger: end(config.charger_contactors),
            car: end(config.car_contactors),
            load: config.load,
            demand: Demand::SAFE,
            car_demand: CarDemand::SAFE,
            sensors: Sensors::new(config.accuracy, &config.missing),
            is_proximity_open: false,
            is_bleeder_open: false,
            was_bleeder_open: false,
            last: Plant::default(),
            last_car: CarPlant::default(),
            occurrences: Vec::new(),
        }
    }

    /// Inserts or pulls the plug, locked or not.
    pub fn plug(&mut self, now: Instant, is_plugged: bool) {
        self.advance(now);
        if is_plugged == self.wire.is_plugged {
            return;
        }
        self.happened(Occurrence::Plug { is_plugged, current_ma: milli(self.amps) });
        self.wire.is_plugged = is_plugged;
        if is_plugged {
            self.was_bleeder_open = self.is_bleeder_open;
        }
        for end in [&mut self.charger, &mut self.car] {
            end.lock.release();
        }
        self.drive_locks();
        self.refresh();
    }

    /// Takes the charger's demand, which is also its sign of life.
    pub fn drive_charger(&mut self, now: Instant, demand: &Demand) {
        self.advance(now);
        self.charger.fed = now;
        self.charger.tripped &= demand.contactors == Contactors::Closed;
        let demand = if self.charger.tripped { &Demand::SAFE } else { demand };
        if *demand != self.demand {
            self.demand = *demand;
            self.stage.ask(now, demand.supply);
            self.command(Side::Charger, demand.contactors);
            self.wire.output = demand.pilot;
            self.monitor.test(now, demand.self_test);
            self.connect_bleeder();
            self.drive_locks();
            self.refresh();
        }
    }

    /// Repeats the last demand of a side as a sign of life. `false`: its hardware has made it SAFE since; the
    /// demand must be given again.
    pub(crate) fn feed(&mut self, side: Side) -> bool {
        let now = self.now;
        let end = self.end_mut(side);
        if !end.tripped {
            end.fed = now;
        }
        !end.tripped
    }

    /// Takes the car's demand, which is also its sign of life.
    pub fn drive_car(&mut self, now: Instant, demand: &CarDemand) {
        self.advance(now);
        self.car.fed = now;
        self.car.tripped &= demand.contactors == Contactors::Closed;
        let demand = if self.car.tripped { &CarDemand::SAFE } else { demand };
        if *demand != self.car_demand {
            self.car_demand = *demand;
            self.command(Side::Car, demand.contactors);
            self.wire.load = demand.level;
            self.drive_locks();
            self.refresh();
        }
    }

    /// Injects a fault or repairs it.
    pub fn inject(&mut self, now: Instant, fault: Fault) {
        self.advance(now);
        self.happened(Occurrence::Fault(fault));
        match fault {
            Fault::Contactors(side, fault) => self.break_contactors(side, fault),
            Fault::Pilot(fault) => self.wire.fault = fault,
            Fault::ProximityOpen(is_open) => self.is_proximity_open = is_open,
            Fault::Leak(ohms) => self.cable.isolation_ohm = ohms,
            Fault::Stage(fault) => self.stage.fault = fault,
            Fault::Lock(side, fault) => self.end_mut(side).lock.set_fault(now, fault),
            Fault::Sensor(side, sensor, fault) => self.sensors.set(side, sensor, fault),
            Fault::SelfTestFails(fails) => self.monitor.is_broken = fails,
            Fault::BleederOpen(is_open) => {
                self.is_bleeder_open = is_open;
                self.was_bleeder_open |= is_open;
                self.connect_bleeder();
            }
            Fault::Silence(side, is_silent) => {
                let end = self.end_mut(side);
                end.silent = is_silent.then(|| end.silent.unwrap_or(now));
            }
            Fault::EmergencyStop(side, is_pressed) => {
                let end = self.end_mut(side);
                end.stopped = is_pressed.then(|| end.stopped.unwrap_or(now));
            }
            Fault::BatteryGone(is_gone) => self.load.set_connected(!is_gone),
        }
        self.fire();
        self.refresh();
    }

    /// Connects another load to the car's contactors.
    pub fn set_load(&mut self, now: Instant, load: Load) {
        self.advance(now);
        self.load = load;
        self.refresh();
    }

    const fn end(&self, side: Side) -> &End {
        match side {
            Side::Charger => &self.charger,
            Side::Car => &self.car,
        }
    }

    const fn end_mut(&mut self, side: Side) -> &mut End {
        match side {
            Side::Charger => &mut self.charger,
            Side::Car => &mut self.car,
        }
    }

    fn command(&mut self, side: Side, contactors: Contactors) {
        let (now, told_ma, told_mv) = (self.now, milli(self.amps), self.conductors_mv(side));
        let end = self.end_mut(side);
        if end.contactor.command(now, contactors == Contactors::Closed) {
            (end.told_ma, end.told_mv) = (told_ma, told_mv);
        }
    }

    fn happened(&mut self, occurrence: Occurrence) {
        self.occurrences.push((self.now, occurrence));
    }

    fn connect_bleeder(&mut self) {
        self.cable.is_discharging = self.demand.discharge && !self.is_bleeder_open;
    }
}
