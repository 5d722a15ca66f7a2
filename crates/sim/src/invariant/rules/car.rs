//! The car's rules.

use machine::Duration;

use super::{
    Check, HEARTBEAT, NEVER, Rule, STALE_MS, TOLD, acts_in_doubt, closing, is_live_unlock,
    is_opening_under_load, most_ma, ms, rule,
};
use crate::invariant::memory::NEAR_MV;
use crate::invariant::view::View;
use crate::plant::{Sensor, Side};

/// Longest time in which a car opens its contactors after it must: 2 s and the time of sensors and contacts.
const CAR_OFF: Duration = ms(2_300);
/// A car leaves pilot C one reading after it must.
const LEAVES: Duration = ms(150);
/// A car waits 5 s for a late response, and again for the next one.
const UNANSWERED: Duration = ms(10_350);

/// Sensors that a car reads at pilot C or D.
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

/// All rules of the car.
#[rustfmt::skip] // a table reads best with one row a line
pub(super) const RULES: &[Rule] = &[
    rule("P1", Side::Car, "contactors close only with at most 20 V between inlet and battery",
        "inrush welds them", Check::Happens(|view, what| {
            let has_battery = view.bench.load().as_battery().is_some();
            let is_apart = closing(what, Side::Car).is_some_and(|(_, difference_mv)| difference_mv > NEAR_MV);
            has_battery && is_apart && knows_voltages(view) && !view.is_within(view.memory.near_at, TOLD)
        })),
    rule("P2", Side::Car, "contactors close only after a finished cable check with isolation Valid or Warning",
        "the battery on a cable with a fault to earth", Check::Happens(|view, what| {
            closing(what, Side::Car).is_some() && !view.is_within(view.memory.valid_at, TOLD)
        })),
    rule("P3", Side::Car, "contactors close only with a locked plug",
        "a plug that comes out under load: an arc", Check::Happens(|view, what| {
            closing(what, Side::Car).is_some() && view.memory.unlocked_since.is_some_and(|since| view.now.since(since) > TOLD)
                && !view.is_deceived(Side::Car, Sensor::Lock)
        })),
    rule("P4", Side::Car, "contactors open below 1 A, or 2 s after pilot B as a recorded emergency",
        "contacts weld", Check::Happens(|view, what| {
            is_opening_under_load(view, what, Side::Car)
                && !view.facts.emergency_opening
                && view.memory.b_since.is_none_or(|since| view.now.since(since) < ms(1_900))
                && !view.is_within(view.memory.heartbeat, ms(100))
        })),
    rule("P5", Side::Car, "the car unlocks only with its contactors open and below 60 V",
        "live pins in a hand", Check::Happens(|view, what| is_live_unlock(view, what, Side::Car))),
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
        "the battery on a cable that is not supervised", Check::Lasts(CAR_OFF, |view| {
            view.is_car_connected() && view.has_ended()
        })),
    rule("P12", Side::Car, "contactors open within 2.3 s of losing the lock",
        "a plug that comes out under load: an arc", Check::Lasts(CAR_OFF, |view| {
            view.is_car_connected() && !view.truth.car_locked && view.knows(Side::Car, Sensor::Lock)
        })),
    rule("P13", Side::Car, "pilot B within 5 s of a current that is more than the charger's regulation may be above what was asked for, and 1 A or 1 %",
        "a charger that does not follow downward: the battery is overcharged", Check::Lasts(ms(5_000), |view| {
            let is_over = view.truth.current_ma > most_ma(view, view.facts.asked_ma);
            view.car.level.is_ready() && is_over && !view.is_deceived(Side::Car, Sensor::Current)
        })),
    rule("P14", Side::Car, "pilot B within 10.5 s of the charger's last answer, while power is granted",
        "a charger that hangs gives current without control", Check::Lasts(LEAVES, |view| {
            let is_unanswered = |since| view.now.since(since) > UNANSWERED;
            let granted = view.facts.power_on.and(view.facts.answered);
            let has_asked = view.facts.heard > view.facts.answered;
            view.car.level.is_ready() && has_asked && granted.is_some_and(is_unanswered)
        })),
    rule("P15", Side::Car, "pilot B within 350 ms without one of the readings that it needs",
        "blind charging", Check::Lasts(ms(150 + STALE_MS), |view| {
            view.car.level.is_ready() && view.bench.lacks(Side::Car, CAR_NEEDED)
        })),
    rule("P16", Side::Car, "pilot B within 1.2 s of the battery's last report",
        "a battery that is not supervised is overcharged", Check::Lasts(ms(1_200), |view| {
            view.car.level.is_ready() && view.bench.lacks(Side::Car, &[Sensor::Battery])
        })),
    rule("P17", Side::Car, "contactors close only onto a voltage that has moved by at most 10 V in 150 ms",
        "it is elsewhere when the contacts meet: inrush welds them", Check::Happens(|view, what| {
            let has_battery = view.bench.load().as_battery().is_some();
            has_battery && closing(what, Side::Car).is_some() && !view.is_within(view.memory.settled_at, TOLD)
                && !view.is_deceived(Side::Car, Sensor::Voltage)
        })),
    rule("P18", Side::Car, "after the car's emergency stop its contactors close only when it was reset",
        "charging again before the fault was looked at", Check::Happens(|view, what| {
            closing(what, Side::Car).is_some() && view.memory.of(Side::Car).is_halted
        })),
    rule("P19", Side::Car, "what two own voltages contradict each other about for 2 s, or until contactors open, is dead for no one: no contactor closes, no lock opens before a reset",
        "live pins in a hand", Check::Happens(|view, what| acts_in_doubt(view, what, Side::Car))),
    rule("P20", Side::Car, "pilot B within 1.4 s of more than 6 A out of the battery",
        "the car's battery feeds a fault", Check::Lasts(ms(1_400), |view| {
            let is_reverse = view.truth.current_ma < -6_000 && view.car.level.is_ready();
            is_reverse && view.knows(Side::Car, Sensor::Current)
        })),
    rule("P21", Side::Car, "what was reported as latched holds until a reset or a new plug, also when the program starts again",
        "charging again before the fault was looked at", Check::Happens(|view, what| {
            closing(what, Side::Car).is_some() && view.is_latched(Side::Car)
        })),
    rule("P22", Side::Car, "a charge is never ended where sensors are within 1 %, the stage within its tolerance, and nothing is wrong",
        "a protection that stops what is in order is switched off", Check::Lasts(NEVER, |view| {
            // A car that goes SAFE leaves pilot C and closes the connection at the same time.
            let has_left = view.facts.power_on.is_some() && !view.car.level.is_ready();
            let was_cut = view.facts.was_cut && !view.memory.was_pulled;
            view.is_sound && (view.facts.car_troubled || was_cut || has_left)
        })),
    rule("P23", Side::Car, "pilot B and open contactors within 600 ms of the last sign of life of its program",
        "a program that hangs with its contactors closed", Check::Lasts(ms(100), |view| {
            let is_on = view.is_car_connected() || view.car.level.is_ready();
            is_on && view.bench.unheard(Side::Car) >= HEARTBEAT
        })),
];

/// Whether the car can detect the voltage between inlet and battery.
fn knows_voltages(view: &View<'_>) -> bool {
    ![Sensor::Voltage, Sensor::Battery].into_iter().any(|sensor| view.is_deceived(Side::Car, sensor))
}
