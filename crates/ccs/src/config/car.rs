//! The configuration of `ccs pev`.

use super::bounds::{self, Ranges};
use super::key::{Configured, Error, Key, key};

/// Everything about a car that a configuration file can set.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct CarConfig {
    /// Configuration of the car's role.
    pub car: pev_fsm::Config,
}

impl Configured for CarConfig {
    const COMMAND: &'static str = "ccs pev";
    const KEYS: &'static [Key<Self>] = KEYS;
    const RANGES: Ranges = bounds::CAR;

    fn check(&self) -> Result<(), Error> {
        Ok(self.car.check()?)
    }
}

const KEYS: &[Key<CarConfig>] = &[
    key!("protection", "reverse_a", "more current than this out of the battery, A",
        scaled 1000, car.protection.reverse_ma),
    key!("protection", "reverse_s", "current out of the battery is a latched stop after this time, s", seconds car.protection.reverse),
    key!("protection", "regulation_a", "how far the current may be above what is asked for below 50 A, A",
        scaled 1000, car.protection.regulation_ma),
    key!("protection", "regulation_percent", "and from 50 A on, in per cent",
        whole car.protection.regulation_percent),
    key!("protection", "over_current_s", "current above that is a latched stop after this time, s",
        seconds car.protection.over_current),
    key!("protection", "over_voltage_s",
        "more voltage than the car's limit, contactors closed, is a latched stop after this time, s",
        seconds car.protection.over_voltage),
    key!("protection", "far_over_percent", "more than this many per cent of the limit is one at once",
        whole car.protection.far_over_percent),
    key!("protection", "hot_celsius", "from this temperature of the inlet on the charge ends, degrees Celsius",
        scaled 1000, car.protection.hot_millicelsius),
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::key::tests::every_number_has_bounds;

    #[test]
    fn what_is_printed_reads_back_as_the_same() {
        assert_eq!(CarConfig::from_toml(&CarConfig::default().to_toml()), Ok(CarConfig::default()));
        let mut config = CarConfig::default();
        config.car.protection.reverse_ma = 7_500;
        config.car.protection.over_voltage = machine::Duration::from_millis(150);
        config.car.protection.hot_millicelsius = 75_000;
        config.car.protection.far_over_percent = 105;
        assert_eq!(CarConfig::from_toml(&config.to_toml()), Ok(config));
    }

    #[test]
    fn a_wrong_key_or_value_says_what_is_expected() {
        let words = |source: &str| CarConfig::from_toml(source).unwrap_err().to_string();
        let unknown = words("[protection]\nno_current_s = 15");
        assert!(unknown.contains("`ccs pev --print-config` shows all keys"), "{unknown}");
        assert!(words("[protection]\nreverse_amp = 5").contains("did you mean protection.reverse_a?"));
        let expected = "protection.over_voltage_s = 3: expected 0.1..=2: ";
        assert!(words("[protection]\nover_voltage_s = 3").starts_with(expected));
        assert!(words("[protection]\nhot_celsius = 59.9").contains("expected 60..=120: "));
    }

    #[test]
    fn every_number_has_bounds_and_nothing_outside_them_is_taken() {
        assert_eq!(every_number_has_bounds::<CarConfig>(), KEYS.len(), "each is a number");
        assert_eq!(KEYS.len(), pev_fsm::Protection::LEVELS.len(), "each level is a key");
    }
}
