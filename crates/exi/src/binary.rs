use core::fmt;

use crate::{Bits, ErrorKind, Reader, Writer};

/// At most `MAX` bytes, as a view of the bits they were decoded from, or of a slice.
///
/// `HEX` selects the text form (`xs:hexBinary` or `xs:base64Binary`); the coding is the same. A decoded value
/// may be longer than `MAX`; the encoder refuses it.
#[derive(Clone, Copy)]
pub struct Binary<'a, const HEX: bool, const MAX: u32>(Source<'a>);

/// Bytes whose text form is hexadecimal.
pub type HexBinary<'a, const MAX: u32 = { u32::MAX }> = Binary<'a, true, MAX>;

/// Bytes whose text form is base 64.
pub type Base64Binary<'a, const MAX: u32 = { u32::MAX }> = Binary<'a, false, MAX>;

#[derive(Clone, Copy)]
enum Source<'a> {
    Bits { stream: &'a [u8], bit: u32, bytes: u32 },
    Slice(&'a [u8]),
}

impl<'a, const HEX: bool, const MAX: u32> Binary<'a, HEX, MAX> {
    /// The bytes.
    pub fn iter(&self) -> impl Iterator<Item = u8> + 'a {
        let (mut reader, coded, plain): (_, _, &[u8]) = match self.0 {
            Source::Bits { stream, bit, bytes } => (Reader::new(stream, bit), bytes, &[]),
            Source::Slice(slice) => (Reader::new(&[], 0), 0, slice),
        };
        (0..coded).map(move |_| reader.take(8) as u8).chain(plain.iter().copied())
    }

    /// The number of bytes.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are no bytes.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Reads the length and the bytes.
    pub(crate) fn read<I: Bits<'a>>(input: &mut I) -> Self {
        Self(read(input))
    }

    /// Writes the length and the bytes.
    pub(crate) fn write(&self, out: &mut Writer<'_>) {
        self.0.put(out, MAX);
    }

    /// The same bytes without a bound, with base 64 as text form.
    #[cfg(feature = "names")]
    pub(crate) const fn in_base64(self) -> Base64Binary<'a> {
        Binary(self.0)
    }

    /// Copies the bytes to the start of `buffer`; `None` if they do not fit.
    pub fn copy_to<'b>(&self, buffer: &'b mut [u8]) -> Option<&'b [u8]> {
        let room = buffer.get_mut(..self.len())?;
        room.iter_mut().zip(self.iter()).for_each(|(to, from)| *to = from);
        Some(room)
    }
}

impl Source<'_> {
    const fn len(self) -> usize {
        match self {
            Self::Bits { bytes, .. } => bytes as usize,
            Self::Slice(slice) => slice.len(),
        }
    }

    fn put(self, out: &mut Writer<'_>, max: u32) {
        let length = u32::try_from(self.len()).unwrap_or(u32::MAX);
        if length > max {
            return out.fail(ErrorKind::TooLong);
        }
        out.integer(length);
        match self {
            Self::Bits { stream, bit, bytes } => {
                let mut reader = Reader::new(stream, bit);
                (0..bytes / 2).for_each(|_| out.put(reader.take(16), 16));
                (0..bytes % 2).for_each(|_| out.put(reader.take(8), 8));
            }
            Self::Slice(slice) => slice.iter().for_each(|byte| out.put(u32::from(*byte), 8)),
        }
    }
}

#[inline(never)]
fn read<'a, I: Bits<'a>>(input: &mut I) -> Source<'a> {
    let first = input.take(8);
    let bytes = input.integer(first, u32::MAX);
    let stream = input.stream();
    let bit = input.skip_bytes(bytes);
    if input.failed() { Source::Slice(&[]) } else { Source::Bits { stream, bit, bytes } }
}

impl<'a, const HEX: bool, const MAX: u32> From<&'a [u8]> for Binary<'a, HEX, MAX> {
    fn from(bytes: &'a [u8]) -> Self {
        Self(Source::Slice(bytes))
    }
}

impl<'a, const HEX: bool, const MAX: u32, const N: usize> From<&'a [u8; N]> for Binary<'a, HEX, MAX> {
    fn from(bytes: &'a [u8; N]) -> Self {
        Self(Source::Slice(bytes))
    }
}

impl<const HEX: bool, const MAX: u32> PartialEq for Binary<'_, HEX, MAX> {
    fn eq(&self, other: &Self) -> bool {
        self.iter().eq(other.iter())
    }
}

impl<const HEX: bool, const MAX: u32> Eq for Binary<'_, HEX, MAX> {}

impl<const HEX: bool, const MAX: u32> PartialEq<[u8]> for Binary<'_, HEX, MAX> {
    fn eq(&self, other: &[u8]) -> bool {
        self.iter().eq(other.iter().copied())
    }
}

impl<const HEX: bool, const MAX: u32> fmt::Display for Binary<'_, HEX, MAX> {
    /// Upper-case hexadecimal digits, or base 64 with padding.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if HEX {
            return self.iter().try_for_each(|byte| write!(f, "{byte:02X}"));
        }
        let mut bytes = self.iter();
        while let Some(first) = bytes.next() {
            let (second, third) = (bytes.next(), bytes.next());
            let group =
                u32::from(first) << 16 | u32::from(second.unwrap_or(0)) << 8 | u32::from(third.unwrap_or(0));
            let digits = [Some(0), Some(0), second, third];
            for (digit, shift) in digits.into_iter().zip([18, 12, 6, 0]) {
                fmt::Write::write_char(f, digit.map_or('=', |_| base64_digit(group >> shift & 63)))?;
            }
        }
        Ok(())
    }
}

fn base64_digit(value: u32) -> char {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    DIGITS.get(value as usize).map_or('=', |digit| char::from(*digit))
}

impl<const HEX: bool, const MAX: u32> fmt::Debug for Binary<'_, HEX, MAX> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}
