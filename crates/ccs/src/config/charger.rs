//! The configuration of `ccs evse`.

use std::path::PathBuf;

use crate::plant::Simulation;
use evse_fsm::{EVSE_ID_MAX, PowerStage, Preset, Purpose, QUIRKS, ReverseCurrent, TestVoltage};
use roles::Mac;
use toml::Value;

use super::bounds::{self, Ranges};
use super::key::{Configured, Error, Key, key};
use super::value::{optional, string, text};
use super::{Megabytes, PLANTS};
use crate::hex;
use crate::name;

/// Everything that a configuration file can set.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Config {
    /// Network interface to which the modem is connected; empty: not chosen yet.
    pub interface: String,
    /// The charger's MAC address; `None`: derived from the interface's.
    pub mac: Option<Mac>,
    /// TCP port; `None`: the role's default.
    pub port: Option<u16>,
    /// Whether the link is assumed to exist; else SLAC establishes it.
    pub link_up: bool,
    /// Name of the plant's back end; empty: not chosen yet.
    pub plant: String,
    /// Behaviour of the simulated plant.
    pub simulation: Simulation,
    /// Configuration of the charger's role.
    pub charger: evse_fsm::Config,
    /// File that stores a latch; `None`: the default file.
    pub state: Option<PathBuf>,
    /// File or directory for recordings; `None`: no recording.
    pub record: Option<PathBuf>,
    /// Largest size of a recording file.
    pub record_max: Megabytes,
}

impl Configured for Config {
    const COMMAND: &'static str = "ccs evse";
    const KEYS: &'static [Key<Self>] = KEYS;
    const RANGES: Ranges = bounds::CHARGER;

    fn check(&self) -> Result<(), Error> {
        Ok(self.charger.check()?)
    }
}

const KEYS: &[Key<Config>] = &[
    key!(
        "network",
        "interface",
        "network interface of the power-line modem",
        |config| text(&config.interface),
        |config, value| {
            // Empty: not chosen yet.
            config.interface = optional(&string(value)?, |name| name::interface(name).map(|()| name.into()))?
                .unwrap_or_default();
            Ok(())
        }
    ),
    key!(
        "network",
        "mac",
        "the charger's MAC address; empty: made from the interface's, but another",
        |config| text(&config.mac.map_or_else(String::new, |mac| mac.to_string())),
        |config, value| {
            config.mac = optional(&string(value)?, parse_mac)?;
            Ok(())
        }
    ),
    key!(
        "network",
        "port",
        "TCP port announced in discovery; 0: the usual one",
        |config| Value::Integer(config.port.unwrap_or(0).into()),
        |config, value| {
            let port =
                value.as_integer().and_then(|port| u16::try_from(port).ok()).ok_or("expected 0..=65535")?;
            config.port = Some(port).filter(|port| *port != 0);
            Ok(())
        }
    ),
    key!(
        "network",
        "link",
        "slac: the car is matched through the modem; up: the link is there already",
        |config| text(if config.link_up { "up" } else { "slac" }),
        |config, value| {
            config.link_up = match string(value)?.as_str() {
                "slac" => false,
                "up" => true,
                _ => return Err("expected one of: slac, up".into()),
            };
            Ok(())
        }
    ),
    key!(
        "plant",
        "backend",
        "what drives pilot and power: simulated (moves nothing real)",
        |config| text(&config.plant),
        |config, value| {
            let name = string(value)?;
            if !name.is_empty() && !PLANTS.contains(&name.as_str()) {
                return Err(format!("expected one of: {}", PLANTS.join(", ")));
            }
            config.plant = name;
            Ok(())
        }
    ),
    key!("plant", "plug_after_s", "simulated: when the plug goes in, s", seconds simulation.plug_after),
    key!("plant", "ready_after_s", "simulated: from 5 % to pilot C, s", seconds simulation.ready_after),
    key!("plant", "isolation_time_s", "simulated: how long the isolation monitor measures, s",
        seconds simulation.isolation_time),
    key!(
        "charger",
        "evse_id",
        "EVSEID, hexadecimal, 0..=32 bytes; 00 is what many chargers send",
        |config| {
            let mut id = String::new();
            hex::write(&config.charger.evse_id, &mut id);
            Value::String(id)
        },
        set_evse_id
    ),
    key!("charger", "max_voltage_v", "limits of the power stage: V", scaled 1000, charger.limits.max_voltage_mv),
    key!("charger", "min_voltage_v", "V", scaled 1000, charger.limits.min_voltage_mv),
    key!("charger", "max_current_a", "A", scaled 1000, charger.limits.max_current_ma),
    key!("charger", "min_current_a", "A", scaled 1000, charger.limits.min_current_ma),
    key!("charger", "max_power_kw", "kW", scaled 1000, charger.limits.max_power_w),
    key!("charger", "voltage_ramp_v_per_s", "ramps of voltage and current: V/s",
        scaled 1000, charger.voltage_ramp_mv_per_s),
    key!("charger", "current_ramp_a_per_s", "A/s", scaled 1000, charger.current_ramp_ma_per_s),
    key!("charger", "isolation_test_s", "how long the isolation test voltage is held, s",
        seconds charger.isolation_test),
    key!(
        "charger",
        "power_stage",
        "whether there is a power stage; false: synthetic voltages are reported to the car",
        |config| Value::Boolean(config.charger.power_stage == PowerStage::Real),
        set_power_stage
    ),
    key!(
        "charger",
        "precharge",
        "how the voltage gets to the car's target: ramp, step20, two-stage, overshoot, mirror",
        |config| text(config.charger.precharge.name()),
        |config, value| {
            let names: Vec<&str> = Preset::ALL.iter().map(|preset| preset.name()).collect();
            config.charger.precharge = Preset::by_name(&string(value)?)
                .ok_or_else(|| format!("expected one of: {}", names.join(", ")))?;
            Ok(())
        }
    ),
    key!(
        "charger",
        "purpose",
        "charge, or read-car: stop as soon as the car's state of charge is known",
        |config| text(if config.charger.purpose == Purpose::ReadCar { "read-car" } else { "charge" }),
        |config, value| {
            config.charger.purpose = match string(value)?.as_str() {
                "charge" => Purpose::Charge,
                "read-car" => Purpose::ReadCar,
                _ => return Err("expected charge or read-car".into()),
            };
            Ok(())
        }
    ),
    key!("charger", "synthetic_current_a",
        "without a power stage: the most current that is reported to the car, where no sensor measures it, A",
        scaled 1000, charger.made_up_current_ma),
    key!("charger", "settle_s", "how long cable and stage may take to fall below 60 V before the isolation test, s",
        time charger.times Settle),
    key!("charger", "raise_s", "how long the power stage may take to reach the isolation test's voltage, s",
        time charger.times Raise),
    key!("charger", "self_test_s", "how long the isolation monitor's self-test may take, where it has one, s",
        time charger.times SelfTest),
    key!("charger", "bleeder", "true: the plant has a bleeder that discharges the cable on demand",
        flag charger.bleeder),
    key!("charger", "strict", "true: no quirk for any car, and the standard's timers", flag charger.strict),
    key!(
        "charger",
        "quirks",
        "ids of what is bent for cars that need it",
        |config| {
            let on = QUIRKS.iter().filter(|quirk| config.charger.quirks.contains(quirk.flag));
            Value::Array(on.map(|quirk| text(quirk.id)).collect())
        },
        set_quirks
    ),
    key!(
        "protection",
        "isolation_test_voltage",
        "least: the lower maximum of car and charger; iec2023: as IEC 61851-23:2023 has it",
        |config| {
            let is_least = config.charger.protection.test_voltage == TestVoltage::Least;
            text(if is_least { "least" } else { "iec2023" })
        },
        |config, value| {
            config.charger.protection.test_voltage = match string(value)?.as_str() {
                "least" => TestVoltage::Least,
                "iec2023" => TestVoltage::Iec2023,
                _ => return Err("expected one of: least, iec2023".into()),
            };
            Ok(())
        }
    ),
    key!("protection", "min_test_voltage_v", "a car whose maximum voltage is lower is refused, V",
        scaled 1000, charger.protection.min_test_voltage_mv),
    key!("protection", "no_current_s", "a current that is demanded and does not come ends the session after this time, s",
        seconds charger.protection.no_current),
    key!(
        "protection",
        "reverse_current",
        "forbidden, or allowed up to charger.max_current_a: for what takes power out of a car and bounds it itself",
        |config| {
            let is_forbidden = config.charger.protection.reverse_current == ReverseCurrent::Forbidden;
            text(if is_forbidden { "forbidden" } else { "allowed" })
        },
        |config, value| {
            let most_ma = config.charger.limits.max_current_ma;
            config.charger.protection.reverse_current = match string(value)?.as_str() {
                "forbidden" => ReverseCurrent::Forbidden,
                // Sections are read in the order of their names, so the limits were read before this one.
                "allowed" => ReverseCurrent::Allowed(most_ma),
                _ => return Err("expected one of: forbidden, allowed".into()),
            };
            Ok(())
        }
    ),
    key!("protection", "regulation_a", "how far the current may be above its set point below 50 A, A",
        scaled 1000, charger.protection.regulation_ma),
    key!("protection", "regulation_percent", "and from 50 A on, in per cent", whole charger.protection.regulation_percent),
    key!("protection", "monitor_s", "an isolation monitor hangs when it makes no new measurement in this time, s",
        seconds charger.protection.monitor),
    key!("protection", "fault_ohm_per_v", "isolation below this is a fault, ohm for each volt of max_voltage_v",
        whole charger.protection.fault_ohm_per_v),
    key!("protection", "warning_ohm_per_v", "and below this a warning", whole charger.protection.warning_ohm_per_v),
    key!(
        "state",
        "file",
        "file that keeps a latch, so that it outlives the program; empty: the usual one (`ccs evse --help`)",
        |config| text(&config.state.as_ref().map_or_else(String::new, |path| path.display().to_string())),
        |config, value| {
            config.state = Some(string(value)?).filter(|path| !path.is_empty()).map(PathBuf::from);
            Ok(())
        }
    ),
    key!(
        "log",
        "record",
        "pcapng file for all frames and what the plant does, or a directory for one of each session; empty: none",
        |config| text(&config.record.as_ref().map_or_else(String::new, |path| path.display().to_string())),
        |config, value| {
            config.record = Some(string(value)?).filter(|path| !path.is_empty()).map(PathBuf::from);
            Ok(())
        }
    ),
    key!(
        "log",
        "record_max_mb",
        "a file of the recording ends at this size, MB",
        |config| Value::Integer(config.record_max.0.into()),
        |config, value| {
            let limit = value.as_integer().and_then(|limit| u32::try_from(limit).ok());
            config.record_max = limit.map(Megabytes).ok_or("expected a whole number of megabytes")?;
            Ok(())
        }
    ),
];

fn parse_mac(text: &str) -> Result<Mac, String> {
    let mut bytes = Vec::new();
    let parsed = hex::parse(text.as_bytes(), &mut bytes).ok();
    let mac = parsed
        .and_then(|()| <[u8; 6]>::try_from(bytes).ok())
        .filter(|mac| mac.first().is_some_and(|first| first & 1 == 0) && mac.iter().any(|byte| *byte != 0));
    mac.map(Mac).ok_or_else(|| "expected six bytes like 02:1b:21:01:02:03, not of a group, not all 0".into())
}

fn set_evse_id(config: &mut Config, value: &Value) -> Result<(), String> {
    let mut bytes = Vec::new();
    hex::parse(string(value)?.as_bytes(), &mut bytes)
        .map_err(|column| format!("expected hexadecimal digits (column {column})"))?;
    config.charger.evse_id.clear();
    config
        .charger
        .evse_id
        .extend_from_slice(&bytes)
        .map_err(|_| format!("expected at most {EVSE_ID_MAX} bytes"))
}

fn set_power_stage(config: &mut Config, value: &Value) -> Result<(), String> {
    let real = value.as_bool().ok_or("expected true or false")?;
    let without = evse_fsm::Config::without_power_stage(config.charger.precharge);
    let like = if real { evse_fsm::Config::default() } else { without };
    config.charger.power_stage = like.power_stage;
    config.charger.sensors = like.sensors;
    Ok(())
}

fn set_quirks(config: &mut Config, value: &Value) -> Result<(), String> {
    let ids: Vec<&str> = QUIRKS.iter().map(|quirk| quirk.id).collect();
    let expected = || format!("expected a list of: {}", ids.join(", "));
    let mut quirks = evse_fsm::Quirks::empty();
    for id in value.as_array().ok_or_else(expected)? {
        let quirk = QUIRKS.iter().find(|quirk| Some(quirk.id) == id.as_str()).ok_or_else(expected)?;
        quirks |= quirk.flag;
    }
    config.charger.quirks = quirks;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::key::tests::every_number_has_bounds;
    use machine::Duration;

    #[test]
    fn what_is_printed_reads_back_as_the_same() {
        assert_eq!(Config::from_toml(&Config::default().to_toml()), Ok(Config::default()));
        let mut config = Config {
            interface: "eth1".into(),
            mac: Some(Mac([2, 3, 4, 5, 6, 7])),
            port: Some(55118),
            plant: "simulated".into(),
            record: Some("a b.pcapng".into()),
            state: Some("a b.latch".into()),
            record_max: Megabytes(7),
            ..Config::default()
        };
        config.charger.limits.max_power_w = 12_345;
        config.simulation.plug_after = Duration::from_millis(1250);
        config.charger.strict = true;
        config.charger.quirks = evse_fsm::Quirks::NOTIFY_STOP;
        assert_eq!(Config::from_toml(&config.to_toml()), Ok(config));
    }

    #[test]
    fn a_misspelt_key_gets_a_suggestion() {
        let words = |source: &str| Config::from_toml(source).unwrap_err().to_string();
        let expected = "unknown key charger.max_votage_v; did you mean charger.max_voltage_v?";
        assert!(words("[charger]\nmax_votage_v = 400").starts_with(expected));
        let moved = words("[charger]\ninterface = 'eth0'");
        assert!(moved.contains("did you mean network.interface?"), "{moved}");
        let foreign = words("[xyz]\nqqq = 1");
        assert!(
            foreign.starts_with("unknown key xyz.qqq;") && !foreign.contains("did you mean"),
            "{foreign}"
        );
        assert!(words("interface = 'eth0'").contains("did you mean network.interface?"));
    }

    #[test]
    fn a_wrong_value_says_what_is_expected() {
        let words = |source: &str| Config::from_toml(source).unwrap_err().to_string();
        assert_eq!(
            words("[plant]\nbackend = 'real'"),
            "plant.backend = \"real\": expected one of: simulated"
        );
        assert_eq!(words("[charger]\nstrict = 1"), "charger.strict = 1: expected true or false");
        assert!(words("[network]\nmac = '01:00:00:00:00:00'").contains("not of a group"));
        assert!(words("[charger]\nprecharge = 'fast'").contains("two-stage"));
        assert!(words("[charger]\nquirks = ['x']").contains("profile-power"));
        assert!(words("[network]\nmac = '00:00:00:00:00:00'").contains("not all 0"));
        assert!(words("[charger]\nmin_voltage_v = 600").contains("limits.min_voltage_mv"));
        assert!(words("[charger]\nmax_voltage_v = 1e300").contains("expected 50..=1500"));
        assert!(words("[protection]\nisolation_test_voltage = 'most'").contains("least, iec2023"));
        assert!(words("[protection]\nreverse_current = true").contains("a text in quotes"));
        assert!(words("[protection]\nwarning_ohm_per_v = 150.5").contains("a whole number"));
        assert!(words("[protection]\nfault_ohm_per_v = 600").contains("warning_ohm_per_v"));
        for size in ["0", "-1", "1000001", "5000000000", "2.5"] {
            let refused = words(&format!("[log]\nrecord_max_mb = {size}"));
            assert!(refused.contains("a whole number of megabytes"), "{refused}");
        }
        assert!(words("[charger").contains("not TOML"));
    }

    #[test]
    fn a_number_out_of_its_bounds_is_refused_by_name_value_and_range() {
        let words = |source: &str| Config::from_toml(source).unwrap_err().to_string();
        let expected = "charger.isolation_test_s = 0: expected 1..=30: no monitor measures";
        assert!(words("[charger]\nisolation_test_s = 0").starts_with(expected));
        let expected = "charger.current_ramp_a_per_s = 2000000.0: expected 1..=100: ";
        assert!(words("[charger]\ncurrent_ramp_a_per_s = 2e6").starts_with(expected));
    }

    #[test]
    fn every_number_has_bounds_and_nothing_outside_them_is_taken() {
        assert!(every_number_has_bounds::<Config>() >= 12);
    }

    #[test]
    fn a_printed_name_cannot_steer_the_terminal() {
        let config = Config { interface: "a\u{9b}\u{7f}\u{202e}\"'\\b".into(), ..Config::default() };
        let printed = config.to_toml();
        assert!(printed.is_ascii() && !printed.contains('\u{7f}'), "{printed}");
    }

    #[test]
    fn a_name_is_printable_and_of_a_length_that_makes_sense() {
        let words = |source: &str| Config::from_toml(source).unwrap_err().to_string();
        let refused = words("[network]\ninterface = '0123456789abcdef'");
        assert!(
            refused.starts_with("network.interface = \"0123456789abcdef\": expected the name of"),
            "{refused}"
        );
        for (section, name) in KEYS.iter().map(|key| (key.section, key.name)) {
            for bad in
                [r"a\u0000".into(), r"\u001b[31m".into(), r"\u009b\u202e".into(), "a".repeat(1_000_000)]
            {
                let refused = words(&format!("[{section}]\n{name} = \"{bad}\""));
                assert!(refused.starts_with(&format!("{section}.{name} = ")), "{refused:.200}");
                assert!(refused.contains("expected") && refused.len() < 500, "{refused:.200}");
                assert!(!refused.contains(char::is_control), "{refused:.200}");
            }
        }
        assert_eq!(Config::from_toml("[network]\ninterface = ''"), Ok(Config::default()));
    }

    #[test]
    fn what_is_wrong_is_said_in_short_lines() {
        let long = "a".repeat(100_000);
        for source in
            [&format!("[network]\ninterface = \"{long}"), &format!("[{long}]\na = 1"), &format!("{long} = 1")]
        {
            let words = Config::from_toml(source).unwrap_err().to_string();
            assert!(words.len() < 1000, "{}", words.len());
        }
    }
}
