//! Rules of docs/STYLE.md that a program can check.
//!
//! Violations in older text are counted: the bounds only decrease.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test ends where it fails")]

use std::fs;
use std::path::Path;

use layers::workspace::{files, root};

/// Most characters of a line of Rust, comments and macros included.
const WIDTH: usize = 110;
/// Files that may have longer lines: they have a table with one row per line (`rustfmt::skip`).
const TABLES: &[&str] = &[
    "crates/pev-fsm/src/order/din.rs",
    "crates/pev-fsm/src/policy.rs",
    "crates/session/src/stop.rs",
    "crates/sim/src/invariant/rules/car.rs",
    "crates/sim/src/invariant/rules/charger.rs",
    "crates/sim/src/script/expect.rs",
    "crates/sim/src/script/lies.rs",
    "crates/sim/src/script/random/tables.rs",
    "crates/sim/src/script/setup.rs",
    "crates/sim/src/script/step.rs",
    "tests/replay/tests/chargers.rs",
];
/// Lines that are longer, in all other files.
const LONG_LINES: usize = 152;

/// Words of the old dialect.
const WORDS: [&str; 2] = ["behind", "anew"];
/// Lines that may have such a word: the end of a file's path, and a part of the line. Only a place is behind
/// something.
const PLACES: &[(&str, &str)] = &[
    ("docs/STYLE.md", ""),
    ("docs/GLOSSARY.md", "the computer behind a modem"),
    ("crates/modem/README.md", "hosts behind them"),
    ("crates/ccs/README.md", " behind it"),
    ("crates/ccs/src/command/modem/show.rs", "{host} behind it"),
    ("tests/layers/tests/style.rs", ""),
];
/// Most bytes of the README at the root.
const README: usize = 10 * 1024;

/// Each line of the files with these extensions that `is_bad`, with its place.
fn lines(extensions: &[&str], is_bad: impl Fn(&str, &str) -> bool) -> Vec<String> {
    let root = root().unwrap();
    let mut found = Vec::new();
    for path in files(&root, extensions).unwrap() {
        let name = path.strip_prefix(&root).unwrap().display().to_string();
        let bytes = fs::read(&path).unwrap();
        let text = String::from_utf8_lossy(&bytes);
        let bad = text.lines().enumerate().filter(|(_, line)| is_bad(&name, line));
        found.extend(bad.map(|(index, line)| format!("{name}:{}: {line}", index + 1)));
    }
    found
}

/// Fails for more lines than the bound, and shows the first ones.
fn at_most(found: &[String], bound: usize, rule: &str) {
    let first: Vec<&str> = found.iter().take(20).map(String::as_str).collect();
    assert!(
        found.len() <= bound,
        "{} lines {rule}, {bound} may; the first:\n{}",
        found.len(),
        first.join("\n")
    );
}

/// Whether the line has the word, whole and in either case.
fn has_word(line: &str, word: &str) -> bool {
    line.split(|letter: char| !letter.is_alphanumeric() && letter != '_')
        .any(|found| found.eq_ignore_ascii_case(word))
}

#[test]
fn no_line_of_rust_is_wider_than_the_editor() {
    let is_wide = |name: &str| TABLES.contains(&name);
    // A row of a Markdown table is one line.
    let is_row = |line: &str| line.trim_start().trim_start_matches(['/', '!']).starts_with(" |");
    let is_long = |line: &str| line.chars().count() > WIDTH && !is_row(line);
    let found = lines(&["rs"], |name, line| is_long(line) && !is_wide(name));
    at_most(&found, LONG_LINES, "are longer than 110 characters");
}

#[test]
fn behind_is_a_place_and_nothing_is_done_anew() {
    let is_place = |name: &str, line: &str| {
        PLACES.iter().any(|(file, part)| name.ends_with(file) && line.contains(part))
    };
    let found = lines(&["rs", "md", "txt", "list"], |name, line| {
        // Other texts are samples of captures.
        let is_text = [".txt", ".list"].iter().any(|end| name.ends_with(end));
        let is_prose = !is_text || name.starts_with("crates/sim/scenarios/");
        is_prose && WORDS.iter().any(|word| has_word(line, word)) && !is_place(name, line)
    });
    at_most(&found, 0, "have `behind` or `anew`");
    let line = "Counts only Behind a test; BEHIND_JSON, behindhand";
    assert!(has_word(line, "behind") && !has_word("BEHIND_JSON behindhand", "behind"));
}

#[test]
fn the_readme_is_short_and_its_links_lead_somewhere() {
    let root = root().unwrap();
    let text = fs::read_to_string(root.join("README.md")).unwrap();
    assert!(
        text.len() <= README,
        "README.md has {} bytes, and may have {README}: move text to docs/",
        text.len()
    );
    let targets = text.split("](").skip(1).filter_map(|rest| rest.split_once(')'));
    for (target, _) in targets.filter(|(target, _)| !target.contains("://")) {
        let (path, anchor) = target.split_once('#').unwrap_or((target, ""));
        assert!(root.join(path).exists(), "README.md: there is no {path}");
        if !anchor.is_empty() {
            assert!(has_anchor(&root.join(path), anchor), "README.md: {path} has no section #{anchor}");
        }
    }
}

/// Whether a page has a heading with this anchor: lower case, spaces as `-`, no other signs.
fn has_anchor(page: &Path, anchor: &str) -> bool {
    let text = fs::read_to_string(page).unwrap();
    let headings =
        text.lines().filter(|line| line.starts_with('#')).map(|line| line.trim_start_matches('#').trim());
    headings.map(str::to_lowercase).any(|heading| {
        let kept = heading.chars().filter(|letter| letter.is_alphanumeric() || " -_".contains(*letter));
        kept.map(|letter| if letter == ' ' { '-' } else { letter }).collect::<String>() == anchor
    })
}
