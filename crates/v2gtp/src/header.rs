use nom::bytes::complete::take;
use nom::number::complete::{be_u16, be_u32};
use nom::{IResult, Parser};

use crate::PayloadType;

/// Length of a V2GTP header in bytes.
pub const HEADER_LEN: usize = 8;

/// Protocol version and its inverse: the only version.
const VERSION: [u8; 2] = [0x01, 0xFE];

/// A V2GTP header: `01 FE`, payload type, payload length, big endian.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header {
    /// Type of the payload.
    pub payload_type: PayloadType,
    /// Length of the payload in bytes, without this header. Never 0 on the wire.
    pub length: u32,
}

/// One whole V2GTP message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Message<'a> {
    /// Type of the payload.
    pub payload_type: PayloadType,
    /// The payload, without the header.
    pub payload: &'a [u8],
}

/// Why bytes are not a V2GTP message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Fewer bytes than a header, or than the header announces.
    #[error("{have} bytes where the V2GTP message needs {need}: the datagram was cut")]
    Truncated {
        /// Number of bytes present.
        have: usize,
        /// Number of bytes needed.
        need: usize,
    },
    /// The first two bytes are not `01 FE`.
    #[error(
        "the V2GTP header starts with {0:02X} {1:02X} instead of 01 FE: the peer speaks another protocol"
    )]
    Version(u8, u8),
    /// The header announces an empty payload.
    #[error("the V2GTP header of type {0} announces an empty payload")]
    Empty(PayloadType),
    /// The header announces more than the receiver accepts.
    #[error("the V2GTP header announces {length} bytes, at most {max} are accepted")]
    Oversize {
        /// Announced payload length in bytes.
        length: u32,
        /// Largest accepted payload in bytes.
        max: usize,
    },
    /// Bytes follow the payload in a datagram.
    #[error("{0} bytes follow the V2GTP message in its datagram")]
    Trailing(usize),
}

impl Header {
    /// Reads the header at the start of `bytes`.
    ///
    /// # Errors
    /// [`Error::Truncated`], [`Error::Version`] or [`Error::Empty`].
    pub fn parse(bytes: &[u8]) -> Result<Self, Error> {
        let Ok((_, (version, payload_type, length))) = fields(bytes) else {
            return Err(Error::Truncated { have: bytes.len(), need: HEADER_LEN });
        };
        if version != VERSION {
            return Err(Error::Version(version[0], version[1]));
        }
        let payload_type = PayloadType(payload_type);
        if length == 0 {
            return Err(Error::Empty(payload_type));
        }
        Ok(Self { payload_type, length })
    }

    /// The header's bytes.
    pub const fn to_bytes(self) -> [u8; HEADER_LEN] {
        let [t0, t1] = self.payload_type.0.to_be_bytes();
        let [l0, l1, l2, l3] = self.length.to_be_bytes();
        [VERSION[0], VERSION[1], t0, t1, l0, l1, l2, l3]
    }
}

impl<'a> Message<'a> {
    /// Reads a message that fills `datagram` exactly.
    ///
    /// # Errors
    /// Any error except [`Error::Oversize`].
    pub fn from_datagram(datagram: &'a [u8]) -> Result<Self, Error> {
        let header = Header::parse(datagram)?;
        let payload = datagram.get(HEADER_LEN..).unwrap_or_default();
        let announced = usize::try_from(header.length).unwrap_or(usize::MAX);
        if payload.len() < announced {
            let need = announced.saturating_add(HEADER_LEN);
            return Err(Error::Truncated { have: datagram.len(), need });
        }
        if payload.len() > announced {
            return Err(Error::Trailing(payload.len() - announced));
        }
        Ok(Self { payload_type: header.payload_type, payload })
    }
}

fn fields(bytes: &[u8]) -> IResult<&[u8], ([u8; 2], u16, u32)> {
    let version = take(2_usize).map_res(<[u8; 2]>::try_from);
    (version, be_u16, be_u32).parse(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// The discovery request of most captures, such as `DIN_DC_DS5366_Josev.pcapng`.
    const SDP_REQUEST: [u8; 10] = [0x01, 0xFE, 0x90, 0x00, 0, 0, 0, 2, 0x10, 0x00];

    #[test]
    fn a_captured_discovery_request_is_a_message() {
        let message = Message::from_datagram(&SDP_REQUEST).unwrap();
        assert_eq!(message, Message { payload_type: PayloadType::SDP_REQUEST, payload: &[0x10, 0x00] });
    }

    #[test]
    fn each_kind_of_broken_header_has_its_own_error() {
        let with = |at: usize, value: u8| {
            let mut bytes = SDP_REQUEST;
            bytes[at] = value;
            Message::from_datagram(&bytes).map(|_| ())
        };
        assert_eq!(with(0, 2), Err(Error::Version(2, 0xFE)));
        assert_eq!(with(1, 0xFF), Err(Error::Version(1, 0xFF)));
        assert_eq!(with(7, 0), Err(Error::Empty(PayloadType::SDP_REQUEST)));
        assert_eq!(with(7, 1), Err(Error::Trailing(1)));
        assert_eq!(with(7, 3), Err(Error::Truncated { have: 10, need: 11 }));
        assert_eq!(Header::parse(&SDP_REQUEST[..7]), Err(Error::Truncated { have: 7, need: 8 }));
    }

    proptest! {
        #[test]
        fn a_header_survives_writing_and_reading(payload_type: u16, length in 1_u32..) {
            let header = Header { payload_type: PayloadType(payload_type), length };
            prop_assert_eq!(Header::parse(&header.to_bytes()), Ok(header));
        }
    }
}
