//! What is watched while the car is in C or its contactors are closed.

use control_pilot::{DutyMeaning, Output, Proximity};
use machine::{Duration, Instant};
use session::{By, Cause, Isolation, fresh};

use crate::{Config, Plant, Vehicle};

/// A pilot that is not 5 % for so long is lost: 90 ms (clara: 3 x 30 ms).
const PILOT_LOST: Duration = Duration::from_millis(90);
/// Contactors that nobody told to close and that say closed for so long are welded: 100 ms (judgement; contacts bounce).
const UNASKED: Duration = Duration::from_millis(100);
/// Over-voltage for so long is a stop: 400 ms (`EVerest`).
const OVER_VOLTAGE: Duration = Duration::from_millis(400);
/// Beyond the limit by so much, in per cent, is a stop at once: judgement.
const FAR_OVER_PERCENT: i64 = 110;
/// A current that the car did not ask for, for so long, is a stop: 2 s (judgement).
const OVER_CURRENT: Duration = Duration::from_secs(2);
/// Current beyond what was asked for that is control error, in mA: 10 A (judgement; chargers were seen within 5 A).
const OVER_CURRENT_MA: i32 = 10_000;
/// Current out of the car that is measurement error, in mA: 5 A (judgement).
const BACKWARD_MA: i32 = -5_000;
/// How fast a charger is taken to follow a lower demand, in mA/s: 10 A/s (observed: 10..14 A/s).
const FALL_MA_PER_S: i64 = 10_000;
/// Inlet and report may disagree for 2 s (clara).
const DISAGREE: Duration = Duration::from_secs(2);

/// What ends the use of the inlet, and who is to blame.
pub(crate) type Trouble = (By, Cause);

/// Remembers since when something is wrong.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Supervision {
    pilot_since: Option<Instant>,
    /// Since when the contactors are closed although nobody told them to be.
    closed_since: Option<Instant>,
    voltage_since: Option<Instant>,
    current_since: Option<Instant>,
    disagree_since: Option<Instant>,
    /// What the charger may still give, in mA.
    expected_ma: i32,
    stepped: Instant,
}

/// Whether the charger offers digital communication, and what else it is.
fn pilot_trouble(output: Output) -> Option<Cause> {
    match output {
        Output::Pwm(duty) if DutyMeaning::of(duty) == DutyMeaning::Digital => None,
        Output::Pwm(_) | Output::Steady => Some(Cause::PilotLost),
        Output::Zero | Output::Negative => Some(Cause::PilotFault),
    }
}

/// Since when `wrong` has been so.
fn since(now: Instant, slot: &mut Option<Instant>, wrong: bool) -> Option<Duration> {
    if !wrong {
        *slot = None;
        return None;
    }
    Some(now.since(*slot.get_or_insert(now)))
}

impl Supervision {
    pub(crate) const fn new() -> Self {
        Self {
            pilot_since: None,
            closed_since: None,
            voltage_since: None,
            current_since: None,
            disagree_since: None,
            expected_ma: 0,
            stepped: Instant::ZERO,
        }
    }

    /// A session begins; what is known of the pilot stays.
    pub(crate) fn begin(&mut self) {
        *self = Self { pilot_since: self.pilot_since, closed_since: self.closed_since, ..Self::new() };
    }

    /// Whether the contactors are closed although nobody told them to be.
    pub(crate) fn unasked(&mut self, now: Instant, plant: &Plant, is_open: bool) -> bool {
        let is_wrong = is_open && fresh(plant.contactors, now) == Some(true);
        since(now, &mut self.closed_since, is_wrong).is_some_and(|waited| waited >= UNASKED)
    }

    /// What must be right in any session: the pilot, as far as it is known, and the plug.
    pub(crate) fn always(&mut self, now: Instant, plant: &Plant) -> Option<Trouble> {
        let pilot = fresh(plant.pilot, now);
        let trouble = pilot.and_then(pilot_trouble);
        // A reading that is missing takes nothing back.
        let is_lost = if pilot.is_some() { trouble.is_some() } else { self.pilot_since.is_some() };
        let waited = since(now, &mut self.pilot_since, is_lost);
        if let (Some(cause), true) = (trouble, waited.is_some_and(|waited| waited >= PILOT_LOST)) {
            return Some((By::Charger, cause));
        }
        let gone = matches!(fresh(plant.proximity, now), Some(Proximity::Absent | Proximity::Pressed));
        gone.then_some((By::Operator, Cause::Unplugged))
    }

    /// What must be right while the car is in C. `is_locked`: the lock was confirmed; `is_closed`: the contactors have to be
    /// closed; `asked_ma`: what was asked for last.
    #[allow(clippy::too_many_arguments, reason = "each is a fact of its own")]
    pub(crate) fn in_use(
        &mut self,
        now: Instant,
        plant: &Plant,
        config: &Config,
        car: &Vehicle,
        is_locked: bool,
        is_closed: bool,
        asked_ma: i32,
    ) -> Option<Trouble> {
        if let Some(name) = plant.stale(config.sensors, now) {
            return Some((By::Car, Cause::StaleReading(name)));
        }
        if !car.is_fresh(now) {
            return Some((By::Car, Cause::StaleReading("vehicle")));
        }
        if is_locked && fresh(plant.lock, now) == Some(false) {
            return Some((By::Car, Cause::Lock));
        }
        if is_closed && fresh(plant.contactors, now) == Some(false) {
            return Some((By::Car, Cause::Contactor));
        }
        let trouble = self.voltage(now, plant, car, is_closed);
        if !is_closed {
            self.current_since = None;
            (self.expected_ma, self.stepped) = (0, now);
            return trouble;
        }
        trouble.or_else(|| self.current(now, plant, asked_ma))
    }

    /// Before the contactors are closed only what is far over counts: the isolation may be tested at the limit itself.
    fn voltage(&mut self, now: Instant, plant: &Plant, car: &Vehicle, is_closed: bool) -> Option<Trouble> {
        let mv = fresh(plant.inlet_mv, now).unwrap_or(0);
        let limit = car.limits.max_voltage_mv;
        let waited = since(now, &mut self.voltage_since, is_closed && mv > limit);
        let far = i64::from(mv) * 100 > i64::from(limit) * FAR_OVER_PERCENT;
        (far || waited.is_some_and(|waited| waited >= OVER_VOLTAGE)).then_some((By::Car, Cause::OverVoltage))
    }

    fn current(&mut self, now: Instant, plant: &Plant, asked_ma: i32) -> Option<Trouble> {
        let micros = i64::try_from(now.since(self.stepped).as_micros()).unwrap_or(i64::MAX);
        let fallen =
            i64::from(self.expected_ma).saturating_sub(FALL_MA_PER_S.saturating_mul(micros) / 1_000_000);
        self.expected_ma = i32::try_from(fallen.max(i64::from(asked_ma))).unwrap_or(asked_ma);
        self.stepped = now;
        let ma = fresh(plant.current_ma, now).unwrap_or(0);
        let wrong = ma > self.expected_ma.saturating_add(OVER_CURRENT_MA) || ma < BACKWARD_MA;
        let waited = since(now, &mut self.current_since, wrong);
        waited.is_some_and(|waited| waited >= OVER_CURRENT).then_some((By::Car, Cause::OverCurrent))
    }

    /// The charger reported a voltage in the charging loop; `limit_mv` is how far it may be off the inlet's.
    pub(crate) fn reported(
        &mut self,
        now: Instant,
        plant: &Plant,
        reported_mv: i32,
        limit_mv: i32,
    ) -> Option<Trouble> {
        let wrong = fresh(plant.inlet_mv, now)
            .is_some_and(|mv| mv.saturating_sub(reported_mv).saturating_abs() > limit_mv);
        let waited = since(now, &mut self.disagree_since, wrong);
        waited.is_some_and(|waited| waited >= DISAGREE).then_some((By::Car, Cause::VoltageOff))
    }

    /// When a lost pilot becomes a stop.
    pub(crate) fn due(&self) -> Option<Instant> {
        self.pilot_since.map(|since| since + PILOT_LOST)
    }
}

/// Whether an isolation status ends the session: a fault does, Invalid does unless it is tolerated.
pub(crate) fn is_isolation_bad(isolation: Option<Isolation>, tolerate_invalid: bool) -> bool {
    match isolation {
        Some(Isolation::Fault) => true,
        Some(Isolation::Measuring) => !tolerate_invalid,
        Some(Isolation::Valid | Isolation::Warning) | None => false,
    }
}
