//! The board's outputs: the order in which they switch, and SAFE.

mod line;
mod parts;
mod sequence;
mod wired;

use core::marker::PhantomData;

use control_pilot::Output;
use embedded_hal::delay::DelayNs;
use embedded_hal::digital::{InputPin, StatefulOutputPin};
use machine::{Duration, Instant};
use session::{Contactors, Lock};

pub use line::{Drive, Sense, Sensed};
pub use parts::{Parts, SafeReport, Side};
pub use sequence::ContactorFault;

use crate::{Ledc, Passed};
use sequence::{Contact, Contacts, Sequence};

/// What a role demands of the board: a level, applied in every turn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Wanted {
    /// The pilot's output, at a charger.
    pub pilot: Output,
    /// Car: pulls the pilot to C. Charger: enables the power stage.
    pub relay: bool,
    /// State of both contactors.
    pub contactors: Contactors,
    /// State of the connector lock.
    pub lock: Lock,
    /// Whether the bleeder is connected.
    pub discharge: bool,
}

impl Wanted {
    /// Pilot steady +12 V, relay off, contactors open, lock held, no bleeder.
    pub const SAFE: Self = Self {
        pilot: Output::Steady,
        relay: false,
        contactors: Contactors::Open,
        lock: Lock::Held,
        discharge: false,
    };

    /// Whether the demand closes the contactors or enables the relay.
    pub fn is_energised(&self) -> bool {
        self.relay || self.contactors == Contactors::Closed
    }
}

/// Why the board does not follow a demand. After any of these run [`Outputs::make_safe`], as the loop on
/// Linux does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum OutputFault {
    /// A demand other than SAFE came before the self-test passed.
    #[error("the self-test has not passed: nothing is driven")]
    NotTested,
    /// Energy was demanded after a SAFE sequence, without a demand for no energy in between.
    #[error("SAFE holds until a demand without energy came")]
    Held,
    /// An output did not take its level.
    #[error("{0} does not follow: look at its pad and driver")]
    Part(&'static str),
    /// A contactor did not confirm.
    #[error(transparent)]
    Contactors(#[from] ContactorFault),
}

/// The board's outputs. No output is driven until [`arm`](Self::arm) received the proof of a self-test.
#[derive(Debug)]
pub struct Outputs<P, I, L> {
    parts: Parts<P, I, L>,
    sequence: Sequence,
    state: State,
    /// Whether the last driven demand was energised, whatever the source of the energy.
    is_energised: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// The self-test has not passed.
    Untested,
    Ready,
    /// SAFE until a demand comes that is not energised.
    Held,
}

/// Proof that the outputs are SAFE and stay so while it exists. Work that is not allowed under voltage
/// requires it.
#[derive(Debug)]
pub struct WhileSafe<'a>(PhantomData<&'a mut ()>);

impl<P: StatefulOutputPin, I: InputPin, L: Ledc> Outputs<P, I, L> {
    /// Takes the parts and makes them SAFE immediately. `precharge` is the time on the precharge resistor,
    /// unused without one.
    pub fn new(mut parts: Parts<P, I, L>, precharge: Duration) -> (Self, SafeReport) {
        let report = parts.begin_safe();
        let precharge = parts.precharge.is_some().then_some(precharge);
        (
            Self { parts, sequence: Sequence::new(precharge), state: State::Untested, is_energised: false },
            report,
        )
    }

    /// The self-test passed: from now on the board follows its demand.
    pub fn arm(&mut self, _proof: Passed) {
        if self.state == State::Untested {
            self.state = State::Ready;
        }
    }

    /// Drives what is demanded. Call it in every turn: the contactors follow step by step.
    ///
    /// The bleeder is connected, and the lock released, only while no contactor is driven or reads closed.
    ///
    /// # Errors
    /// [`OutputFault`]. If the contactors did not follow, all coils and the relay are off already.
    pub fn apply(&mut self, now: Instant, wanted: &Wanted) -> Result<(), OutputFault> {
        match self.state {
            State::Untested if *wanted == Wanted::SAFE => {}
            State::Untested => return Err(OutputFault::NotTested),
            State::Held if wanted.is_energised() => return Err(OutputFault::Held),
            State::Held | State::Ready => self.state = State::Ready,
        }
        self.is_energised = wanted.is_energised();
        let contacts = self.contacts();
        let closes = wanted.contactors == Contactors::Closed;
        let coils = self.sequence.step(now, closes, contacts);
        // Coils that have to be off are off before a fault is reported.
        let (coils, fault) =
            coils.map_or_else(|fault| (sequence::Coils::default(), Some(fault)), |on| (on, None));
        let is_open = !closes && contacts.not_open().is_none();
        let parts = &mut self.parts;
        let drives = [
            ("relay", &mut parts.relay, wanted.relay && fault.is_none()),
            ("contactor +", &mut parts.plus, coils.plus),
            ("contactor -", &mut parts.minus, coils.minus),
            ("precharge", &mut parts.precharge, coils.precharge),
            ("discharge", &mut parts.discharge, wanted.discharge && is_open),
            ("lock", &mut parts.unlock, wanted.lock == Lock::Released && is_open),
        ];
        let mut failed = None;
        for (name, part, on) in drives {
            if part.as_mut().is_some_and(|part| part.set(on).is_err()) {
                failed.get_or_insert(name);
            }
        }
        if parts.pilot.as_mut().is_some_and(|pilot| pilot.drive(wanted.pilot).is_err()) {
            failed.get_or_insert("pilot");
        }
        match (fault, failed) {
            (Some(fault), _) => {
                self.state = State::Held;
                Err(fault.into())
            }
            (None, Some(part)) => Err(OutputFault::Part(part)),
            (None, None) => Ok(()),
        }
    }

    /// Runs the SAFE sequence ([`Parts::make_safe`]). SAFE then holds until a demand without energy comes.
    ///
    /// It waits up to [`Side::patience`], in the car longer than the watchdog's first stage. `current_ma` is
    /// called every millisecond and must therefore also give the watchdog its signs
    /// ([`Watchdog::sign`](crate::Watchdog::sign)).
    pub fn make_safe(
        &mut self,
        current_ma: &mut dyn FnMut() -> Option<i32>,
        delay: &mut impl DelayNs,
    ) -> SafeReport {
        let report = self.parts.make_safe(current_ma, delay);
        self.sequence.open();
        self.is_energised = false;
        if self.state == State::Ready {
            self.state = State::Held;
        }
        report
    }

    /// Reads all contacts.
    pub fn sense(&mut self) -> Sensed {
        let contacts = self.contacts();
        let commanded = !self.sequence.is_open();
        Sensed {
            contactors: contacts.joined(commanded),
            lock: self.parts.lock_feedback.as_mut().and_then(Sense::read),
            emergency_stop: self.parts.emergency_stop.as_mut().and_then(Sense::read),
        }
    }

    /// Proof for work that is not allowed under voltage. `None` while the last demand is energised, a
    /// contactor, the precharge relay or the relay is driven, or a contact does not read open.
    pub fn while_safe(&mut self) -> Option<WhileSafe<'_>> {
        let is_open = self.contacts().not_open().is_none();
        let is_safe = !self.is_energised && is_open && !self.parts.is_driven();
        is_safe.then_some(WhileSafe(PhantomData))
    }

    fn contacts(&mut self) -> Contacts {
        let read = |sense: &mut Option<Sense<I>>| {
            sense.as_mut().map(|sense| match sense.read() {
                Some(true) => Contact::Closed,
                Some(false) => Contact::Open,
                None => Contact::Silent,
            })
        };
        let (plus, minus) = (read(&mut self.parts.plus_feedback), read(&mut self.parts.minus_feedback));
        Contacts { plus, minus }
    }
}

impl Contacts {
    /// Both contacts as one reading.
    fn joined(self, commanded: bool) -> Option<bool> {
        let of = |contact| match contact {
            Contact::Open => Some(false),
            Contact::Closed => Some(true),
            Contact::Silent => None,
        };
        match (self.plus, self.minus) {
            (None, None) => None,
            (Some(one), None) | (None, Some(one)) => of(one),
            (Some(plus), Some(minus)) => {
                let (plus, minus) = (of(plus)?, of(minus)?);
                Some(if plus == minus { plus } else { !commanded })
            }
        }
    }
}
