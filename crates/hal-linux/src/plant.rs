//! The physical side of a role as a trait.

use std::borrow::Cow;
use std::os::fd::BorrowedFd;
use std::time::Duration;

use machine::Instant;

use crate::Error;

/// The physical side of a role: drives the outputs that the role demands, and reads the sensors.
///
/// A back end that moves real power has its own heartbeat: if neither [`apply`](Self::apply) nor
/// [`read`](Self::read) is called within that time, its hardware goes to SAFE automatically, because a
/// program can stop at any instruction. It stays SAFE until a demand that is not energised: a program that
/// resumes first repeats its old demand.
///
/// The loop calls `read` and `apply` in every turn, so neither may block. [`Threaded`](crate::Threaded) runs
/// a back end that blocks. A plant that exists in numbers only implements [`SimulatedBackend`] instead.
pub trait PlantBackend {
    /// The demand: a level, applied in every turn.
    type Demand;
    /// The snapshot of all sensors.
    type Reading;

    /// Drives the outputs as demanded.
    ///
    /// # Errors
    /// The hardware cannot follow, or cannot be trusted any more. The loop then runs
    /// [`make_safe`](Self::make_safe) and demands SAFE until [`read`](Self::read) succeeds again.
    fn apply(&mut self, now: Instant, demand: &Self::Demand) -> Result<(), PlantFault>;

    /// Reads all sensors. A sensor that does not respond is absent in the snapshot, never zero.
    ///
    /// # Errors
    /// As [`apply`](Self::apply): the back end failed or is degraded. The role then receives an empty
    /// snapshot.
    fn read(&mut self, now: Instant) -> Result<Self::Reading, PlantFault>;

    /// Runs the sequence to SAFE and returns when it is done. It cannot fail, and may be called repeatedly.
    fn make_safe(&mut self, now: Instant);

    /// The time without a call after which the hardware goes to SAFE automatically.
    fn heartbeat(&self) -> Heartbeat;

    /// A descriptor that wakes the loop after a sensor changed: readable from then on until the next
    /// [`read`](Self::read). With `None` the loop reads every 10 ms.
    fn wakes(&self) -> Option<BorrowedFd<'_>> {
        None
    }
}

/// Why a back end cannot be trusted at present: what failed and what to check.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct PlantFault(pub Cow<'static, str>);

/// A back end's promise: what its hardware does when this program stops.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Heartbeat {
    /// It goes to SAFE automatically after this time without a call.
    Within(Duration),
    /// It stays in its state. A [`Runner`](crate::Runner) refuses it.
    Absent,
    /// No hardware exists; only [`Simulated`] can construct this.
    Simulated(NothingReal),
}

/// Proof that no hardware exists: only [`Simulated`] has one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NothingReal(());

impl Heartbeat {
    /// The longest time that is accepted: a car with closed contactors must not stay connected to a program
    /// that stopped (docs/ARCHITECTURE.md, the physical side).
    pub const LONGEST: Duration = Duration::from_millis(500);

    /// Checks that a role may run with this heartbeat.
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

/// A plant that exists in numbers only and cannot fail. [`Simulated`] makes it a [`PlantBackend`].
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

/// A simulated plant as a back end: the only one without a heartbeat.
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

/// What the loop needs to distinguish in a role's demand.
pub trait Demanded: Copy + PartialEq {
    /// Pilot, power, contactors and lock without any hazard.
    const SAFE: Self;
    /// Whether energy may flow, or is about to: contactors closed, or voltage or current demanded.
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
