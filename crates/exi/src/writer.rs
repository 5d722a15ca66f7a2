use crate::{ErrorKind, State};

/// Writes bits into a byte slice, most significant first. Errors are sticky, as in the reader.
#[derive(Debug)]
pub struct Writer<'b> {
    buffer: &'b mut [u8],
    /// Whole bytes in `buffer`.
    length: usize,
    /// Bits that are not in `buffer` yet, at the top.
    word: u32,
    /// How many bits of `word` are used.
    used: u32,
    fault: Option<(ErrorKind, u32)>,
}

impl<'b> Writer<'b> {
    /// Writes into `buffer` from its start.
    pub fn new(buffer: &'b mut [u8]) -> Self {
        Self { buffer, length: 0, word: 0, used: 0, fault: None }
    }

    /// Writes the low `n` bits of `value`, 1..=16; the rest of `value` must be zero.
    pub fn put(&mut self, value: u32, n: u32) {
        if self.used + n > 32 {
            self.flush();
        }
        self.used += n;
        self.word |= value << (32 - self.used);
    }

    /// Writes `n` zero bits, 1..=16: the codes of events without an alternative.
    #[inline]
    pub fn zeros(&mut self, n: u32) {
        if self.used + n > 32 {
            self.flush();
        }
        self.used += n;
    }

    /// Writes event `code` of `state`.
    #[inline(always)]
    pub fn event(&mut self, code: u32, state: State) {
        if state.codes == 1 {
            self.zeros(1);
        } else {
            self.put(code, u32::from(state.bits));
        }
    }

    /// Writes an unsigned integer as groups of seven bits, least significant first.
    pub fn integer(&mut self, mut value: u32) {
        while value > 0x7f {
            self.put(value & 0x7f | 0x80, 8);
            value >>= 7;
        }
        self.put(value, 8);
    }

    /// Like [`integer`](Self::integer) for 64 bits.
    pub fn long_integer(&mut self, mut value: u64) {
        while value > 0x7f {
            self.put((value & 0x7f | 0x80) as u32, 8);
            value >>= 7;
        }
        self.put(value as u32, 8);
    }

    /// Notes the first error.
    #[cold]
    pub fn fail(&mut self, kind: ErrorKind) {
        if self.fault.is_none() {
            let bit =
                u32::try_from(self.length).unwrap_or(u32::MAX).saturating_mul(8).saturating_add(self.used);
            self.fault = Some((kind, bit));
        }
    }

    /// Fills the last byte with zero bits and returns the number of bytes, or the first error.
    pub fn finish(mut self) -> Result<usize, (ErrorKind, u32)> {
        self.flush();
        if self.used > 0 {
            self.used = 8;
            self.flush();
        }
        self.fault.map_or(Ok(self.length), Err)
    }

    /// Moves the whole bytes of `word` into the buffer, so that fewer than 8 bits are left.
    fn flush(&mut self) {
        let bytes = (self.used / 8) as usize;
        let word = self.word.to_be_bytes();
        if let Some(room) = self.buffer.get_mut(self.length..).and_then(|rest| rest.first_chunk_mut::<4>()) {
            *room = word;
        } else {
            if self.buffer.len() < self.length + bytes {
                self.fail(ErrorKind::BufferFull);
            }
            let rest = self.buffer.get_mut(self.length..).unwrap_or_default();
            for (to, from) in rest.iter_mut().zip(word).take(bytes) {
                *to = from;
            }
        }
        self.length += bytes;
        self.word = if bytes == 4 { 0 } else { self.word << (bytes * 8) };
        self.used &= 7;
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
    fn a_full_buffer_is_an_error_with_the_position_and_never_written_past() {
        let mut buffer = [0; 2];
        let mut writer = Writer::new(&mut buffer);
        for _ in 0..5 {
            writer.put(0xff, 8);
        }
        assert_eq!(writer.finish().map_err(|(kind, _)| kind), Err(ErrorKind::BufferFull));
        let mut exact = [0; 2];
        let mut writer = Writer::new(&mut exact);
        writer.put(0x1234, 16);
        assert_eq!(writer.finish(), Ok(2));
        assert_eq!(exact, [0x12, 0x34]);
    }
}
