//! A key of a configuration, and what a table of keys provides: parsing, printing, suggestions.

use std::fmt::Write;

use toml::Value;

use super::bounds::Ranges;
use super::value::as_number;
use crate::escape::{self, Short};

/// One key: its place, its meaning, and how its value is read and written.
pub struct Key<C> {
    pub section: &'static str,
    pub name: &'static str,
    pub meaning: &'static str,
    pub get: fn(&C) -> Value,
    /// Sets the value; an error states what is expected.
    pub set: fn(&mut C, &Value) -> Result<(), String>,
}

macro_rules! key {
    ($section:literal, $name:literal, $meaning:literal, $get:expr, $set:expr) => {
        Key { section: $section, name: $name, meaning: $meaning, get: $get, set: $set }
    };
    // A number whose unit is a thousand or a million times the field's.
    ($section:literal, $name:literal, $meaning:literal, scaled $scale:literal, $($field:ident).+) => {
        Key {
            section: $section,
            name: $name,
            meaning: $meaning,
            get: |config| $crate::config::value::scaled(i64::from(config.$($field).+), $scale),
            set: |config, value| {
                config.$($field).+ = $crate::config::value::number(value, $scale)?;
                Ok(())
            },
        }
    };
    // A duration in seconds.
    ($section:literal, $name:literal, $meaning:literal, seconds $($field:ident).+) => {
        Key {
            section: $section,
            name: $name,
            meaning: $meaning,
            get: |config| {
                $crate::config::value::scaled(i64::try_from(config.$($field).+.as_micros()).unwrap_or(i64::MAX), 1_000_000)
            },
            set: |config, value| {
                config.$($field).+ = $crate::config::value::seconds(value)?;
                Ok(())
            },
        }
    };
    // One of a side's times, in seconds.
    ($section:literal, $name:literal, $meaning:literal, time $side:ident . $times:ident $time:ident) => {
        Key {
            section: $section,
            name: $name,
            meaning: $meaning,
            get: |config| {
                let millis = config.$side.$times.get(::session::Time::$time).as_millis();
                $crate::config::value::scaled(i64::try_from(millis).unwrap_or(i64::MAX), 1_000)
            },
            set: |config, value| {
                let time = $crate::config::value::seconds(value)?;
                config.$side.$times = config.$side.$times.with(::session::Time::$time, time);
                Ok(())
            },
        }
    };
    // A whole number.
    ($section:literal, $name:literal, $meaning:literal, whole $($field:ident).+) => {
        Key {
            section: $section,
            name: $name,
            meaning: $meaning,
            get: |config| ::toml::Value::Integer(config.$($field).+.into()),
            set: |config, value| {
                let number = value.as_integer().and_then(|number| number.try_into().ok());
                config.$($field).+ = number.ok_or("expected a whole number")?;
                Ok(())
            },
        }
    };
    // A boolean.
    ($section:literal, $name:literal, $meaning:literal, flag $($field:ident).+) => {
        Key {
            section: $section,
            name: $name,
            meaning: $meaning,
            get: |config| ::toml::Value::Boolean(config.$($field).+),
            set: |config, value| {
                config.$($field).+ = value.as_bool().ok_or("expected true or false")?;
                Ok(())
            },
        }
    };
}
pub(super) use key;

/// An error in a configuration.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum Error {
    /// The file is not TOML.
    #[error("not TOML: {0}")]
    Syntax(String),
    /// The key does not exist.
    #[error("unknown key {key}{suggestion}; `{command} --print-config` shows all keys")]
    UnknownKey {
        /// The key as written, with its section.
        key: String,
        /// `; did you mean ...?`, or empty.
        suggestion: String,
        /// The command to which the configuration belongs.
        command: &'static str,
    },
    /// The key does not accept the value.
    #[error("{key} = {value}: {expected}")]
    BadValue {
        /// The key with its section.
        key: String,
        /// The value as written.
        value: String,
        /// What the key accepts.
        expected: String,
    },
    /// The values of the charger contradict each other.
    #[error("{0}")]
    Charger(#[from] evse_fsm::ConfigError),
    /// The values of the car contradict each other.
    #[error("{0}")]
    Car(#[from] pev_fsm::ConfigError),
}

/// A configuration with a table of keys.
pub trait Configured: Default + 'static {
    /// The command to which it belongs.
    const COMMAND: &'static str;
    /// All keys, section by section.
    const KEYS: &'static [Key<Self>];
    /// The ranges of the numeric keys.
    const RANGES: Ranges;

    /// Checks that the values do not contradict each other.
    fn check(&self) -> Result<(), Error>;

    /// Parses a configuration. A missing key keeps its default.
    fn from_toml(source: &str) -> Result<Self, Error> {
        let table: toml::Table = source.parse().map_err(|error| Error::Syntax(syntax(&error)))?;
        let mut config = Self::default();
        for (section, content) in &table {
            let Value::Table(content) = content else { return Err(unknown::<Self>(section)) };
            for (name, value) in content {
                config.set(section, name, value)?;
            }
            if content.is_empty() && !Self::KEYS.iter().any(|key| key.section == section) {
                return Err(unknown::<Self>(section));
            }
        }
        config.check()?;
        Ok(config)
    }

    /// Sets one key.
    fn set(&mut self, section: &str, name: &str, value: &Value) -> Result<(), Error> {
        let full = format!("{section}.{name}");
        let key = Self::KEYS.iter().find(|key| key.section == section && key.name == name);
        let key = key.ok_or_else(|| unknown::<Self>(&full))?;
        let bounds = Self::RANGES.of(&full);
        let within = match bounds.zip(as_number(value)) {
            Some((bounds, number)) if !bounds.hold(number) => Err(bounds.to_string()),
            _ => Ok(()),
        };
        within.and_then(|()| (key.set)(self, value)).map_err(|expected| Error::BadValue {
            key: full,
            value: Short(&value.to_string()).to_string(),
            expected,
        })
    }

    /// All keys with their values and meanings, as TOML.
    fn to_toml(&self) -> String {
        let mut out = format!("# Configuration of `{}`: every key with its value.\n", Self::COMMAND);
        let mut section = "";
        for key in Self::KEYS {
            // Writing to a string cannot fail.
            if key.section != section {
                section = key.section;
                let _ = write!(out, "\n[{section}]\n");
            }
            let value = match (key.get)(self) {
                // A JSON string is also a TOML string.
                Value::String(text) => escape::json(&text),
                value => value.to_string(),
            };
            let _ = writeln!(out, "# {}\n{} = {value}", key.meaning, key.name);
        }
        out
    }
}

/// A syntax error of TOML; quotes the line of the file.
fn syntax(error: &toml::de::Error) -> String {
    let lines: Vec<String> = error.to_string().lines().map(|line| Short(line).to_string()).collect();
    lines.join("\n")
}

/// The error for a key that does not exist, with the most similar key.
fn unknown<C: Configured>(key: &str) -> Error {
    let known = C::KEYS.iter().map(|key| format!("{}.{}", key.section, key.name));
    let likeness = |known: &String| {
        // Also compared without the section, which may be the wrong part.
        let name = |full: &str| full.rsplit('.').next().unwrap_or_default().to_owned();
        strsim::jaro_winkler(known, key).max(strsim::jaro_winkler(&name(known), &name(key)))
    };
    let best = known.map(|known| (likeness(&known), known)).max_by(|a, b| a.0.total_cmp(&b.0));
    let suggestion = match best {
        Some((likeness, known)) if likeness > 0.8 => format!("; did you mean {known}?"),
        _ => String::new(),
    };
    Error::UnknownKey { key: Short(key).to_string(), suggestion, command: C::COMMAND }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// Checks that each numeric default is within its bounds, and that no value outside them is accepted.
    /// Returns the number of keys.
    pub(crate) fn every_number_has_bounds<C: Configured + std::fmt::Debug>() -> usize {
        let mut numbers = 0;
        for key in C::KEYS {
            let Some(default) = as_number(&(key.get)(&C::default())) else { continue };
            let full = format!("{}.{}", key.section, key.name);
            let bounds = C::RANGES.of(&full).unwrap_or_else(|| panic!("{full} has no bounds"));
            assert!(bounds.hold(default), "{full}: its default");
            for bad in ["-1", "-0.001", "1e9", "1e300", "inf", "-inf", "nan", "-nan", "9223372036854775807"] {
                let error = C::from_toml(&format!("[{}]\n{} = {bad}", key.section, key.name)).unwrap_err();
                assert!(error.to_string().starts_with(&full), "{error}");
            }
            numbers += 1;
        }
        numbers
    }
}
