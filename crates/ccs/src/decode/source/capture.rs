//! Frames of pcapng and pcap files.

use std::io::Read;
use std::ops::ControlFlow;

use pcap_parser::traits::{PcapNGPacketBlock, PcapReaderIterator};
use pcap_parser::{
    Block, InterfaceDescriptionBlock, LegacyPcapReader, PcapBlockOwned, PcapError, PcapNGReader,
};

use super::{BUFFER, BlockSink, Data, End, Format, Packet, Sink};

/// Largest block in bytes (a block has one frame and its options): judgement, a larger one counts as damage.
const LARGEST_BLOCK: usize = 16 * 1024 * 1024;

/// Passes every frame of a capture to `sink` until it breaks off.
pub(super) fn read(format: Format, input: impl Read, sink: &mut Sink<'_>) -> End {
    let mut interfaces = Interfaces::default();
    blocks(format, input, &mut |block| take_block(block, &mut interfaces, sink))
}

/// Passes every block of a capture to `sink` until it breaks off; a file of another format has none.
pub(super) fn blocks(format: Format, input: impl Read, sink: &mut BlockSink<'_>) -> End {
    let started = match format {
        Format::PcapNg => PcapNGReader::new(BUFFER, input).map(|reader| each_block(reader, sink)),
        Format::Pcap => LegacyPcapReader::new(BUFFER, input).map(|reader| each_block(reader, sink)),
        Format::Hex | Format::Text | Format::V2gtp | Format::Bytes => return End::Complete,
    };
    started.unwrap_or_else(|error| End::Cut(describe(&error)))
}

/// State to which the packets of a capture refer.
#[derive(Default)]
struct Interfaces {
    known: Vec<Interface>,
    frames: u64,
    /// Units of a second in a pcap file. The link type of the file is that of interface 0.
    fraction: i64,
    /// Byte order of a pcapng section.
    is_big_endian: bool,
}

#[derive(Clone, Copy)]
struct Interface {
    link_type: i32,
    /// Time units per second; `None`: too many to be counted, so that every time is below one nanosecond.
    units_per_second: Option<u128>,
    offset_s: i64,
    snap_length: u32,
}

/// Most interfaces of one section: judgement, a bound against damaged files.
const MAX_INTERFACES: usize = 4096;

impl Interface {
    fn new(block: &InterfaceDescriptionBlock<'_>, is_big_endian: bool) -> Self {
        let exponent = u32::from(block.if_tsresol & 0x7F);
        let base: u128 = if block.if_tsresol & 0x80 == 0 { 10 } else { 2 };
        // The parser reads the offset as little-endian in any case.
        let offset_s = if is_big_endian { block.if_tsoffset.swap_bytes() } else { block.if_tsoffset };
        let units_per_second = base.checked_pow(exponent);
        Self { link_type: block.linktype.0, units_per_second, offset_s, snap_length: block.snaplen }
    }

    /// Time in ns since 1970; `None` outside the range of 64 bits (the years 1677 to 2262).
    fn time_ns(self, high: u32, low: u32) -> Option<i64> {
        let ticks = u128::from(high) << 32 | u128::from(low);
        // 64 and 30 bits.
        let ns = match self.units_per_second {
            // Nearly every file; this avoids the division.
            Some(1_000_000) => ticks * 1_000,
            Some(units) => ticks * 1_000_000_000 / units,
            None => 0,
        };
        let ns = i128::try_from(ns).ok()?.checked_add(i128::from(self.offset_s) * 1_000_000_000)?;
        i64::try_from(ns).ok()
    }
}

/// Passes every block to `sink` until it breaks off, in constant memory.
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
    let (time_ns, link_type, data, whole) = match block {
        PcapBlockOwned::LegacyHeader(header) => {
            interfaces.fraction = if header.is_nanosecond_precision() { 1 } else { 1000 };
            interfaces.known.push(Interface {
                // The upper bits describe frame check sequences.
                link_type: header.network.0 & 0x0FFF_FFFF,
                units_per_second: Some(1),
                offset_s: 0,
                snap_length: header.snaplen,
            });
            return ControlFlow::Continue(());
        }
        PcapBlockOwned::Legacy(frame) => {
            // 32 bits of seconds and 32 of microseconds fit into 62 bits of nanoseconds.
            let ns = i64::from(frame.ts_sec) * 1_000_000_000 + i64::from(frame.ts_usec) * interfaces.fraction;
            (Some(ns), interfaces.known.first().map(|known| known.link_type), frame.data, frame.origlen)
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
            (time, interface.map(|interface| interface.link_type), frame.packet_data(), frame.origlen)
        }
        PcapBlockOwned::NG(Block::SimplePacket(frame)) => {
            let interface = interfaces.known.first();
            let snap = interface.map_or(0, |interface| interface.snap_length);
            let length = if snap == 0 { frame.origlen } else { frame.origlen.min(snap) };
            let data = frame.data.get(..usize::try_from(length).unwrap_or(0)).unwrap_or(frame.data);
            (None, interface.map(|interface| interface.link_type), data, frame.origlen)
        }
        PcapBlockOwned::NG(_) => return ControlFlow::Continue(()),
    };
    interfaces.frames += 1;
    let whole = usize::try_from(whole).unwrap_or(usize::MAX);
    let data = match link_type {
        Some(link_type) if data.len() < whole => Data::CutLink(link_type, data, whole),
        Some(link_type) => Data::Link(link_type, data),
        None => Data::NoInterface,
    };
    sink(Packet { frame: interfaces.frames, time_ns, data })
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
    use crate::decode::source::Source;
    use std::io::Cursor;

    #[test]
    fn times_follow_the_resolution_of_the_interface() {
        let interface =
            |units| Interface { link_type: 1, units_per_second: Some(units), offset_s: 1, snap_length: 0 };
        assert_eq!(interface(1_000_000).time_ns(0, 1_500_000), Some(2_500_000_000));
        assert_eq!(interface(1_000_000_000).time_ns(1, 0), Some(5_294_967_296));
        assert_eq!(interface(1 << 20).time_ns(0, 1 << 19), Some(1_500_000_000));
        assert_eq!(interface(1).time_ns(u32::MAX, u32::MAX), None, "beyond what nanoseconds can count");
    }

    /// A pcapng file in either byte order: one interface with this resolution and offset, and a packet at
    /// each time.
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

    /// The times of a file's packets as read, and as in events.
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
}
