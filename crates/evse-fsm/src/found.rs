//! A fault with the values that show it.

use session::{Cause, Compared};

/// Why a session ends, with the values that were compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Found {
    pub(crate) cause: Cause,
    pub(crate) compared: Option<Compared>,
}

impl Found {
    /// `cause`, with this value compared against that limit.
    pub(crate) const fn by(cause: Cause, compared: Compared) -> Self {
        Self { cause, compared: Some(compared) }
    }
}

impl From<Cause> for Found {
    fn from(cause: Cause) -> Self {
        Self { cause, compared: None }
    }
}

/// Two voltages in mV.
pub(crate) const fn volts(what: &'static str, found: i32, against: &'static str, limit: i32) -> Compared {
    Compared { what, found, against, limit, unit: "V" }
}

/// Two currents in mA.
pub(crate) const fn amperes(what: &'static str, found: i32, against: &'static str, limit: i32) -> Compared {
    Compared { what, found, against, limit, unit: "A" }
}
