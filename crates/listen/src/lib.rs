//! What an observer sees of charging sessions, without I/O and without an allocator.
//!
//! | part | input | result |
//! |---|---|---|
//! | [`Listen`] | Ethernet frames | everything below, as events |
//! | [`packet`] | one captured frame | its payload: management message, UDP datagram or TCP segment |
//! | [`Streams`] | TCP segments | both directions of each connection, split into V2GTP messages |
//! | [`Matchings`] | management messages | the matching attempts, and how each ended |
//! | [`Story`] | decoded messages | what happened in a session |
//! | [`story::Tale`] | a [`Story`] | its text, line by line |
//!
//! The caller lends all memory as a [`Storage`]. Every size in it is a bound; what is evicted or abandoned
//! because of a bound is counted and reported.
//!
//! # Example
//! A message in two segments that arrive in the wrong order:
//!
//! ```
//! use listen::packet::{Endpoint, Flow, Segment};
//! use listen::{Fixed, Found, Streams, When};
//!
//! // 4 connections, 8 kB for bytes that cannot be delivered yet, messages up to 1 kB.
//! let mut streams = Streams::<Fixed<(), 4, 32, 1024>>::default();
//! let end = |port| Endpoint { address: core::net::Ipv6Addr::LOCALHOST, port };
//! let flow = Flow { source: end(50000), destination: end(15118) };
//! let bytes = [0x01, 0xFE, 0x80, 0x01, 0, 0, 0, 4, 0x80, 0x40, 0x00, 0x40];
//! let mut seen = Vec::new();
//! for (frame, from, to) in [(1, 0, 0), (2, 5, 12), (3, 0, 5)] {
//!     let (syn, sequence) = (to == 0, if to == 0 { 99 } else { 100 + from as u32 });
//!     let segment = Segment { sequence, acknowledged: None, syn, close: None, data: &bytes[from..to] };
//!     streams.take(When { frame, time_ns: None }, flow, segment, &mut |(), _, when, found| {
//!         if let Found::Message(_, payload) = found {
//!             seen.push((when.frame, payload.to_vec()));
//!         }
//!     });
//! }
//! assert_eq!(seen, [(3, vec![0x80, 0x40, 0x00, 0x40])]);
//! ```
#![no_std]
#![forbid(unsafe_code)]

#[cfg(test)]
#[macro_use]
extern crate std;

mod direction;
mod discovery;
mod document;
mod ends;
mod framer;
mod half;
mod held;
mod listen;
mod matching;
mod outlook;
pub mod packet;
mod schema;
pub mod story;
mod streams;
mod talk;

pub use direction::Direction;
pub use discovery::Discovery;
pub use document::Document;
pub use ends::{Ends, Votes};
pub use framer::{Close, Found, Sink, When, whole};
pub use held::{BLOCK_LEN, Block};
pub use listen::{BoardStorage, Content, Event, Listen, OnEvent};
pub use matching::{Answer, Attempt, MAX_ANSWERS, Matchings, Outcome};
pub use outlook::{Outlook, Sight, Status};
pub use schema::Schema;
pub use story::Story;
pub use streams::{Fixed, GivenUp, OnFound, Parts, Sender, Slot, Storage, Streams};
pub use talk::{Known, MAX_NAMED_OFFERS, Offer, Talk};
