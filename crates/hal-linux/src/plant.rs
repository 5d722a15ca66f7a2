//! What is physical, behind one trait.

use std::time::Duration;

use machine::Instant;

/// The physical side of a role: drives what the role demands and reads the sensors.
///
/// A back-end that moves real power has a heartbeat of its own: when neither
/// [`apply`](Self::apply) nor [`read`](Self::read) came for that time, its hardware goes to SAFE by itself,
/// for a program can be stopped at any instruction. It stays there until open contactors were demanded once: a
/// program that comes back demands for a moment what it demanded before.
pub trait PlantBackend {
    /// What is demanded: a level, applied again and again.
    type Demand;
    /// What is read: a snapshot.
    type Reading;

    /// Drives what is demanded.
    fn apply(&mut self, now: Instant, demand: &Self::Demand);

    /// Reads all sensors.
    fn read(&mut self, now: Instant) -> Self::Reading;

    /// Runs the sequence to SAFE and returns when it is done: the loop is about to end, whatever the
    /// role demands. It must not fail, and is safe to repeat.
    fn make_safe(&mut self, now: Instant);

    /// After what time without a sign of life the hardware goes to SAFE by itself; `None` when nothing
    /// real is driven.
    fn heartbeat(&self) -> Option<Heartbeat>;
}

/// A back-end's promise.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Heartbeat(pub Duration);

impl Heartbeat {
    /// The longest that is accepted: a car with closed contactors must not stay on a dead program
    /// (docs/ARCHITECTURE.md, the physical side).
    pub const LONGEST: Duration = Duration::from_millis(500);

    /// Whether it is short enough.
    pub fn is_accepted(self) -> bool {
        self.0 <= Self::LONGEST
    }
}
