//! What a configured number may be, and why.

use std::fmt;

/// The range of one key, in the unit of its name.
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

/// Of each key that takes a number. What depends on another key (a minimum on its maximum) the charger checks.
const TABLE: &[Bounds] = &[
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
];

impl Bounds {
    /// Those of a key, if it takes a number.
    pub fn of(key: &str) -> Option<&'static Self> {
        TABLE.iter().find(|row| row.key == key)
    }

    /// Whether a number is within.
    pub fn hold(&self, number: f64) -> bool {
        // Not so for NaN.
        (self.least..=self.most).contains(&number)
    }
}

impl fmt::Display for Bounds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "expected {}..={}: {}", self.least, self.most, self.why)
    }
}
