//! A watchdog of two stages: the first makes the board SAFE, the second resets it.

use machine::{Duration, Instant};

use crate::Side;

/// The hardware timer. The code for the chip implements it.
///
/// On the ESP32-P4 it is a main watchdog of a timer group: stage 0 raises an interrupt, stage 1 resets the
/// chip. The interrupt runs [`Parts::make_safe`](crate::Parts::make_safe) on the bare registers and does not
/// return. It waits for the reset, so that the interrupted code cannot undo it.
pub trait Stages {
    /// Why it cannot be started.
    type Error: core::fmt::Debug;

    /// Starts the timer: the first stage acts `first` after the last feeding, the second `second` after the
    /// first.
    ///
    /// # Errors
    /// The hardware cannot do that.
    fn start(&mut self, first: Duration, second: Duration) -> Result<(), Self::Error>;

    /// Restarts both times.
    fn feed(&mut self);
}

/// The times of both stages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Plan {
    /// From the last feeding to the first stage.
    pub first: Duration,
    /// From the first stage to the second.
    pub second: Duration,
}

/// Why a plan is not safe.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PlanError {
    /// A dead program would drive the board for too long.
    #[error("the first stage after {0} is too late: it acts within {max}", max = Plan::LONGEST)]
    TooLate(Duration),
    /// The loop could not feed the watchdog in time.
    #[error("the first stage after {0} is too early: the loop needs {min}", min = Plan::SHORTEST)]
    TooEarly(Duration),
    /// The reset would cut the SAFE sequence.
    #[error("the second stage {0} after the first cuts the SAFE sequence: it needs {1}")]
    CutsSafe(Duration, Duration),
}

impl Plan {
    /// Longest time that a dead program may drive the board: 500 ms (docs/ARCHITECTURE.md, the physical
    /// side).
    pub const LONGEST: Duration = Duration::from_millis(500);
    /// Shortest first stage, longer than a turn of the loop: 20 ms (judgement).
    pub const SHORTEST: Duration = Duration::from_millis(20);
    /// Time of the second stage beyond the patience of the SAFE sequence: 100 ms (judgement).
    pub const MARGIN: Duration = Duration::from_millis(100);

    /// The plan of a side: 400 ms to the first stage, then the longest time of the SAFE sequence.
    pub fn of(side: Side) -> Self {
        Self { first: Duration::from_millis(400), second: Self::least_second(side) }
    }

    /// Checks that the plan is safe at this side.
    ///
    /// # Errors
    /// [`PlanError`].
    pub fn check(&self, side: Side) -> Result<(), PlanError> {
        let least = Self::least_second(side);
        if self.first > Self::LONGEST {
            Err(PlanError::TooLate(self.first))
        } else if self.first < Self::SHORTEST {
            Err(PlanError::TooEarly(self.first))
        } else if self.second < least {
            Err(PlanError::CutsSafe(self.second, least))
        } else {
            Ok(())
        }
    }

    fn least_second(side: Side) -> Duration {
        side.patience() + Self::MARGIN
    }
}

/// What a live loop does in each turn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sign {
    /// The sensors were read.
    Read,
    /// The demand was applied.
    Applied,
}

/// State of the watchdog.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// Not started.
    Off,
    /// Running, and fed in time.
    Running,
    /// The first stage has acted: SAFE.
    Safe,
    /// The second stage has acted: reset.
    Reset,
}

/// Why a watchdog did not start.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum WatchdogError<E> {
    /// The plan is not safe.
    #[error(transparent)]
    Plan(PlanError),
    /// The hardware reports an error.
    #[error("the watchdog does not start: {0:?}")]
    Hardware(E),
}

/// A watchdog that is fed only after the loop has read its sensors and applied its demand. A loop that runs
/// without doing both counts as dead.
#[derive(Debug)]
pub struct Watchdog<S> {
    stages: S,
    plan: Plan,
    fed: Option<Instant>,
    has_read: bool,
    has_applied: bool,
}

impl<S: Stages> Watchdog<S> {
    /// A watchdog that is off.
    pub const fn new(stages: S, plan: Plan) -> Self {
        Self { stages, plan, fed: None, has_read: false, has_applied: false }
    }

    /// Starts it. It cannot be stopped.
    ///
    /// # Errors
    /// [`WatchdogError`].
    pub fn start(&mut self, now: Instant, side: Side) -> Result<(), WatchdogError<S::Error>> {
        self.plan.check(side).map_err(WatchdogError::Plan)?;
        self.stages.start(self.plan.first, self.plan.second).map_err(WatchdogError::Hardware)?;
        self.fed = Some(now);
        Ok(())
    }

    /// Records a sign of life from the loop; feeds when both kinds have come. From the first stage on nothing
    /// feeds it.
    pub fn sign(&mut self, now: Instant, sign: Sign) {
        match sign {
            Sign::Read => self.has_read = true,
            Sign::Applied => self.has_applied = true,
        }
        if self.has_read && self.has_applied && self.stage(now) == Stage::Running {
            (self.has_read, self.has_applied) = (false, false);
            self.fed = Some(now);
            self.stages.feed();
        }
    }

    /// Its state at `now`. The hardware has its own timer; a board without one acts on this.
    pub fn stage(&self, now: Instant) -> Stage {
        let Some(fed) = self.fed else { return Stage::Off };
        let silent = now.since(fed);
        if silent < self.plan.first {
            Stage::Running
        } else if silent < self.plan.first + self.plan.second {
            Stage::Safe
        } else {
            Stage::Reset
        }
    }
}
