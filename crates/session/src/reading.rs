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

/// One sensor, as the rule of freshness sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sensor {
    /// Its name for logs.
    pub name: &'static str,
    /// Whether it must have a fresh reading.
    pub is_needed: bool,
    /// When it was measured; absent when it was not.
    pub at: Option<Instant>,
}

impl Sensor {
    /// The sensor of this reading.
    pub fn new<T>(name: &'static str, is_needed: bool, reading: Option<Reading<T>>) -> Self {
        Self { name, is_needed, at: reading.map(|reading| reading.at) }
    }

    /// The name of the first of `sensors` that is needed and whose reading is absent or older than [`MAX_AGE`].
    pub fn stale(sensors: &[Self], now: Instant) -> Option<&'static str> {
        let is_too_old = |at: Option<Instant>| at.is_none_or(|at| now.since(at) > MAX_AGE);
        sensors.iter().find(|sensor| sensor.is_needed && is_too_old(sensor.at)).map(|sensor| sensor.name)
    }

    /// When the first needed reading becomes too old; `None` if one is absent.
    pub fn stale_at(sensors: &[Self]) -> Option<Instant> {
        let oldest = sensors.iter().filter(|sensor| sensor.is_needed).map(|sensor| sensor.at).min();
        oldest.flatten().map(|at| at + MAX_AGE + PAST)
    }
}

/// The shortest time past an age that is still allowed.
const PAST: Duration = Duration::from_micros(1);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_needed_reading_that_is_old_or_absent_is_stale_and_another_is_not() {
        let at = Instant::from_millis(1_000);
        let [now, later] = [1_200_000, 1_200_001].map(Instant::from_micros);
        let lock = |is_needed, reading| [Sensor::new::<bool>("lock", is_needed, reading)];
        let reading = Some(Reading::new(true, at));
        assert_eq!(Sensor::stale(&lock(true, reading), now), None);
        assert_eq!(Sensor::stale(&lock(true, reading), later), Some("lock"));
        assert_eq!(Sensor::stale_at(&lock(true, reading)), Some(later));
        assert_eq!(Sensor::stale(&lock(true, None), now), Some("lock"));
        assert_eq!(Sensor::stale_at(&lock(true, None)), None);
        assert_eq!(Sensor::stale(&lock(false, None), now), None);
        assert_eq!(Sensor::stale_at(&lock(false, reading)), None);
    }

    #[test]
    fn a_reading_counts_for_200_ms() {
        let reading = Some(Reading::new(7, Instant::from_millis(1_000)));
        assert_eq!(fresh(reading, Instant::from_millis(1_200)), Some(7));
        assert_eq!(fresh(reading, Instant::from_micros(1_200_001)), None);
        assert_eq!(fresh(None::<Reading<u8>>, Instant::ZERO), None);
    }
}
