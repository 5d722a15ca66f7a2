use core::net::Ipv6Addr;

use smoltcp::wire::{EthernetFrame, EthernetProtocol, Icmpv6Message, Icmpv6Packet, IpProtocol, Ipv6Packet};
use smoltcp::wire::{TcpPacket, UdpPacket};

use super::Mac;
use super::claim::{self, Rival};

/// A frame for this station, with its kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Heard {
    /// The station that sent it.
    pub(crate) mac: Mac,
    /// The sender's address: link-local unicast.
    pub(crate) from: Ipv6Addr,
    /// Its content. Checksums are not verified yet.
    pub(crate) kind: Kind,
}

/// The content of a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Neighbour solicitation or advertisement.
    Neighbour,
    /// Another station uses or checks our address; `from` is not a peer's address.
    Rival(Rival),
    /// A datagram for the discovery port.
    Discovery,
    /// A TCP segment.
    Segment {
        /// Source port.
        from_port: u16,
        /// Destination port.
        port: u16,
        /// Whether it opens a new connection.
        opens: bool,
    },
}

/// Why a frame was ignored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ignored {
    /// It is shorter than its headers state, or its headers contradict each other.
    Malformed,
    /// Not IPv6 in a plain (untagged) Ethernet frame.
    NotIpv6,
    /// For another station or group.
    NotForUs,
    /// The source is not a link-local unicast address of another station.
    Source,
    /// A protocol, message or port that this station does not use.
    Protocol,
    /// Responses wait to be sent: no frame is received until they are fetched.
    Full,
}

/// The addresses of this station.
#[derive(Clone, Copy, Debug)]
pub(super) struct Own {
    pub(super) mac: Mac,
    pub(super) address: Ipv6Addr,
    /// The UDP port of discovery.
    pub(super) udp_port: u16,
}

impl Own {
    /// Determines the kind of a frame, or why it is not for this station.
    ///
    /// Only accepted frames reach the IPv6 stack: no fragments, options, routing headers or echo requests.
    pub(super) fn classify(&self, frame: &[u8]) -> Result<Heard, Ignored> {
        let ethernet = EthernetFrame::new_checked(frame).map_err(|_| Ignored::Malformed)?;
        if ethernet.ethertype() != EthernetProtocol::Ipv6 {
            return Err(Ignored::NotIpv6);
        }
        let mac = Mac(ethernet.src_addr().0);
        if !mac.is_unicast() || mac == self.mac {
            return Err(Ignored::Source);
        }
        let ip = Ipv6Packet::new_checked(ethernet.payload()).map_err(|_| Ignored::Malformed)?;
        if ip.version() != 6 {
            return Err(Ignored::Malformed);
        }
        let (from, to) = (ip.src_addr(), ip.dst_addr());
        if !self.is_reached(Mac(ethernet.dst_addr().0), to) {
            return Err(Ignored::NotForUs);
        }
        if let Some(rival) = Rival::of(&ip, self.address) {
            return Ok(Heard { mac, from, kind: Kind::Rival(rival) });
        }
        if !from.is_unicast_link_local() || from == self.address {
            return Err(Ignored::Source);
        }
        let kind = self.kind(ip.next_header(), ip.payload(), to)?;
        Ok(Heard { mac, from, kind })
    }

    /// Whether both addresses are this station's, or both those of a group that it is in.
    fn is_reached(&self, mac: Mac, to: Ipv6Addr) -> bool {
        if to == self.address {
            return mac == self.mac;
        }
        let is_ours = to == sdp::ALL_NODES.address || to == claim::solicited_node(self.address);
        is_ours && mac == claim::group(to)
    }

    fn kind(&self, protocol: IpProtocol, payload: &[u8], to: Ipv6Addr) -> Result<Kind, Ignored> {
        match protocol {
            IpProtocol::Icmpv6 => {
                let icmp = Icmpv6Packet::new_checked(payload).map_err(|_| Ignored::Malformed)?;
                match icmp.msg_type() {
                    Icmpv6Message::NeighborSolicit | Icmpv6Message::NeighborAdvert => Ok(Kind::Neighbour),
                    _ => Err(Ignored::Protocol),
                }
            }
            IpProtocol::Udp => {
                let udp = UdpPacket::new_checked(payload).map_err(|_| Ignored::Malformed)?;
                // smoltcp accepts "no checksum" for IPv6, too, where RFC 8200 8.1 forbids it.
                if udp.checksum() == 0 {
                    return Err(Ignored::Malformed);
                }
                let discovery = udp.dst_port() == self.udp_port;
                discovery.then_some(Kind::Discovery).ok_or(Ignored::Protocol)
            }
            IpProtocol::Tcp if to == self.address => {
                let tcp = TcpPacket::new_checked(payload).map_err(|_| Ignored::Malformed)?;
                let opens = tcp.syn() && !tcp.ack() && !tcp.rst();
                Ok(Kind::Segment { from_port: tcp.src_port(), port: tcp.dst_port(), opens })
            }
            _ => Err(Ignored::Protocol),
        }
    }
}

#[cfg(test)]
mod tests {
    extern crate std;
    use super::*;
    use std::vec::Vec;

    const OWN: Own = Own {
        mac: Mac([2, 0, 0, 0, 0, 1]),
        address: Mac([2, 0, 0, 0, 0, 1]).link_local(),
        udp_port: sdp::PORT,
    };
    const CAR: Mac = Mac([2, 0, 0, 0, 0, 2]);
    const ALL_NODES: Mac = Mac([0x33, 0x33, 0, 0, 0, 1]);

    fn frame(
        to: Mac,
        from: Mac,
        ethertype: u16,
        ip_to: Ipv6Addr,
        ip_from: Ipv6Addr,
        udp_port: u16,
    ) -> Vec<u8> {
        let mut bytes = Vec::new();
        bytes.extend(to.0);
        bytes.extend(from.0);
        bytes.extend(ethertype.to_be_bytes());
        bytes.extend([0x60, 0, 0, 0, 0, 10, 17, 255]);
        bytes.extend(ip_from.octets());
        bytes.extend(ip_to.octets());
        bytes.extend(50032_u16.to_be_bytes());
        bytes.extend(udp_port.to_be_bytes());
        bytes.extend([0, 10, 0xFF, 0xFF, 1, 2]);
        bytes
    }

    fn discovery(to: Mac, from: Mac, ip_to: Ipv6Addr, ip_from: Ipv6Addr) -> Result<Kind, Ignored> {
        OWN.classify(&frame(to, from, 0x86DD, ip_to, ip_from, sdp::PORT)).map(|heard| heard.kind)
    }

    #[test]
    fn discovery_to_the_group_or_to_the_own_address_is_heard() {
        let all = sdp::ALL_NODES.address;
        assert_eq!(discovery(ALL_NODES, CAR, all, CAR.link_local()), Ok(Kind::Discovery));
        assert_eq!(discovery(OWN.mac, CAR, OWN.address, CAR.link_local()), Ok(Kind::Discovery));
    }

    #[test]
    fn frames_for_others_from_impossible_sources_or_of_other_kinds_are_ignored() {
        let all = sdp::ALL_NODES.address;
        let car = CAR.link_local();
        let global = "2001:db8::2".parse().unwrap();
        assert_eq!(discovery(CAR, CAR, all, car), Err(Ignored::NotForUs));
        assert_eq!(discovery(ALL_NODES, CAR, OWN.address, car), Err(Ignored::NotForUs));
        assert_eq!(discovery(OWN.mac, CAR, car, car), Err(Ignored::NotForUs));
        assert_eq!(discovery(ALL_NODES, ALL_NODES, all, car), Err(Ignored::Source));
        assert_eq!(discovery(ALL_NODES, OWN.mac, all, car), Err(Ignored::Source));
        for source in [all, global, Ipv6Addr::UNSPECIFIED, OWN.address] {
            assert_eq!(discovery(ALL_NODES, CAR, all, source), Err(Ignored::Source), "{source}");
        }
        let vlan = frame(ALL_NODES, CAR, 0x8100, all, car, sdp::PORT);
        assert_eq!(OWN.classify(&vlan), Err(Ignored::NotIpv6));
        let other_port = frame(ALL_NODES, CAR, 0x86DD, all, car, 5353);
        assert_eq!(OWN.classify(&other_port), Err(Ignored::Protocol));
    }

    #[test]
    fn every_cut_frame_is_malformed() {
        let whole = frame(ALL_NODES, CAR, 0x86DD, sdp::ALL_NODES.address, CAR.link_local(), sdp::PORT);
        for len in 0..whole.len() {
            assert_eq!(OWN.classify(&whole[..len]), Err(Ignored::Malformed), "{len}");
        }
    }
}
