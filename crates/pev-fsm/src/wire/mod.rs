//! The wire: from the car's words to a protocol's messages and back. Nothing is decided here.

mod din;

use crate::order::{self, Row};
use crate::request::{Kind, Request, Response};
use crate::{Config, PAYLOAD_TYPE, handshake};

/// A protocol that the car speaks once the handshake has chosen it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Protocol {
    /// DIN SPEC 70121.
    Din,
}

/// Why a payload is no response.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NoResponse {
    PayloadType(u16),
    Undecodable { bit: u32 },
    NotAResponse(&'static str),
}

impl From<exi::Error> for NoResponse {
    fn from(error: exi::Error) -> Self {
        Self::Undecodable { bit: error.bit }
    }
}

impl Protocol {
    /// Its order.
    pub(crate) const fn order(self) -> &'static [Row] {
        match self {
            Self::Din => order::DIN,
        }
    }

    /// Its name for an error of the car.
    pub(crate) const fn error_name(self, error: u8) -> &'static str {
        match self {
            Self::Din => din::error_name(error),
        }
    }

    /// Writes a request; its length and payload type.
    pub(crate) fn encode(
        self,
        request: &Request,
        config: &Config,
        buffer: &mut [u8],
    ) -> Result<(usize, u16), exi::Error> {
        let length = match (request.kind, self) {
            (Kind::Handshake, _) => handshake::encode(handshake::offer(config), buffer),
            (_, Self::Din) => din::encode(request, config, buffer),
        }?;
        Ok((length, PAYLOAD_TYPE))
    }

    /// Reads a response to a request of this kind.
    pub(crate) fn decode(
        self,
        kind: Kind,
        payload_type: u16,
        payload: &[u8],
    ) -> Result<Response, NoResponse> {
        if payload_type != PAYLOAD_TYPE {
            return Err(NoResponse::PayloadType(payload_type));
        }
        match (kind, self) {
            (Kind::Handshake, _) => handshake::decode(payload),
            (_, Self::Din) => din::decode(payload),
        }
    }
}
