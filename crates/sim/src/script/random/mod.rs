//! Random scripts: from a seed, or from a fuzzer's bytes.

mod tables;

use tables::{ACTIONS, FIELDS, FRAMES, MESSAGES, SETUPS, TO_FRAMES, TO_MESSAGES};

use crate::Chance;

/// A source of choices for a random script.
pub trait Choices {
    /// A number below `limit`, and 0 when `limit` is 0.
    fn below(&mut self, limit: u64) -> u64;
}

impl Choices for Chance {
    fn below(&mut self, limit: u64) -> u64 {
        Self::below(self, limit)
    }
}

/// A fuzzer's bytes: two for each choice, zeros at the end.
impl Choices for &[u8] {
    fn below(&mut self, limit: u64) -> u64 {
        let (pair, rest) = self.split_at(self.len().min(2));
        *self = rest;
        let number = pair.iter().fold(0, |number, byte| number << 8 | u64::from(*byte));
        number.checked_rem(limit).unwrap_or(0)
    }
}

/// The script of a seed, as text. Whatever faults it contains, the safety rules hold, and after everything is
/// repaired and the plug was pulled and inserted again, current flows.
pub fn of_seed(seed: u64) -> String {
    let mut chance = Chance::new(seed).child("script");
    by_chance(&seed.to_string(), seed, &mut chance)
}

/// The script of a fuzzer's bytes.
pub fn of_bytes(mut bytes: &[u8]) -> String {
    let seed = bytes.below(u64::MAX);
    by_chance("bytes", seed, &mut bytes)
}

/// One script in this many has no fault.
const QUIET: u64 = 8;
/// Most faults in one script.
const MOST: u64 = 5;
/// Earliest time of a fault, in ms: until then the charger's modem accepts its key.
const BEGIN_MS: u64 = 1_000;

fn by_chance(id: &str, seed: u64, choices: &mut impl Choices) -> String {
    // Long enough for a session up to the loop; a short charge may end in it.
    let until_ms = 30_000 + 1_000 * choices.below(31);
    let mut lines = vec![
        format!("scenario {id}"),
        "title    by chance".to_owned(),
        "side     both".to_owned(),
        format!("setup    seed {seed}"),
        "setup    loose".to_owned(),
        format!("setup    until {until_ms}ms"),
    ];
    for (one_in, setup) in SETUPS {
        if choices.below(*one_in) + 1 == *one_in {
            lines.push(format!("setup    {}", fill(setup, choices)));
        }
    }
    // A script without any action must succeed.
    let actions = if choices.below(QUIET) + 1 == QUIET { 0 } else { 1 + choices.below(MOST) };
    for _ in 0..actions {
        if choices.below(2) == 0 {
            let row = pick(ACTIONS, choices);
            let (action, undo) = row.split_once(" / ").unwrap_or((row, ""));
            let when = match choices.below(3) {
                0 => format!("on {}", message(choices)),
                _ => format!("at {}ms", BEGIN_MS + choices.below(until_ms - BEGIN_MS)),
            };
            lines.push(format!("{when}: {}", fill(action, choices)));
            if !undo.is_empty() && choices.below(3) > 0 {
                let undo = undone(lines.last().map_or("", String::as_str), undo);
                lines.push(format!("after {}ms: {undo}", 1 + choices.below(10_000)));
            }
        } else {
            lines.push(change(choices));
        }
    }
    lines.push("expect   recovers\n".to_owned());
    lines.join("\n")
}

/// An action on a message or frame.
fn change(choices: &mut impl Choices) -> String {
    match choices.below(4) {
        0 => format!(
            "on {}: {}",
            fill(pick(FRAMES, choices), choices),
            fill(pick(TO_FRAMES, choices), choices)
        ),
        1 => format!("on {}: {}", message(choices), fill(pick(TO_MESSAGES, choices), choices)),
        _ => {
            let (name, path, values) =
                FIELDS.get(index(choices, FIELDS.len())).copied().unwrap_or(("*", "Header.SessionID", "00"));
            let name = fill(name, choices);
            format!("on {name} {}: set {path} {}", range(&name, choices), fill(values, choices))
        }
    }
}

/// A message's name, and the occurrences that are affected.
fn message(choices: &mut impl Choices) -> String {
    let name = fill(MESSAGES, choices);
    let range = range(&name, choices);
    format!("{name} {range}")
}

/// `n`, `n..m` or `n..`, with numbers that a message of this name reaches.
fn range(name: &str, choices: &mut impl Choices) -> String {
    let often = if name.starts_with("CurrentDemand") { 100 } else { 4 };
    let first = 1 + choices.below(often);
    match choices.below(3) {
        0 => format!("{first}"),
        1 => format!("{first}..{}", first + choices.below(often)),
        _ => format!("{first}.."),
    }
}

/// The line that undoes an action, at the same side or with the same sensor.
fn undone(line: &str, undo: &str) -> String {
    let action = line.split_once(": ").map_or("", |(_, action)| action);
    if undo == "sound" {
        let sensor: Vec<&str> = action.split(' ').take(4).collect();
        return format!("{} sound", sensor.join(" "));
    }
    undo.replace("{charger|car}", if action.contains("charger") { "charger" } else { "car" })
}

fn pick<'t>(table: &[&'t str], choices: &mut impl Choices) -> &'t str {
    table.get(index(choices, table.len())).copied().unwrap_or("nothing")
}

fn index(choices: &mut impl Choices, length: usize) -> usize {
    usize::try_from(choices.below(u64::try_from(length).unwrap_or(0))).unwrap_or(0)
}

/// Fills the places of a row: `{a|b}` is one of these words, `{1..9}` a number.
fn fill(row: &str, choices: &mut impl Choices) -> String {
    let mut parts = row.split('{');
    let mut filled = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let (place, rest) = part.split_once('}').unwrap_or((part, ""));
        if let Some((first, last)) = place.split_once("..") {
            let (first, last): (u64, u64) = (first.parse().unwrap_or(0), last.parse().unwrap_or(0));
            filled += &(first + choices.below(last - first + 1)).to_string();
        } else {
            let words: Vec<&str> = place.split('|').collect();
            filled += pick(&words, choices);
        }
        filled += rest;
    }
    filled
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::script::parse;

    #[test]
    fn every_seed_gives_a_script_that_can_be_read_and_always_the_same() {
        for seed in 0..5_000 {
            let text = of_seed(seed);
            assert_eq!(text, of_seed(seed));
            let scripts = parse(&text).unwrap_or_else(|mistake| panic!("{mistake} in\n{text}"));
            assert_eq!(scripts.len(), 1);
        }
    }

    #[test]
    fn any_bytes_give_a_script_that_can_be_read() {
        for seed in 0..1_000 {
            let mut bytes = [0; 90];
            machine::Entropy::fill(&mut Chance::new(seed), &mut bytes);
            for length in [0, 1, 20, 90] {
                let text = of_bytes(&bytes[..length]);
                assert!(parse(&text).is_ok(), "{text}");
            }
        }
    }

    #[test]
    fn every_row_is_used_by_some_seed() {
        let texts: Vec<String> = (0..20_000).map(of_seed).collect();
        for row in ACTIONS.iter().chain(TO_MESSAGES).chain(TO_FRAMES) {
            let head = row.split(['{', '/']).next().unwrap_or(row).trim();
            assert!(texts.iter().any(|text| text.contains(&format!(": {head}"))), "{row}");
        }
        for (_, path, _) in FIELDS {
            assert!(texts.iter().any(|text| text.contains(&format!("set {path} "))), "{path}");
        }
    }
}
