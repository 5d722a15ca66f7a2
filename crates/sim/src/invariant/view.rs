//! What rules look at.

use control_pilot::Output;
use evse_fsm::Demand;
use machine::{Duration, Instant};
use session::fresh;

use super::Facts;
use super::memory::{Memory, error};
use crate::plant::{Bench, CarDemand, Sensor, Side, Truth};

/// What rules look at.
pub(super) struct View<'a> {
    pub(super) now: Instant,
    pub(super) bench: &'a Bench,
    pub(super) truth: Truth,
    pub(super) demand: &'a Demand,
    pub(super) car: &'a CarDemand,
    /// What was said, as the side knows that has to keep the rule.
    pub(super) facts: &'a Facts,
    pub(super) memory: &'a Memory,
    /// Whether the program of charger and car hangs.
    pub(super) is_frozen: [bool; 2],
    /// Nothing is wrong in this world.
    pub(super) is_sound: bool,
    /// The isolation is tested at the voltage of IEC 61851-23:2023.
    pub(super) tests_higher: bool,
    /// What the rule is judged by.
    pub(super) by: By,
}

/// What a rule is judged by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum By {
    /// What is there, whether the side can know it or not.
    Truth,
    /// What is there, as far as no sensor of the side lies about it.
    Known,
    /// What the sensors of the side say, true or not.
    Readings,
}

/// A reading is acted on for at most this time: it is read each 50 ms, and contacts move later.
const READ: Duration = Duration::from_millis(200);
/// A program that shows no life for this time was made SAFE: 500 ms, and the contactors' own time.
const HUNG: Duration = Duration::from_millis(560);
/// The command of contactors that close now is this old at most.
const WAS_READY: Duration = Duration::from_millis(150);

impl View<'_> {
    /// The charger's contactors are closed, and could open.
    pub(super) fn is_connected(&self) -> bool {
        self.truth.charger_closed && !self.bench.is_welded(Side::Charger)
    }

    /// The car's contactors are closed, and could open.
    pub(super) fn is_car_connected(&self) -> bool {
        self.truth.car_closed && !self.bench.is_welded(Side::Car)
    }

    /// At least this current flows. A charger whose stage does not obey and whose contactors are welded has
    /// nothing left to stop it with: that is the car's then.
    pub(super) fn gives(&self, ma: i32) -> bool {
        let is_helpless = self.bench.is_welded(Side::Charger) && !self.bench.is_stage_sound();
        self.truth.current_ma >= ma && !is_helpless
    }

    pub(super) fn is_live(&self) -> bool {
        self.is_connected() || self.gives(5_000)
    }

    /// Pilot C or D was there a moment ago: what contactors that close now were commanded by.
    pub(super) fn was_ready(&self) -> bool {
        self.is_within(self.memory.ready_at, WAS_READY)
    }

    /// No session is there, or it has just ended.
    pub(super) fn has_ended(&self) -> bool {
        self.facts.heard.is_none()
    }

    pub(super) fn must_car_stop(&self) -> bool {
        let is_offered = matches!(self.truth.pilot_at_car, Some(Output::Pwm(30..=70)));
        let is_lost = !is_offered && self.knows(Side::Car, Sensor::Duty);
        is_lost || self.misses_plug(Side::Car) || self.is_stop_pressed(Side::Car)
    }

    /// The proximity wire shows no plug, and the side can know.
    pub(super) fn misses_plug(&self, side: Side) -> bool {
        !self.bench.proximity().is_plugged() && self.knows(side, Sensor::Proximity)
    }

    /// The emergency stop of a side is pressed, and the side can know.
    pub(super) fn is_stop_pressed(&self, side: Side) -> bool {
        self.bench.stopped_since(side).is_some() && self.knows(side, Sensor::EmergencyStop)
    }

    /// A side has new readings of this, and they are true or show what they should: without, other rules stop
    /// it. A sensor that is missing or lies is counted.
    pub(super) fn knows(&self, side: Side, sensor: Sensor) -> bool {
        let is_silent = self.bench.silent_since(side).is_some() || self.bench.lacks(side, &[sensor]);
        !is_silent && !self.is_deceived(side, sensor)
    }

    /// A sensor of a side is missing or lies, and the side cannot know better. One that is silent deceives no
    /// one: a reading that is too old allows nothing.
    pub(super) fn is_deceived(&self, side: Side, sensor: Sensor) -> bool {
        match self.by {
            By::Truth => false,
            // Without the sensor there is no reading to judge by.
            By::Readings if is_read(side, sensor) && self.bench.has(side, sensor) => false,
            By::Known | By::Readings => !self.bench.has(side, sensor) || !self.is_knowable(side, sensor),
        }
    }

    /// A sensor that lies can be known to only where another own one measures the same, and they contradict
    /// each other. Such are the two voltages of a side, with closed contactors between them; all others are
    /// alone.
    fn is_knowable(&self, side: Side, sensor: Sensor) -> bool {
        let lies = self.is_within(self.bench.lied(side, sensor), READ);
        let is_double = matches!(sensor, Sensor::Voltage | Sensor::Stage | Sensor::Battery);
        !lies || is_double && self.memory.of(side).is_suspect
    }

    /// A program hangs, and its hardware waits for it yet, or has just had enough.
    pub(super) fn may_hang(&self, side: Side) -> bool {
        self.is_frozen(side) && self.bench.unheard(side) < HUNG
    }

    /// The same view, judged by this for a side.
    pub(super) fn judged(&mut self, side: Side, by: By, is_bad: impl FnOnce(&Self) -> bool) -> bool {
        let truth = self.truth;
        if by == By::Readings {
            self.truth = self.as_read(side);
        }
        self.by = by;
        let is_bad = is_bad(self);
        self.truth = truth;
        is_bad
    }

    /// What is there by the readings of a side, see [`is_read`].
    fn as_read(&self, side: Side) -> Truth {
        let (truth, charger, car) = (self.truth, self.bench.read_by_charger(), self.bench.read_by_car());
        match side {
            Side::Charger => Truth {
                level: fresh(charger.pilot, self.now).unwrap_or(truth.level),
                cable_mv: fresh(charger.voltage_mv, self.now).unwrap_or(truth.cable_mv),
                current_ma: fresh(charger.current_ma, self.now).unwrap_or(truth.current_ma),
                charger_locked: fresh(charger.lock, self.now).unwrap_or(truth.charger_locked),
                ..truth
            },
            Side::Car => Truth {
                inlet_mv: fresh(car.inlet_mv, self.now).unwrap_or(truth.inlet_mv),
                battery_mv: fresh(car.battery_mv, self.now).unwrap_or(truth.battery_mv),
                current_ma: fresh(car.current_ma, self.now).unwrap_or(truth.current_ma),
                car_locked: fresh(car.lock, self.now).unwrap_or(truth.car_locked),
                ..truth
            },
        }
    }

    /// The most voltage in mV that may be demanded: the lower limit of both, and in a cable check by the
    /// edition of 2023 up to 50 V more than the car's limit, or 10 % above 500 V.
    pub(super) fn most_mv(&self) -> i32 {
        let facts = self.facts;
        let is_test = self.tests_higher && facts.cable_check.is_some() && !facts.is_checked;
        if !is_test {
            return facts.most_mv();
        }
        let car_mv = facts.car_max_mv.unwrap_or(0);
        let higher_mv = if car_mv <= 500_000 { (car_mv + 50_000).min(500_000) } else { car_mv / 10 * 11 };
        higher_mv.min(facts.charger_max_mv.unwrap_or(0)).max(0)
    }

    /// How far a sensor that is sound may be off this, in mV or mA.
    pub(super) const fn error(&self, value: i32) -> i32 {
        error(value, self.bench.accuracy().permille)
    }

    pub(super) fn is_within(&self, since: Option<Instant>, time: Duration) -> bool {
        since.is_some_and(|since| self.now.since(since) <= time)
    }

    /// The program of a side hangs.
    pub(super) const fn is_frozen(&self, side: Side) -> bool {
        let [charger, car] = self.is_frozen;
        if matches!(side, Side::Charger) { charger } else { car }
    }

    /// A side has reported that it is latched, before the command of what moves now.
    pub(super) fn is_latched(&self, side: Side) -> bool {
        self.memory.of(side).latched_since.is_some_and(|since| self.now.since(since) > WAS_READY)
    }
}

/// Whether a reading of a side stands for the truth, where a rule is judged by readings.
const fn is_read(side: Side, sensor: Sensor) -> bool {
    match side {
        Side::Charger => matches!(sensor, Sensor::Pilot | Sensor::Voltage | Sensor::Current | Sensor::Lock),
        Side::Car => matches!(sensor, Sensor::Voltage | Sensor::Battery | Sensor::Current | Sensor::Lock),
    }
}
