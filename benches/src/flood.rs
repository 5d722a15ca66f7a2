//! Frames of a hostile station on the same link as a charger and a car.

use std::net::Ipv6Addr;

use homeplug_mme::{MAX_FRAME, Mac, RunId, Slac};
use machine::Entropy;
use sim::Chance;

/// The content of a flood.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// TCP segments of one byte each, in sequence from the second byte on; after [`RUN`] of them the first
    /// byte.
    Segments,
    /// SYN segments, each from another station.
    Syns,
    /// SYN segments from the other side's own addresses, and segments of its connection with any sequence
    /// number.
    Spoofed,
    /// Requests and announcements of matching, each of another car.
    Slac,
    /// Discovery requests, each from another station.
    Discoveries,
    /// Random bytes after the addresses, half of them as IPv6 or as management frames.
    Random,
}

impl Kind {
    /// All kinds, with their names on the command line.
    pub const ALL: &[(&str, Self)] = &[
        ("segments", Self::Segments),
        ("syns", Self::Syns),
        ("spoofed", Self::Spoofed),
        ("slac", Self::Slac),
        ("discoveries", Self::Discoveries),
        ("random", Self::Random),
    ];
}

/// Segments after a gap until it is filled.
pub const RUN: u32 = 45_000;

/// The target of a flood.
#[derive(Clone, Copy, Debug)]
pub struct Target {
    /// Its MAC address on the link.
    pub mac: Mac,
    /// The port on which it accepts connections.
    pub port: u16,
    /// The station with which it has a session.
    pub peer: Mac,
}

/// Generates frames; the same seed gives the same frames.
pub struct Flood {
    chance: Chance,
    /// Segments of one byte up to now.
    bytes: u32,
}

const TCP: u8 = 6;
const UDP: u8 = 17;
const SYN: u8 = 2;
const ACK: u8 = 16;
/// Multicast address of all nodes.
const ALL_NODES: Mac = Mac([0x33, 0x33, 0, 0, 0, 1]);
/// Source and destination port of the segments of one byte: any unused port.
const FLOW: u16 = 40_000;

impl Flood {
    /// A generator with this seed.
    pub fn new(seed: u64) -> Self {
        Self { chance: Chance::new(seed), bytes: 0 }
    }

    /// The next frame of a kind.
    pub fn frame(&mut self, kind: Kind, target: Target) -> Vec<u8> {
        let Target { mac, port, peer } = target;
        match kind {
            Kind::Segments => {
                let at = self.bytes % RUN;
                let flow = FLOW + u16::try_from(self.bytes / RUN % 1_000).unwrap_or(0);
                self.bytes += 1;
                // The last frame of a run is the missing first byte.
                let number = if at + 1 == RUN { 1 } else { at + 2 };
                segment(Mac([2, 0, 0, 0, 6, 6]), mac, (flow, port), number, ACK, &[0x80])
            }
            Kind::Syns => {
                let (from, own_port) = (self.stranger(), self.number());
                segment(from, mac, (own_port, port), u32::from(self.number()), SYN, &[])
            }
            Kind::Spoofed => {
                let flags = if self.chance.happens(500) { SYN } else { ACK };
                let number = u32::from(self.number()) << 16 | u32::from(self.number());
                segment(peer, mac, (self.number() | 0xC000, port), number, flags, &[0x01, 0xFE])
            }
            Kind::Slac => self.slac(),
            Kind::Discoveries => discovery(self.stranger(), 50_032),
            Kind::Random => self.random(mac),
        }
    }

    fn slac(&mut self) -> Vec<u8> {
        let car = self.stranger();
        let run_id = RunId([0; 8].map(|_: u8| self.byte()));
        let message = if self.chance.happens(500) {
            Slac::ParmReq { run_id }
        } else {
            Slac::StartAttenChar { run_id, sounds: 10, timeout_100ms: 6, car }
        };
        let mut buffer = [0; MAX_FRAME];
        let length = message.emit(Mac([0xFF; 6]), car, &mut buffer).unwrap_or_default();
        buffer.get(..length).unwrap_or_default().to_vec()
    }

    fn random(&mut self, to: Mac) -> Vec<u8> {
        let types: [[u8; 2]; 4] = [[0x86, 0xDD], [0x88, 0xE1], [0x08, 0x00], [self.byte(), self.byte()]];
        let kind = types.get(usize::from(self.byte() % 4)).copied().unwrap_or_default();
        let length = 46 + usize::from(self.byte());
        let mut frame = [to.0, self.stranger().0].concat();
        frame.extend(kind);
        let start = frame.len();
        frame.resize(start + length, 0);
        self.chance.fill(frame.get_mut(start..).unwrap_or_default());
        frame
    }

    /// A station with a new address.
    fn stranger(&mut self) -> Mac {
        let [a, b] = self.number().to_be_bytes();
        Mac([2, 0, 0, 6, a, b])
    }

    fn byte(&mut self) -> u8 {
        let [byte, _] = self.number().to_be_bytes();
        byte
    }

    fn number(&mut self) -> u16 {
        let mut bytes = [0; 2];
        self.chance.fill(&mut bytes);
        u16::from_be_bytes(bytes)
    }
}

fn segment(
    from: Mac,
    to: Mac,
    (own_port, port): (u16, u16),
    number: u32,
    flags: u8,
    content: &[u8],
) -> Vec<u8> {
    let mut tcp = [own_port.to_be_bytes(), port.to_be_bytes()].concat();
    tcp.extend(number.to_be_bytes());
    tcp.extend(1_u32.to_be_bytes());
    // Header of five words, flags, window, no urgent data; the checksum is filled in later.
    tcp.extend([0x50, flags, 0x10, 0, 0, 0, 0, 0]);
    tcp.extend(content);
    packet((from, to), to.link_local(), TCP, tcp, 16)
}

fn discovery(from: Mac, own_port: u16) -> Vec<u8> {
    let request = [0x01, 0xFE, 0x90, 0x00, 0, 0, 0, 2, 0x10, 0x00];
    let mut udp = [own_port.to_be_bytes(), sdp::PORT.to_be_bytes(), [0, 18], [0, 0]].concat();
    udp.extend(request);
    packet((from, ALL_NODES), sdp::ALL_NODES.address, UDP, udp, 6)
}

/// A frame of IPv6 with the checksum at its place in the payload.
fn packet(
    (from, to): (Mac, Mac),
    address: Ipv6Addr,
    protocol: u8,
    mut payload: Vec<u8>,
    checksum: usize,
) -> Vec<u8> {
    let length = u16::try_from(payload.len()).unwrap_or_default().to_be_bytes();
    let addresses = [from.link_local().octets(), address.octets()].concat();
    let sum = [&addresses[..], &length, &[0, protocol], &payload].into_iter().flat_map(words).sum::<u32>();
    let folded = (sum & 0xFFFF) + (sum >> 16);
    let folded = u16::try_from((folded & 0xFFFF) + (folded >> 16)).unwrap_or_default();
    if let Some(place) = payload.get_mut(checksum..checksum + 2) {
        place.copy_from_slice(&(!folded).to_be_bytes());
    }
    let mut frame = [to.0, from.0].concat();
    frame.extend([0x86, 0xDD, 0x60, 0, 0, 0]);
    frame.extend(length);
    frame.extend([protocol, 10]);
    frame.extend(addresses);
    frame.extend(payload);
    frame
}

fn words(bytes: &[u8]) -> impl Iterator<Item = u32> {
    bytes.chunks(2).map(|pair| {
        let high = pair.first().copied().unwrap_or_default();
        u32::from(u16::from_be_bytes([high, pair.get(1).copied().unwrap_or_default()]))
    })
}

#[cfg(test)]
#[allow(clippy::indexing_slicing, reason = "a test ends where it fails")]
mod tests {
    use super::*;

    #[test]
    fn a_discovery_request_is_byte_for_byte_that_of_a_car() {
        // pyPLC's request, as in the documentation of `roles`.
        let mut expected = vec![0x33, 0x33, 0, 0, 0, 1, 0x04, 0x65, 0x65, 0, 0x64, 0xC3, 0x86, 0xDD];
        expected.extend([0x60, 0, 0, 0, 0, 18, 17, 10]);
        expected
            .extend("fe80::665:65ff:fe00:64c3".parse::<Ipv6Addr>().unwrap_or(Ipv6Addr::UNSPECIFIED).octets());
        expected.extend(sdp::ALL_NODES.address.octets());
        expected.extend([0xC3, 0x70, 0x3B, 0x0E, 0, 18, 0x92, 0x9D]);
        expected.extend([0x01, 0xFE, 0x90, 0, 0, 0, 0, 2, 0x10, 0]);
        assert_eq!(discovery(Mac([0x04, 0x65, 0x65, 0, 0x64, 0xC3]), 50_032), expected);
    }

    #[test]
    fn segments_of_one_byte_leave_a_gap_that_the_last_one_fills() {
        let target = Target { mac: Mac([2, 0, 0, 0, 0, 1]), port: 7, peer: Mac([2, 0, 0, 0, 0, 2]) };
        let mut flood = Flood::new(1);
        let mut numbers = (0..RUN).map(|_| {
            let frame = flood.frame(Kind::Segments, target);
            assert_eq!(frame.len(), 14 + 40 + 20 + 1);
            u32::from_be_bytes([frame[58], frame[59], frame[60], frame[61]])
        });
        assert_eq!(numbers.next(), Some(2));
        let rest: Vec<u32> = numbers.collect();
        assert_eq!((rest[0], rest[rest.len() - 2], rest[rest.len() - 1]), (3, RUN, 1));
        let next = flood.frame(Kind::Segments, target);
        assert_eq!(next[54..56], (FLOW + 1).to_be_bytes(), "and then another connection");
    }

    #[test]
    fn every_kind_makes_frames_of_ethernet() {
        let target = Target { mac: Mac([2, 0, 0, 0, 0, 1]), port: 7, peer: Mac([2, 0, 0, 0, 0, 2]) };
        for (name, kind) in Kind::ALL {
            let mut flood = Flood::new(1);
            let frames: Vec<_> = (0..100).map(|_| flood.frame(*kind, target)).collect();
            assert!(frames.iter().all(|frame| (54..=1514).contains(&frame.len())), "{name}");
            assert!(frames.iter().any(|frame| *frame != frames[0]), "{name}");
        }
    }
}
