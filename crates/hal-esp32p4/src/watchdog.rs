//! A watchdog of two stages: the first makes the board SAFE, the second resets it.

use machine::{Duration, Instant};

use crate::Side;

/// The hardware timer: what the half for the chip implements.
///
/// On the ESP32-P4 it is a main watchdog of a timer group: stage 0 raises an interrupt, stage 1 resets the
/// chip. The interrupt runs [`Parts::make_safe`](crate::Parts::make_safe) over the bare registers and does
/// not return: it waits for the reset, so that what it interrupted cannot undo it.
pub trait Stages {
    /// Why it cannot be started.
    type Error: core::fmt::Debug;

    /// Starts it: the first stage acts `first` after the last feeding, the second `second` after the first.
    ///
    /// # Errors
    /// The hardware cannot do that.
    fn start(&mut self, first: Duration, second: Duration) -> Result<(), Self::Error>;

    /// Begins both times again.
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

/// What is wrong with a plan.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PlanError {
    /// The board would be driven by a dead program for too long.
    #[error("the first stage after {0} is too late: it acts within {max}", max = Plan::LONGEST)]
    TooLate(Duration),
    /// The loop could not feed it in time.
    #[error("the first stage after {0} is too early: the loop needs {min}", min = Plan::SHORTEST)]
    TooEarly(Duration),
    /// The reset would cut the SAFE sequence.
    #[error("the second stage {0} after the first cuts the SAFE sequence: it needs {1}")]
    CutsSafe(Duration, Duration),
}

impl Plan {
    /// The longest that a dead program may drive the board: 500 ms (docs/ARCHITECTURE.md, the physical side).
    pub const LONGEST: Duration = Duration::from_millis(500);
    /// A turn of the loop must fit: 20 ms (judgement).
    pub const SHORTEST: Duration = Duration::from_millis(20);
    /// What the second stage waits for beyond the sequence's patience: 100 ms (judgement).
    pub const MARGIN: Duration = Duration::from_millis(100);

    /// The plan of a side: 400 ms, then as long as the SAFE sequence may take.
    pub fn of(side: Side) -> Self {
        Self { first: Duration::from_millis(400), second: Self::least_second(side) }
    }

    /// Whether it is safe at this side.
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

/// What a loop that lives has done in a turn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sign {
    /// It read the sensors.
    Read,
    /// It applied the demand.
    Applied,
}

/// Where the watchdog is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// It was not started.
    Off,
    /// It was fed in time.
    Running,
    /// The first stage acts: SAFE.
    Safe,
    /// The second stage acts: reset.
    Reset,
}

/// Why a watchdog does not start.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum WatchdogError<E> {
    /// Its plan is not safe.
    #[error(transparent)]
    Plan(PlanError),
    /// The hardware does not start.
    #[error("the watchdog does not start: {0:?}")]
    Hardware(E),
}

/// The watchdog: fed only by a loop that has read its sensors and applied its demand since the last time. A
/// loop that spins without doing both is dead.
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

    /// The loop gave a sign of life; feeds when there is one of each kind. Too late is too late: from the
    /// first stage on nothing feeds.
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

    /// Where it is at `now`. The hardware has a timer of its own; a board without one acts on this.
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
