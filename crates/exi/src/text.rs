use core::fmt;

use crate::{Bits, ErrorKind, Reader, Writer};

/// A string of at most `MAX` characters, as a view of the bits it was decoded from, or of a `str`.
///
/// A decoded string may be longer than `MAX`: the length facet does not change the coding, and deployed
/// decoders do not check it. The encoder refuses it.
#[derive(Clone, Copy)]
pub struct Text<'a, const MAX: u32 = { u32::MAX }>(Source<'a>);

#[derive(Clone, Copy)]
enum Source<'a> {
    Bits { stream: &'a [u8], bit: u32, characters: u32 },
    Str(&'a str),
}

impl<'a, const MAX: u32> Text<'a, MAX> {
    /// The characters.
    pub fn chars(&self) -> impl Iterator<Item = char> + 'a {
        self.0.chars()
    }

    /// The number of characters.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are no characters.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Reads the length and the characters.
    pub(crate) fn read<I: Bits<'a>>(input: &mut I) -> Self {
        Self(read(input))
    }

    /// Writes the length and the characters.
    pub(crate) fn write(&self, out: &mut Writer<'_>) {
        self.0.put(out, MAX);
    }

    /// The same string without a bound.
    #[cfg(feature = "names")]
    pub(crate) const fn of_any_length(self) -> Text<'a> {
        Text(self.0)
    }

    /// Copies the string as UTF-8 into `buffer`; `None` if it does not fit.
    pub fn copy_to<'b>(&self, buffer: &'b mut [u8]) -> Option<&'b str> {
        let mut length = 0;
        for c in self.chars() {
            length += c.encode_utf8(buffer.get_mut(length..length + c.len_utf8())?).len();
        }
        core::str::from_utf8(buffer.get(..length)?).ok()
    }
}

impl<'a> Source<'a> {
    fn chars(self) -> Characters<'a> {
        match self {
            Self::Bits { stream, bit, characters } => {
                Characters { reader: Reader::new(stream, bit), left: characters, plain: "" }
            }
            Self::Str(plain) => Characters { reader: Reader::new(&[], 0), left: 0, plain },
        }
    }

    fn len(self) -> usize {
        match self {
            Self::Bits { characters, .. } => characters as usize,
            // Bytes of UTF-8 that are not continuations.
            Self::Str(text) => text.bytes().filter(|byte| byte & 0xc0 != 0x80).count(),
        }
    }

    fn put(self, out: &mut Writer<'_>, max: u32) {
        let length = u32::try_from(self.len()).unwrap_or(u32::MAX - 2);
        if length > max {
            return out.fail(ErrorKind::TooLong);
        }
        out.integer(length + 2);
        for c in self.chars() {
            out.integer(u32::from(c));
        }
    }
}

/// The coded characters, then the plain ones; one of the two is empty.
struct Characters<'a> {
    reader: Reader<'a>,
    left: u32,
    plain: &'a str,
}

impl Iterator for Characters<'_> {
    type Item = char;

    fn next(&mut self) -> Option<char> {
        if self.left > 0 {
            self.left -= 1;
            return Some(character(&mut self.reader));
        }
        let c = self.plain.chars().next()?;
        self.plain = self.plain.get(c.len_utf8()..)?;
        Some(c)
    }
}

/// Reads one character; fails if the code point is not a character.
fn character<'a, I: Bits<'a>>(input: &mut I) -> char {
    let first = input.take(8);
    let code = if first < 0x80 { first } else { input.integer(first, u32::MAX) };
    char::from_u32(code).unwrap_or_else(|| {
        input.fail(ErrorKind::Character, 8);
        char::REPLACEMENT_CHARACTER
    })
}

#[inline(never)]
fn read<'a, I: Bits<'a>>(input: &mut I) -> Source<'a> {
    let first = input.take(8);
    let length = input.integer(first, u32::MAX);
    if length < 2 {
        input.fail(ErrorKind::StringTable, 8);
        return Source::Str("");
    }
    let (stream, bit, characters) = (input.stream(), input.bit(), length - 2);
    // A character has at least eight bits, so a larger length is refused before any character is read.
    if characters as usize > stream.len().saturating_sub((bit / 8) as usize) {
        input.fail(ErrorKind::Length, 8);
        return Source::Str("");
    }
    for _ in 0..characters {
        if input.failed() {
            return Source::Str("");
        }
        character(input);
    }
    Source::Bits { stream, bit, characters }
}

impl<'a, const MAX: u32> From<&'a str> for Text<'a, MAX> {
    fn from(text: &'a str) -> Self {
        Self(Source::Str(text))
    }
}

impl<const MAX: u32> PartialEq for Text<'_, MAX> {
    fn eq(&self, other: &Self) -> bool {
        self.chars().eq(other.chars())
    }
}

impl<const MAX: u32> Eq for Text<'_, MAX> {}

impl<const MAX: u32> PartialEq<str> for Text<'_, MAX> {
    fn eq(&self, other: &str) -> bool {
        self.chars().eq(other.chars())
    }
}

impl<const MAX: u32> PartialEq<&str> for Text<'_, MAX> {
    fn eq(&self, other: &&str) -> bool {
        self == *other
    }
}

impl<const MAX: u32> fmt::Display for Text<'_, MAX> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.chars().try_for_each(|c| fmt::Write::write_char(f, c))
    }
}

impl<const MAX: u32> fmt::Debug for Text<'_, MAX> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "\"{self}\"")
    }
}
