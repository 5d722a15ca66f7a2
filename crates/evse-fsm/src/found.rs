//! What was found wrong, and the values that say so.

use session::{Cause, Compared};

/// Why the session ends, and what was compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Found {
    pub(crate) cause: Cause,
    pub(crate) compared: Option<Compared>,
}

impl Found {
    /// `cause`, as this value was held against that one.
    pub(crate) const fn by(cause: Cause, compared: Compared) -> Self {
        Self { cause, compared: Some(compared) }
    }
}

impl From<Cause> for Found {
    fn from(cause: Cause) -> Self {
        Self { cause, compared: None }
    }
}

/// A voltage against another, both in mV.
pub(crate) const fn volts(what: &'static str, found: i32, against: &'static str, limit: i32) -> Compared {
    Compared { what, found, against, limit, unit: "V" }
}

/// A current against another, both in mA.
pub(crate) const fn amperes(what: &'static str, found: i32, against: &'static str, limit: i32) -> Compared {
    Compared { what, found, against, limit, unit: "A" }
}
