//! A fault that ends the use of the inlet: shared by supervision, policy and the car's stops.

use session::{By, Cause, Compared, Latch};

/// A fault that ends the use of the inlet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Trouble {
    /// The side that caused it.
    pub(crate) by: By,
    pub(crate) cause: Cause,
    pub(crate) compared: Option<Compared>,
    /// The latch that blocks the next session, if any.
    pub(crate) latch: Option<Latch>,
}

impl Trouble {
    pub(crate) const fn new(by: By, cause: Cause) -> Self {
        Self { by, cause, compared: None, latch: None }
    }

    pub(crate) const fn latched(self, latch: Latch) -> Self {
        Self { latch: Some(latch), ..self }
    }

    pub(crate) const fn compared(self, compared: Compared) -> Self {
        Self { compared: Some(compared), ..self }
    }
}
