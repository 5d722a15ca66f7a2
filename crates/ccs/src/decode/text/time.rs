//! The time in a line of a log.

use std::ops::Range;

use crate::calendar;

/// Keeps the time of a log from line to line.
#[derive(Debug, Default)]
pub(super) struct Clock {
    /// The latest time of day, and the days that were added since the first line.
    of_day: Option<(i64, i64)>,
}

/// A time in a line: its position, and its value in ns since the log's origin.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Stamp {
    pub range: Range<usize>,
    pub time_ns: i64,
}

const SECOND: i64 = 1_000_000_000;
const DAY: i64 = 86_400 * SECOND;
/// Largest distance in characters of a time from the start of its line: judgement.
const NEAR: usize = 80;

impl Clock {
    /// The time at the start of a line, or in brackets.
    pub(super) fn find(&mut self, line: &[u8]) -> Option<Stamp> {
        let begins = |at: usize| {
            let before = at.checked_sub(1).and_then(|at| line.get(at));
            before.is_none_or(|byte| !byte.is_ascii_alphanumeric() && !b".:-+_\\".contains(byte))
        };
        let places = (0..line.len().min(NEAR))
            .filter(|at| line.get(*at).is_some_and(u8::is_ascii_digit) && begins(*at));
        for at in places {
            let mut text = Cursor { line, at };
            let is_first = line.get(..at).is_some_and(is_start);
            if let Some(time_ns) = self.absolute(&mut text).or_else(|| counted(&mut text, is_first)) {
                return Some(Stamp { range: at..text.at, time_ns });
            }
        }
        None
    }

    /// `2023-04-19 19:55:08.052044`, `2023-04-19T19:55:08Z`, `2023/04/19 ...`, or the time of day alone.
    fn absolute(&mut self, text: &mut Cursor<'_>) -> Option<i64> {
        let start = text.at;
        if let Some(days) = date(text) {
            if let Some(of_day) = time_of_day(text) {
                return Some(days * DAY + of_day - zone(text));
            }
            text.at = start;
            return None;
        }
        text.at = start;
        let Some(of_day) = time_of_day(text) else {
            text.at = start;
            return None;
        };
        let (before, mut days) = self.of_day.unwrap_or((of_day, 0));
        if before - of_day > DAY / 2 {
            days += 1;
        }
        self.of_day = Some((of_day, days));
        Some(days * DAY + of_day)
    }
}

/// Whether the text before a time is the start of a line: brackets and quotes, or the frame number, which
/// Wireshark writes after spaces.
fn is_start(before: &[u8]) -> bool {
    let number = before.trim_ascii();
    before.iter().all(|byte| b" \t\"'[(".contains(byte))
        || before.starts_with(b" ") && before.ends_with(b" ") && number.iter().all(u8::is_ascii_digit)
}

/// `1000ms`, `[1000]` (milliseconds since the start, as in clara's logs), `[ 12.345678]`, and at the start of
/// a line seconds with a fraction.
fn counted(text: &mut Cursor<'_>, is_first: bool) -> Option<i64> {
    let (start, is_in_brackets) = (text.at, text.is_in_brackets());
    let whole = text.number(1, 12)?;
    let fraction = text.fraction(b".");
    let unit = |name: &str| text.starts_with(name);
    let is_over = |length: usize| {
        text.line
            .get(text.at + length)
            .is_none_or(|byte| !byte.is_ascii_alphanumeric() && !b".:".contains(byte))
    };
    let time = if unit("ms") && is_over(2) {
        whole.checked_mul(SECOND / 1000)?.checked_add(fraction.unwrap_or(0) / 1000)
    } else if !(is_over(0) || unit("s") && is_over(1)) {
        None
    } else if let Some(fraction) = fraction.filter(|_| is_first || is_in_brackets) {
        whole.checked_mul(SECOND)?.checked_add(fraction)
    } else if is_in_brackets && is_first && fraction.is_none() && text.starts_with("]") {
        whole.checked_mul(SECOND / 1000)
    } else {
        None
    };
    if time.is_none() {
        text.at = start;
    }
    time
}

/// Days since 1970-01-01.
fn date(text: &mut Cursor<'_>) -> Option<i64> {
    let year = text.number(4, 4)?;
    let separator = text.any(b"-/.")?;
    let month = text.number(2, 2).filter(|month| (1..=12).contains(month))?;
    text.any(&[separator])?;
    let day = text.number(2, 2).filter(|day| (1..=31).contains(day))?;
    text.any(b" T_")?;
    Some(calendar::days(year, month, day))
}

/// `19:55:08` with or without a fraction.
fn time_of_day(text: &mut Cursor<'_>) -> Option<i64> {
    let hours = text.number(2, 2).filter(|hours| *hours < 24)?;
    text.any(b":")?;
    let minutes = text.number(2, 2).filter(|minutes| *minutes < 60)?;
    text.any(b":")?;
    let seconds = text.number(2, 2).filter(|seconds| *seconds <= 60)?;
    let fraction = text.fraction(b".,").unwrap_or(0);
    let is_over = text.line.get(text.at).is_none_or(|byte| !byte.is_ascii_digit() && *byte != b':');
    is_over.then_some(((hours * 60 + minutes) * 60 + seconds) * SECOND + fraction)
}

/// `Z`, `+02:00`, `+0200`, or nothing.
fn zone(text: &mut Cursor<'_>) -> i64 {
    let start = text.at;
    let offset = match text.any(b"Z+-") {
        Some(sign @ (b'+' | b'-')) => text.number(2, 2).and_then(|hours| {
            text.any(b":");
            let minutes = text.number(2, 2)?;
            let seconds = (hours * 60 + minutes) * 60 * SECOND;
            Some(if sign == b'-' { -seconds } else { seconds })
        }),
        Some(_) => Some(0),
        None => None,
    };
    if offset.is_none() {
        text.at = start;
    }
    offset.unwrap_or(0)
}

/// Reads a line from the left.
struct Cursor<'l> {
    line: &'l [u8],
    at: usize,
}

impl Cursor<'_> {
    fn rest(&self) -> &[u8] {
        self.line.get(self.at..).unwrap_or_default()
    }

    fn starts_with(&self, text: &str) -> bool {
        self.rest().starts_with(text.as_bytes())
    }

    /// Whether `[` precedes, with spaces at most in between.
    fn is_in_brackets(&self) -> bool {
        self.line.get(..self.at).is_some_and(|before| before.trim_ascii_end().ends_with(b"["))
    }

    /// One of these characters.
    fn any(&mut self, of: &[u8]) -> Option<u8> {
        let byte = *self.rest().first().filter(|byte| of.contains(byte))?;
        self.at += 1;
        Some(byte)
    }

    /// A number with `least` to `most` digits.
    fn number(&mut self, least: usize, most: usize) -> Option<i64> {
        let digits = self.rest().iter().take_while(|byte| byte.is_ascii_digit()).count();
        if !(least..=most).contains(&digits) {
            return None;
        }
        let value =
            self.rest().iter().take(digits).fold(0, |value, digit| value * 10 + i64::from(digit - b'0'));
        self.at += digits;
        Some(value)
    }

    /// `.052044` in nanoseconds, after one of these separators.
    fn fraction(&mut self, separators: &[u8]) -> Option<i64> {
        let digits = match self.rest() {
            [separator, digits @ ..] if separators.contains(separator) => {
                digits.iter().take_while(|byte| byte.is_ascii_digit()).count()
            }
            _ => 0,
        };
        if !(1..=9).contains(&digits) {
            return None;
        }
        let value = (self.rest().iter().skip(1).take(9))
            .take(digits)
            .fold(0, |value, digit| value * 10 + i64::from(digit - b'0'));
        self.at += digits + 1;
        let missing = u32::try_from(9 - digits).unwrap_or(0);
        Some(value * 10_i64.pow(missing))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn time(line: &str) -> Option<(i64, String)> {
        let stamp = Clock::default().find(line.as_bytes())?;
        Some((stamp.time_ns / 1000, line[stamp.range].to_owned()))
    }

    #[test]
    fn the_stamps_of_known_logs_are_read() {
        for (line, micros, text) in [
            ("[1000ms] [EVSE] received", 1_000_000, "1000"),
            ("[12345] In state 4", 12_345_000, "12345"),
            ("[   12.345678] x", 12_345_678, "12.345678"),
            (
                "Packet #9 [2023-04-19 19:55:08.052044] 80",
                1_681_934_108_052_044,
                "2023-04-19 19:55:08.052044",
            ),
            ("2023-04-19T19:55:08Z x", 1_681_934_108_000_000, "2023-04-19T19:55:08Z"),
            ("2023-04-19T21:55:08.5+02:00 x", 1_681_934_108_500_000, "2023-04-19T21:55:08.5+02:00"),
            ("\"2023-04-19 19:55:08,052\";x", 1_681_934_108_052_000, "2023-04-19 19:55:08,052"),
            ("17:03:07.080075 IP6 fe80::1 > fe80::2", 61_387_080_075, "17:03:07.080075"),
            ("Apr 20 17:03:07 host x", 61_387_000_000, "17:03:07"),
            ("0.1,rx,01fe", 100_000, "0.1"),
            ("     12 82.593328   fe80::1", 82_593_328, "82.593328"),
            ("(1681934108.052044) can0", 1_681_934_108_052_044, "1681934108.052044"),
        ] {
            assert_eq!(time(line), Some((micros, text.into())), "{line}");
        }
    }

    #[test]
    fn numbers_that_are_no_times_are_none() {
        for line in [
            "80 9A 02",
            "received (42bytes) = 01",
            "00000010  01 fe",
            "01:fe:80:01",
            "02:00:00:00:00:e1 x",
            "x 1.5 V",
        ] {
            assert_eq!(time(line), None, "{line}");
        }
    }

    #[test]
    fn a_log_without_dates_goes_on_after_midnight() {
        let mut clock = Clock::default();
        let mut at = |line: &str| clock.find(line.as_bytes()).unwrap().time_ns / SECOND;
        assert_eq!((at("23:59:59 a"), at("00:00:01 b"), at("00:00:00 c")), (86_399, 86_401, 86_400));
    }
}
