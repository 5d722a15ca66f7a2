use evse_fsm::{Plant, Reading};
use machine::{Duration, Instant};

use crate::plant::CarPlant;

/// A node's clock: its value when the world begins, and its deviation from the world's speed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Clock {
    /// Its value at the start of the world.
    pub start: Duration,
    /// Deviation in parts per million: positive is too fast, negative too slow.
    pub skew_ppm: i32,
}

const MILLION: u64 = 1_000_000;

impl Clock {
    fn rate(self) -> u64 {
        MILLION.saturating_add_signed(self.skew_ppm.into()).max(1)
    }

    /// Its value at a moment of the world.
    pub fn to_node(self, at: Instant) -> Instant {
        let micros = u128::from(at.as_micros()) * u128::from(self.rate()) / u128::from(MILLION);
        Instant::from_micros(u64::try_from(micros).unwrap_or(u64::MAX)) + self.start
    }

    /// The first moment of the world at which it has this value.
    pub fn to_world(self, at: Instant) -> Instant {
        let micros = u128::from(at.as_micros().saturating_sub(self.start.as_micros())) * u128::from(MILLION);
        Instant::from_micros(u64::try_from(micros.div_ceil(u128::from(self.rate()))).unwrap_or(u64::MAX))
    }

    fn reading<T>(self, reading: Option<Reading<T>>) -> Option<Reading<T>> {
        reading.map(|reading| Reading::new(reading.value, self.to_node(reading.at)))
    }

    /// The charger's readings, with the times of this clock.
    pub fn plant(self, plant: Plant) -> Plant {
        Plant {
            pilot: self.reading(plant.pilot),
            duty_permille: self.reading(plant.duty_permille),
            proximity: self.reading(plant.proximity),
            voltage_mv: self.reading(plant.voltage_mv),
            stage_mv: self.reading(plant.stage_mv),
            current_ma: self.reading(plant.current_ma),
            isolation: self.reading(plant.isolation),
            contactors: self.reading(plant.contactors),
            lock: self.reading(plant.lock),
            emergency_stop: self.reading(plant.emergency_stop),
        }
    }

    /// The car's readings, with the times of this clock.
    pub fn car_plant(self, plant: CarPlant) -> CarPlant {
        CarPlant {
            duty_permille: self.reading(plant.duty_permille),
            proximity: self.reading(plant.proximity),
            inlet_mv: self.reading(plant.inlet_mv),
            battery_mv: self.reading(plant.battery_mv),
            current_ma: self.reading(plant.current_ma),
            contactors: self.reading(plant.contactors),
            lock: self.reading(plant.lock),
            inlet_millicelsius: self.reading(plant.inlet_millicelsius),
            emergency_stop: self.reading(plant.emergency_stop),
            soc_percent: self.reading(plant.soc_percent),
            request_ma: self.reading(plant.request_ma),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_deadline_is_met_by_its_own_clock(start: u32, skew_ppm in -200_000..200_000, at in 0..u64::from(u32::MAX)) {
            let clock = Clock { start: Duration::from_micros(start.into()), skew_ppm };
            let deadline = clock.to_node(Instant::ZERO) + Duration::from_micros(at);
            prop_assert!(clock.to_node(clock.to_world(deadline)) >= deadline);
        }
    }
}
