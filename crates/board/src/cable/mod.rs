//! What is physical on the cable: pilot, proximity, contactors, lock, sensors, power stage or battery.

mod car;
mod charger;
mod none;
mod wiring;

use core::fmt;

use embedded_hal::delay::DelayNs;
use hal_esp32p4::{Clock, Counter, OutputFault, Passed, SafeReport, SelfTest, Side, WhileSafe};
use machine::Instant;

pub use car::{CarCable, CarReading};
pub use charger::ChargerCable;
pub use none::NoCable;
pub use wiring::{CablePins, ProximityWire, Wiring};

use crate::StageFault;

/// What is physical on the cable: pilot, proximity, contactors, lock, sensors, power stage or battery.
///
/// [`ChargerCable`] and [`CarCable`] are made of a board's parts; a test gives its own.
pub trait Cable {
    /// What the role demands: a level, applied in every turn.
    type Demand;
    /// What the role is given: a snapshot of all sensors.
    type Reading;
    /// Which end of the cable it is.
    const SIDE: Side;

    /// Does the checks of outputs, contacts and pilot. Called after [`measure`](Self::measure) has run for a
    /// while.
    fn check(&mut self, now: Instant, test: &mut SelfTest);

    /// The self-test passed: from now on the outputs follow.
    fn arm(&mut self, proof: Passed);

    /// Takes the samples that are due. Returns within 2 ms.
    fn measure<C: Counter>(&mut self, clock: &mut Clock<C>);

    /// The snapshot. A sensor that does not answer is absent in it, never zero.
    fn read(&mut self, now: Instant) -> Self::Reading;

    /// Drives what is demanded.
    ///
    /// # Errors
    /// [`CableFault`]; the loop then runs [`make_safe`](Self::make_safe).
    fn apply(&mut self, now: Instant, demand: &Self::Demand) -> Result<(), CableFault>;

    /// Runs the SAFE sequence and returns when it is done. `sign` is called every millisecond: it feeds the
    /// watchdog and gives the time.
    fn make_safe<D: DelayNs>(&mut self, sign: &mut dyn FnMut() -> Instant, delay: &mut D) -> SafeReport;

    /// Proof that nothing is driven: for flash.
    fn while_safe(&mut self) -> Option<WhileSafe<'_>>;

    /// Whether the pilot may be driven for a test: nothing is plugged in, as it is measured now.
    fn is_free(&self, now: Instant) -> bool;

    /// The demand of a step of the command `test pilot`, counted from 0, that nothing but the pilot follows;
    /// `None`: there is no such step.
    fn pilot_test(&self, step: usize) -> Option<Self::Demand>;

    /// Writes what is measured now, in one line, for the commands `status` and `test pilot`.
    ///
    /// # Errors
    /// As `out` does.
    fn describe(&self, now: Instant, out: &mut dyn fmt::Write) -> fmt::Result;
}

/// Why the cable does not do what is demanded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CableFault {
    /// A part of the board.
    #[error(transparent)]
    Output(#[from] OutputFault),
    /// The power stage.
    #[error(transparent)]
    Stage(#[from] StageFault),
}
