//! V2GTP: the 8-byte header before every message between a car and a charger, and the extraction of whole
//! messages from a TCP stream.
//!
//! # Example
//! Two messages arrive in three pieces with other borders:
//!
//! ```
//! use v2gtp::{Deframer, Header, Item, Message, PayloadType};
//!
//! let mut stream = Vec::new();
//! for payload in [&b"first"[..], b"second"] {
//!     let header = Header { payload_type: PayloadType::EXI, length: payload.len() as u32 };
//!     stream.extend(header.to_bytes());
//!     stream.extend(payload);
//! }
//!
//! let mut deframer = Deframer::<64>::new();
//! let mut seen = Vec::new();
//! for mut piece in stream.chunks(11) {
//!     while let Some(item) = deframer.next(&mut piece)? {
//!         if let Item::Message(Message { payload_type: PayloadType::EXI, payload }) = item {
//!             seen.push(payload.to_vec());
//!         }
//!     }
//! }
//! assert_eq!(seen, [b"first".to_vec(), b"second".to_vec()]);
//! # Ok::<(), v2gtp::Error>(())
//! ```
#![no_std]
#![forbid(unsafe_code)]

mod deframer;
mod header;
mod payload_type;

pub use deframer::{Deframer, Item};
pub use header::{Error, HEADER_LEN, Header, Message};
pub use payload_type::PayloadType;

/// The largest message of a DIN SPEC 70121 session, header included, in bytes.
///
/// Judgement: the DIN messages in the captures have a few tens of bytes; a message with every optional
/// element and service is far shorter.
pub const MAX_DIN: usize = 4096;
