//! DIN SPEC 70121:2012 - every message and type of the schema as plain structs.
//!
//! ```
//! use exi_din::{BodyElement, V2gMessage};
//!
//! // PreChargeReq of a Hyundai Ioniq, as it stood on the wire.
//! let stream = [
//!     0x80, 0x9a, 0x02, 0x1a, 0x3d, 0x73, 0x30, 0x88, 0x03, 0x4d, 0xa2, 0x91, 0x51, 0x40, 0x02, 0x81,
//!     0x01, 0x40, 0xc8, 0x0c, 0x0c, 0x00, 0x40,
//! ];
//! let message = V2gMessage::decode(&stream)?;
//! let Some(BodyElement::PreChargeReq(request)) = message.body.element else { panic!("another message") };
//! assert_eq!(request.ev_target_voltage.to_milli(), 500_000); // 500 V
//! assert_eq!(request.dc_ev_status.ev_ress_soc.get(), 10); // percent
//!
//! let mut buffer = [0; 64];
//! let length = message.encode(&mut buffer)?;
//! assert_eq!(buffer[..length], stream);
//! # Ok::<(), exi::Error>(())
//! ```
//!
//! A message borrows from the stream that it was decoded from: lists, strings and binaries are views of its
//! bits, checked when the message is decoded. To build a message, pass slices.
#![no_std]
#![forbid(unsafe_code)]

use exi::Root;

mod certificate;
mod charge;
pub mod dc;
mod message;
mod physical;
mod schedule;
#[cfg(feature = "json")]
mod schema;
mod service;
mod values;

pub use certificate::*;
pub use charge::*;
pub use exi::{Attribute, Error, List, Text, View};
pub use message::*;
pub use physical::*;
pub use schedule::*;
#[cfg(feature = "json")]
pub use schema::SCHEMA;
pub use service::*;
pub use values::*;

/// The root element of every document: code 77 of 81 global elements.
pub const V2G_MESSAGE: Root = Root { name: "V2G_Message", code: 77, bits: 7, end: None };

impl<'a> V2gMessage<'a> {
    /// A message of the session `session_id` (at most 8 bytes; zeros before a session exists), without
    /// notification and signature.
    ///
    /// ```
    /// use exi_din::{BodyElement, SessionStopReq, V2gMessage};
    ///
    /// let session = [0x68, 0xf5, 0xcc, 0xc2, 0x20, 0x0d, 0x36, 0x8a];
    /// let stop = V2gMessage::in_session(&session, BodyElement::SessionStopReq(SessionStopReq::new()));
    /// let mut buffer = [0; 32];
    /// let length = stop.encode(&mut buffer)?;
    /// // As another codec encodes it (corpus, `bench-messages.txt`).
    /// assert_eq!(buffer[..length],
    /// [0x80, 0x9a, 0x02, 0x1a, 0x3d, 0x73, 0x30, 0x88, 0x03, 0x4d, 0xa2, 0x91, 0xf0]);
    /// # Ok::<(), exi_din::Error>(())
    /// ```
    pub fn in_session(session_id: &'a [u8], element: BodyElement<'a>) -> Self {
        Self::new(Header::new(session_id.into()), Body { element: Some(element) })
    }

    /// Decodes the payload of a V2GTP message of type 0x8001.
    pub fn decode(stream: &'a [u8]) -> Result<Self, Error> {
        exi::decode(stream, V2G_MESSAGE)
    }

    /// As [`decode`](Self::decode), and returns the length of the document in bytes; later bytes are not part
    /// of it.
    pub fn decode_measured(stream: &'a [u8]) -> Result<(Self, usize), Error> {
        exi::decode_measured(stream, V2G_MESSAGE)
    }

    /// Encodes the message into `buffer` and returns its length in bytes.
    pub fn encode(&self, buffer: &mut [u8]) -> Result<usize, Error> {
        exi::encode(self, V2G_MESSAGE, buffer)
    }

    /// The message's name, such as `PreChargeReq`; `None` if the body is empty.
    pub fn name(&self) -> Option<&'static str> {
        self.body.element.as_ref().map(BodyElement::name)
    }
}
