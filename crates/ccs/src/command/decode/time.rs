//! The first column of `ccs decode`: the time.

use clap::ValueEnum;

use crate::calendar;

/// Origins of the times.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum TimeName {
    /// UTC, by the clock of the capture.
    Abs,
    /// Seconds since the first frame of the file.
    #[default]
    Rel,
    /// Seconds since the line before.
    Delta,
}

/// Writes the first column.
#[derive(Debug)]
pub(super) struct Times {
    how: TimeName,
    latest_ns: Option<i64>,
}

const SECOND: i64 = 1_000_000_000;
const DAY: i64 = 86_400 * SECOND;
/// Earliest time of a clock that was set, in ns since 1970: 2001-09-09. An earlier time comes from a clock
/// that was never set.
const SET_NS: i64 = 1_000_000_000 * SECOND;

impl Times {
    pub(super) fn new(how: TimeName) -> Self {
        Self { how, latest_ns: None }
    }

    /// Width of the column in characters.
    pub(super) fn width(&self) -> usize {
        if self.how == TimeName::Abs { 26 } else { 12 }
    }

    /// Time of a line, from the time since the file's first frame and the time of the file's clock.
    pub(super) fn of(&mut self, time_ns: Option<i64>, clock_ns: Option<i64>) -> String {
        let Some(time_ns) = time_ns else { return String::new() };
        let before = self.latest_ns.replace(time_ns);
        match (self.how, clock_ns) {
            (TimeName::Abs, Some(clock_ns)) => absolute(clock_ns),
            (TimeName::Delta, _) => seconds(time_ns.saturating_sub(before.unwrap_or(time_ns))),
            _ => seconds(time_ns),
        }
    }
}

fn seconds(ns: i64) -> String {
    let sign = if ns < 0 { "-" } else { "" };
    // Rounded to microseconds.
    let micros = (ns.unsigned_abs() + 500) / 1000;
    format!("{sign}{}.{:06}", micros / 1_000_000, micros % 1_000_000)
}

/// `2023-04-19 19:55:08.052044`; the time of day alone where the clock was never set.
fn absolute(ns: i64) -> String {
    let micros = ns.rem_euclid(DAY) / 1000;
    let (seconds, micros) = (micros / 1_000_000, micros % 1_000_000);
    let of_day = format!("{:02}:{:02}:{:02}.{micros:06}", seconds / 3600, seconds / 60 % 60, seconds % 60);
    if ns < SET_NS {
        return of_day;
    }
    let (year, month, day) = calendar::date(ns.div_euclid(DAY));
    format!("{year:04}-{month:02}-{day:02} {of_day}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_count_from_the_first_frame_the_line_before_or_the_epoch() {
        let clock = 1_681_934_108_052_044_000;
        let shown = |how| {
            let mut times = Times::new(how);
            [(0, clock), (1_500_000_000, clock + 1_500_000_000)]
                .map(|(ns, clock)| times.of(Some(ns), Some(clock)))
        };
        assert_eq!(shown(TimeName::Rel), ["0.000000", "1.500000"]);
        assert_eq!(shown(TimeName::Delta), ["0.000000", "1.500000"]);
        assert_eq!(shown(TimeName::Abs), ["2023-04-19 19:55:08.052044", "2023-04-19 19:55:09.552044"]);
        let mut times = Times::new(TimeName::Delta);
        times.of(Some(SECOND), None);
        assert_eq!(times.of(Some(3 * SECOND), None), "2.000000");
        assert_eq!(absolute(61_387_080_075_000), "17:03:07.080075", "a clock that was never set");
        assert_eq!(absolute(1_709_164_800 * SECOND), "2024-02-29 00:00:00.000000");
    }
}
