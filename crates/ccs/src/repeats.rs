//! Reports an event once, then counts its repetitions.

use std::fmt;

use machine::{Duration, Instant};

/// Decides which events are reported: the first of a kind immediately, then at most one per period (usually
/// [`EVERY`]) with the number of events since then. Time and memory are bounded for any input.
#[derive(Debug)]
pub(crate) struct Repeats<K, T> {
    kinds: Vec<Repeated<K, T>>,
    every: Duration,
}

/// Period in which further events of a kind are only counted.
pub(crate) const EVERY: Duration = Duration::from_secs(10);

/// Kinds that are distinguished within that period; all others together are one more. Judgement: a session
/// has about fifty.
pub(crate) const KINDS: usize = 96;

/// An event to report.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Line<T> {
    /// The latest event of its kind.
    pub item: T,
    /// Number of events since the last report of the kind; `None` if this is the only one.
    pub more: Option<More>,
}

/// Number of events of a kind since its last report, and in which time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct More {
    /// Number of events, including the reported one.
    pub count: u64,
    /// Time since the last report.
    pub time: Duration,
}

impl fmt::Display for More {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "x {}", self.count)?;
        // Text input has no times.
        if self.time == Duration::ZERO {
            return Ok(());
        }
        let tenths = self.time.as_millis() / 100;
        write!(f, " in {}.{} s", tenths / 10, tenths % 10)
    }
}

/// A kind that was reported.
#[derive(Debug)]
struct Repeated<K, T> {
    /// `None`: all kinds without a place of their own.
    kind: Option<K>,
    told: Instant,
    count: u64,
    newest: Option<T>,
}

impl<K, T> Repeated<K, T> {
    /// The delayed event, to be reported at this time.
    fn line(&mut self, now: Instant) -> Option<Line<T>> {
        let item = self.newest.take()?;
        let more = Some(More { count: self.count, time: now.since(self.told) });
        (self.told, self.count) = (now, 0);
        Some(Line { item, more })
    }

    fn is_over(&self, now: Instant, every: Duration) -> bool {
        now.since(self.told) >= every
    }
}

impl<K: PartialEq, T> Repeats<K, T> {
    /// An empty table.
    pub(crate) const fn new() -> Self {
        Self::every(EVERY)
    }

    /// An empty table with another period.
    pub(crate) const fn every(every: Duration) -> Self {
        Self { kinds: Vec::new(), every }
    }

    /// Adds an event of a kind. Returns it if it is to be reported immediately.
    pub(crate) fn take(&mut self, now: Instant, kind: K, item: T) -> Option<Line<T>> {
        let (kind, every) = (Some(kind), self.every);
        let known = self.find(kind.as_ref()).or_else(|| {
            self.kinds.retain(|known| known.newest.is_some() || !known.is_over(now, every));
            if self.kinds.len() < KINDS { None } else { self.find(None) }
        });
        let Some(known) = known.and_then(|index| self.kinds.get_mut(index)) else {
            let kind = kind.filter(|_| self.kinds.len() < KINDS);
            self.kinds.push(Repeated { kind, told: now, count: 0, newest: None });
            return Some(Line { item, more: None });
        };
        known.newest = Some(item);
        known.count += 1;
        if !known.is_over(now, every) {
            return None;
        }
        let line = known.line(now)?;
        Some(Line { more: line.more.filter(|more| more.count > 1), ..line })
    }

    /// The next delayed event whose period is over; call until `None`.
    pub(crate) fn due(&mut self, now: Instant) -> Option<Line<T>> {
        let every = self.every;
        self.kinds.iter_mut().filter(|known| known.is_over(now, every)).find_map(|known| known.line(now))
    }

    /// The next delayed event of these kinds, before its period is over; call until `None`.
    pub(crate) fn flush(&mut self, now: Instant, which: impl Fn(&K) -> bool) -> Option<Line<T>> {
        let of_kind = |known: &&mut Repeated<K, T>| known.kind.as_ref().is_none_or(&which);
        self.kinds.iter_mut().filter(of_kind).find_map(|known| known.line(now))
    }

    /// Whether one of these kinds was reported within the last [`EVERY`].
    pub(crate) fn has_told(&self, now: Instant, which: impl Fn(&K) -> bool) -> bool {
        self.kinds
            .iter()
            .any(|known| !known.is_over(now, self.every) && known.kind.as_ref().is_some_and(&which))
    }

    /// Whether the next new kind has no place of its own.
    pub(crate) fn is_full(&self) -> bool {
        self.kinds.len() >= KINDS
    }

    /// Clears the table: the next event of each kind is the first again.
    pub(crate) fn forget(&mut self) {
        self.kinds.clear();
    }

    fn find(&self, kind: Option<&K>) -> Option<usize> {
        self.kinds.iter().position(|known| known.kind.as_ref() == kind)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(millis: u64) -> Instant {
        Instant::from_millis(millis)
    }

    fn more(count: u64, millis: u64) -> More {
        More { count, time: Duration::from_millis(millis) }
    }

    #[test]
    fn the_first_is_told_and_the_next_ones_are_counted_until_ten_seconds_are_over() {
        let mut repeats = Repeats::new();
        assert_eq!(repeats.take(at(0), 'a', 1), Some(Line { item: 1, more: None }));
        for item in 2..=1000 {
            assert_eq!(repeats.take(at(item * 9), 'a', item), None);
            assert_eq!(repeats.due(at(item * 9)), None);
        }
        assert_eq!(repeats.take(at(500), 'b', 7), Some(Line { item: 7, more: None }), "another kind");
        assert_eq!(repeats.due(at(10_000)), Some(Line { item: 1000, more: Some(more(999, 10_000)) }));
        assert_eq!(repeats.due(at(10_600)), None, "of the other kind nothing was held back");
        assert_eq!(repeats.take(at(10_700), 'a', 5), None, "the line of before counts");
    }

    #[test]
    fn one_that_comes_late_is_told_at_once_with_those_before_it() {
        let mut repeats = Repeats::new();
        repeats.take(at(0), 'a', 1);
        repeats.take(at(9_999), 'a', 2);
        assert_eq!(repeats.take(at(10_000), 'a', 3), Some(Line { item: 3, more: Some(more(2, 10_000)) }));
        assert_eq!(repeats.take(at(20_000), 'a', 4), Some(Line { item: 4, more: None }), "a single one");
    }

    #[test]
    fn what_is_held_back_can_be_had_before_its_time_and_everything_forgotten() {
        let mut repeats = Repeats::new();
        for kind in ['a', 'a', 'b', 'b'] {
            repeats.take(at(0), kind, kind);
        }
        assert!(
            repeats.has_told(at(1), |kind| *kind == 'a') && !repeats.has_told(at(1), |kind| *kind == 'c')
        );
        assert_eq!(
            repeats.flush(at(1_000), |kind| *kind == 'b'),
            Some(Line { item: 'b', more: Some(more(1, 1_000)) })
        );
        assert_eq!(repeats.flush(at(1_000), |kind| *kind == 'b'), None);
        assert_eq!(repeats.take(at(1_001), 'b', 'b'), None, "that was a line");
        repeats.forget();
        assert_eq!(repeats.take(at(1_002), 'b', 'b'), Some(Line { item: 'b', more: None }));
        assert_eq!(repeats.flush(at(1_002), |_| true), None);
    }

    #[test]
    fn kinds_beyond_the_bound_are_one_kind_and_get_a_place_later() {
        let mut repeats = Repeats::new();
        let told = (0..1_000).filter(|kind| repeats.take(at(0), *kind, *kind).is_some()).count();
        assert_eq!((told, repeats.kinds.len()), (KINDS + 1, KINDS + 1));
        let held = repeats.flush(at(5), |_| false);
        let others = u64::try_from(1_000 - KINDS - 1).unwrap();
        assert_eq!(held, Some(Line { item: 999, more: Some(more(others, 5)) }), "it is of every kind");
        assert!(repeats.take(at(10_005), 2_000, 1).is_some());
        assert!(repeats.take(at(10_005), 2_001, 1).is_some(), "each has a place again");
    }

    #[test]
    fn the_number_is_said_with_its_time() {
        assert_eq!(more(12_400, 10_049).to_string(), "x 12400 in 10.0 s");
        assert_eq!(more(3, 0).to_string(), "x 3");
    }
}
