//! Input files: captures, text of any kind, raw bytes, each of them also compressed.

mod capture;
mod unpack;

use std::fmt;
use std::io::{self, BufReader, Cursor, Read};
use std::ops::ControlFlow;

use pcap_parser::PcapBlockOwned;

pub(crate) use super::piece::Sink;
pub use super::piece::{Data, EXPECTED, End, Error, Packet};
use super::{start, text};
use unpack::Packing;

/// Formats, determined by the start of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// A pcapng capture.
    PcapNg,
    /// A pcap capture, either byte order, microseconds or nanoseconds.
    Pcap,
    /// Lines of hexadecimal digits: EXI documents, V2GTP messages or Ethernet frames.
    Hex,
    /// Any other text with messages in it: logs, dumps, source text, tables.
    Text,
    /// V2GTP messages in sequence, as in a TCP stream.
    V2gtp,
    /// Raw bytes: EXI documents, an Ethernet frame, or V2GTP messages with other bytes between them.
    Bytes,
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::PcapNg => "pcapng",
            Self::Pcap => "pcap",
            Self::Hex => "hex",
            Self::Text => "text",
            Self::V2gtp => "raw V2GTP",
            Self::Bytes => "raw EXI",
        })
    }
}

/// Bytes needed to determine the format.
const PEEK: usize = 4096;
const ENOUGH: usize = 16;
/// Size of the read buffer in bytes.
const BUFFER: usize = 256 * 1024;

/// Receives the blocks of a capture.
pub type BlockSink<'s> = dyn FnMut(&PcapBlockOwned<'_>) -> ControlFlow<()> + 's;

/// A file whose format is known.
pub struct Source {
    format: Format,
    packing: Option<Packing>,
    input: Input,
}

impl Source {
    /// Reads the start of `input` and determines its format.
    pub fn open(mut input: Box<dyn Read>) -> Result<Self, Error> {
        let mut start = read_start(&mut input)?;
        let packing = Packing::of(&start);
        if let Some(packing) = packing {
            input = packing.unpack(Box::new(Cursor::new(start).chain(input)));
            start = read_start(&mut input)?;
            if let Some(again) = Packing::of(&start) {
                return Err(Error::Compressed(again.name()));
            }
        }
        let format = detect(&start)?;
        let input = Input { bytes: Box::new(Cursor::new(start).chain(input)), error: None };
        Ok(Self { format, packing, input })
    }

    /// The format.
    pub fn format(&self) -> Format {
        self.format
    }

    /// Name of the compression format; `None` if the file is not compressed.
    pub fn packing(&self) -> Option<&'static str> {
        self.packing.map(Packing::name)
    }

    /// Passes every packet to `sink` until it breaks off. Memory does not depend on the size of the file.
    pub fn read(self, sink: &mut Sink<'_>) -> Result<End, Error> {
        let mut input = self.input;
        let end = match self.format {
            Format::PcapNg | Format::Pcap => Ok(capture::read(self.format, &mut input, sink)),
            Format::Hex | Format::Text => {
                text::read(BufReader::with_capacity(BUFFER, &mut input), self.format == Format::Hex, sink)
            }
            Format::Bytes => text::read_bytes(&mut input, sink),
            Format::V2gtp => read_stream(&mut input, sink),
        };
        match (end, input.error) {
            // The parser of captures reports only that reading failed.
            (Ok(End::Cut(_)), Some(error)) => Ok(End::Cut(error)),
            (end, _) => end,
        }
    }

    /// Passes every block of a capture to `sink` until it breaks off; a file of another format has none.
    pub fn blocks(self, sink: &mut BlockSink<'_>) -> End {
        let mut input = self.input;
        let end = capture::blocks(self.format, &mut input, sink);
        match (end, input.error) {
            (End::Cut(_), Some(error)) => End::Cut(error),
            (end, _) => end,
        }
    }
}

/// The bytes of a file, and why they ended early.
struct Input {
    bytes: Box<dyn Read>,
    error: Option<String>,
}

impl Read for Input {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.bytes.read(buffer);
        if let Err(error) = &read
            && error.kind() != io::ErrorKind::Interrupted
        {
            self.error = Some(error.to_string());
        }
        read
    }
}

fn read_start(input: &mut Box<dyn Read>) -> io::Result<Vec<u8>> {
    let mut start = Vec::new();
    // Stops as soon as there is enough, because the next read of a pipe may block.
    while start.len() < ENOUGH && read_some(input, &mut start)? > 0 {}
    Ok(start)
}

fn read_some(input: &mut Box<dyn Read>, into: &mut Vec<u8>) -> io::Result<usize> {
    let mut chunk = [0; PEEK];
    loop {
        match input.read(&mut chunk) {
            Ok(count) => {
                into.extend_from_slice(chunk.get(..count).unwrap_or_default());
                return Ok(count);
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}

fn detect(bytes: &[u8]) -> Result<Format, Error> {
    match bytes {
        [] => Err(Error::Empty),
        [0x0A, 0x0D, 0x0D, 0x0A, ..] => Ok(Format::PcapNg),
        [0xD4, 0xC3, 0xB2, 0xA1, ..]
        | [0xA1, 0xB2, 0xC3, 0xD4, ..]
        | [0x4D, 0x3C, 0xB2, 0xA1, ..]
        | [0xA1, 0xB2, 0x3C, 0x4D, ..]
        | [0x34, 0xCD, 0xB2, 0xA1, ..] => Ok(Format::Pcap),
        [0x01, 0xFE, ..] => Ok(Format::V2gtp),
        _ if text::is_hex(bytes) => Ok(Format::Hex),
        _ if text::is_text(bytes) => Ok(Format::Text),
        _ if start::of(bytes).is_some() || start::has_v2gtp(bytes) => Ok(Format::Bytes),
        _ => Err(Error::NotACapture(first_bytes(bytes))),
    }
}

fn first_bytes(start: &[u8]) -> String {
    let hex: Vec<String> = start.iter().take(8).map(|byte| format!("{byte:02X}")).collect();
    hex.join(" ")
}

fn read_stream(input: &mut Input, sink: &mut Sink<'_>) -> Result<End, Error> {
    let mut buffer = vec![0; BUFFER];
    loop {
        let count = match input.read(&mut buffer) {
            Ok(0) => return Ok(End::Complete),
            Ok(count) => count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(error.into()),
        };
        let data = Data::Stream(buffer.get(..count).unwrap_or_default());
        if sink(Packet { frame: 1, time_ns: None, data }).is_break() {
            return Ok(End::Stopped);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lines::MAX_LINE;

    const ANSWER: &[u8] = &[0x80, 0x40, 0x00, 0x40];

    /// The lines of a text by their number: their bytes, or the column of the damage; absent for a line that
    /// is too long.
    fn lines(text: &str) -> Vec<(u64, Result<Vec<u8>, usize>)> {
        let source = Source::open(Box::new(Cursor::new(text.as_bytes().to_vec()))).unwrap();
        assert_eq!(source.format(), Format::Hex);
        let mut seen = Vec::new();
        let end = source.read(&mut |packet| {
            let what = match packet.data {
                Data::Line(bytes) => Ok(bytes.to_vec()),
                Data::BadLine(column) => Err(column),
                Data::LongLine => Err(0),
                other => panic!("{other:?}"),
            };
            seen.push((packet.frame, what));
            ControlFlow::Continue(())
        });
        assert_eq!(end.unwrap(), End::Complete);
        seen
    }

    #[test]
    fn hexadecimal_text_may_have_separators_comments_and_blank_lines() {
        let text = "# a comment\n\n80 40:00-40\n0x80,0x40,0x0,0x40\r\n80400040 # Res\n";
        let answer = |line| (line, Ok(ANSWER.to_vec()));
        assert_eq!(lines(text), [answer(3), answer(4), answer(5)]);
    }

    #[test]
    fn a_line_that_is_not_hexadecimal_names_its_column_and_the_next_is_read() {
        let (answer, is) = (Ok(ANSWER.to_vec()), lines("80400040\n80 4g\n80400040\n8040004\n"));
        assert_eq!(
            is,
            [(1, answer.clone()), (2, Err(5)), (3, answer), (4, Ok(ANSWER[..3].to_vec())), (4, Err(7))]
        );
    }

    #[test]
    fn what_is_no_capture_is_refused_with_what_was_expected() {
        for (bytes, what) in [
            (&b""[..], "it is empty; expected a pcapng"),
            (b"%PDF-1.7\n%\xE2\xE3\xCF\xD3\x01", "it starts with 25 50 44 46 2D 31 2E 37"),
            (&[0xFF; 20], "raw V2GTP (01 FE ...) or raw EXI"),
        ] {
            let error = Source::open(Box::new(Cursor::new(bytes.to_vec()))).err().unwrap().to_string();
            assert!(error.contains(what), "{error}");
        }
    }

    #[test]
    fn a_line_of_more_than_a_mebibyte_is_one_trouble_with_its_number_and_the_next_is_read() {
        let long = "80 ".repeat(MAX_LINE / 3);
        let text = format!("80400040\n{long}{long}{long}\n80400040\n\n80400040\n#{long}{long}\n80400040");
        let numbers: Vec<_> = lines(&text).into_iter().map(|(line, what)| (line, what == Err(0))).collect();
        assert_eq!(numbers, [(1, false), (2, true), (3, false), (5, false), (6, true), (7, false)]);
    }
}
