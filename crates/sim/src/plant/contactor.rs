use std::collections::VecDeque;

use machine::{Duration, Instant};

/// Properties of a pair of contactors.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ContactorProfile {
    /// From the coil's current to closed contacts.
    pub closing: Duration,
    /// From the end of the coil's current to open contacts.
    pub opening: Duration,
    /// How often the contacts part again after they met.
    pub bounces: u8,
}

impl Default for ContactorProfile {
    /// For contactors of this current: 30 ms, 15 ms, one bounce; judgement.
    fn default() -> Self {
        Self { closing: Duration::from_millis(30), opening: Duration::from_millis(15), bounces: 1 }
    }
}

/// A fault of contactors.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ContactorFault {
    /// No fault.
    #[default]
    Sound,
    /// The contacts are welded: closed until they are repaired.
    Welded,
    /// The contacts fall open and do not close.
    StuckOpen,
}

/// A pair of contactors with its feedback, which follows the contacts, not the coil.
#[derive(Clone, Debug)]
pub struct Contactor {
    profile: ContactorProfile,
    fault: ContactorFault,
    is_commanded: bool,
    is_closed: bool,
    /// How often the contacts have met since the coil was switched on.
    meetings: u8,
    /// Movements to come.
    moves: VecDeque<(Instant, bool)>,
}

/// Time between two movements of bouncing contacts: judgement.
const BOUNCE: Duration = Duration::from_millis(1);

impl Contactor {
    /// Open contactors.
    pub const fn new(profile: ContactorProfile) -> Self {
        let fault = ContactorFault::Sound;
        Self { profile, fault, is_commanded: false, is_closed: false, meetings: 0, moves: VecDeque::new() }
    }

    /// Whether the contacts are closed.
    pub const fn is_closed(&self) -> bool {
        self.is_closed
    }

    /// Whether the contacts follow the coil, and did not only bounce there.
    pub(super) const fn is_as_commanded(&self) -> bool {
        self.is_closed == self.is_commanded && self.meetings < 2
    }

    /// The present fault.
    pub const fn fault(&self) -> ContactorFault {
        self.fault
    }

    /// Switches the coil; returns whether that is a change.
    pub fn command(&mut self, now: Instant, close: bool) -> bool {
        if close == self.is_commanded {
            return false;
        }
        self.is_commanded = close;
        self.meetings = 0;
        self.moves.clear();
        if self.fault != ContactorFault::Sound {
            return true;
        }
        if !close {
            self.moves.push_back((now + self.profile.opening, false));
            return true;
        }
        let mut at = now + self.profile.closing;
        self.moves.push_back((at, true));
        for _ in 0..self.profile.bounces {
            self.moves.push_back((at + BOUNCE, false));
            at = at + BOUNCE + BOUNCE;
            self.moves.push_back((at, true));
        }
        true
    }

    /// Injects a fault or repairs it.
    pub fn set_fault(&mut self, now: Instant, fault: ContactorFault) {
        self.fault = fault;
        self.moves.clear();
        match fault {
            ContactorFault::Welded => self.is_closed = true,
            ContactorFault::StuckOpen => self.is_closed = false,
            ContactorFault::Sound => self.moves.push_back((now, self.is_commanded)),
        }
    }

    /// When the contacts move next.
    pub(super) fn due(&self) -> Option<Instant> {
        self.moves.front().map(|(at, _)| *at)
    }

    /// Moves the contacts if they are due at `now`; returns the new position if it has changed.
    pub(super) fn step(&mut self, now: Instant) -> Option<bool> {
        self.due().filter(|at| *at <= now)?;
        let (_, closed) = self.moves.pop_front()?;
        let before = std::mem::replace(&mut self.is_closed, closed);
        self.meetings = self.meetings.saturating_add(u8::from(closed));
        (before != closed).then_some(closed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(millis: u64) -> Instant {
        Instant::from_millis(millis)
    }

    /// Every movement of the contacts up to `millis`, with its time in ms.
    fn moves(contactor: &mut Contactor, millis: u64) -> Vec<(u64, bool)> {
        let mut seen = Vec::new();
        while let Some(due) = contactor.due().filter(|due| *due <= at(millis)) {
            seen.extend(contactor.step(due).map(|closed| (due.as_millis(), closed)));
        }
        seen
    }

    #[test]
    fn contacts_follow_the_coil_late_and_bounce() {
        let mut contactor = Contactor::new(ContactorProfile::default());
        contactor.command(at(0), true);
        contactor.command(at(10), true);
        assert_eq!(moves(&mut contactor, 29), []);
        assert_eq!(moves(&mut contactor, 99), [(30, true), (31, false), (32, true)]);
        contactor.command(at(100), false);
        assert!(contactor.is_closed());
        assert_eq!(moves(&mut contactor, 200), [(115, false)]);
    }

    #[test]
    fn a_command_that_is_taken_back_in_time_moves_nothing() {
        let mut contactor = Contactor::new(ContactorProfile::default());
        contactor.command(at(0), true);
        contactor.command(at(10), false);
        assert_eq!(moves(&mut contactor, 100), []);
    }

    #[test]
    fn broken_contacts_do_not_follow_until_they_are_mended() {
        let mut contactor = Contactor::new(ContactorProfile::default());
        contactor.set_fault(at(0), ContactorFault::Welded);
        assert!(contactor.is_closed());
        contactor.command(at(0), true);
        contactor.command(at(50), false);
        assert_eq!(moves(&mut contactor, 100), []);
        contactor.set_fault(at(100), ContactorFault::Sound);
        assert_eq!(moves(&mut contactor, 200), [(100, false)]);
        contactor.set_fault(at(200), ContactorFault::StuckOpen);
        contactor.command(at(200), true);
        assert_eq!(moves(&mut contactor, 300), []);
        contactor.set_fault(at(300), ContactorFault::Sound);
        assert_eq!(moves(&mut contactor, 300), [(300, true)]);
    }
}
