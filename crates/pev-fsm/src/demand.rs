use control_pilot::Level;
use session::{Contactors, Lock};

/// The levels that the car requires of its plant, to be applied after each call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Demand {
    /// The pilot state that the car sets: B, or C while it is ready for energy.
    pub pilot: Level,
    /// The contactors between inlet and battery.
    pub contactors: Contactors,
    /// The connector lock. Released only while the inlet is known to be dead.
    pub lock: Lock,
}

impl Demand {
    /// The safe state after the current has ended: pilot B, contactors open, lock held.
    pub const SAFE: Self = Self { pilot: Level::B, contactors: Contactors::Open, lock: Lock::Held };

    /// Whether energy may flow: pilot C or contactors closed.
    pub fn is_energised(&self) -> bool {
        self.contactors == Contactors::Closed || self.pilot != Level::B
    }
}
