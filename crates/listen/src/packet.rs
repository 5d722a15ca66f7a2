//! Parses a captured frame: link type, VLAN tags, IP, UDP and TCP, down to the payloads of a charging
//! session.

use core::net::Ipv6Addr;

use etherparse::{
    EtherType, IpNumber, LaxIpPayloadSlice, LaxIpSlice, LaxMacsecPayloadSlice, LaxMacsecSlice,
    SingleVlanSlice, TcpSlice, UdpSlice,
};
use homeplug_mme::Mac;

use crate::framer::Close;

/// The payload of a frame, as far as charging is concerned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Layer<'a> {
    /// A `HomePlug` management frame (`EtherType` 0x88E1).
    Mme {
        /// Destination address; zero where the link type does not record it.
        to: Mac,
        /// Source address; zero where the link type does not record it.
        from: Mac,
        /// The bytes after the `EtherType`.
        payload: &'a [u8],
    },
    /// A UDP datagram: its addresses and its payload.
    Udp(Flow, &'a [u8]),
    /// A TCP segment.
    Tcp(Flow, Segment<'a>),
    /// A fragment of an IP packet. Fragments are not reassembled.
    Fragment,
    /// Any other frame.
    Other,
}

/// One end of a UDP or TCP flow. IPv4 addresses are mapped to IPv6.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Endpoint {
    /// IP address.
    pub address: Ipv6Addr,
    /// UDP or TCP port.
    pub port: u16,
}

/// Sender and receiver of a datagram or segment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Flow {
    /// Sender.
    pub source: Endpoint,
    /// Receiver.
    pub destination: Endpoint,
}

/// The fields of a TCP segment that reassembly needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Segment<'a> {
    /// Sequence number of the first byte, or of the SYN if the segment has one.
    pub sequence: u32,
    /// Acknowledgement number: the next byte that the sender expects. `None` without the ACK flag.
    pub acknowledged: Option<u32>,
    /// SYN flag.
    pub syn: bool,
    /// FIN or RST flag.
    pub close: Option<Close>,
    /// Payload bytes.
    pub data: &'a [u8],
}

const HOMEPLUG_AV: EtherType = EtherType(homeplug_mme::ETHERTYPE);

/// Stands for an address that the capture does not have.
const UNKNOWN: Mac = Mac([0; 6]);

/// Parses a frame of a pcap link type. A truncated frame is parsed as far as its bytes go.
pub fn parse(link_type: i32, frame: &[u8]) -> Layer<'_> {
    let mac = |at: usize| {
        let bytes = frame.get(at..at + 6).and_then(|bytes| bytes.try_into().ok());
        Mac(bytes.unwrap_or_default())
    };
    // Numbers: <https://www.tcpdump.org/linktypes.html>.
    match link_type {
        1 => ether(mac(0), mac(6), frame.get(12..14), frame.get(14..)),
        12 | 14 | 101 | 228 | 229 => ip(frame),
        // BSD loopback: a protocol family in either byte order, then the IP packet.
        0 | 108 => frame.get(4..).map_or(Layer::Other, ip),
        // Linux "cooked" captures (`tcpdump -i any`), versions 1 and 2.
        113 => ether(UNKNOWN, mac(6), frame.get(14..16), frame.get(16..)),
        276 => ether(UNKNOWN, mac(12), frame.get(0..2), frame.get(20..)),
        _ => Layer::Other,
    }
}

/// Largest number of tags (VLAN, `MACsec`) that are removed from a frame: judgement, real networks use at
/// most two.
const MAX_TAGS: usize = 3;

fn ether<'a>(to: Mac, from: Mac, ether_type: Option<&[u8]>, payload: Option<&'a [u8]>) -> Layer<'a> {
    let (Some([high, low]), Some(mut payload)) = (ether_type, payload) else { return Layer::Other };
    let mut ether_type = EtherType(u16::from_be_bytes([*high, *low]));
    for _ in 0..MAX_TAGS {
        let inner = match ether_type {
            EtherType::VLAN_TAGGED_FRAME
            | EtherType::PROVIDER_BRIDGING
            | EtherType::VLAN_DOUBLE_TAGGED_FRAME => {
                SingleVlanSlice::from_slice(payload).ok().map(|tag| (tag.ether_type(), tag.payload_slice()))
            }
            EtherType::MACSEC => match LaxMacsecSlice::from_slice(payload).map(|tag| tag.payload) {
                // `MACsec` with integrity only: the payload is readable.
                Ok(LaxMacsecPayloadSlice::Unmodified(inner)) => Some((inner.ether_type, inner.payload)),
                _ => None,
            },
            _ => break,
        };
        let Some(inner) = inner else { return Layer::Other };
        (ether_type, payload) = inner;
    }
    match ether_type {
        HOMEPLUG_AV => Layer::Mme { to, from, payload },
        EtherType::IPV4 | EtherType::IPV6 => ip(payload),
        _ => Layer::Other,
    }
}

fn ip(packet: &[u8]) -> Layer<'_> {
    let Ok((packet, error)) = LaxIpSlice::from_slice(packet) else { return Layer::Other };
    let LaxIpPayloadSlice { ip_number, fragmented, payload, .. } = *packet.payload();
    if fragmented {
        return Layer::Fragment;
    }
    // The error is in an extension header between IP and its payload.
    if error.is_some() {
        return Layer::Other;
    }
    match ip_number {
        IpNumber::UDP => UdpSlice::from_slice_lax(payload).map_or(Layer::Other, |udp| {
            Layer::Udp(flow(&packet, udp.source_port(), udp.destination_port()), udp.payload())
        }),
        IpNumber::TCP => TcpSlice::from_slice(payload).map_or(Layer::Other, |tcp| {
            let segment = Segment {
                sequence: tcp.sequence_number(),
                acknowledged: tcp.ack().then(|| tcp.acknowledgment_number()),
                syn: tcp.syn(),
                close: close(tcp.rst(), tcp.fin()),
                data: tcp.payload(),
            };
            Layer::Tcp(flow(&packet, tcp.source_port(), tcp.destination_port()), segment)
        }),
        _ => Layer::Other,
    }
}

fn close(is_reset: bool, is_last: bool) -> Option<Close> {
    match (is_reset, is_last) {
        (true, _) => Some(Close::Reset),
        (_, true) => Some(Close::Fin),
        _ => None,
    }
}

fn flow(packet: &LaxIpSlice<'_>, source_port: u16, destination_port: u16) -> Flow {
    let (source, destination) = match packet {
        LaxIpSlice::Ipv4(ip) => {
            let header = ip.header();
            (header.source_addr().to_ipv6_mapped(), header.destination_addr().to_ipv6_mapped())
        }
        LaxIpSlice::Ipv6(ip) => (ip.header().source_addr(), ip.header().destination_addr()),
    };
    let endpoint = |address, port| Endpoint { address, port };
    Flow { source: endpoint(source, source_port), destination: endpoint(destination, destination_port) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use etherparse::PacketBuilder;
    use std::vec::Vec;

    fn builder() -> etherparse::PacketBuilderStep<etherparse::Ethernet2Header> {
        PacketBuilder::ethernet2([2; 6], [4; 6])
    }

    /// A UDP datagram from address 7, port 9, to address 8, port 15118.
    fn udp(payload: &[u8]) -> Vec<u8> {
        let mut frame = Vec::new();
        let addresses = (Ipv6Addr::from(7_u128).octets(), Ipv6Addr::from(8_u128).octets());
        builder().ipv6(addresses.0, addresses.1, 1).udp(9, 15118).write(&mut frame, payload).unwrap();
        frame
    }

    fn with_tag(frame: &[u8], tag: &[u8]) -> Vec<u8> {
        [&frame[..12], tag, &frame[12..]].concat()
    }

    fn assert_is_the_datagram(layer: Layer<'_>) {
        let Layer::Udp(flow, payload) = layer else { panic!("{layer:?}") };
        assert_eq!((flow.source.address, flow.source.port), (7_u128.into(), 9));
        assert_eq!((flow.destination.address, flow.destination.port), (8_u128.into(), 15118));
        assert_eq!(payload, b"hello");
    }

    #[test]
    fn a_datagram_is_found_under_every_link_layer_and_under_vlan_tags() {
        let frame = udp(b"hello");
        let ip = &frame[14..];
        assert_is_the_datagram(parse(1, &frame));
        assert_is_the_datagram(parse(1, &with_tag(&frame, &[0x81, 0x00, 0, 5])));
        assert_is_the_datagram(parse(1, &with_tag(&frame, &[0x88, 0xA8, 0, 5, 0x81, 0x00, 0, 6])));
        assert_is_the_datagram(parse(101, ip));
        assert_is_the_datagram(parse(0, &[&[30, 0, 0, 0], ip].concat()));
        assert_is_the_datagram(parse(113, &[&[0; 14], &[0x86, 0xDD][..], ip].concat()));
        assert_is_the_datagram(parse(276, &[&[0x86, 0xDD][..], &[0; 18], ip].concat()));
        assert_eq!(parse(147, &frame), Layer::Other, "an unknown link type");
    }

    #[test]
    fn extension_headers_of_ipv6_and_padding_of_ethernet_are_stepped_over() {
        let mut frame = udp(b"hello");
        // A hop-by-hop header of eight bytes in front of UDP (17).
        frame.splice(54..54, [17, 0, 1, 4, 0, 0, 0, 0]);
        frame[20] = 0;
        frame[19] += 8;
        assert_is_the_datagram(parse(1, &frame));
        frame.extend([0; 9]);
        assert_is_the_datagram(parse(1, &frame));
    }

    #[test]
    fn a_homeplug_frame_is_found_with_and_without_vlan_tags() {
        let frame = [&[0xFF; 6][..], &[2; 6], &[0x88, 0xE1, 1, 0x64, 0x60]].concat();
        let from = Mac([2; 6]);
        let found = Layer::Mme { to: Mac::BROADCAST, from, payload: &[1, 0x64, 0x60] };
        assert_eq!(parse(1, &frame), found);
        assert_eq!(parse(1, &with_tag(&frame, &[0x81, 0x00, 0, 5])), found);
        assert_eq!(parse(1, &with_tag(&frame, &[0x88, 0xA8, 0, 5, 0x81, 0x00, 0, 6])), found);
        // A cooked capture records the source address only.
        let found = Layer::Mme { to: UNKNOWN, from, payload: &[1, 0x64, 0x60] };
        let cooked = [&[0, 1, 0, 1, 0, 6][..], &[2; 6], &[0, 0], &frame[12..]].concat();
        assert_eq!(parse(113, &cooked), found);
        let cooked = [&frame[12..14], &[0; 8], &[1, 6], &[2; 6], &[0, 0], &frame[14..]].concat();
        assert_eq!(parse(276, &cooked), found);
    }

    #[test]
    fn no_cut_frame_ends_the_program() {
        let frame = udp(b"hello");
        for link_type in [0, 1, 101, 113, 276] {
            for length in 0..frame.len() {
                let _ = parse(link_type, &frame[..length]);
            }
        }
    }
}
