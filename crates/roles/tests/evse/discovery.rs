use machine::Duration;
use roles::{Happening, Plain};
use sdp::{Security, ServerEvent};
use session::Time;
use smoltcp::wire::{
    EthernetAddress, EthernetFrame, EthernetProtocol, Icmpv6Message, Icmpv6Packet, Icmpv6Repr, IpProtocol,
    Ipv6Packet, NdiscNeighborFlags, NdiscRepr,
};

use crate::world::{CAR, CHARGER, OTHER, SDP_REQUEST, World};

#[test]
fn a_car_that_asks_is_told_address_and_port() {
    let mut world = World::new();
    let found = world.discover(0).expect("an answer");
    assert_eq!((found.address, found.port), (CHARGER.link_local(), sdp::DEFAULT_TCP_PORT));
    assert_eq!(found.security, Security::NONE);
    assert!(world.saw(|event| *event == Happening::Serving(CAR)));
}

#[test]
fn the_answer_comes_without_asking_for_the_cars_mac_address_first() {
    let mut world = World::new();
    world.car().multicast(&SDP_REQUEST);
    world.run(1);
    let frame = world.cars[0].wire.to_car.pop_front().expect("a frame");
    assert_eq!(EthernetFrame::new_checked(&frame).unwrap().dst_addr(), EthernetAddress(CAR.0));
    assert_eq!(frame.len(), 14 + 40 + 8 + sdp::MAX_LEN);
}

#[test]
fn every_repeated_request_is_answered_with_the_same_port() {
    let mut world = World::new();
    let first = world.discover(0);
    for _ in 0..20 {
        world.run(250);
        assert_eq!(world.discover(0), first);
    }
}

#[test]
fn another_station_is_ignored_while_one_is_being_served_and_served_18_s_later() {
    let mut world = World::new();
    world.discover(0).expect("an answer");
    world.cars[1].multicast(&SDP_REQUEST);
    world.run(10);
    assert_eq!(world.cars[1].answer(), None);
    assert!(world.saw(|event| *event == Happening::OtherStation(OTHER)));
    world.run(18_000);
    assert!(world.saw(|event| *event == Happening::Free));
    assert!(world.discover(1).is_some());
}

#[test]
fn a_car_without_a_session_keeps_its_place_for_the_sessions_own_setup_time() {
    let mut config = crate::world::config();
    config.charger.times = config.charger.times.with(Time::SetupBudget, Duration::from_secs(5));
    let mut world = World::with(config, Plain);
    world.discover(0).expect("an answer");
    world.run(4_900);
    assert!(!world.saw(|event| *event == Happening::Free));
    world.run(200);
    assert!(world.saw(|event| *event == Happening::Free));
}

#[test]
fn a_solicitation_is_answered_with_solicited_and_override_also_when_it_is_unicast() {
    let mut world = World::new();
    let target = CHARGER.link_local();
    let [.., a, b, c] = target.octets();
    let group = format!("ff02::1:ff{a:02x}:{b:02x}{c:02x}").parse().unwrap();
    for (to, mac) in [(target, CHARGER.0), (group, [0x33, 0x33, 0xFF, a, b, c])] {
        world.cars[0].wire.to_car.clear();
        let frame = crate::hostile::solicitation(CAR, mac, to, target);
        world.frame(&frame);
        let frame = world.cars[0].wire.to_car.pop_front().expect("an advertisement");
        let ethernet = EthernetFrame::new_checked(&frame[..]).unwrap();
        assert_eq!((ethernet.ethertype(), ethernet.dst_addr().0), (EthernetProtocol::Ipv6, CAR.0));
        let ip = Ipv6Packet::new_checked(ethernet.payload()).unwrap();
        assert_eq!((ip.next_header(), ip.hop_limit()), (IpProtocol::Icmpv6, 255));
        let icmp = Icmpv6Packet::new_checked(ip.payload()).unwrap();
        assert_eq!(icmp.msg_type(), Icmpv6Message::NeighborAdvert);
        let caps = smoltcp::phy::ChecksumCapabilities::default();
        let parsed = Icmpv6Repr::parse(&ip.src_addr(), &ip.dst_addr(), &icmp, &caps).expect("right checksum");
        let Icmpv6Repr::Ndisc(NdiscRepr::NeighborAdvert { flags, target_addr, lladdr }) = parsed else {
            panic!("{parsed:?}")
        };
        assert_eq!(flags, NdiscNeighborFlags::SOLICITED | NdiscNeighborFlags::OVERRIDE);
        assert_eq!((target_addr, lladdr.unwrap().as_bytes()), (target, &CHARGER.0[..]));
    }
}

#[test]
fn discovery_is_silent_while_a_connection_is_open() {
    let mut world = World::new();
    world.connect(0, 50_001);
    world.car().multicast(&SDP_REQUEST);
    world.run(100);
    assert_eq!(world.car().answer(), None);
    let stopped = |event: &Happening| {
        let why = sdp::Unanswered::Stopped;
        matches!(event, Happening::Discovery(ServerEvent::Unanswered { why: w, .. }) if *w == why)
    };
    assert!(world.saw(stopped));
}

#[test]
fn a_configured_address_is_announced_and_answered_for() {
    let mut config = crate::world::config();
    config.address = Some("fe80::1234".parse().unwrap());
    config.port = 60_000;
    let mut world = World::with(config, roles::Plain);
    world.connect(0, 50_001);
    let peer = world.car().tcp().remote_endpoint().unwrap();
    assert_eq!(peer.to_string(), "fe80::1234:60000");
}
