//! Frames that are encoded here and not by smoltcp.

use core::net::Ipv6Addr;

use smoltcp::wire::{
    EthernetAddress, EthernetFrame, EthernetProtocol, EthernetRepr, IpProtocol, Ipv6Packet, Ipv6Repr,
};

use super::Mac;

/// Length of Ethernet and IPv6 headers together, in bytes.
pub(super) const HEADERS: usize = 14 + 40;

/// Source, destination and protocol of an IPv6 packet.
#[derive(Clone, Copy)]
pub(super) struct Envelope {
    pub(super) from: (Mac, Ipv6Addr),
    pub(super) to: (Mac, Ipv6Addr),
    pub(super) next_header: IpProtocol,
    pub(super) hop_limit: u8,
    pub(super) payload_len: usize,
}

/// Writes a packet in its frame to `out`, its payload by `fill`, and returns its length; 0 without space.
pub(super) fn emit(envelope: &Envelope, out: &mut [u8], fill: impl FnOnce(&mut [u8])) -> usize {
    let Envelope { from: (mac, from), to: (to_mac, to), next_header, hop_limit, payload_len } = *envelope;
    let len = HEADERS + payload_len;
    let Some(out) = out.get_mut(..len) else { return 0 };
    let mut frame = EthernetFrame::new_unchecked(out);
    EthernetRepr {
        src_addr: EthernetAddress(mac.0),
        dst_addr: EthernetAddress(to_mac.0),
        ethertype: EthernetProtocol::Ipv6,
    }
    .emit(&mut frame);
    let mut packet = Ipv6Packet::new_unchecked(frame.payload_mut());
    Ipv6Repr { src_addr: from, dst_addr: to, next_header, payload_len, hop_limit }.emit(&mut packet);
    fill(packet.payload_mut());
    len
}
