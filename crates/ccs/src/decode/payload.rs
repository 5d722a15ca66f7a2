//! EXI payloads: which schema, which message, and what does not decode.

use listen::{Known, Talk};
use v2gtp::PayloadType;

use super::Exi;
use super::schema::{Basis, Codecs};

/// What an EXI payload of a connection is.
pub fn describe<'a>(talk: &Talk, payload_type: PayloadType, payload: &'a [u8]) -> Exi<'a> {
    let (schema, known) = talk.classify(payload_type, payload);
    let outline = schema.and_then(|schema| schema.outline(payload));
    let basis = match known {
        Known::Handshake => Basis::Handshake,
        Known::PayloadType => Basis::PayloadType,
        Known::Guess => Basis::guess(payload, outline.as_ref()),
    };
    let (message, length, error) = match outline {
        Some(Ok(outline)) => (outline.message(), outline.length(), None),
        Some(Err(error)) => (None, payload.len(), Some(Box::new(error))),
        None => (None, payload.len(), None),
    };
    let trailing = payload.len().saturating_sub(length);
    Exi { payload_type, payload, schema, basis, message, trailing, error }
}
