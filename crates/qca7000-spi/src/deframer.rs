use core::ops::Range;

use crate::{MAX_FRAME, MIN_FRAME, READ_MAX, RECEIVE_OVERHEAD, SEND_OVERHEAD};

/// The bytes before a frame: its length plus 10 (32 bit, big endian), `AA` four times, its length (16 bit,
/// little endian), `00 00`.
const HEADER: usize = 12;
/// The pattern of each header; `None` is a byte of a length. No length needs more than 16 bits.
const PATTERN: [Option<u8>; HEADER] = {
    const AA: Option<u8> = Some(0xAA);
    const ZERO: Option<u8> = Some(0);
    [ZERO, ZERO, None, None, AA, AA, AA, AA, None, None, ZERO, ZERO]
};
const END: [u8; 2] = [0x55; 2];

/// The longest frame that the chip can store; a header with a greater length is invalid.
const LONGEST: usize = READ_MAX as usize - RECEIVE_OVERHEAD;

/// Finds the Ethernet frames in the bytes read from the chip, in the caller's memory and without copying a
/// frame.
///
/// Bytes are added with [`space`](Self::space) and [`filled`](Self::filled), in pieces of any size;
/// [`poll_item`](Self::poll_item) returns their content. A frame is valid if its two lengths agree, its
/// length is possible and its end mark is at that length. An apparent header without an end is searched again
/// from its second byte, so that a whole frame after noise, or after a cut frame, is found.
#[derive(Debug)]
pub struct Deframer<'b> {
    buffer: &'b mut [u8],
    /// Start of the bytes that are not searched yet.
    start: usize,
    end: usize,
    /// Outstanding bytes of a frame that is too long.
    skip: usize,
}

/// Output of a [`Deframer`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Item {
    /// A whole frame: its position, valid for [`Deframer::get`] until the next [`Deframer::space`].
    Frame(Range<usize>),
    /// The beginning of a frame without its end.
    Cut {
        /// Announced length in bytes.
        length: usize,
    },
    /// A frame above [`MAX_FRAME`]; its bytes are skipped.
    TooLong {
        /// Announced length in bytes.
        length: usize,
    },
    /// Bytes that belong to no frame.
    Noise {
        /// Number of bytes.
        bytes: usize,
    },
}

/// The content at the front of the bytes.
enum Front {
    Frame(usize),
    /// Its end mark is missing.
    Cut(usize),
    TooLong(usize),
    /// Possibly a frame; the announced length, if it has arrived.
    Partial(Option<usize>),
    Noise,
}

impl<'b> Deframer<'b> {
    /// A deframer with `buffer` as its memory. With fewer than [`RECEIVE_MIN`](crate::RECEIVE_MIN) bytes the
    /// longest frames do not fit and are cut.
    pub const fn new(buffer: &'b mut [u8]) -> Self {
        Self { buffer, start: 0, end: 0, skip: 0 }
    }

    /// Number of bytes that [`space`](Self::space) lends.
    pub const fn free(&self) -> usize {
        self.buffer.len() - (self.end - self.start)
    }

    /// Room for the next bytes from the chip. Bytes that are held move to the front of the buffer.
    pub fn space(&mut self) -> &mut [u8] {
        self.buffer.copy_within(self.start..self.end, 0);
        self.end -= self.start;
        self.start = 0;
        self.buffer.get_mut(self.end..).unwrap_or_default()
    }

    /// Adds the first `count` bytes of [`space`](Self::space), read from the chip.
    pub fn filled(&mut self, count: usize) {
        self.end = self.end.saturating_add(count).min(self.buffer.len());
    }

    /// The next item; `None` if more bytes are needed.
    pub fn poll_item(&mut self) -> Option<Item> {
        let item = self.search(false);
        if item.is_none() && self.free() == 0 {
            return self.search(true); // no more can come: the buffer is smaller than the frame
        }
        item
    }

    /// As [`poll_item`](Self::poll_item), when no more bytes will come: partial frames are released.
    pub fn poll_rest(&mut self) -> Option<Item> {
        let skipped = core::mem::take(&mut self.skip);
        self.start = self.start.saturating_add(skipped).min(self.end);
        self.search(true)
    }

    /// Whether part of a frame is held.
    pub const fn is_partial(&self) -> bool {
        self.end > self.start || self.skip > 0
    }

    /// The bytes of an [`Item::Frame`].
    pub fn get(&self, place: Range<usize>) -> &[u8] {
        self.buffer.get(place).unwrap_or_default()
    }

    /// Skips noise up to the next item; each byte is examined once.
    fn search(&mut self, last: bool) -> Option<Item> {
        let skipped = self.skip.min(self.end - self.start);
        self.start += skipped;
        self.skip -= skipped;
        let from = self.start;
        while self.start < self.end {
            let front = front(self.buffer.get(self.start..self.end).unwrap_or_default());
            let noise = self.start - from;
            match front {
                Front::Partial(_) if !last => break,
                Front::Noise | Front::Partial(None) => self.start += 1,
                _ if noise > 0 => break,
                Front::Frame(length) => {
                    let at = self.start + HEADER;
                    self.start += RECEIVE_OVERHEAD + length;
                    return Some(Item::Frame(at..at + length));
                }
                Front::Cut(length) | Front::Partial(Some(length)) => {
                    self.start += 1;
                    return Some(Item::Cut { length });
                }
                Front::TooLong(length) => {
                    self.start += HEADER;
                    self.skip = length + END.len();
                    return Some(Item::TooLong { length });
                }
            }
        }
        let bytes = self.start - from;
        (bytes > 0).then_some(Item::Noise { bytes })
    }
}

/// The content at the front of `bytes`.
fn front(bytes: &[u8]) -> Front {
    if bytes.iter().zip(PATTERN).any(|(byte, needed)| needed.is_some_and(|needed| needed != *byte)) {
        return Front::Noise;
    }
    let Some(([_, _, o1, o0, _, _, _, _, l0, l1, ..], rest)) = bytes.split_first_chunk::<HEADER>() else {
        return Front::Partial(None);
    };
    let outer = usize::from(u16::from_be_bytes([*o1, *o0]));
    let length = usize::from(u16::from_le_bytes([*l0, *l1]));
    if outer != length + SEND_OVERHEAD || !(MIN_FRAME..=LONGEST).contains(&length) {
        return Front::Noise;
    }
    if length > MAX_FRAME {
        return Front::TooLong(length);
    }
    match rest.get(length..length + END.len()) {
        None => Front::Partial(Some(length)),
        Some(end) if end == END => Front::Frame(length),
        Some(_) => Front::Cut(length),
    }
}

#[cfg(test)]
mod tests {
    extern crate std;
    use super::*;
    use crate::RECEIVE_MIN;
    use std::vec;
    use std::vec::Vec;

    /// A frame of `length` bytes `fill` as read from the chip; the header is the recorded one for 60 bytes.
    fn framed(length: u16, fill: u8) -> Vec<u8> {
        let mut bytes = u32::from(length + 10).to_be_bytes().to_vec();
        bytes.extend([0xAA; 4]);
        bytes.extend(length.to_le_bytes());
        bytes.extend([0, 0]);
        bytes.extend(vec![fill; length.into()]);
        bytes.extend([0x55, 0x55]);
        bytes
    }

    /// Everything in `stream`, added in pieces of at most `size`, frames as (length, first byte).
    fn items(mut stream: &[u8], size: usize) -> Vec<Result<(usize, u8), Item>> {
        let mut buffer = [0; RECEIVE_MIN];
        let mut deframer = Deframer::new(&mut buffer);
        let mut seen = Vec::new();
        while !stream.is_empty() {
            let (piece, rest) = stream.split_at(size.min(deframer.free()).min(stream.len()));
            stream = rest;
            deframer.space()[..piece.len()].copy_from_slice(piece);
            deframer.filled(piece.len());
            while let Some(item) = deframer.poll_item() {
                seen.push(match item {
                    Item::Frame(place) => Ok((place.len(), deframer.get(place)[0])),
                    other => Err(other),
                });
            }
        }
        while let Some(item) = deframer.poll_rest() {
            seen.push(Err(item));
        }
        assert!(!deframer.is_partial());
        seen
    }

    #[test]
    fn a_burst_of_frames_comes_out_in_order_however_it_is_cut() {
        let burst = [framed(60, 1), framed(300, 2), framed(1000, 3)].concat();
        for size in [1, 7, 12, 13, 74, 400, burst.len()] {
            assert_eq!(items(&burst, size), [Ok((60, 1)), Ok((300, 2)), Ok((1000, 3))], "pieces of {size}");
        }
    }

    #[test]
    fn frames_after_noise_and_after_a_frame_without_its_end_are_found() {
        let mut cut = framed(200, 9);
        cut.truncate(100);
        let stream = [&[0x5B; 5][..], &framed(60, 1), &cut, &framed(70, 2), &framed(80, 3)].concat();
        let noise = |bytes| Err(Item::Noise { bytes });
        let expected =
            [noise(5), Ok((60, 1)), Err(Item::Cut { length: 200 }), noise(99), Ok((70, 2)), Ok((80, 3))];
        assert_eq!(items(&stream, 1000), expected);
    }

    #[test]
    fn the_longest_frame_passes_and_a_longer_one_is_skipped_with_all_that_is_in_it() {
        let inside = framed(60, 4);
        let mut long = framed(1523, 7);
        long[500..500 + inside.len()].copy_from_slice(&inside);
        let stream = [framed(1522, 1), long, framed(60, 2)].concat();
        assert_eq!(items(&stream, 700), [Ok((1522, 1)), Err(Item::TooLong { length: 1523 }), Ok((60, 2))]);
    }

    #[test]
    fn noise_that_fills_the_buffer_together_with_a_part_of_the_longest_frame_costs_only_itself() {
        let stream = [&[0x5B; 5][..], &framed(1522, 1), &framed(60, 2)].concat();
        assert_eq!(items(&stream, RECEIVE_MIN), [Err(Item::Noise { bytes: 5 }), Ok((1522, 1)), Ok((60, 2))]);
    }

    #[test]
    fn a_frame_that_is_longer_than_the_buffer_is_cut_and_the_next_one_found() {
        let stream = [framed(100, 1), framed(60, 2)].concat();
        let mut buffer = [0; 80];
        let mut deframer = Deframer::new(&mut buffer);
        let mut rest = &stream[..];
        let mut seen = Vec::new();
        while !rest.is_empty() {
            let (piece, later) = rest.split_at(deframer.free().min(rest.len()));
            rest = later;
            deframer.space()[..piece.len()].copy_from_slice(piece);
            deframer.filled(piece.len());
            seen.extend(core::iter::from_fn(|| deframer.poll_item()));
        }
        assert_eq!(seen.first(), Some(&Item::Cut { length: 100 }));
        assert!(matches!(seen.last(), Some(Item::Frame(place)) if place.len() == 60));
    }

    #[test]
    fn a_length_that_no_frame_in_the_chip_has_is_noise() {
        for length in [59, 3154, 0xFFF5_u16] {
            let mut header = framed(length, 0);
            header.truncate(12);
            let stream = [&header[..], &framed(60, 2)].concat();
            assert_eq!(items(&stream, 1000), [Err(Item::Noise { bytes: 12 }), Ok((60, 2))], "{length}");
        }
    }

    #[test]
    fn two_lengths_that_differ_are_noise() {
        let mut wrong = framed(60, 0);
        wrong[8] = 61;
        let stream = [&wrong[..], &framed(60, 2)].concat();
        assert_eq!(items(&stream, 1000), [Err(Item::Noise { bytes: 74 }), Ok((60, 2))]);
    }

    #[test]
    fn the_rest_of_a_frame_that_does_not_come_is_given_up_with_what_is_whole_in_it() {
        let mut cut = framed(1522, 9);
        cut.truncate(40);
        let stream = [&cut[..], &framed(60, 2), &[0, 0, 0][..]].concat();
        let mut buffer = [0; RECEIVE_MIN];
        let mut deframer = Deframer::new(&mut buffer);
        deframer.space()[..stream.len()].copy_from_slice(&stream);
        deframer.filled(stream.len());
        assert_eq!((deframer.poll_item(), deframer.is_partial()), (None, true));
        let seen: Vec<_> = core::iter::from_fn(|| deframer.poll_rest()).collect();
        let expected = [
            Item::Cut { length: 1522 },
            Item::Noise { bytes: 39 },
            Item::Frame(52..112),
            Item::Noise { bytes: 3 },
        ];
        assert_eq!((seen, deframer.is_partial()), (expected.to_vec(), false));
    }
}
