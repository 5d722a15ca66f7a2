use std::collections::BTreeMap;

use evse_fsm::Reading;
use machine::Instant;

use super::Side;

/// What is measured, at either end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Sensor {
    /// The pilot: at the charger its level.
    Pilot,
    /// The duty cycle.
    Duty,
    /// The proximity wire.
    Proximity,
    /// The voltage on the cable.
    Voltage,
    /// The voltage on the power stage's side of the charger's contactors.
    Stage,
    /// The battery's voltage.
    Battery,
    /// The current.
    Current,
    /// The isolation monitor.
    Isolation,
    /// Feedback of the contactors.
    Contactors,
    /// Feedback of the lock.
    Lock,
    /// The temperature of the car's inlet.
    Temperature,
    /// The emergency stop.
    EmergencyStop,
}

/// What can be wrong with a sensor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SensorFault {
    /// Nothing.
    Sound,
    /// It is not there.
    Absent,
    /// It keeps saying what it said, as if it were new.
    Frozen,
    /// It says nothing new: what it said grows old.
    Silent,
    /// It is off by so much, in thousandths; counts for numbers only.
    Offset(i32),
}

/// Which sensors are broken.
#[derive(Clone, Debug, Default)]
pub(super) struct Sensors {
    faults: BTreeMap<(Side, Sensor), SensorFault>,
}

/// A value that can be off.
pub(super) trait Measured: Copy {
    /// The value with `offset` added, where that has a meaning.
    #[must_use]
    fn off_by(self, _offset: i32) -> Self {
        self
    }
}

impl Measured for i32 {
    fn off_by(self, offset: i32) -> Self {
        self.saturating_add(offset)
    }
}
impl Measured for u8 {}
impl Measured for u16 {}
impl Measured for bool {}
impl Measured for control_pilot::Level {}
impl Measured for control_pilot::Proximity {}
impl Measured for evse_fsm::Insulation {}

impl Sensors {
    pub(super) fn fault(&self, side: Side, sensor: Sensor) -> SensorFault {
        self.faults.get(&(side, sensor)).copied().unwrap_or(SensorFault::Sound)
    }

    pub(super) fn set(&mut self, side: Side, sensor: Sensor, fault: SensorFault) {
        self.faults.insert((side, sensor), fault);
    }

    /// What the sensor says at `at`, when it said `last` before.
    pub(super) fn read<T: Measured>(
        &self,
        (side, sensor): (Side, Sensor),
        truth: T,
        last: Option<Reading<T>>,
        at: Instant,
    ) -> Option<Reading<T>> {
        match self.fault(side, sensor) {
            SensorFault::Sound => Some(Reading::new(truth, at)),
            SensorFault::Absent => None,
            SensorFault::Frozen => Some(Reading::new(last.map_or(truth, |last| last.value), at)),
            SensorFault::Silent => last,
            SensorFault::Offset(offset) => Some(Reading::new(truth.off_by(offset), at)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_fault_of_a_sensor_shows_in_its_reading() {
        let (then, now) = (Instant::from_millis(1), Instant::from_millis(2));
        let last = Some(Reading::new(7, then));
        let cases = [
            (SensorFault::Sound, Some(Reading::new(100, now))),
            (SensorFault::Absent, None),
            (SensorFault::Frozen, Some(Reading::new(7, now))),
            (SensorFault::Silent, last),
            (SensorFault::Offset(-30), Some(Reading::new(70, now))),
        ];
        let name = (Side::Car, Sensor::Voltage);
        for (fault, reading) in cases {
            let mut sensors = Sensors::default();
            sensors.set(Side::Car, Sensor::Voltage, fault);
            assert_eq!(sensors.read(name, 100, last, now), reading, "{fault:?}");
            let other = sensors.read((Side::Charger, Sensor::Voltage), 100, last, now);
            assert_eq!(other, Some(Reading::new(100, now)), "only the one that is broken");
        }
    }
}
