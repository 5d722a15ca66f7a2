use crate::{Error, HEADER_LEN, Header, Message, PayloadType};

/// Extracts whole messages from a TCP stream that arrives in pieces of any size.
///
/// `N` bounds one message, header included, in bytes; it is also the memory used.
///
/// Policy: an invalid header, an empty payload and a message longer than `N` are errors, and the error
/// persists: a stream has no marker for the next header, so the caller closes the connection and calls
/// [`reset`](Self::reset) for the next one. A valid header with a type without a name in [`PayloadType`] is
/// not an error, because a later edition of a standard may send it: its payload is skipped and reported as
/// [`Item::Skipped`].
#[derive(Debug)]
pub struct Deframer<const N: usize> {
    state: State,
    buffer: [u8; N],
    /// Bytes of the current message received so far, header included.
    held: usize,
}

/// Output of a [`Deframer`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Item<'a> {
    /// A whole message.
    Message(Message<'a>),
    /// A message of unknown type was skipped.
    Skipped {
        /// The unknown type.
        payload_type: PayloadType,
        /// Length of its payload in bytes.
        length: u32,
    },
}

#[derive(Clone, Copy, Debug)]
enum State {
    Header,
    Payload { payload_type: PayloadType, end: usize },
    Skip { header: Header, left: usize },
    Failed(Error),
}

impl<const N: usize> Deframer<N> {
    /// Largest payload accepted, in bytes.
    pub const MAX_PAYLOAD: usize = N - HEADER_LEN;

    /// A deframer before the first byte of a stream.
    pub const fn new() -> Self {
        const { assert!(N > HEADER_LEN, "a Deframer<N> needs N > 8, the length of a header") };
        Self { state: State::Header, buffer: [0; N], held: 0 }
    }

    /// Discards the stream: the next byte is the first of a new one.
    pub fn reset(&mut self) {
        self.state = State::Header;
        self.held = 0;
    }

    /// Whether the stream so far ends between two messages.
    pub fn is_between_messages(&self) -> bool {
        matches!(self.state, State::Header) && self.held == 0
    }

    /// Consumes `piece` up to the end of the next item, and returns that item; `None` if `piece` ends before.
    /// Call it until it returns `None`.
    ///
    /// A message that is whole in `piece` is lent from there without a copy.
    ///
    /// # Errors
    /// [`Error::Version`], [`Error::Empty`] or [`Error::Oversize`], in every call until
    /// [`reset`](Self::reset); the rest of `piece` is not consumed.
    pub fn next<'a, 'p: 'a>(&'a mut self, piece: &mut &'p [u8]) -> Result<Option<Item<'a>>, Error> {
        loop {
            match self.state {
                State::Failed(error) => return Err(error),
                State::Header => {
                    let Some(header) = self.header(piece) else { return Ok(None) };
                    self.state = header.and_then(Self::after_header).unwrap_or_else(State::Failed);
                }
                State::Skip { header, left } => {
                    let skipped = take(piece, left).len();
                    if skipped < left {
                        self.state = State::Skip { header, left: left - skipped };
                        return Ok(None);
                    }
                    self.reset();
                    let Header { payload_type, length } = header;
                    return Ok(Some(Item::Skipped { payload_type, length }));
                }
                State::Payload { payload_type, end } => {
                    let whole = self.payload(piece, end);
                    return Ok(whole.map(|payload| Item::Message(Message { payload_type, payload })));
                }
            }
        }
    }

    /// Collects the eight bytes of a header.
    fn header(&mut self, piece: &mut &[u8]) -> Option<Result<Header, Error>> {
        self.fill(piece, HEADER_LEN).then(|| Header::parse(self.buffer.get(..HEADER_LEN).unwrap_or_default()))
    }

    fn after_header(header: Header) -> Result<State, Error> {
        let length = usize::try_from(header.length).unwrap_or(usize::MAX);
        if length > Self::MAX_PAYLOAD {
            return Err(Error::Oversize { length: header.length, max: Self::MAX_PAYLOAD });
        }
        Ok(match header.payload_type.name() {
            Some(_) => State::Payload { payload_type: header.payload_type, end: HEADER_LEN + length },
            None => State::Skip { header, left: length },
        })
    }

    /// Returns the payload when its last byte has arrived; then the next header begins.
    fn payload<'a, 'p: 'a>(&'a mut self, piece: &mut &'p [u8], end: usize) -> Option<&'a [u8]> {
        let length = end - HEADER_LEN;
        if self.held == HEADER_LEN && piece.len() >= length {
            self.reset();
            return Some(take(piece, length));
        }
        if !self.fill(piece, end) {
            return None;
        }
        self.reset();
        self.buffer.get(HEADER_LEN..end)
    }

    /// Copies from `piece` until `end` bytes are held; false if `piece` ends before.
    fn fill(&mut self, piece: &mut &[u8], end: usize) -> bool {
        let part = take(piece, end.saturating_sub(self.held));
        if let Some(free) = self.buffer.get_mut(self.held..self.held + part.len()) {
            free.copy_from_slice(part);
            self.held += part.len();
        }
        self.held == end
    }
}

impl<const N: usize> Default for Deframer<N> {
    fn default() -> Self {
        Self::new()
    }
}

/// Removes at most `count` bytes from the front of `piece`.
fn take<'a>(piece: &mut &'a [u8], count: usize) -> &'a [u8] {
    let (front, rest) = piece.split_at_checked(count).unwrap_or((piece, &[]));
    *piece = rest;
    front
}

#[cfg(test)]
mod tests {
    extern crate std;
    use super::*;
    use proptest::prelude::*;
    use std::vec::Vec;

    type Deframer = super::Deframer<72>;

    fn framed(payload_type: u16, payload: &[u8]) -> Vec<u8> {
        let length = u32::try_from(payload.len()).unwrap();
        let mut bytes = Header { payload_type: PayloadType(payload_type), length }.to_bytes().to_vec();
        bytes.extend(payload);
        bytes
    }

    /// Output of the deframer: type and payload, or type and length of a skipped one.
    #[derive(Debug, PartialEq)]
    enum Seen {
        Message(u16, Vec<u8>),
        Skipped(u16, u32),
    }

    fn feed(deframer: &mut Deframer, mut piece: &[u8], seen: &mut Vec<Seen>) -> Result<(), Error> {
        while let Some(item) = deframer.next(&mut piece)? {
            seen.push(match item {
                Item::Message(message) => Seen::Message(message.payload_type.0, message.payload.to_vec()),
                Item::Skipped { payload_type, length } => Seen::Skipped(payload_type.0, length),
            });
        }
        assert!(piece.is_empty(), "None means that the piece is used up");
        Ok(())
    }

    #[test]
    fn two_messages_come_out_whole_for_every_pair_of_split_positions() {
        let mut stream = framed(0x8001, &[1, 2, 3]);
        stream.extend(framed(0x8004, &[4, 5, 6, 7]));
        let expected =
            [Seen::Message(0x8001, [1, 2, 3].to_vec()), Seen::Message(0x8004, [4, 5, 6, 7].to_vec())];
        for first in 0..=stream.len() {
            for second in first..=stream.len() {
                let mut deframer = Deframer::new();
                let mut seen = Vec::new();
                for piece in [&stream[..first], &stream[first..second], &stream[second..]] {
                    feed(&mut deframer, piece, &mut seen).unwrap();
                }
                assert_eq!(seen, expected, "split at {first} and {second}");
                assert!(deframer.is_between_messages());
            }
        }
    }

    #[test]
    fn a_whole_message_in_a_piece_is_not_copied() {
        let stream = framed(0x8001, &[7; 20]);
        let mut deframer = Deframer::new();
        let mut piece = &stream[..];
        let Some(Item::Message(message)) = deframer.next(&mut piece).unwrap() else { panic!("no message") };
        assert_eq!(message.payload.as_ptr(), stream[HEADER_LEN..].as_ptr());
    }

    #[test]
    fn a_message_of_unknown_type_is_skipped_and_told_and_the_next_one_is_found() {
        let mut stream = framed(0xBEEF, &[9; 30]);
        stream.extend(framed(0x8001, &[1]));
        for size in 1..stream.len() {
            let mut deframer = Deframer::new();
            let mut seen = Vec::new();
            for piece in stream.chunks(size) {
                feed(&mut deframer, piece, &mut seen).unwrap();
            }
            assert_eq!(seen, [Seen::Skipped(0xBEEF, 30), Seen::Message(0x8001, [1].to_vec())]);
        }
    }

    #[test]
    fn the_largest_message_fits_and_one_byte_more_is_oversize() {
        let mut seen = Vec::new();
        let mut deframer = Deframer::new();
        feed(&mut deframer, &framed(0x8001, &[5; 64]), &mut seen).unwrap();
        assert_eq!(seen, [Seen::Message(0x8001, [5; 64].to_vec())]);
        let error = feed(&mut deframer, &framed(0x8001, &[5; 65]), &mut seen);
        assert_eq!(error, Err(Error::Oversize { length: 65, max: 64 }));
    }

    #[test]
    fn an_error_stays_until_reset() {
        let mut deframer = Deframer::new();
        let mut seen = Vec::new();
        // pyPLC's test suite sends a plain-text line before the stream.
        let error = feed(&mut deframer, b"plain text notice\n", &mut seen);
        assert_eq!(error, Err(Error::Version(b'p', b'l')));
        assert_eq!(feed(&mut deframer, &framed(0x8001, &[1]), &mut seen), error);
        deframer.reset();
        feed(&mut deframer, &framed(0x8001, &[1]), &mut seen).unwrap();
        assert_eq!(seen, [Seen::Message(0x8001, [1].to_vec())]);
    }

    #[test]
    fn an_empty_payload_is_an_error() {
        let mut deframer = Deframer::new();
        let error = feed(&mut deframer, &framed(0x8001, &[]), &mut Vec::new());
        assert_eq!(error, Err(Error::Empty(PayloadType::EXI)));
    }

    proptest! {
        #[test]
        fn any_messages_cut_anywhere_come_out_the_same(
            messages in prop::collection::vec((0x8001_u16..=0x8006, prop::collection::vec(any::<u8>(), 1..=64)), 0..6),
            sizes in prop::collection::vec(1_usize..40, 1..20),
        ) {
            let stream: Vec<u8> =
                messages.iter().flat_map(|(payload_type, payload)| framed(*payload_type, payload)).collect();
            let mut deframer = Deframer::new();
            let mut seen = Vec::new();
            let mut rest = &stream[..];
            for size in sizes.iter().cycle() {
                if rest.is_empty() { break }
                feed(&mut deframer, take(&mut rest, *size), &mut seen).unwrap();
            }
            let expected: Vec<_> = messages.into_iter().map(|(t, p)| Seen::Message(t, p)).collect();
            prop_assert_eq!(seen, expected);
        }

        #[test]
        fn garbage_gives_the_same_result_whole_and_byte_by_byte(
            known in 0_usize..8,
            garbage: Vec<u8>,
        ) {
            let start = &[1, 0xFE, 0x80, 1, 0, 0, 0, 3][..known];
            let stream = [start, &garbage].concat();
            let (mut whole, mut bytewise) = (Vec::new(), Vec::new());
            let one = feed(&mut Deframer::new(), &stream, &mut whole);
            let mut deframer = Deframer::new();
            let two = stream.chunks(1).try_for_each(|piece| feed(&mut deframer, piece, &mut bytewise));
            prop_assert_eq!((one, whole), (two, bytewise));
        }
    }
}
