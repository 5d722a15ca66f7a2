//! Ranges of configured numbers, with their reasons.

use std::fmt;

use session::{Level, Unit};

/// Range of one key, in the unit that its name contains.
#[derive(Clone, Copy)]
pub struct Bounds {
    /// The key with its section.
    key: &'static str,
    least: f64,
    most: f64,
    why: &'static str,
}

const fn bounds(key: &'static str, least: f64, most: f64, why: &'static str) -> Bounds {
    Bounds { key, least, most, why }
}

/// The ranges of a configuration.
pub struct Ranges {
    keys: &'static [Bounds],
    /// Keys whose ranges the role itself defines: key, protection level, reason.
    protection: &'static [(&'static str, &'static str, &'static str)],
    levels: &'static [Level],
}

/// Ranges of a charger's numeric keys. The role checks limits that depend on other keys, such as a minimum on
/// its maximum.
pub(super) const CHARGER: Ranges =
    Ranges { keys: KEYS, protection: CHARGERS, levels: &evse_fsm::Protection::LEVELS };

/// Ranges of a car's numeric keys.
pub(super) const CAR: Ranges = Ranges { keys: &[], protection: CARS, levels: &pev_fsm::Protection::LEVELS };

const REGULATION: &str = "IEC 61851-23 allows a stage 2.5 A, and 10 A more harm a battery";
const REGULATION_PERCENT: &str = "IEC 61851-23 allows a stage 5 per cent";

const CHARGERS: &[(&str, &str, &str)] = &[
    (
        "protection.min_test_voltage_v",
        "min_test_voltage_mv",
        "below 60 V a test proves nothing, and above 500 V usual cars are refused",
    ),
    (
        "protection.no_current_s",
        "no_current",
        "a soft start takes 8 s, and after a minute the car has given up",
    ),
    ("protection.regulation_a", "regulation_ma", REGULATION),
    ("protection.regulation_percent", "regulation_percent", REGULATION_PERCENT),
    ("protection.monitor_s", "monitor", "monitors answer within 10 s, slow ones need more"),
    ("protection.fault_ohm_per_v", "fault_ohm_per_v", "the standard's limit is 100 ohm for each volt"),
    (
        "protection.warning_ohm_per_v",
        "warning_ohm_per_v",
        "the standard's limit is 500 ohm for each volt, and no fault is less than a warning",
    ),
];

const CARS: &[(&str, &str, &str)] = &[
    ("protection.reverse_a", "reverse_ma", "less is an error of the sensor, and 20 A discharge a battery"),
    ("protection.reverse_s", "reverse", "shorter ones are ripple, and none that lasts 5 s is a transient"),
    ("protection.regulation_a", "regulation_ma", REGULATION),
    ("protection.regulation_percent", "regulation_percent", REGULATION_PERCENT),
    ("protection.over_current_s", "over_current", "a stage that regulates is back within a second"),
    ("protection.over_voltage_s", "over_voltage", "shorter ones are ripple, and longer ones harm a battery"),
    ("protection.far_over_percent", "far_over_percent", "a stage overshoots by less than 5 per cent"),
    (
        "protection.hot_celsius",
        "hot_millicelsius",
        "an inlet gets to 60 degrees in use, and melts beyond 120",
    ),
];

/// Keys whose ranges are defined here.
const KEYS: &[Bounds] = &[
    bounds("network.port", 0.0, 65535.0, "a TCP port; 0 is the usual one"),
    bounds(
        "plant.plug_after_s",
        0.0,
        86_400.0,
        "a simulated car that plugs in later than in a day is a mistake",
    ),
    bounds("plant.ready_after_s", 0.0, 600.0, "no car waits longer than ten minutes before pilot C"),
    bounds("plant.isolation_time_s", 0.0, 60.0, "no cable check lasts longer"),
    bounds("charger.max_voltage_v", 50.0, 1500.0, "CCS ends at 1500 V, and no car charges below 50 V"),
    bounds("charger.min_voltage_v", 0.0, 1500.0, "CCS ends at 1500 V"),
    bounds("charger.max_current_a", 1.0, 1000.0, "no cable of CCS carries more than 1000 A"),
    bounds("charger.min_current_a", 0.0, 1000.0, "no cable of CCS carries more than 1000 A"),
    bounds("charger.max_power_kw", 0.1, 1000.0, "no charger of CCS has more than 1 MW"),
    bounds(
        "charger.voltage_ramp_v_per_s",
        10.0,
        2000.0,
        "slower, precharge ends by its timer; the fastest stage observed does 1000 V/s",
    ),
    bounds(
        "charger.current_ramp_a_per_s",
        1.0,
        100.0,
        "cars ask for 10 A/s, real chargers do 12 to 25 A/s; a car must be able to follow",
    ),
    bounds(
        "charger.isolation_test_s",
        1.0,
        30.0,
        "no monitor measures in less than a second, and the standard's cable check ends after 38 s",
    ),
    bounds("charger.synthetic_current_a", 0.0, 1000.0, "no cable of CCS carries more than 1000 A"),
    bounds("charger.settle_s", 0.0, 60.0, "no cable check lasts longer"),
    bounds("charger.raise_s", 1.0, 60.0, "no cable check lasts longer"),
    bounds("charger.self_test_s", 1.0, 60.0, "no cable check lasts longer"),
    bounds("log.record_max_mb", 1.0, 1_000_000.0, "a whole number of megabytes"),
];

impl Ranges {
    /// The range of a key; `None` if it is not numeric.
    pub fn of(&self, key: &str) -> Option<Bounds> {
        if let Some(bounds) = self.keys.iter().find(|row| row.key == key) {
            return Some(*bounds);
        }
        let (key, name, why) = self.protection.iter().find(|(of, ..)| *of == key)?;
        let level = self.levels.iter().find(|level| level.name == *name)?;
        let parts = match level.unit {
            Unit::Milliampere | Unit::Millivolt | Unit::Millisecond | Unit::Millicelsius => 1000.0,
            Unit::Percent | Unit::OhmPerVolt => 1.0,
        };
        Some(bounds(key, f64::from(level.least) / parts, f64::from(level.most) / parts, why))
    }
}

impl Bounds {
    /// Whether a number is within the range.
    pub fn hold(&self, number: f64) -> bool {
        // False for NaN.
        (self.least..=self.most).contains(&number)
    }
}

impl fmt::Display for Bounds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "expected {}..={}: {}", self.least, self.most, self.why)
    }
}
