//! The actions of a script on one message or frame.

use machine::Duration;

use super::message::{self, Message};
use super::packet;

/// An action on a message or frame that matches a rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Act {
    /// It is not sent, but the sender assumes that it was.
    Withhold,
    /// It is sent later.
    Delay(Duration),
    /// It is sent twice in a row.
    Twice,
    /// A field of the message has another value: path and value.
    Set(String, String),
    /// The message's body is replaced by this one, as JSON.
    Become(String),
    /// The last item of this list occurs this many times.
    Repeat(String, usize),
    /// These bytes follow the message's payload and are counted in its header.
    Append(Vec<u8>),
    /// These bytes precede it.
    Prepend(Vec<u8>),
    /// These bytes replace its payload.
    Payload(Vec<u8>),
    /// These bytes replace it, including the header.
    Raw(Vec<u8>),
    /// Its payload ends after this many bytes.
    Cut(usize),
    /// It is sent in pieces of this many bytes, one each millisecond.
    Pieces(usize),
    /// These bytes are at this offset of the frame or message; a packet's checksum is corrected.
    Put(usize, Vec<u8>),
    /// As `Put`, with a wrong checksum.
    Spoil(usize, Vec<u8>),
    /// Its first TCP segment and this many repetitions are lost; TCP repeats them.
    LoseSegments(u32),
}

/// The result of the actions on one message.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Changed {
    /// The bytes that are sent.
    pub(super) bytes: Vec<u8>,
    pub(super) delay: Option<Duration>,
    pub(super) pieces: Option<usize>,
    pub(super) lost: u32,
}

impl Changed {
    pub(super) fn new(bytes: &[u8]) -> Self {
        Self { bytes: bytes.to_vec(), ..Self::default() }
    }
}

impl Act {
    /// Whether it is possible only for a V2G message.
    pub(super) const fn needs_message(&self) -> bool {
        !matches!(
            self,
            Self::Withhold | Self::Delay(_) | Self::Twice | Self::Cut(_) | Self::Put(..) | Self::Spoil(..)
        )
    }

    /// Applies it to a V2G message.
    pub(super) fn to_message(&self, changed: &mut Changed) -> Result<(), String> {
        let edited = |edit: &dyn Fn(&mut Message) -> Result<(), String>| {
            let payload = message::payload(&changed.bytes).ok_or("no whole message")?;
            let mut message = Message::decode(payload).ok_or("it does not decode")?;
            edit(&mut message)?;
            Ok::<_, String>(message::wrap(&message.encode()?))
        };
        let payload = || message::payload(&changed.bytes).unwrap_or_default().to_vec();
        changed.bytes = match self {
            Self::Withhold => Vec::new(),
            Self::Delay(time) => {
                changed.delay = Some(*time);
                return Ok(());
            }
            Self::Pieces(size) => {
                changed.pieces = Some((*size).max(1));
                return Ok(());
            }
            Self::LoseSegments(more) => {
                changed.lost = more + 1;
                return Ok(());
            }
            Self::Twice => changed.bytes.repeat(2),
            Self::Set(path, value) => edited(&|message| message.set(path, value))?,
            Self::Repeat(path, times) => edited(&|message| message.repeat(path, *times))?,
            Self::Become(body) => edited(&|message| message.become_body(body))?,
            Self::Append(bytes) => message::wrap(&[payload(), bytes.clone()].concat()),
            Self::Prepend(bytes) => [bytes.clone(), changed.bytes.clone()].concat(),
            Self::Payload(bytes) => message::wrap(bytes),
            Self::Raw(bytes) => bytes.clone(),
            Self::Cut(length) => message::wrap(payload().get(..*length).unwrap_or_default()),
            Self::Put(offset, bytes) | Self::Spoil(offset, bytes) => {
                let mut new = changed.bytes.clone();
                packet::put(&mut new, *offset, bytes);
                new
            }
        };
        Ok(())
    }

    /// Applies it to any other frame: the copies that are sent, each with its delay.
    pub(super) fn to_frame(&self, frames: &mut Vec<(Duration, Vec<u8>)>) {
        match self {
            Self::Withhold => frames.clear(),
            Self::Delay(time) => frames.iter_mut().for_each(|(delay, _)| *delay = *delay + *time),
            Self::Twice => frames.extend_from_within(..),
            Self::Cut(length) => frames.iter_mut().for_each(|(_, frame)| frame.truncate(*length)),
            Self::Put(offset, bytes) => {
                for (_, frame) in frames {
                    packet::put(frame, *offset, bytes);
                    packet::mend(frame);
                }
            }
            Self::Spoil(offset, bytes) => {
                for (_, frame) in frames {
                    packet::put(frame, *offset, bytes);
                }
            }
            _ => (),
        }
    }
}
