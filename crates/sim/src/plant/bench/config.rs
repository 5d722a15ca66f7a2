//! What stands on a bench, and what a car demands of it.

use control_pilot::Level;
use evse_fsm::{Contactors, Lock};
use machine::Duration;

use crate::plant::sensor::Accuracy;
use crate::plant::{
    BatteryProfile, CableProfile, ContactorProfile, Load, MonitorProfile, Sensor, Side, StageProfile,
};

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
    /// The isolation monitor.
    pub monitor: MonitorProfile,
    /// How exact sensors are.
    pub accuracy: Accuracy,
    /// Sensors that are not there.
    pub missing: Vec<(Side, Sensor)>,
    /// What is behind the car's contactors.
    pub load: Load,
    /// A side whose demand was not given for this time is made SAFE by its hardware.
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

impl Default for BenchConfig {
    /// A plain charger, and the 400 V car at half its charge. The lock's time is judgement.
    fn default() -> Self {
        Self {
            stage: StageProfile::PLAIN,
            cable: CableProfile::HYC150,
            charger_contactors: ContactorProfile::default(),
            car_contactors: ContactorProfile::default(),
            lock: Duration::from_millis(300),
            monitor: MonitorProfile::default(),
            accuracy: Accuracy::default(),
            missing: Vec::new(),
            load: Load::battery(BatteryProfile::CAR_400V, 50),
            heartbeat: None,
        }
    }
}

impl BenchConfig {
    /// The longest heartbeat of a real plant (docs/ARCHITECTURE.md): 500 ms.
    pub const HEARTBEAT: Duration = Duration::from_millis(500);
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
