//! Neighbour discovery beyond smoltcp's.

use core::net::Ipv6Addr;

use smoltcp::phy::ChecksumCapabilities;
use smoltcp::wire::{
    EthernetAddress, EthernetFrame, EthernetProtocol, Icmpv6Message, Icmpv6Packet, Icmpv6Repr, IpProtocol,
    Ipv6Packet, NdiscNeighborFlags, NdiscRepr, RawHardwareAddress,
};

use super::Mac;
use super::packet::{self, Envelope, HEADERS};

const ADVERT_LEN: usize = 32;

/// Length of a neighbour advertisement in its Ethernet frame, in bytes.
pub(super) const FRAME_LEN: usize = HEADERS + ADVERT_LEN;

/// A message of neighbour discovery.
#[derive(Clone, Copy)]
pub(super) struct Message<'m> {
    pub(super) from: (Mac, Ipv6Addr),
    pub(super) to: (Mac, Ipv6Addr),
    pub(super) says: NdiscRepr<'m>,
}

/// A message of a station that has an address.
pub(super) fn has<'m>(mac: Mac, address: Ipv6Addr, flags: NdiscNeighborFlags) -> NdiscRepr<'m> {
    let lladdr = Some(RawHardwareAddress::from(EthernetAddress(mac.0)));
    NdiscRepr::NeighborAdvert { flags, target_addr: address, lladdr }
}

/// Writes a message in its frame to `out` and returns its length; 0 without space.
pub(super) fn emit(message: &Message<'_>, out: &mut [u8]) -> usize {
    let Message { from, to, says } = *message;
    let says = Icmpv6Repr::Ndisc(says);
    let envelope = Envelope {
        from,
        to,
        next_header: IpProtocol::Icmpv6,
        hop_limit: 255,
        payload_len: says.buffer_len(),
    };
    packet::emit(&envelope, out, |bytes| {
        let mut icmp = Icmpv6Packet::new_unchecked(bytes);
        says.emit(&from.1, &to.1, &mut icmp, &ChecksumCapabilities::default());
    })
}

/// The advertisement by which the station `mac` reports to `own` that it has the address `from`.
///
/// smoltcp learns neighbours from neighbour discovery only. A car's request contains its MAC address already:
/// a solicitation would cost a round trip that may get lost, and adapters without an operating system may
/// never answer it. This advertisement passes the address of the request to smoltcp.
pub(super) fn advertisement(own: (Mac, Ipv6Addr), mac: Mac, from: Ipv6Addr) -> [u8; FRAME_LEN] {
    let mut bytes = [0; FRAME_LEN];
    let says = has(mac, from, NdiscNeighborFlags::OVERRIDE);
    emit(&Message { from: (mac, from), to: own, says }, &mut bytes);
    bytes
}

/// Sets the override flag of a neighbour advertisement that smoltcp has made, and leaves any other frame
/// unchanged. RFC 4861 7.2.4 requires the flag in the answer to a solicitation. Without it a car that has
/// stored another MAC address for us keeps the old one.
pub(super) fn set_override(frame: &mut [u8]) {
    let Ok(mut frame) = EthernetFrame::new_checked(frame) else { return };
    if frame.ethertype() != EthernetProtocol::Ipv6 {
        return;
    }
    let Ok(mut packet) = Ipv6Packet::new_checked(frame.payload_mut()) else { return };
    if packet.next_header() != IpProtocol::Icmpv6 {
        return;
    }
    let (from, to) = (packet.src_addr(), packet.dst_addr());
    let Ok(mut icmp) = Icmpv6Packet::new_checked(packet.payload_mut()) else { return };
    if icmp.msg_type() == Icmpv6Message::NeighborAdvert {
        icmp.set_neighbor_flags(NdiscNeighborFlags::SOLICITED | NdiscNeighborFlags::OVERRIDE);
        icmp.fill_checksum(&from, &to);
    }
}
