//! Encoding: requests and responses to and from a protocol's messages. No decisions are made here.

mod app;
mod din;

use session::{Exchange, Protocol};

use crate::request::{Request, Response};
use crate::{Config, PAYLOAD_TYPE, handshake};

/// Why a payload is not a valid response.
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

/// The protocol's name for an error of the car.
pub(crate) const fn error_name(protocol: Protocol, error: u8) -> &'static str {
    match protocol {
        Protocol::Din => din::error_name(error),
    }
}

/// Encodes a request; returns its length and payload type.
pub(crate) fn encode(
    protocol: Protocol,
    request: &Request,
    config: &Config,
    buffer: &mut [u8],
) -> Result<(usize, u16), exi::Error> {
    if request.exchange == Exchange::Handshake {
        return app::encode(handshake::offer(config), buffer).map(|length| (length, PAYLOAD_TYPE));
    }
    let length = match protocol {
        Protocol::Din => din::encode(request, config, buffer),
    }?;
    Ok((length, protocol.payload_type()))
}

/// Decodes a response to a request of this exchange.
pub(crate) fn decode(
    protocol: Protocol,
    exchange: Exchange,
    payload_type: u16,
    payload: &[u8],
) -> Result<Response, NoResponse> {
    let is_first = exchange == Exchange::Handshake;
    if payload_type != if is_first { PAYLOAD_TYPE } else { protocol.payload_type() } {
        return Err(NoResponse::PayloadType(payload_type));
    }
    match protocol {
        _ if is_first => app::decode(payload),
        Protocol::Din => din::decode(payload),
    }
}
