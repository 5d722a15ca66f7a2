use crate::{Bits, ErrorKind};

/// Reads bits from a byte slice, a word at a time.
#[derive(Clone, Debug)]
pub struct Reader<'a> {
    bytes: &'a [u8],
    /// The first bit that is not checked yet.
    bit: u32,
    /// How many bits from `bit` on must be zero before the next value.
    zeros: u32,
    /// The number of bits in `bytes`.
    end: u32,
    /// The last byte at which a whole word can be loaded.
    last_word: u32,
    fault: Option<(ErrorKind, u32)>,
}

impl<'a> Reader<'a> {
    /// The most bits that one machine word contains at any alignment.
    const WORD: u32 = usize::BITS - 7;

    /// Reads `bytes` from bit `start` on. Bytes after the first 512 MiB are ignored.
    // Each view creates one: a call saves flash where flash is scarce.
    #[cfg_attr(target_pointer_width = "32", inline(never))]
    pub fn new(bytes: &'a [u8], start: u32) -> Self {
        let end = u32::try_from(bytes.len()).unwrap_or(u32::MAX).saturating_mul(8).min(u32::MAX - 64);
        Self {
            bytes,
            bit: start,
            zeros: 0,
            end,
            last_word: (end / 8).saturating_sub(usize::BITS / 8),
            fault: None,
        }
    }

    /// The stored error. Checks the zero bits that are still expected.
    #[inline]
    pub fn finish(&mut self) -> Option<(ErrorKind, u32)> {
        if self.zeros > 0 {
            self.settle();
        }
        self.fault
    }

    /// Checks the zero bits that are still expected.
    #[inline(never)]
    fn settle(&mut self) {
        let mut left = core::mem::take(&mut self.zeros);
        while left > 0 {
            let n = left.min(16);
            let start = self.bit;
            let value = self.take(n);
            if value != 0 {
                return self.fail_at(ErrorKind::Event, start + n - (32 - value.leading_zeros()));
            }
            left -= n;
        }
    }

    /// A read past the end of the stream, a read with a one among the expected zeros or too many of them, or
    /// a read in a stream shorter than a word.
    #[cold]
    #[inline(never)]
    fn take_slowly(&mut self, n: u32) -> u32 {
        if self.fault.is_some() {
            self.zeros = 0;
            return 0;
        }
        if self.zeros > 0 {
            // A stream that ends among the expected zeros may contain a one before its end.
            let missing = self.zeros.saturating_sub(self.end.saturating_sub(self.bit));
            self.zeros -= missing;
            self.settle();
            return if missing > 0 { self.truncated() } else { self.take(n) };
        }
        if self.bit + n > self.end {
            return self.truncated();
        }
        (0..n).fold(0, |value, _| {
            let byte = self.bytes.get((self.bit / 8) as usize).copied().unwrap_or(0);
            let bit = u32::from(byte) >> (7 - self.bit % 8) & 1;
            self.bit += 1;
            value << 1 | bit
        })
    }

    #[cold]
    fn truncated(&mut self) -> u32 {
        self.fail_at(ErrorKind::Truncated, self.end);
        0
    }

    #[cold]
    #[inline(never)]
    fn fail_at(&mut self, kind: ErrorKind, bit: u32) {
        if self.fault.is_none() {
            self.fault = Some((kind, bit));
        }
        // Every later read is past the end of the stream, so nothing more is read.
        (self.bit, self.zeros) = (self.end, 0);
    }
}

impl<'a> Bits<'a> for Reader<'a> {
    fn take(&mut self, n: u32) -> u32 {
        let width = self.zeros + n;
        let next = self.bit + width;
        // Near the end the last whole word is loaded and shifted further.
        let start = (self.bit / 8).min(self.last_word);
        let word = self.bytes.get(start as usize..).and_then(|rest| rest.first_chunk());
        if let (Some(word), true, true) = (word, next <= self.end, width <= Self::WORD) {
            let word = usize::from_be_bytes(*word) << (self.bit - start * 8);
            let value = word >> (usize::BITS - width);
            if value >> n == 0 {
                self.bit = next;
                self.zeros = 0;
                return value as u32;
            }
        }
        self.take_slowly(n)
    }

    #[inline(always)]
    fn zeros(&mut self, n: u32) {
        self.zeros += n;
    }

    fn skip_bytes(&mut self, n: u32) -> u32 {
        if self.zeros > 0 {
            self.settle();
        }
        let start = self.bit;
        // Compared in bytes, so that no length overflows.
        if n > self.end.saturating_sub(start) / 8 {
            self.fail_at(ErrorKind::Length, start);
            return self.end;
        }
        self.bit += n * 8;
        start
    }

    fn fail(&mut self, kind: ErrorKind, width: u32) {
        let bit = self.bit.saturating_sub(width);
        self.fail_at(kind, bit);
    }

    fn failed(&self) -> bool {
        self.fault.is_some()
    }

    fn stream(&self) -> &'a [u8] {
        self.bytes
    }

    fn bit(&self) -> u32 {
        self.bit + self.zeros
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bits_come_most_significant_first_at_any_alignment() {
        let mut reader = Reader::new(&[0b1010_0101, 0xff, 0x00, 0x3c, 0x81], 0);
        assert_eq!(
            [reader.take(3), reader.take(6), reader.take(16), reader.take(8)],
            [0b101, 0b00_1011, 0xfe00, 0x79]
        );
        assert_eq!(reader.take(7), 1);
        assert_eq!(reader.finish(), None);
    }

    #[test]
    fn a_read_behind_the_end_fails_once_and_gives_zeros_from_then_on() {
        let mut reader = Reader::new(&[0xff], 0);
        assert_eq!((reader.take(9), reader.take(1)), (0, 0));
        assert_eq!(reader.finish(), Some((ErrorKind::Truncated, 8)));
    }

    #[test]
    fn an_expected_zero_that_is_one_is_found_with_its_position() {
        let mut reader = Reader::new(&[0b0001_0000, 0xff], 0);
        reader.zeros(5);
        reader.take(8);
        assert_eq!(reader.finish(), Some((ErrorKind::Event, 3)));
    }

    #[test]
    fn long_runs_of_expected_zeros_are_checked_too() {
        let mut reader = Reader::new(&[0, 0, 0, 0, 0, 0b0000_0011], 0);
        reader.zeros(46);
        assert_eq!(reader.take(2), 3);
        assert_eq!(reader.finish(), None);
        let mut reader = Reader::new(&[0, 0, 0b100, 0, 0, 0b0000_0011], 0);
        reader.zeros(46);
        reader.take(2);
        assert_eq!(reader.finish(), Some((ErrorKind::Event, 21)));
    }

    #[test]
    fn integers_accept_superfluous_groups_and_refuse_larger_values() {
        let integer = |bytes: &[u8], max| {
            let mut reader = Reader::new(bytes, 0);
            let first = reader.take(8);
            let value = reader.integer(first, max);
            (value, reader.finish().map(|(kind, _)| kind))
        };
        assert_eq!(
            integer(&[0x81, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x00], 9),
            (1, None)
        );
        assert_eq!(integer(&[0x80; 16], 9), (0, Some(ErrorKind::Truncated)));
        assert_eq!(integer(&[0xff, 0xff, 0xff, 0xff, 0x0f], u32::MAX), (u32::MAX, None));
        assert_eq!(integer(&[0xff, 0xff, 0xff, 0xff, 0x1f], u32::MAX), (0, Some(ErrorKind::Range)));
        assert_eq!(integer(&[10], 9), (0, Some(ErrorKind::Range)));
    }

    #[test]
    fn a_length_beyond_the_stream_is_refused_before_anything_is_read() {
        let mut reader = Reader::new(&[0; 4], 1);
        assert_eq!(reader.skip_bytes(3), 1);
        reader.skip_bytes(u32::MAX);
        assert_eq!(reader.finish(), Some((ErrorKind::Length, 25)));
    }
}
