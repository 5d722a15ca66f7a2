//! Complete roles over Ethernet frames, without I/O: frames and readings in, frames and demands out.
//!
//! | role | description |
//! |---|---|
//! | [`Evse`] | a charger's connector: its modem and matching (SLAC), IPv6, discovery, TCP, V2GTP, session and plant |
//! | [`Pev`] | a car's inlet, with the same parts |
//! | [`Listen`] | an observer: decodes messages of other stations without a network stack; it sends nothing unless configured to join a network |
//!
//! [`EvseLink::Up`] and [`PevLink::Up`] are for modems that are paired already, and for plain Ethernet. The
//! caller lends the memory of a charger or car ([`EvseStorage`]). Each connection has a [`Channel`] between
//! TCP and V2GTP: [`Plain`], or that of other [`Channels`].
//!
//! Both sides have the same names: `EvseConfig` and `PevConfig`, `EvseInput` and `PevInput`, `EvseEvent` and
//! `PevEvent`, `EvseConfigError` and `PevConfigError`. The types of session and plant are in `evse_fsm` and
//! `pev_fsm`.
//!
//! # Example
//! A car sends a discovery request; the response is the next frame to send.
//!
//! ```
//! use machine::{Cx, Instant, Machine, ScriptedEntropy};
//! use roles::{Evse, EvseConfig, EvseStorage, EvseInput, MAX_FRAME, Mac};
//!
//! let mut entropy = ScriptedEntropy::new(&[7]);
//! let mut cx = Cx { now: Instant::ZERO, entropy: &mut entropy };
//! let mut storage: EvseStorage = EvseStorage::new();
//! let config = EvseConfig::new(Mac([0x02, 0, 0, 0, 0, 0x01]));
//! let mut evse = Evse::new(&mut cx, config, &mut storage)?;
//! let mut buffer = [0; MAX_FRAME];
//! assert!(evse.poll_transmit(&mut buffer)?.is_some(), "it asks whether another station has its address");
//!
//! // From pyPLC's MAC address to all nodes: Ethernet, IPv6, UDP 50032 to 15118, discovery request.
//! let mut frame = vec![0x33, 0x33, 0, 0, 0, 1, 0x04, 0x65, 0x65, 0, 0x64, 0xC3, 0x86, 0xDD];
//! frame.extend([0x60, 0, 0, 0, 0, 18, 17, 10]);
//! frame.extend("fe80::665:65ff:fe00:64c3".parse::<core::net::Ipv6Addr>()?.octets());
//! frame.extend("ff02::1".parse::<core::net::Ipv6Addr>()?.octets());
//! frame.extend([0xC3, 0x70, 0x3B, 0x0E, 0, 18, 0x92, 0x9D]);
//! frame.extend([0x01, 0xFE, 0x90, 0, 0, 0, 0, 2, 0x10, 0]);
//! evse.handle(&mut cx, EvseInput::Frame(&frame));
//!
//! let (len, ()) = evse.poll_transmit(&mut buffer)?.expect("an answer");
//! let answer = sdp::Message::parse(&buffer[62..len])?;
//! let sdp::Message::Response(answer) = answer else { panic!("no response") };
//! assert_eq!((answer.address, answer.port), (evse.address(), sdp::DEFAULT_TCP_PORT));
//! assert!(!evse.demand().is_energised());
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
#![no_std]
#![forbid(unsafe_code)]

mod channel;
mod evse;
mod line;
mod listen;
mod net;
mod pev;
mod stream;
mod watch;
pub mod words;

pub use channel::{Broken, Channel, Channels, Plain, Written};
pub use evse::{Evse, EvseConfig, EvseConfigError, EvseEvent, EvseInput, EvseLink, EvseStorage, Happening};
pub use listen::{Listen, ListenEvent, ListenStorage, ListenWatch};
pub use net::{MAX_FRAME, Mac};
pub use pev::{Pev, PevConfig, PevConfigError, PevEvent, PevInput, PevLink, PevStorage};
pub use stream::StreamError;
pub use watch::Watch;
