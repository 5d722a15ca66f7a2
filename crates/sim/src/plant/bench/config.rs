//! The parts of a bench, and a car's demand.

use control_pilot::Level;
use evse_fsm::{Contactors, Lock};
use machine::Duration;

use crate::plant::sensor::Accuracy;
use crate::plant::{
    BatteryProfile, CableProfile, ContactorProfile, Load, MonitorProfile, Sensor, Side, StageProfile,
};

/// The parts of a bench.
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
    /// Time that a lock takes to move.
    pub lock: Duration,
    /// The isolation monitor.
    pub monitor: MonitorProfile,
    /// Accuracy of the sensors.
    pub accuracy: Accuracy,
    /// Sensors that are absent.
    pub missing: Vec<(Side, Sensor)>,
    /// What is connected to the car's contactors on the battery side.
    pub load: Load,
    /// Time without a demand after which the hardware makes a side SAFE; `None`: never.
    pub heartbeat: Option<Duration>,
}

/// A car's demand of its side of the cable.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CarDemand {
    /// The level that the pilot is pulled to: B, C or D.
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
    /// Longest heartbeat that a real plant may have (docs/ARCHITECTURE.md): 500 ms.
    pub const HEARTBEAT: Duration = Duration::from_millis(500);
}

impl CarDemand {
    /// Pilot B, contactors open, lock held.
    pub const SAFE: Self = Self { level: Level::B, contactors: Contactors::Open, lock: Lock::Held };

    /// The pilot at this level, the rest SAFE.
    pub const fn pilot(level: Level) -> Self {
        Self { level, ..Self::SAFE }
    }
}

impl Default for CarDemand {
    fn default() -> Self {
        Self::SAFE
    }
}
