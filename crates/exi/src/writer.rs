use crate::{ErrorKind, State};

/// Writes bits into a byte slice, most significant first. Errors are sticky, as in the reader.
#[derive(Debug)]
pub struct Writer<'b> {
    buffer: &'b mut [u8],
    /// Number of whole bytes in `buffer`.
    length: usize,
    /// Bits that are not in `buffer` yet, at the top; zeros follow.
    word: usize,
    /// The number of bits that are not in `buffer` yet: those of `word`, and zeros that may extend past it.
    used: u32,
    fault: Option<(ErrorKind, u32)>,
}

impl<'b> Writer<'b> {
    /// Writes into `buffer` from its start.
    pub fn new(buffer: &'b mut [u8]) -> Self {
        Self { buffer, length: 0, word: 0, used: 0, fault: None }
    }

    /// Writes the low `n` bits of `value`, 1..=25; the rest of `value` must be zero.
    pub fn put(&mut self, value: u32, n: u32) {
        if self.used + n > usize::BITS {
            self.flush();
        }
        self.used += n;
        self.word |= (value as usize) << (usize::BITS - self.used);
    }

    /// Writes `n` zero bits: the codes of events without an alternative.
    #[inline(always)]
    pub fn zeros(&mut self, n: u32) {
        self.used += n;
    }

    /// Writes event `code` of `state`; `fixed` if both are compile-time constants.
    #[inline(always)]
    pub fn event(&mut self, code: u32, state: State, fixed: bool) {
        if fixed && state.codes == 1 {
            self.zeros(1);
        } else {
            self.put(code, u32::from(state.bits));
        }
    }

    /// Writes an unsigned integer as groups of seven bits, least significant first.
    pub fn integer(&mut self, value: u32) {
        self.groups(0, 8, value);
    }

    /// Writes a sign, and the groups of the value or of `-value - 1`.
    pub fn signed(&mut self, value: i32) {
        // `!value` is `-value - 1`.
        let (sign, magnitude) = if value < 0 { (0x100, !value) } else { (0, value) };
        self.groups(sign, 9, magnitude as u32);
    }

    /// Writes the groups of `value`; the first has `n` bits with `prefix` on top.
    fn groups(&mut self, mut prefix: u32, mut n: u32, mut value: u32) {
        while value > 0x7f {
            self.put(prefix | value & 0x7f | 0x80, n);
            value >>= 7;
            (prefix, n) = (0, 8);
        }
        self.put(prefix | value, n);
    }

    /// Like [`integer`](Self::integer) for 64 bits.
    pub fn long_integer(&mut self, mut value: u64) {
        while value > 0x7f {
            self.put((value & 0x7f | 0x80) as u32, 8);
            value >>= 7;
        }
        self.put(value as u32, 8);
    }

    /// Stores the first error.
    #[cold]
    pub fn fail(&mut self, kind: ErrorKind) {
        if self.fault.is_none() {
            let bit =
                u32::try_from(self.length).unwrap_or(u32::MAX).saturating_mul(8).saturating_add(self.used);
            self.fault = Some((kind, bit));
        }
    }

    /// Fills the last byte with zero bits and returns the number of bytes, or the first error. The position
    /// of [`BufferFull`](ErrorKind::BufferFull) is the end of the whole stream.
    pub fn finish(mut self) -> Result<usize, (ErrorKind, u32)> {
        self.used = self.used.next_multiple_of(8);
        self.flush();
        match self.fault {
            None => Ok(self.length),
            Some((ErrorKind::BufferFull, _)) => {
                let bits = u32::try_from(self.length).unwrap_or(u32::MAX).saturating_mul(8);
                Err((ErrorKind::BufferFull, bits))
            }
            Some(fault) => Err(fault),
        }
    }

    /// Moves whole bytes into the buffer; fewer than 8 bits remain.
    #[inline(never)]
    fn flush(&mut self) {
        let bytes = (self.used / 8) as usize;
        let word = self.word.to_be_bytes();
        match self.buffer.get_mut(self.length..).and_then(|rest| rest.first_chunk_mut()) {
            Some(room) if bytes <= word.len() => *room = word,
            _ => self.flush_slowly(bytes, word),
        }
        self.length += bytes;
        self.word = self.word.checked_shl(self.used & !7).unwrap_or(0);
        self.used &= 7;
    }

    /// Near the end of the buffer, or with zeros that extend past the word.
    #[cold]
    #[inline(never)]
    fn flush_slowly(&mut self, bytes: usize, word: [u8; size_of::<usize>()]) {
        if self.buffer.len() < self.length.saturating_add(bytes) {
            self.fail(ErrorKind::BufferFull);
        }
        let rest = self.buffer.get_mut(self.length..).unwrap_or_default();
        for (to, from) in rest.iter_mut().zip(word.into_iter().chain(core::iter::repeat(0))).take(bytes) {
            *to = from;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bits_go_out_most_significant_first_and_the_last_byte_is_padded_with_zeros() {
        let mut buffer = [0xff; 6];
        let mut writer = Writer::new(&mut buffer);
        writer.put(0b101, 3);
        writer.zeros(16);
        writer.put(0xffff, 16);
        writer.put(1, 1);
        assert_eq!(writer.finish(), Ok(5));
        assert_eq!(buffer[..5], [0xa0, 0x00, 0x1f, 0xff, 0xf0]);
    }

    #[test]
    fn zeros_beyond_a_word_are_all_written() {
        let mut buffer = [0xff; 40];
        let mut writer = Writer::new(&mut buffer);
        writer.put(1, 1);
        writer.zeros(200);
        writer.put(1, 1);
        assert_eq!(writer.finish(), Ok(26));
        assert_eq!((buffer[0], buffer[25]), (0x80, 0x40));
        assert!(buffer[1..25].iter().all(|byte| *byte == 0));
    }

    #[test]
    fn a_full_buffer_is_an_error_with_the_position_and_never_written_past() {
        let mut buffer = [0; 2];
        let mut writer = Writer::new(&mut buffer);
        for _ in 0..5 {
            writer.put(0xff, 8);
        }
        assert_eq!(writer.finish(), Err((ErrorKind::BufferFull, 40)));
        let mut exact = [0; 2];
        let mut writer = Writer::new(&mut exact);
        writer.put(0x1234, 16);
        assert_eq!(writer.finish(), Ok(2));
        assert_eq!(exact, [0x12, 0x34]);
    }
}
