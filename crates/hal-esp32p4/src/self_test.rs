//! What must be in order before anything is driven.

use core::fmt;

use control_pilot::Level;
use machine::Instant;
use session::{Reading, fresh};

use crate::{PinError, Pins, Quality, Sensed, Stage};

/// Revision of the chip, as its fuses have it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Revision {
    /// Major number.
    pub major: u8,
    /// Minor number.
    pub minor: u8,
}

impl Revision {
    /// The oldest that works: v3.0. esp-hal 1.x supports no earlier one.
    pub const OLDEST: Self = Self { major: 3, minor: 0 };
}

impl fmt::Display for Revision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "v{}.{}", self.major, self.minor)
    }
}

/// One check of the self-test.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Check {
    /// The chip's revision.
    Revision,
    /// The wiring.
    Pins,
    /// The outputs took their SAFE levels.
    Outputs,
    /// Contactors open.
    Contacts,
    /// The pilot can be measured.
    Pilot,
    /// Enough entropy for keys.
    Entropy,
    /// Settings and latch were read.
    Store,
    /// The watchdog runs.
    Watchdog,
}

impl Check {
    /// All of them.
    pub const ALL: [Self; 8] = [
        Self::Revision,
        Self::Pins,
        Self::Outputs,
        Self::Contacts,
        Self::Pilot,
        Self::Entropy,
        Self::Store,
        Self::Watchdog,
    ];
}

/// Why a check failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CheckError {
    /// It was not done.
    #[error("not checked")]
    Missing,
    /// The chip is too old.
    #[error("chip revision {0} is too old: use a board with {oldest} or later", oldest = Revision::OLDEST)]
    Revision(Revision),
    /// The wiring cannot work.
    #[error(transparent)]
    Pins(PinError),
    /// A part did not take its SAFE level.
    #[error("{0} does not follow: look at its pad and driver")]
    Output(&'static str),
    /// A contactor is closed, or its feedback is silent.
    #[error(
        "contactors are closed or silent although nothing is driven: look for a weld or a broken feedback wire"
    )]
    Contacts,
    /// The pilot cannot be measured, or has a level that cannot be.
    #[error("the pilot cannot be measured: look at its driver, divider and ADC pad")]
    Pilot,
    /// Not enough entropy.
    #[error("{got} of {needed} bits of entropy: give a host's seed, or look at the ADC's noise")]
    Entropy {
        /// Bits there are.
        got: u32,
        /// Bits there have to be.
        needed: u32,
    },
    /// The flash does not answer.
    #[error("settings and latch cannot be read: look at the flash")]
    Store,
    /// The watchdog is off, or has acted.
    #[error("the watchdog does not run")]
    Watchdog,
}

/// Proof that a self-test passed: [`Outputs::arm`](crate::Outputs::arm) takes it, and only
/// [`SelfTest::verdict`] gives it.
#[derive(Debug)]
pub struct Passed(());

/// The results of all checks. One that was not done counts as failed.
#[derive(Clone, Debug)]
pub struct SelfTest([(Check, Result<(), CheckError>); Check::ALL.len()]);

impl SelfTest {
    /// Nothing was checked.
    pub fn new() -> Self {
        Self(Check::ALL.map(|check| (check, Err(CheckError::Missing))))
    }

    fn note(&mut self, check: Check, result: Result<(), CheckError>) {
        for (_, of) in self.0.iter_mut().filter(|(of, _)| *of == check) {
            *of = result;
        }
    }

    /// The chip's revision.
    pub fn revision(&mut self, revision: Revision) {
        let is_old = revision < Revision::OLDEST;
        self.note(Check::Revision, if is_old { Err(CheckError::Revision(revision)) } else { Ok(()) });
    }

    /// The wiring.
    pub fn pins(&mut self, pins: &Pins) {
        self.note(Check::Pins, pins.check().map_err(CheckError::Pins));
    }

    /// What came of making the outputs SAFE at the start.
    pub fn outputs(&mut self, report: &crate::SafeReport) {
        let failed = report.failed.first().map(|part| CheckError::Output(part));
        self.note(Check::Outputs, failed.map_or(Ok(()), Err));
    }

    /// The contacts while nothing is driven. A board that has contactors has their feedback: `has_contactors`
    /// and silence fail.
    pub fn contacts(&mut self, sensed: &Sensed, has_contactors: bool) {
        let is_open = match sensed.contactors {
            Some(closed) => !closed,
            None => !has_contactors,
        };
        self.note(Check::Contacts, if is_open { Ok(()) } else { Err(CheckError::Contacts) });
    }

    /// The pilot. `driven` at a charger, which drives +12 V now: E and F cannot be, a short or a dead driver
    /// apart. A car has nothing but a value.
    pub fn pilot(&mut self, now: Instant, reading: Option<Reading<Level>>, driven: bool) {
        let is_sound =
            fresh(reading, now).is_some_and(|level| !driven || !matches!(level, Level::E | Level::F));
        self.note(Check::Pilot, if is_sound { Ok(()) } else { Err(CheckError::Pilot) });
    }

    /// The entropy that keys are made of.
    pub fn entropy(&mut self, quality: &Quality) {
        let too_little = CheckError::Entropy { got: quality.bits(), needed: Quality::MINIMUM };
        self.note(Check::Entropy, if quality.is_enough() { Ok(()) } else { Err(too_little) });
    }

    /// Settings and latch: whether loading them succeeded. A latch that is set is no failure; it holds the
    /// role.
    pub fn store<T, E>(&mut self, loaded: &Result<T, E>) {
        self.note(Check::Store, if loaded.is_ok() { Ok(()) } else { Err(CheckError::Store) });
    }

    /// The watchdog.
    pub fn watchdog(&mut self, stage: Stage) {
        let runs = stage == Stage::Running;
        self.note(Check::Watchdog, if runs { Ok(()) } else { Err(CheckError::Watchdog) });
    }

    /// The checks that failed, in their order, with why.
    pub fn failures(&self) -> impl Iterator<Item = (Check, CheckError)> + '_ {
        self.0.iter().filter_map(|(check, result)| result.err().map(|error| (*check, error)))
    }

    /// The proof, if every check was done and passed.
    pub fn verdict(&self) -> Option<Passed> {
        self.failures().next().is_none().then_some(Passed(()))
    }
}

impl Default for SelfTest {
    fn default() -> Self {
        Self::new()
    }
}
