use crate::{Preset, Protection, Quirks, Sensors};
use heapless::Vec;
use machine::Duration;
use session::{EnergyTransfer, Limits, Side, Time, Times};

/// Longest EVSEID in bytes (DIN SPEC 70121, schema facet).
pub const EVSE_ID_MAX: usize = 32;

/// The configuration of a charger.
///
/// `Default` is a charger of 500 V, 125 A, 50 kW with a real power stage and without authorisation, that
/// works with all cars in the captures.
#[derive(Clone, Debug, PartialEq)]
pub struct Config {
    /// The charger's id in `SessionSetupRes`, 0..=32 bytes. Alpitronic, ABB and Compleo send one byte 00
    /// (observed).
    pub evse_id: Vec<u8, EVSE_ID_MAX>,
    /// Length of the session ids that the charger assigns, 1..=8 bytes. Alpitronic: 8, Tesla: 4 (observed).
    pub session_id_len: u8,
    /// Who authorises a session.
    pub authorisation: Authorisation,
    /// The purpose of a session.
    pub purpose: Purpose,
    /// The power stage's limits. `max_voltage_mv` bounds the isolation test, too.
    pub limits: Limits,
    /// Peak-to-peak current ripple that the charger reports, in mA.
    pub ripple_ma: i32,
    /// The kind of DC transfer that the charger offers.
    pub energy_transfer: EnergyTransfer,
    /// Whether a power stage exists.
    pub power_stage: PowerStage,
    /// Sensors whose readings must be fresh while energised, in addition to the pilot. A sensor that has
    /// answered once is needed from then on, listed here or not.
    pub sensors: Sensors,
    /// How the output reaches the car's target voltage before the car's contactors close.
    pub precharge: Preset,
    /// Voltage ramp of isolation test and charging loop in mV/s; an HYC300 has 1 000 000 (observed).
    pub voltage_ramp_mv_per_s: i32,
    /// Rising current ramp in mA/s. Cars request 10 A/s, real chargers have 12..16 A/s (observed), EVerest 25
    /// A/s. A lower request applies immediately.
    pub current_ramp_ma_per_s: i32,
    /// How long the isolation test voltage is held before the monitor's result counts.
    pub isolation_test: Duration,
    /// How long responses to `ChargeParameterDiscovery` are Ongoing. Real chargers: 0.5..1.2 s (observed).
    pub parameter_time: Duration,
    /// The levels of the protection.
    pub protection: Protection,
    /// Whether the plant has a bleeder that [`Demand::discharge`](crate::Demand) connects: the cable is then
    /// below 60 V within 1 s. Without one a warning reports a voltage that stays on the cable.
    pub bleeder: bool,
    /// Highest synthetic current in mA, reported to the car without a power stage and without a current
    /// sensor: 1 A (judgement: cars stop at 0 A).
    pub made_up_current_ma: i32,
    /// Timers and pauses.
    pub times: Times,
    /// The quirks that are on.
    pub quirks: Quirks,
    /// Switches all quirks off and applies [`Times::STANDARD`], overriding `quirks` and `times`.
    pub strict: bool,
    /// Whether the pilot may offer 5 % from the start: see [`Operator::Available`](crate::Operator).
    pub available: bool,
}

/// Who authorises a session.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Authorisation {
    /// No one: charging is free. A refusal by [`Operator::Authorise`](crate::Operator) still applies.
    #[default]
    Free,
    /// [`Operator::Authorise`](crate::Operator).
    Operator,
}

/// The purpose of a session.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Purpose {
    /// Charging.
    #[default]
    Charge,
    /// Reading the car's data, mainly its state of charge: the charger requests a stop as soon as it has the
    /// car's parameters. Nothing is ever energised.
    ReadCar,
}

/// Whether a power stage exists.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum PowerStage {
    /// It exists: measured values are reported.
    #[default]
    Real,
    /// None: the isolation test passes after its time, the reported voltage is the precharge ramp, and the
    /// demand never leaves 0 V, 0 A, contactors open. Every session reports a warning.
    None,
}

/// Why [`Config::check`] refuses a [`Config`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ConfigError {
    /// `session_id_len` is not 1..=8.
    #[error("session_id_len is {0}: give 1..=8 bytes")]
    SessionIdLength(u8),
    /// A limit is 0, negative, above 1500 V / 1000 A / 1 MW, or a minimum is not below its maximum; the
    /// field's name.
    #[error("limits.{0} makes no sense: maxima up to 1500 V, 1000 A, 1 MW, each minimum below its maximum")]
    Limit(&'static str),
    /// A ramp is not positive; the field's name.
    #[error("{0} must be positive")]
    Ramp(&'static str),
    /// [`Preset::Mirror`] reports a voltage that a real power stage does not have.
    #[error("precharge preset mirror reports a voltage that is not there: it needs power_stage = None")]
    MirrorNeedsNoPowerStage,
    /// A real power stage needs sensors that are not listed: see
    /// [`Sensors::PROTECTION`](crate::Sensors::PROTECTION).
    #[error(
        "a real power stage needs VOLTAGE, CURRENT, ISOLATION, CONTACTORS and EMERGENCY_STOP: wire the feedback \
         contacts of the output contactors and the emergency stop, and name them in sensors"
    )]
    SensorsMissing,
    /// A level of the protection is outside its range; the field's name.
    #[error("protection.{0} is out of its range: see its documentation")]
    Protection(&'static str),
    /// A timer is 0 or longer than a safety rule permits; its name.
    #[error(
        "the time \"{0}\" is out of range: it must not be 0, \"stall\" at most 1 s, \"power off\" at most 1.5 s"
    )]
    Time(&'static str),
}

impl Default for Config {
    fn default() -> Self {
        let mut evse_id = Vec::new();
        // One byte always fits.
        let _ = evse_id.push(0);
        Self {
            evse_id,
            session_id_len: 8,
            authorisation: Authorisation::Free,
            purpose: Purpose::Charge,
            limits: Limits {
                max_voltage_mv: 500_000,
                min_voltage_mv: 50_000,
                max_current_ma: 125_000,
                min_current_ma: 1_000,
                max_power_w: 50_000,
            },
            ripple_ma: 2_000,
            energy_transfer: EnergyTransfer::Extended,
            power_stage: PowerStage::Real,
            sensors: Sensors::PROTECTION,
            precharge: Preset::Ramp,
            voltage_ramp_mv_per_s: 500_000,
            current_ramp_ma_per_s: 20_000,
            isolation_test: Duration::from_secs(5),
            parameter_time: Duration::ZERO,
            protection: Protection::DEFAULT,
            bleeder: false,
            made_up_current_ma: 1_000,
            times: Times::FIELD,
            quirks: Quirks::DEFAULT,
            strict: false,
            available: true,
        }
    }
}

impl Config {
    /// Shortest wait for the pilot with the quirk `slow-pilot`: 3 s (`EvseV2G`).
    const SLOW_PILOT: Duration = Duration::from_secs(3);

    /// A charger without power stage and with the pilot as its only sensor: for reading cars, for making them
    /// close their contactors, and for tests. `preset` is the curve of the reported precharge voltage.
    pub fn without_power_stage(preset: Preset) -> Self {
        Self {
            power_stage: PowerStage::None,
            sensors: Sensors::empty(),
            precharge: preset,
            ..Self::default()
        }
    }

    /// Checks each field.
    ///
    /// # Errors
    /// The first field that is invalid.
    pub fn check(&self) -> Result<(), ConfigError> {
        if !(1..=8).contains(&self.session_id_len) {
            return Err(ConfigError::SessionIdLength(self.session_id_len));
        }
        self.check_limits()?;
        let ramps = [
            ("voltage_ramp_mv_per_s", self.voltage_ramp_mv_per_s),
            ("current_ramp_ma_per_s", self.current_ramp_ma_per_s),
        ];
        if let Some((name, _)) = ramps.iter().find(|(_, ramp)| *ramp <= 0) {
            return Err(ConfigError::Ramp(name));
        }
        if self.power_stage == PowerStage::Real {
            if self.precharge == Preset::Mirror {
                return Err(ConfigError::MirrorNeedsNoPowerStage);
            }
            if !self.sensors.contains(Sensors::PROTECTION) {
                return Err(ConfigError::SensorsMissing);
            }
        }
        self.protection.check().map_err(ConfigError::Protection)?;
        self.times.check(Side::Charger).map_err(ConfigError::Time)
    }

    fn check_limits(&self) -> Result<(), ConfigError> {
        let own = &self.limits;
        let rows = [
            ("max_voltage_mv", own.max_voltage_mv, 1, Limits::PLAUSIBLE.max_voltage_mv),
            ("max_current_ma", own.max_current_ma, 1, Limits::PLAUSIBLE.max_current_ma),
            ("max_power_w", own.max_power_w, 1, Limits::PLAUSIBLE.max_power_w),
            ("min_voltage_mv", own.min_voltage_mv, 0, own.max_voltage_mv.saturating_sub(1)),
            ("min_current_ma", own.min_current_ma, 0, own.max_current_ma.saturating_sub(1)),
            ("ripple_ma", self.ripple_ma, 0, Limits::PLAUSIBLE.max_current_ma),
            ("made_up_current_ma", self.made_up_current_ma, 0, Limits::PLAUSIBLE.max_current_ma),
        ];
        rows.iter()
            .find(|(_, value, least, most)| value < least || value > most)
            .map_or(Ok(()), |(name, ..)| Err(ConfigError::Limit(name)))
    }

    /// The configuration with `strict` and the quirks about timers applied to the other fields.
    pub(crate) fn effective(mut self) -> Self {
        if self.strict {
            self.quirks = Quirks::empty();
            self.times = Times::STANDARD;
        }
        let quirks = self.quirks;
        if !quirks.contains(Quirks::RELAXED_TIMERS) {
            for time in [Time::AuthorisationBudget, Time::CableCheckBudget, Time::PreChargeBudget] {
                let most = Times::STANDARD.get(time);
                self.times = self.times.with(time, self.times.get(time).min(most));
            }
        }
        if quirks.contains(Quirks::SLOW_PILOT) {
            let detection = self.times.get(Time::PilotDetection).max(Self::SLOW_PILOT);
            self.times = self.times.with(Time::PilotDetection, detection);
        }
        if !quirks.contains(Quirks::LATE_CLOSE) {
            self.times = self.times.with(Time::CloseAfterFailed, Duration::ZERO);
        }
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_defaults_with_and_without_power_stage_make_sense() {
        assert_eq!(Config::default().check(), Ok(()));
        for preset in Preset::ALL {
            assert_eq!(Config::without_power_stage(*preset).check(), Ok(()));
        }
    }

    #[test]
    fn nonsense_is_named() {
        let broken = |change: fn(&mut Config)| {
            let mut config = Config::default();
            change(&mut config);
            config.check().unwrap_err()
        };
        assert_eq!(broken(|c| c.session_id_len = 0), ConfigError::SessionIdLength(0));
        assert_eq!(broken(|c| c.session_id_len = 9), ConfigError::SessionIdLength(9));
        assert_eq!(broken(|c| c.limits.max_voltage_mv = 0), ConfigError::Limit("max_voltage_mv"));
        assert_eq!(broken(|c| c.limits.min_current_ma = 125_000), ConfigError::Limit("min_current_ma"));
        assert_eq!(broken(|c| c.limits.max_power_w = 1_000_001), ConfigError::Limit("max_power_w"));
        assert_eq!(broken(|c| c.current_ramp_ma_per_s = 0), ConfigError::Ramp("current_ramp_ma_per_s"));
        assert_eq!(broken(|c| c.precharge = Preset::Mirror), ConfigError::MirrorNeedsNoPowerStage);
        assert_eq!(broken(|c| c.sensors = Sensors::empty()), ConfigError::SensorsMissing);
        assert_eq!(
            broken(|c| c.times = c.times.with(Time::Stall, Duration::from_millis(1001))),
            ConfigError::Time("stall")
        );
    }

    #[test]
    fn strict_turns_all_quirks_off_and_takes_the_standards_times() {
        let strict = Config { strict: true, ..Config::default() }.effective();
        assert_eq!((strict.quirks, strict.times), (Quirks::empty(), Times::STANDARD));
        let relaxed = Config::default().effective();
        assert_eq!(relaxed.times, Times::FIELD);
        let quirks = Quirks::DEFAULT.difference(Quirks::RELAXED_TIMERS) | Quirks::SLOW_PILOT;
        let mixed = Config { quirks, ..Config::default() }.effective();
        let [precharge, detection] = [Time::PreChargeBudget, Time::PilotDetection];
        assert_eq!(mixed.times.get(precharge), Times::STANDARD.get(precharge));
        assert_eq!(mixed.times.get(detection), Duration::from_secs(3));
        assert_eq!(mixed.times.get(Time::CloseAfterFailed), Duration::from_secs(5));
        let at_once =
            Config { quirks: quirks.difference(Quirks::LATE_CLOSE), ..Config::default() }.effective();
        assert_eq!(at_once.times.get(Time::CloseAfterFailed), Duration::ZERO);
    }
}
