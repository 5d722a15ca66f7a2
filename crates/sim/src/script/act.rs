//! What a script does to one message or frame.

use machine::Duration;

use super::message::{self, Message};
use super::packet;

/// What is done to a message or frame when its rule hits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Act {
    /// It never leaves. The sender believes that it did.
    Withhold,
    /// It leaves later.
    Delay(Duration),
    /// It leaves twice, one right after the other.
    Twice,
    /// A field of the message is another one: path and value.
    Set(String, String),
    /// The message's body is this one, as JSON.
    Become(String),
    /// The last item of this list stands there so many times.
    Repeat(String, usize),
    /// These bytes follow the message's payload, counted in the header.
    Append(Vec<u8>),
    /// These bytes come right before it.
    Prepend(Vec<u8>),
    /// Its payload is these bytes.
    Payload(Vec<u8>),
    /// These bytes stand in its place, header and all.
    Raw(Vec<u8>),
    /// Its payload ends after so many bytes.
    Cut(usize),
    /// It leaves in pieces of so many bytes, one a millisecond.
    Pieces(usize),
    /// These bytes stand at this offset of the frame or message; a packet's checksum is made right again.
    Put(usize, Vec<u8>),
    /// Likewise, and the checksum is wrong.
    Spoil(usize, Vec<u8>),
    /// The first TCP segment of it, and as many again as are given, are lost; TCP repeats them.
    LoseSegments(u32),
}

/// What becomes of one message.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Changed {
    /// What leaves.
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
    /// Whether it needs a V2G message.
    pub(super) const fn needs_message(&self) -> bool {
        !matches!(
            self,
            Self::Withhold | Self::Delay(_) | Self::Twice | Self::Cut(_) | Self::Put(..) | Self::Spoil(..)
        )
    }

    /// Does it to a V2G message.
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

    /// Does it to any other frame: the copies that leave, each with its delay.
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
