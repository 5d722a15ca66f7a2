//! What rules remember of the past.

mod stop;
mod tries;

use std::collections::VecDeque;

use control_pilot::Level;
use evse_fsm::Contactors;
use machine::{Duration, Instant};
use session::fresh;

use stop::Stop;
use tries::Tries;

use super::{Facts, SIDES, hold};
use crate::plant::{Bench, Occurrence, Sensor, Side};

/// Times at which conditions held last, or since when they hold.
#[derive(Clone, Debug, Default)]
pub(super) struct Memory {
    /// Last time of pilot C or D.
    pub(super) ready_at: Option<Instant>,
    /// Since when the demanded current is 0 A.
    pub(super) zero_since: Option<Instant>,
    /// Since when the car demands pilot B.
    pub(super) b_since: Option<Instant>,
    /// Time at which a heartbeat ran out and the hardware made a side SAFE.
    pub(super) heartbeat: Option<Instant>,
    /// The plug was pulled, which ends a session.
    pub(super) was_pulled: bool,
    /// Last time of a cable check in the session.
    pub(super) checked_at: Option<Instant>,
    /// Last time at which the charger reported a good isolation.
    pub(super) valid_at: Option<Instant>,
    /// Last time with at most 20 V between inlet and battery.
    pub(super) near_at: Option<Instant>,
    /// Last time at which the inlet's voltage had settled.
    pub(super) settled_at: Option<Instant>,
    /// Last time at which the charger's end of the cable was below 60 V.
    pub(super) dead_at: Option<Instant>,
    /// Since when the car's lock is open.
    pub(super) unlocked_since: Option<Instant>,
    /// The stop that is in progress.
    pub(super) stop: Stop,
    /// Failed attempts of the charger with high voltage.
    pub(super) tries: Tries,
    charger: Own,
    car: Own,
    inlet: Past,
}

/// The memory of one side.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Own {
    /// Last time with its contactors open and its conductors below 60 V.
    pub(super) calm_at: Option<Instant>,
    /// Its emergency stop has stopped it, and since then no reset came, nor at a charger an unplugged plug.
    pub(super) is_halted: bool,
    /// It has read two contradicting voltages for 2 s, or until its contactors opened, and no reset came
    /// since.
    pub(super) is_suspect: bool,
    /// Since when it reports a latch, without a reset or an unplugged plug since.
    pub(super) latched_since: Option<Instant>,
    /// Since when its emergency stop is pressed and its sensor can detect that.
    pressed_since: Option<Instant>,
    /// Since when its two voltages contradict each other.
    apart_since: Option<Instant>,
}

/// The inlet's voltage in mV of the last [`SETTLED`].
#[derive(Clone, Debug, Default)]
struct Past(VecDeque<(Instant, i32)>);

/// Largest voltage in mV between inlet and battery when the car's contactors close.
pub(super) const NEAR_MV: i32 = 20_000;
/// A voltage has settled if it moved by at most 10 V in 150 ms: a car that accepts 5 V in 200 ms reads it
/// every 50 ms.
const SETTLED: Duration = Duration::from_millis(150);
const SETTLED_MV: i32 = 10_000;
/// Time between two stored values.
const APART: Duration = Duration::from_millis(5);
/// A button pressed for this time was read at least twice.
const READ: Duration = Duration::from_millis(100);
/// Two voltages that differ for this time when the contactors open were read at least once, even during a
/// stop that opens them within 100 ms.
const DOUBTED: Duration = Duration::from_millis(300);
/// Two voltages that differ for the permitted 2 s were read at least twice.
const CONTRADICTED: Duration = Duration::from_millis(2_100);

impl Memory {
    /// The memory of a side.
    pub(super) const fn of(&self, side: Side) -> &Own {
        match side {
            Side::Charger => &self.charger,
            Side::Car => &self.car,
        }
    }

    pub(super) const fn of_mut(&mut self, side: Side) -> &mut Own {
        match side {
            Side::Charger => &mut self.charger,
            Side::Car => &mut self.car,
        }
    }

    /// Stores the state of a bench at `now`. `facts` are those of charger and car; a frozen program learns
    /// none.
    pub(super) fn keep(&mut self, now: Instant, bench: &Bench, facts: [&Facts; 2], is_frozen: [bool; 2]) {
        let (truth, demand, car) = (bench.truth(), bench.demand(), bench.car_demand());
        let [charger, car_knows] = facts;
        let lasts = [
            (&mut self.zero_since, demand.supply.current_ma == 0),
            (&mut self.b_since, !car.level.is_ready()),
            (&mut self.unlocked_since, !truth.car_locked),
        ];
        for (since, is_so) in lasts {
            hold(since, is_so, now);
        }
        let is_settled = self.inlet.is_settled(now, truth.inlet_mv, truth.car_closed);
        let permille = bench.accuracy().permille;
        let (is_cable_dead, is_inlet_dead) =
            (is_dead(truth.cable_mv, permille), is_dead(truth.inlet_mv, permille));
        let (inlet_mv, battery_mv) = (truth.inlet_mv, truth.battery_mv);
        let near_mv = NEAR_MV + error(inlet_mv, permille) + error(battery_mv, permille);
        let happens = [
            (&mut self.ready_at, truth.level.is_ready()),
            (&mut self.checked_at, charger.cable_check.is_some()),
            (&mut self.valid_at, car_knows.is_checked),
            (&mut self.near_at, (inlet_mv - battery_mv).abs() <= near_mv && !truth.car_closed),
            (&mut self.settled_at, is_settled),
            (&mut self.dead_at, is_cable_dead && !truth.charger_closed),
            (&mut self.charger.calm_at, is_cable_dead && !truth.charger_closed),
            (&mut self.car.calm_at, is_inlet_dead && !truth.car_closed),
        ];
        for (at, _) in happens.into_iter().filter(|(_, is_so)| *is_so) {
            *at = Some(now);
        }
        // Pilot A means that the plug is out, unless the charger's lock holds the plug or the proximity wire
        // shows it.
        let is_gone = truth.level == Level::A && !truth.charger_locked && !bench.proximity().is_plugged();
        let read = bench.read_by_charger();
        // A sensor that is present and silent does not report that the plug is out.
        let may_be = |sensor| bench.has(Side::Charger, sensor);
        let reads_plug = fresh(read.lock, now).unwrap_or(may_be(Sensor::Lock))
            || fresh(read.proximity, now)
                .map_or(may_be(Sensor::Proximity), control_pilot::Proximity::is_plugged);
        // All that the side can read shows an unplugged plug.
        let is_out = is_gone || fresh(read.pilot, now) == Some(Level::A) && !reads_plug;
        for (side, is_frozen) in SIDES.into_iter().zip(is_frozen) {
            let can_see = !is_frozen
                && bench.silent_since(side).is_none()
                && bench.has(side, Sensor::EmergencyStop)
                && !bench.lacks(side, &[Sensor::EmergencyStop])
                && bench.lied(side, Sensor::EmergencyStop).is_none_or(|at| now.since(at) > READ)
                && truth.level.is_plugged();
            let (are_joined, are_apart) = compare(now, bench, side);
            let own = self.of_mut(side);
            let before = own.apart_since;
            let apart = hold(&mut own.apart_since, are_apart && !is_frozen, now);
            let for_long = |since: Option<Instant>, time| since.is_some_and(|since| now.since(since) >= time);
            own.is_suspect |=
                for_long(apart, CONTRADICTED) || !are_joined && !is_frozen && for_long(before, DOUBTED);
            if is_out {
                own.latched_since = None;
            }
            let pressed = hold(&mut own.pressed_since, can_see && bench.stopped_since(side).is_some(), now);
            own.is_halted |= pressed.is_some_and(|since| now.since(since) >= READ);
            own.is_halted &= !is_out || side == Side::Car;
        }
        self.stop.keep(charger, demand.supply);
        self.tries.keep(now, bench, charger.is_checked, is_out);
    }

    /// A side is reset.
    pub(super) fn reset(&mut self, side: Side) {
        let own = self.of_mut(side);
        (own.is_halted, own.is_suspect, own.latched_since) = (false, false, None);
        if side == Side::Charger {
            self.tries = Tries::default();
        }
    }

    /// A side reports a latch.
    pub(super) fn latched(&mut self, side: Side, now: Instant) {
        self.of_mut(side).latched_since.get_or_insert(now);
    }

    /// Records an occurrence of the hardware.
    pub(super) fn note(&mut self, at: Instant, what: &Occurrence) {
        match what {
            Occurrence::Heartbeat(_) => self.heartbeat = Some(at),
            Occurrence::Plug { is_plugged: false, .. } => self.was_pulled = true,
            _ => {}
        }
    }
}

/// Whether a voltage is below 60 V for a sensor of this accuracy.
const fn is_dead(mv: i32, permille: u16) -> bool {
    mv.abs() < session::DEAD_MV + error(session::DEAD_MV, permille)
}

/// Largest error of a sensor of this accuracy, in mV or mA.
pub(super) const fn error(value: i32, permille: u16) -> i32 {
    value.abs() / 1000 * permille as i32
}

/// Whether the closed contactors of a side connect two voltages that it measures, and whether the two
/// readings contradict each other.
fn compare(now: Instant, bench: &Bench, side: Side) -> (bool, bool) {
    let (truth, charger, car) = (bench.truth(), bench.read_by_charger(), bench.read_by_car());
    let is_closed = Contactors::Closed;
    let (one, other, is_one) = match side {
        Side::Charger => {
            let is_one = truth.charger_closed && bench.demand().contactors == is_closed;
            (charger.voltage_mv, charger.stage_mv, is_one)
        }
        Side::Car => {
            let is_one = truth.car_closed && bench.car_demand().contactors == is_closed;
            (car.inlet_mv, car.battery_mv, is_one)
        }
    };
    let both = fresh(one, now).zip(fresh(other, now));
    let are_apart = |(one, other): (i32, i32)| one.abs_diff(other) > session::APART_MV.unsigned_abs();
    (is_one, is_one && both.is_some_and(are_apart))
}

impl Past {
    /// Adds the present voltage; whether all voltages of the last [`SETTLED`] were near each other, with open
    /// contactors.
    fn is_settled(&mut self, now: Instant, mv: i32, is_closed: bool) -> bool {
        let Self(past) = self;
        if is_closed {
            past.clear();
            return false;
        }
        if past.back().is_none_or(|(at, _)| now.since(*at) >= APART) {
            past.push_back((now, mv));
        }
        // Keeps the newest value that is old enough: the window begins with it.
        while past.get(1).is_some_and(|(at, _)| now.since(*at) >= SETTLED) {
            past.pop_front();
        }
        let is_long = past.front().is_some_and(|(at, _)| now.since(*at) >= SETTLED);
        let all = || past.iter().map(|(_, mv)| *mv).chain([mv]);
        is_long && all().max().zip(all().min()).is_some_and(|(most, least)| most - least <= SETTLED_MV)
    }
}
