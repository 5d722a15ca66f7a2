//! What is asked of a bench by those who judge it.

use evse_fsm::{Demand, Plant};
use machine::{Duration, Instant};

use super::{Bench, CarDemand, CarPlant, Occurrence, Truth};
use crate::Pilot;
use crate::plant::sensor::{Accuracy, SensorFault};
use crate::plant::{ContactorFault, Load, Sensor, Side, StageFault, milli};

impl Bench {
    /// What is really there.
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

    /// What both ends see of the pilot.
    pub const fn pilot(&self) -> Pilot {
        self.pilot
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

    /// Time since a side's program last showed life.
    pub const fn unheard(&self, side: Side) -> Duration {
        self.now.since(self.end(side).fed)
    }

    /// Whether a side has this sensor, broken or not.
    pub const fn has(&self, side: Side, sensor: Sensor) -> bool {
        self.sensors.exists(side, sensor)
    }

    /// Whether one of these sensors of a side is there and says nothing new.
    pub fn lacks(&self, side: Side, sensors: &[Sensor]) -> bool {
        let is_mute = |sensor: &&Sensor| {
            matches!(self.sensors.fault(side, **sensor), SensorFault::Absent | SensorFault::Silent)
        };
        sensors.iter().filter(|sensor| self.has(side, **sensor)).any(|sensor| is_mute(&sensor))
    }

    /// When a sensor last said something else than what is there; never while it is as exact as it should be.
    pub const fn lied(&self, side: Side, sensor: Sensor) -> Option<Instant> {
        self.sensors.lied(side, sensor)
    }

    /// How exact the sensors are.
    pub const fn accuracy(&self) -> Accuracy {
        self.sensors.accuracy()
    }

    /// What the charger read last.
    pub const fn read_by_charger(&self) -> &Plant {
        &self.last
    }

    /// What the car read last.
    pub const fn read_by_car(&self) -> &CarPlant {
        &self.last_car
    }

    /// Whether the cable has a bleeder that has worked since the plug went in, fast enough for 60 V within 1
    /// s.
    pub const fn has_bleeder(&self) -> bool {
        self.cable.has_bleeder() && !self.was_bleeder_open
    }

    /// Whether the isolation monitor hangs although it counts its measurements, and is one that measures
    /// within 7 s: a charger with a slower one waits longer for it.
    pub fn has_hung_monitor(&self) -> bool {
        let is_frozen = self.sensors.fault(Side::Charger, Sensor::Isolation) == SensorFault::Frozen;
        is_frozen && self.monitor.counts() && self.monitor.is_fast()
    }

    /// By how many mA at most the charger's reading of the current is off by the power stage's ripple.
    pub const fn most_ripple_ma(&self) -> i32 {
        self.stage.most_ripple_ma()
    }

    /// Whether the power stage obeys.
    pub fn is_stage_sound(&self) -> bool {
        self.stage.fault == StageFault::Sound
    }
}
