//! The pilot as the ends of a cable see it.

use control_pilot::{Level, Output};

/// The pilot and the plug as both ends can see them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pilot {
    /// Whether the car detects a plug in its inlet. A charger sees only the level.
    pub is_plugged: bool,
    /// What the car measures: the charger's output; `None` without a plug.
    pub output: Option<Output>,
    /// What the charger measures.
    pub level: Level,
}
