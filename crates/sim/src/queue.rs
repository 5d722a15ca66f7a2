use std::cmp::Ordering;
use std::collections::BinaryHeap;

use machine::Instant;

/// Future events, ordered by (time, sequence): events that are due at the same moment come out in the order
/// of insertion.
#[derive(Clone, Debug)]
pub struct EventQueue<T> {
    events: BinaryHeap<Waiting<T>>,
    sequence: u64,
}

/// An event, ordered by its key alone, the earliest one greatest.
#[derive(Clone, Debug)]
struct Waiting<T> {
    key: (Instant, u64),
    event: T,
}

impl<T> PartialEq for Waiting<T> {
    fn eq(&self, other: &Self) -> bool {
        self.key == other.key
    }
}

impl<T> Eq for Waiting<T> {}

impl<T> PartialOrd for Waiting<T> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl<T> Ord for Waiting<T> {
    fn cmp(&self, other: &Self) -> Ordering {
        other.key.cmp(&self.key)
    }
}

impl<T> EventQueue<T> {
    /// A queue without events.
    pub const fn new() -> Self {
        Self { events: BinaryHeap::new(), sequence: 0 }
    }

    /// Inserts `event`, due at `at`.
    pub fn push(&mut self, at: Instant, event: T) {
        self.events.push(Waiting { key: (at, self.sequence), event });
        self.sequence += 1;
    }

    /// Removes the first event that is due at `now`; returns it with its due time.
    pub fn pop_due(&mut self, now: Instant) -> Option<(Instant, T)> {
        self.next_at().filter(|at| *at <= now)?;
        let Waiting { key: (at, _), event } = self.events.pop()?;
        Some((at, event))
    }

    /// When the first event is due.
    pub fn next_at(&self) -> Option<Instant> {
        self.events.peek().map(|waiting| waiting.key.0)
    }

    /// How many events wait.
    pub fn len(&self) -> usize {
        self.events.len()
    }

    /// Whether no event waits.
    pub fn is_empty(&self) -> bool {
        self.events.is_empty()
    }
}

/// The earlier of two moments; a missing one counts as never.
pub(crate) fn earlier(a: Option<Instant>, b: Option<Instant>) -> Option<Instant> {
    match (a, b) {
        (Some(a), Some(b)) => Some(a.min(b)),
        (a, b) => a.or(b),
    }
}

impl<T> Default for EventQueue<T> {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn nothing_comes_out_before_its_time() {
        let mut queue = EventQueue::new();
        queue.push(Instant::from_millis(2), 'b');
        queue.push(Instant::from_millis(1), 'a');
        assert_eq!(queue.pop_due(Instant::ZERO), None);
        assert_eq!(queue.next_at(), Some(Instant::from_millis(1)));
        assert_eq!(queue.pop_due(Instant::from_millis(9)), Some((Instant::from_millis(1), 'a')));
        assert_eq!(queue.pop_due(Instant::from_millis(9)), Some((Instant::from_millis(2), 'b')));
        assert!(queue.is_empty());
    }

    proptest! {
        #[test]
        fn events_come_out_by_time_and_then_in_the_order_they_went_in(times: Vec<u8>) {
            let mut queue = EventQueue::new();
            for (index, time) in times.iter().enumerate() {
                queue.push(Instant::from_millis(u64::from(*time)), index);
            }
            let mut expected: Vec<usize> = (0..times.len()).collect();
            expected.sort_by_key(|index| times[*index]);
            let end = Instant::from_millis(256);
            let order: Vec<usize> = std::iter::from_fn(|| queue.pop_due(end)).map(|(_, event)| event).collect();
            prop_assert_eq!(order, expected);
        }
    }
}
