use heapless::Deque;

/// A first-in first-out queue of at most `N` items that counts dropped items.
///
/// A full queue drops the *newest* item: the first events explain a fault better than their repetitions.
/// Nothing that safety depends on passes through a queue (levels do, see `demand()`).
#[derive(Debug)]
pub struct Queue<T, const N: usize> {
    items: Deque<T, N>,
    dropped: u32,
}

impl<T, const N: usize> Queue<T, N> {
    /// An empty queue.
    pub const fn new() -> Self {
        Self { items: Deque::new(), dropped: 0 }
    }

    /// Adds `item` at the end, or drops and counts it when the queue is full.
    pub fn push(&mut self, item: T) {
        if self.items.push_back(item).is_err() {
            self.dropped = self.dropped.saturating_add(1);
        }
    }

    /// Removes and returns the oldest item.
    pub fn pop(&mut self) -> Option<T> {
        self.items.pop_front()
    }

    /// The oldest item.
    pub fn peek(&self) -> Option<&T> {
        self.items.front()
    }

    /// Removes all items; the count of dropped ones stays.
    pub fn clear(&mut self) {
        self.items.clear();
    }

    /// Number of queued items.
    pub fn len(&self) -> usize {
        self.items.len()
    }

    /// Whether no item is queued.
    pub fn is_empty(&self) -> bool {
        self.items.is_empty()
    }

    /// Whether the next push drops its item.
    pub fn is_full(&self) -> bool {
        self.items.is_full()
    }

    /// Number of items dropped since the queue was created.
    pub const fn dropped(&self) -> u32 {
        self.dropped
    }
}

impl<T, const N: usize> Default for Queue<T, N> {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_queue_drops_the_newest_and_counts_it() {
        let mut queue = Queue::<u8, 2>::new();
        for item in 1..=5 {
            queue.push(item);
        }
        assert_eq!((queue.pop(), queue.pop(), queue.pop()), (Some(1), Some(2), None));
        assert_eq!(queue.dropped(), 3);
    }
}
