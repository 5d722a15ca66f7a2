//! The state of the plug, by pilot and proximity wire.

use control_pilot::{DutyMeaning, Output, Proximity};
use machine::{Duration, Instant};
use session::{By, Cause, Debounce, Lasting, fresh};

use crate::Plant;
use crate::trouble::Trouble;

/// A pilot that is not 5 % for this time is lost: 90 ms (clara: 3 x 30 ms).
const PILOT_LOST: Duration = Duration::from_millis(90);

/// Follows both wires, during a session and outside.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Signals {
    /// The pilot is not 5 %.
    lost: Lasting,
    /// The pilot has shown 5 % and was not lost since then.
    is_digital: bool,
    /// The pilot is at 0 V: no charger drives it.
    dead: Lasting,
    /// The proximity wire does not show an inserted and latched plug.
    wrong: Debounce,
    /// The proximity wire shows no plug.
    absent: Debounce,
    is_out: bool,
}

/// The cause if the pilot is not 5 %; `None` at 5 %.
fn pilot_trouble(output: Output) -> Option<Cause> {
    match output {
        Output::Pwm(duty) if DutyMeaning::of(duty) == DutyMeaning::Digital => None,
        Output::Pwm(_) | Output::Steady => Some(Cause::PilotLost),
        Output::Zero | Output::Negative => Some(Cause::PilotFault),
    }
}

/// The fault if the proximity wire does not show an inserted and latched plug.
fn proximity_trouble(proximity: Proximity) -> Option<Trouble> {
    match proximity {
        Proximity::Absent => Some(Trouble::new(By::Operator, Cause::Unplugged)),
        Proximity::Pressed => Some(Trouble::new(By::Operator, Cause::Released)),
        Proximity::Unknown => Some(Trouble::new(By::Car, Cause::ProximityFault)),
        Proximity::Cable { .. } | Proximity::Latched => None,
    }
}

impl Signals {
    /// The fault that has lasted long enough to end a session. `has_proximity`: the proximity wire is
    /// measured.
    pub(crate) fn follow(&mut self, now: Instant, plant: &Plant, has_proximity: bool) -> Option<Trouble> {
        let pilot = fresh(plant.pilot, now);
        let lost = pilot.and_then(pilot_trouble);
        // A missing reading does not end a condition.
        let is_lost = if pilot.is_some() { lost.is_some() } else { self.lost.holds() };
        let is_lost = self.lost.for_at_least(now, is_lost, PILOT_LOST);
        self.is_digital = !is_lost && (self.is_digital || pilot.is_some() && lost.is_none());
        let is_dead = self.dead.for_at_least(now, pilot == Some(Output::Zero), PILOT_LOST);
        let contact = Debounce::CONTACT;
        let is_wrong = self.wrong.take(plant.proximity, |shown| proximity_trouble(shown).is_some(), contact);
        let is_absent = self.absent.take(plant.proximity, |shown| shown == Proximity::Absent, contact);
        self.is_out = if has_proximity { is_absent } else { is_dead };
        let pilot = lost.filter(|_| is_lost).map(|cause| Trouble::new(By::Charger, cause));
        // The proximity wire is more specific than the pilot, which is lost together with the plug.
        let plug = plant.proximity.filter(|_| is_wrong).and_then(|shown| proximity_trouble(shown.value));
        plug.or(pilot)
    }

    /// Whether the newest reading of either wire shows a fault, for however short a time.
    pub(crate) const fn is_doubted(&self) -> bool {
        self.lost.holds() || self.wrong.is_seen()
    }

    /// Whether the charger offers digital communication: 5 %, until it is lost for [`PILOT_LOST`].
    pub(crate) const fn is_digital(&self) -> bool {
        self.is_digital
    }

    /// Whether the plug is out: by the proximity wire; without one by a pilot that no charger drives.
    pub(crate) const fn is_out(&self) -> bool {
        self.is_out
    }

    /// When a lost pilot becomes a stop.
    pub(crate) fn due(&self) -> Option<Instant> {
        self.lost.due(PILOT_LOST)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use session::Reading;

    fn at(millis: u64) -> Instant {
        Instant::from_millis(millis)
    }

    fn plant(millis: u64, output: Output, proximity: Option<Proximity>) -> Plant {
        Plant {
            pilot: Some(Reading::new(output, at(millis))),
            proximity: proximity.map(|proximity| Reading::new(proximity, at(millis))),
            ..Plant::default()
        }
    }

    #[test]
    fn each_position_of_the_proximity_wire_has_a_cause_of_its_own_after_50_ms() {
        let table = [
            (Proximity::Absent, Some(Cause::Unplugged)),
            (Proximity::Pressed, Some(Cause::Released)),
            (Proximity::Unknown, Some(Cause::ProximityFault)),
            (Proximity::Latched, None),
            (Proximity::Cable { current_ma: 13_000 }, None),
        ];
        for (shown, expected) in table {
            let mut signals = Signals::default();
            let mut follow = |ms| signals.follow(at(ms), &plant(ms, Output::DIGITAL, Some(shown)), true);
            assert!(follow(0).is_none() && follow(40).is_none());
            assert_eq!(follow(50).map(|trouble| trouble.cause), expected);
            assert_eq!(signals.is_doubted(), expected.is_some());
            assert_eq!(signals.is_out(), shown == Proximity::Absent);
        }
    }

    #[test]
    fn the_offer_lasts_until_the_pilot_is_lost_for_90_ms() {
        let mut signals = Signals::default();
        let mut follow = |ms, output| {
            signals.follow(at(ms), &plant(ms, output, None), false);
            signals.is_digital()
        };
        assert!(!follow(0, Output::Steady));
        assert!(follow(10, Output::DIGITAL));
        assert!(follow(20, Output::Pwm(500)) && follow(100, Output::Zero), "readings of 80 ms");
        assert!(follow(105, Output::DIGITAL), "and it is back");
        assert!(follow(110, Output::Steady) && follow(199, Output::Steady));
        assert!(!follow(200, Output::Steady), "90 ms");
        assert!(follow(210, Output::DIGITAL));
    }

    #[test]
    fn a_bounce_of_either_wire_is_doubted_and_ends_nothing() {
        let mut signals = Signals::default();
        assert!(signals.follow(at(0), &plant(0, Output::Steady, Some(Proximity::Unknown)), true).is_none());
        assert!(signals.is_doubted());
        let good = |ms| plant(ms, Output::DIGITAL, Some(Proximity::Latched));
        assert!(signals.follow(at(20), &good(20), true).is_none());
        assert!(!signals.is_doubted());
        assert!(signals.follow(at(200), &good(200), true).is_none());
    }

    #[test]
    fn without_a_proximity_wire_a_pilot_that_nothing_drives_is_a_plug_that_is_out() {
        for (output, is_out) in [(Output::Zero, true), (Output::Steady, false), (Output::Negative, false)] {
            let mut signals = Signals::default();
            signals.follow(at(0), &plant(0, output, None), false);
            assert!(!signals.is_out());
            signals.follow(at(90), &plant(90, output, None), false);
            assert_eq!(signals.is_out(), is_out, "{output:?}");
        }
    }
}
