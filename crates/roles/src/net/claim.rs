//! Detection of duplicate addresses (RFC 4862 5.4).
//!
//! A new address is solicited once and used meanwhile, as RFC 4429 allows. Waiting for a duplicate would
//! delay every session by 1 s, for a case that two stations with different MAC addresses do not have.

use core::net::Ipv6Addr;

use machine::{Cx, Duration, Instant};
use smoltcp::wire::{Icmpv6Message, Icmpv6Packet, IpProtocol, Ipv6Packet, NdiscNeighborFlags, NdiscRepr};

use super::neighbour::Message;
use super::{Mac, neighbour};

/// Time after the solicitation in which an address may turn out to be a duplicate: `RETRANS_TIMER` (RFC 4861
/// 10).
const WINDOW: Duration = Duration::from_secs(1);
/// Addresses that are tried in a row: judgement; 64 random bits are not in use twice.
const TRIES: u8 = 3;
/// The hop limit of neighbour messages that were sent on this link (RFC 4861 7.1).
const HOPS: u8 = 255;

/// What another station reports about our address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Rival {
    /// It has the address.
    Has,
    /// It is checking whether the address is free.
    Wants,
}

impl Rival {
    /// What a packet reports about `own`.
    pub(super) fn of(packet: &Ipv6Packet<&[u8]>, own: Ipv6Addr) -> Option<Self> {
        if packet.next_header() != IpProtocol::Icmpv6 || packet.hop_limit() != HOPS {
            return None;
        }
        let icmp = Icmpv6Packet::new_checked(packet.payload()).ok()?;
        let says = match icmp.msg_type() {
            Icmpv6Message::NeighborAdvert => Self::Has,
            Icmpv6Message::NeighborSolicit if packet.src_addr().is_unspecified() => Self::Wants,
            _ => return None,
        };
        let is_whole =
            packet.payload().len() >= 24 && icmp.verify_checksum(&packet.src_addr(), &packet.dst_addr());
        (is_whole && icmp.target_addr() == own).then_some(says)
    }
}

/// Our own address, and until when it may turn out to be a duplicate.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Claim {
    until: Option<Instant>,
    tries: u8,
}

impl Claim {
    /// A link begins: solicits the address.
    pub(super) fn begin(&mut self, now: Instant) {
        (self.until, self.tries) = (Some(now + WINDOW), 0);
    }

    /// Another station has the address, or checks it at the same time: the next address to try, unless ours
    /// is settled.
    pub(super) fn next(&mut self, cx: &mut Cx<'_>) -> Option<Ipv6Addr> {
        self.until.filter(|until| cx.now < *until && self.tries < TRIES)?;
        (self.until, self.tries) = (Some(cx.now + WINDOW), self.tries.saturating_add(1));
        let mut identifier = [0; 8];
        cx.entropy.fill(&mut identifier);
        let low = u64::from_be_bytes(identifier).max(1);
        Some(Ipv6Addr::from(0xFE80 << 112 | u128::from(low)))
    }
}

/// `ff02::1:ffXX:XXXX` with the last three bytes of an address (RFC 4291, 2.7.1).
pub(super) fn solicited_node(address: Ipv6Addr) -> Ipv6Addr {
    let [.., a, b, c] = address.octets();
    let word = u16::from_be_bytes;
    Ipv6Addr::new(0xFF02, 0, 0, 0, 0, 1, word([0xFF, a]), word([b, c]))
}

/// The Ethernet group address of an IPv6 group (RFC 2464 7).
pub(super) fn group(to: Ipv6Addr) -> Mac {
    let [.., a, b, c, d] = to.octets();
    Mac([0x33, 0x33, a, b, c, d])
}

/// A solicitation for `address`, to find a duplicate.
pub(super) fn solicitation(mac: Mac, address: Ipv6Addr, out: &mut [u8]) -> usize {
    let to = solicited_node(address);
    let ask = NdiscRepr::NeighborSolicit { target_addr: address, lladdr: None };
    neighbour::emit(&Message { from: (mac, Ipv6Addr::UNSPECIFIED), to: (group(to), to), says: ask }, out)
}

/// An advertisement that `address` is in use.
pub(super) fn defence(mac: Mac, address: Ipv6Addr, out: &mut [u8]) -> usize {
    let to = sdp::ALL_NODES.address;
    let says = neighbour::has(mac, address, NdiscNeighborFlags::OVERRIDE);
    neighbour::emit(&Message { from: (mac, address), to: (group(to), to), says }, out)
}
