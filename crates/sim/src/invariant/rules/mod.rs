//! The rules as data.

mod car;
mod charger;

use machine::Duration;

use super::view::View;
use crate::plant::{Occurrence, Sensor, Side, Tolerance};

/// One rule.
#[derive(Clone, Copy, Debug)]
pub struct Rule {
    /// Its id, which never changes.
    pub id: &'static str,
    /// Who has to keep it.
    pub side: Side,
    /// What must hold.
    pub words: &'static str,
    /// What it keeps away.
    pub hazard: &'static str,
    pub(super) check: Check,
}

/// How a rule is checked.
#[derive(Clone, Copy, Debug)]
pub(super) enum Check {
    /// This must not be so for longer than that.
    Lasts(Duration, fn(&View<'_>) -> bool),
    /// Nothing of this kind may happen.
    Happens(fn(&View<'_>, &Occurrence) -> bool),
}

const NEVER: Duration = Duration::ZERO;

const fn ms(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

const fn rule(id: &'static str, side: Side, words: &'static str, hazard: &'static str, check: Check) -> Rule {
    Rule { id, side, words, hazard, check }
}

/// Every rule. Limits of time are those of docs/ARCHITECTURE.md with the time that sensors and hardware need.
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

/// A command is this old at most when the contacts close: a reading and their own time.
const TOLD: Duration = ms(100);
/// Readings may be 200 ms old.
const STALE_MS: u64 = 200;
/// A side whose program shows no life for this time was made SAFE by its hardware.
const HEARTBEAT: Duration = ms(500);

/// If a side's contactors closed as they were to: voltage on the conductors - the lower of that at the
/// command and that at the contacts - and voltage between the contacts, in mV.
fn closing(what: &Occurrence, of: Side) -> Option<(i32, i32)> {
    let Occurrence::Closed { side, told_mv, voltage_mv, difference_mv, is_commanded: true } = what else {
        return None;
    };
    (*side == of).then_some((told_mv.abs().min(voltage_mv.abs()), *difference_mv))
}

/// It is judged by the current at the command, and by that at the contacts: either may be below 1 A.
fn is_opening_under_load(view: &View<'_>, what: &Occurrence, of: Side) -> bool {
    let Occurrence::Opened { side, told_ma, current_ma, is_commanded: true } = what else { return false };
    let least_ma = 1_000 + view.error(1_000);
    let is_loaded = told_ma.abs() >= least_ma && current_ma.abs() >= least_ma;
    *side == of && is_loaded && !view.is_deceived(of, Sensor::Current)
}

/// It is judged by what was there at the command: a reading ago.
fn is_live_unlock(view: &View<'_>, what: &Occurrence, of: Side) -> bool {
    let Occurrence::Lock { side, is_locked: false, voltage_mv, was_closed, by_fault: false } = what else {
        return false;
    };
    let is_live = *was_closed || voltage_mv.abs() >= session::DEAD_MV;
    let knows_dead = ![Sensor::Voltage, Sensor::Contactors].into_iter().any(|one| view.is_deceived(of, one));
    *side == of && is_live && knows_dead && !view.is_within(view.memory.of(of).calm_at, TOLD)
}

/// The most in mA that may flow for this demand: what the regulation of a stage is allowed, the sensor's 1 A
/// or 1 %, and its error.
fn most_ma(view: &View<'_>, demanded_ma: i32) -> i32 {
    let sensor_ma = (demanded_ma / 100).max(1_000) + view.error(demanded_ma);
    demanded_ma.saturating_add(Tolerance::most_ma(demanded_ma) + sensor_ma)
}

/// Contactors close, or a lock opens, at an end whose voltages contradict each other.
fn acts_in_doubt(view: &View<'_>, what: &Occurrence, of: Side) -> bool {
    let opens =
        matches!(what, Occurrence::Lock { side, is_locked: false, by_fault: false, .. } if *side == of);
    let closes = closing(what, of).is_some();
    (opens || closes) && view.memory.of(of).is_suspect
}
