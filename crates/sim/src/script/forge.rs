//! Forged frames.

use std::net::Ipv6Addr;

use homeplug_mme::Mac;
use sdp::{Request, Response, Security, Transport};

use super::injector::FaultInjector;
use super::packet::{self, RST, SYN, Station};
use crate::plant::Side;
use crate::{Host, World};

/// A forged frame.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Forged {
    /// A discovery request: whether it comes from the peer, with this security.
    Discovery(bool, u8),
    /// A datagram at the discovery port, with this payload.
    Datagram(Vec<u8>),
    /// A discovery response: whether it comes from the peer; address, port and security.
    Answer(bool, Ipv6Addr, u16, u8),
    /// A TCP segment that opens (`true`) or aborts a connection, from the peer or from another host.
    Tcp {
        /// Whether it opens a connection.
        opens: bool,
        /// Whether it comes from the peer.
        is_peer: bool,
    },
    /// A segment for the node's connection from a host that does not see it: flags, distance of its sequence
    /// number to the expected one, payload. It acknowledges data that were never sent.
    Blind {
        /// TCP flags.
        flags: u8,
        /// Distance of its sequence number to the expected one.
        ahead: u32,
        /// The payload.
        payload: Vec<u8>,
    },
    /// The peer has the node's own address (`true`), or asks whether it may use it.
    Claim(bool),
    /// A router that advertises a global prefix.
    Router,
    /// A shutdown in the name of the peer, not protected by a key: a V2GTP message without a connection.
    Bytes(Vec<u8>),
}

/// An address that no station has.
pub(super) const STRANGER: (Mac, Ipv6Addr) =
    (Mac([2, 0, 0, 0, 0, 0x66]), Ipv6Addr::new(0xFE80, 0, 0, 0, 0, 0x00FF, 0xFE00, 0x66));

/// The station of one side, at a port.
fn station(world: &World<FaultInjector<'_>>, side: Side, port: u16) -> Option<Station> {
    let host = &world.node(super::setup::port(side))?.program.host;
    Some(match host {
        Host::Charger(charger) => {
            Station { mac: Mac([2, 0, 0, 0, 0, 0x5E]), address: charger.role().address(), port }
        }
        Host::Car(car) => Station { mac: car.role().mac(), address: car.role().address(), port },
    })
}

/// The frame as it arrives at one side; `None` while it cannot be built yet.
pub(super) fn forge(world: &World<FaultInjector<'_>>, side: Side, forged: &Forged) -> Option<Vec<u8>> {
    let other = if side == Side::Car { Side::Charger } else { Side::Car };
    let to = |port| station(world, side, port);
    let from = |is_peer: bool, port| {
        let (mac, address) = STRANGER;
        if is_peer { station(world, other, port) } else { Some(Station { mac, address, port }) }
    };
    let all = |port| {
        let (mac, address) = (Mac([0x33, 0x33, 0, 0, 0, 1]), sdp::ALL_NODES.address);
        Station { mac, address, port }
    };
    let mut buffer = [0; sdp::MAX_LEN];
    let mut write = |message: sdp::Message| {
        let length = message.write(&mut buffer).ok()?;
        buffer.get(..length).map(<[u8]>::to_vec)
    };
    Some(match forged {
        Forged::Discovery(is_peer, security) => {
            let request = Request { security: Security(*security), transport: Transport::TCP };
            packet::udp(from(*is_peer, 54_321)?, all(sdp::PORT), &write(sdp::Message::Request(request))?)
        }
        Forged::Datagram(bytes) => packet::udp(from(true, 54_321)?, all(sdp::PORT), bytes),
        Forged::Answer(is_peer, address, port, security) => {
            let response = Response {
                address: *address,
                port: *port,
                security: Security(*security),
                transport: Transport::TCP,
            };
            let asked = world.node(super::setup::port(side))?.discovery_port()?;
            packet::udp(from(*is_peer, sdp::PORT)?, to(asked)?, &write(sdp::Message::Response(response))?)
        }
        Forged::Tcp { opens, is_peer } => {
            let flags = if *opens { SYN } else { RST };
            packet::tcp(from(*is_peer, 50_123)?, to(sdp::DEFAULT_TCP_PORT)?, 1000, flags)
        }
        Forged::Blind { flags, ahead, payload } => {
            world.node(super::setup::port(side))?.last_segment()?.blind(*flags, *ahead, payload)
        }
        Forged::Claim(has) => packet::claim(from(true, 0)?.mac, to(0)?.address, *has),
        Forged::Router => packet::router_advertisement(from(false, 0)?, all(0)),
        Forged::Bytes(bytes) => bytes.clone(),
    })
}
