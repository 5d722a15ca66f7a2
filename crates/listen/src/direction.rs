//! The direction of a message.

/// Sender and receiver of a message.
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

    /// The direction of a message by its name: requests go to the charger, responses to the car.
    pub fn of_name(message: &str) -> Option<Self> {
        match message.get(message.len().saturating_sub(3)..) {
            Some("Req") => Some(Self::ToEvse),
            Some("Res") => Some(Self::ToPev),
            _ => None,
        }
    }

    /// The direction of a sender that is the charger, or is not.
    pub(crate) fn from_charger(is_charger: bool) -> Self {
        if is_charger { Self::ToPev } else { Self::ToEvse }
    }
}
