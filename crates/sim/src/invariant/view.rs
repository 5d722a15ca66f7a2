//! The input of the rules.

use control_pilot::Output;
use evse_fsm::Demand;
use machine::{Duration, Instant};
use session::fresh;

use super::Facts;
use super::memory::{Memory, error};
use crate::plant::{Bench, CarDemand, Sensor, Side, Truth};

/// The input of the rules at one moment.
pub(super) struct View<'a> {
    pub(super) now: Instant,
    pub(super) bench: &'a Bench,
    pub(super) truth: Truth,
    pub(super) demand: &'a Demand,
    pub(super) car: &'a CarDemand,
    /// The facts as they arrived at the side that has to comply with the rule.
    pub(super) facts: &'a Facts,
    pub(super) memory: &'a Memory,
    /// Whether the program of charger and car hangs.
    pub(super) is_frozen: [bool; 2],
    /// No fault occurs in this world.
    pub(super) is_sound: bool,
    /// The isolation is tested at the voltage of IEC 61851-23:2023.
    pub(super) tests_higher: bool,
    /// The basis of the judgement.
    pub(super) by: By,
}

/// The basis of a judgement.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum By {
    /// The physical state, whether the side can detect it or not.
    Truth,
    /// The physical state where no sensor of the side lies about it.
    Known,
    /// The readings of the side, true or not.
    Readings,
}

/// Longest time from a reading to its effect: sensors are read every 50 ms, and contacts move later.
const READ: Duration = Duration::from_millis(200);
/// Time after which a program without a sign of life was made SAFE: 500 ms, and the contactors' own time.
const HUNG: Duration = Duration::from_millis(560);
/// Largest age of the command when contactors close.
const WAS_READY: Duration = Duration::from_millis(150);

impl View<'_> {
    /// The charger's contactors are closed and can open.
    pub(super) fn is_connected(&self) -> bool {
        self.truth.charger_closed && !self.bench.is_welded(Side::Charger)
    }

    /// The car's contactors are closed and can open.
    pub(super) fn is_car_connected(&self) -> bool {
        self.truth.car_closed && !self.bench.is_welded(Side::Car)
    }

    /// At least this current flows. Not for a charger whose stage does not follow and whose contactors are
    /// welded: it cannot stop the current, only the car can.
    pub(super) fn gives(&self, ma: i32) -> bool {
        let is_helpless = self.bench.is_welded(Side::Charger) && !self.bench.is_stage_sound();
        self.truth.current_ma >= ma && !is_helpless
    }

    pub(super) fn is_live(&self) -> bool {
        self.is_connected() || self.gives(5_000)
    }

    /// Pilot C or D was present when contactors that close now were commanded.
    pub(super) fn was_ready(&self) -> bool {
        self.is_within(self.memory.ready_at, WAS_READY)
    }

    /// No session exists, or it has just ended.
    pub(super) fn has_ended(&self) -> bool {
        self.facts.heard.is_none()
    }

    pub(super) fn must_car_stop(&self) -> bool {
        let is_offered = matches!(self.truth.pilot_at_car, Some(Output::Pwm(30..=70)));
        let is_lost = !is_offered && self.knows(Side::Car, Sensor::Duty);
        is_lost || self.misses_plug(Side::Car) || self.is_stop_pressed(Side::Car)
    }

    /// The proximity wire shows no plug, and the side can detect that.
    pub(super) fn misses_plug(&self, side: Side) -> bool {
        !self.bench.proximity().is_plugged() && self.knows(side, Sensor::Proximity)
    }

    /// The emergency stop of a side is pressed, and the side can detect that.
    pub(super) fn is_stop_pressed(&self, side: Side) -> bool {
        self.bench.stopped_since(side).is_some() && self.knows(side, Sensor::EmergencyStop)
    }

    /// The side has new readings of this sensor that are true or show the violation too. Without new readings
    /// other rules stop the side; a sensor that is missing or lies is counted as excluded.
    pub(super) fn knows(&self, side: Side, sensor: Sensor) -> bool {
        let is_silent = self.bench.silent_since(side).is_some() || self.bench.lacks(side, &[sensor]);
        !is_silent && !self.is_deceived(side, sensor)
    }

    /// A sensor of a side is missing or lies, and the side cannot detect it. A silent sensor deceives no one:
    /// an old reading permits nothing.
    pub(super) fn is_deceived(&self, side: Side, sensor: Sensor) -> bool {
        match self.by {
            By::Truth => false,
            // Without the sensor no reading exists to judge by.
            By::Readings if is_read(side, sensor) && self.bench.has(side, sensor) => false,
            By::Known | By::Readings => !self.bench.has(side, sensor) || !self.is_knowable(side, sensor),
        }
    }

    /// A lie is detectable only if another sensor of the side measures the same value and contradicts it.
    /// Only the two voltages of a side with closed contactors between them are such a pair.
    fn is_knowable(&self, side: Side, sensor: Sensor) -> bool {
        let lies = self.is_within(self.bench.lied(side, sensor), READ);
        let is_double = matches!(sensor, Sensor::Voltage | Sensor::Stage | Sensor::Battery);
        !lies || is_double && self.memory.of(side).is_suspect
    }

    /// A program hangs, and its hardware still waits for it or has just made it SAFE.
    pub(super) fn may_hang(&self, side: Side) -> bool {
        self.is_frozen(side) && self.bench.unheard(side) < HUNG
    }

    /// Judges this view on another basis for a side.
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

    /// The state as a side's readings show it, see [`is_read`].
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

    /// Highest voltage in mV that may be demanded: the lower limit of both. In a cable check by the edition
    /// of 2023: up to 50 V above the car's limit, or 10 % above 500 V.
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

    /// Largest error of a healthy sensor at this value, in mV or mA.
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

    /// A side had reported a latch before the command for the present movement.
    pub(super) fn is_latched(&self, side: Side) -> bool {
        self.memory.of(side).latched_since.is_some_and(|since| self.now.since(since) > WAS_READY)
    }
}

/// Whether a side's reading replaces the physical value when a rule is judged by readings.
const fn is_read(side: Side, sensor: Sensor) -> bool {
    match side {
        Side::Charger => matches!(sensor, Sensor::Pilot | Sensor::Voltage | Sensor::Current | Sensor::Lock),
        Side::Car => matches!(sensor, Sensor::Voltage | Sensor::Battery | Sensor::Current | Sensor::Lock),
    }
}
