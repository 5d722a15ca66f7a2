use crate::{Duration, Instant};

/// A request that is repeated until a response or the last attempt.
///
/// The machine has a timer for the response. It stops the timer when the response arrives, and calls
/// [`again`](Self::again) when the timer fires:
///
/// ```
/// use machine::{Duration, Instant, Retry};
///
/// let mut retry = Retry::new(2, Duration::from_millis(250));
/// assert_eq!(retry.again(Instant::ZERO), Some(Instant::from_millis(250)));
/// assert_eq!(retry.again(Instant::from_millis(250)), Some(Instant::from_millis(500)));
/// assert_eq!(retry.again(Instant::from_millis(500)), None);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Retry {
    wait: Duration,
    tries: u8,
    asked: u8,
}

impl Retry {
    /// A request of at most `tries` attempts, each with a wait of `wait`, before the first attempt.
    pub const fn new(tries: u8, wait: Duration) -> Self {
        Self { wait, tries, asked: 0 }
    }

    /// Counts an attempt at `now`; returns the end of the wait for its response, or `None` after the last
    /// attempt.
    pub fn again(&mut self, now: Instant) -> Option<Instant> {
        let may = self.asked < self.tries;
        self.asked += u8::from(may);
        may.then(|| now + self.wait)
    }

    /// Whether at most one attempt was made.
    pub const fn is_first(&self) -> bool {
        self.asked <= 1
    }
}
