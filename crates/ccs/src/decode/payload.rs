//! EXI payloads: schema, message name, and decoding errors.

use listen::{Document, Known, Talk};
use v2gtp::PayloadType;

use super::Exi;
use super::schema::{Basis, Codecs};

/// Describes an EXI payload of a connection; the decoded document is stored in `document`.
pub(super) fn describe<'a>(
    talk: &Talk,
    payload_type: PayloadType,
    payload: &'a [u8],
    document: &'a mut Option<Document<'a>>,
) -> Exi<'a> {
    let (schema, known) = talk.classify(payload_type, payload);
    let decoded = schema.and_then(|schema| Document::decode(schema, payload));
    let basis = match known {
        Known::Handshake => Basis::Handshake,
        Known::PayloadType => Basis::PayloadType,
        Known::Guess => Basis::guess(payload, decoded.as_ref()),
    };
    let (mut trailing, mut error) = (0, None);
    match decoded {
        Some(Ok((decoded, length))) => {
            trailing = payload.len().saturating_sub(length);
            *document = Some(decoded);
        }
        Some(Err(_)) => error = schema.and_then(|schema| schema.fault(payload)).map(Box::new),
        None => {}
    }
    let document = document.as_ref();
    let message = document.and_then(Document::name);
    Exi { payload_type, payload, schema, basis, message, document, trailing, error }
}
