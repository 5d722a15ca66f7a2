//! Reading and writing of a modem's parameters, and its restart.

mod read;
mod reset;
mod write;

pub use read::{PibReader, ReadEvent};
pub use reset::{Reset, ResetEvent};
pub use write::{PibWriter, Refusal, WriteEvent, WritePlan, WriteStep};

use homeplug_mme::{Frame, Mac, Message, emit};
use machine::TooShort;

use crate::pib;

/// Why a transfer failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TransferFault {
    /// The modem does not respond.
    #[error("the modem does not answer: is it powered and on this cable?")]
    NoAnswer,
    /// The modem refuses.
    #[error("the modem refuses with status {0:#x}")]
    Refused(u16),
    /// The image is longer than the caller's buffer.
    #[error("the image is longer than {0} bytes")]
    TooLong(usize),
    /// The data read is not a valid image.
    #[error(transparent)]
    Image(#[from] pib::Error),
    /// The modem has no firmware after its restart.
    #[error("the modem has no firmware any more (it says BootLoader): load it with its maker's tool")]
    NoFirmware,
    /// The modem does not respond after its restart.
    #[error("the modem does not come back from its restart: switch it off and on")]
    NotBack,
    /// The modem's parameters differ from what was written.
    #[error(
        "the modem has something else at offset {0:#x} than was written: switch it off and on, read it again"
    )]
    Differs(u32),
    /// The messages that read this family's parameters are unknown.
    #[error("how the parameters of this modem are read is not known")]
    NotSupported,
    /// The target is not one modem.
    #[error("a transfer goes to one modem, never to all")]
    NotOneModem,
}

/// One modem, by its address or as the one on the own cable.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Peer {
    own: Mac,
    target: Mac,
    /// The modem that responds for [`Mac::LOCAL_MODEM`]: the first one.
    answers: Option<Mac>,
}

impl Peer {
    pub(crate) fn new(own: Mac, target: Mac) -> Result<Self, TransferFault> {
        if !target.is_unicast() {
            return Err(TransferFault::NotOneModem);
        }
        Ok(Self { own, target, answers: (target != Mac::LOCAL_MODEM).then_some(target) })
    }

    /// The message, if it is from this modem.
    pub(crate) fn get<'a, M: Message<'a>>(&mut self, frame: &Frame<'a>) -> Option<M> {
        if frame.to != self.own || self.answers.is_some_and(|mac| mac != frame.from) {
            return None;
        }
        let message = frame.get::<M>()?.ok()?;
        self.answers = Some(frame.from);
        Some(message)
    }

    pub(crate) fn emit<'m, M: Message<'m>>(&self, message: &M, buffer: &mut [u8]) -> Result<usize, TooShort> {
        emit(message, self.target, self.own, buffer)
    }
}
