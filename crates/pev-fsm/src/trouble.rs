//! What ends the use of the inlet, as supervision, policy and the stops of the car share it.

use session::{By, Cause, Compared, Latch};

/// What ends the use of the inlet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Trouble {
    /// Who is to blame.
    pub(crate) by: By,
    pub(crate) cause: Cause,
    pub(crate) compared: Option<Compared>,
    /// What holds the next session off.
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
