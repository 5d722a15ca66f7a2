//! The connector lock: when the plug may come out.

use machine::Instant;
use session::{DEAD_MV, Lock, fresh};

use crate::{Config, Plant, Sensors, Time};

/// The connector lock as the car wants it. Held until the inlet is known to be dead.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Plug {
    lock: Lock,
    /// Until when the inlet must be dead behind a session.
    dead_by: Option<Instant>,
}

/// What is known about the inlet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Inlet {
    /// Own contactors open and less than 60 V: the plug may come out.
    Dead,
    /// Voltage, or a closed contactor.
    Live,
    /// A reading is missing.
    Unknown,
}

impl Inlet {
    /// What the sensors say. Where there is none, `reported_mv` - the charger's word - and `has_opened` - the time since
    /// the contactors were told to open is over - count, if the configuration says so.
    pub(crate) fn of(
        now: Instant,
        plant: &Plant,
        config: &Config,
        reported_mv: Option<i32>,
        has_opened: bool,
    ) -> Self {
        let blind = config.unlock_without_measurement;
        let is_open = if config.sensors.contains(Sensors::CONTACTORS) {
            fresh(plant.contactors, now).map(|closed| !closed)
        } else {
            Some(true).filter(|_| blind)
        };
        let voltage = if config.sensors.contains(Sensors::INLET) {
            fresh(plant.inlet_mv, now)
        } else {
            reported_mv.filter(|_| blind)
        };
        match (is_open, voltage) {
            (Some(false), _) => Self::Live,
            (_, Some(mv)) if mv.saturating_abs() >= DEAD_MV => Self::Live,
            (Some(true), Some(_)) if has_opened => Self::Dead,
            _ => Self::Unknown,
        }
    }
}

impl Plug {
    pub(crate) const fn new() -> Self {
        Self { lock: Lock::Held, dead_by: None }
    }

    pub(crate) const fn lock(&self) -> Lock {
        self.lock
    }

    /// Locks.
    pub(crate) fn hold(&mut self) {
        (self.lock, self.dead_by) = (Lock::Held, None);
    }

    /// A session has ended: the inlet must be dead within the time given.
    pub(crate) fn session_ended(&mut self, now: Instant, config: &Config) {
        if self.lock == Lock::Held {
            self.dead_by = Some(now + config.time(Time::Discharge));
        }
    }

    /// No session needs the lock: released when the inlet is dead, held again when it is live. Gives whether the
    /// inlet should be dead by now and is not.
    pub(crate) fn step(&mut self, now: Instant, inlet: Inlet) -> bool {
        match inlet {
            Inlet::Dead => (self.lock, self.dead_by) = (Lock::Released, None),
            Inlet::Live => self.lock = Lock::Held,
            Inlet::Unknown => {}
        }
        let late = self.dead_by.is_some_and(|by| now >= by);
        if late {
            self.dead_by = None;
        }
        late
    }

    pub(crate) const fn due(&self) -> Option<Instant> {
        self.dead_by
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use session::Reading;

    const NOW: Instant = Instant::from_millis(1_000);

    fn inlet(mv: Option<i32>, closed: Option<bool>) -> Inlet {
        let plant = Plant {
            inlet_mv: mv.map(|mv| Reading::new(mv, NOW)),
            contactors: closed.map(|closed| Reading::new(closed, NOW)),
            ..Plant::default()
        };
        Inlet::of(NOW, &plant, &Config::default(), Some(0), true)
    }

    #[test]
    fn only_open_contactors_and_less_than_60_v_are_dead() {
        let table = [
            (Some(59_999), Some(false), Inlet::Dead),
            (Some(60_000), Some(false), Inlet::Live),
            (Some(-60_000), Some(false), Inlet::Live),
            (Some(0), Some(true), Inlet::Live),
            (Some(0), None, Inlet::Unknown),
            (None, Some(false), Inlet::Unknown),
        ];
        for (mv, closed, expected) in table {
            assert_eq!(inlet(mv, closed), expected, "{mv:?} {closed:?}");
        }
    }

    #[test]
    fn without_sensors_the_chargers_word_counts_only_where_the_configuration_says_so() {
        let mut config = Config { sensors: Sensors::CURRENT | Sensors::LOCK, ..Config::default() };
        let of = |config: &Config, mv| Inlet::of(NOW, &Plant::default(), config, mv, true);
        assert_eq!(of(&config, Some(0)), Inlet::Unknown);
        config.unlock_without_measurement = true;
        assert_eq!(of(&config, Some(0)), Inlet::Dead);
        assert_eq!(of(&config, Some(350_000)), Inlet::Live);
        assert_eq!(of(&config, None), Inlet::Unknown);
    }

    #[test]
    fn a_wait_never_unlocks() {
        let mut plug = Plug::new();
        plug.session_ended(NOW, &Config::default());
        assert!(!plug.step(Instant::from_millis(10_999), Inlet::Unknown));
        assert!(plug.step(Instant::from_millis(11_000), Inlet::Unknown));
        assert!(!plug.step(Instant::from_millis(60_000), Inlet::Live), "told once");
        assert_eq!(plug.lock(), Lock::Held);
        plug.step(Instant::from_millis(60_001), Inlet::Dead);
        assert_eq!(plug.lock(), Lock::Released);
        plug.step(Instant::from_millis(60_002), Inlet::Unknown);
        assert_eq!(plug.lock(), Lock::Released, "nothing energises a plug that is not locked");
    }
}
