//! Where frames come from: pcapng, pcap, hexadecimal text, raw V2GTP.

use std::fmt;
use std::io::{self, BufReader, Cursor, Read};
use std::ops::ControlFlow;

use crate::hex::{self, Odd};
use crate::lines::{self, Line};
use pcap_parser::traits::{PcapNGPacketBlock, PcapReaderIterator};
use pcap_parser::{
    Block, InterfaceDescriptionBlock, LegacyPcapReader, PcapBlockOwned, PcapError, PcapNGReader,
};

/// What the start of a file says it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// A pcapng capture.
    PcapNg,
    /// A pcap capture, either byte order, micro- or nanoseconds.
    Pcap,
    /// Lines of hexadecimal digits: EXI documents, V2GTP messages or Ethernet frames.
    Hex,
    /// V2GTP messages one after the other, as in a TCP stream.
    V2gtp,
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::PcapNg => "pcapng",
            Self::Pcap => "pcap",
            Self::Hex => "hex",
            Self::V2gtp => "raw V2GTP",
        })
    }
}

/// One piece of a file with its 1-based number.
#[derive(Clone, Copy, Debug)]
pub struct Packet<'a> {
    /// Number of the frame in a capture, of the line in hexadecimal text; 1 in raw V2GTP.
    pub frame: u64,
    /// Time since the Unix epoch in nanoseconds, where the file has times.
    pub time_ns: Option<i64>,
    /// What the bytes are.
    pub data: Data<'a>,
}

/// What the bytes of a [`Packet`] are.
#[derive(Clone, Copy, Debug)]
pub enum Data<'a> {
    /// A frame of this link type (the numbers of pcap: 1 is Ethernet).
    Link(i32, &'a [u8]),
    /// One line of hexadecimal text, already turned into bytes.
    Line(&'a [u8]),
    /// The next piece of a stream of V2GTP messages.
    Stream(&'a [u8]),
    /// A line of hexadecimal text that is not hexadecimal, with the 1-based column.
    BadLine(usize),
    /// A line of text that is longer than a line may be.
    LongLine,
}

/// How the reading of a file ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum End {
    /// At the end of the file.
    Complete,
    /// The file ends, or is damaged, in the middle of a block; everything before was read.
    Cut(String),
    /// The reader of the packets had enough.
    Stopped,
}

/// Why a file is not read at all.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The file cannot be read.
    #[error("cannot read it: {0}")]
    Io(#[from] io::Error),
    /// There is nothing in the file.
    #[error("it is empty; expected {EXPECTED}")]
    Empty,
    /// The file is compressed.
    #[error("it is compressed ({0}); unpack it first, for example `{1}`")]
    Compressed(&'static str, &'static str),
    /// The file is something else.
    #[error("it is not a capture (it starts with {0}); expected {EXPECTED}")]
    NotACapture(String),
}

/// What `decode` reads, for messages.
pub const EXPECTED: &str =
    "a pcapng or pcap capture, lines of hexadecimal digits, or raw V2GTP (starting with 01 FE)";

/// Bytes read at once, and needed, to tell the formats apart.
const PEEK: usize = 4096;
const ENOUGH: usize = 8;
/// The reading buffer, and its bound when a block is larger (a block holds one frame and its options):
/// judgement; what is larger than the bound is taken as damage.
const BUFFER: usize = 256 * 1024;
const LARGEST_BLOCK: usize = 16 * 1024 * 1024;

type Sink<'s> = dyn FnMut(Packet<'_>) -> ControlFlow<()> + 's;
/// Takes the blocks of a capture.
pub type BlockSink<'s> = dyn FnMut(&PcapBlockOwned<'_>) -> ControlFlow<()> + 's;
type Input = io::Chain<Cursor<Vec<u8>>, Box<dyn Read>>;

/// A file whose format is known.
pub struct Source {
    format: Format,
    input: Input,
}

impl Source {
    /// Reads the start of `input` and finds out what it is.
    pub fn open(mut input: Box<dyn Read>) -> Result<Self, Error> {
        let mut start = Vec::new();
        // One reading is enough, for a pipe may bring more only later.
        while start.len() < ENOUGH && read_some(&mut input, &mut start)? > 0 {}
        let format = detect(&start)?;
        Ok(Self { format, input: Cursor::new(start).chain(input) })
    }

    /// What the start of the file says it is.
    pub fn format(&self) -> Format {
        self.format
    }

    /// Gives every packet to `sink` until it breaks off. Memory does not depend on the file's size.
    pub fn read(self, sink: &mut Sink<'_>) -> Result<End, Error> {
        match self.format {
            Format::PcapNg | Format::Pcap => {
                let mut interfaces = Interfaces::default();
                Ok(self.blocks(&mut |block| take_block(block, &mut interfaces, sink)))
            }
            Format::Hex => read_lines(BufReader::new(self.input), sink),
            Format::V2gtp => read_stream(self.input, sink),
        }
    }

    /// Gives every block of a capture to `sink` until it breaks off; a file of another format has none.
    pub fn blocks(self, sink: &mut BlockSink<'_>) -> End {
        let started = match self.format {
            Format::PcapNg => PcapNGReader::new(BUFFER, self.input).map(|reader| each_block(reader, sink)),
            Format::Pcap => LegacyPcapReader::new(BUFFER, self.input).map(|reader| each_block(reader, sink)),
            Format::Hex | Format::V2gtp => return End::Complete,
        };
        started.unwrap_or_else(|error| End::Cut(describe(&error)))
    }
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

fn detect(start: &[u8]) -> Result<Format, Error> {
    match start {
        [] => Err(Error::Empty),
        [0x0A, 0x0D, 0x0D, 0x0A, ..] => Ok(Format::PcapNg),
        [0xD4, 0xC3, 0xB2, 0xA1, ..]
        | [0xA1, 0xB2, 0xC3, 0xD4, ..]
        | [0x4D, 0x3C, 0xB2, 0xA1, ..]
        | [0xA1, 0xB2, 0x3C, 0x4D, ..]
        | [0x34, 0xCD, 0xB2, 0xA1, ..] => Ok(Format::Pcap),
        [0x01, 0xFE, ..] => Ok(Format::V2gtp),
        [0x1F, 0x8B, ..] => Err(Error::Compressed("gzip", "gunzip -k FILE")),
        [0x28, 0xB5, 0x2F, 0xFD, ..] => Err(Error::Compressed("zstd", "unzstd FILE")),
        [0xFD, b'7', b'z', b'X', b'Z', ..] => Err(Error::Compressed("xz", "unxz -k FILE")),
        _ if is_hex_text(start) => Ok(Format::Hex),
        _ => Err(Error::NotACapture(first_bytes(start))),
    }
}

/// Whether the first line that says something consists of hexadecimal digits and separators.
fn is_hex_text(start: &[u8]) -> bool {
    let mut lines = start.split(|&byte| byte == b'\n').map(without_comment);
    let first = lines.find(|line| !line.trim_ascii().is_empty());
    let mut bytes = Vec::new();
    first.is_some_and(|line| hex::parse(line, &mut bytes, Odd::Allowed).is_ok() && !line.is_empty())
}

fn first_bytes(start: &[u8]) -> String {
    let hex: Vec<String> = start.iter().take(8).map(|byte| format!("{byte:02X}")).collect();
    hex.join(" ")
}

fn without_comment(line: &[u8]) -> &[u8] {
    line.split(|&byte| byte == b'#').next().unwrap_or_default()
}

fn read_lines(mut input: BufReader<Input>, sink: &mut Sink<'_>) -> Result<End, Error> {
    let (mut line, mut bytes) = (Vec::new(), Vec::new());
    for frame in 1.. {
        let read = lines::next(&mut input, &mut line)?;
        let text = without_comment(&line).trim_ascii();
        let data = match read {
            Line::End => break,
            Line::TooLong => Data::LongLine,
            Line::Whole if text.is_empty() => continue,
            Line::Whole => match hex::parse(text, &mut bytes, Odd::Refused) {
                Ok(()) => Data::Line(&bytes),
                Err(column) => Data::BadLine(column),
            },
        };
        if sink(Packet { frame, time_ns: None, data }).is_break() {
            return Ok(End::Stopped);
        }
    }
    Ok(End::Complete)
}

fn read_stream(mut input: Input, sink: &mut Sink<'_>) -> Result<End, Error> {
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

/// What the packets of a capture refer to.
#[derive(Default)]
struct Interfaces {
    known: Vec<Interface>,
    frames: u64,
    /// Units of a second in a pcap file; its link type is that of interface 0.
    fraction: i64,
    /// The byte order of a pcapng section.
    is_big_endian: bool,
}

#[derive(Clone, Copy)]
struct Interface {
    link_type: i32,
    /// Units of time in a second; `None`: more than can be counted, so that no time is a whole nanosecond.
    units_per_second: Option<u128>,
    offset_s: i64,
    snap_length: u32,
}

/// Interfaces one section may describe: judgement, a bound against damaged files.
const MAX_INTERFACES: usize = 4096;

impl Interface {
    fn new(block: &InterfaceDescriptionBlock<'_>, is_big_endian: bool) -> Self {
        let exponent = u32::from(block.if_tsresol & 0x7F);
        let base: u128 = if block.if_tsresol & 0x80 == 0 { 10 } else { 2 };
        // The parser takes the offset for little-endian in any case.
        let offset_s = if is_big_endian { block.if_tsoffset.swap_bytes() } else { block.if_tsoffset };
        let units_per_second = base.checked_pow(exponent);
        Self { link_type: block.linktype.0, units_per_second, offset_s, snap_length: block.snaplen }
    }

    /// `None` where the time is beyond what nanoseconds can count (the years 1677 to 2262).
    fn time_ns(self, high: u32, low: u32) -> Option<i64> {
        let ticks = u128::from(high) << 32 | u128::from(low);
        // 64 and 30 bits.
        let ns = self.units_per_second.map_or(0, |units| ticks * 1_000_000_000 / units);
        let ns = i128::try_from(ns).ok()?.checked_add(i128::from(self.offset_s) * 1_000_000_000)?;
        i64::try_from(ns).ok()
    }
}

/// Gives every block of a capture to `sink` until it breaks off, in constant memory.
fn each_block(mut reader: impl PcapReaderIterator, sink: &mut BlockSink<'_>) -> End {
    let mut capacity = BUFFER;
    loop {
        match reader.next() {
            Ok((length, block)) => {
                if sink(&block).is_break() {
                    return End::Stopped;
                }
                reader.consume_noshift(length);
            }
            Err(PcapError::Eof) => return End::Complete,
            Err(PcapError::Incomplete(_)) => {
                if let Err(error) = reader.refill() {
                    return End::Cut(describe(&error));
                }
            }
            Err(PcapError::BufferTooSmall) if capacity < LARGEST_BLOCK => {
                capacity *= 2;
                reader.grow(capacity);
                if let Err(error) = reader.refill() {
                    return End::Cut(describe(&error));
                }
            }
            Err(error) => return End::Cut(describe(&error)),
        }
    }
}

fn take_block(
    block: &PcapBlockOwned<'_>,
    interfaces: &mut Interfaces,
    sink: &mut Sink<'_>,
) -> ControlFlow<()> {
    let (time_ns, link_type, data) = match block {
        PcapBlockOwned::LegacyHeader(header) => {
            interfaces.fraction = if header.is_nanosecond_precision() { 1 } else { 1000 };
            interfaces.known.push(Interface {
                // The upper bits tell of frame check sequences.
                link_type: header.network.0 & 0x0FFF_FFFF,
                units_per_second: Some(1),
                offset_s: 0,
                snap_length: header.snaplen,
            });
            return ControlFlow::Continue(());
        }
        PcapBlockOwned::Legacy(frame) => {
            // 32 bits of seconds and 32 of microseconds are 62 bits of nanoseconds.
            let ns = i64::from(frame.ts_sec) * 1_000_000_000 + i64::from(frame.ts_usec) * interfaces.fraction;
            (Some(ns), interfaces.known.first().map(|known| known.link_type), frame.data)
        }
        PcapBlockOwned::NG(Block::SectionHeader(section)) => {
            interfaces.known.clear();
            interfaces.is_big_endian = section.big_endian();
            return ControlFlow::Continue(());
        }
        PcapBlockOwned::NG(Block::InterfaceDescription(description)) => {
            if interfaces.known.len() < MAX_INTERFACES {
                interfaces.known.push(Interface::new(description, interfaces.is_big_endian));
            }
            return ControlFlow::Continue(());
        }
        PcapBlockOwned::NG(Block::EnhancedPacket(frame)) => {
            let interface = usize::try_from(frame.if_id).ok().and_then(|id| interfaces.known.get(id));
            let time = interface.and_then(|interface| interface.time_ns(frame.ts_high, frame.ts_low));
            (time, interface.map(|interface| interface.link_type), frame.packet_data())
        }
        PcapBlockOwned::NG(Block::SimplePacket(frame)) => {
            let interface = interfaces.known.first();
            let snap = interface.map_or(0, |interface| interface.snap_length);
            let length = if snap == 0 { frame.origlen } else { frame.origlen.min(snap) };
            let data = frame.data.get(..usize::try_from(length).unwrap_or(0)).unwrap_or(frame.data);
            (None, interface.map(|interface| interface.link_type), data)
        }
        PcapBlockOwned::NG(_) => return ControlFlow::Continue(()),
    };
    interfaces.frames += 1;
    match link_type {
        Some(link_type) => {
            sink(Packet { frame: interfaces.frames, time_ns, data: Data::Link(link_type, data) })
        }
        // A packet of an interface that was never described: its bytes have no meaning.
        None => ControlFlow::Continue(()),
    }
}

fn describe<I: AsRef<[u8]>>(error: &PcapError<I>) -> String {
    match error {
        PcapError::ReadError => "reading failed".into(),
        PcapError::UnexpectedEof | PcapError::Incomplete(_) => "the file ends inside a block".into(),
        PcapError::BufferTooSmall => format!("a block is larger than {LARGEST_BLOCK} bytes: damaged"),
        _ => "a block is damaged".into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(text: &str) -> Vec<Result<Vec<u8>, usize>> {
        let source = Source::open(Box::new(Cursor::new(text.as_bytes().to_vec()))).unwrap();
        assert_eq!(source.format(), Format::Hex);
        let mut seen = Vec::new();
        let end = source.read(&mut |packet| {
            seen.push(match packet.data {
                Data::Line(bytes) => Ok(bytes.to_vec()),
                Data::BadLine(column) => Err(column),
                other => panic!("{other:?}"),
            });
            ControlFlow::Continue(())
        });
        assert_eq!(end.unwrap(), End::Complete);
        seen
    }

    #[test]
    fn hexadecimal_text_may_have_separators_comments_and_blank_lines() {
        let text = "# a comment\n\n80 9a:02-00\n0x80,0x40,\r\n8040 # Res\n";
        assert_eq!(lines(text), [Ok(vec![0x80, 0x9A, 2, 0]), Ok(vec![0x80, 0x40]), Ok(vec![0x80, 0x40])]);
    }

    #[test]
    fn a_line_that_is_not_hexadecimal_names_its_column_and_the_next_is_read() {
        assert_eq!(lines("8040\n80 4g\n804\n80\n"), [Ok(vec![0x80, 0x40]), Err(5), Err(3), Ok(vec![0x80])]);
    }

    #[test]
    fn what_is_no_capture_is_refused_with_what_was_expected() {
        for (bytes, what) in [
            (&b""[..], "it is empty; expected a pcapng"),
            (b"%PDF-1.7", "it starts with 25 50 44 46 2D 31 2E 37"),
            (b"Dear Sir or Madam", "not a capture"),
            (&[0x1F, 0x8B, 8, 0], "gunzip"),
            (&[0xFF; 20], "lines of hexadecimal digits, or raw V2GTP"),
        ] {
            let error = Source::open(Box::new(Cursor::new(bytes.to_vec()))).err().unwrap().to_string();
            assert!(error.contains(what), "{error}");
        }
    }

    #[test]
    fn times_follow_the_resolution_of_the_interface() {
        let interface =
            |units| Interface { link_type: 1, units_per_second: Some(units), offset_s: 1, snap_length: 0 };
        assert_eq!(interface(1_000_000).time_ns(0, 1_500_000), Some(2_500_000_000));
        assert_eq!(interface(1_000_000_000).time_ns(1, 0), Some(5_294_967_296));
        assert_eq!(interface(1 << 20).time_ns(0, 1 << 19), Some(1_500_000_000));
        assert_eq!(interface(1).time_ns(u32::MAX, u32::MAX), None, "beyond what nanoseconds can count");
    }

    /// A pcapng file in either byte order: one interface with this resolution and offset, and a packet at each time.
    fn pcapng(is_big_endian: bool, resolution: u8, offset_s: i64, ticks: &[u64]) -> Vec<u8> {
        let number = |value: u32| if is_big_endian { value.to_be_bytes() } else { value.to_le_bytes() };
        let pair = |one: u16, two: u16| {
            let bytes = |value: u16| if is_big_endian { value.to_be_bytes() } else { value.to_le_bytes() };
            [bytes(one), bytes(two)].concat()
        };
        let block = |kind: u32, body: &[u8]| {
            let length = number(u32::try_from(body.len() + 12).unwrap());
            [&number(kind)[..], &length, body, &length].concat()
        };
        let offset = if is_big_endian { offset_s.to_be_bytes() } else { offset_s.to_le_bytes() };
        let section = [&number(0x1A2B_3C4D)[..], &pair(1, 0), &[0xFF; 8]].concat();
        let interface = [
            &pair(1, 0)[..],
            &number(0),
            &pair(9, 1),
            &[resolution, 0, 0, 0],
            &pair(14, 8),
            &offset,
            &pair(0, 0),
        ]
        .concat();
        let mut file = [block(0x0A0D_0D0A, &section), block(1, &interface)].concat();
        for ticks in ticks {
            let (high, low) =
                (u32::try_from(ticks >> 32).unwrap(), u32::try_from(ticks & 0xFFFF_FFFF).unwrap());
            let packet = [number(0), number(high), number(low), number(4), number(4), [0xFF; 4]].concat();
            file.extend(block(6, &packet));
        }
        file
    }

    /// The times of a file's packets as read, and as events have them.
    fn times(file: Vec<u8>) -> Vec<Option<i64>> {
        let mut times = Vec::new();
        let mut decoder = crate::decode::Decoder::new();
        let source = Source::open(Box::new(Cursor::new(file))).unwrap();
        let end = source.read(&mut |packet| {
            times.push(packet.time_ns);
            decoder.take(packet, &mut |_| ());
            // The same bytes as a line are an event with a time.
            let line = Packet { data: Data::Line(&[0xFF]), ..packet };
            decoder.take(line, &mut |event| assert!(event.time_ns.is_none() || packet.time_ns.is_some()));
            ControlFlow::Continue(())
        });
        assert_eq!(end.unwrap(), End::Complete);
        times
    }

    #[test]
    fn an_offset_is_added_in_either_byte_order() {
        for is_big_endian in [false, true] {
            let file = pcapng(is_big_endian, 6, -2, &[5_000_000, 1_500_000]);
            assert_eq!(times(file), [Some(3_000_000_000), Some(-500_000_000)], "{is_big_endian}");
        }
    }

    #[test]
    fn times_that_cannot_be_counted_are_none_and_those_that_can_are_exact() {
        let most = 9_223_372_036;
        let ticks = [0, 1 << 31, 1 << 63, u64::MAX];
        assert_eq!(
            times(pcapng(false, 9, most, &ticks)),
            [Some(most * 1_000_000_000), None, None, None],
            "2^31 ns do not fit any more"
        );
        assert_eq!(
            times(pcapng(false, 9, -most, &ticks)),
            [Some(-most * 1_000_000_000), Some(-most * 1_000_000_000 + (1 << 31)), Some(854_775_808), None]
        );
        for offset in [i64::MIN, -most - 1, most + 1, i64::MAX] {
            assert_eq!(times(pcapng(false, 6, offset, &[0, 1]))[0], None, "{offset}");
        }
    }

    #[test]
    fn every_resolution_is_read() {
        for resolution in 0..=u8::MAX {
            for offset in [i64::MIN, -9_223_372_036, 0, 9_223_372_036, i64::MAX] {
                assert_eq!(times(pcapng(false, resolution, offset, &[u64::MAX, 0, 1 << 31])).len(), 3);
            }
        }
        let all = u64::MAX;
        // 10^-127 s and 2^-127 s: less than a nanosecond.
        assert_eq!(times(pcapng(false, 0x7F, 0, &[all])), [Some(0)]);
        assert_eq!(times(pcapng(false, 0xFF, 0, &[all])), [Some(0)]);
        assert_eq!(times(pcapng(false, 18, 0, &[all])), [Some(18_446_744_073)]);
        assert_eq!(times(pcapng(false, 0x80 | 64, 0, &[all])), [Some(999_999_999)]);
        assert_eq!(times(pcapng(false, 0, 0, &[1 << 31])), [Some((1 << 31) * 1_000_000_000)]);
    }

    #[test]
    fn the_latest_times_of_pcap_are_read() {
        for (magic, unit) in [(0xA1B2_C3D4_u32, 1000), (0xA1B2_3C4D, 1)] {
            let mut file = magic.to_le_bytes().to_vec();
            file.extend([2, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 4, 0, 1, 0, 0, 0]);
            for seconds in [1_u32 << 31, u32::MAX] {
                for field in [seconds, u32::MAX, 4, 4, 0] {
                    file.extend(field.to_le_bytes());
                }
            }
            let expected =
                [1_i64 << 31, u32::MAX.into()].map(|s| Some(s * 1_000_000_000 + i64::from(u32::MAX) * unit));
            assert_eq!(times(file), expected);
        }
    }

    #[test]
    fn a_line_of_more_than_a_mebibyte_is_one_trouble_with_its_number_and_the_next_is_read() {
        let longest = "80 ".repeat(lines::MAX_LINE / 3);
        let text = format!("8040\n{longest}{longest}{longest}\n{longest}\n\n8041\n#{longest}{longest}\n80");
        let source = Source::open(Box::new(Cursor::new(text.into_bytes()))).unwrap();
        let mut seen = Vec::new();
        let end = source.read(&mut |packet| {
            seen.push((
                packet.frame,
                match packet.data {
                    Data::Line(bytes) => Some(bytes.len()),
                    Data::LongLine => None,
                    other => panic!("{other:?}"),
                },
            ));
            ControlFlow::Continue(())
        });
        assert_eq!(end.unwrap(), End::Complete);
        let whole = Some(lines::MAX_LINE / 3);
        assert_eq!(seen, [(1, Some(2)), (2, None), (3, whole), (5, Some(2)), (6, None), (7, Some(1))]);
    }
}
