//! The state of a bench, for those who judge it.

use evse_fsm::{Demand, Plant};
use machine::{Duration, Instant};

use super::{Bench, CarDemand, CarPlant, Occurrence, Truth};
use crate::Pilot;
use crate::plant::sensor::{Accuracy, SensorFault};
use crate::plant::{ContactorFault, Load, Sensor, Side, StageFault, milli};

impl Bench {
    /// The physical state.
    pub fn truth(&self) -> Truth {
        Truth {
            is_plugged: self.wire.is_plugged,
            level: self.pilot.level,
            pilot_at_car: self.pilot.output,
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

    /// The pilot as both ends see it.
    pub const fn pilot(&self) -> Pilot {
        self.pilot
    }

    /// All occurrences of the hardware, oldest first.
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

    /// Since when a side receives no new readings.
    pub const fn silent_since(&self, side: Side) -> Option<Instant> {
        self.end(side).silent
    }

    /// The time up to which the bench has advanced.
    pub const fn now(&self) -> Instant {
        self.now
    }

    /// What is connected to the car's contactors on the battery side.
    pub const fn load(&self) -> &Load {
        &self.load
    }

    /// The isolation monitor's judgement of the present resistance.
    pub const fn judged(&self) -> evse_fsm::Isolation {
        self.monitor.judge(self.cable.isolation_ohm)
    }

    /// What the isolation monitor shows: its judgement after its measuring time.
    pub const fn isolation_shown(&self) -> evse_fsm::Isolation {
        self.monitor.shown()
    }

    /// Time since the last sign of life of a side's program.
    pub const fn unheard(&self, side: Side) -> Duration {
        self.now.since(self.end(side).fed)
    }

    /// Whether a side has this sensor, broken or not.
    pub const fn has(&self, side: Side, sensor: Sensor) -> bool {
        self.sensors.exists(side, sensor)
    }

    /// Whether one of these sensors of a side is present and reports nothing new.
    pub fn lacks(&self, side: Side, sensors: &[Sensor]) -> bool {
        let is_mute = |sensor: &&Sensor| {
            matches!(self.sensors.fault(side, **sensor), SensorFault::Absent | SensorFault::Silent)
        };
        sensors.iter().filter(|sensor| self.has(side, **sensor)).any(|sensor| is_mute(&sensor))
    }

    /// When a sensor last reported another value than the physical one; `None` while it is within its
    /// accuracy.
    pub const fn lied(&self, side: Side, sensor: Sensor) -> Option<Instant> {
        self.sensors.lied(side, sensor)
    }

    /// Accuracy of the sensors.
    pub const fn accuracy(&self) -> Accuracy {
        self.sensors.accuracy()
    }

    /// The charger's last readings.
    pub const fn read_by_charger(&self) -> &Plant {
        &self.last
    }

    /// The car's last readings.
    pub const fn read_by_car(&self) -> &CarPlant {
        &self.last_car
    }

    /// Whether the cable has a bleeder that has worked since the plug was inserted, and that is fast enough
    /// for 60 V within 1 s.
    pub const fn has_bleeder(&self) -> bool {
        self.cable.has_bleeder() && !self.was_bleeder_open
    }

    /// Whether the isolation monitor hangs, counts its measurements and measures within 7 s. A charger with a
    /// slower monitor waits longer for it.
    pub fn has_hung_monitor(&self) -> bool {
        let is_frozen = self.sensors.fault(Side::Charger, Sensor::Isolation) == SensorFault::Frozen;
        is_frozen && self.monitor.counts() && self.monitor.is_fast()
    }

    /// Largest error in mA of the charger's current reading by the power stage's ripple.
    pub const fn most_ripple_ma(&self) -> i32 {
        self.stage.most_ripple_ma()
    }

    /// Whether the power stage follows its demand.
    pub fn is_stage_sound(&self) -> bool {
        self.stage.fault == StageFault::Sound
    }
}
