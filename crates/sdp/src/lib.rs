//! SECC discovery protocol: how a car finds the charger's address, port and security.
//!
//! [`Request`] and [`Response`] are the datagrams, [`Server`] is the charger's side and [`Client`] the car's.
//! Both sides have the verbs of [`machine::Machine`]: the input is a [`Datagram`], the route of an output is
//! the [`Endpoint`] of its destination. The server sends from UDP port [`PORT`].
//!
//! # Example
//! A car that prefers TLS finds a charger without TLS:
//!
//! ```
//! use machine::{Cx, Instant, Machine, ScriptedEntropy};
//! use sdp::{Client, ClientConfig, Datagram, Endpoint, Offer, Security, Server};
//!
//! let mut entropy = ScriptedEntropy::new(&[]);
//! let mut cx = Cx { now: Instant::ZERO, entropy: &mut entropy };
//! let car = Endpoint { address: "fe80::2".parse()?, port: 50032 };
//! let charger = Endpoint { address: "fe80::1".parse()?, port: sdp::PORT };
//!
//! let mut client = Client::new(ClientConfig { plain: true, tls: true });
//! let mut server = Server::new(Offer { address: charger.address, plain: Some(51118), tls: None });
//! server.start(None);
//! client.start(&mut cx);
//!
//! let mut bytes = [0; sdp::MAX_LEN];
//! let (len, to) = client.poll_transmit(&mut bytes)?.unwrap();
//! assert_eq!(to, sdp::ALL_NODES);
//! server.handle(&mut cx, Datagram { from: car, bytes: &bytes[..len] });
//!
//! let (len, to) = server.poll_transmit(&mut bytes)?.unwrap();
//! assert_eq!(to, car);
//! client.handle(&mut cx, Datagram { from: charger, bytes: &bytes[..len] });
//!
//! let found = client.found().unwrap();
//! assert_eq!((found.port, found.security), (51118, Security::NONE));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
#![no_std]
#![forbid(unsafe_code)]

mod client;
mod server;
mod wire;

use core::net::Ipv6Addr;

pub use client::{Client, ClientConfig, ClientEvent, INTERVAL, TRIES, Unusable};
pub use server::{ANSWERS_PER_SECOND, Offer, Server, ServerEvent, Unanswered};
pub use wire::{Error, MAX_LEN, Message, Request, Response, Security, Transport};

/// UDP port on which chargers receive requests and from which they respond (ISO 15118-2, DIN SPEC 70121).
pub const PORT: u16 = 15118;

/// TCP port that a charger announces by default.
///
/// Judgement: inside 49152..=65535, because Josev as a car rejects responses with any other port.
pub const DEFAULT_TCP_PORT: u16 = 51118;

/// Destination of requests: all nodes of the link, port [`PORT`].
pub const ALL_NODES: Endpoint = Endpoint { address: Ipv6Addr::new(0xFF02, 0, 0, 0, 0, 0, 0, 1), port: PORT };

/// One side of a UDP datagram or TCP connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Endpoint {
    /// IPv6 address; the caller has the interface, so no scope id is stored.
    pub address: Ipv6Addr,
    /// UDP or TCP port.
    pub port: u16,
}

impl Endpoint {
    /// Whether it can be reached on this link: a link-local unicast address and a port other than 0.
    pub const fn is_on_link(self) -> bool {
        self.address.is_unicast_link_local() && self.port != 0
    }
}

/// A received UDP datagram with a valid checksum.
#[derive(Clone, Copy, Debug)]
pub struct Datagram<'a> {
    /// The sender.
    pub from: Endpoint,
    /// Its payload.
    pub bytes: &'a [u8],
}
