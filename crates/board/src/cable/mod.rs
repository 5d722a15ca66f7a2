//! The physical side of the cable: pilot, proximity, contactors, lock, sensors, power stage or battery.

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

/// The physical side of one end of the cable.
///
/// [`ChargerCable`] and [`CarCable`] are made of a board's parts; a test implements its own.
pub trait Cable {
    /// What the role demands: a level, applied in every turn.
    type Demand;
    /// What the role receives: a snapshot of all sensors.
    type Reading;
    /// Which end of the cable it is.
    const SIDE: Side;

    /// Checks outputs, contacts and pilot. Called after [`measure`](Self::measure) has collected readings.
    fn check(&mut self, now: Instant, test: &mut SelfTest);

    /// The self-test passed: from now on the outputs follow the demand.
    fn arm(&mut self, proof: Passed);

    /// Takes the samples that are due. Returns within 2 ms.
    fn measure<C: Counter>(&mut self, clock: &mut Clock<C>);

    /// A snapshot of all sensors. A sensor that does not answer is absent in it, never zero.
    fn read(&mut self, now: Instant) -> Self::Reading;

    /// Drives what is demanded.
    ///
    /// # Errors
    /// [`CableFault`]; the loop then runs [`make_safe`](Self::make_safe).
    fn apply(&mut self, now: Instant, demand: &Self::Demand) -> Result<(), CableFault>;

    /// Runs the SAFE sequence and returns when it is done. `sign` is called every millisecond: it feeds the
    /// watchdog and returns the time.
    fn make_safe<D: DelayNs>(&mut self, sign: &mut dyn FnMut() -> Instant, delay: &mut D) -> SafeReport;

    /// Proof that no output is driven, which a write to flash requires; `None` while one is.
    fn while_safe(&mut self) -> Option<WhileSafe<'_>>;

    /// Whether the pilot may be driven for a test: the newest measurement shows that no plug is inserted.
    fn is_free(&self, now: Instant) -> bool;

    /// The demand of a step of the command `test pilot`, counted from 0; only the pilot follows it. `None`:
    /// the steps are over.
    fn pilot_test(&self, step: usize) -> Option<Self::Demand>;

    /// Writes the newest measurements in one line, for the commands `status` and `test pilot`.
    ///
    /// # Errors
    /// Those of `out`.
    fn describe(&self, now: Instant, out: &mut dyn fmt::Write) -> fmt::Result;
}

/// Why the cable does not follow the demand.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CableFault {
    /// An output of the board.
    #[error(transparent)]
    Output(#[from] OutputFault),
    /// The power stage reports a fault.
    #[error(transparent)]
    Stage(#[from] StageFault),
}
