//! Converts text in UTF-8 or UTF-16, with or without a byte order mark, to ASCII bytes.

use std::io::{self, BufRead, Read};

/// The encoding of a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Encoding {
    /// ASCII, UTF-8 or another superset of ASCII; with the length of the mark in bytes.
    Ascii(usize),
    /// UTF-16, little-endian or big-endian; with the length of the mark in bytes.
    Utf16 { is_big_endian: bool, mark: usize },
}

impl Encoding {
    /// The encoding according to the start of a text.
    pub(super) fn of(start: &[u8]) -> Self {
        match start {
            [0xEF, 0xBB, 0xBF, ..] => Self::Ascii(3),
            [0xFF, 0xFE, ..] => Self::Utf16 { is_big_endian: false, mark: 2 },
            [0xFE, 0xFF, ..] => Self::Utf16 { is_big_endian: true, mark: 2 },
            // Without a mark: two ASCII characters.
            [1..=0x7F, 0, 1..=0x7F, 0, ..] => Self::Utf16 { is_big_endian: false, mark: 0 },
            [0, 1..=0x7F, 0, 1..=0x7F, ..] => Self::Utf16 { is_big_endian: true, mark: 0 },
            _ => Self::Ascii(0),
        }
    }

    /// The start of a text as ASCII bytes; in UTF-16 other characters become a question mark.
    pub(super) fn ascii(self, start: &[u8]) -> Vec<u8> {
        match self {
            Self::Ascii(mark) => start.get(mark..).unwrap_or_default().to_vec(),
            Self::Utf16 { is_big_endian, mark } => {
                let pairs = start.get(mark..).unwrap_or_default().chunks_exact(2);
                pairs.map(|pair| narrow(pair, is_big_endian)).collect()
            }
        }
    }

    /// A whole text as ASCII bytes, converted while it is read.
    pub(super) fn read<R: BufRead>(self, mut input: R) -> Narrow<R> {
        let (Self::Ascii(mark) | Self::Utf16 { mark, .. }) = self;
        input.consume(mark);
        let is_big_endian = match self {
            Self::Ascii(_) => None,
            Self::Utf16 { is_big_endian, .. } => Some(is_big_endian),
        };
        Narrow { input, is_big_endian }
    }
}

fn narrow(pair: &[u8], is_big_endian: bool) -> u8 {
    match (pair, is_big_endian) {
        ([low @ 0..0x80, 0], false) | ([0, low @ 0..0x80], true) => *low,
        _ => b'?',
    }
}

/// A text as ASCII bytes.
pub(super) struct Narrow<R> {
    input: R,
    /// `None`: no conversion.
    is_big_endian: Option<bool>,
}

impl<R: BufRead> Read for Narrow<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let Some(is_big_endian) = self.is_big_endian else { return self.input.read(buffer) };
        let mut count = 0;
        for place in buffer.iter_mut() {
            // Characters that are present are returned before the next read blocks.
            if count > 0 && self.input.fill_buf()?.len() < 2 {
                break;
            }
            let mut pair = [0; 2];
            match self.input.read_exact(&mut pair) {
                Ok(()) => *place = narrow(&pair, is_big_endian),
                Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => break,
                Err(error) => return Err(error),
            }
            count += 1;
        }
        Ok(count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_encoding_gives_the_same_characters() {
        for bytes in [
            &b"80 40"[..],
            b"\xEF\xBB\xBF80 40",
            b"\xFF\xFE8\x000\0 \x004\x000\0",
            b"\xFE\xFF\x008\x000\0 \x004\x000",
            b"8\x000\0 \x004\x000\0",
            b"\x008\x000\0 \x004\x000",
        ] {
            let encoding = Encoding::of(bytes);
            assert_eq!(encoding.ascii(bytes), b"80 40", "{encoding:?}");
            let mut text = Vec::new();
            encoding.read(bytes).read_to_end(&mut text).unwrap();
            assert_eq!(text, b"80 40", "{encoding:?}");
        }
    }

    #[test]
    fn what_is_not_ascii_is_no_digit_in_utf_16() {
        let bytes = b"\xFF\xFE8\0\x30\x304\0";
        assert_eq!(Encoding::of(bytes).ascii(bytes), b"8?4");
    }
}
