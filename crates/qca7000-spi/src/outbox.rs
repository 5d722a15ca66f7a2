use crate::{MAX_FRAME, MIN_FRAME, RECEIVE_OVERHEAD, SEND_LEN, SEND_OVERHEAD};

/// Why [`send`](crate::Qca7000::send) refuses a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NotSent {
    /// The chip is not set up.
    #[error("the modem is not ready: wait for the event Up or Resumed")]
    NotReady,
    /// Another frame is queued.
    #[error("another frame waits for the modem: ask can_send first")]
    Busy,
    /// Shorter than an Ethernet header.
    #[error("{length} bytes are no Ethernet frame: the header alone has {HEADER}")]
    TooShort {
        /// Length in bytes.
        length: usize,
    },
    /// Above [`MAX_FRAME`].
    #[error("a frame of {length} bytes is too long: the modem takes {MAX_FRAME}")]
    TooLong {
        /// Length in bytes.
        length: usize,
    },
}

/// Two addresses and the type.
const HEADER: usize = 14;

const START: [u8; 4] = [0xAA; 4];
const END: [u8; 2] = [0x55; 2];

/// The queued frame, in the chip's framing.
#[derive(Debug)]
pub(crate) struct Outbox<'b> {
    buffer: &'b mut [u8; SEND_LEN],
    /// Length of the queued frame in bytes, framing included; 0 without one.
    len: usize,
}

impl<'b> Outbox<'b> {
    pub(crate) const fn new(buffer: &'b mut [u8; SEND_LEN]) -> Self {
        Self { buffer, len: 0 }
    }

    /// Queues `frame`, padded with zeros to [`MIN_FRAME`].
    pub(crate) fn put(&mut self, frame: &[u8]) -> Result<(), NotSent> {
        let length = frame.len();
        if self.is_waiting() {
            return Err(NotSent::Busy);
        }
        if length < HEADER {
            return Err(NotSent::TooShort { length });
        }
        let padded = length.max(MIN_FRAME);
        let padding = core::iter::repeat_n(0, padded - length);
        let [low, high, ..] = padded.to_le_bytes();
        let bytes =
            START.into_iter().chain([low, high, 0, 0]).chain(frame.iter().copied()).chain(padding).chain(END);
        let framed = padded + SEND_OVERHEAD;
        let into = self.buffer.get_mut(..framed).ok_or(NotSent::TooLong { length })?;
        for (to, from) in into.iter_mut().zip(bytes) {
            *to = from;
        }
        self.len = framed;
        Ok(())
    }

    pub(crate) const fn is_waiting(&self) -> bool {
        self.len > 0
    }

    /// The queued frame as it is written.
    pub(crate) fn bytes(&self) -> &[u8] {
        self.buffer.get(..self.len).unwrap_or_default()
    }

    /// Room that it needs in the chip's write buffer: the chip adds its own length.
    pub(crate) fn needed(&self) -> u16 {
        u16::try_from(self.len + RECEIVE_OVERHEAD - SEND_OVERHEAD).unwrap_or(u16::MAX)
    }

    /// Removes the queued frame; returns its length, or `None` without one.
    pub(crate) fn clear(&mut self) -> Option<usize> {
        let length = core::mem::take(&mut self.len);
        length.checked_sub(SEND_OVERHEAD)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The frame of AN4 section 6: an ARP request of 42 bytes, padded to 60.
    const ARP: &[u8] = &[
        0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x06, 0x05, 0x04, 0x03, 0x02, 0x03, 0x08, 0x06, 0x00, 0x01, 0x08,
        0x00, 0x06, 0x04, 0x00, 0x01, 0x06, 0x05, 0x04, 0x03, 0x02, 0x03, 0xC0, 0xA8, 0x01, 0x04, 0x00, 0x00,
        0x00, 0x00, 0x00, 0x00, 0xC0, 0xA8, 0x01, 0x04,
    ];

    #[test]
    fn a_short_frame_is_filled_up_and_framed_as_the_application_note_says() {
        let mut buffer = [9; SEND_LEN];
        let mut outbox = Outbox::new(&mut buffer);
        outbox.put(ARP).unwrap();
        let bytes = outbox.bytes();
        assert_eq!(bytes[..8], [0xAA, 0xAA, 0xAA, 0xAA, 0x3C, 0x00, 0x00, 0x00]);
        assert_eq!(bytes[8..50], *ARP);
        assert_eq!(bytes[50..], [&[0; 18][..], &[0x55, 0x55]].concat());
        // 70 bytes on the bus, as in the recorded BFR_SIZE of each frame of 60, and 74 in the chip.
        assert_eq!((bytes.len(), outbox.needed()), (0x46, 0x4A));
    }

    #[test]
    fn the_longest_frame_fits_and_one_byte_more_is_refused() {
        let mut buffer = [0; SEND_LEN];
        let mut outbox = Outbox::new(&mut buffer);
        assert_eq!(outbox.put(&[1; MAX_FRAME + 1]), Err(NotSent::TooLong { length: 1523 }));
        assert_eq!(outbox.put(&[1; 13]), Err(NotSent::TooShort { length: 13 }));
        assert!(!outbox.is_waiting());
        assert_eq!(outbox.put(&[1; MAX_FRAME]), Ok(()));
        assert_eq!(outbox.bytes().len(), SEND_LEN);
        assert_eq!(outbox.put(&[1; MAX_FRAME]), Err(NotSent::Busy));
        assert_eq!((outbox.clear(), outbox.clear()), (Some(MAX_FRAME), None));
    }
}
