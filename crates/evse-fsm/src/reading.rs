use control_pilot::{Level, Proximity};
pub(crate) use session::fresh;
use session::{Insulation, Reading, Sensing, Sensor};

/// A snapshot of the charger's sensors: each reading with its time, or absent.
///
/// An absent reading means that no such sensor exists, or that it does not answer. [`Sensors`] lists the ones
/// that the charger needs; one that has answered once is needed from then on. A snapshot replaces the
/// snapshot before it completely.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Plant {
    /// The pilot's level. Always needed.
    pub pilot: Option<Reading<Level>>,
    /// The measured duty cycle of the pilot, in per mille; 0 or 1000 for a steady one.
    pub duty_permille: Option<Reading<u16>>,
    /// The proximity wire.
    pub proximity: Option<Reading<Proximity>>,
    /// Voltage on the cable's side of the output contactors, in mV.
    pub voltage_mv: Option<Reading<i32>>,
    /// Voltage on the power stage's side of the output contactors, in mV, if it is measured: contactors do
    /// not close onto a live stage, and with closed contactors both voltages are equal.
    pub stage_mv: Option<Reading<i32>>,
    /// Output current in mA, positive into the car.
    pub current_ma: Option<Reading<i32>>,
    /// The isolation monitor's report. Without a new measurement in time the session ends.
    pub isolation: Option<Reading<Insulation>>,
    /// Feedback of the output contactors: `true` if closed.
    pub contactors: Option<Reading<bool>>,
    /// Feedback of the connector lock: `true` if locked.
    pub lock: Option<Reading<bool>>,
    /// The emergency stop: `true` if pressed.
    pub emergency_stop: Option<Reading<bool>>,
}

bitflags::bitflags! {
    /// Sensors that must have fresh readings while the charger is energised, in addition to the pilot.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub struct Sensors: u16 {
        /// Output voltage, [`Plant::voltage_mv`].
        const VOLTAGE = 1;
        /// Output current, [`Plant::current_ma`].
        const CURRENT = 1 << 1;
        /// Isolation monitor, [`Plant::isolation`].
        const ISOLATION = 1 << 2;
        /// Feedback of the output contactors, [`Plant::contactors`].
        const CONTACTORS = 1 << 3;
        /// Feedback of the connector lock, [`Plant::lock`].
        const LOCK = 1 << 4;
        /// Emergency stop, [`Plant::emergency_stop`].
        const EMERGENCY_STOP = 1 << 5;
        /// Proximity wire, [`Plant::proximity`].
        const PROXIMITY = 1 << 6;
        /// Measured duty cycle of the pilot, [`Plant::duty_permille`].
        const DUTY = 1 << 7;
        /// Voltage on the power stage's side of the contactors, [`Plant::stage_mv`].
        const STAGE = 1 << 8;
        /// Needed with a real power stage: voltage, current, isolation, feedback of its contactors, emergency
        /// stop.
        const PROTECTION = Self::VOLTAGE.bits()
            | Self::CURRENT.bits()
            | Self::ISOLATION.bits()
            | Self::CONTACTORS.bits()
            | Self::EMERGENCY_STOP.bits();
    }
}

impl Sensing for Plant {
    type Sensors = Sensors;
    type All = [Sensor<Sensors>; 10];

    fn sensors(&self) -> Self::All {
        [
            Sensor::new(Sensors::empty(), "pilot", self.pilot),
            Sensor::new(Sensors::VOLTAGE, "voltage", self.voltage_mv),
            Sensor::new(Sensors::CURRENT, "current", self.current_ma),
            Sensor::new(Sensors::ISOLATION, "isolation", self.isolation),
            Sensor::new(Sensors::CONTACTORS, "contactors", self.contactors),
            Sensor::new(Sensors::LOCK, "lock", self.lock),
            Sensor::new(Sensors::EMERGENCY_STOP, "emergency stop", self.emergency_stop),
            Sensor::new(Sensors::PROXIMITY, "proximity", self.proximity),
            Sensor::new(Sensors::DUTY, "pilot duty", self.duty_permille),
            Sensor::new(Sensors::STAGE, "stage voltage", self.stage_mv),
        ]
    }
}

#[cfg(test)]
mod tests {
    use machine::Instant;

    use super::*;

    #[test]
    fn every_sensor_is_in_the_list_and_the_pilot_is_always_needed() {
        let sensors = Plant::default().sensors();
        let all = sensors.iter().fold(Sensors::empty(), |all, sensor| all | sensor.flag);
        assert_eq!(all, Sensors::all());
        assert_eq!(Sensor::stale(&sensors, Sensors::empty(), Instant::ZERO), Some("pilot"));
    }
}
