//! Text in UTF-8 with or without a mark, and in UTF-16, as bytes of ASCII.

use std::io::{self, BufRead, Read};

/// How the characters of a text are encoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Encoding {
    /// ASCII, UTF-8 or anything else in which ASCII stands for itself; the mark has this many bytes.
    Ascii(usize),
    /// UTF-16, little-endian or big-endian; the mark has this many bytes.
    Utf16 { is_big_endian: bool, mark: usize },
}

impl Encoding {
    /// What the start of a text says.
    pub fn of(start: &[u8]) -> Self {
        match start {
            [0xEF, 0xBB, 0xBF, ..] => Self::Ascii(3),
            [0xFF, 0xFE, ..] => Self::Utf16 { is_big_endian: false, mark: 2 },
            [0xFE, 0xFF, ..] => Self::Utf16 { is_big_endian: true, mark: 2 },
            // Without a mark: two characters of ASCII.
            [1..=0x7F, 0, 1..=0x7F, 0, ..] => Self::Utf16 { is_big_endian: false, mark: 0 },
            [0, 1..=0x7F, 0, 1..=0x7F, ..] => Self::Utf16 { is_big_endian: true, mark: 0 },
            _ => Self::Ascii(0),
        }
    }

    /// The characters of the start of a text as bytes; what is not ASCII is a question mark in UTF-16.
    pub fn ascii(self, start: &[u8]) -> Vec<u8> {
        match self {
            Self::Ascii(mark) => start.get(mark..).unwrap_or_default().to_vec(),
            Self::Utf16 { is_big_endian, mark } => {
                let pairs = start.get(mark..).unwrap_or_default().chunks_exact(2);
                pairs.map(|pair| narrow(pair, is_big_endian)).collect()
            }
        }
    }

    /// The same of a whole text, as it is read.
    pub fn read<R: BufRead>(self, mut input: R) -> Narrow<R> {
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

/// A text as bytes of ASCII.
pub struct Narrow<R> {
    input: R,
    /// `None`: it is read as it is.
    is_big_endian: Option<bool>,
}

impl<R: BufRead> Read for Narrow<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let Some(is_big_endian) = self.is_big_endian else { return self.input.read(buffer) };
        let mut count = 0;
        for place in buffer.iter_mut() {
            // What is there is given before more is waited for.
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
