//! Which way a message goes.

/// Who sends to whom.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Direction {
    /// From the car to the charger.
    ToEvse,
    /// From the charger to the car.
    ToPev,
}

impl Direction {
    /// The name that the corpus uses.
    pub fn name(self) -> &'static str {
        match self {
            Self::ToEvse => "pev->evse",
            Self::ToPev => "evse->pev",
        }
    }

    /// The direction that the name of a message says.
    pub fn of_name(message: &str) -> Option<Self> {
        match message.get(message.len().saturating_sub(3)..) {
            Some("Req") => Some(Self::ToEvse),
            Some("Res") => Some(Self::ToPev),
            _ => None,
        }
    }

    /// From the charger or to it.
    pub(crate) fn from_charger(is_charger: bool) -> Self {
        if is_charger { Self::ToPev } else { Self::ToEvse }
    }
}
