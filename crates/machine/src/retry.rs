use crate::{Duration, Instant};

/// A question that is asked, waited for and asked again, until it is given up.
///
/// The machine keeps a timer for the answer; it stops the timer when the answer comes, and asks
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
    /// A question that is asked at most `tries` times and waited for `wait` each time; it was not asked yet.
    pub const fn new(tries: u8, wait: Duration) -> Self {
        Self { wait, tries, asked: 0 }
    }

    /// Asks at `now`, unless that was done as often as it may be: until when to wait for the answer, or
    /// `None` to give up.
    pub fn again(&mut self, now: Instant) -> Option<Instant> {
        let may = self.asked < self.tries;
        self.asked += u8::from(may);
        may.then(|| now + self.wait)
    }

    /// Whether the question was asked only once so far, or never.
    pub const fn is_first(&self) -> bool {
        self.asked <= 1
    }
}
