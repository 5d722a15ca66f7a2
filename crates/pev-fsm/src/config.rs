use heapless::Vec;
use session::{CURRENT_BEFORE_POWER_MA, EnergyTransfer, Limits, Side};

use crate::{Protection, Quirks, Sensors, Time, Times};

/// Longest EVCCID in bytes (DIN SPEC 70121, schema facet).
pub const EVCC_ID_MAX: usize = 8;

/// The configuration of a car. Values of the battery - limits, state of charge, targets - are inputs:
/// [`Vehicle`](crate::Vehicle).
///
/// `Default` is a car with all sensors that closes its contactors by its own measurement.
#[derive(Clone, Debug, PartialEq)]
pub struct Config {
    /// The car's id in `SessionSetupReq`, 1..=8 bytes. In every captured car it is the MAC address of the
    /// modem's host. Several chargers refuse an empty id.
    pub evcc_id: Vec<u8, EVCC_ID_MAX>,
    /// The `SchemaID` of DIN SPEC 70121 in the car's handshake.
    pub schema_id: u8,
    /// The kind of transfer to request where the charger offers both. Every captured car requests extended.
    pub energy_transfer: EnergyTransfer,
    /// The load on the car's side of the contactors.
    pub load: Load,
    /// The measurement that closes the contactors.
    pub precharge: Precharge,
    /// Largest difference of inlet and battery at which the contactors close, in mV: 20 V (std), 10 V is
    /// pyPLC's default.
    pub tolerance_mv: i32,
    /// Current in the precharge requests, in mA: 1 A (Ioniq, clara); 0 A (Model Y, Polestar 2); at most 2 A.
    pub precharge_current_ma: i32,
    /// Sensors whose readings must be fresh while energised, in addition to the pilot. A sensor that has
    /// answered once is needed from then on, listed here or not.
    pub sensors: Sensors,
    /// Unlock without feedback of the contactors (1 s after the command) or without an inlet sensor (by the
    /// newest `EVSEPresentVoltage`). Dangerous: every session reports a warning.
    pub unlock_without_measurement: bool,
    /// The levels of the protection.
    pub protection: Protection,
    /// Rising current ramp in mA/s: 10 A/s (Ioniq). A lower target applies immediately.
    pub current_ramp_ma_per_s: i32,
    /// Timers and pauses.
    pub times: Times,
    /// The quirks that are on.
    pub quirks: Quirks,
    /// Switches all quirks off and applies [`Times::STANDARD`], overriding `quirks` and `times`.
    pub strict: bool,
}

/// The load on the car's side of the contactors.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Load {
    /// A battery: [`Vehicle`](crate::Vehicle) contains its voltage.
    #[default]
    Battery,
    /// Light bulbs, which have no voltage of their own: precharged and operated at a fixed voltage.
    Bulb {
        /// The voltage in mV.
        voltage_mv: i32,
    },
}

/// The measurement that closes the contactors.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Precharge {
    /// The car's own, at its inlet.
    #[default]
    Measured,
    /// The car's own, while the charger's report agrees with it.
    Compared {
        /// Largest difference in mV; clara's limit is 20 V for 2 s.
        limit_mv: i32,
    },
    /// The charger's report alone. Every session reports a warning.
    Reported,
}

/// Why [`Config::check`] refuses a [`Config`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ConfigError {
    /// `evcc_id` is empty: set 1..=8 bytes.
    #[error("evcc_id is empty: chargers refuse that; give the MAC address")]
    EvccId,
    /// A number is outside its range; the field's name.
    #[error("{0} is out of range")]
    Range(&'static str),
    /// A sensor is not listed without which the configuration is not safe.
    #[error("the sensor {0} is needed: see Config::unlock_without_measurement and Precharge::Reported")]
    SensorMissing(&'static str),
    /// A time is 0 or longer than permitted; its name.
    #[error("the time \"{0}\" must not be zero")]
    Time(&'static str),
}

impl Default for Config {
    fn default() -> Self {
        let mut evcc_id = Vec::new();
        // A locally administered address; six bytes always fit.
        let _ = evcc_id.extend_from_slice(&[0x02, 0, 0, 0, 0, 0x01]);
        Self {
            evcc_id,
            schema_id: 1,
            energy_transfer: EnergyTransfer::Extended,
            load: Load::Battery,
            precharge: Precharge::Measured,
            tolerance_mv: 20_000,
            precharge_current_ma: 1_000,
            sensors: Sensors::INLET | Sensors::CURRENT | Sensors::CONTACTORS | Sensors::LOCK,
            unlock_without_measurement: false,
            protection: Protection::DEFAULT,
            current_ramp_ma_per_s: 10_000,
            times: Times::FIELD,
            quirks: Quirks::DEFAULT,
            strict: false,
        }
    }
}

impl Config {
    /// Checks each field.
    ///
    /// # Errors
    /// The first field that is invalid.
    pub fn check(&self) -> Result<(), ConfigError> {
        if self.evcc_id.is_empty() {
            return Err(ConfigError::EvccId);
        }
        let bulb_mv = match self.load {
            Load::Battery => 1,
            Load::Bulb { voltage_mv } => voltage_mv,
        };
        let limit_mv = match self.precharge {
            Precharge::Compared { limit_mv } => limit_mv,
            Precharge::Measured | Precharge::Reported => 1,
        };
        let most = Limits::PLAUSIBLE;
        let rows = [
            ("tolerance_mv", self.tolerance_mv, 1, 50_000),
            ("precharge.limit_mv", limit_mv, 1, 100_000),
            ("precharge_current_ma", self.precharge_current_ma, 0, CURRENT_BEFORE_POWER_MA),
            ("load.voltage_mv", bulb_mv, 1, most.max_voltage_mv),
            ("current_ramp_ma_per_s", self.current_ramp_ma_per_s, 1, most.max_current_ma),
        ];
        if let Some((name, ..)) = rows.iter().find(|(_, value, least, most)| value < least || value > most) {
            return Err(ConfigError::Range(name));
        }
        let blind = self.unlock_without_measurement;
        let needed = [
            ("CURRENT", Sensors::CURRENT, true),
            ("LOCK", Sensors::LOCK, true),
            ("CONTACTORS", Sensors::CONTACTORS, !blind),
            ("INLET", Sensors::INLET, !blind || self.precharge != Precharge::Reported),
        ];
        if let Some((name, ..)) =
            needed.iter().find(|(_, sensor, needed)| *needed && !self.sensors.contains(*sensor))
        {
            return Err(ConfigError::SensorMissing(name));
        }
        self.protection.check().map_err(ConfigError::Range)?;
        self.times.check(Side::Car).map_err(ConfigError::Time)
    }

    /// The configuration with `strict` and the quirk about times applied to the other fields.
    pub(crate) fn effective(mut self) -> Self {
        if self.strict {
            self.quirks = Quirks::empty();
            self.times = Times::STANDARD;
        }
        if !self.quirks.contains(Quirks::RELAXED_TIMERS) {
            self.times = self.times.at_most(&Times::STANDARD);
        }
        self
    }

    pub(crate) fn time(&self, time: Time) -> machine::Duration {
        self.times.get(time)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use machine::Duration;

    #[test]
    fn nonsense_is_named() {
        assert_eq!(Config::default().check(), Ok(()));
        let broken = |change: fn(&mut Config)| {
            let mut config = Config::default();
            change(&mut config);
            config.check().unwrap_err()
        };
        assert_eq!(broken(|c| c.evcc_id.clear()), ConfigError::EvccId);
        assert_eq!(broken(|c| c.tolerance_mv = 0), ConfigError::Range("tolerance_mv"));
        assert_eq!(broken(|c| c.precharge_current_ma = 2_001), ConfigError::Range("precharge_current_ma"));
        assert_eq!(broken(|c| c.load = Load::Bulb { voltage_mv: 0 }), ConfigError::Range("load.voltage_mv"));
        assert_eq!(broken(|c| c.protection.reverse_ma = 0), ConfigError::Range("reverse_ma"));
        assert_eq!(broken(|c| c.sensors.remove(Sensors::LOCK)), ConfigError::SensorMissing("LOCK"));
        assert_eq!(broken(|c| c.sensors.remove(Sensors::INLET)), ConfigError::SensorMissing("INLET"));
        assert_eq!(
            broken(|c| c.times = c.times.with(Time::Lock, Duration::ZERO)),
            ConfigError::Time("lock confirmation")
        );
    }

    #[test]
    fn an_inlet_voltage_is_needed_unless_both_switches_say_otherwise() {
        let mut config = Config { sensors: Sensors::CURRENT | Sensors::LOCK, ..Config::default() };
        config.unlock_without_measurement = true;
        assert_eq!(config.check(), Err(ConfigError::SensorMissing("INLET")));
        config.precharge = Precharge::Reported;
        assert_eq!(config.check(), Ok(()));
    }

    #[test]
    fn strict_turns_all_quirks_off_and_takes_the_standards_times() {
        let strict = Config { strict: true, ..Config::default() }.effective();
        assert_eq!((strict.quirks, strict.times), (Quirks::empty(), Times::STANDARD));
        let quirks = Quirks::DEFAULT.difference(Quirks::RELAXED_TIMERS);
        let short = Config { quirks, ..Config::default() }.effective();
        assert_eq!(short.times, Times::STANDARD);
        assert_eq!(Config::default().effective().times, Times::FIELD);
    }
}
