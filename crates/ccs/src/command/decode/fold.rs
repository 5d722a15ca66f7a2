//! Counts repeated lines instead of printing them.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::io;

use machine::{Duration, Instant};

use crate::repeats::{Line, More, Repeats};

/// A kind that repeats is shown again after this time: judgement, a charge of half an hour then has thirty
/// lines.
const EVERY: Duration = Duration::from_secs(60);

/// What makes two lines equal: the message, and its values without their numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Kind {
    /// Of message and values.
    hash: u64,
    /// Whether it belongs to the charging session: its counted lines are written when the session continues.
    pub is_round: bool,
}

impl Kind {
    /// The kind of a line, from its message with direction and from its values.
    pub(super) fn new(name: &impl Hash, values: &str, is_round: bool) -> Self {
        let mut hasher = DefaultHasher::new();
        name.hash(&mut hasher);
        for word in values.split(' ') {
            // A number counts only as present.
            let (name, value) = word.split_once('=').unwrap_or((word, ""));
            let value = if is_number(value) { "=" } else { value };
            (name, value).hash(&mut hasher);
        }
        Self { hash: hasher.finish(), is_round }
    }
}

/// Whether a value is a number with or without a unit. Addresses, identifiers and keys have more digits and
/// are none.
fn is_number(value: &str) -> bool {
    let digits = value.bytes().take_while(|byte| byte.is_ascii_digit() || b".-".contains(byte)).count();
    let unit = value.get(digits..).unwrap_or_default();
    (1..=10).contains(&digits)
        && unit.len() <= 3
        && unit.bytes().all(|byte| byte.is_ascii_alphabetic() || byte == b'%')
}

/// Delays lines that repeat.
pub(super) struct Fold<T> {
    repeats: Repeats<Kind, (Instant, T)>,
    /// Whether no line is delayed.
    all: bool,
}

/// Writes a line, with the number of lines that it stands for.
pub(super) type OnLine<'w, T> = dyn FnMut(T, Option<More>) -> io::Result<()> + 'w;

impl<T> Fold<T> {
    pub(super) fn new(all: bool) -> Self {
        Self { repeats: Repeats::every(EVERY), all }
    }

    /// Adds the next line, and writes the lines that are due.
    pub(super) fn take(
        &mut self,
        at: Instant,
        kind: Kind,
        line: T,
        write: &mut OnLine<'_, T>,
    ) -> io::Result<()> {
        if self.all {
            return write(line, None);
        }
        // Other values in a message, or another message: the session continues.
        let goes_on = kind.is_round && !self.repeats.has_told(at, |known| *known == kind);
        if goes_on {
            self.flush_some(at, |known| known.is_round, write)?;
        }
        // Two kinds are never counted as one.
        if self.repeats.is_full() {
            self.flush(at, write)?;
        }
        match self.repeats.take(at, kind, (at, line)) {
            Some(Line { item: (_, line), more }) => write(line, more),
            None => Ok(()),
        }
    }

    /// Writes all delayed lines, in the order of time.
    pub(super) fn flush(&mut self, at: Instant, write: &mut OnLine<'_, T>) -> io::Result<()> {
        self.flush_some(at, |_| true, write)?;
        self.repeats.forget();
        Ok(())
    }

    fn flush_some(
        &mut self,
        at: Instant,
        which: impl Fn(&Kind) -> bool,
        write: &mut OnLine<'_, T>,
    ) -> io::Result<()> {
        let mut held = Vec::new();
        while let Some(line) = self.repeats.flush(at, &which) {
            held.push(line);
        }
        held.sort_by_key(|line| line.item.0);
        held.into_iter().try_for_each(|Line { item: (_, line), more }| {
            // A single delayed line is an ordinary line.
            write(line, more.filter(|more| more.count > 1))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folded(lines: &[(u64, &str, &str)], all: bool) -> Vec<String> {
        let mut shown = Vec::new();
        let mut write = |line: String, more: Option<More>| {
            shown.push(more.map_or(line.clone(), |more| format!("{line} {more}")));
            Ok(())
        };
        let mut fold = Fold::new(all);
        for (at, name, values) in lines {
            let kind = Kind::new(name, values, true);
            fold.take(Instant::from_millis(*at), kind, format!("{name} {values}"), &mut write).unwrap();
        }
        fold.flush(Instant::from_millis(99_000), &mut write).unwrap();
        shown
    }

    #[test]
    fn lines_that_differ_in_numbers_are_counted_until_the_session_goes_on() {
        let lines = [
            (0, "CableCheckReq", "SoC=1%"),
            (100, "CableCheckReq", "SoC=2%"),
            (44_400, "CableCheckReq", "SoC=3%"),
            (44_500, "PreChargeReq", "U=1.5V"),
            (44_600, "PreChargeReq", "U=22.5V"),
        ];
        assert_eq!(
            folded(&lines, false),
            [
                "CableCheckReq SoC=1%",
                "CableCheckReq SoC=3% x 2 in 44.5 s",
                "PreChargeReq U=1.5V",
                "PreChargeReq U=22.5V"
            ]
        );
        assert_eq!(folded(&lines, true).len(), 5);
    }

    #[test]
    fn however_many_kinds_there_are_each_is_shown() {
        let names: Vec<String> =
            (0..1000).map(|index| format!("station=02:00:00:00:{}:{}", index / 100, index % 100)).collect();
        let lines: Vec<_> = names.iter().map(|name| (0, "CM_NW_INFO.CNF", name.as_str())).collect();
        assert_eq!(folded(&lines, false).len(), 1000);
    }

    #[test]
    fn another_identifier_is_another_line() {
        let lines = [
            (0, "CM_SET_KEY.REQ", "nid=01234567890123 n=1"),
            (1, "CM_SET_KEY.REQ", "nid=01234567890124 n=2"),
        ];
        assert_eq!(folded(&lines, false).len(), 2);
    }

    #[test]
    fn another_word_is_another_line() {
        let lines = [
            (0, "PreChargeRes", "code=OK"),
            (1, "PreChargeRes", "code=FAILED"),
            (2, "PreChargeRes", "code=OK"),
        ];
        assert_eq!(
            folded(&lines, false),
            ["PreChargeRes code=OK", "PreChargeRes code=FAILED", "PreChargeRes code=OK"]
        );
    }
}
