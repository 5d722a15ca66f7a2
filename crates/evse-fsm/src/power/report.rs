use session::{DEAD_MV, Target};

use super::Stage;

/// The voltage that a charger without power stage reports: the sensor's once it has measured a voltage,
/// otherwise the voltage of the precharge, held. The report never jumps to a sensor that measures nothing.
#[derive(Clone, Copy, Debug)]
pub(super) struct Report {
    held_mv: i32,
    is_sensed: bool,
}

impl Report {
    pub(super) const fn new() -> Self {
        Self { held_mv: 0, is_sensed: false }
    }

    /// Follows the stage's set point, and the sensor if one exists.
    pub(super) fn step(&mut self, stage: &Stage, supply: Target, sensed_mv: Option<i32>) {
        match stage {
            // During the isolation test the car must not receive a synthetic voltage.
            Stage::Test(_) => *self = Self::new(),
            // The car closes its contactors by this voltage: no battery is on the cable yet.
            Stage::Precharge(_) => *self = Self { held_mv: supply.voltage_mv, is_sensed: false },
            Stage::Hold | Stage::Transfer => {
                self.is_sensed |= sensed_mv.is_some_and(|mv| mv.saturating_abs() >= DEAD_MV);
            }
            Stage::Off | Stage::Stopping { .. } => self.held_mv = 0,
        }
    }

    /// The report for these measurements; `flows_ma` is the synthetic current.
    pub(super) fn told(self, sensed_mv: Option<i32>, sensed_ma: Option<i32>, flows_ma: i32) -> Target {
        let sensed_mv = sensed_mv.filter(|_| self.is_sensed);
        let sensed_ma = sensed_ma.filter(|_| self.is_sensed);
        Target { voltage_mv: sensed_mv.unwrap_or(self.held_mv), current_ma: sensed_ma.unwrap_or(flows_ma) }
    }
}
