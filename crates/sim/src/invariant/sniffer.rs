use std::collections::BTreeMap;

use machine::Instant;
use v2gtp::{Deframer, Item, MAX_DIN, PayloadType};

use super::Facts;

/// Reads V2GTP messages out of the frames of one charger and its car: Ethernet, IPv6, TCP in order.
#[derive(Debug, Default)]
pub struct Sniffer {
    facts: Facts,
    streams: BTreeMap<Vec<u8>, Stream>,
}

/// One direction of a connection.
#[derive(Debug)]
struct Stream {
    /// Sequence number of the next byte.
    next: u32,
    /// Segments that arrived early.
    early: BTreeMap<u32, Vec<u8>>,
    deframer: Deframer<MAX_DIN>,
    /// Whether the connection carried a message.
    has_talked: bool,
    /// Its initial sequence number.
    begin: u32,
}

/// A TCP segment.
struct Segment<'a> {
    /// Addresses and ports, which identify the stream.
    name: Vec<u8>,
    number: u32,
    flags: u8,
    payload: &'a [u8],
}

const FIN: u8 = 1;
const SYN: u8 = 2;
const RST: u8 = 4;
/// Most segments that are kept until their turn: more than any window in this world holds.
const EARLY: usize = 64;

impl Sniffer {
    /// The facts up to now.
    pub const fn facts(&self) -> &Facts {
        &self.facts
    }

    /// The facts, to add what no frame contains.
    pub const fn facts_mut(&mut self) -> &mut Facts {
        &mut self.facts
    }

    /// Takes a frame that the charger sent or received.
    pub fn frame(&mut self, now: Instant, frame: &[u8]) {
        let Some(segment) = Segment::parse(frame) else { return };
        if segment.flags & SYN != 0 {
            let begin = segment.number;
            // A late segment begins no new connection.
            if self.streams.get(&segment.name).is_none_or(|stream| stream.begin != begin) {
                self.streams.insert(segment.name, Stream::new(begin));
            }
            return;
        }
        if segment.flags & RST != 0 {
            // A segment in answer to a stranger's ends no connection.
            if self.streams.remove(&segment.name).is_some_and(|stream| stream.has_talked) {
                self.facts.closed(now);
            }
            return;
        }
        let Some(stream) = self.streams.get_mut(&segment.name) else { return };
        if stream.early.len() < EARLY && !segment.payload.is_empty() {
            stream.early.insert(segment.number, segment.payload.to_vec());
        }
        while let Some(bytes) = stream.in_order() {
            stream.has_talked = true;
            let mut rest = bytes.as_slice();
            while let Ok(Some(item)) = stream.deframer.next(&mut rest) {
                if let Item::Message(message) = item
                    && message.payload_type == PayloadType::EXI
                {
                    self.facts.message(now, message.payload);
                }
            }
        }
        if segment.flags & FIN != 0 {
            self.facts.closed(now);
        }
    }
}

impl Stream {
    fn new(begin: u32) -> Self {
        let next = begin.wrapping_add(1);
        Self { next, early: BTreeMap::new(), deframer: Deframer::new(), has_talked: false, begin }
    }

    /// The next bytes in sequence, without repetitions.
    fn in_order(&mut self) -> Option<Vec<u8>> {
        loop {
            let due = |number: &u32| self.next.wrapping_sub(*number) < 1 << 31;
            let number = *self.early.keys().find(|number| due(number))?;
            let mut bytes = self.early.remove(&number)?;
            let known = usize::try_from(self.next.wrapping_sub(number)).unwrap_or(usize::MAX);
            if known < bytes.len() {
                bytes.drain(..known);
                self.next = self.next.wrapping_add(u32::try_from(bytes.len()).unwrap_or(0));
                return Some(bytes);
            }
        }
    }
}

impl<'a> Segment<'a> {
    fn parse(frame: &'a [u8]) -> Option<Self> {
        // Ethernet with IPv6, without extension headers: TCP.
        if frame.get(12..15)? != [0x86, 0xDD, 0x60] || *frame.get(20)? != 6 {
            return None;
        }
        let length = usize::from(u16::from_be_bytes(*frame.get(18..)?.first_chunk()?));
        let addresses = frame.get(22..54)?;
        let tcp = frame.get(54..54 + length)?;
        // No host accepts a segment that was damaged on its way.
        if checksum(addresses, tcp) != 0xFFFF {
            return None;
        }
        let offset = usize::from(*tcp.get(12)? >> 4) * 4;
        Some(Self {
            name: [addresses, tcp.get(..4)?].concat(),
            number: u32::from_be_bytes(*tcp.get(4..)?.first_chunk()?),
            flags: *tcp.get(13)?,
            payload: tcp.get(offset..)?,
        })
    }
}

/// The TCP checksum (RFC 9293 3.1) over a segment with its checksum: all ones if the segment is intact.
fn checksum(addresses: &[u8], tcp: &[u8]) -> u32 {
    let word = |pair: &[u8]| {
        pair.iter().fold(0, |word, byte| word << 8 | u32::from(*byte)) << (8 * (pair.len() % 2))
    };
    let words = addresses.chunks(2).chain(tcp.chunks(2)).map(word);
    let sum: u32 = words.sum::<u32>() + u32::try_from(tcp.len()).unwrap_or(0) + 6;
    (sum & 0xFFFF) + (sum >> 16)
}

#[cfg(test)]
mod tests {
    use super::*;

    const START: u32 = u32::MAX - 20;
    /// A V2GTP header and a captured `PreChargeReq` of a Hyundai Ioniq.
    const MESSAGE: [u8; 31] = [
        0x01, 0xFE, 0x80, 0x01, 0, 0, 0, 23, 0x80, 0x9a, 0x02, 0x1a, 0x3d, 0x73, 0x30, 0x88, 0x03, 0x4d,
        0xa2, 0x91, 0x51, 0x40, 0x02, 0x81, 0x01, 0x40, 0xc8, 0x0c, 0x0c, 0x00, 0x40,
    ];

    fn segment(number: u32, flags: u8, payload: &[u8]) -> Vec<u8> {
        let mut frame = vec![2; 12];
        frame.extend([0x86, 0xDD, 0x60, 0, 0, 0]);
        frame.extend(u16::try_from(20 + payload.len()).unwrap().to_be_bytes());
        frame.extend([6, 64]);
        frame.extend([0xFE; 32]);
        frame.extend([0xC0, 0, 0x3B, 0x0E]);
        frame.extend(number.to_be_bytes());
        frame.extend([0, 0, 0, 0, 0x50, flags, 0, 0, 0, 0, 0, 0]);
        frame.extend(payload);
        let sum = checksum(&frame[22..54], &frame[54..]);
        let sum = !u16::try_from((sum & 0xFFFF) + (sum >> 16)).unwrap();
        frame[70..72].copy_from_slice(&sum.to_be_bytes());
        frame
    }

    /// When the message was complete, if one of these segments arrives every millisecond.
    fn heard(segments: &[(u32, &[u8])]) -> Option<u64> {
        let mut sniffer = Sniffer::default();
        sniffer.frame(Instant::ZERO, &segment(START.wrapping_sub(1), SYN, &[]));
        for (index, (offset, bytes)) in (1..).zip(segments) {
            sniffer.frame(Instant::from_millis(index), &segment(START.wrapping_add(*offset), 0x18, bytes));
        }
        sniffer.facts().heard.map(Instant::as_millis)
    }

    #[test]
    fn a_message_is_heard_whole_in_pieces_and_out_of_order_also_where_numbers_wrap() {
        assert_eq!(heard(&[(0, &MESSAGE)]), Some(1));
        let (head, tail) = MESSAGE.split_at(25);
        assert_eq!(heard(&[(0, head)]), None);
        assert_eq!(heard(&[(0, head), (25, tail)]), Some(2));
        assert_eq!(heard(&[(25, tail), (0, head)]), Some(2));
        assert_eq!(heard(&[(0, head), (0, head), (20, &MESSAGE[20..])]), Some(3));
    }

    #[test]
    fn the_end_of_a_connection_is_the_end_of_the_session() {
        let mut sniffer = Sniffer::default();
        sniffer.frame(Instant::ZERO, &segment(9, SYN, &[]));
        sniffer.frame(Instant::ZERO, &segment(10, 0x18, &MESSAGE));
        assert!(sniffer.facts().heard.is_some());
        sniffer.frame(Instant::from_millis(3), &segment(41, FIN, &[]));
        assert_eq!(sniffer.facts().heard, None);
    }

    #[test]
    fn a_segment_that_was_damaged_on_its_way_is_not_heard() {
        for at in 22..54 + 20 + MESSAGE.len() {
            let mut sniffer = Sniffer::default();
            sniffer.frame(Instant::ZERO, &segment(9, SYN, &[]));
            let mut damaged = segment(10, 0x18, &MESSAGE);
            damaged[at] ^= 0x20;
            sniffer.frame(Instant::ZERO, &damaged);
            assert_eq!(sniffer.facts().heard, None, "byte {at}");
        }
    }

    #[test]
    fn other_frames_are_nothing_to_it() {
        let mut sniffer = Sniffer::default();
        for length in 0..80 {
            sniffer.frame(Instant::ZERO, &segment(1, 0x18, &MESSAGE)[..length]);
            sniffer.frame(Instant::ZERO, &vec![0x60; length]);
        }
        assert_eq!(*sniffer.facts(), Facts::default());
    }
}
