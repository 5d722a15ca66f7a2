//! Ethernet, IPv6 and their payloads: as much as a script needs to name, change and forge frames.

use std::net::Ipv6Addr;

use homeplug_mme::{Frame, Mac};

/// Ethernet and IPv6 headers together.
const HEADERS: usize = 14 + 40;
const TCP: u8 = 6;
const UDP: u8 = 17;
const ICMP: u8 = 58;
const SDP_PORT: u16 = 15118;

pub(super) const FIN: u8 = 1;
pub(super) const SYN: u8 = 2;
pub(super) const RST: u8 = 4;
pub(super) const ACK: u8 = 16;

/// Names of frames other than V2G messages; `homeplug_mme` has those of management messages.
pub(super) const FRAMES: &[&str] = &[
    "SdpReq",
    "SdpRes",
    "NeighborSolicitation",
    "NeighborAdvertisement",
    "RouterAdvertisement",
    "TcpSyn",
    "TcpFin",
    "TcpRst",
];

/// A station as the sender or receiver of a forged packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Station {
    pub(super) mac: Mac,
    pub(super) address: Ipv6Addr,
    pub(super) port: u16,
}

/// A TCP segment that can be changed and written again.
#[derive(Clone, Debug)]
pub(super) struct Segment {
    /// All headers before the payload.
    head: Vec<u8>,
    pub(super) number: u32,
    pub(super) acknowledged: u32,
    pub(super) flags: u8,
    pub(super) payload: Vec<u8>,
}

fn u16_at(bytes: &[u8], at: usize) -> Option<u16> {
    bytes.get(at..)?.first_chunk().map(|chunk| u16::from_be_bytes(*chunk))
}

fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    bytes.get(at..)?.first_chunk().map(|chunk| u32::from_be_bytes(*chunk))
}

/// Overwrites bytes at an offset.
pub(super) fn put(bytes: &mut [u8], at: usize, new: &[u8]) {
    bytes.iter_mut().skip(at).zip(new).for_each(|(byte, new)| *byte = *new);
}

/// Number of the next header; `None` if the frame is not IPv6.
fn next_header(frame: &[u8]) -> Option<u8> {
    (u16_at(frame, 12)? == 0x86DD).then(|| frame.get(20).copied()).flatten()
}

/// The name of a frame in scripts.
pub(super) fn name(frame: &[u8]) -> Option<String> {
    if let Ok(message) = Frame::parse(frame) {
        return Some(message.mm_type.to_string());
    }
    let name = match next_header(frame)? {
        UDP if u16_at(frame, HEADERS + 2)? == SDP_PORT => "SdpReq",
        UDP if u16_at(frame, HEADERS)? == SDP_PORT => "SdpRes",
        ICMP => match frame.get(HEADERS)? {
            134 => "RouterAdvertisement",
            135 => "NeighborSolicitation",
            136 => "NeighborAdvertisement",
            _ => return None,
        },
        TCP => match frame.get(HEADERS + 13)? {
            flags if flags & SYN != 0 => "TcpSyn",
            flags if flags & RST != 0 => "TcpRst",
            flags if flags & FIN != 0 => "TcpFin",
            _ => return None,
        },
        _ => return None,
    };
    Some(name.to_owned())
}

impl Segment {
    pub(super) fn parse(frame: &[u8]) -> Option<Self> {
        if next_header(frame)? != TCP {
            return None;
        }
        let end = HEADERS + usize::from(u16_at(frame, 18)?);
        let head = HEADERS + usize::from(frame.get(HEADERS + 12)? >> 4) * 4;
        Some(Self {
            number: u32_at(frame, HEADERS + 4)?,
            acknowledged: u32_at(frame, HEADERS + 8)?,
            flags: *frame.get(HEADERS + 13)?,
            payload: frame.get(head..end)?.to_vec(),
            head: frame.get(..head)?.to_vec(),
        })
    }

    /// The frame with all changes.
    pub(super) fn frame(&self) -> Vec<u8> {
        let mut frame = self.head.clone();
        put(&mut frame, HEADERS + 4, &self.number.to_be_bytes());
        put(&mut frame, HEADERS + 8, &self.acknowledged.to_be_bytes());
        put(&mut frame, HEADERS + 13, &[self.flags]);
        frame.extend_from_slice(&self.payload);
        finish(&mut frame);
        frame
    }

    /// A segment from a host that knows the connection's addresses and ports, with this distance of its
    /// sequence number.
    pub(super) fn blind(&self, flags: u8, ahead: u32, payload: &[u8]) -> Vec<u8> {
        let mut segment = self.answer();
        segment.number = segment.number.wrapping_add(ahead);
        segment.acknowledged = segment.acknowledged.wrapping_add(0x1000_0000);
        segment.flags = flags;
        segment.payload = payload.to_vec();
        segment.frame()
    }

    /// The other end's acknowledgement of all these bytes.
    pub(super) fn receipt(&self) -> Vec<u8> {
        self.answer().frame()
    }

    fn answer(&self) -> Self {
        let swap = |at: usize, len: usize| {
            let one = self.head.get(at..at + len).unwrap_or_default();
            let other = self.head.get(at + len..at + 2 * len).unwrap_or_default();
            [other, one].concat()
        };
        let mut head = self.head.get(..HEADERS + 20).unwrap_or_default().to_vec();
        for (at, len) in [(0, 6), (22, 16), (HEADERS, 2)] {
            put(&mut head, at, &swap(at, len));
        }
        put(&mut head, HEADERS + 12, &[5 << 4]);
        let length = u32::try_from(self.payload.len()).unwrap_or_default();
        Self {
            head,
            number: self.acknowledged,
            acknowledged: self.number.wrapping_add(length),
            flags: ACK,
            payload: Vec::new(),
        }
    }
}

/// Corrects the checksum of an IPv6 packet.
pub(super) fn mend(frame: &mut [u8]) {
    if next_header(frame).is_some() {
        finish(frame);
    }
}

/// Whether the packet is intact: the checksum of an IPv6 packet is right.
pub(super) fn is_whole(frame: &[u8]) -> bool {
    let mut mended = frame.to_vec();
    mend(&mut mended);
    mended == frame
}

/// Source port of a UDP datagram or TCP segment.
pub(super) fn source_port(frame: &[u8]) -> Option<u16> {
    u16_at(frame, HEADERS)
}

/// Sets length and checksum of an IPv6 packet.
fn finish(frame: &mut [u8]) {
    let length = u16::try_from(frame.len().saturating_sub(HEADERS)).unwrap_or_default();
    put(frame, 18, &length.to_be_bytes());
    let next = frame.get(20).copied().unwrap_or_default();
    let at = HEADERS
        + match next {
            TCP => 16,
            UDP => 6,
            _ => 2,
        };
    put(frame, at, &[0, 0]);
    let words = |bytes: &[u8]| -> u32 {
        bytes
            .chunks(2)
            .map(|pair| match pair {
                [high, low] => u32::from(u16::from_be_bytes([*high, *low])),
                [high] => u32::from(*high) << 8,
                _ => 0,
            })
            .sum()
    };
    let mut sum = words(frame.get(22..).unwrap_or_default()) + u32::from(length) + u32::from(next);
    while sum > 0xFFFF {
        sum = (sum & 0xFFFF) + (sum >> 16);
    }
    let sum = u16::try_from(!sum & 0xFFFF).unwrap_or_default();
    put(frame, at, &sum.to_be_bytes());
}

fn packet(from: Station, to: Station, next: u8, hops: u8, content: &[u8]) -> Vec<u8> {
    let mut frame = [&to.mac.0[..], &from.mac.0, &[0x86, 0xDD, 0x60, 0, 0, 0, 0, 0, next, hops]].concat();
    frame.extend_from_slice(&from.address.octets());
    frame.extend_from_slice(&to.address.octets());
    frame.extend_from_slice(content);
    finish(&mut frame);
    frame
}

/// A UDP datagram.
pub(super) fn udp(from: Station, to: Station, payload: &[u8]) -> Vec<u8> {
    let length = u16::try_from(payload.len() + 8).unwrap_or_default();
    let head = [from.port, to.port, length, 0].map(u16::to_be_bytes).concat();
    packet(from, to, UDP, 255, &[&head[..], payload].concat())
}

/// A datagram of a name service to all stations, as computers send it.
pub(super) fn broadcast((mac, address): (Mac, Ipv6Addr)) -> Vec<u8> {
    let port = 5_353;
    let all = Station { mac: Mac([0xFF; 6]), address: sdp::ALL_NODES.address, port };
    udp(Station { mac, address, port }, all, &[0; 100])
}

/// A TCP segment without payload.
pub(super) fn tcp(from: Station, to: Station, number: u32, flags: u8) -> Vec<u8> {
    let ports = [from.port, to.port].map(u16::to_be_bytes).concat();
    let rest = [&number.to_be_bytes()[..], &[0; 4], &[5 << 4, flags, 0x10, 0, 0, 0, 0, 0]].concat();
    packet(from, to, TCP, 64, &[ports, rest].concat())
}

/// A station claims an address, or asks whether it may use it.
pub(super) fn claim(mac: Mac, address: Ipv6Addr, has: bool) -> Vec<u8> {
    let (kind, flags, from) = if has { (136, 0x20, address) } else { (135, 0, Ipv6Addr::UNSPECIFIED) };
    let mut body = vec![kind, 0, 0, 0, flags, 0, 0, 0];
    body.extend_from_slice(&address.octets());
    let all = Station { mac: Mac([0x33, 0x33, 0, 0, 0, 1]), address: sdp::ALL_NODES.address, port: 0 };
    packet(Station { mac, address: from, port: 0 }, all, ICMP, 255, &body)
}

/// A router that advertises a global prefix to all stations.
pub(super) fn router_advertisement(from: Station, to: Station) -> Vec<u8> {
    let mut body = vec![134, 0, 0, 0, 64, 0, 0x07, 0x08, 0, 0, 0, 0, 0, 0, 0, 0];
    body.extend_from_slice(&[3, 4, 64, 0xC0, 0, 1, 0x51, 0x80, 0, 1, 0x51, 0x80, 0, 0, 0, 0]);
    body.extend_from_slice(&Ipv6Addr::new(0x2001, 0xDB8, 0, 0, 0, 0, 0, 0).octets());
    packet(from, to, ICMP, 255, &body)
}

#[cfg(test)]
mod tests {
    use super::*;

    const A: Station = Station {
        mac: Mac([2, 0, 0, 0, 0, 1]),
        address: Ipv6Addr::new(0xFE80, 0, 0, 0, 0, 0, 0, 1),
        port: 7,
    };
    const B: Station = Station {
        mac: Mac([2, 0, 0, 0, 0, 2]),
        address: Ipv6Addr::new(0xFE80, 0, 0, 0, 0, 0, 0, 2),
        port: 9,
    };

    #[test]
    fn a_segment_is_written_as_it_was_read_and_acknowledged_at_the_other_end() {
        let frame = tcp(A, B, 1000, ACK);
        let mut segment = Segment::parse(&frame).unwrap();
        assert_eq!(segment.frame(), frame);
        segment.payload = vec![1, 2, 3];
        let receipt = Segment::parse(&segment.receipt()).unwrap();
        assert_eq!((receipt.acknowledged, receipt.flags, receipt.payload.len()), (1003, ACK, 0));
        assert_eq!(receipt.frame()[..12], [&A.mac.0[..], &B.mac.0].concat()[..], "to A, from B");
        assert_eq!(segment.receipt()[HEADERS..HEADERS + 4], [0, 9, 0, 7]);
    }

    #[test]
    fn a_checksum_makes_the_sum_of_all_words_all_ones() {
        let frame = udp(A, B, &[1, 2, 3]);
        let pseudo = [&frame[22..54], &[0, 0, 0, 11, 0, 0, 0, UDP], &frame[54..], &[0]].concat();
        let sum: u32 = pseudo.chunks(2).map(|pair| u32::from(u16::from_be_bytes([pair[0], pair[1]]))).sum();
        assert_eq!((sum & 0xFFFF) + (sum >> 16), 0xFFFF);
    }

    #[test]
    fn frames_have_names() {
        assert_eq!(name(&tcp(A, B, 1, SYN)).as_deref(), Some("TcpSyn"));
        assert_eq!(name(&udp(A, Station { port: SDP_PORT, ..B }, &[])).as_deref(), Some("SdpReq"));
        assert_eq!(name(&router_advertisement(A, B)).as_deref(), Some("RouterAdvertisement"));
        assert_eq!(name(&[0; 60]), None);
    }
}
