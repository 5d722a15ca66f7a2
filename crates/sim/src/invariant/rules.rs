//! The rules as data.

use control_pilot::Output;
use machine::Duration;

use super::View;
use super::memory::NEAR_MV;
use crate::plant::{Occurrence, Sensor, Side};

/// One rule.
#[derive(Clone, Copy, Debug)]
pub struct Rule {
    /// Its id, for ever.
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

/// Sensors are read every 50 ms; blocking the stage takes 20 ms; the charger's contactors follow 100 ms later and need
/// 15 ms: that is 185 ms, and the rules below give 300.
const OFF: Duration = ms(300);
/// The current is below 5 A after a reading and the blocking: 70 ms; 100 are allowed (IEC 61851-23, from memory). A
/// stage that does not obey is cut off 100 ms behind the reading.
const BLOCKED: Duration = ms(150);
/// A car opens its contactors 2 s after it had to at the latest.
const CAR_OFF: Duration = ms(2_300);
/// A car leaves pilot C one reading after it had to.
const LEAVES: Duration = ms(150);
/// Contacts close for a command that is as old: a reading and their own time.
const TOLD: Duration = ms(100);
/// An answer that is late is waited for 5 s, and so is the next one.
const UNANSWERED: Duration = ms(10_350);
/// Readings may be 200 ms old.
const STALE_MS: u64 = 200;

/// What a charger reads while its output is live: all that has answered once.
const NEEDED: &[Sensor] = &[
    Sensor::Pilot,
    Sensor::Voltage,
    Sensor::Stage,
    Sensor::Current,
    Sensor::Isolation,
    Sensor::Contactors,
    Sensor::Lock,
    Sensor::EmergencyStop,
    Sensor::Proximity,
    Sensor::Duty,
];

/// What a car reads at pilot C or D.
const CAR_NEEDED: &[Sensor] = &[
    Sensor::Duty,
    Sensor::Voltage,
    Sensor::Current,
    Sensor::Contactors,
    Sensor::Lock,
    Sensor::EmergencyStop,
    Sensor::Proximity,
    Sensor::Temperature,
];

/// Every rule. Limits of time are those of docs/ARCHITECTURE.md with the time that sensors and hardware need.
#[rustfmt::skip] // a table reads best with one row a line
pub const RULES: &[Rule] = &[
    rule("E1", Side::Charger, "output contactors close only at pilot C or D, from the first CableCheckReq on",
        "voltage on a cable that no car asked for", Check::Happens(|view, what| {
            let may = view.is_within(view.memory.checked_at, TOLD) && view.was_ready();
            closing(what, Side::Charger).is_some() && !may
        })),
    rule("E2", Side::Charger, "output contactors close only onto a cable below 60 V",
        "a welded contactor in the car: its battery discharges into the power stage", Check::Happens(|view, what| {
            let is_live = closing(what, Side::Charger).is_some_and(|(voltage_mv, _)| voltage_mv >= session::DEAD_MV);
            is_live && !view.is_within(view.memory.dead_at, TOLD)
        })),
    rule("E3", Side::Charger, "never more voltage is demanded than car and charger bear both",
        "insulation of car or charger breaks down", Check::Lasts(NEVER, |view| {
            view.demand.supply.voltage_mv > view.facts.most_mv() && !view.has_ended()
        })),
    rule("E4", Side::Charger, "over-voltage on the cable is off within 600 ms",
        "the same, by a broken power stage", Check::Lasts(ms(600), |view| {
            view.is_connected() && view.truth.cable_mv > view.facts.most_mv() / 100 * 101 + 5_000 && !view.has_ended()
        })),
    rule("E5", Side::Charger, "more than 2 A, with 1 A for the sensor's error, flow only between PowerDelivery(true) and the end of power, or for 300 ms",
        "an arc at contactors that still move; charging that nobody granted", Check::Lasts(OFF, |view| {
            let may_flow = view.facts.power_on.is_some() || view.is_within(view.facts.power_off, ms(1_600));
            view.gives(3_000) && !may_flow
        })),
    rule("E6", Side::Charger, "no current flows later than 1 s after the last valid CurrentDemandReq",
        "a car that hangs is overcharged", Check::Lasts(OFF, |view| {
            let last = view.facts.demanded.max(view.facts.power_on);
            // A stage that does not obey is E16's.
            let is_late = last.is_some_and(|last| view.now.since(last) > ms(1_000));
            view.truth.current_ma > 1_000 && is_late && view.bench.is_stage_sound()
        })),
    rule("E7", Side::Charger, "below 5 A within 150 ms of the pilot leaving C and D",
        "a plug that comes out under load: an arc", Check::Lasts(BLOCKED, |view| {
            view.gives(5_000) && !view.truth.level.is_ready() && view.knows(Side::Charger, Sensor::Pilot)
        })),
    rule("E8", Side::Charger, "output contactors open within 300 ms of the pilot leaving C and D",
        "voltage on an open plug", Check::Lasts(OFF, |view| {
            view.is_connected() && !view.truth.level.is_ready() && view.knows(Side::Charger, Sensor::Pilot)
        })),
    rule("E9", Side::Charger, "off within 300 ms of the emergency stop",
        "a person in danger", Check::Lasts(OFF, |view| {
            view.is_live() && view.is_stop_pressed(Side::Charger)
        })),
    rule("E10", Side::Charger, "off within 500 ms without new readings",
        "blind charging", Check::Lasts(ms(300 + STALE_MS), |view| {
            view.is_live() && view.bench.silent_since(Side::Charger).is_some()
        })),
    rule("E11", Side::Charger, "off 60 s after the last request",
        "a car that is gone with its output live", Check::Lasts(OFF, |view| {
            view.is_live() && view.facts.heard.is_some_and(|heard| view.now.since(heard) > Duration::from_secs(60))
        })),
    rule("E12", Side::Charger, "output contactors open below 1 A, or 100 ms after 0 A was demanded",
        "contacts weld", Check::Happens(|view, what| {
            is_opening_under_load(what, Side::Charger)
                && view.memory.zero_since.is_none_or(|since| view.now.since(since) < ms(90))
                && !view.is_within(view.memory.heartbeat, ms(100))
        })),
    rule("E13", Side::Charger, "the charger unlocks only with its contactors open and below 60 V",
        "live pins in somebody's hand", Check::Happens(|view, what| is_live_unlock(view, what, Side::Charger))),
    rule("E14", Side::Charger, "more than 2 A end within 300 ms of the isolation monitor's word",
        "a second fault becomes a shock", Check::Lasts(OFF, |view| {
            let is_bad = view.bench.isolation_shown() == evse_fsm::Isolation::Fault;
            view.gives(2_500) && is_bad && view.knows(Side::Charger, Sensor::Isolation)
        })),
    rule("E15", Side::Charger, "off when the session is over",
        "voltage without anybody who watches it", Check::Lasts(OFF, |view| view.is_live() && view.has_ended())),
    rule("E16", Side::Charger, "a current of 15 A and 10 % more than is demanded of the power stage ends within 3.5 s",
        "a power stage that runs away, or does not stop: the battery is overcharged", Check::Lasts(ms(3_500), |view| {
            let demanded = view.demand.supply.current_ma;
            view.is_connected() && view.truth.current_ma > demanded + 15_000 + demanded / 10
        })),
    rule("E17", Side::Charger, "off within 300 ms of losing its own lock, or the plug by the proximity wire",
        "a plug that comes out under load: an arc", Check::Lasts(OFF, |view| {
            let is_unlocked = !view.truth.charger_locked && view.knows(Side::Charger, Sensor::Lock);
            view.is_live() && (is_unlocked || view.misses_plug(Side::Charger))
        })),
    rule("E18", Side::Charger, "never more current is demanded for longer than 300 ms than the car asked for last, or 2 A before it did",
        "the battery is overcharged", Check::Lasts(OFF, |view| {
            let most_ma = view.facts.asked_ma.max(session::CURRENT_BEFORE_POWER_MA);
            view.demand.supply.current_ma > most_ma && !view.has_ended()
        })),
    rule("E19", Side::Charger, "off within 500 ms without one of the readings that it needs",
        "blind charging", Check::Lasts(ms(300 + STALE_MS), |view| {
            view.is_live() && view.bench.lacks(Side::Charger, NEEDED)
        })),
    rule("E20", Side::Charger, "behind an emergency stop output contactors close only when it was reset or the plug was out",
        "charging again before anybody has looked", Check::Happens(|view, what| {
            closing(what, Side::Charger).is_some() && view.memory.of(Side::Charger).is_halted
        })),
    rule("P1", Side::Car, "contactors close only with at most 20 V between inlet and battery",
        "inrush welds them", Check::Happens(|view, what| {
            let has_battery = view.bench.load().as_battery().is_some();
            let is_apart = closing(what, Side::Car).is_some_and(|(_, difference_mv)| difference_mv > NEAR_MV);
            has_battery && is_apart && !view.is_within(view.memory.near_at, TOLD)
        })),
    rule("P2", Side::Car, "contactors close only after a finished cable check with isolation Valid or Warning",
        "the battery on a cable with a fault to earth", Check::Happens(|view, what| {
            closing(what, Side::Car).is_some() && !view.is_within(view.memory.valid_at, TOLD)
        })),
    rule("P3", Side::Car, "contactors close only behind a locked plug",
        "a plug that comes out under load: an arc", Check::Happens(|view, what| {
            closing(what, Side::Car).is_some() && view.memory.unlocked_since.is_some_and(|since| view.now.since(since) > TOLD)
        })),
    rule("P4", Side::Car, "contactors open below 1 A, or 2 s after pilot B as a recorded emergency",
        "contacts weld", Check::Happens(|view, what| {
            is_opening_under_load(what, Side::Car)
                && !view.facts.emergency_opening
                && view.memory.b_since.is_none_or(|since| view.now.since(since) < ms(1_900))
                && !view.is_within(view.memory.heartbeat, ms(100))
        })),
    rule("P5", Side::Car, "the car unlocks only with its contactors open and below 60 V",
        "live pins in somebody's hand", Check::Happens(|view, what| is_live_unlock(view, what, Side::Car))),
    rule("P6", Side::Car, "pilot B within 150 ms of losing 5 %, or the plug by the proximity wire, or of the emergency stop",
        "the charger does not know that it has to stop", Check::Lasts(LEAVES, |view| {
            view.car.level.is_ready() && view.must_car_stop()
        })),
    rule("P7", Side::Car, "contactors open within 2.3 s of losing 5 %, or the plug by the proximity wire, or of the emergency stop",
        "the battery on an open plug", Check::Lasts(CAR_OFF, |view| view.is_car_connected() && view.must_car_stop())),
    rule("P8", Side::Car, "pilot B within 350 ms without new readings",
        "blind charging", Check::Lasts(ms(150 + STALE_MS), |view| {
            view.car.level.is_ready() && view.bench.silent_since(Side::Car).is_some()
        })),
    rule("P9", Side::Car, "contactors open within 2.5 s without new readings",
        "blind charging", Check::Lasts(ms(2_300 + STALE_MS), |view| {
            view.is_car_connected() && view.bench.silent_since(Side::Car).is_some()
        })),
    rule("P10", Side::Car, "pilot C or D only after finished ChargeParameterDiscovery",
        "a charger that goes by the pilot alone energises", Check::Lasts(LEAVES, |view| {
            view.car.level.is_ready() && !view.facts.parameters && !view.facts.had_parameters
        })),
    rule("P11", Side::Car, "contactors open within 2.3 s of the session's end",
        "the battery on a cable that nobody watches", Check::Lasts(CAR_OFF, |view| {
            view.is_car_connected() && view.has_ended()
        })),
    rule("P12", Side::Car, "contactors open within 2.3 s of losing the lock",
        "a plug that comes out under load: an arc", Check::Lasts(CAR_OFF, |view| {
            view.is_car_connected() && !view.truth.car_locked && view.knows(Side::Car, Sensor::Lock)
        })),
    rule("P13", Side::Car, "pilot B within 5 s of a current of 15 A more than it asked for",
        "a charger that does not follow downward: the battery is overcharged", Check::Lasts(ms(5_000), |view| {
            view.car.level.is_ready() && view.truth.current_ma > view.facts.asked_ma.saturating_add(15_000)
        })),
    rule("P14", Side::Car, "pilot B within 10.5 s of the charger's last answer, while power is granted",
        "a charger that hangs gives current that nobody controls", Check::Lasts(LEAVES, |view| {
            let is_unanswered = |since| view.now.since(since) > UNANSWERED;
            let granted = view.facts.power_on.and(view.facts.answered);
            let has_asked = view.facts.heard > view.facts.answered;
            view.car.level.is_ready() && has_asked && granted.is_some_and(is_unanswered)
        })),
    rule("P15", Side::Car, "pilot B within 350 ms without one of the readings that it needs",
        "blind charging", Check::Lasts(ms(150 + STALE_MS), |view| {
            view.car.level.is_ready() && view.bench.lacks(Side::Car, CAR_NEEDED)
        })),
    rule("P16", Side::Car, "pilot B within 1.2 s of the battery's last word",
        "a battery that nobody watches is overcharged", Check::Lasts(ms(1_200), |view| {
            view.car.level.is_ready() && view.bench.lacks(Side::Car, &[Sensor::Battery])
        })),
    rule("P17", Side::Car, "contactors close only onto a voltage that has moved by at most 10 V in 150 ms",
        "it is elsewhere when the contacts meet: inrush welds them", Check::Happens(|view, what| {
            let has_battery = view.bench.load().as_battery().is_some();
            has_battery && closing(what, Side::Car).is_some() && !view.is_within(view.memory.settled_at, TOLD)
        })),
    rule("P18", Side::Car, "behind the car's emergency stop its contactors close only when it was reset",
        "charging again before anybody has looked", Check::Happens(|view, what| {
            closing(what, Side::Car).is_some() && view.memory.of(Side::Car).is_halted
        })),
];

/// If a side's contactors closed as they were to: voltage on the conductors - the lower of that at the command and that
/// at the contacts - and voltage between the contacts, in mV.
fn closing(what: &Occurrence, of: Side) -> Option<(i32, i32)> {
    let Occurrence::Closed { side, told_mv, voltage_mv, difference_mv, is_commanded: true } = what else {
        return None;
    };
    (*side == of).then_some((told_mv.abs().min(voltage_mv.abs()), *difference_mv))
}

/// It is judged by the current at the command, and by that at the contacts: either may be below 1 A.
fn is_opening_under_load(what: &Occurrence, of: Side) -> bool {
    let Occurrence::Opened { side, told_ma, current_ma, is_commanded: true } = what else { return false };
    *side == of && *told_ma >= 1_000 && *current_ma >= 1_000
}

/// It is judged by what was there when it was told to: a reading ago.
fn is_live_unlock(view: &View<'_>, what: &Occurrence, of: Side) -> bool {
    let Occurrence::Lock { side, is_locked: false, voltage_mv, was_closed, by_fault: false } = what else {
        return false;
    };
    let is_live = *was_closed || voltage_mv.abs() >= session::DEAD_MV;
    *side == of && is_live && !view.is_within(view.memory.of(of).calm_at, TOLD)
}

impl View<'_> {
    /// The charger's contactors are closed, and could open.
    fn is_connected(&self) -> bool {
        self.truth.charger_closed && !self.bench.is_welded(Side::Charger)
    }

    /// The car's contactors are closed, and could open.
    fn is_car_connected(&self) -> bool {
        self.truth.car_closed && !self.bench.is_welded(Side::Car)
    }

    /// So much current flows. A charger whose stage does not obey and whose contactors are welded has nothing left to
    /// stop it with: that is the car's then.
    fn gives(&self, ma: i32) -> bool {
        let is_helpless = self.bench.is_welded(Side::Charger) && !self.bench.is_stage_sound();
        self.truth.current_ma >= ma && !is_helpless
    }

    fn is_live(&self) -> bool {
        self.is_connected() || self.gives(5_000)
    }

    /// Pilot C or D was there a moment ago: what contactors that close now were commanded by.
    fn was_ready(&self) -> bool {
        self.is_within(self.memory.ready_at, ms(150))
    }

    /// No session is there, or it has just ended.
    fn has_ended(&self) -> bool {
        self.facts.heard.is_none()
    }

    fn must_car_stop(&self) -> bool {
        let is_offered = matches!(self.truth.pilot_at_car, Some(Output::Pwm(30..=70)));
        let is_lost = !is_offered && self.knows(Side::Car, Sensor::Duty);
        is_lost || self.misses_plug(Side::Car) || self.is_stop_pressed(Side::Car)
    }

    /// The proximity wire shows no plug, and the side can know.
    fn misses_plug(&self, side: Side) -> bool {
        !self.bench.proximity().is_plugged() && self.knows(side, Sensor::Proximity)
    }

    /// The emergency stop of a side is pressed, and the side can know.
    fn is_stop_pressed(&self, side: Side) -> bool {
        self.bench.stopped_since(side).is_some() && self.knows(side, Sensor::EmergencyStop)
    }

    /// A side has readings of this: without, the rules about that are its rules.
    fn knows(&self, side: Side, sensor: Sensor) -> bool {
        self.bench.silent_since(side).is_none() && !self.bench.lacks(side, &[sensor])
    }

    fn is_within(&self, since: Option<machine::Instant>, time: Duration) -> bool {
        since.is_some_and(|since| self.now.since(since) <= time)
    }
}
