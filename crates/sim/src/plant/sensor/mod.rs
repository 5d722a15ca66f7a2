//! The sensors at either end, and their faults.

mod lie;

use evse_fsm::Reading;
use machine::Instant;

pub(super) use lie::Measured;
pub use lie::SensorFault;

use super::Side;

/// A sensor at either end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Sensor {
    /// The pilot: at the charger, its level.
    Pilot,
    /// The duty cycle.
    Duty,
    /// The proximity wire.
    Proximity,
    /// The voltage on the cable.
    Voltage,
    /// The voltage on the power stage's side of the charger's contactors.
    Stage,
    /// The battery's voltage, and the battery's other reports.
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

impl Sensor {
    /// All sensors, in the order of the type.
    pub const ALL: [Self; 12] = [
        Self::Pilot,
        Self::Duty,
        Self::Proximity,
        Self::Voltage,
        Self::Stage,
        Self::Battery,
        Self::Current,
        Self::Isolation,
        Self::Contactors,
        Self::Lock,
        Self::Temperature,
        Self::EmergencyStop,
    ];

    /// Whether a side has this sensor by default.
    pub const fn is_of(self, side: Side) -> bool {
        match side {
            Side::Charger => !matches!(self, Self::Battery | Self::Temperature),
            Side::Car => !matches!(self, Self::Pilot | Self::Stage | Self::Isolation),
        }
    }
}

/// Accuracy of sensors without a fault.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Accuracy {
    /// Largest error of each number in thousandths of itself; it is constant for each sensor.
    pub permille: u16,
    /// Seed of the errors, and of the noise of a noisy sensor.
    pub seed: u64,
}

/// All sensors of both ends.
#[derive(Clone, Debug)]
pub(super) struct Sensors {
    accuracy: Accuracy,
    ends: [[State; Sensor::ALL.len()]; 2],
}

/// State of one sensor.
#[derive(Clone, Copy, Debug)]
struct State {
    fault: SensorFault,
    /// The sensor does not exist.
    is_missing: bool,
    /// Its constant error in millionths of the value.
    error_ppm: i32,
    /// When it last reported another value than the physical one.
    lied: Option<Instant>,
}

impl Sensors {
    /// Sensors without fault, except those that are missing.
    pub(super) fn new(accuracy: Accuracy, missing: &[(Side, Sensor)]) -> Self {
        let end = |side: Side| {
            Sensor::ALL.map(|sensor| State {
                fault: SensorFault::Sound,
                is_missing: missing.contains(&(side, sensor)),
                error_ppm: lie::spread((accuracy.seed, side, sensor, 0), i32::from(accuracy.permille) * 1000),
                lied: None,
            })
        };
        Self { accuracy, ends: [end(Side::Charger), end(Side::Car)] }
    }

    const fn state(&self, side: Side, sensor: Sensor) -> &State {
        let [charger, car] = &self.ends;
        let end = if matches!(side, Side::Charger) { charger } else { car };
        #[allow(clippy::indexing_slicing, reason = "one state for each sensor")]
        &end[sensor as usize]
    }

    const fn state_mut(&mut self, side: Side, sensor: Sensor) -> &mut State {
        let [charger, car] = &mut self.ends;
        let end = if matches!(side, Side::Charger) { charger } else { car };
        #[allow(clippy::indexing_slicing, reason = "one state for each sensor")]
        &mut end[sensor as usize]
    }

    pub(super) const fn accuracy(&self) -> Accuracy {
        self.accuracy
    }

    /// Whether the sensor exists.
    pub(super) const fn exists(&self, side: Side, sensor: Sensor) -> bool {
        sensor.is_of(side) && !self.state(side, sensor).is_missing
    }

    pub(super) const fn fault(&self, side: Side, sensor: Sensor) -> SensorFault {
        self.state(side, sensor).fault
    }

    /// When a sensor last reported another value than the physical one.
    pub(super) const fn lied(&self, side: Side, sensor: Sensor) -> Option<Instant> {
        self.state(side, sensor).lied
    }

    pub(super) fn set(&mut self, side: Side, sensor: Sensor, fault: SensorFault) {
        self.state_mut(side, sensor).fault = fault;
    }

    /// The sensor's reading at `at`, after the reading `last`.
    pub(super) fn read<T: Measured>(
        &mut self,
        (side, sensor): (Side, Sensor),
        truth: T,
        last: Option<Reading<T>>,
        at: Instant,
    ) -> Option<Reading<T>> {
        let seed = self.accuracy.seed;
        let state = self.state_mut(side, sensor);
        if state.is_missing {
            return None;
        }
        let value = match state.fault {
            SensorFault::Absent => return None,
            SensorFault::Silent => return last,
            SensorFault::Sound => truth.off_by_ppm(state.error_ppm),
            SensorFault::Frozen => last.map_or(truth, |last| last.value),
            fault => {
                let noise = |most| lie::spread((seed, side, sensor, at.as_micros()), most);
                truth.lie(fault, noise)
            }
        };
        if state.fault.is_lie() && !value.is_same(truth) {
            state.lied = Some(at);
        }
        Some(Reading::new(value, at))
    }

    /// As `read`, for a report besides the sensor's number: only faults of the whole sensor apply.
    pub(super) fn read_beside<T: Measured>(
        &self,
        (side, sensor): (Side, Sensor),
        truth: T,
        last: Option<Reading<T>>,
        at: Instant,
    ) -> Option<Reading<T>> {
        let state = self.state(side, sensor);
        match state.fault {
            _ if state.is_missing => None,
            SensorFault::Absent => None,
            SensorFault::Silent => last,
            SensorFault::Frozen => Some(Reading::new(last.map_or(truth, |last| last.value), at)),
            _ => Some(Reading::new(truth, at)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NAME: (Side, Sensor) = (Side::Car, Sensor::Voltage);

    /// The reading of 100 V by a sensor that reported 7 V before.
    fn said(fault: SensorFault) -> Option<Reading<i32>> {
        let (then, now) = (Instant::from_millis(1), Instant::from_millis(2));
        let mut sensors = Sensors::new(Accuracy::default(), &[]);
        sensors.set(Side::Car, Sensor::Voltage, fault);
        let other = sensors.read((Side::Charger, Sensor::Voltage), 100_000, None, now);
        assert_eq!(other, Some(Reading::new(100_000, now)), "only the one that is broken");
        sensors.read(NAME, 100_000, Some(Reading::new(7_000, then)), now)
    }

    #[test]
    fn each_fault_of_a_sensor_shows_in_its_reading() {
        let (then, now) = (Instant::from_millis(1), Instant::from_millis(2));
        let cases = [
            (SensorFault::Sound, Some(100_000)),
            (SensorFault::Absent, None),
            (SensorFault::Frozen, Some(7_000)),
            (SensorFault::Offset(-30_000), Some(70_000)),
            (SensorFault::Scaled(1_500), Some(150_000)),
            (SensorFault::Stuck(12_000), Some(12_000)),
            (SensorFault::Reversed, Some(-100_000)),
        ];
        for (fault, value) in cases {
            assert_eq!(said(fault), value.map(|value| Reading::new(value, now)), "{fault:?}");
        }
        assert_eq!(said(SensorFault::Silent), Some(Reading::new(7_000, then)));
    }

    #[test]
    fn noise_stays_within_its_bounds_and_is_the_same_for_the_same_seed() {
        let noisy = |seed| {
            let mut sensors = Sensors::new(Accuracy { permille: 0, seed }, &[]);
            sensors.set(Side::Car, Sensor::Voltage, SensorFault::Noisy(5_000));
            let mut read = |ms| sensors.read(NAME, 100_000, None, Instant::from_millis(ms)).unwrap().value;
            (0..500).map(&mut read).collect::<Vec<i32>>()
        };
        let values = noisy(1);
        assert!(values.iter().all(|mv| (95_000..=105_000).contains(mv)));
        assert!(values.iter().any(|mv| *mv < 97_000) && values.iter().any(|mv| *mv > 103_000));
        assert_eq!(values, noisy(1));
        assert_ne!(values, noisy(2));
    }

    #[test]
    fn an_accurate_sensor_is_always_off_by_the_same_part_and_does_not_count_as_lying() {
        for seed in 0..50 {
            let mut sensors = Sensors::new(Accuracy { permille: 10, seed }, &[]);
            let mut read = |ms| sensors.read(NAME, 400_000, None, Instant::from_millis(ms)).unwrap().value;
            let first = read(1);
            assert!((396_000..=404_000).contains(&first), "{first}");
            assert_eq!(read(900), first);
            assert_eq!(sensors.lied(Side::Car, Sensor::Voltage), None);
        }
    }

    #[test]
    fn a_sensor_that_is_missing_says_nothing_whatever_else_is_wrong_with_it() {
        let mut sensors = Sensors::new(Accuracy::default(), &[NAME]);
        assert!(
            !sensors.exists(Side::Car, Sensor::Voltage) && sensors.exists(Side::Charger, Sensor::Voltage)
        );
        sensors.set(Side::Car, Sensor::Voltage, SensorFault::Stuck(1));
        assert_eq!(sensors.read(NAME, 1, None, Instant::ZERO), None);
    }

    #[test]
    fn a_lie_is_remembered_and_a_frozen_sensor_lies_only_where_the_truth_has_moved() {
        let mut sensors = Sensors::new(Accuracy::default(), &[]);
        let at = Instant::from_millis;
        sensors.set(Side::Car, Sensor::Voltage, SensorFault::Frozen);
        let same = sensors.read(NAME, 5_000, Some(Reading::new(5_000, at(1))), at(2));
        assert_eq!(sensors.lied(Side::Car, Sensor::Voltage), None);
        sensors.read(NAME, 9_000, same, at(3));
        sensors.set(Side::Car, Sensor::Voltage, SensorFault::Sound);
        sensors.read(NAME, 9_000, same, at(4));
        assert_eq!(sensors.lied(Side::Car, Sensor::Voltage), Some(at(3)));
    }
}
