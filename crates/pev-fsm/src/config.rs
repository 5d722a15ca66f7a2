use heapless::Vec;
use session::{CURRENT_BEFORE_POWER_MA, EnergyTransfer, Limits, Side};

use crate::{Protection, Quirks, Sensors, Time, Times};

/// Longest EVCCID in bytes (DIN SPEC 70121, schema facet).
pub const EVCC_ID_MAX: usize = 8;

/// Everything that can be set about a car's session. What belongs to the battery - limits, state of charge,
/// targets - is an input: [`Vehicle`](crate::Vehicle).
///
/// `Default` is a car with all sensors that decides by its own measurement.
#[derive(Clone, Debug, PartialEq)]
pub struct Config {
    /// The car's id in `SessionSetupReq`, 1..=8 bytes: the MAC address of its modem's host in every captured
    /// car. An empty one is refused by several chargers.
    pub evcc_id: Vec<u8, EVCC_ID_MAX>,
    /// The number that the car gives DIN SPEC 70121 in the handshake.
    pub schema_id: u8,
    /// The kind of transfer that is asked for, where the charger offers both. Every captured car: extended.
    pub energy_transfer: EnergyTransfer,
    /// What is on the car's side of the contactors.
    pub load: Load,
    /// Whose word closes the contactors.
    pub precharge: Precharge,
    /// How near inlet and battery must be for the contactors to close, in mV. 20 V (std); 10 V is pyPLC's
    /// default.
    pub tolerance_mv: i32,
    /// Current that the precharge asks for in mA: 1 A (Ioniq, clara); 0 A (Model Y, Polestar 2); at most 2 A.
    pub precharge_current_ma: i32,
    /// Which readings must be fresh while energised, besides the pilot. One that has come once is needed from
    /// then on, named here or not.
    pub sensors: Sensors,
    /// Unlocks without feedback of the contactors (1 s after the command) or without an inlet voltage (by the
    /// newest `EVSEPresentVoltage`), where there is no such sensor. Dangerous: every session says so.
    pub unlock_without_measurement: bool,
    /// At which levels protection acts.
    pub protection: Protection,
    /// Rising current ramp in mA/s: 10 A/s (Ioniq). Falling follows the battery at once.
    pub current_ramp_ma_per_s: i32,
    /// Timers and waits.
    pub times: Times,
    /// What is bent for whom.
    pub quirks: Quirks,
    /// Switches all quirks off and takes [`Times::STANDARD`], whatever the fields say.
    pub strict: bool,
}

/// What is on the car's side of the contactors.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Load {
    /// A battery: its voltage comes with [`Vehicle`](crate::Vehicle).
    #[default]
    Battery,
    /// Light bulbs: no voltage of their own; precharged and charged at this one in mV.
    Bulb {
        /// Voltage in mV.
        voltage_mv: i32,
    },
}

/// Whose word closes the contactors.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Precharge {
    /// The car's own measurement at its inlet.
    #[default]
    Measured,
    /// The car's own measurement, as long as the charger's report is not further off than this.
    Compared {
        /// Disagreement in mV: 20 V for 2 s is clara's limit.
        limit_mv: i32,
    },
    /// The charger's report alone. Every session says so with a warning.
    Reported,
}

/// What is wrong with a [`Config`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ConfigError {
    /// `evcc_id` is empty.
    #[error("evcc_id is empty: chargers refuse that; give the MAC address")]
    EvccId,
    /// A number is out of range.
    #[error("{0} is out of range")]
    Range(&'static str),
    /// A sensor is missing without which the configuration is not safe.
    #[error("the sensor {0} is needed: see Config::unlock_without_measurement and Precharge::Reported")]
    SensorMissing(&'static str),
    /// A time must not be zero.
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
    /// Whether the configuration makes sense.
    ///
    /// # Errors
    /// The first thing that does not.
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

    /// The configuration with `strict` and the quirk about times worked into the other fields.
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
