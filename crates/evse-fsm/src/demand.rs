use control_pilot::Output;
use session::{Contactors, Lock, Target};

/// What the charger wants of its plant: a level, to be applied after each call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Demand {
    /// What drives the pilot.
    pub pilot: Output,
    /// Set point of the power stage: voltage in mV and current limit in mA, never negative.
    pub supply: Target,
    /// The output contactors between power stage and cable.
    pub contactors: Contactors,
    /// The connector lock, where the charger has one.
    pub lock: Lock,
    /// The bleeder across the cable, where there is one ([`Config::bleeder`](crate::Config)): `true` connects
    /// it. Asked for only while nothing is driven and the cable is not known to be below 60 V, for 5 s at
    /// most.
    pub discharge: bool,
    /// The isolation monitor's self-test, where it has one: it begins when this becomes `true`, and its
    /// result is reported as [`SelfTest::Pending`](session::SelfTest) until it is there.
    pub self_test: bool,
}

impl Demand {
    /// The safe state once the current is gone: pilot steady +12 V, 0 V, 0 A, contactors open, lock held.
    pub const SAFE: Self = Self {
        pilot: Output::Steady,
        supply: Target::ZERO,
        contactors: Contactors::Open,
        lock: Lock::Held,
        discharge: false,
        self_test: false,
    };

    /// Whether anything but the pilot is driven: contactors closed, or a voltage or current set.
    pub fn is_energised(&self) -> bool {
        self.contactors == Contactors::Closed || self.supply != Target::ZERO
    }
}
