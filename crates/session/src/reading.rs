use bitflags::Flags;
use machine::{Duration, Instant};

/// A measured value with the time of its measurement.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reading<T> {
    /// The measured value.
    pub value: T,
    /// The time of the measurement, on the clock of `Cx::now`.
    pub at: Instant,
}

impl<T> Reading<T> {
    /// `value`, measured at the time `at`.
    pub const fn new(value: T, at: Instant) -> Self {
        Self { value, at }
    }
}

/// Greatest age of a needed reading while energised: 200 ms. An older one leads to SAFE
/// (docs/ARCHITECTURE.md, the physical side).
pub const MAX_AGE: Duration = Duration::from_millis(200);

/// The value of a reading, unless it is absent or older than [`MAX_AGE`].
pub fn fresh<T: Copy>(reading: Option<Reading<T>>, now: Instant) -> Option<T> {
    reading.filter(|reading| is_fresh(reading.at, now)).map(|reading| reading.value)
}

/// Whether a measurement from `at` is not too old. Not inlined on 32 bit: every rule of both sides calls it,
/// and flash is limited.
#[cfg_attr(target_pointer_width = "32", inline(never))]
fn is_fresh(at: Instant, now: Instant) -> bool {
    now.since(at) <= MAX_AGE
}

/// A sensor as the check of freshness uses it; `F` is the set of a side's sensors.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sensor<F> {
    /// Its flag in that set; an empty flag is a sensor that is always needed.
    pub flag: F,
    /// Its name in stop reasons and logs.
    pub name: &'static str,
    /// The time of its reading; `None` without a reading.
    pub at: Option<Instant>,
}

impl<F: Flags + Copy> Sensor<F> {
    /// The sensor with this reading.
    pub fn new<T>(flag: F, name: &'static str, reading: Option<Reading<T>>) -> Self {
        Self { flag, name, at: reading.map(|reading| reading.at) }
    }

    /// The name of the first needed sensor in `sensors` whose reading is absent or older than [`MAX_AGE`].
    pub fn stale(sensors: &[Self], needed: F, now: Instant) -> Option<&'static str> {
        let is_too_old = |at: Option<Instant>| at.is_none_or(|at| !is_fresh(at, now));
        let mut needed = sensors.iter().filter(|sensor| needed.contains(sensor.flag));
        needed.find(|sensor| is_too_old(sensor.at)).map(|sensor| sensor.name)
    }

    /// When the first needed reading becomes too old; `None` if a needed reading is absent.
    pub fn stale_at(sensors: &[Self], needed: F) -> Option<Instant> {
        let needed = sensors.iter().filter(|sensor| needed.contains(sensor.flag));
        needed.map(|sensor| sensor.at).min().flatten().map(|at| at + MAX_AGE + PAST)
    }

    /// The sensors that have a reading, of any age.
    pub fn answering(sensors: &[Self]) -> F {
        let answering = sensors.iter().filter(|sensor| sensor.at.is_some());
        answering.fold(F::empty(), |all, sensor| all.union(sensor.flag))
    }
}

/// Resolution of the clock: the first moment at which an age is no longer permitted.
const PAST: Duration = Duration::from_micros(1);

#[cfg(test)]
mod tests {
    use super::*;

    bitflags::bitflags! {
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        struct Sensors: u8 {
            const LOCK = 1;
        }
    }

    fn lock(reading: Option<Reading<bool>>) -> [Sensor<Sensors>; 1] {
        [Sensor::new(Sensors::LOCK, "lock", reading)]
    }

    #[test]
    fn a_needed_reading_that_is_old_or_absent_is_stale_and_another_is_not() {
        let at = Instant::from_millis(1_000);
        let [now, later] = [1_200_000, 1_200_001].map(Instant::from_micros);
        let (needed, other) = (Sensors::LOCK, Sensors::empty());
        let reading = Some(Reading::new(true, at));
        assert_eq!(Sensor::stale(&lock(reading), needed, now), None);
        assert_eq!(Sensor::stale(&lock(reading), needed, later), Some("lock"));
        assert_eq!(Sensor::stale_at(&lock(reading), needed), Some(later));
        assert_eq!(Sensor::stale(&lock(None), needed, now), Some("lock"));
        assert_eq!(Sensor::stale_at(&lock(None), needed), None);
        assert_eq!(Sensor::stale(&lock(None), other, now), None);
        assert_eq!(Sensor::stale_at(&lock(reading), other), None);
        let always = [Sensor::new::<bool>(Sensors::empty(), "pilot", None)];
        assert_eq!(Sensor::stale(&always, other, now), Some("pilot"));
    }

    #[test]
    fn sensors_answer_that_have_a_reading_however_old() {
        assert_eq!(Sensor::answering(&lock(Some(Reading::new(true, Instant::ZERO)))), Sensors::LOCK);
        assert_eq!(Sensor::answering(&lock(None)), Sensors::empty());
    }

    #[test]
    fn a_reading_counts_for_200_ms() {
        let reading = Some(Reading::new(7, Instant::from_millis(1_000)));
        assert_eq!(fresh(reading, Instant::from_millis(1_200)), Some(7));
        assert_eq!(fresh(reading, Instant::from_micros(1_200_001)), None);
        assert_eq!(fresh(None::<Reading<u8>>, Instant::ZERO), None);
    }
}
