//! Each lie of each sensor in each phase of a session, and its result: `ccs world lies`.

use machine::Instant;

use super::expect::words_of;
use super::parse::{Mistake, Script, parse};
use super::run::Played;

/// One lie in one column of the table.
#[derive(Clone, Debug)]
pub struct Case {
    /// The side of the sensor.
    pub side: &'static str,
    /// The set of sensors that this side has: `default` or `all`.
    pub set: &'static str,
    /// The sensor that lies.
    pub sensor: &'static str,
    /// The lie, in the words of a script.
    pub lie: &'static str,
    /// Index of the column.
    pub phase: usize,
    /// The complete script.
    pub script: Script,
}

/// The columns: phases of a session, and the loop with a condition that this sensor should detect.
pub const PHASES: [&str; 5] = ["cable check", "precharge", "loop", "stop", "loop, and what it should see"];

/// The steps before the lie, and its start.
const WHEN: [(&str, &str); 5] = [
    ("", "on CableCheckReq 10"),
    ("", "on PreChargeReq 3"),
    ("", "on CurrentDemandReq 60"),
    ("on CurrentDemandReq 80: driver stops\n", "on PowerDeliveryReq 2"),
    ("", "on CurrentDemandReq 60"),
];

/// A sensor: side and name, its possible lies, the condition that it should detect, what other sensor of its
/// side measures the same, the residual hazard without one, and what would remove that.
pub struct Source {
    /// The charger's or the car's.
    pub side: &'static str,
    /// Its name in scripts.
    pub sensor: &'static str,
    /// Whether the default set has it.
    pub is_default: bool,
    lies: &'static [&'static str],
    sees: &'static str,
    /// The sensor that contradicts it.
    pub against: &'static str,
    /// The residual hazard, and what would remove it.
    pub residual: &'static str,
}

const NUMBER: &[&str] = &[
    "frozen",
    "off 60V",
    "off -60V",
    "scaled 500 permille",
    "scaled 1500 permille",
    "noisy 10V",
    "stuck at 0V",
    "reversed",
];
const CURRENT: &[&str] = &[
    "frozen",
    "off 10A",
    "off -10A",
    "scaled 500 permille",
    "scaled 1500 permille",
    "noisy 2A",
    "stuck at 0A",
    "reversed",
];
const SWITCH: &[&str] = &["frozen", "stuck at closed", "stuck at open", "reversed"];
const DUTY: &[&str] = &["frozen", "stuck at 0", "stuck at 1000"];
const PROXIMITY: &[&str] = &["frozen", "stuck at absent", "stuck at pressed", "stuck at unknown"];

/// A voltage that is too high, with the battery disconnected because it would hold the voltage down.
const OVER: &str = "stage scaled 1300 permille\nafter 100ms: battery goes";

/// All sensors.
#[rustfmt::skip] // a table reads best with one row a line
pub const SOURCES: &[Source] = &[
    Source { side: "charger", sensor: "pilot", is_default: true, lies: &["frozen", "stuck at A", "stuck at B", "stuck at E"], sees: "emergency stop of car",
        against: "the messages end with the session", residual: "a plug that leaves while it shows C: proximity, lock" },
    Source { side: "charger", sensor: "duty", is_default: false, lies: DUTY, sees: "pilot duty 1000 permille",
        against: "the car sees the pilot, too", residual: "none alone" },
    Source { side: "charger", sensor: "proximity", is_default: false, lies: PROXIMITY, sees: "proximity open",
        against: "pilot and lock", residual: "a button that is pressed: the car sees it, too" },
    Source { side: "charger", sensor: "voltage", is_default: true, lies: NUMBER, sees: OVER,
        against: "stage voltage, with closed contactors", residual: "without it over-voltage and a live plug: a sensor `stage`" },
    Source { side: "charger", sensor: "stage", is_default: false, lies: NUMBER, sees: OVER,
        against: "voltage, with closed contactors", residual: "none alone" },
    Source { side: "charger", sensor: "current", is_default: true, lies: CURRENT, sees: "stage adds 30A",
        against: "its sign; less than 5 % of what is asked for, 5 A at most", residual: "a part of the current, as of a derated stage; too much current, an opening under load: a second current sensor; the car sees it, too" },
    Source { side: "charger", sensor: "isolation", is_default: true, lies: &["frozen", "stuck at measuring", "stuck at valid", "stuck at warning", "stuck at fault"], sees: "leak 1000 ohm",
        against: "its own counter and self-test", residual: "a monitor that is stuck and counts on: one with ohms and a self-test" },
    Source { side: "charger", sensor: "contactors", is_default: true, lies: SWITCH, sees: "contactors of charger stay open",
        against: "its own command", residual: "a weld that it does not show: a sensor `stage`, and the voltage on the cable" },
    Source { side: "charger", sensor: "lock", is_default: false, lies: SWITCH, sees: "lock of charger springs open",
        against: "its own command", residual: "a lock that opens while it shows locked: pilot, proximity" },
    Source { side: "charger", sensor: "emergency", is_default: true, lies: &["frozen", "stuck at pressed", "stuck at released"], sees: "emergency stop of charger",
        against: "nothing", residual: "a button that is not seen: one that cuts the hardware itself, a second contact" },
    Source { side: "car", sensor: "duty", is_default: true, lies: DUTY, sees: "pilot duty 1000 permille",
        against: "the charger measures it back; the messages end", residual: "a charger that stops by the pilot alone: the messages" },
    Source { side: "car", sensor: "proximity", is_default: false, lies: PROXIMITY, sees: "proximity open",
        against: "pilot and lock", residual: "none alone" },
    Source { side: "car", sensor: "voltage", is_default: true, lies: NUMBER, sees: OVER,
        against: "battery voltage, with closed contactors", residual: "before contactors are closed: the charger's word ends the session" },
    Source { side: "car", sensor: "battery", is_default: true, lies: NUMBER, sees: "nothing",
        against: "inlet voltage, with closed contactors", residual: "contactors that close onto another voltage: inrush, a second battery voltage" },
    Source { side: "car", sensor: "current", is_default: true, lies: CURRENT, sees: "stage adds 30A",
        against: "its sign", residual: "too much current, an opening under load: a second current sensor; the charger sees it, too" },
    Source { side: "car", sensor: "contactors", is_default: true, lies: SWITCH, sees: "contactors of car stay open",
        against: "its own command", residual: "a weld that it does not show: inlet voltage after the stop" },
    Source { side: "car", sensor: "lock", is_default: true, lies: SWITCH, sees: "lock of car springs open",
        against: "its own command", residual: "a lock that opens while it shows locked: proximity" },
    Source { side: "car", sensor: "temperature", is_default: false, lies: &["frozen", "stuck at -50C", "stuck at 25C", "stuck at 95C"], sees: "nothing",
        against: "what no inlet can have", residual: "a hot pin: a second sensor" },
    Source { side: "car", sensor: "emergency", is_default: false, lies: &["frozen", "stuck at pressed", "stuck at released"], sees: "emergency stop of car",
        against: "nothing", residual: "a button that is not seen: one that cuts the hardware itself, a second contact" },
];

/// All cases, row by row.
///
/// # Errors
/// A mistake in the crate's own table, which a test excludes.
pub fn cases() -> Result<Vec<Case>, Mistake> {
    let mut all = Vec::new();
    for set in ["default", "all"] {
        for source in SOURCES.iter().filter(|source| source.is_default || set == "all") {
            let Source { side, sensor, .. } = source;
            for lie in source.lies {
                for (phase, (before, when)) in WHEN.iter().enumerate() {
                    let mut text = format!(
                        "scenario lies\nsetup {side} sensors {set}\nsetup until 60s\nsetup loose\n{before}{when}: sensor of {side} {sensor} {lie}\n"
                    );
                    if phase == 4 {
                        text.extend(["after 3s: ", source.sees, "\n"]);
                    }
                    let scripts = parse(&text)?;
                    let case = |script| Case { side, set, sensor, lie, phase, script };
                    all.extend(scripts.into_iter().map(case));
                }
            }
        }
    }
    Ok(all)
}

impl Case {
    /// The result, as text of a cell.
    pub fn cell(&self, played: &Played) -> String {
        let Some(began) = played.lied else { return "not reached".to_owned() };
        let [charger, car] = &played.stops;
        let first = |who: &str| {
            let stops = if who == "car" { car } else { charger };
            let (at, reason) = stops.iter().find(|(at, _)| *at >= began)?;
            Some((*at, words_of(reason.cause)))
        };
        let own = first(self.side);
        let other_side = if self.side == "car" { "charger" } else { "car" };
        let other = first(other_side);
        let after = |at: Instant| {
            let tenths = (at.since(began).as_millis() + 50) / 100;
            format!("{}.{} s", tenths / 10, tenths % 10)
        };
        let seen = match (own, other) {
            (Some((at, cause)), Some((before, _))) if at <= before => format!("{} {cause}", after(at)),
            (Some((at, cause)), None) => format!("{} {cause}", after(at)),
            (_, Some((at, cause))) => format!("{} {other_side}: {cause}", after(at)),
            (None, None) => "goes on".to_owned(),
        };
        match (&played.verdict.broken, played.verdict.excused.as_slice()) {
            (Some(broken), _) => format!("{seen}; BROKEN {broken}"),
            (None, []) => seen,
            (None, rules) => format!("{seen}; residual {}", rules.join(" ")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plant::{Sensor, Side};
    use crate::script::senses;

    #[test]
    fn every_sensor_of_either_side_has_its_lies_and_every_row_all_its_columns() {
        for sensor in Sensor::ALL {
            for (side, name) in [(Side::Charger, "charger"), (Side::Car, "car")] {
                let is_listed = SOURCES
                    .iter()
                    .any(|source| source.side == name && senses::sensor(source.sensor) == Some(sensor));
                assert_eq!(is_listed, sensor.is_of(side), "{sensor:?} of {name}");
            }
        }
        let cases = cases().unwrap();
        assert_eq!(cases.len() % PHASES.len(), 0);
        assert!(cases.iter().enumerate().all(|(index, case)| case.phase == index % PHASES.len()));
    }
}
