//! The resources of a firmware, compared with earlier ones.

use std::fs::OpenOptions;
use std::io::{Read, Seek, Write};
use std::path::Path;

use anyhow::{Context, Result, bail};
use object::{Object, ObjectSection, SectionKind};

use crate::share::{self, Row, is_emulators};

/// Growth of a row in bytes that is accepted without a change of the ledger.
const BYTES: u64 = 256;
/// Growth of `instructions` in percent that is accepted: an answer depends on random keys and numbers.
const PERCENT: u64 = 5;

/// The largest accepted value of `what` for the value `before`.
fn most(what: &str, before: u64) -> u64 {
    before + if what.starts_with("instructions.") { before * PERCENT / 100 } else { BYTES }
}

/// Prints the measured rows of a firmware, and compares them with the file or writes them into it. An error
/// lists each row that is missing, has grown or is not plausible; the file is unchanged then.
pub(crate) fn enter(file: &Path, name: &str, rows: &[Row], is_written: bool) -> Result<()> {
    for (what, now) in rows {
        println!("{name} {what} {now}");
    }
    refuse(&implausible(rows)).with_context(|| format!("what was measured of {name} cannot be"))?;
    let path = || file.display().to_string();
    let mut opened = OpenOptions::new().read(true).write(is_written).open(file).with_context(path)?;
    if is_written {
        // Two programs that write at the same time would lose rows.
        opened.lock().with_context(path)?;
    }
    let mut text = String::new();
    opened.read_to_string(&mut text).with_context(path)?;
    let mut ledger = Ledger::parse(&text).with_context(path)?;
    if !is_written {
        return refuse(&ledger.compare(name, rows)).with_context(|| {
            format!(
                "{}: look at why, then repeat with --write-ledger, and say the reason in the same commit",
                path()
            )
        });
    }
    ledger.write(name, rows).with_context(path)?;
    opened.set_len(0).and_then(|()| opened.rewind()).with_context(path)?;
    opened.write_all(ledger.text().as_bytes()).with_context(path)
}

/// Whether the file is a ledger: checked before a run, which takes a minute.
///
/// # Errors
/// It cannot be read, or the first line that is no row.
pub(crate) fn check(file: &Path) -> Result<()> {
    let path = || file.display().to_string();
    let text = std::fs::read_to_string(file).with_context(path)?;
    Ledger::parse(&text).map(|_| ()).with_context(path)
}

fn refuse(faults: &[String]) -> Result<()> {
    if !faults.is_empty() {
        bail!("{}", faults.join("; "));
    }
    Ok(())
}

/// Measurements that a working firmware cannot have: a row of nothing, parts whose sum is wrong.
fn implausible(rows: &[Row]) -> Vec<String> {
    let none = rows.iter().filter(|(_, now)| *now == 0).map(|(what, _)| format!("{what} is 0"));
    let mut faults: Vec<_> = none.collect();
    let sum = |of: &dyn Fn(&str) -> bool| -> u64 {
        rows.iter().filter(|(what, _)| of(what)).map(|(_, now)| now).sum()
    };
    let flash = sum(&|what| what == "flash");
    let parts = sum(&|what| what.starts_with("code.") || what == "constants");
    if flash != parts {
        faults.push(format!("flash is {flash}, and its parts are {parts}"));
    }
    let (ram, parts) = (sum(&|what| what == "ram"), sum(&|what| what.starts_with("ram.")));
    if parts > ram {
        faults.push(format!("ram is {ram}, and its parts are {parts}"));
    }
    faults
}

/// The file: rows and comments in order.
struct Ledger(Vec<Line>);

/// A line of the file.
enum Line {
    /// A comment or an empty line.
    Comment(String),
    Entry {
        image: String,
        row: Row,
        reason: String,
    },
}

impl Line {
    /// In a row, the text after `#` is its reason.
    fn parse(line: &str) -> Option<Self> {
        let (entry, reason) = line.split_at(line.find('#').unwrap_or(line.len()));
        let words: Vec<_> = entry.split_whitespace().collect();
        Some(match words[..] {
            [] => Self::Comment(line.to_owned()),
            [image, what, bytes] => {
                let bytes = bytes.parse().ok().filter(|bytes| *bytes > 0)?;
                let (image, row) = (image.to_owned(), (what.to_owned(), bytes));
                Self::Entry { image, row, reason: reason.to_owned() }
            }
            _ => return None,
        })
    }

    /// The row, if it belongs to this firmware.
    fn of(&self, name: &str) -> Option<&Row> {
        match self {
            Self::Entry { image, row, .. } if image == name => Some(row),
            _ => None,
        }
    }
}

impl Ledger {
    fn parse(text: &str) -> Result<Self> {
        let mut lines: Vec<Line> = Vec::new();
        for (number, text) in (1..).zip(text.lines()) {
            let Some(line) = Line::parse(text) else {
                bail!("line {number} is no row `image what bytes` with more than 0 bytes: {text}");
            };
            if let Line::Entry { image, row, .. } = &line
                && lines.iter().any(|before| before.of(image).is_some_and(|(what, _)| *what == row.0))
            {
                bail!("line {number} is the second row of {image} {}", row.0);
            }
            lines.push(line);
        }
        Ok(Self(lines))
    }

    fn rows<'l>(&'l self, name: &'l str) -> impl Iterator<Item = &'l Row> {
        self.0.iter().filter_map(move |line| line.of(name))
    }

    fn compare(&self, name: &str, rows: &[Row]) -> Vec<String> {
        let known = |what: &str| self.rows(name).find(|(word, _)| word == what);
        let mut faults: Vec<_> = rows
            .iter()
            .filter_map(|(what, now)| match known(what) {
                None => Some(format!("no row for {name} {what}")),
                Some((_, before)) if *now > most(what, *before) => {
                    Some(format!("{name} {what} has grown from {before} to {now}"))
                }
                Some(_) => None,
            })
            .collect();
        faults.extend(self.gone(name, rows).map(|what| format!("{name} {what} is no more")));
        faults
    }

    /// Rows of the ledger that were not measured.
    fn gone<'l>(&'l self, name: &'l str, rows: &'l [Row]) -> impl Iterator<Item = &'l str> {
        let is_gone = |what: &&str| !rows.iter().any(|(row, _)| row == what);
        self.rows(name).map(|(what, _)| what.as_str()).filter(is_gone)
    }

    /// Writes the measurements. Reasons and comments stay; a crate that is not linked any more loses its row.
    /// Every other row must have been measured, or the file is unchanged.
    fn write(&mut self, name: &str, rows: &[Row]) -> Result<()> {
        let is_of_crate = |what: &str| what.starts_with("code.") || what.starts_with("ram.");
        let missing = self.gone(name, rows).filter(|what| !is_of_crate(what));
        let missing: Vec<_> = missing
            .map(|what| format!("{name} {what} was not measured: if it is gone for good, remove its row"))
            .collect();
        refuse(&missing)?;
        let measured = |what: &str| rows.iter().any(|(row, _)| row == what);
        self.0.retain(|line| line.of(name).is_none_or(|(what, _)| measured(what)));
        let mut next = self.0.len();
        for (what, now) in rows {
            let known = self.0.iter().position(|line| line.of(name).is_some_and(|(word, _)| word == what));
            if let Some(Line::Entry { row, .. }) = known.and_then(|at| self.0.get_mut(at)) {
                row.1 = *now;
            } else {
                let row = (what.clone(), *now);
                let line = Line::Entry { image: name.to_owned(), row, reason: String::new() };
                self.0.insert(next, line);
            }
            next = known.unwrap_or(next) + 1;
        }
        Ok(())
    }

    fn text(&self) -> String {
        let lines = self.0.iter().map(|line| match line {
            Line::Comment(text) => format!("{text}\n"),
            Line::Entry { image, row: (what, bytes), reason } if reason.is_empty() => {
                format!("{image} {what} {bytes}\n")
            }
            Line::Entry { image, row: (what, bytes), reason } => {
                format!("{image} {what} {bytes} {reason}\n")
            }
        });
        lines.collect()
    }
}

/// Flash and RAM of a linked firmware, in total and by crate, without the stack and the parts of the
/// emulator.
pub(crate) fn sizes(elf: &Path) -> Result<Vec<Row>> {
    let bytes = std::fs::read(elf).with_context(|| elf.display().to_string())?;
    let file =
        object::File::parse(&*bytes).with_context(|| format!("{} is no linked firmware", elf.display()))?;
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

    const TEXT: &str = "# evse flash 1
evse flash 1000 # a reason
evse stack 1000
# between
evse instructions.X 1000
evse code.a 1000

pev flash 1
";

    fn ledger() -> Ledger {
        Ledger::parse(TEXT).unwrap()
    }

    fn rows<const N: usize>(rows: [(&str, u64); N]) -> Vec<Row> {
        rows.map(|(what, now)| (what.to_owned(), now)).to_vec()
    }

    fn measured(flash: u64, stack: u64, instructions: u64) -> Vec<Row> {
        rows([("flash", flash), ("stack", stack), ("instructions.X", instructions), ("code.a", flash)])
    }

    #[test]
    fn bytes_may_grow_by_256_and_instructions_by_five_percent_and_no_further() {
        let faults =
            |flash, stack, instructions| ledger().compare("evse", &measured(flash, stack, instructions));
        assert!(faults(1_256, 1_256, 1_050).is_empty());
        assert_eq!(faults(1_000, 1_257, 1), ["evse stack has grown from 1000 to 1257"]);
        assert_eq!(faults(1, 1_257, 1_051).len(), 2);
    }

    #[test]
    fn what_has_no_row_and_a_row_that_has_nothing_are_both_named() {
        assert_eq!(ledger().compare("listen", &measured(1, 1, 1)).len(), 4);
        assert_eq!(
            ledger().compare("pev", &[]),
            ["pev flash is no more"],
            "a row of another firmware is not for this one"
        );
    }

    #[test]
    fn rows_are_written_in_their_places_with_reasons_and_comments_kept() {
        let mut ledger = ledger();
        let new = rows([("flash", 7), ("ram", 3), ("stack", 2), ("instructions.X", 1), ("code.b", 7)]);
        ledger.write("evse", &new).unwrap();
        assert_eq!(
            ledger.text(),
            "# evse flash 1
evse flash 7 # a reason
evse ram 3
evse stack 2
# between
evse instructions.X 1
evse code.b 7

pev flash 1
"
        );
        ledger.write("listen", &rows([("flash", 9)])).unwrap();
        assert!(ledger.text().ends_with("pev flash 1\nlisten flash 9\n"));
    }

    #[test]
    fn a_row_that_was_not_measured_is_named_and_nothing_is_written() {
        let mut ledger = ledger();
        let error = ledger.write("evse", &rows([("flash", 7), ("code.a", 7)])).unwrap_err().to_string();
        assert!(error.contains("evse stack was not measured"), "{error}");
        assert!(error.contains("evse instructions.X was not measured"), "{error}");
        assert_eq!(ledger.text(), TEXT);
    }

    #[test]
    fn what_cannot_be_measured_is_refused() {
        assert!(implausible(&measured(1_000, 1, 1)).is_empty());
        assert_eq!(implausible(&measured(1_000, 0, 1)), ["stack is 0"]);
        assert_eq!(
            implausible(&rows([("flash", 10), ("code.a", 4), ("constants", 5)])),
            ["flash is 10, and its parts are 9"]
        );
        assert_eq!(implausible(&rows([("ram", 1), ("ram.a", 2)])), ["ram is 1, and its parts are 2"]);
    }

    #[test]
    fn a_ledger_with_a_row_of_nothing_a_second_row_or_no_row_is_refused_with_its_line() {
        for (text, words) in [
            ("evse flash 1\nevse stack 0\n", "line 2 is no row"),
            ("evse flash many\n", "line 1 is no row"),
            ("evse flash\n", "line 1 is no row"),
            ("evse flash 1 2\n", "line 1 is no row"),
            ("evse flash 1\npev flash 1\nevse flash 2\n", "line 3 is the second row of evse flash"),
        ] {
            let error = Ledger::parse(text).err().unwrap().to_string();
            assert!(error.starts_with(words), "{error}");
        }
    }
}
