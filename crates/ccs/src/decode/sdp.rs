//! Discovery messages as an observer sees them: whatever their bytes say.

use std::fmt;
use std::net::Ipv6Addr;

use v2gtp::{Message, PayloadType};

use super::Direction;
use super::packet::Endpoint;

/// A discovery message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sdp {
    /// The car asks.
    Request {
        /// 0x00 TLS, 0x10 none.
        security: u8,
        /// 0x00 TCP, 0x10 UDP.
        transport: u8,
    },
    /// The charger answers.
    Response {
        /// Where it listens.
        charger: Endpoint,
        /// 0x00 TLS, 0x10 none.
        security: u8,
        /// 0x00 TCP, 0x10 UDP.
        transport: u8,
    },
}

impl Sdp {
    /// Reads a UDP datagram; `None` when it is something else.
    pub fn parse(datagram: &[u8]) -> Option<Self> {
        let message = Message::from_datagram(datagram).ok()?;
        Self::of_message(message.payload_type, message.payload)
    }

    /// Reads a V2GTP payload of a discovery type.
    pub fn of_message(payload_type: PayloadType, payload: &[u8]) -> Option<Self> {
        match (payload_type, payload) {
            (PayloadType::SDP_REQUEST, &[security, transport]) => Some(Self::Request { security, transport }),
            (PayloadType::SDP_RESPONSE, _) => {
                let (address, rest) = payload.split_first_chunk::<16>()?;
                let &[high, low, security, transport] = rest else { return None };
                let charger =
                    Endpoint { address: Ipv6Addr::from(*address), port: u16::from_be_bytes([high, low]) };
                Some(Self::Response { charger, security, transport })
            }
            _ => None,
        }
    }

    /// The name in lists.
    pub fn name(self) -> &'static str {
        match self {
            Self::Request { .. } => "SDP_REQ",
            Self::Response { .. } => "SDP_RES",
        }
    }

    /// Who sends it.
    pub fn direction(self) -> Direction {
        match self {
            Self::Request { .. } => Direction::ToEvse,
            Self::Response { .. } => Direction::ToPev,
        }
    }
}

impl fmt::Display for Sdp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (security, transport) = match self {
            Self::Request { security, transport } => (security, transport),
            Self::Response { charger, security, transport } => {
                write!(f, "[{}]:{} ", charger.address, charger.port)?;
                (security, transport)
            }
        };
        match security {
            0x00 => f.write_str("TLS")?,
            0x10 => f.write_str("no TLS")?,
            other => write!(f, "security 0x{other:02X}")?,
        }
        match transport {
            0x00 => Ok(()),
            0x10 => f.write_str(", UDP"),
            other => write!(f, ", transport 0x{other:02X}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn captured_discovery_messages_are_read() {
        let request = Sdp::parse(&[0x01, 0xFE, 0x90, 0x00, 0, 0, 0, 2, 0x10, 0x00]).unwrap();
        assert_eq!(request.to_string(), "no TLS");
        let mut response = vec![0x01, 0xFE, 0x90, 0x01, 0, 0, 0, 20];
        response.extend("fe80::1".parse::<Ipv6Addr>().unwrap().octets());
        response.extend([0xD7, 0x4E, 0x10, 0x00]);
        let response = Sdp::parse(&response).unwrap();
        assert_eq!(response.to_string(), "[fe80::1]:55118 no TLS");
        assert_eq!(response.direction(), Direction::ToPev);
        assert_eq!(Sdp::parse(&[0x01, 0xFE, 0x90, 0x01, 0, 0, 0, 1, 0x10]), None);
    }
}
