//! The charger's rules.

use machine::Duration;

use super::{
    Check, HEARTBEAT, NEVER, Rule, STALE_MS, TOLD, acts_in_doubt, closing, is_live_unlock,
    is_opening_under_load, most_ma, ms, rule,
};
use crate::plant::{Sensor, Side};

/// Sensors are read every 50 ms, blocking the stage takes 20 ms, and the charger's contactors follow 100 ms
/// later and need 15 ms: together 185 ms. The rules below permit 300.
const OFF: Duration = ms(300);
/// After a reading and the blocking the current is below 5 A: 70 ms; 100 are permitted (IEC 61851-23, from
/// memory).
const BLOCKED: Duration = ms(100);
/// A stage that does not follow is disconnected 100 ms after the reading.
const CUT_OFF: Duration = ms(150);

/// Sensors that a charger reads while its output is live: all that have answered once.
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

/// All rules of the charger.
#[rustfmt::skip] // a table reads best with one row a line
pub(super) const RULES: &[Rule] = &[
    rule("E1", Side::Charger, "output contactors close only at pilot C or D, from the first CableCheckReq on",
        "voltage on a cable without a request of a car", Check::Happens(|view, what| {
            let is_ready = view.was_ready() || view.is_deceived(Side::Charger, Sensor::Pilot);
            let may = view.is_within(view.memory.checked_at, TOLD) && is_ready;
            closing(what, Side::Charger).is_some() && !may
        })),
    rule("E2", Side::Charger, "output contactors close only onto a cable below 60 V",
        "a welded contactor in the car: its battery discharges into the power stage", Check::Happens(|view, what| {
            let is_live = closing(what, Side::Charger).is_some_and(|(voltage_mv, _)| voltage_mv >= session::DEAD_MV);
            is_live && !view.is_deceived(Side::Charger, Sensor::Voltage) && !view.is_within(view.memory.dead_at, TOLD)
        })),
    rule("E3", Side::Charger, "never more voltage is demanded than the limits of car and charger allow",
        "insulation of car or charger breaks down", Check::Lasts(NEVER, |view| {
            view.demand.supply.voltage_mv > view.most_mv() && !view.has_ended()
        })),
    rule("E4", Side::Charger, "over-voltage on the cable is off within 600 ms",
        "the same, by a broken power stage", Check::Lasts(ms(600), |view| {
            let is_over = view.truth.cable_mv > view.most_mv() / 100 * 101 + 5_000 + view.error(view.most_mv());
            view.is_connected() && is_over && !view.has_ended() && !view.is_deceived(Side::Charger, Sensor::Voltage)
        })),
    rule("E5", Side::Charger, "more than 2 A, with 1 A for the sensor's error, flow only between PowerDelivery(true) and the end of power, or for 300 ms",
        "an arc at contactors that still move; charging that was not granted", Check::Lasts(OFF, |view| {
            let may_flow = view.facts.power_on.is_some() || view.is_within(view.facts.power_off, ms(1_600));
            view.gives(3_000) && !may_flow && !view.is_deceived(Side::Charger, Sensor::Current)
        })),
    rule("E6", Side::Charger, "no current flows later than 1 s after the last valid CurrentDemandReq",
        "a car that hangs is overcharged", Check::Lasts(OFF, |view| {
            let last = view.facts.demanded.max(view.facts.power_on);
            // E16 covers a stage that does not follow.
            let is_late = last.is_some_and(|last| view.now.since(last) > ms(1_000));
            view.truth.current_ma > 1_000 && is_late && view.bench.is_stage_sound()
        })),
    rule("E7", Side::Charger, "below 5 A within 100 ms of the pilot leaving C and D",
        "a plug that comes out under load: an arc", Check::Lasts(BLOCKED, |view| {
            view.gives(5_000) && view.bench.is_stage_sound() && !view.truth.level.is_ready() && view.knows(Side::Charger, Sensor::Pilot)
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
        "an output that stays live without a car", Check::Lasts(OFF, |view| {
            view.is_live() && view.facts.heard.is_some_and(|heard| view.now.since(heard) > Duration::from_secs(60))
        })),
    rule("E12", Side::Charger, "output contactors open below 1 A, or 100 ms after 0 A was demanded",
        "contacts weld", Check::Happens(|view, what| {
            is_opening_under_load(view, what, Side::Charger)
                && view.memory.zero_since.is_none_or(|since| view.now.since(since) < ms(90))
                && !view.is_within(view.memory.heartbeat, ms(100))
        })),
    rule("E13", Side::Charger, "the charger unlocks only with its contactors open and below 60 V",
        "live pins in a hand", Check::Happens(|view, what| is_live_unlock(view, what, Side::Charger))),
    rule("E14", Side::Charger, "more than 2 A end within 300 ms of the isolation monitor's Fault",
        "a second fault becomes a shock", Check::Lasts(OFF, |view| {
            let is_bad = view.bench.isolation_shown() == evse_fsm::Isolation::Fault;
            view.gives(2_500) && is_bad && view.knows(Side::Charger, Sensor::Isolation)
        })),
    rule("E15", Side::Charger, "off when the session is over",
        "voltage that is not supervised", Check::Lasts(OFF, |view| view.is_live() && view.has_ended())),
    rule("E16", Side::Charger, "a current that is more than its regulation may be above the demand, and 1 A or 1 %, ends within 3.3 s",
        "a power stage that runs away, or does not stop: the battery is overcharged", Check::Lasts(ms(3_300), |view| {
            let most_ma = most_ma(view, view.demand.supply.current_ma) + view.bench.most_ripple_ma();
            view.is_connected() && view.truth.current_ma > most_ma && !view.is_deceived(Side::Charger, Sensor::Current)
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
    rule("E20", Side::Charger, "after an emergency stop output contactors close only when it was reset or the plug was out",
        "charging again before the fault was looked at", Check::Happens(|view, what| {
            closing(what, Side::Charger).is_some() && view.memory.of(Side::Charger).is_halted
        })),
    rule("E21", Side::Charger, "while a stop is under way neither voltage nor current that is demanded rises",
        "a stop that does not bind: the battery is overcharged", Check::Lasts(NEVER, |view| {
            view.memory.stop.is_raised(view.demand.supply)
        })),
    rule("E22", Side::Charger, "what two own voltages contradict each other about for 2 s, or until contactors open, is dead for no one: no contactor closes, no lock opens before a reset",
        "live pins in a hand", Check::Happens(|view, what| acts_in_doubt(view, what, Side::Charger))),
    rule("E23", Side::Charger, "more than 10 A that are demanded and do not come end the session within 17 s",
        "a current that its sensor does not see: contactors open under load", Check::Lasts(ms(17_000), |view| {
            let supply = view.demand.supply;
            let is_below = view.truth.cable_mv < supply.voltage_mv - 25_000;
            // A twentieth of it, 5 A at most, minus the largest error of a sensor.
            let least_ma = ((supply.current_ma / 20).min(5_000) - 1_000).max(900);
            let is_none = supply.current_ma > 10_500 && view.truth.current_ma.abs() < least_ma && is_below;
            is_none && view.knows(Side::Charger, Sensor::Current) && view.knows(Side::Charger, Sensor::Voltage)
        })),
    rule("E24", Side::Charger, "more than 6 A out of the car end within 1.4 s",
        "the car's battery feeds a fault", Check::Lasts(ms(1_400), |view| {
            let is_reverse = view.truth.current_ma < -6_000 && view.is_connected();
            is_reverse && view.knows(Side::Charger, Sensor::Current)
        })),
    rule("E25", Side::Charger, "off within 11 s of the isolation monitor's last measurement, from the test voltage on",
        "a fault to earth that is not seen: a second one becomes a shock", Check::Lasts(ms(11_000), |view| {
            let cable_mv = view.truth.cable_mv;
            let is_at_test = cable_mv > 0 && cable_mv - view.error(cable_mv) >= view.most_mv() - 20_000;
            view.is_live() && (is_at_test || view.facts.is_checked) && view.bench.has_hung_monitor()
        })),
    rule("E26", Side::Charger, "no third try with high voltage after the same electrical fault, before a reset or a new plug",
        "high voltage on a broken cable, again and again", Check::Happens(|view, what| {
            closing(what, Side::Charger).is_some() && view.memory.tries.failed >= 2
        })),
    rule("E27", Side::Charger, "what was reported as latched holds until a reset or a new plug, also when the program starts again",
        "charging again before the fault was looked at", Check::Happens(|view, what| {
            closing(what, Side::Charger).is_some() && view.is_latched(Side::Charger)
        })),
    rule("E28", Side::Charger, "a charge is never ended where sensors are within 1 %, the stage within its tolerance, and nothing is wrong",
        "a protection that stops what is in order is switched off", Check::Lasts(NEVER, |view| {
            let is_open = view.facts.power_on.is_some() && view.memory.zero_since.is_some_and(|zero| view.now.since(zero) > ms(1_000));
            view.is_sound && (view.facts.charger_troubled || is_open && !view.truth.charger_closed)
        })),
    rule("E29", Side::Charger, "below 60 V within 1 s after the plug is pulled, where the cable has a bleeder",
        "live pins in a hand", Check::Lasts(ms(1_000), |view| {
            let is_live = view.truth.cable_mv >= session::DEAD_MV + view.error(session::DEAD_MV);
            let is_pulled = !view.truth.is_plugged && is_live && view.bench.has_bleeder();
            let knows = view.knows(Side::Charger, Sensor::Pilot) && view.knows(Side::Charger, Sensor::Voltage);
            is_pulled && knows && !view.bench.is_welded(Side::Charger) && !view.is_frozen(Side::Charger)
        })),
    rule("E30", Side::Charger, "off within 600 ms of the last sign of life of its program",
        "a program that hangs with its output live", Check::Lasts(ms(100), |view| {
            view.is_live() && view.bench.unheard(Side::Charger) >= HEARTBEAT
        })),
    rule("E31", Side::Charger, "a power stage that does not obey is cut off within 150 ms of the pilot leaving C and D",
        "a plug that comes out under load: an arc", Check::Lasts(CUT_OFF, |view| {
            view.gives(5_000) && !view.truth.level.is_ready() && view.knows(Side::Charger, Sensor::Pilot)
        })),
];
