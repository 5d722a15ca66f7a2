//! The supportedAppProtocol handshake: the car offers protocols, the charger chooses one.
//!
//! It is the first exchange of every session (payload type 0x8001) and has a schema of its own,
//! `urn:iso:15118:2:2010:AppProtocol`, common to DIN SPEC 70121, ISO 15118-2 and ISO 15118-20.
//!
//! ```
//! use exi_app::{Message, ResponseCode, SupportedAppProtocolRes};
//!
//! // Sent by an Alpitronic charger: accepted, schema 1.
//! let message = Message::decode(&[0x80, 0x40, 0x00, 0x40])?;
//! let answer = SupportedAppProtocolRes {
//!     response_code: ResponseCode::OkSuccessfulNegotiation,
//!     schema_id: Some(1),
//! };
//! assert_eq!(message, Message::Res(answer));
//!
//! let mut buffer = [0; 8];
//! assert_eq!(message.encode(&mut buffer)?, 4);
//! # Ok::<(), exi::Error>(())
//! ```
#![no_std]
#![forbid(unsafe_code)]

use exi::{Bounded, ErrorKind, Path, Root, Saturated, choice, element, enumeration};
pub use exi::{Error, List, Text};

/// Namespace of DIN SPEC 70121:2012.
pub const NAMESPACE_DIN: &str = "urn:din:70121:2012:MsgDef";
/// Namespace of ISO 15118-2:2013.
pub const NAMESPACE_ISO2: &str = "urn:iso:15118:2:2013:MsgDef";

/// The car's preference for a protocol: 1 (highest) to 20.
pub type Priority = Bounded<1, 20>;

enumeration! {
    /// The charger's result.
    pub enum ResponseCode {
        /// A protocol is chosen.
        OkSuccessfulNegotiation = "OK_SuccessfulNegotiation",
        /// A protocol is chosen whose minor version differs.
        OkSuccessfulNegotiationWithMinorDeviation = "OK_SuccessfulNegotiationWithMinorDeviation",
        /// No common protocol.
        FailedNoNegotiation = "Failed_NoNegotiation",
    }
}

element! {
    /// One protocol that the car supports.
    pub struct AppProtocol<'a> {
        /// The protocol's schema namespace, at most 100 characters.
        pub protocol_namespace: Text<'a, 100> = "ProtocolNamespace",
        /// Major version: must be equal on both sides. A number above 32 bits reads as the largest, so that
        /// one invalid offer does not make the others unreadable.
        pub version_number_major: Saturated = "VersionNumberMajor",
        /// Minor version: may differ.
        pub version_number_minor: Saturated = "VersionNumberMinor",
        /// The car's number for this protocol, repeated in the response; 0 is valid.
        pub schema_id: u8 = "SchemaID",
        /// The car's preference.
        pub priority: Priority = "Priority",
    }

    /// The car's offer: 1..=20 protocols.
    pub struct SupportedAppProtocolReq<'a> {
        /// The offered protocols, in any order.
        pub app_protocol: List<'a, AppProtocol<'a>, 1, 20> = "AppProtocol",
    }

    /// The charger's answer.
    pub struct SupportedAppProtocolRes {
        /// Whether a protocol was chosen.
        pub response_code: ResponseCode = "ResponseCode",
        /// The car's number for the chosen protocol; absent if no protocol is chosen.
        pub schema_id: Option<u8> = "SchemaID",
    }
}

choice! {
    /// A message of the handshake: both are root elements.
    pub enum Message<'a> {
        /// The car's offer.
        Req(SupportedAppProtocolReq<'a>) = "supportedAppProtocolReq",
        /// The charger's answer.
        Res(SupportedAppProtocolRes) = "supportedAppProtocolRes",
    }
}

const REQ: Root = Root { name: "supportedAppProtocolReq", code: 0, bits: 2, end: None };
const RES: Root = Root { name: "supportedAppProtocolRes", code: 1, bits: 2, end: None };

impl<'a> Message<'a> {
    /// Decodes the payload of a V2GTP message of type 0x8001.
    pub fn decode(stream: &'a [u8]) -> Result<Self, Error> {
        Self::decode_measured(stream).map(|(message, _)| message)
    }

    /// As [`decode`](Self::decode), and returns the length of the document in bytes; later bytes are not part
    /// of it.
    pub fn decode_measured(stream: &'a [u8]) -> Result<(Self, usize), Error> {
        match exi::root_code(stream, REQ.bits)? {
            code if code == REQ.code => {
                exi::decode_measured(stream, REQ).map(|(req, length)| (Self::Req(req), length))
            }
            code if code == RES.code => {
                exi::decode_measured(stream, RES).map(|(res, length)| (Self::Res(res), length))
            }
            _ => Err(Error { kind: ErrorKind::Root, bit: 8, path: Path::default() }),
        }
    }

    /// Encodes the message into `buffer` and returns its length in bytes.
    pub fn encode(&self, buffer: &mut [u8]) -> Result<usize, Error> {
        match self {
            Self::Req(req) => exi::encode(req, REQ, buffer),
            Self::Res(res) => exi::encode(res, RES, buffer),
        }
    }
}

exi::schema! {
    /// The elements of this schema, for tools.
    pub static SCHEMA: { document: 2, fragment: 4 }
    local "AppProtocol": AppProtocol<'_>,
    local "Priority": Priority,
    local "ProtocolNamespace": Text<'_, 100>,
    local "ResponseCode": ResponseCode,
    local "SchemaID": u8,
    local "VersionNumberMajor": Saturated,
    local "VersionNumberMinor": Saturated,
    global "supportedAppProtocolReq": SupportedAppProtocolReq<'_>,
    global "supportedAppProtocolRes": SupportedAppProtocolRes,
}
