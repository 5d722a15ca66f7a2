//! The car's high-voltage outputs: pilot and contactors, from ready to safely open.

use control_pilot::Level;
use machine::{Duration, Instant};
use session::{Contactors, OPEN_BELOW_MA, fresh};

use crate::{Config, Plant, Sensors, Time};

/// Contactors open after this time at the latest, at any current: 2 s (pyPLC, clara; docs/ARCHITECTURE.md).
const OPEN_BY: Duration = Duration::from_secs(2);
/// Time for contactors without feedback to close: 450 ms (clara, two coils).
const CLOSE_BLIND: Duration = Duration::from_millis(450);
/// Time for contactors without feedback to open: 1 s (pyPLC, clara).
const OPEN_BLIND: Duration = Duration::from_secs(1);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    /// Pilot B, contactors confirmed open.
    Off,
    /// Pilot C, contactors open.
    Ready,
    /// Pilot C, contactors closing.
    Closing {
        since: Instant,
    },
    Closed,
    /// Pilot B. The contactors open from `from` on when the current has ended, at `by` at the latest; in the
    /// same step if they had not confirmed to be closed. Only a current that was measured at `asked` or later
    /// counts.
    Opening {
        asked: Instant,
        from: Instant,
        by: Instant,
    },
    /// Pilot B, contactors commanded to open and not confirmed yet.
    Open {
        since: Instant,
    },
}

/// The result of a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum News {
    /// The contactors have closed.
    Closed,
    /// The contactors did not close in time.
    NotClosed,
    /// The contactors are commanded to open, below 1 A.
    Opening,
    /// The contactors are commanded to open although the current is not known to be below 1 A; the newest
    /// current in mA.
    EmergencyOpening(Option<i32>),
    /// The contactors did not confirm to be open in time.
    NotOpen,
}

/// State of the car's pilot and contactors.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Power {
    stage: Stage,
}

impl Power {
    pub(crate) const fn new() -> Self {
        Self { stage: Stage::Off }
    }

    pub(crate) const fn pilot(&self) -> Level {
        match self.stage {
            Stage::Ready | Stage::Closing { .. } | Stage::Closed => Level::C,
            Stage::Off | Stage::Opening { .. } | Stage::Open { .. } => Level::B,
        }
    }

    pub(crate) const fn contactors(&self) -> Contactors {
        match self.stage {
            Stage::Closing { .. } | Stage::Closed | Stage::Opening { .. } => Contactors::Closed,
            Stage::Off | Stage::Ready | Stage::Open { .. } => Contactors::Open,
        }
    }

    /// Whether the contactors are commanded open, and confirmed it when they were last used.
    pub(crate) fn is_off(&self) -> bool {
        self.stage == Stage::Off
    }

    /// Whether the contactors were commanded to open, and have confirmed it.
    pub(crate) fn is_open(&self) -> bool {
        matches!(self.stage, Stage::Off | Stage::Ready)
    }

    /// Whether the pilot is at C: all safety rules apply.
    pub(crate) fn is_in_use(&self) -> bool {
        self.pilot() == Level::C
    }

    /// Whether the contactors were commanded to close and have not confirmed it.
    pub(crate) fn is_closing(&self) -> bool {
        matches!(self.stage, Stage::Closing { .. })
    }

    /// Whether the contactors are commanded closed and have confirmed it, also during the wait for the
    /// current to end.
    pub(crate) fn is_joined(&self) -> bool {
        matches!(self.stage, Stage::Closed | Stage::Opening { .. })
    }

    /// Whether the time for the contactors to close has passed.
    pub(crate) fn is_closed(&self) -> bool {
        self.stage == Stage::Closed
    }

    /// Sets pilot C.
    pub(crate) fn make_ready(&mut self) {
        if self.stage == Stage::Off {
            self.stage = Stage::Ready;
        }
    }

    /// Closes the contactors.
    pub(crate) fn close(&mut self, now: Instant) {
        if self.stage == Stage::Ready {
            self.stage = Stage::Closing { since: now };
        }
    }

    /// Sets pilot B immediately. The contactors open below 1 A, at the earliest after `rest`, or after 2 s.
    /// Contactors that have not confirmed to be closed open immediately, otherwise they would close after the
    /// stop: before power is requested at most 2 A flow. Only a measured current proves that they are closed.
    pub(crate) fn stop(&mut self, now: Instant, rest: Duration, plant: &Plant) {
        let from = now + rest;
        let flows = fresh(plant.current_ma, now).is_some_and(|ma| ma.saturating_abs() >= OPEN_BELOW_MA);
        self.stage = match self.stage {
            Stage::Off | Stage::Ready => Stage::Off,
            Stage::Closing { .. } if !flows => Stage::Opening { asked: Instant::ZERO, from: now, by: now },
            Stage::Closing { .. } | Stage::Closed => Stage::Opening { asked: now, from, by: now + OPEN_BY },
            Stage::Opening { asked, from: before, by } => {
                Stage::Opening { asked, from: from.min(before), by }
            }
            open @ Stage::Open { .. } => open,
        };
    }

    /// Applies time and readings.
    pub(crate) fn step(&mut self, now: Instant, plant: &Plant, config: &Config) -> Option<News> {
        let has_feedback = config.sensors.contains(Sensors::CONTACTORS);
        let feedback = fresh(plant.contactors, now);
        match self.stage {
            Stage::Closing { since } => {
                let waited = now.since(since);
                if feedback == Some(true) || (!has_feedback && waited >= CLOSE_BLIND) {
                    self.stage = Stage::Closed;
                    return Some(News::Closed);
                }
                (waited >= config.time(Time::Contactors)).then_some(News::NotClosed)
            }
            Stage::Opening { asked, from, by } => {
                let current = fresh(plant.current_ma, now);
                let is_new = plant.current_ma.is_some_and(|reading| reading.at >= asked);
                let is_gone = is_new && current.is_some_and(|ma| ma.saturating_abs() < OPEN_BELOW_MA);
                let news = match (now >= from && is_gone, now >= by) {
                    (true, _) => News::Opening,
                    (false, true) => News::EmergencyOpening(current),
                    (false, false) => return None,
                };
                self.stage = Stage::Open { since: now };
                Some(news)
            }
            Stage::Open { since } => {
                let waited = now.since(since);
                // A reading from before the command does not count.
                let told = plant.contactors.is_some_and(|reading| reading.at > since);
                if (feedback == Some(false) && told) || (!has_feedback && waited >= OPEN_BLIND) {
                    self.stage = Stage::Off;
                    return None;
                }
                if waited >= config.time(Time::Contactors) {
                    self.stage = Stage::Off;
                    return Some(News::NotOpen);
                }
                None
            }
            Stage::Off | Stage::Ready | Stage::Closed => None,
        }
    }

    /// When [`step`](Self::step) will change a state without new readings, later than `now`.
    pub(crate) fn due(&self, now: Instant, config: &Config) -> Option<Instant> {
        let has_feedback = config.sensors.contains(Sensors::CONTACTORS);
        let wait = |blind| if has_feedback { config.time(Time::Contactors) } else { blind };
        match self.stage {
            Stage::Closing { since } => Some(since + wait(CLOSE_BLIND)),
            Stage::Opening { from, by, .. } => Some(if from > now { from.min(by) } else { by }),
            Stage::Open { since } => Some(since + wait(OPEN_BLIND)),
            Stage::Off | Stage::Ready | Stage::Closed => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use session::Reading;

    fn at(millis: u64) -> Instant {
        Instant::from_millis(millis)
    }

    fn plant(millis: u64, current_ma: i32, closed: bool) -> Plant {
        Plant {
            current_ma: Some(Reading::new(current_ma, at(millis))),
            contactors: Some(Reading::new(closed, at(millis))),
            ..Plant::default()
        }
    }

    fn closed(config: &Config) -> Power {
        let mut power = Power::new();
        power.make_ready();
        power.close(at(0));
        assert_eq!(power.step(at(20), &plant(20, 0, true), config), Some(News::Closed));
        power
    }

    #[test]
    fn contactors_open_below_one_ampere_and_are_off_when_confirmed() {
        let config = Config::default();
        let mut power = closed(&config);
        power.stop(at(1_000), Duration::ZERO, &Plant::default());
        assert_eq!((power.pilot(), power.contactors()), (Level::B, Contactors::Closed));
        assert_eq!(power.step(at(1_100), &plant(1_100, 1_000, true), &config), None);
        assert_eq!(power.step(at(1_200), &plant(1_200, 999, true), &config), Some(News::Opening));
        assert_eq!(power.contactors(), Contactors::Open);
        assert_eq!(power.step(at(1_300), &plant(1_200, 0, false), &config), None);
        assert!(!power.is_off(), "a reading as old as the command proves nothing");
        assert_eq!(power.step(at(1_400), &plant(1_400, 0, false), &config), None);
        assert!(power.is_off());
    }

    #[test]
    fn a_current_is_gone_only_by_a_reading_from_after_the_stop() {
        let config = Config::default();
        let mut power = closed(&config);
        power.stop(at(1_000), Duration::ZERO, &plant(999, 0, true));
        assert_eq!(power.step(at(1_000), &plant(999, 0, true), &config), None);
        assert_eq!(power.step(at(1_050), &plant(1_000, 0, true), &config), Some(News::Opening));
    }

    #[test]
    fn under_current_or_with_an_unknown_one_they_open_after_two_seconds_and_say_so() {
        let config = Config::default();
        for (current, known) in [(plant(2_900, 50_000, true), Some(50_000)), (plant(0, 0, true), None)] {
            let mut power = closed(&config);
            power.stop(at(1_000), Duration::ZERO, &Plant::default());
            assert_eq!(power.step(at(2_999), &current, &config), None);
            assert_eq!(power.step(at(3_000), &current, &config), Some(News::EmergencyOpening(known)));
        }
    }

    #[test]
    fn an_orderly_end_rests_at_pilot_b_and_an_emergency_shortens_the_rest() {
        let config = Config::default();
        let mut power = closed(&config);
        power.stop(at(1_000), Duration::from_millis(300), &Plant::default());
        assert_eq!(power.step(at(1_299), &plant(1_299, 0, true), &config), None);
        assert_eq!(power.due(at(1_299), &config), Some(at(1_300)));
        power.stop(at(1_299), Duration::ZERO, &Plant::default());
        assert_eq!(power.step(at(1_299), &plant(1_299, 0, true), &config), Some(News::Opening));
    }

    #[test]
    fn contactors_that_have_not_confirmed_to_be_closed_open_at_once_unless_a_current_flows() {
        let config = Config::default();
        let unknown = Some(News::EmergencyOpening(None));
        for (plant, news, contactors) in [
            (plant(100, 999, false), Some(News::Opening), Contactors::Open),
            (plant(100, 1_000, false), None, Contactors::Closed),
            (Plant::default(), unknown, Contactors::Open),
        ] {
            let mut power = Power::new();
            power.make_ready();
            power.close(at(0));
            power.stop(at(100), Duration::ZERO, &plant);
            assert_eq!(power.step(at(100), &plant, &config), news);
            assert_eq!((power.pilot(), power.contactors()), (Level::B, contactors));
            assert!(!power.is_off(), "that they are open is not confirmed yet");
        }
    }

    #[test]
    fn contactors_that_never_confirm_are_told() {
        let config = Config::default();
        let mut power = Power::new();
        power.make_ready();
        power.close(at(0));
        assert_eq!(power.step(at(2_000), &plant(2_000, 0, false), &config), Some(News::NotClosed));
        let mut power = closed(&config);
        power.stop(at(1_000), Duration::ZERO, &Plant::default());
        assert_eq!(power.step(at(1_000), &plant(1_000, 0, true), &config), Some(News::Opening));
        assert_eq!(power.step(at(3_000), &plant(3_000, 0, true), &config), Some(News::NotOpen));
    }
}
