use evse_fsm::Plant;
use machine::Instant;
use pev_fsm::Vehicle;
use session::Target;

/// An edge of the pilot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Edge {
    /// When it came, as the board's [`Counter`](crate::Counter) counts; within 5 us.
    pub count: u64,
    /// Whether the pilot rose.
    pub is_rising: bool,
}

/// The pilot's edges.
///
/// At a charger the rising edges of its own PWM, from the timer or the pad that it drives, never from the
/// wire. At a car all edges of the wire, from a comparator.
pub trait Edges {
    /// The oldest edge that was not given yet. A charger's may keep the newest one only; a car's keeps at
    /// least 64, the edges of 32 ms.
    fn next(&mut self) -> Option<Edge>;
}

/// A charger's power stage with its sensors. No call blocks.
///
/// One that moves real power has a heartbeat of its own: without a call of [`apply`](Self::apply) for 500 ms
/// at most it goes to 0 V and 0 A by itself.
pub trait Stage {
    /// Whether there is one. Without one the charger drives no contactor and reports what it makes up.
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

/// The power stage does not follow: what failed and what to look at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the power stage does not follow: {0}")]
pub struct StageFault(pub &'static str);

/// A charger without a power stage: no reading, nothing to set.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoStage;

impl Stage for NoStage {
    const IS_REAL: bool = false;

    fn read(&mut self, _: Instant, _: &mut Plant) {}

    fn apply(&mut self, _: Instant, supply: Target, _: bool) -> Result<(), StageFault> {
        if supply == Target::ZERO { Ok(()) } else { Err(StageFault("there is none")) }
    }
}

/// A car's battery and the sensors that belong to it. No call blocks.
pub trait Battery {
    /// Puts its readings into the snapshot, each with its time: inlet voltage, current, inlet temperature.
    /// What the battery wants, of this moment; `None` while it does not answer.
    fn read(&mut self, now: Instant, plant: &mut pev_fsm::Plant) -> Option<Vehicle>;
}
