//! The charger's address, and duplicates of it.

use core::net::Ipv6Addr;

use machine::{Cx, Instant, Machine, ScriptedEntropy};
use roles::{Evse, EvseInput, EvseStorage, MAX_FRAME};
use smoltcp::phy::ChecksumCapabilities;
use smoltcp::wire::{
    EthernetAddress, EthernetFrame, EthernetProtocol, EthernetRepr, Icmpv6Message, Icmpv6Packet, Icmpv6Repr,
    IpProtocol, Ipv6Packet, Ipv6Repr, NdiscNeighborFlags, NdiscRepr, RawHardwareAddress,
};

use crate::world::{CAR, CHARGER, World};

/// What a station reports about an address: that it has it, or, from the unspecified address, that it checks
/// whether it is free.
fn rival(address: Ipv6Addr, has: bool) -> Vec<u8> {
    let to = sdp::ALL_NODES.address;
    let from = if has { address } else { Ipv6Addr::UNSPECIFIED };
    let says = Icmpv6Repr::Ndisc(if has {
        let lladdr = Some(RawHardwareAddress::from(EthernetAddress(CAR.0)));
        NdiscRepr::NeighborAdvert { flags: NdiscNeighborFlags::OVERRIDE, target_addr: address, lladdr }
    } else {
        NdiscRepr::NeighborSolicit { target_addr: address, lladdr: None }
    });
    let mut bytes = vec![0; 54 + says.buffer_len()];
    let mut frame = EthernetFrame::new_unchecked(&mut bytes[..]);
    let dst_addr = EthernetAddress([0x33, 0x33, 0, 0, 0, 1]);
    EthernetRepr { src_addr: EthernetAddress(CAR.0), dst_addr, ethertype: EthernetProtocol::Ipv6 }
        .emit(&mut frame);
    let mut packet = Ipv6Packet::new_unchecked(frame.payload_mut());
    let payload_len = says.buffer_len();
    Ipv6Repr { src_addr: from, dst_addr: to, next_header: IpProtocol::Icmpv6, payload_len, hop_limit: 255 }
        .emit(&mut packet);
    let mut icmp = Icmpv6Packet::new_unchecked(packet.payload_mut());
    says.emit(&from, &to, &mut icmp, &ChecksumCapabilities::default());
    bytes
}

/// A charger whose link has just begun.
fn with_evse<R>(then: impl FnOnce(&mut Evse<'_>, &mut Cx<'_>) -> R) -> R {
    let mut entropy = ScriptedEntropy::new(&[1, 2, 3, 4, 5, 6, 7]);
    let mut cx = Cx { now: Instant::ZERO, entropy: &mut entropy };
    let mut storage: EvseStorage = EvseStorage::new();
    let mut evse = Evse::new(&mut cx, crate::world::config(), &mut storage).unwrap();
    then(&mut evse, &mut cx)
}

/// The next frame's message of neighbour discovery: its kind, source and target.
fn neighbour(evse: &mut Evse<'_>) -> Option<(Icmpv6Message, Ipv6Addr, Ipv6Addr)> {
    let mut buffer = [0; MAX_FRAME];
    let (len, ()) = evse.poll_transmit(&mut buffer).unwrap()?;
    let ip = Ipv6Packet::new_checked(&buffer[14..len]).unwrap();
    let icmp = Icmpv6Packet::new_checked(ip.payload()).unwrap();
    assert!(icmp.verify_checksum(&ip.src_addr(), &ip.dst_addr()));
    Some((icmp.msg_type(), ip.src_addr(), icmp.target_addr()))
}

#[test]
fn an_address_that_the_peer_has_or_wants_at_the_same_time_is_given_up_three_times_at_most() {
    for has in [true, false] {
        with_evse(|evse, cx| {
            let nowhere = Ipv6Addr::UNSPECIFIED;
            let asks = Some((Icmpv6Message::NeighborSolicit, nowhere, CHARGER.link_local()));
            assert_eq!(neighbour(evse), asks);
            let mut addresses = vec![evse.address()];
            for _ in 0..4 {
                evse.handle(cx, EvseInput::Frame(&rival(evse.address(), has)));
                addresses.push(evse.address());
                let asks = Some((Icmpv6Message::NeighborSolicit, nowhere, evse.address()));
                let is_new = addresses[addresses.len() - 2] != evse.address();
                let defends = Some((Icmpv6Message::NeighborAdvert, evse.address(), evse.address()));
                let expected = if is_new { asks } else { defends.filter(|_| !has) };
                assert_eq!(neighbour(evse), expected);
            }
            addresses.dedup();
            assert_eq!(addresses.len(), 4, "{addresses:?}");
            assert!(addresses.iter().all(Ipv6Addr::is_unicast_link_local));
        });
    }
}

#[test]
fn a_second_later_an_address_is_kept_and_defended() {
    with_evse(|evse, cx| {
        neighbour(evse);
        cx.now = Instant::from_millis(1_000);
        let own = evse.address();
        evse.handle(cx, EvseInput::Frame(&rival(own, true)));
        assert_eq!(neighbour(evse), None);
        evse.handle(cx, EvseInput::Frame(&rival(own, false)));
        assert_eq!(neighbour(evse), Some((Icmpv6Message::NeighborAdvert, own, own)));
        assert_eq!(evse.address(), own);
    });
}

#[test]
fn words_about_other_addresses_and_damaged_ones_take_nothing_away() {
    with_evse(|evse, cx| {
        neighbour(evse);
        let own = evse.address();
        evse.handle(cx, EvseInput::Frame(&rival(CAR.link_local(), false)));
        let whole = rival(own, true);
        for at in 20..whole.len() {
            let mut damaged = whole.clone();
            damaged[at] ^= 0x10;
            evse.handle(cx, EvseInput::Frame(&damaged));
            evse.handle(cx, EvseInput::Frame(&whole[..at]));
        }
        assert_eq!((evse.address(), neighbour(evse)), (own, None));
    });
}

#[test]
fn a_new_address_is_announced_and_takes_the_connection() {
    let mut world = World::new();
    world.evse.handle(
        &mut Cx { now: Instant::ZERO, entropy: &mut ScriptedEntropy::new(&[9]) },
        EvseInput::Frame(&rival(CHARGER.link_local(), true)),
    );
    let moved = world.evse.address();
    assert_ne!(moved, CHARGER.link_local());
    world.connect(0, 50_001);
    assert_eq!(world.car().tcp().remote_endpoint().unwrap().addr, moved.into());
}
