//! The connector lock: when the plug may be removed.

use machine::{Duration, Instant};
use session::{Lock, Touch, fresh};

use crate::joined::Joined;
use crate::{Config, Plant, Sensors, Time};

/// With a bleeder the inlet is below 60 V this long after a session's end: 1 s (IEC 61851-23, from memory).
const QUICK: Duration = Duration::from_secs(1);

/// The demanded state of the connector lock. Held until the inlet is known to be dead.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Plug {
    lock: Lock,
    /// When a session ended with an inlet that has not become dead since.
    ended: Option<Instant>,
    /// The slow discharge has been reported.
    is_told: bool,
}

/// The readings about the inlet.
#[derive(Clone, Copy)]
pub(crate) struct Inlet<'a> {
    pub(crate) now: Instant,
    pub(crate) plant: &'a Plant,
    pub(crate) config: &'a Config,
}

/// An inlet that is not dead in time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Late {
    /// Not dead after 1 s.
    Slow,
    /// Not dead after [`Time::Discharge`](session::Time::Discharge): a fault.
    Fault,
}

impl Inlet<'_> {
    /// Dead if the contactors are open, and the inlet's sensor is not suspect and shows less than 60 V, both
    /// with and without its difference from the battery's sensor. `has_opened`: the time for the contactors
    /// to open has passed. Where no inlet sensor exists, `present_mv` - the charger's report - counts if the
    /// configuration permits it; where one exists, never.
    pub(crate) fn touch(&self, joined: &Joined, present_mv: Option<i32>, has_opened: bool) -> Touch {
        let Self { now, plant, config } = *self;
        let blind = config.unlock_without_measurement;
        let is_open = if config.sensors.contains(Sensors::CONTACTORS) {
            fresh(plant.contactors, now).map(|closed| !closed)
        } else {
            Some(true).filter(|_| blind)
        };
        let touch = if config.sensors.contains(Sensors::INLET) {
            let inlet = fresh(plant.inlet_mv, now);
            Touch::of(&[inlet, inlet.map(|mv| joined.corrected(mv))], joined.is_suspect())
        } else {
            Touch::of(&[present_mv.filter(|_| blind)], false)
        };
        match (is_open, touch) {
            (Some(false), _) => Touch::Live,
            (Some(true), Touch::Dead) if !has_opened => Touch::Unknown,
            (None, Touch::Dead) => Touch::Unknown,
            (_, touch) => touch,
        }
    }
}

impl Plug {
    pub(crate) const fn new() -> Self {
        Self { lock: Lock::Held, ended: None, is_told: false }
    }

    pub(crate) const fn lock(&self) -> Lock {
        self.lock
    }

    /// Demands a locked plug.
    pub(crate) fn hold(&mut self) {
        (self.lock, self.ended) = (Lock::Held, None);
    }

    /// A session has ended: the inlet must become dead in time.
    pub(crate) fn session_ended(&mut self, now: Instant) {
        if self.lock == Lock::Held {
            (self.ended, self.is_told) = (Some(now), false);
        }
    }

    /// While no session needs the lock: released when the inlet is dead, held when it is live. Returns each
    /// delay once.
    pub(crate) fn step(&mut self, now: Instant, inlet: Touch, config: &Config) -> Option<Late> {
        match inlet {
            Touch::Dead => (self.lock, self.ended) = (Lock::Released, None),
            Touch::Live => self.lock = Lock::Held,
            Touch::Unknown => {}
        }
        let ended = self.ended?;
        if now >= ended + config.time(Time::Discharge) {
            self.ended = None;
            return Some(Late::Fault);
        }
        let is_slow = !self.is_told && now >= ended + QUICK;
        self.is_told |= is_slow;
        is_slow.then_some(Late::Slow)
    }

    /// When the inlet will be late.
    pub(crate) fn due(&self, config: &Config) -> Option<Instant> {
        let fault = |ended: Instant| ended + config.time(Time::Discharge);
        let next = |ended: Instant| if self.is_told { fault(ended) } else { fault(ended).min(ended + QUICK) };
        self.ended.map(next)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use session::Reading;

    const NOW: Instant = Instant::from_millis(1_000);

    fn inlet(mv: Option<i32>, closed: Option<bool>, joined: &Joined) -> Touch {
        let plant = Plant {
            inlet_mv: mv.map(|mv| Reading::new(mv, NOW)),
            contactors: closed.map(|closed| Reading::new(closed, NOW)),
            ..Plant::default()
        };
        let config = Config::default();
        Inlet { now: NOW, plant: &plant, config: &config }.touch(joined, Some(0), true)
    }

    #[test]
    fn only_open_contactors_and_less_than_60_v_are_dead() {
        let table = [
            (Some(59_999), Some(false), Touch::Dead),
            (Some(60_000), Some(false), Touch::Live),
            (Some(-60_000), Some(false), Touch::Live),
            (Some(0), Some(true), Touch::Live),
            (Some(0), None, Touch::Unknown),
            (None, Some(false), Touch::Unknown),
        ];
        for (mv, closed, expected) in table {
            assert_eq!(inlet(mv, closed, &Joined::default()), expected, "{mv:?} {closed:?}");
        }
    }

    #[test]
    fn a_suspect_sensor_makes_nothing_dead_and_one_that_was_off_counts_with_and_without_that() {
        let mut joined = Joined::default();
        joined.compare(NOW, Some(301_000), Some(350_000));
        assert_eq!(inlet(Some(10_999), Some(false), &joined), Touch::Dead);
        assert_eq!(inlet(Some(11_000), Some(false), &joined), Touch::Live);
        joined.compare(NOW, Some(350_000), Some(301_000));
        assert_eq!(inlet(Some(60_000), Some(false), &joined), Touch::Live, "as it says itself");
        joined.suspect();
        assert_eq!(inlet(Some(0), Some(false), &joined), Touch::Unknown);
    }

    #[test]
    fn without_sensors_the_chargers_word_counts_only_where_the_configuration_says_so() {
        let mut config = Config { sensors: Sensors::CURRENT | Sensors::LOCK, ..Config::default() };
        let of = |config: &Config, mv| {
            Inlet { now: NOW, plant: &Plant::default(), config }.touch(&Joined::default(), mv, true)
        };
        assert_eq!(of(&config, Some(0)), Touch::Unknown);
        config.unlock_without_measurement = true;
        assert_eq!(of(&config, Some(0)), Touch::Dead);
        assert_eq!(of(&config, Some(350_000)), Touch::Live);
        assert_eq!(of(&config, None), Touch::Unknown);
    }

    #[test]
    fn a_wait_never_unlocks() {
        let config = Config::default();
        let mut plug = Plug::new();
        plug.session_ended(NOW);
        let mut step = |ms, inlet| {
            let late = plug.step(Instant::from_millis(ms), inlet, &config);
            (late, plug.lock())
        };
        assert_eq!(step(1_999, Touch::Unknown), (None, Lock::Held));
        assert_eq!(step(2_000, Touch::Unknown), (Some(Late::Slow), Lock::Held));
        assert_eq!(step(10_999, Touch::Unknown), (None, Lock::Held));
        assert_eq!(step(11_000, Touch::Unknown), (Some(Late::Fault), Lock::Held));
        assert_eq!(step(60_000, Touch::Live), (None, Lock::Held), "told once");
        assert_eq!(step(60_001, Touch::Dead), (None, Lock::Released));
        assert_eq!(
            step(60_002, Touch::Unknown).1,
            Lock::Released,
            "nothing energises a plug that is not locked"
        );
    }
}
