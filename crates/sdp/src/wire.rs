use core::net::Ipv6Addr;

use machine::TooShort;
use nom::number::complete::{be_u16, be_u128, u8};
use nom::{IResult, Parser};
use v2gtp::{HEADER_LEN, Header, PayloadType};

/// Length of the longest discovery datagram, the response, in bytes.
pub const MAX_LEN: usize = HEADER_LEN + RESPONSE_LEN;

const REQUEST_LEN: usize = 2;
const RESPONSE_LEN: usize = 20;

/// The security byte: security of the TCP connection. Any value is preserved.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Security(pub u8);

impl Security {
    /// TLS.
    pub const TLS: Self = Self(0x00);
    /// Plain TCP.
    pub const NONE: Self = Self(0x10);
}

/// The transport byte. Any value is preserved.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Transport(pub u8);

impl Transport {
    /// TCP, the only one that is used.
    pub const TCP: Self = Self(0x00);
    /// UDP: defined by the standard, never used.
    pub const UDP: Self = Self(0x10);
}

/// A car's request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Request {
    /// The requested security.
    pub security: Security,
    /// The requested transport.
    pub transport: Transport,
}

/// A charger's response.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Response {
    /// The charger's address.
    pub address: Ipv6Addr,
    /// TCP port to connect to.
    pub port: u16,
    /// The security of that port.
    pub security: Security,
    /// The transport of that port.
    pub transport: Transport,
}

/// A discovery datagram.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Message {
    /// From a car.
    Request(Request),
    /// From a charger.
    Response(Response),
}

/// Why a datagram is not a discovery message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The V2GTP header is invalid or does not fit the datagram.
    #[error(transparent)]
    Frame(#[from] v2gtp::Error),
    /// The payload type is not that of a wired discovery message.
    #[error("V2GTP payload type {0} is no wired discovery message")]
    PayloadType(PayloadType),
    /// The payload has the wrong length.
    #[error("the payload of type {payload_type} has {len} bytes, {expected} are needed")]
    Length {
        /// Type of the payload.
        payload_type: PayloadType,
        /// Its length in bytes.
        len: usize,
        /// The valid length in bytes.
        expected: usize,
    },
}

impl Message {
    /// Reads a UDP datagram's payload.
    ///
    /// # Errors
    /// See [`Error`]; the values of the security byte, the transport byte and the address are not checked.
    pub fn parse(datagram: &[u8]) -> Result<Self, Error> {
        let v2gtp::Message { payload_type, payload } = v2gtp::Message::from_datagram(datagram)?;
        let (parsed, expected) = match payload_type {
            PayloadType::SDP_REQUEST => (whole(payload, request).map(Self::Request), REQUEST_LEN),
            PayloadType::SDP_RESPONSE => (whole(payload, response).map(Self::Response), RESPONSE_LEN),
            other => return Err(Error::PayloadType(other)),
        };
        parsed.ok_or(Error::Length { payload_type, len: payload.len(), expected })
    }

    /// Writes the datagram's payload to the start of `buffer` and returns its length in bytes.
    ///
    /// # Errors
    /// If `buffer` is too short: the length that is required; [`MAX_LEN`] is always enough.
    pub fn write(&self, buffer: &mut [u8]) -> Result<usize, TooShort> {
        match self {
            Self::Request(Request { security, transport }) => {
                frame(buffer, PayloadType::SDP_REQUEST, &[security.0, transport.0])
            }
            Self::Response(Response { address, port, security, transport }) => {
                let [high, low] = port.to_be_bytes();
                let mut payload = [0; RESPONSE_LEN];
                let fields = address.octets().into_iter().chain([high, low, security.0, transport.0]);
                payload.iter_mut().zip(fields).for_each(|(byte, field)| *byte = field);
                frame(buffer, PayloadType::SDP_RESPONSE, &payload)
            }
        }
    }
}

fn whole<T>(payload: &[u8], parser: fn(&[u8]) -> IResult<&[u8], T>) -> Option<T> {
    parser(payload).ok().filter(|(rest, _)| rest.is_empty()).map(|(_, value)| value)
}

fn request(payload: &[u8]) -> IResult<&[u8], Request> {
    (u8, u8).map(|(s, t)| Request { security: Security(s), transport: Transport(t) }).parse(payload)
}

fn response(payload: &[u8]) -> IResult<&[u8], Response> {
    (be_u128, be_u16, u8, u8)
        .map(|(address, port, s, t)| Response {
            address: Ipv6Addr::from_bits(address),
            port,
            security: Security(s),
            transport: Transport(t),
        })
        .parse(payload)
}

fn frame(buffer: &mut [u8], payload_type: PayloadType, payload: &[u8]) -> Result<usize, TooShort> {
    let needed = HEADER_LEN + payload.len();
    let header = Header { payload_type, length: u32::try_from(payload.len()).unwrap_or(u32::MAX) };
    let (head, rest) = buffer.split_at_mut_checked(HEADER_LEN).ok_or(TooShort { needed })?;
    let body = rest.get_mut(..payload.len()).ok_or(TooShort { needed })?;
    head.copy_from_slice(&header.to_bytes());
    body.copy_from_slice(payload);
    Ok(needed)
}

#[cfg(test)]
mod tests {
    use super::*;
    use corpus::text;
    use proptest::prelude::*;

    fn number(line: &corpus::Value, name: &str) -> u16 {
        let value = line.get(name).unwrap();
        let parsed = value.as_u64().unwrap_or_else(|| {
            u64::from_str_radix(value.as_str().unwrap().trim_start_matches("0x"), 16).unwrap()
        });
        u16::try_from(parsed).unwrap()
    }

    #[test]
    fn every_captured_datagram_is_read_as_the_reference_does_and_written_back() {
        let Some(lines) = corpus::lines("captures/sdp.jsonl") else { return };
        assert!(lines.len() > 100);
        for line in &lines {
            let bytes = corpus::bytes(text(line, "bytes"));
            let byte = |name| u8::try_from(number(line, name)).unwrap();
            let (security, transport) = (Security(byte("security")), Transport(byte("transport")));
            let expected = match text(line, "kind") {
                "SDP_REQ" => Message::Request(Request { security, transport }),
                _ => Message::Response(Response {
                    address: text(line, "secc_ip").parse().unwrap(),
                    port: number(line, "secc_port"),
                    security,
                    transport,
                }),
            };
            assert_eq!(Message::parse(&bytes), Ok(expected), "{line}");
            let mut written = [0; MAX_LEN];
            let len = expected.write(&mut written).unwrap();
            assert_eq!(&written[..len], bytes, "{line}");
        }
    }

    #[test]
    fn a_datagram_of_another_type_or_length_is_an_error() {
        let frame = |payload_type, payload: &[u8]| {
            let mut buffer = [0; 64];
            let len = super::frame(&mut buffer, payload_type, payload).unwrap();
            Message::parse(&buffer[..len])
        };
        let wireless = PayloadType::SDP_WIRELESS_REQUEST;
        assert_eq!(frame(wireless, &[0, 0]), Err(Error::PayloadType(wireless)));
        let payload_type = PayloadType::SDP_REQUEST;
        let length = |len| Err(Error::Length { payload_type, len, expected: 2 });
        assert_eq!(frame(payload_type, &[0]), length(1));
        assert_eq!(frame(payload_type, &[0; 3]), length(3));
        assert!(matches!(frame(PayloadType::SDP_RESPONSE, &[0; 2]), Err(Error::Length { expected: 20, .. })));
    }

    proptest! {
        #[test]
        fn whatever_is_read_is_written_back_the_same(mut bytes: [u8; MAX_LEN], response: bool) {
            let len = if response { MAX_LEN } else { HEADER_LEN + REQUEST_LEN };
            let payload_type = if response { PayloadType::SDP_RESPONSE } else { PayloadType::SDP_REQUEST };
            let header = Header { payload_type, length: u32::try_from(len - HEADER_LEN).unwrap() };
            bytes[..HEADER_LEN].copy_from_slice(&header.to_bytes());
            let message = Message::parse(&bytes[..len]).unwrap();
            let mut written = [0; MAX_LEN];
            prop_assert_eq!(message.write(&mut written), Ok(len));
            prop_assert_eq!(&written[..len], &bytes[..len]);
            prop_assert_eq!(message.write(&mut written[..len - 1]), Err(TooShort { needed: len }));
        }

        #[test]
        fn random_bytes_never_panic(bytes: Vec<u8>) {
            prop_assert!(bytes.starts_with(&[1, 0xFE]) || Message::parse(&bytes).is_err());
        }
    }

    extern crate std;
    use std::vec::Vec;
}
