//! What a firmware takes, compared with what it took.

use std::path::Path;

use anyhow::{Context, Result, bail};
use object::{Object, ObjectSection, SectionKind};

use crate::share::{self, Row, is_emulators};

/// By how many bytes a line may grow until it is changed.
const BYTES: u64 = 256;
/// By how many percent `instructions` may: an answer depends on the keys and numbers that were drawn.
const PERCENT: u64 = 5;

/// The most that `what` may be, if it was `before`.
fn most(what: &str, before: u64) -> u64 {
    before + if what.starts_with("instructions.") { before * PERCENT / 100 } else { BYTES }
}

/// Compares a firmware with its lines in the file; an error names each that is missing or has grown, and gives the new lines.
pub(crate) fn compare(file: &Path, name: &str, rows: &[Row]) -> Result<()> {
    let text = std::fs::read_to_string(file).with_context(|| file.display().to_string())?;
    let faults = faults(&text, name, rows);
    for (what, now) in rows {
        println!("{name} {what} {now}");
    }
    if !faults.is_empty() {
        bail!(
            "{}: {}; change the lines, with the reason, as they are printed above",
            file.display(),
            faults.join("; ")
        );
    }
    Ok(())
}

fn faults(text: &str, name: &str, rows: &[Row]) -> Vec<String> {
    let lines: Vec<(&str, u64)> = text.lines().filter_map(|line| parse(line, name)).collect();
    let known = |what: &str| lines.iter().find(|(word, _)| *word == what);
    let mut faults: Vec<_> = rows
        .iter()
        .filter_map(|(what, now)| match known(what) {
            None => Some(format!("no line for {name} {what}")),
            Some((_, before)) if *now > most(what, *before) => {
                Some(format!("{name} {what} has grown from {before} to {now}"))
            }
            Some(_) => None,
        })
        .collect();
    let gone = lines.iter().filter(|(what, _)| !rows.iter().any(|(row, _)| row == what));
    faults.extend(gone.map(|(what, _)| format!("{name} {what} is no more")));
    faults
}

fn parse<'t>(line: &'t str, name: &str) -> Option<(&'t str, u64)> {
    let mut words = line.split_whitespace();
    (words.next()? == name).then_some(())?;
    Some((words.next()?, words.next()?.parse().ok()?))
}

/// Flash and RAM of a linked firmware, whole and by crate. Stack and what only an emulator needs are not in it.
pub(crate) fn sizes(elf: &Path) -> Result<Vec<Row>> {
    let bytes = std::fs::read(elf).with_context(|| elf.display().to_string())?;
    let file = object::File::parse(&*bytes)?;
    let size = |kinds: &[SectionKind]| -> u64 {
        let sections = file.sections().filter(|section| {
            kinds.contains(&section.kind()) && !is_emulators(section.name().unwrap_or_default())
        });
        sections.map(|section| section.size()).sum()
    };
    let code = size(&[SectionKind::Text]);
    let constants = size(&[SectionKind::ReadOnlyData, SectionKind::ReadOnlyString]);
    let (data, zeros) = (size(&[SectionKind::Data]), size(&[SectionKind::UninitializedData]));
    let mut rows = vec![("flash".to_owned(), code + constants + data), ("ram".to_owned(), data + zeros)];
    rows.extend(share::rows("code", share::code(elf)));
    rows.push(("constants".to_owned(), constants + data));
    rows.extend(share::rows("ram", share::ram(&file)));
    Ok(rows)
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str =
        "# evse flash 1\nevse flash 1000\nevse stack 1000\nevse instructions.X 1000\npev flash 1\n";

    fn rows(flash: u64, stack: u64, instructions: u64) -> Vec<Row> {
        let rows = [("flash", flash), ("stack", stack), ("instructions.X", instructions)];
        rows.map(|(what, now)| (what.to_owned(), now)).to_vec()
    }

    #[test]
    fn bytes_may_grow_by_256_and_instructions_by_five_percent_and_no_further() {
        assert!(faults(TEXT, "evse", &rows(1_256, 1_256, 1_050)).is_empty());
        assert_eq!(faults(TEXT, "evse", &rows(1_257, 0, 0)), ["evse flash has grown from 1000 to 1257"]);
        assert_eq!(faults(TEXT, "evse", &rows(0, 1_257, 1_051)).len(), 2);
    }

    #[test]
    fn what_has_no_line_and_a_line_that_has_nothing_are_both_named() {
        assert_eq!(faults(TEXT, "listen", &rows(0, 0, 0)).len(), 3);
        assert_eq!(
            faults(TEXT, "pev", &[]),
            ["pev flash is no more"],
            "a line of another firmware is not for this one"
        );
    }
}
