use std::net::Ipv6Addr;

use proptest::prelude::*;
use roles::Mac;
use smoltcp::phy::ChecksumCapabilities;
use smoltcp::wire::{
    EthernetAddress, EthernetFrame, EthernetProtocol, EthernetRepr, Icmpv6Packet, Icmpv6Repr, IpProtocol,
    Ipv6Packet, Ipv6Repr, NdiscNeighborFlags, NdiscRepr, RawHardwareAddress, TcpControl, TcpPacket, TcpRepr,
    TcpSeqNumber, UdpPacket, UdpRepr,
};

use crate::world::{CAR, CHARGER, HANDSHAKE_REQ, SDP_REQUEST, World, bytes};

const ALL_NODES: [u8; 6] = [0x33, 0x33, 0, 0, 0, 1];

/// An IPv6 frame whose payload of `len` bytes is written by `fill`.
fn frame(
    mac: Mac,
    to_mac: [u8; 6],
    (from, to): (Ipv6Addr, Ipv6Addr),
    (protocol, len): (IpProtocol, usize),
    fill: impl FnOnce(&mut [u8]),
) -> Vec<u8> {
    let mut bytes = vec![0; 14 + 40 + len];
    let ethernet = EthernetRepr {
        src_addr: EthernetAddress(mac.0),
        dst_addr: EthernetAddress(to_mac),
        ethertype: EthernetProtocol::Ipv6,
    };
    let ip =
        Ipv6Repr { src_addr: from, dst_addr: to, next_header: protocol, payload_len: len, hop_limit: 255 };
    let mut frame = EthernetFrame::new_unchecked(&mut bytes[..]);
    ethernet.emit(&mut frame);
    let mut packet = Ipv6Packet::new_unchecked(frame.payload_mut());
    ip.emit(&mut packet);
    fill(packet.payload_mut());
    bytes
}

/// A neighbour solicitation for `target`.
pub(crate) fn solicitation(mac: Mac, to_mac: [u8; 6], to: Ipv6Addr, target: Ipv6Addr) -> Vec<u8> {
    let from = mac.link_local();
    let lladdr = Some(RawHardwareAddress::from(EthernetAddress(mac.0)));
    let repr = Icmpv6Repr::Ndisc(NdiscRepr::NeighborSolicit { target_addr: target, lladdr });
    frame(mac, to_mac, (from, to), (IpProtocol::Icmpv6, repr.buffer_len()), |payload| {
        let mut icmp = Icmpv6Packet::new_unchecked(payload);
        repr.emit(&from, &to, &mut icmp, &ChecksumCapabilities::default());
    })
}

/// A neighbour advertisement or solicitation in the name of the car, with the MAC address `at`.
fn claims(at: Mac, advertises: bool) -> Vec<u8> {
    let (from, to) = (CAR.link_local(), CHARGER.link_local());
    let lladdr = Some(RawHardwareAddress::from(EthernetAddress(at.0)));
    let flags = NdiscNeighborFlags::OVERRIDE | NdiscNeighborFlags::SOLICITED;
    let repr = Icmpv6Repr::Ndisc(if advertises {
        NdiscRepr::NeighborAdvert { flags, target_addr: from, lladdr }
    } else {
        NdiscRepr::NeighborSolicit { target_addr: to, lladdr }
    });
    frame(CAR, CHARGER.0, (from, to), (IpProtocol::Icmpv6, repr.buffer_len()), |payload| {
        let mut icmp = Icmpv6Packet::new_unchecked(payload);
        repr.emit(&from, &to, &mut icmp, &ChecksumCapabilities::default());
    })
}

#[test]
fn a_claim_that_the_car_is_elsewhere_takes_no_answer_away_from_it() {
    for advertises in [true, false] {
        let mut world = World::new();
        world.connect(0, 50_000);
        world.frame(&claims(Mac([2, 0, 0, 0, 0, 0x66]), advertises));
        world.car().send_exi(&bytes(HANDSHAKE_REQ));
        assert!(world.until(500, |world| world.car().message().is_some()), "{advertises}");
    }
}

/// A discovery request.
fn request(mac: Mac, from: Ipv6Addr) -> Vec<u8> {
    let to = sdp::ALL_NODES.address;
    let repr = UdpRepr { src_port: 50_032, dst_port: sdp::PORT };
    let len = repr.header_len() + SDP_REQUEST.len();
    frame(mac, ALL_NODES, (from, to), (IpProtocol::Udp, len), |payload| {
        let mut udp = UdpPacket::new_unchecked(payload);
        repr.emit(
            &mut udp,
            &from.into(),
            &to.into(),
            SDP_REQUEST.len(),
            |bytes| bytes.copy_from_slice(&SDP_REQUEST),
            &ChecksumCapabilities::default(),
        );
    })
}

/// A segment that requests a connection.
pub(crate) fn syn(mac: Mac, from_port: u16, port: u16) -> Vec<u8> {
    segment(mac, from_port, port, TcpControl::Syn, (1000, None), &[])
}

pub(crate) fn segment(
    mac: Mac,
    src_port: u16,
    dst_port: u16,
    control: TcpControl,
    (seq, ack): (i32, Option<i32>),
    payload: &[u8],
) -> Vec<u8> {
    let (from, to) = (mac.link_local(), CHARGER.link_local());
    let repr = TcpRepr {
        src_port,
        dst_port,
        control,
        seq_number: TcpSeqNumber(seq),
        ack_number: ack.map(TcpSeqNumber),
        window_len: 4096,
        window_scale: None,
        max_seg_size: None,
        sack_permitted: false,
        sack_ranges: [None; 3],
        timestamp: None,
        payload,
    };
    frame(mac, CHARGER.0, (from, to), (IpProtocol::Tcp, repr.buffer_len()), |payload| {
        let mut tcp = TcpPacket::new_unchecked(payload);
        repr.emit(&mut tcp, &from.into(), &to.into(), &ChecksumCapabilities::default());
    })
}

/// Whether a frame is a TCP reset to `port`.
pub(crate) fn is_reset(frame: &[u8], port: u16) -> bool {
    let frame = EthernetFrame::new_checked(frame).unwrap();
    let packet = Ipv6Packet::new_checked(frame.payload()).unwrap();
    packet.next_header() == IpProtocol::Tcp
        && TcpPacket::new_checked(packet.payload()).is_ok_and(|tcp| tcp.rst() && tcp.dst_port() == port)
}

fn is_answered(world: &mut World, frame: &[u8]) -> bool {
    world.cars[0].wire.to_car.clear();
    world.frame(frame);
    !world.cars[0].wire.to_car.is_empty()
}

#[test]
fn wrong_checksums_and_impossible_sources_are_never_answered() {
    let mut world = World::new();
    let good = [
        request(CAR, CAR.link_local()),
        solicitation(CAR, CHARGER.0, CHARGER.link_local(), CHARGER.link_local()),
        syn(CAR, 50_002, sdp::DEFAULT_TCP_PORT),
    ];
    for frame in &good {
        // Checksums cover addresses and payload, so each of these flips makes one wrong.
        for at in [14 + 8 + 15, frame.len() - 1] {
            let mut wrong = frame.clone();
            wrong[at] ^= 1;
            assert!(!is_answered(&mut world, &wrong), "byte {at} of {frame:02x?}");
        }
    }
    let mut unchecked = good[0].clone();
    unchecked[14 + 40 + 6..14 + 40 + 8].fill(0);
    assert!(!is_answered(&mut world, &unchecked), "UDP without a checksum");
    for source in ["ff02::1", "::", "2001:db8::2"] {
        let frame = request(CAR, source.parse().unwrap());
        assert!(!is_answered(&mut world, &frame), "{source}");
    }
    assert!(!is_answered(&mut world, &request(Mac(ALL_NODES), CAR.link_local())), "group as source");
    for frame in &good {
        assert!(is_answered(&mut world, frame), "the right ones are answered");
    }
}

#[test]
fn a_tagged_frame_is_not_heard() {
    let mut world = World::new();
    let mut frame = request(CAR, CAR.link_local());
    frame.splice(12..12, [0x81, 0x00, 0x00, 0x01]);
    assert!(!is_answered(&mut world, &frame));
}

#[test]
fn two_replies_wait_at_most_and_nothing_is_received_until_they_are_taken() {
    use machine::{Cx, Instant, Machine, ScriptedEntropy};
    use roles::{Evse, EvseInput, EvseStorage, Happening, MAX_FRAME};

    let mut entropy = ScriptedEntropy::new(&[1]);
    let mut cx = Cx { now: Instant::ZERO, entropy: &mut entropy };
    let mut storage: EvseStorage = EvseStorage::new();
    let mut evse = Evse::new(&mut cx, crate::world::config(), &mut storage).unwrap();
    let ask = solicitation(CAR, CHARGER.0, CHARGER.link_local(), CHARGER.link_local());
    let mut buffer = [0; MAX_FRAME];
    assert!(evse.poll_transmit(&mut buffer).unwrap().is_some(), "it asks for its address first");
    for _ in 0..4 {
        evse.handle(&mut cx, EvseInput::Frame(&ask));
    }
    let sent = std::iter::from_fn(|| evse.poll_transmit(&mut buffer).unwrap()).count();
    assert_eq!(sent, 2);
    let overruns =
        std::iter::from_fn(|| evse.poll_event()).filter(|event| event.what == Happening::Overrun).count();
    assert_eq!(overruns, 2);
    evse.handle(&mut cx, EvseInput::Frame(&ask));
    assert!(evse.poll_transmit(&mut buffer).unwrap().is_some());
}

#[test]
fn a_buffer_too_short_for_a_frame_loses_nothing() {
    use machine::{Cx, Instant, Machine, ScriptedEntropy, TooShort};
    use roles::{Evse, EvseInput, EvseStorage, MAX_FRAME};

    let mut entropy = ScriptedEntropy::new(&[1]);
    let mut cx = Cx { now: Instant::ZERO, entropy: &mut entropy };
    let mut storage: EvseStorage = EvseStorage::new();
    let mut evse = Evse::new(&mut cx, crate::world::config(), &mut storage).unwrap();
    evse.handle(&mut cx, EvseInput::Frame(&request(CAR, CAR.link_local())));
    let mut buffer = [0; MAX_FRAME];
    for kind in ["neighbour solicitation", "discovery answer"] {
        let Err(TooShort { needed }) = evse.poll_transmit(&mut []) else { panic!("no {kind}") };
        assert_eq!(evse.poll_transmit(&mut buffer[..needed - 1]), Err(TooShort { needed }), "{kind}");
        assert_eq!(evse.poll_transmit(&mut buffer[..needed]), Ok(Some((needed, ()))), "{kind}");
    }
    assert_eq!(evse.poll_transmit(&mut []), Ok(None));
}

fn never_energised(world: &World) -> Result<(), TestCaseError> {
    prop_assert!(!world.evse.demand().is_energised());
    Ok(())
}

/// A frame that looks valid and has some bytes changed, possibly with a corrected checksum.
pub(crate) fn bent() -> impl Strategy<Value = Vec<u8>> {
    let numbers = (any::<i32>(), any::<i32>(), 0..4_u8, any::<bool>());
    let tcp = (numbers, prop::collection::vec(any::<u8>(), 0..200)).prop_map(
        |((seq, ack, control, old), payload)| {
            let control =
                [TcpControl::None, TcpControl::Psh, TcpControl::Fin, TcpControl::Rst][usize::from(control)];
            let port = if old { 50_001 } else { 50_002 };
            segment(CAR, port, sdp::DEFAULT_TCP_PORT, control, (seq, Some(ack)), &payload)
        },
    );
    let start = prop_oneof![
        Just(request(CAR, CAR.link_local())),
        Just(solicitation(CAR, CHARGER.0, CHARGER.link_local(), CHARGER.link_local())),
        Just(syn(CAR, 50_002, sdp::DEFAULT_TCP_PORT)),
        tcp,
    ];
    (start, prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..4)).prop_map(
        |(mut bytes, flips)| {
            for (at, value) in flips {
                let at = at.index(bytes.len());
                bytes[at] = value;
            }
            bytes
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn random_bytes_as_frames_never_energise(frames in prop::collection::vec(any::<Vec<u8>>(), 1..40)) {
        let mut world = World::new();
        for frame in frames {
            world.frame(&frame);
            never_energised(&world)?;
        }
        world.connect(0, 50_001);
    }

    #[test]
    fn bent_frames_before_and_during_a_connection_never_energise(
        before in prop::collection::vec(bent(), 0..40),
        during in prop::collection::vec(bent(), 0..40),
    ) {
        let mut world = World::new();
        for frame in before {
            world.frame(&frame);
            never_energised(&world)?;
        }
        world.run(25_000);
        world.connect(0, 50_001);
        world.car().send_exi(&crate::world::bytes(HANDSHAKE_REQ));
        for frame in during {
            world.frame(&frame);
            world.run(1);
            never_energised(&world)?;
        }
        world.car().tcp().abort();
        world.run(60_000);
        world.connect(1, 50_100);
    }

    #[test]
    fn random_bytes_on_the_connection_never_energise_and_end_it(
        chunks in prop::collection::vec(prop::collection::vec(any::<u8>(), 1..300), 1..10),
        start in 0_usize..9,
    ) {
        let mut world = World::new();
        world.connect(0, 50_001);
        world.car().send(&[1, 0xFE, 0x80, 1, 0, 0, 0, 9][..start.min(8)]);
        for chunk in chunks {
            if world.car().tcp().can_send() {
                let _ = world.car().tcp().send_slice(&chunk);
            }
            world.run(5);
            never_energised(&world)?;
        }
        world.run(80_000);
        world.connect(1, 50_100);
    }
}
