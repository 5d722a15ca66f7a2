//! Contacts and the pilot, debounced: one reading does not decide.

use control_pilot::{Level, Output as Pilot, Proximity};
use session::{Cause, Debounce};

use crate::Plant;

/// Largest deviation of the duty cycle from 5 %, in per mille (IEC 61851-1: 3..=7 %).
const DUTY_PERMILLE: u16 = 20;

/// States that count after their debounce time.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Contacts {
    /// The pilot is outside C and D.
    left: Debounce,
    /// The pilot is at A, E or F.
    broken: Debounce,
    duty: Debounce,
    unlocked: Debounce,
    plug: Debounce,
    apart: Debounce,
    seen: Seen,
}

/// The states that have lasted for their debounce time.
#[derive(Clone, Copy, Debug, Default)]
#[allow(clippy::struct_excessive_bools, reason = "each is a fact of its own")]
struct Seen {
    left: bool,
    broken: bool,
    duty: bool,
    unlocked: bool,
    plug: Option<Cause>,
    apart: bool,
}

impl Contacts {
    pub(crate) const fn new() -> Self {
        let none = Debounce::new();
        let seen =
            Seen { left: false, broken: false, duty: false, unlocked: false, plug: None, apart: false };
        Self { left: none, broken: none, duty: none, unlocked: none, plug: none, apart: none, seen }
    }

    /// Updates with the newest readings.
    pub(crate) fn take(&mut self, plant: &Plant) {
        let (pilot, contact) = (Debounce::PILOT, Debounce::CONTACT);
        let is_off = |duty: u16| duty.abs_diff(Pilot::DIGITAL_PERMILLE) > DUTY_PERMILLE;
        let is_wrong = self.plug.take(plant.proximity, |proximity| plug_fault(proximity).is_some(), contact);
        self.seen = Seen {
            left: self.left.take(plant.pilot, |level| !level.is_ready(), pilot),
            broken: self.broken.take(plant.pilot, |level| pilot_fault(level).is_some(), pilot),
            duty: self.duty.take(plant.duty_permille, is_off, pilot),
            unlocked: self.unlocked.take(plant.lock, |locked| !locked, contact),
            plug: None,
            apart: self.apart.take(plant.contactors, |closed| !closed, contact),
        };
        // A pilot that has left C shows the same: the wire needs no second reading.
        let counts = is_wrong || self.seen.left && self.plug.is_seen();
        self.seen.plug = plant.proximity.and_then(|reading| plug_fault(reading.value)).filter(|_| counts);
    }

    /// The pilot's level, from the newest reading and the level before: a bounce changes nothing.
    pub(crate) fn level(&self, read: Option<Level>, before: Option<Level>, is_in_use: bool) -> Option<Level> {
        let is_settled = match read {
            Some(Level::A | Level::E | Level::F) => self.seen.broken,
            Some(Level::B) if is_in_use => self.seen.left,
            _ => true,
        };
        if is_settled { read } else { before.or(read) }
    }

    /// Whether the pilot is at A, E or F.
    pub(crate) const fn is_broken(&self) -> bool {
        self.seen.broken
    }

    /// The fault while the output is in use; `is_connected`: the contactors have to be closed.
    pub(crate) fn fault(&self, level: Option<Level>, is_connected: bool) -> Option<Cause> {
        let seen = &self.seen;
        let by_pilot = level.and_then(pilot_fault);
        if seen.left && level.is_some_and(|level| !level.is_ready()) {
            return by_pilot.or(seen.plug).or(Some(Cause::LeftReady));
        }
        let rows = [
            (seen.duty, Cause::PilotLost),
            (seen.unlocked, Cause::Lock),
            (is_connected && seen.apart, Cause::Contactor),
        ];
        let contact = rows.into_iter().find(|(is_wrong, _)| *is_wrong).map(|(_, cause)| cause);
        contact.or(seen.plug.map(|plug| by_pilot.unwrap_or(plug)))
    }
}

/// The fault of a pilot level other than B, C and D.
pub(crate) const fn pilot_fault(level: Level) -> Option<Cause> {
    match level {
        Level::A => Some(Cause::Unplugged),
        Level::E | Level::F => Some(Cause::PilotFault),
        _ => None,
    }
}

/// The fault of a proximity wire that does not show an inserted and latched plug. No plug contradicts a pilot
/// that shows one: the pilot decides whether the plug is out.
pub(crate) const fn plug_fault(proximity: Proximity) -> Option<Cause> {
    match proximity {
        Proximity::Pressed => Some(Cause::Released),
        Proximity::Absent | Proximity::Unknown => Some(Cause::ProximityFault),
        Proximity::Cable { .. } | Proximity::Latched => None,
    }
}

#[cfg(test)]
mod tests {
    use machine::Instant;
    use session::Reading;

    use super::*;

    /// The result of these readings, one every 10 ms.
    fn found(plants: &[Plant], count: u64) -> Option<Cause> {
        let mut contacts = Contacts::new();
        let mut level = None;
        let reads = plants.iter().cycle().zip(0..count);
        for (plant, index) in reads {
            let at = Instant::from_millis(index * 10);
            let stamp = |level: Reading<Level>| Reading::new(level.value, at);
            let plant = Plant {
                pilot: plant.pilot.map(stamp),
                proximity: plant.proximity.map(|proximity| Reading::new(proximity.value, at)),
                lock: plant.lock.map(|lock| Reading::new(lock.value, at)),
                contactors: plant.contactors.map(|contactors| Reading::new(contactors.value, at)),
                duty_permille: plant.duty_permille.map(|duty| Reading::new(duty.value, at)),
                ..Plant::default()
            };
            contacts.take(&plant);
            level = contacts.level(plant.pilot.map(|pilot| pilot.value), level, true);
        }
        contacts.fault(level, true)
    }

    fn pilot(level: Level) -> Plant {
        Plant { pilot: Some(Reading::new(level, Instant::ZERO)), ..Plant::default() }
    }

    #[test]
    fn the_pilot_counts_after_30_ms_and_contacts_after_50() {
        let read = |value| Some(Reading::new(value, Instant::ZERO));
        let proximity =
            |value| Plant { proximity: Some(Reading::new(value, Instant::ZERO)), ..Plant::default() };
        let cases = [
            (pilot(Level::A), 30, Cause::Unplugged),
            (pilot(Level::B), 30, Cause::LeftReady),
            (pilot(Level::F), 30, Cause::PilotFault),
            (
                Plant { duty_permille: Some(Reading::new(0, Instant::ZERO)), ..Plant::default() },
                30,
                Cause::PilotLost,
            ),
            (Plant { lock: read(false), ..Plant::default() }, 50, Cause::Lock),
            (Plant { contactors: read(false), ..Plant::default() }, 50, Cause::Contactor),
            (proximity(Proximity::Absent), 50, Cause::ProximityFault),
            (proximity(Proximity::Pressed), 50, Cause::Released),
            (proximity(Proximity::Unknown), 50, Cause::ProximityFault),
        ];
        for (plant, millis, cause) in cases {
            // The first reading is at 0 ms; the level is the one before the bounce.
            assert_eq!(found(&[plant], millis / 10), None, "{cause:?}");
            assert_eq!(found(&[plant], millis / 10 + 1), Some(cause));
        }
    }

    #[test]
    fn a_wire_that_shows_no_plug_is_a_plug_that_is_out_only_where_the_pilot_says_so() {
        for (level, cause) in [
            (Level::C, Cause::ProximityFault),
            (Level::B, Cause::ProximityFault),
            (Level::A, Cause::Unplugged),
        ] {
            let at = |ms, level| Plant {
                proximity: Some(Reading::new(Proximity::Absent, Instant::from_millis(ms))),
                pilot: Some(Reading::new(level, Instant::from_millis(ms))),
                ..Plant::default()
            };
            let mut contacts = Contacts::new();
            // The proximity wire opens first when the plug is removed.
            for (ms, level) in [(0, Level::C), (40, Level::C), (50, level)] {
                contacts.take(&at(ms, level));
            }
            assert_eq!(contacts.fault(Some(level), true), Some(cause), "{level:?}");
        }
    }

    #[test]
    fn a_pilot_that_flickers_between_levels_outside_c_and_d_has_left_them() {
        let cause = found(&[pilot(Level::B), pilot(Level::A)], 8);
        assert!(cause.is_some());
        assert_eq!(found(&[pilot(Level::A), pilot(Level::C), pilot(Level::A)], 30), None, "it bounces");
    }
}
