//! What is physical, behind one trait.

use std::borrow::Cow;
use std::os::fd::BorrowedFd;
use std::time::Duration;

use machine::Instant;

use crate::Error;

/// The physical side of a role: drives what the role demands and reads the sensors.
///
/// A back end that moves real power has a heartbeat of its own: when neither [`apply`](Self::apply) nor
/// [`read`](Self::read) came for that time, its hardware goes to SAFE by itself, because a program can stop
/// at any instruction. It stays SAFE until a demand came that is not energised: a program that comes back
/// demands for a moment what it demanded before.
///
/// The loop calls `read` and `apply` in every turn, so they must not block: [`Threaded`](crate::Threaded)
/// runs a back end that does. What only exists in numbers implements [`SimulatedBackend`] instead.
pub trait PlantBackend {
    /// What is demanded: a level, applied again and again.
    type Demand;
    /// What is read: a snapshot.
    type Reading;

    /// Drives what is demanded.
    ///
    /// # Errors
    /// The hardware cannot follow, or can no longer be trusted to. The loop then runs
    /// [`make_safe`](Self::make_safe) and demands SAFE until [`read`](Self::read) succeeds again.
    fn apply(&mut self, now: Instant, demand: &Self::Demand) -> Result<(), PlantFault>;

    /// Reads all sensors. A sensor that does not answer is absent in the snapshot, never zero.
    ///
    /// # Errors
    /// As [`apply`](Self::apply): the back end failed or is degraded. The role gets an empty snapshot then.
    fn read(&mut self, now: Instant) -> Result<Self::Reading, PlantFault>;

    /// Runs the sequence to SAFE and returns when it is done. It must not fail, and is safe to repeat.
    fn make_safe(&mut self, now: Instant);

    /// After what time without a sign of life the hardware goes to SAFE by itself.
    fn heartbeat(&self) -> Heartbeat;

    /// What wakes the loop when a sensor changed: readable from then on until [`read`](Self::read). Without
    /// it the loop reads every 10 ms.
    fn wakes(&self) -> Option<BorrowedFd<'_>> {
        None
    }
}

/// Why a back end cannot be trusted now, in words: what failed and what to look at.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct PlantFault(pub Cow<'static, str>);

/// A back end's promise: what its hardware does when this program stops.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Heartbeat {
    /// Goes to SAFE by itself after this time without a sign of life.
    Within(Duration),
    /// Stays as it is. A [`Runner`](crate::Runner) refuses it.
    Absent,
    /// There is no hardware: only [`Simulated`] can say so.
    Simulated(NothingReal),
}

/// Only a [`Simulated`] has one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NothingReal(());

impl Heartbeat {
    /// The longest that is accepted: a car with closed contactors must not stay on a dead program
    /// (docs/ARCHITECTURE.md, the physical side).
    pub const LONGEST: Duration = Duration::from_millis(500);

    /// Whether a role may run with it.
    ///
    /// # Errors
    /// [`Error::NoHeartbeat`], [`Error::SlowHeartbeat`].
    pub fn check(self) -> Result<(), Error> {
        match self {
            Self::Simulated(_) => Ok(()),
            Self::Within(time) if time <= Self::LONGEST => Ok(()),
            Self::Within(time) => Err(Error::SlowHeartbeat(time)),
            Self::Absent => Err(Error::NoHeartbeat),
        }
    }
}

/// A plant that exists in numbers only, and cannot fail. [`Simulated`] makes a [`PlantBackend`] of it.
pub trait SimulatedBackend {
    /// As [`PlantBackend::Demand`].
    type Demand;
    /// As [`PlantBackend::Reading`].
    type Reading;

    /// As [`PlantBackend::apply`].
    fn apply(&mut self, now: Instant, demand: &Self::Demand);
    /// As [`PlantBackend::read`].
    fn read(&mut self, now: Instant) -> Self::Reading;
    /// As [`PlantBackend::make_safe`].
    fn make_safe(&mut self, now: Instant);
    /// As [`PlantBackend::wakes`].
    fn wakes(&self) -> Option<BorrowedFd<'_>> {
        None
    }
}

/// A simulated plant as a back end: the only one that needs no heartbeat.
#[derive(Clone, Copy, Debug)]
pub struct Simulated<S>(pub S);

impl<S: SimulatedBackend> PlantBackend for Simulated<S> {
    type Demand = S::Demand;
    type Reading = S::Reading;

    fn apply(&mut self, now: Instant, demand: &S::Demand) -> Result<(), PlantFault> {
        self.0.apply(now, demand);
        Ok(())
    }

    fn read(&mut self, now: Instant) -> Result<S::Reading, PlantFault> {
        Ok(self.0.read(now))
    }

    fn make_safe(&mut self, now: Instant) {
        self.0.make_safe(now);
    }

    fn heartbeat(&self) -> Heartbeat {
        Heartbeat::Simulated(NothingReal(()))
    }

    fn wakes(&self) -> Option<BorrowedFd<'_>> {
        self.0.wakes()
    }
}

/// What a role demands, as far as the loop must know it.
pub trait Demanded: Copy + PartialEq {
    /// Pilot, power, contactors and lock where nothing can happen.
    const SAFE: Self;
    /// Whether energy may flow, or be about to.
    fn is_energised(&self) -> bool;
}

impl Demanded for evse_fsm::Demand {
    const SAFE: Self = Self::SAFE;

    fn is_energised(&self) -> bool {
        Self::is_energised(self)
    }
}

impl Demanded for pev_fsm::Demand {
    const SAFE: Self = Self::SAFE;

    fn is_energised(&self) -> bool {
        Self::is_energised(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_heartbeat_and_a_slow_one_are_refused_with_what_to_wire() {
        let words = Heartbeat::Absent.check().unwrap_err().to_string();
        assert!(words.contains("wire a watchdog") && words.contains("500 ms"), "{words}");
        let slow = Heartbeat::Within(Heartbeat::LONGEST + Duration::from_millis(1));
        assert!(slow.check().unwrap_err().to_string().contains("after 501 ms"));
        assert!(Heartbeat::Within(Heartbeat::LONGEST).check().is_ok());
    }
}
