use nom::bytes::complete::take;
use nom::number::complete::{le_u16, le_u32};
use nom::{IResult, Parser};

use super::Layout;
use super::error::{Error, Fault};

/// Length of an NVM chain's header in bytes.
pub(super) const HEADER_LEN: usize = 96;
/// Length of the old image's own header in bytes.
pub(super) const FLAT_HEADER_LEN: usize = 12;

/// Offset of the image's checksum in a header.
const IMAGE_CHECKSUM: usize = 20;
/// Offset of the header's own checksum: the last word.
const HEADER_CHECKSUM: usize = HEADER_LEN - 4;
/// Offset of the checksum in the old image.
const FLAT_CHECKSUM: usize = 8;
/// No next header, or no previous one.
const END: u32 = 0xFFFF_FFFF;
/// Bound of headers in one chain: two in every observed image; judgement.
const MAX_HEADERS: usize = 8;
/// End of the fields that every layout shares.
pub(super) const MIN_PARAMETERS: usize = 0x100;
/// Lengths of bare parameters (QCA7420, QCA7000/7005; observed).
const BARE_LENGTHS: [usize; 2] = [8836, 8080];

const MANIFEST: u32 = 0x0E;
const PARAMETERS: u32 = 0x0F;

/// A part of the image, in bytes from its start.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Span {
    pub start: usize,
    pub len: usize,
}

impl Span {
    pub(super) fn of(self, bytes: &[u8]) -> Option<&[u8]> {
        bytes.get(self.start..self.start.checked_add(self.len)?)
    }
}

/// The parts of a checked image.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Shape {
    pub layout: Layout,
    pub parameters: Span,
    pub manifest: Option<Span>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Sums {
    Checked,
    Ignored,
}

struct Header {
    major: u16,
    minor: u16,
    image: u32,
    length: u32,
    checksum: u32,
    next: u32,
    previous: u32,
    kind: u32,
}

/// NOT of the XOR of all little-endian 32-bit words; a rest of one to three bytes is padded with zeros. Over
/// bytes that include their own checksum the result is zero.
pub fn checksum32(bytes: &[u8]) -> u32 {
    let word = |chunk: &[u8]| chunk.iter().rev().fold(0, |word, &byte| (word << 8) | u32::from(byte));
    !bytes.chunks(4).fold(0, |sum, chunk| sum ^ word(chunk))
}

/// Recomputes the checksums of an image with a valid structure, after an edit by other means.
///
/// # Errors
/// Any fault except a wrong checksum.
pub fn seal(bytes: &mut [u8]) -> Result<(), Error> {
    let shape = Shape::walk(bytes, Sums::Ignored)?;
    shape.seal(bytes);
    Ok(())
}

impl Shape {
    pub(super) fn read(bytes: &[u8]) -> Result<Self, Error> {
        Self::walk(bytes, Sums::Checked)
    }

    fn walk(bytes: &[u8], sums: Sums) -> Result<Self, Error> {
        let Some((start, _)) = bytes.split_first_chunk::<FLAT_HEADER_LEN>() else {
            return Err(Fault::Short.at(bytes.len()));
        };
        match start {
            [1, 0, 1, 0, ..] => chain(bytes, sums),
            [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0] if BARE_LENGTHS.contains(&bytes.len()) => {
                let parameters = Span { start: 0, len: bytes.len() };
                Ok(Self { layout: Layout::Bare, parameters, manifest: None })
            }
            [_, _, 0, 0, l0, l1, 0, 0, ..] if [*l0, *l1] != [0, 0] => {
                flat(bytes, usize::from(u16::from_le_bytes([*l0, *l1])), sums)
            }
            _ => Err(Fault::Unknown.at(0)),
        }
    }

    /// Recomputes the image's checksum and then the header's, which covers it.
    pub(super) fn seal(self, bytes: &mut [u8]) {
        match self.layout {
            Layout::Bare => {}
            Layout::Flat => put_checksum(bytes, Span { start: 0, len: bytes.len() }, FLAT_CHECKSUM),
            Layout::Chain => {
                for image in [self.manifest, Some(self.parameters)].into_iter().flatten() {
                    let header = image.start.saturating_sub(HEADER_LEN);
                    let sum = image.of(bytes).map_or(0, checksum32);
                    put(bytes, header + IMAGE_CHECKSUM, sum);
                    put_checksum(bytes, Span { start: header, len: HEADER_LEN }, HEADER_CHECKSUM);
                }
            }
        }
    }
}

/// Writes the word at `at` within `span` so that the checksum over `span` is zero.
fn put_checksum(bytes: &mut [u8], span: Span, at: usize) {
    put(bytes, span.start + at, 0);
    let sum = span.of(bytes).map_or(0, checksum32);
    put(bytes, span.start + at, sum);
}

fn put(bytes: &mut [u8], at: usize, word: u32) {
    if let Some(slot) = bytes.get_mut(at..at + 4) {
        slot.copy_from_slice(&word.to_le_bytes());
    }
}

fn flat(bytes: &[u8], length: usize, sums: Sums) -> Result<Shape, Error> {
    if length < MIN_PARAMETERS || !length.is_multiple_of(4) {
        return Err(Fault::Length.at(4));
    }
    if bytes.len() != length {
        let fault = if bytes.len() < length { Fault::Short } else { Fault::Trailing };
        return Err(fault.at(bytes.len().min(length)));
    }
    if sums == Sums::Checked && checksum32(bytes) != 0 {
        return Err(Fault::ImageChecksum.at(FLAT_CHECKSUM));
    }
    Ok(Shape { layout: Layout::Flat, parameters: Span { start: 0, len: length }, manifest: None })
}

fn chain(bytes: &[u8], sums: Sums) -> Result<Shape, Error> {
    let mut manifest = None;
    let mut parameters = None;
    let mut previous = END;
    let mut at = 0;
    for _ in 0..MAX_HEADERS {
        let (kind, image, next) = link(bytes, at, previous, sums)?;
        let slot = match kind {
            MANIFEST => &mut manifest,
            PARAMETERS => &mut parameters,
            _ => return Err(Fault::Kind.at(at)),
        };
        if slot.replace(image).is_some() {
            return Err(Fault::Kind.at(at));
        }
        let end = image.start + image.len;
        if next == END {
            if bytes.len() > end {
                return Err(Fault::Trailing.at(end));
            }
            let parameters = parameters.ok_or(Fault::NoParameters.at(at))?;
            return Ok(Shape { layout: Layout::Chain, parameters, manifest });
        }
        // In every observed image a header follows the previous image without a gap: no byte is unchecked.
        if usize::try_from(next) != Ok(end) {
            return Err(Fault::Link.at(at));
        }
        previous = u32::try_from(at).unwrap_or(END);
        at = end;
    }
    Err(Fault::Link.at(at))
}

/// Checks the header at `at` and its image; returns the image's kind, its position and the next header's
/// offset.
fn link(bytes: &[u8], at: usize, previous: u32, sums: Sums) -> Result<(u32, Span, u32), Error> {
    let span = Span { start: at, len: HEADER_LEN };
    let raw = span.of(bytes).ok_or(Fault::Short.at(bytes.len()))?;
    let (_, header) = header(raw).map_err(|_| Fault::Short.at(at))?;
    if (header.major, header.minor) != (1, 1) {
        return Err(Fault::Version.at(at));
    }
    if sums == Sums::Checked && checksum32(raw) != 0 {
        return Err(Fault::HeaderChecksum.at(at + HEADER_CHECKSUM));
    }
    let start = at + HEADER_LEN;
    if header.previous != previous || usize::try_from(header.image) != Ok(start) {
        return Err(Fault::Link.at(at));
    }
    let len = usize::try_from(header.length).map_err(|_| Fault::Length.at(at))?;
    let least = if header.kind == PARAMETERS { MIN_PARAMETERS } else { 4 };
    if len < least || !len.is_multiple_of(4) {
        return Err(Fault::Length.at(at));
    }
    let image = Span { start, len };
    let data = image.of(bytes).ok_or(Fault::Short.at(bytes.len()))?;
    if sums == Sums::Checked && checksum32(data) != header.checksum {
        return Err(Fault::ImageChecksum.at(at + IMAGE_CHECKSUM));
    }
    Ok((header.kind, image, header.next))
}

fn header(input: &[u8]) -> IResult<&[u8], Header> {
    // Versions, execute mask, position of the image in NVM and in memory, its length and checksum, entry
    // point, links, kind; then module, applet version, reserved words and the header's checksum.
    (le_u16, le_u16, le_u32, le_u32, le_u32, le_u32, le_u32, le_u32, le_u32, le_u32, le_u32, take(56_usize))
        .map(|(major, minor, _, image, _, length, checksum, _, next, previous, kind, _)| Header {
            major,
            minor,
            image,
            length,
            checksum,
            next,
            previous,
            kind,
        })
        .parse(input)
}

#[cfg(test)]
mod tests {
    extern crate std;
    use super::*;
    use crate::pib::sample;
    use std::vec;

    #[test]
    fn the_checksum_of_bytes_with_their_checksum_is_zero() {
        assert_eq!(checksum32(&[]), 0xFFFF_FFFF);
        assert_eq!(checksum32(&[1, 2, 3, 4]), !0x0403_0201);
        let mut bytes = vec![1, 2, 3, 4, 0, 0, 0, 0];
        put_checksum(&mut bytes, Span { start: 0, len: 8 }, 4);
        assert_eq!(checksum32(&bytes), 0);
    }

    #[test]
    fn a_header_that_is_wrong_is_refused_with_the_reason() {
        let good = sample::chain(0x100);
        assert!(Shape::read(&good).is_ok());
        let second = HEADER_LEN + sample::MANIFEST_LEN;
        let table = [
            (second, 2, Fault::Version.at(second)),
            (second + 4, 1, Fault::HeaderChecksum.at(second + 92)),
            (second + HEADER_LEN, 9, Fault::ImageChecksum.at(second + 20)),
            (second + 92, 1, Fault::HeaderChecksum.at(second + 92)),
        ];
        for (at, flip, expected) in table {
            let mut bytes = good.clone();
            bytes[at] ^= flip;
            assert_eq!(Shape::read(&bytes), Err(expected), "byte {at}");
        }
    }

    #[test]
    fn a_sealed_chain_with_a_wrong_link_length_or_kind_is_refused_with_the_reason() {
        let good = sample::chain(0x100);
        let second = HEADER_LEN + sample::MANIFEST_LEN;
        let end = good.len();
        let table = [
            (8, 0x64, Fault::Link.at(0)),             // the image does not follow its header
            (28, 0x7000, Fault::Link.at(0)),          // next header elsewhere
            (28, 0, Fault::Link.at(0)),               // a loop
            (second + 32, 4, Fault::Link.at(second)), // the header before is another one
            (second + 28, u32::try_from(end).unwrap(), Fault::Short.at(end)), // a third header, not there
            (second + 16, 0x102, Fault::Length.at(second)), // not words
            (second + 16, 0xFC, Fault::Length.at(second)), // too short for the common fields
            (second + 16, 0x7000_0000, Fault::Short.at(end)), // longer than the file
            (second + 36, 4, Fault::Kind.at(second)), // firmware
            (second + 36, MANIFEST, Fault::Kind.at(second)), // a second manifest
            (28, END, Fault::Trailing.at(second)),    // the chain ends at the manifest
        ];
        for (at, word, expected) in table {
            let mut bytes = good.clone();
            put(&mut bytes, at, word);
            let header = if at < second { 0 } else { second };
            put_checksum(&mut bytes, Span { start: header, len: HEADER_LEN }, HEADER_CHECKSUM);
            assert_eq!(Shape::read(&bytes), Err(expected), "word at {at}");
        }
        let mut manifest_alone = good[..second].to_vec();
        put(&mut manifest_alone, 28, END);
        seal(&mut manifest_alone).unwrap_err();
        put_checksum(&mut manifest_alone, Span { start: 0, len: HEADER_LEN }, HEADER_CHECKSUM);
        assert_eq!(Shape::read(&manifest_alone), Err(Fault::NoParameters.at(0)));
    }

    #[test]
    fn a_file_of_another_length_is_refused() {
        for good in [sample::chain(0x100), sample::flat(0x100)] {
            for len in 0..good.len() {
                assert_eq!(Shape::read(&good[..len]).map_err(|e| e.fault), Err(Fault::Short), "{len}");
            }
            let mut long = good.clone();
            long.push(0xFF);
            assert_eq!(Shape::read(&long), Err(Fault::Trailing.at(good.len())));
        }
        assert_eq!(Shape::read(&[0; 8835]), Err(Fault::Unknown.at(0)));
        assert_eq!(Shape::read(&[0x7F; 500]), Err(Fault::Unknown.at(0)));
        let mut odd = sample::flat(0x100);
        odd[4] = 2;
        assert_eq!(Shape::read(&odd), Err(Fault::Length.at(4)));
    }

    #[test]
    fn sealing_mends_any_flipped_parameter() {
        for good in [sample::chain(0x100), sample::flat(0x100)] {
            let mut bytes = good;
            let last = bytes.len() - 1;
            bytes[last] ^= 0x80;
            assert_eq!(Shape::read(&bytes).map_err(|e| e.fault), Err(Fault::ImageChecksum));
            seal(&mut bytes).unwrap();
            assert!(Shape::read(&bytes).is_ok());
        }
    }
}
