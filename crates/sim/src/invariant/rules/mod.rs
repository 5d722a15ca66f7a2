//! The rules as data.

mod car;
mod charger;

use machine::Duration;

use super::view::View;
use crate::plant::{Occurrence, Sensor, Side, Tolerance};

/// A safety rule.
#[derive(Clone, Copy, Debug)]
pub struct Rule {
    /// Its id, which never changes.
    pub id: &'static str,
    /// The side that must comply.
    pub side: Side,
    /// The condition, as text.
    pub words: &'static str,
    /// The hazard that it prevents.
    pub hazard: &'static str,
    pub(super) check: Check,
}

/// How a rule is checked.
#[derive(Clone, Copy, Debug)]
pub(super) enum Check {
    /// The condition is not allowed to last longer than this time.
    Lasts(Duration, fn(&View<'_>) -> bool),
    /// No occurrence of this kind is allowed.
    Happens(fn(&View<'_>, &Occurrence) -> bool),
}

const NEVER: Duration = Duration::ZERO;

const fn ms(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

const fn rule(id: &'static str, side: Side, words: &'static str, hazard: &'static str, check: Check) -> Rule {
    Rule { id, side, words, hazard, check }
}

/// All rules. Time limits are those of docs/ARCHITECTURE.md plus the time of sensors and hardware.
pub const RULES: &[Rule] = &ALL;

const COUNT: usize = charger::RULES.len() + car::RULES.len();

#[allow(clippy::indexing_slicing, reason = "while it compiles")]
const ALL: [Rule; COUNT] = {
    let mut all = [charger::RULES[0]; COUNT];
    let mut index = 0;
    while index < COUNT {
        let own = charger::RULES.len();
        all[index] = if index < own { charger::RULES[index] } else { car::RULES[index - own] };
        index += 1;
    }
    all
};

/// Largest age of a command when the contacts close: a reading and the contactors' own time.
const TOLD: Duration = ms(100);
/// Largest age of a reading in ms.
const STALE_MS: u64 = 200;
/// A side whose program shows no life for this time is made SAFE by its hardware.
const HEARTBEAT: Duration = ms(500);

/// For contactors of a side that closed on command: the voltage on the conductors (the lower of that at the
/// command and that at the contacts) and the voltage between the contacts, in mV.
fn closing(what: &Occurrence, of: Side) -> Option<(i32, i32)> {
    let Occurrence::Closed { side, told_mv, voltage_mv, difference_mv, is_commanded: true } = what else {
        return None;
    };
    (*side == of).then_some((told_mv.abs().min(voltage_mv.abs()), *difference_mv))
}

/// Judged by the current at the command and by that at the contacts: either may be below 1 A.
fn is_opening_under_load(view: &View<'_>, what: &Occurrence, of: Side) -> bool {
    let Occurrence::Opened { side, told_ma, current_ma, is_commanded: true } = what else { return false };
    let least_ma = 1_000 + view.error(1_000);
    let is_loaded = told_ma.abs() >= least_ma && current_ma.abs() >= least_ma;
    *side == of && is_loaded && !view.is_deceived(of, Sensor::Current)
}

/// Judged by the state at the command, one reading before.
fn is_live_unlock(view: &View<'_>, what: &Occurrence, of: Side) -> bool {
    let Occurrence::Lock { side, is_locked: false, voltage_mv, was_closed, by_fault: false } = what else {
        return false;
    };
    let is_live = *was_closed || voltage_mv.abs() >= session::DEAD_MV;
    let knows_dead = ![Sensor::Voltage, Sensor::Contactors].into_iter().any(|one| view.is_deceived(of, one));
    *side == of && is_live && knows_dead && !view.is_within(view.memory.of(of).calm_at, TOLD)
}

/// The most current in mA that may flow for this demand: the permitted tolerance of a stage, the sensor's 1 A
/// or 1 %, and its error.
fn most_ma(view: &View<'_>, demanded_ma: i32) -> i32 {
    let sensor_ma = (demanded_ma / 100).max(1_000) + view.error(demanded_ma);
    demanded_ma.saturating_add(Tolerance::most_ma(demanded_ma) + sensor_ma)
}

/// Contactors close, or a lock opens, at a side whose voltages contradict each other.
fn acts_in_doubt(view: &View<'_>, what: &Occurrence, of: Side) -> bool {
    let opens =
        matches!(what, Occurrence::Lock { side, is_locked: false, by_fault: false, .. } if *side == of);
    let closes = closing(what, of).is_some();
    (opens || closes) && view.memory.of(of).is_suspect
}
