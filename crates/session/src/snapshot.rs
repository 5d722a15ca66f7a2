use core::ops::Deref;

use bitflags::Flags;
use machine::{Deadline, Duration, Instant};

use crate::Sensor;

/// All readings of a side's sensors at one moment, each with the time of its measurement, or absent.
pub trait Sensing: Copy + Default {
    /// The set of a side's sensors.
    type Sensors: Flags + Copy;
    /// An array of all sensors.
    type All: AsRef<[Sensor<Self::Sensors>]>;

    /// Every sensor with the time of its reading.
    fn sensors(&self) -> Self::All;
}

/// The newest readings of a side, and when they become too old. A snapshot replaces the snapshot before it
/// completely.
#[derive(Clone, Copy, Debug, Default)]
pub struct Snapshot<P> {
    readings: P,
    /// When the first needed reading becomes too old; `None` where a needed reading is absent.
    stale_at: Option<Instant>,
}

impl<P: Sensing> Snapshot<P> {
    /// While energised, a deadline that is handled later than this stops the session: 500 ms
    /// (docs/ARCHITECTURE.md).
    const HELD_UP: Duration = Duration::from_millis(500);
    /// The same where a needed reading is too old: 50 ms (judgement; a loop that is not blocked takes less).
    const UNASKED: Duration = Duration::from_millis(50);

    /// Stores new readings. A sensor that has answered once is needed from then on.
    pub fn take(&mut self, readings: P, needed: &mut P::Sensors) {
        let sensors = readings.sensors();
        *needed = needed.union(Sensor::answering(sensors.as_ref()));
        self.stale_at = Sensor::stale_at(sensors.as_ref(), *needed);
        self.readings = readings;
    }

    /// The name of the first needed reading that is absent or too old at `now`.
    pub fn stale(&self, needed: P::Sensors, now: Instant) -> Option<&'static str> {
        // Called after every frame and timer: the result for the stored readings is computed once.
        let is_fresh = self.stale_at.is_some_and(|at| now < at);
        if is_fresh { None } else { Sensor::stale(self.readings.sensors().as_ref(), needed, now) }
    }

    /// When the first needed reading becomes too old; `None` where a needed reading is absent.
    pub fn stale_at(&self) -> Option<Instant> {
        self.stale_at
    }

    /// Whether the program was delayed: `now` is much later than `due`, or a little later with readings that
    /// are too old. In the second case the adapter is not at fault: the program did not request readings.
    pub fn is_held_up(&self, due: Option<Deadline>, needed: P::Sensors, now: Instant) -> bool {
        let late = due.map_or(Duration::ZERO, |due| now.since(due.at));
        late > Self::HELD_UP || late > Self::UNASKED && self.stale(needed, now).is_some()
    }
}

impl<P> Deref for Snapshot<P> {
    type Target = P;

    fn deref(&self) -> &P {
        &self.readings
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{MAX_AGE, Reading};

    bitflags::bitflags! {
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        struct Sensors: u8 {
            const LOCK = 1;
        }
    }

    #[derive(Clone, Copy, Default)]
    struct Plant {
        pilot: Option<Reading<u8>>,
        lock: Option<Reading<bool>>,
    }

    impl Sensing for Plant {
        type Sensors = Sensors;
        type All = [Sensor<Sensors>; 2];

        fn sensors(&self) -> Self::All {
            [
                Sensor::new(Sensors::empty(), "pilot", self.pilot),
                Sensor::new(Sensors::LOCK, "lock", self.lock),
            ]
        }
    }

    const AT: Instant = Instant::from_millis(1_000);
    const PAST: Duration = Duration::from_micros(1);

    fn plant(lock: Option<bool>) -> Plant {
        Plant { pilot: Some(Reading::new(1, AT)), lock: lock.map(|lock| Reading::new(lock, AT)) }
    }

    fn taken(plants: &[Plant]) -> (Snapshot<Plant>, Sensors) {
        let (mut snapshot, mut needed) = (Snapshot::<Plant>::default(), Sensors::empty());
        for plant in plants {
            snapshot.take(*plant, &mut needed);
        }
        (snapshot, needed)
    }

    #[test]
    fn a_sensor_that_has_answered_once_is_needed_from_then_on() {
        let (snapshot, needed) = taken(&[plant(None)]);
        assert_eq!((needed, snapshot.stale(needed, AT)), (Sensors::empty(), None));
        let (snapshot, needed) = taken(&[plant(Some(true)), plant(None)]);
        assert_eq!((needed, snapshot.stale(needed, AT)), (Sensors::LOCK, Some("lock")));
        assert_eq!(snapshot.stale_at(), None);
        assert_eq!(snapshot.lock, None, "nothing is left of the snapshot before");
    }

    #[test]
    fn what_was_never_read_is_stale() {
        let (snapshot, needed) = taken(&[]);
        assert_eq!((snapshot.stale(needed, AT), snapshot.stale_at()), (Some("pilot"), None));
    }

    #[test]
    fn a_needed_reading_becomes_stale_past_its_age() {
        let (snapshot, needed) = taken(&[plant(Some(true))]);
        assert_eq!(snapshot.stale_at(), Some(AT + MAX_AGE + PAST));
        assert_eq!(snapshot.stale(needed, AT + MAX_AGE), None);
        assert_eq!(snapshot.stale(needed, AT + MAX_AGE + PAST), Some("pilot"));
    }

    #[test]
    fn a_program_is_held_up_half_a_second_after_its_deadline_or_50_ms_when_it_is_blind() {
        let (snapshot, needed) = taken(&[plant(None)]);
        let is_held_up = |due_ms, now_ms| {
            let due = Deadline { at: Instant::from_millis(due_ms), name: "" };
            snapshot.is_held_up(Some(due), needed, Instant::from_millis(now_ms))
        };
        assert!(!is_held_up(1_000, 1_200), "the readings are fresh");
        assert!(!is_held_up(1_151, 1_201), "blind, and 50 ms late");
        assert!(is_held_up(1_150, 1_201), "blind, and more than that");
        assert!(is_held_up(600, 1_101), "not blind, and half a second late");
        assert!(!is_held_up(600, 1_100));
        assert!(!snapshot.is_held_up(None, needed, Instant::from_millis(60_000)), "nothing was due");
    }
}
