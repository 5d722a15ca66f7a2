use machine::{Duration, Instant};

/// Something measured, and when.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reading<T> {
    /// The value.
    pub value: T,
    /// When it was measured, on the clock of `Cx::now`.
    pub at: Instant,
}

impl<T> Reading<T> {
    /// `value`, measured at `at`.
    pub const fn new(value: T, at: Instant) -> Self {
        Self { value, at }
    }
}

/// Readings older than this while energised mean SAFE (docs/ARCHITECTURE.md, the physical side).
pub const MAX_AGE: Duration = Duration::from_millis(200);

/// The value of a reading that is not older than [`MAX_AGE`].
pub fn fresh<T: Copy>(reading: Option<Reading<T>>, now: Instant) -> Option<T> {
    reading.filter(|reading| now.since(reading.at) <= MAX_AGE).map(|reading| reading.value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reading_counts_for_200_ms() {
        let reading = Some(Reading::new(7, Instant::from_millis(1_000)));
        assert_eq!(fresh(reading, Instant::from_millis(1_200)), Some(7));
        assert_eq!(fresh(reading, Instant::from_micros(1_200_001)), None);
        assert_eq!(fresh(None::<Reading<u8>>, Instant::ZERO), None);
    }
}
