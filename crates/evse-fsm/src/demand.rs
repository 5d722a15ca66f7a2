use control_pilot::Output;
use session::{Contactors, Lock, Target};

/// The levels that the charger requires of its plant, to be applied after each call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Demand {
    /// The output on the pilot wire.
    pub pilot: Output,
    /// Set point of the power stage: voltage in mV and current limit in mA, never negative.
    pub supply: Target,
    /// The output contactors between power stage and cable.
    pub contactors: Contactors,
    /// The connector lock; without effect for a charger without one.
    pub lock: Lock,
    /// The bleeder across the cable, if one exists ([`Config::bleeder`](crate::Config)): `true` connects it.
    /// Demanded only while nothing is driven and the cable is not known to be below 60 V, for 5 s at most.
    pub discharge: bool,
    /// The isolation monitor's self-test, if it has one: it begins when this becomes `true`. Until it has
    /// ended, report [`SelfTest::Pending`](session::SelfTest).
    pub self_test: bool,
}

impl Demand {
    /// The safe state after the current has ended: pilot steady +12 V, 0 V, 0 A, contactors open, lock held.
    pub const SAFE: Self = Self {
        pilot: Output::Steady,
        supply: Target::ZERO,
        contactors: Contactors::Open,
        lock: Lock::Held,
        discharge: false,
        self_test: false,
    };

    /// Whether any output except the pilot is driven: contactors closed, or a voltage or current set.
    pub fn is_energised(&self) -> bool {
        self.contactors == Contactors::Closed || self.supply != Target::ZERO
    }
}
