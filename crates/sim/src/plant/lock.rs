use machine::{Duration, Instant};

/// A fault of a lock.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum LockFault {
    /// No fault.
    #[default]
    Sound,
    /// It does not close.
    StaysOpen,
    /// It does not open.
    StaysClosed,
    /// It opens without a command.
    SpringsOpen,
}

/// The motor that locks a plug, with its feedback.
#[derive(Clone, Copy, Debug)]
pub struct LockMotor {
    fault: LockFault,
    takes: Duration,
    wants: bool,
    is_locked: bool,
    arrives: Option<Instant>,
}

impl LockMotor {
    /// An open lock that takes this long for either movement.
    pub const fn new(takes: Duration) -> Self {
        Self { fault: LockFault::Sound, takes, wants: false, is_locked: false, arrives: None }
    }

    /// Whether it is locked.
    pub const fn is_locked(&self) -> bool {
        self.is_locked
    }

    /// Whether it is broken.
    pub(super) fn is_broken(&self) -> bool {
        self.fault != LockFault::Sound
    }

    /// Runs the motor to either end. Without a plug the lock does not close.
    pub fn drive(&mut self, now: Instant, lock: bool) {
        if lock == self.wants {
            return;
        }
        self.wants = lock;
        let can = match self.fault {
            LockFault::Sound => true,
            LockFault::StaysOpen | LockFault::SpringsOpen => !lock,
            LockFault::StaysClosed => lock,
        };
        self.arrives = (can && self.is_locked != lock).then_some(now + self.takes);
    }

    /// Injects a fault or repairs it.
    pub fn set_fault(&mut self, now: Instant, fault: LockFault) {
        self.fault = fault;
        self.arrives = match fault {
            LockFault::Sound => (self.is_locked != self.wants).then_some(now + self.takes),
            LockFault::SpringsOpen => self.is_locked.then_some(now),
            LockFault::StaysOpen => self.arrives.filter(|_| !self.wants),
            LockFault::StaysClosed => self.arrives.filter(|_| self.wants),
        };
        if fault == LockFault::SpringsOpen {
            self.wants = false;
        }
    }

    /// The plug is out: the lock opens.
    pub(super) fn release(&mut self) {
        (self.wants, self.is_locked, self.arrives) = (false, false, None);
    }

    pub(super) fn due(&self) -> Option<Instant> {
        self.arrives
    }

    /// Moves it if it is due at `now`; returns the new position if it has changed.
    pub(super) fn step(&mut self, now: Instant) -> Option<bool> {
        self.arrives.filter(|at| *at <= now)?;
        self.arrives = None;
        self.is_locked = self.wants;
        Some(self.is_locked)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(millis: u64) -> Instant {
        Instant::from_millis(millis)
    }

    fn lock(fault: LockFault, was_locked: bool, wants: bool) -> bool {
        let mut lock = LockMotor::new(Duration::from_millis(300));
        if was_locked {
            lock.drive(at(0), true);
            assert_eq!((lock.step(at(299)), lock.step(at(300))), (None, Some(true)));
        }
        lock.set_fault(at(1_000), fault);
        lock.step(at(1_000));
        lock.drive(at(1_000), wants);
        lock.step(at(1_300));
        lock.is_locked()
    }

    #[test]
    fn a_sound_lock_goes_where_it_is_driven() {
        assert!(lock(LockFault::Sound, false, true) && lock(LockFault::Sound, true, true));
        assert!(!lock(LockFault::Sound, true, false) && !lock(LockFault::Sound, false, false));
    }

    #[test]
    fn broken_ones_do_not() {
        assert!(!lock(LockFault::StaysOpen, false, true));
        assert!(lock(LockFault::StaysClosed, true, false));
        assert!(!lock(LockFault::SpringsOpen, true, true));
        assert!(!lock(LockFault::StaysOpen, true, false), "opening is what it still can");
    }
}
