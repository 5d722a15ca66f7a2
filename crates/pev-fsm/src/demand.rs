use control_pilot::Level;
use session::{Contactors, Lock};

/// What the car wants of its plant: a level, to be applied after each call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Demand {
    /// What the car pulls the pilot to: B, or C while it is ready for energy.
    pub pilot: Level,
    /// The contactors between inlet and battery.
    pub contactors: Contactors,
    /// The connector lock. Released only where the inlet is known to be dead.
    pub lock: Lock,
}

impl Demand {
    /// The safe state once the current is gone: pilot B, contactors open, lock held.
    pub const SAFE: Self = Self { pilot: Level::B, contactors: Contactors::Open, lock: Lock::Held };

    /// Whether energy may flow or be about to: pilot C or contactors closed.
    pub fn is_energised(&self) -> bool {
        self.contactors == Contactors::Closed || self.pilot != Level::B
    }
}
