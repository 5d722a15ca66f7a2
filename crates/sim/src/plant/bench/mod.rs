//! Both ends of a DC cable together.

mod sense;
mod step;

use control_pilot::{Level, Output};
use evse_fsm::{Contactors, Demand, Lock, Plant};
use machine::{Duration, Instant};

pub use sense::CarPlant;

use super::sensor::Sensors;
use super::{
    Bands, BatteryProfile, CableProfile, Contactor, ContactorFault, ContactorProfile, DcCable,
    InsulationMonitor, Load, LockFault, LockMotor, PilotFault, PilotWire, PowerStage, Sensor, SensorFault,
    Side, StageFault, StageProfile, milli,
};
use crate::Pilot;

/// Both ends of a DC cable: takes what charger and car demand, advances in time, gives what each of them measures.
///
/// Time is cut where something happens, and finely only while something moves.
#[derive(Clone, Debug)]
pub struct Bench {
    now: Instant,
    heartbeat: Option<Duration>,
    stage: PowerStage,
    cable: DcCable,
    wire: PilotWire,
    /// What the charger's hysteresis makes of the wire.
    level: Level,
    monitor: InsulationMonitor,
    load: Load,
    amps: f64,
    charger: End,
    car: End,
    demand: Demand,
    car_demand: CarDemand,
    sensors: Sensors,
    is_proximity_open: bool,
    last: Plant,
    last_car: CarPlant,
    occurrences: Vec<(Instant, Occurrence)>,
}

/// What both ends have.
#[derive(Clone, Debug)]
struct End {
    contactor: Contactor,
    lock: LockMotor,
    /// Since when the emergency stop is pressed.
    stopped: Option<Instant>,
    /// Since when there are no new readings.
    silent: Option<Instant>,
    /// When the demand was given last.
    fed: Instant,
    /// Its hardware made it SAFE, and holds that until open contactors were demanded once.
    tripped: bool,
    /// Current in mA that flowed when the contactors were told to move.
    told_ma: i32,
    /// Voltage in mV on the conductors at this end then.
    told_mv: i32,
}

/// What stands on a bench.
#[derive(Clone, Debug)]
pub struct BenchConfig {
    /// The power stage.
    pub stage: StageProfile,
    /// The cable.
    pub cable: CableProfile,
    /// The charger's output contactors.
    pub charger_contactors: ContactorProfile,
    /// The car's contactors.
    pub car_contactors: ContactorProfile,
    /// How long a lock takes.
    pub lock: Duration,
    /// How the isolation monitor judges.
    pub bands: Bands,
    /// How long it measures.
    pub measuring: Duration,
    /// What is behind the car's contactors.
    pub load: Load,
    /// A side whose demand was not given for so long is made SAFE by its hardware.
    pub heartbeat: Option<Duration>,
}

/// What the car wants of its side.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CarDemand {
    /// What the pilot is pulled to: B, C or D.
    pub level: Level,
    /// The contactors between inlet and battery.
    pub contactors: Contactors,
    /// The lock in the inlet.
    pub lock: Lock,
}

/// What is really there, whatever sensors say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "each is a physical fact of its own")]
pub struct Truth {
    /// Whether the plug is in.
    pub is_plugged: bool,
    /// The pilot's level.
    pub level: Level,
    /// What the car sees of the charger's pilot.
    pub pilot_at_car: Option<Output>,
    /// Voltage at the charger's contactors, on the cable's side, in mV.
    pub cable_mv: i32,
    /// Voltage in the car's inlet, in mV.
    pub inlet_mv: i32,
    /// Voltage behind the car's contactors, in mV; 0 where nothing is connected.
    pub battery_mv: i32,
    /// Current into the car, in mA.
    pub current_ma: i32,
    /// The charger's contactors are closed.
    pub charger_closed: bool,
    /// The car's contactors are closed.
    pub car_closed: bool,
    /// The charger's lock is closed.
    pub charger_locked: bool,
    /// The car's lock is closed.
    pub car_locked: bool,
    /// Resistance to earth in Ohm.
    pub isolation_ohm: u32,
}

/// Something that happened to the hardware.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Occurrence {
    /// Contactors closed.
    Closed {
        /// Whose.
        side: Side,
        /// Voltage in mV on the conductors at this end when they were told to.
        told_mv: i32,
        /// Voltage in mV on the conductors at this end before the contacts met.
        voltage_mv: i32,
        /// Voltage in mV that lay between their contacts.
        difference_mv: i32,
        /// Because they were to, and not because they bounce or broke.
        is_commanded: bool,
    },
    /// Contactors opened.
    Opened {
        /// Whose.
        side: Side,
        /// Current in mA that flowed when they were told to.
        told_ma: i32,
        /// Current in mA that they broke.
        current_ma: i32,
        /// Because they were to, and not because they bounce or broke.
        is_commanded: bool,
    },
    /// A lock moved.
    Lock {
        /// Whose.
        side: Side,
        /// Whether it is locked now.
        is_locked: bool,
        /// Voltage on the conductors at this end, in mV.
        voltage_mv: i32,
        /// Whether the contactors of this end were closed.
        was_closed: bool,
        /// Because it broke.
        by_fault: bool,
    },
    /// The plug went in or out.
    Plug {
        /// Whether it is in now.
        is_plugged: bool,
        /// Current in mA that flowed before.
        current_ma: i32,
    },
    /// A side was not heard of for too long: its hardware made it SAFE.
    Heartbeat(Side),
    /// Something was broken or mended.
    Fault(Fault),
}

/// What can be wrong with the hardware, as data for scripts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// Contactors.
    Contactors(Side, ContactorFault),
    /// The pilot wire.
    Pilot(PilotFault),
    /// The proximity wire is broken (`true`), or mended.
    ProximityOpen(bool),
    /// A resistance to earth in Ohm.
    Leak(u32),
    /// The power stage.
    Stage(StageFault),
    /// A lock.
    Lock(Side, LockFault),
    /// One sensor.
    Sensor(Side, Sensor, SensorFault),
    /// A side gets no new readings at all (`true`), or does again.
    Silence(Side, bool),
    /// The emergency stop is pressed (`true`), or released.
    EmergencyStop(Side, bool),
    /// The battery disconnects itself (`true`), or is back.
    BatteryGone(bool),
}

impl Default for BenchConfig {
    /// A plain charger, and the 400 V car at half its charge. The lock's time and the isolation monitor's are judgement.
    fn default() -> Self {
        Self {
            stage: StageProfile::PLAIN,
            cable: CableProfile::HYC150,
            charger_contactors: ContactorProfile::default(),
            car_contactors: ContactorProfile::default(),
            lock: Duration::from_millis(300),
            bands: Bands::Edition2014,
            measuring: Duration::from_secs(1),
            load: Load::battery(BatteryProfile::CAR_400V, 50),
            heartbeat: None,
        }
    }
}

impl BenchConfig {
    /// The longest heartbeat of a real plant (docs/ARCHITECTURE.md): 500 ms.
    pub const HEARTBEAT: Duration = Duration::from_millis(500);
    /// The voltage that isolation is judged for, in V.
    const RATED_V: u32 = 500;
}

impl CarDemand {
    /// Pilot B, contactors open, lock held.
    pub const SAFE: Self = Self { level: Level::B, contactors: Contactors::Open, lock: Lock::Held };

    /// The pilot at this level, and otherwise SAFE.
    pub const fn pilot(level: Level) -> Self {
        Self { level, ..Self::SAFE }
    }
}

impl Default for CarDemand {
    fn default() -> Self {
        Self::SAFE
    }
}

impl Bench {
    /// A bench at rest, the plug out.
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
            level: wire.level(),
            wire,
            monitor: InsulationMonitor::new(config.bands, config.measuring, BenchConfig::RATED_V),
            amps: 0.0,
            charger: end(config.charger_contactors),
            car: end(config.car_contactors),
            load: config.load,
            demand: Demand::SAFE,
            car_demand: CarDemand::SAFE,
            sensors: Sensors::default(),
            is_proximity_open: false,
            last: Plant::default(),
            last_car: CarPlant::default(),
            occurrences: Vec::new(),
        }
    }

    /// The plug goes in or out, locked or not.
    pub fn plug(&mut self, now: Instant, is_plugged: bool) {
        self.advance(now);
        if is_plugged == self.wire.is_plugged {
            return;
        }
        self.happened(Occurrence::Plug { is_plugged, current_ma: milli(self.amps) });
        self.wire.is_plugged = is_plugged;
        for end in [&mut self.charger, &mut self.car] {
            end.lock.release();
        }
        self.drive_locks();
        self.refresh();
    }

    /// Takes what the charger demands, which is also its sign of life.
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
            self.drive_locks();
            self.refresh();
        }
    }

    /// Takes what the car demands, which is also its sign of life.
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

    /// Breaks or mends something.
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

    /// Puts something else behind the car's contactors.
    pub fn set_load(&mut self, now: Instant, load: Load) {
        self.advance(now);
        self.load = load;
        self.refresh();
    }

    /// What is really there.
    pub fn truth(&self) -> Truth {
        Truth {
            is_plugged: self.wire.is_plugged,
            level: self.level,
            pilot_at_car: self.wire.at_car(),
            cable_mv: milli(self.cable.charger_v),
            inlet_mv: milli(self.cable.car_v),
            battery_mv: self.battery_mv(),
            current_ma: milli(self.amps),
            charger_closed: self.charger.contactor.is_closed(),
            car_closed: self.car.contactor.is_closed(),
            charger_locked: self.charger.lock.is_locked(),
            car_locked: self.car.lock.is_locked(),
            isolation_ohm: self.cable.isolation_ohm,
        }
    }

    /// What both ends see of the pilot.
    pub fn pilot(&self) -> Pilot {
        Pilot { is_plugged: self.wire.is_plugged, output: self.wire.at_car(), level: self.level }
    }

    /// Everything that happened to the hardware, oldest first.
    pub fn occurrences(&self) -> &[(Instant, Occurrence)] {
        &self.occurrences
    }

    /// What the charger demands.
    pub const fn demand(&self) -> &Demand {
        &self.demand
    }

    /// What the car demands.
    pub const fn car_demand(&self) -> &CarDemand {
        &self.car_demand
    }

    /// Whether a side's contactors are welded.
    pub fn is_welded(&self, side: Side) -> bool {
        self.end(side).contactor.fault() == ContactorFault::Welded
    }

    /// Since when the emergency stop of a side is pressed.
    pub const fn stopped_since(&self, side: Side) -> Option<Instant> {
        self.end(side).stopped
    }

    /// Since when a side gets no new readings.
    pub const fn silent_since(&self, side: Side) -> Option<Instant> {
        self.end(side).silent
    }

    /// The time up to which it has advanced.
    pub const fn now(&self) -> Instant {
        self.now
    }

    /// What is behind the car's contactors.
    pub const fn load(&self) -> &Load {
        &self.load
    }

    /// What the isolation monitor makes of the resistance that is there now.
    pub const fn judged(&self) -> evse_fsm::Isolation {
        self.monitor.judge(self.cable.isolation_ohm)
    }

    /// What the isolation monitor shows: that, after its time.
    pub const fn isolation_shown(&self) -> evse_fsm::Isolation {
        self.monitor.shown()
    }

    /// Whether a side's hardware still waits for a program that hangs, before it makes the side SAFE.
    pub fn bears_hang(&self, side: Side) -> bool {
        self.heartbeat.is_some_and(|heartbeat| self.now.since(self.end(side).fed) < heartbeat)
    }

    /// Whether one of these sensors of a side says nothing new.
    pub fn lacks(&self, side: Side, sensors: &[Sensor]) -> bool {
        let fault = |sensor: &Sensor| self.sensors.fault(side, *sensor);
        sensors.iter().any(|sensor| matches!(fault(sensor), SensorFault::Absent | SensorFault::Silent))
    }

    /// Whether the power stage obeys.
    pub fn is_stage_sound(&self) -> bool {
        self.stage.fault == StageFault::Sound
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
}
