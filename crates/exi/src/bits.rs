use crate::{ErrorKind, State};

/// Bits of a stream, in order.
///
/// Errors are sticky: after the first one every read gives zero and the caller asks once, at the end.
/// That keeps each read a handful of instructions and every decoder free of error paths.
pub trait Bits<'a> {
    /// Reads `n` bits, 1..=16, most significant first.
    fn take(&mut self, n: u32) -> u32;

    /// Expects `n` zero bits: the only event that a state allows has the code zero. They may be checked
    /// together with the next read.
    fn zeros(&mut self, n: u32);

    /// Skips `n` bytes of content, whatever they are, and returns the bit at which they began.
    fn skip_bytes(&mut self, n: u32) -> u32;

    /// Notes the first error, which is in the last `width` bits that were read; later ones are its
    /// consequences.
    fn fail(&mut self, kind: ErrorKind, width: u32);

    /// Whether something failed.
    fn failed(&self) -> bool;

    /// The whole stream.
    fn stream(&self) -> &'a [u8];

    /// The bit that comes next.
    fn bit(&self) -> u32;

    /// Reads the code of the next event in `state`.
    #[inline(always)]
    fn event(&mut self, state: State) -> u32 {
        if state.codes == 1 {
            self.zeros(1);
            return 0;
        }
        self.choose(state)
    }

    /// Reads an event code that is wider than one bit.
    fn choose(&mut self, state: State) -> u32 {
        let code = self.take(u32::from(state.bits));
        if code < u32::from(state.codes) {
            return code;
        }
        self.fail(ErrorKind::Event, u32::from(state.bits));
        0
    }

    /// Reads the remaining groups of an integer whose first group was `first` (8 bits), up to `max`.
    ///
    /// Superfluous groups of zeros are accepted, as many as there are: deployed codecs take them too.
    fn integer(&mut self, first: u32, max: u32) -> u32 {
        let mut value = first & 0x7f;
        let (mut group, mut shift) = (first, 0);
        while group & 0x80 != 0 {
            group = self.take(8);
            shift += 7;
            let part = group & 0x7f;
            if part != 0 {
                if shift > 28 || (part << shift) >> shift != part {
                    self.fail(ErrorKind::Range, 8);
                    return 0;
                }
                value |= part << shift;
            }
        }
        if value > max {
            self.fail(ErrorKind::Range, 8);
            return 0;
        }
        value
    }

    /// Like [`integer`](Self::integer) for 64 bits.
    fn long_integer(&mut self, first: u32, max: u64) -> u64 {
        let mut value = u64::from(first & 0x7f);
        let (mut group, mut shift) = (first, 0);
        while group & 0x80 != 0 {
            group = self.take(8);
            shift += 7;
            let part = u64::from(group & 0x7f);
            if part != 0 {
                if shift > 63 || (part << shift) >> shift != part {
                    self.fail(ErrorKind::Range, 8);
                    return 0;
                }
                value |= part << shift;
            }
        }
        if value > max {
            self.fail(ErrorKind::Range, 8);
            return 0;
        }
        value
    }
}
