use core::fmt;

use crate::{Bits, Reader, Writer};

/// An integer of any size (`xs:integer`), as a view of its sign and its groups of seven bits.
///
/// Only XML signatures contain such integers (`X509SerialNumber`, `HMACOutputLength`).
#[derive(Clone, Copy)]
pub struct Integer<'a> {
    negative: bool,
    source: Source<'a>,
}

#[derive(Clone, Copy)]
enum Source<'a> {
    Bits {
        stream: &'a [u8],
        bit: u32,
        groups: u32,
    },
    /// Groups of seven bits, least significant first, of `v` or `-v - 1`.
    Groups(&'a [u8]),
}

impl<'a> Integer<'a> {
    /// An integer from its groups of seven bits, least significant first: those of the value, or of `-value -
    /// 1` if `negative`.
    pub const fn from_groups(negative: bool, groups: &'a [u8]) -> Self {
        Self { negative, source: Source::Groups(groups) }
    }

    /// Whether it is below zero.
    pub const fn is_negative(&self) -> bool {
        self.negative
    }

    /// The groups of seven bits, least significant first, of the value or of `-value - 1`.
    pub fn groups(&self) -> impl Iterator<Item = u8> + 'a {
        match self.source {
            Source::Bits { stream, bit, groups } => {
                Groups { reader: Reader::new(stream, bit), left: groups, plain: &[] }
            }
            Source::Groups(plain) => Groups { reader: Reader::new(&[], 0), left: 0, plain },
        }
    }

    /// Reads the sign and the groups.
    pub(crate) fn read<I: Bits<'a>>(input: &mut I) -> Self {
        let negative = input.take(1) == 1;
        let (stream, bit) = (input.stream(), input.bit());
        let mut groups = 1;
        while input.take(8) & 0x80 != 0 {
            groups += 1;
        }
        if input.failed() {
            Self::from_groups(false, &[0])
        } else {
            Self { negative, source: Source::Bits { stream, bit, groups } }
        }
    }

    /// Writes the sign and the significant groups.
    pub(crate) fn write(&self, out: &mut Writer<'_>) {
        out.put(u32::from(self.negative), 1);
        let mut groups = self.groups();
        for left in (0..self.significant()).rev() {
            let more = if left > 0 { 0x80 } else { 0 };
            out.put(u32::from(groups.next().unwrap_or(0)) | more, 8);
        }
    }

    /// The number of groups without superfluous zeros at the end; at least 1.
    fn significant(&self) -> usize {
        let (mut count, mut significant) = (0, 1);
        for group in self.groups() {
            count += 1;
            significant = if group == 0 { significant } else { count };
        }
        significant
    }

    /// The value; `None` with more than 18 significant groups (126 bits).
    pub fn to_i128(&self) -> Option<i128> {
        if self.significant() > 18 {
            return None;
        }
        let magnitude =
            self.groups().take(18).enumerate().fold(0, |sum, (i, group)| sum | i128::from(group) << (7 * i));
        Some(if self.negative { -magnitude - 1 } else { magnitude })
    }
}

/// The coded groups, then the plain ones; one of the two is empty.
struct Groups<'a> {
    reader: Reader<'a>,
    left: u32,
    plain: &'a [u8],
}

impl Iterator for Groups<'_> {
    type Item = u8;

    fn next(&mut self) -> Option<u8> {
        if self.left > 0 {
            self.left -= 1;
            return Some(self.reader.take(8) as u8 & 0x7f);
        }
        let (group, rest) = self.plain.split_first()?;
        self.plain = rest;
        Some(group & 0x7f)
    }
}

impl PartialEq for Integer<'_> {
    fn eq(&self, other: &Self) -> bool {
        let digits = |integer: &Self| integer.significant();
        self.negative == other.negative
            && self.groups().take(digits(self)).eq(other.groups().take(digits(other)))
    }
}

impl Eq for Integer<'_> {}

impl fmt::Debug for Integer<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.to_i128() {
            Some(value) => write!(f, "{value}"),
            None => write!(
                f,
                "{}(integer of {} groups)",
                if self.negative { "-" } else { "" },
                self.significant()
            ),
        }
    }
}
