//! Pilot signalling: when 5 % is offered, kept and removed.

use control_pilot::{Level, Output};
use machine::Instant;
use session::{Time, Times};

/// The state of the pilot output.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// Steady +12 V: no plug.
    Steady,
    /// Steady +12 V: the plug was just inserted.
    Plugged,
    /// 5 %.
    Digital,
    /// 5 %, kept for [`Time::OscillatorRetain`] after a session's end.
    Retain,
    /// Steady +12 V between two offers (X1).
    Pause,
}

/// The charger's side of the control pilot.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Pilot {
    state: State,
    since: Instant,
}

impl Pilot {
    pub(crate) const fn new() -> Self {
        Self { state: State::Steady, since: Instant::ZERO }
    }

    pub(crate) const fn output(&self) -> Output {
        match self.state {
            State::Digital | State::Retain => Output::DIGITAL,
            State::Steady | State::Plugged | State::Pause => Output::Steady,
        }
    }

    /// Whether a car may open a connection.
    pub(crate) fn is_offering(&self) -> bool {
        self.state == State::Digital
    }

    /// The session has ended normally: 5 % is kept for the retain time, then a pause follows.
    pub(crate) fn session_ended(&mut self, now: Instant) {
        if self.state == State::Digital {
            self.enter(State::Retain, now);
        }
    }

    /// Sets steady +12 V immediately. The pause before the next offer begins when nothing blocks the offer.
    pub(crate) fn halt(&mut self, now: Instant) {
        self.enter(State::Pause, now);
    }

    /// Follows the newest level; `blocked` forbids any offer. Returns whether 5 % has just been applied.
    pub(crate) fn step(&mut self, now: Instant, level: Option<Level>, blocked: bool, times: &Times) -> bool {
        let plugged = level.is_some_and(Level::is_plugged);
        let elapsed = now.since(self.since);
        let next = match self.state {
            _ if !plugged => State::Steady,
            // Without an earlier offer no pause is needed: as after the insertion of a plug.
            State::Steady | State::Plugged if blocked => State::Plugged,
            _ if blocked => State::Pause,
            State::Steady => State::Plugged,
            State::Plugged if elapsed >= times.get(Time::PlugToPwm) => State::Digital,
            State::Retain if elapsed >= times.get(Time::OscillatorRetain) => State::Pause,
            State::Pause if elapsed >= times.get(Time::PilotPause) => State::Digital,
            state => state,
        };
        let applied = next == State::Digital && self.state != State::Digital;
        if next != self.state || (blocked && plugged) {
            self.enter(next, now);
        }
        applied
    }

    /// When [`step`](Self::step) will change the state without a new level.
    pub(crate) fn due(&self, times: &Times) -> Option<Instant> {
        let wait = match self.state {
            State::Plugged => Time::PlugToPwm,
            State::Retain => Time::OscillatorRetain,
            State::Pause => Time::PilotPause,
            State::Steady | State::Digital => return None,
        };
        Some(self.since + times.get(wait))
    }

    fn enter(&mut self, state: State, now: Instant) {
        self.state = state;
        self.since = now;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TIMES: Times = Times::STANDARD;

    fn at(pilot: &mut Pilot, millis: u64, level: Level, blocked: bool) -> Output {
        pilot.step(Instant::from_millis(millis), Some(level), blocked, &TIMES);
        pilot.output()
    }

    #[test]
    fn five_percent_comes_half_a_second_after_the_plug() {
        let mut pilot = Pilot::new();
        assert_eq!(at(&mut pilot, 0, Level::A, false), Output::Steady);
        assert_eq!(at(&mut pilot, 1000, Level::B, false), Output::Steady);
        assert_eq!(pilot.due(&TIMES), Some(Instant::from_millis(1500)));
        assert_eq!(at(&mut pilot, 1499, Level::B, false), Output::Steady);
        assert_eq!(at(&mut pilot, 1500, Level::B, false), Output::DIGITAL);
        assert_eq!(at(&mut pilot, 1501, Level::A, false), Output::Steady);
    }

    #[test]
    fn after_a_session_5_percent_is_kept_then_paused_then_offered_again() {
        let mut pilot = Pilot::new();
        at(&mut pilot, 0, Level::B, false);
        at(&mut pilot, 500, Level::B, false);
        pilot.session_ended(Instant::from_millis(1000));
        assert_eq!(at(&mut pilot, 2499, Level::B, false), Output::DIGITAL);
        assert!(!pilot.is_offering());
        assert_eq!(at(&mut pilot, 2500, Level::B, false), Output::Steady);
        assert_eq!(at(&mut pilot, 5499, Level::B, false), Output::Steady);
        assert_eq!(at(&mut pilot, 5500, Level::B, false), Output::DIGITAL);
    }

    #[test]
    fn a_plug_that_came_while_blocked_gets_5_percent_half_a_second_after_nothing_blocks_it_any_more() {
        for plugged_at in [0, 300, 8_999] {
            let mut pilot = Pilot::new();
            at(&mut pilot, plugged_at, Level::B, plugged_at > 0);
            assert_eq!(at(&mut pilot, 9_000, Level::B, true), Output::Steady);
            assert_eq!(at(&mut pilot, 9_100, Level::B, false), Output::Steady);
            assert_eq!(at(&mut pilot, 9_499, Level::B, false), Output::Steady);
            assert_eq!(at(&mut pilot, 9_500, Level::B, false), Output::DIGITAL, "plugged at {plugged_at}");
        }
    }

    #[test]
    fn while_blocked_the_pause_does_not_begin_to_run() {
        let mut pilot = Pilot::new();
        at(&mut pilot, 0, Level::C, false);
        at(&mut pilot, 500, Level::C, false);
        pilot.halt(Instant::from_millis(600));
        assert_eq!(pilot.output(), Output::Steady);
        assert_eq!(at(&mut pilot, 9_000, Level::B, true), Output::Steady);
        assert_eq!(at(&mut pilot, 11_999, Level::B, false), Output::Steady);
        assert_eq!(at(&mut pilot, 12_000, Level::B, false), Output::DIGITAL);
    }
}
