//! Encoding: requests and responses to and from a protocol's messages. No decisions are made here.

pub(crate) mod app;
mod din;

use session::{Exchange, Protocol};

use crate::Config;
use crate::request::{Answer, NoRequest, Request, Verdict};

impl From<exi::Error> for NoRequest {
    fn from(error: exi::Error) -> Self {
        Self::Undecodable { bit: error.bit }
    }
}

/// Decodes a request.
pub(crate) fn request(protocol: Protocol, payload: &[u8]) -> Result<Request, NoRequest> {
    match protocol {
        Protocol::Din => din::request(payload),
    }
}

/// Encodes a response.
pub(crate) fn encode(answer: &Answer, config: &Config, buffer: &mut [u8]) -> Result<usize, exi::Error> {
    match (answer.exchange, answer.protocol) {
        (Exchange::Handshake, _) => app::encode(answer.agreed, buffer),
        (_, Protocol::Din) => din::encode(answer, config, buffer),
    }
}

/// The schema's name of a response's code.
pub(crate) fn code_name(answer: &Answer) -> &'static str {
    match answer.exchange {
        Exchange::Handshake => app::response_code(answer.agreed).name(),
        _ => verdict_name(answer.protocol, answer.verdict),
    }
}

/// The schema's name of a verdict's response code.
pub(crate) const fn verdict_name(protocol: Protocol, verdict: Verdict) -> &'static str {
    match protocol {
        Protocol::Din => din::response_code(verdict).name(),
    }
}

/// The schema's name of the notification that requests the car to stop.
pub(crate) const fn stop_notification(protocol: Protocol) -> &'static str {
    match protocol {
        Protocol::Din => din::STOP.name(),
    }
}

/// The schema's name of a car's error.
pub(crate) fn error_name(protocol: Protocol, error: u8) -> Option<&'static str> {
    match protocol {
        Protocol::Din => din::error_name(error),
    }
}
