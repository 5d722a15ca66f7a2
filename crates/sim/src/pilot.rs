//! The pilot as the ends of a cable see it.

use control_pilot::{Level, Output};

/// What both ends of a cable can see.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pilot {
    /// Whether the car feels a plug in its inlet. A charger knows only the level.
    pub is_plugged: bool,
    /// What the car measures: the charger's output, or none without a plug.
    pub output: Option<Output>,
    /// What the charger measures.
    pub level: Level,
}
