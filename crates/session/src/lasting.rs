use machine::{Duration, Instant};

use crate::Reading;

/// How long a condition has held without interruption.
///
/// All times of protection rules (a fault "for 2 s") are measured with this type.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Lasting {
    since: Option<Instant>,
}

impl Lasting {
    /// A condition that does not hold.
    pub const fn new() -> Self {
        Self { since: None }
    }

    /// Updates the condition; returns since when it has held, `None` if it does not hold.
    #[cfg_attr(target_pointer_width = "32", inline(never))]
    pub fn since(&mut self, now: Instant, holds: bool) -> Option<Instant> {
        if holds {
            self.since.get_or_insert(now);
        } else {
            self.since = None;
        }
        self.since
    }

    /// Updates the condition; returns whether it has held for `patience` or longer.
    #[cfg_attr(target_pointer_width = "32", inline(never))]
    pub fn for_at_least(&mut self, now: Instant, holds: bool, patience: Duration) -> bool {
        self.since(now, holds).is_some_and(|since| now.since(since) >= patience)
    }

    /// The time at which it has held for `patience`; `None` while it does not hold.
    #[cfg_attr(target_pointer_width = "32", inline(never))]
    pub fn due(&self, patience: Duration) -> Option<Instant> {
        self.since.map(|since| since + patience)
    }

    /// Whether the condition held at the last update.
    pub const fn holds(&self) -> bool {
        self.since.is_some()
    }
}

/// The earliest of `dues` that is later than `now`.
pub fn earliest(now: Instant, dues: &[Option<Instant>]) -> Option<Instant> {
    dues.iter().flatten().filter(|at| **at > now).min().copied()
}

/// Debounces a state of a contact or of the pilot: it counts only when all readings over a debounce time show
/// it, at least two.
///
/// The time is measured between readings: a reading that is evaluated twice is one reading. A missing reading
/// changes nothing; [`Sensor`](crate::Sensor) checks the age of readings.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Debounce {
    since: Option<Instant>,
    is_settled: bool,
}

impl Debounce {
    /// Debounce of the pilot's level before a session ends: 30 ms (judgement; contact bounce of a plug lasts
    /// up to 20 ms, and 60 ms are allowed from the edge to the end).
    pub const PILOT: Duration = Duration::from_millis(30);
    /// Debounce of contactor feedback, lock and proximity: 50 ms (judgement; auxiliary contacts bounce for
    /// 10..20 ms).
    pub const CONTACT: Duration = Duration::from_millis(50);

    /// A state that no reading has shown yet.
    pub const fn new() -> Self {
        Self { since: None, is_settled: false }
    }

    /// Updates with the newest reading; returns whether every reading for `time` matches `is_so`. One reading
    /// that does not match restarts the time.
    pub fn take<T>(
        &mut self,
        reading: Option<Reading<T>>,
        is_so: impl FnOnce(T) -> bool,
        time: Duration,
    ) -> bool {
        if let Some(reading) = reading {
            self.look(reading.at, is_so(reading.value), time);
        }
        self.is_settled
    }

    #[cfg_attr(target_pointer_width = "32", inline(never))]
    fn look(&mut self, at: Instant, is_so: bool, time: Duration) {
        if is_so {
            let since = *self.since.get_or_insert(at);
            self.is_settled |= at.since(since) >= time;
        } else {
            *self = Self::new();
        }
    }

    /// Whether the newest reading shows the state, with or without the full debounce time.
    pub const fn is_seen(&self) -> bool {
        self.since.is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(ms: u64) -> Instant {
        Instant::from_millis(ms)
    }

    #[test]
    fn a_condition_lasts_from_its_first_moment_and_a_break_begins_again() {
        let mut lasting = Lasting::new();
        let patience = Duration::from_millis(100);
        assert!(!lasting.for_at_least(at(0), true, patience));
        assert_eq!(lasting.due(patience), Some(at(100)));
        assert!(!lasting.for_at_least(at(99), true, patience));
        assert!(lasting.for_at_least(at(100), true, patience));
        assert!(!lasting.for_at_least(at(101), false, patience));
        assert!(!lasting.holds());
        assert!(!lasting.for_at_least(at(200), true, patience));
    }

    #[test]
    fn a_bounce_does_not_count_and_two_readings_30_ms_apart_do() {
        let mut open = Debounce::new();
        let mut take =
            |ms, is_open| open.take(Some(Reading::new(is_open, at(ms))), |open| open, Debounce::PILOT);
        assert!(!take(0, true));
        assert!(!take(20, true));
        assert!(!take(21, false), "it bounced");
        assert!(!take(40, true));
        assert!(take(70, true));
        assert!(!take(71, false));
    }

    #[test]
    fn one_reading_looked_at_twice_is_one_reading_and_a_missing_one_changes_nothing() {
        let mut open = Debounce::new();
        for _ in 0..3 {
            assert!(!open.take(Some(Reading::new(true, at(5))), |open| open, Debounce::PILOT));
        }
        assert!(open.is_seen());
        assert!(!open.take(None, |open: bool| open, Debounce::PILOT));
        assert!(open.take(Some(Reading::new(true, at(35))), |open| open, Debounce::PILOT));
        assert!(open.take(None, |open: bool| open, Debounce::PILOT));
    }
}
