//! The checks that must pass before any output is driven.

use core::fmt;

use control_pilot::Level;
use machine::Instant;
use session::{Reading, fresh};

use crate::{PinError, Pins, Quality, Sensed, Stage};

/// Revision of the chip, from its fuses.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Revision {
    /// Major number.
    pub major: u8,
    /// Minor number.
    pub minor: u8,
}

impl Revision {
    /// The oldest supported revision: v3.0. esp-hal 1.x supports no earlier one.
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
    /// All checks, in the order of the report.
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
    /// The check was not done.
    #[error("not checked")]
    Missing,
    /// The chip is too old.
    #[error("chip revision {0} is too old: use a board with {oldest} or later", oldest = Revision::OLDEST)]
    Revision(Revision),
    /// The wiring is not possible.
    #[error(transparent)]
    Pins(PinError),
    /// A part did not take its SAFE level.
    #[error("{0} does not follow: look at its pad and driver")]
    Output(&'static str),
    /// A contactor is closed, or its feedback cannot be read.
    #[error(
        "contactors are closed or silent although nothing is driven: look for a weld or a broken feedback wire"
    )]
    Contacts,
    /// The pilot cannot be measured, or its level is not plausible.
    #[error("the pilot cannot be measured: look at its driver, divider and ADC pad")]
    Pilot,
    /// Not enough entropy.
    #[error("{got} of {needed} bits of entropy: give a host's seed, or look at the ADC's noise")]
    Entropy {
        /// Bits collected.
        got: u32,
        /// Bits required.
        needed: u32,
    },
    /// The flash does not answer.
    #[error("settings and latch cannot be read: look at the flash")]
    Store,
    /// The watchdog is off, or one of its stages has acted.
    #[error("the watchdog does not run")]
    Watchdog,
}

/// Proof that a self-test passed. [`Outputs::arm`](crate::Outputs::arm) requires it, and only
/// [`SelfTest::verdict`] returns it.
#[derive(Debug)]
pub struct Passed(());

/// The results of all checks. A check that was not done counts as failed.
#[derive(Clone, Debug)]
pub struct SelfTest([(Check, Result<(), CheckError>); Check::ALL.len()]);

impl SelfTest {
    /// A self-test before the first check.
    pub fn new() -> Self {
        Self(Check::ALL.map(|check| (check, Err(CheckError::Missing))))
    }

    fn note(&mut self, check: Check, result: Result<(), CheckError>) {
        for (_, of) in self.0.iter_mut().filter(|(of, _)| *of == check) {
            *of = result;
        }
    }

    /// Checks the chip's revision.
    pub fn revision(&mut self, revision: Revision) {
        let is_old = revision < Revision::OLDEST;
        self.note(Check::Revision, if is_old { Err(CheckError::Revision(revision)) } else { Ok(()) });
    }

    /// Checks the wiring.
    pub fn pins(&mut self, pins: &Pins) {
        self.note(Check::Pins, pins.check().map_err(CheckError::Pins));
    }

    /// Checks the result of making the outputs SAFE at the start.
    pub fn outputs(&mut self, report: &crate::SafeReport) {
        let failed = report.failed.first().map(|part| CheckError::Output(part));
        self.note(Check::Outputs, failed.map_or(Ok(()), Err));
    }

    /// Checks the contacts while no output is driven. A board with contactors must have their feedback:
    /// `has_contactors` without a reading fails.
    pub fn contacts(&mut self, sensed: &Sensed, has_contactors: bool) {
        let is_open = match sensed.contactors {
            Some(closed) => !closed,
            None => !has_contactors,
        };
        self.note(Check::Contacts, if is_open { Ok(()) } else { Err(CheckError::Contacts) });
    }

    /// Checks the pilot. `driven` is true at a charger, which drives +12 V now: E and F then mean a short or
    /// a dead driver and fail. At a car any fresh value passes.
    pub fn pilot(&mut self, now: Instant, reading: Option<Reading<Level>>, driven: bool) {
        let is_sound =
            fresh(reading, now).is_some_and(|level| !driven || !matches!(level, Level::E | Level::F));
        self.note(Check::Pilot, if is_sound { Ok(()) } else { Err(CheckError::Pilot) });
    }

    /// Checks that the entropy is enough for keys.
    pub fn entropy(&mut self, quality: &Quality) {
        let too_little = CheckError::Entropy { got: quality.bits(), needed: Quality::MINIMUM };
        self.note(Check::Entropy, if quality.is_enough() { Ok(()) } else { Err(too_little) });
    }

    /// Checks that settings and latch were loaded. A set latch passes: it stops the role instead.
    pub fn store<T, E>(&mut self, loaded: &Result<T, E>) {
        self.note(Check::Store, if loaded.is_ok() { Ok(()) } else { Err(CheckError::Store) });
    }

    /// Checks that the watchdog runs.
    pub fn watchdog(&mut self, stage: Stage) {
        let runs = stage == Stage::Running;
        self.note(Check::Watchdog, if runs { Ok(()) } else { Err(CheckError::Watchdog) });
    }

    /// The checks that failed, in their order, with the reason.
    pub fn failures(&self) -> impl Iterator<Item = (Check, CheckError)> + '_ {
        self.0.iter().filter_map(|(check, result)| result.err().map(|error| (*check, error)))
    }

    /// The proof; `None` unless every check was done and passed.
    pub fn verdict(&self) -> Option<Passed> {
        self.failures().next().is_none().then_some(Passed(()))
    }
}

impl Default for SelfTest {
    fn default() -> Self {
        Self::new()
    }
}
