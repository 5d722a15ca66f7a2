//! Words for sensors and their readings.

use super::message;
use crate::plant::Sensor;

/// The names of sensors in scripts.
pub(super) const SENSORS: &[(&str, Sensor)] = &[
    ("pilot", Sensor::Pilot),
    ("duty", Sensor::Duty),
    ("proximity", Sensor::Proximity),
    ("voltage", Sensor::Voltage),
    ("stage", Sensor::Stage),
    ("battery", Sensor::Battery),
    ("current", Sensor::Current),
    ("isolation", Sensor::Isolation),
    ("contactors", Sensor::Contactors),
    ("lock", Sensor::Lock),
    ("temperature", Sensor::Temperature),
    ("emergency", Sensor::EmergencyStop),
];

/// The states of a switch, a pilot, a proximity wire and an isolation monitor, with their indices.
const SAYS: &[(&str, i32)] = &[
    ("open", 0),
    ("closed", 1),
    ("unlocked", 0),
    ("locked", 1),
    ("released", 0),
    ("pressed", 2),
    ("absent", 0),
    ("plugged", 1),
    ("unknown", 3),
    ("A", 0),
    ("B", 1),
    ("C", 2),
    ("D", 3),
    ("E", 4),
    ("F", 5),
    ("measuring", 0),
    ("valid", 1),
    ("warning", 2),
    ("fault", 3),
];

/// The sensor of this name.
pub(super) fn sensor(name: &str) -> Option<Sensor> {
    SENSORS.iter().find(|(known, _)| *known == name).map(|(_, sensor)| *sensor)
}

/// The value of a sensor that is stuck: a word, or a value in thousandths.
pub(super) fn says(word: &str) -> Option<i32> {
    let named = SAYS.iter().find(|(known, _)| *known == word).map(|(_, number)| *number);
    let value = || message::quantity(word).and_then(|(thousandths, _)| i32::try_from(thousandths).ok());
    let plain = || word.parse::<i32>().ok().map(|number| number.saturating_mul(1000));
    named.or_else(value).or_else(plain)
}

/// The mistake in the words of a step about a sensor, if it has one.
pub(super) fn mistake(step: &str) -> Option<String> {
    let mut words = step.split_whitespace();
    if !matches!(words.next(), Some("sensor" | "glitch")) {
        return None;
    }
    let name = words.nth(2).unwrap_or_default();
    if sensor(name).is_none() {
        let names: Vec<&str> = SENSORS.iter().map(|(name, _)| *name).collect();
        return Some(format!("the sensors are {}", names.join(", ")));
    }
    let stuck = step.split_once("stuck at ").map(|(_, word)| word.trim());
    if stuck.is_some_and(|word| says(word).is_none()) {
        let words: Vec<&str> = SAYS.iter().map(|(word, _)| *word).collect();
        return Some(format!("a sensor is stuck at a value such as `380V`, or at {}", words.join(", ")));
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sensor_is_stuck_at_a_value_or_at_a_word() {
        assert_eq!(
            [says("380V"), says("-20A"), says("C"), says("locked")],
            [Some(380_000), Some(-20_000), Some(2), Some(1)]
        );
        assert_eq!((says("50"), says("somewhere")), (Some(50_000), None));
    }

    #[test]
    fn what_no_sensor_is_called_or_can_say_is_answered_with_what_can_be() {
        assert_eq!(mistake("sensor of car current reversed"), None);
        assert_eq!(mistake("unplug"), None);
        assert!(mistake("glitch of car volts 20ms").unwrap().starts_with("the sensors are pilot, "));
        assert!(mistake("sensor of car lock stuck at odds").unwrap().contains("`380V`"));
    }
}
