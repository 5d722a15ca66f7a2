//! SDP messages as an observer reads them: without a check whether their values are permitted.

use core::fmt;

use sdp::{Message, Request, Response, Security, Transport};
use v2gtp::{HEADER_LEN, Header, PayloadType};

use crate::Direction;
use crate::packet::Endpoint;

/// A message of the SECC Discovery Protocol, for lists and text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Discovery(pub Message);

impl Discovery {
    /// Parses a UDP datagram; `None` if it is not an SDP message.
    pub fn parse(datagram: &[u8]) -> Option<Self> {
        Message::parse(datagram).ok().map(Self)
    }

    /// Parses a V2GTP payload; `None` if the payload type is not one of SDP.
    pub fn of_payload(payload_type: PayloadType, payload: &[u8]) -> Option<Self> {
        if !matches!(payload_type, PayloadType::SDP_REQUEST | PayloadType::SDP_RESPONSE) {
            return None;
        }
        let header = Header { payload_type, length: u32::try_from(payload.len()).ok()? };
        let mut datagram = [0; sdp::MAX_LEN];
        let (start, rest) = datagram.split_at_mut_checked(HEADER_LEN)?;
        start.copy_from_slice(&header.to_bytes());
        rest.get_mut(..payload.len())?.copy_from_slice(payload);
        Self::parse(datagram.get(..HEADER_LEN + payload.len())?)
    }

    /// Name of the message.
    pub fn name(self) -> &'static str {
        match self.0 {
            Message::Request(_) => "SDP_REQ",
            Message::Response(_) => "SDP_RES",
        }
    }

    /// Requests go to the charger, responses to the car.
    pub fn direction(self) -> Direction {
        match self.0 {
            Message::Request(_) => Direction::ToEvse,
            Message::Response(_) => Direction::ToPev,
        }
    }

    /// The charger's address and port in a response; `None` for a request.
    pub fn charger(self) -> Option<Endpoint> {
        match self.0 {
            Message::Request(_) => None,
            Message::Response(Response { address, port, .. }) => Some(Endpoint { address, port }),
        }
    }
}

impl fmt::Display for Discovery {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (security, transport) = match self.0 {
            Message::Request(Request { security, transport }) => (security, transport),
            Message::Response(Response { address, port, security, transport }) => {
                write!(f, "[{address}]:{port} ")?;
                (security, transport)
            }
        };
        match security {
            Security::TLS => f.write_str("TLS")?,
            Security::NONE => f.write_str("no TLS")?,
            Security(other) => write!(f, "security 0x{other:02X}")?,
        }
        match transport {
            Transport::TCP => Ok(()),
            Transport::UDP => f.write_str(", UDP"),
            Transport(other) => write!(f, ", transport 0x{other:02X}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::string::ToString;

    #[test]
    fn captured_discovery_messages_are_shown() {
        let request = Discovery::parse(&[0x01, 0xFE, 0x90, 0x00, 0, 0, 0, 2, 0x10, 0x00]).unwrap();
        assert_eq!(request.to_string(), "no TLS");
        let address: core::net::Ipv6Addr = "fe80::1".parse().unwrap();
        let payload = [&address.octets()[..], &[0xD7, 0x4E, 0x10, 0x00]].concat();
        let response = Discovery::of_payload(PayloadType::SDP_RESPONSE, &payload).unwrap();
        assert_eq!(response.to_string(), "[fe80::1]:55118 no TLS");
        assert_eq!(response.direction(), Direction::ToPev);
        assert_eq!(Discovery::of_payload(PayloadType::SDP_RESPONSE, &payload[1..]), None);
    }
}
