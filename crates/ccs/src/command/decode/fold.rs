//! Lines that say the same again are counted.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::io;

use machine::{Duration, Instant};

use crate::repeats::{Line, More, Repeats};

/// A kind that goes on is shown again after this time. Judgement: a charge of half an hour has thirty lines
/// then.
const EVERY: Duration = Duration::from_secs(60);

/// What makes two lines the same: the message, and the words of its values without their numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Kind {
    /// Of all of them.
    hash: u64,
    /// It belongs to the charging session: what is counted of these is written when the session goes on.
    pub is_round: bool,
}

impl Kind {
    /// Of a line's message with its direction and its values.
    pub fn new(name: &impl Hash, values: &str, is_round: bool) -> Self {
        let mut hasher = DefaultHasher::new();
        name.hash(&mut hasher);
        for word in values.split(' ') {
            // Of a number only that it is there.
            let (name, value) = word.split_once('=').unwrap_or((word, ""));
            let value = if is_number(value) { "=" } else { value };
            (name, value).hash(&mut hasher);
        }
        Self { hash: hasher.finish(), is_round }
    }
}

/// Whether a value is a number with or without a unit: an address, an identifier or a key is not, it has more
/// digits.
fn is_number(value: &str) -> bool {
    let digits = value.bytes().take_while(|byte| byte.is_ascii_digit() || b".-".contains(byte)).count();
    let unit = value.get(digits..).unwrap_or_default();
    (1..=10).contains(&digits)
        && unit.len() <= 3
        && unit.bytes().all(|byte| byte.is_ascii_alphabetic() || byte == b'%')
}

/// Holds back lines that repeat.
pub struct Fold<T> {
    repeats: Repeats<Kind, (Instant, T)>,
    /// Nothing is held back.
    all: bool,
}

/// Writes a line, with how many of its kind it stands for.
pub type OnLine<'w, T> = dyn FnMut(T, Option<More>) -> io::Result<()> + 'w;

impl<T> Fold<T> {
    pub fn new(all: bool) -> Self {
        Self { repeats: Repeats::every(EVERY), all }
    }

    /// Takes the next line, and writes those whose time has come.
    pub fn take(&mut self, at: Instant, kind: Kind, line: T, write: &mut OnLine<'_, T>) -> io::Result<()> {
        if self.all {
            return write(line, None);
        }
        // Other words in a message, or another message: the session went on.
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

    /// Writes all that is held back, in the order of time.
    pub fn flush(&mut self, at: Instant, write: &mut OnLine<'_, T>) -> io::Result<()> {
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
            // One that is held back alone is a line like any other.
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
