use crate::{ErrorKind, State};

/// The bits of a stream, read in order.
///
/// Errors are sticky: after the first one every read returns zero, and the decoder checks once, at the end.
/// Each read is then a few instructions, and no decoder needs error paths.
pub trait Bits<'a> {
    /// Reads `n` bits, 1..=16, most significant first.
    fn take(&mut self, n: u32) -> u32;

    /// Expects `n` zero bits: the only event of a state has the code zero. They may be checked together with
    /// the next read.
    fn zeros(&mut self, n: u32);

    /// Skips `n` bytes of content and returns the bit at which they begin.
    fn skip_bytes(&mut self, n: u32) -> u32;

    /// Stores the first error, which is in the last `width` bits read. Later errors are its consequences and
    /// are dropped.
    fn fail(&mut self, kind: ErrorKind, width: u32);

    /// Whether an error is stored.
    fn failed(&self) -> bool;

    /// The whole stream.
    fn stream(&self) -> &'a [u8];

    /// The bit offset of the next read.
    fn bit(&self) -> u32;

    /// Reads the code of the next event in `state`; a state with one production has a one-bit code of zero.
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

    /// Reads the remaining groups of an integer whose first group is `first` (8 bits). A value above `max` is
    /// a range error.
    ///
    /// Any number of superfluous zero groups is accepted, as in deployed codecs.
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
