use evse_fsm::Plant;
use machine::Instant;
use pev_fsm::Vehicle;
use session::Target;

/// An edge of the pilot with its time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Edge {
    /// Count of the board's [`Counter`](crate::Counter) at the edge; accurate to 5 us.
    pub count: u64,
    /// `true`: the pilot rose.
    pub is_rising: bool,
}

/// The pilot's edges.
///
/// At a charger: the rising edges of its own PWM, from the timer or the pad that it drives, never from the
/// wire. At a car: all edges of the wire, from a comparator.
pub trait Edges {
    /// The oldest edge that was not returned yet. A charger's implementation may keep only the newest one; a
    /// car's keeps at least 64, the edges of 32 ms.
    fn next(&mut self) -> Option<Edge>;
}

/// A charger's power stage with its sensors. No call blocks.
///
/// A stage that moves real power has its own heartbeat: without a call of [`apply`](Self::apply) for at most
/// 500 ms it goes to 0 V and 0 A.
pub trait Stage {
    /// Whether real power can flow. Without it the charger drives no contactor and reports synthetic values.
    const IS_REAL: bool = true;

    /// Puts its readings into the snapshot, each with its time: voltage at the cable and at the stage,
    /// current, isolation.
    fn read(&mut self, now: Instant, plant: &mut Plant);

    /// Sets voltage and current limit, and the demand for the isolation monitor's self-test. Called in every
    /// turn.
    ///
    /// # Errors
    /// [`StageFault`].
    fn apply(&mut self, now: Instant, supply: Target, self_test: bool) -> Result<(), StageFault>;
}

/// The power stage does not follow its demand. The text states what failed and what to check.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the power stage does not follow: {0}")]
pub struct StageFault(pub &'static str);

/// A charger without a power stage: it has no readings and accepts only 0 V and 0 A.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoStage;

impl Stage for NoStage {
    const IS_REAL: bool = false;

    fn read(&mut self, _: Instant, _: &mut Plant) {}

    fn apply(&mut self, _: Instant, supply: Target, _: bool) -> Result<(), StageFault> {
        if supply == Target::ZERO { Ok(()) } else { Err(StageFault("there is none")) }
    }
}

/// A car's battery and its sensors. No call blocks.
pub trait Battery {
    /// Puts its readings into the snapshot, each with its time: inlet voltage, current, inlet temperature.
    /// Returns what the battery requests now; `None` while it does not answer.
    fn read(&mut self, now: Instant, plant: &mut pev_fsm::Plant) -> Option<Vehicle>;
}
