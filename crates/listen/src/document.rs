//! A decoded message: decoded once, used by every consumer.

use exi_din::V2gMessage;

use crate::Schema;

/// A message of a schema with a codec in this project.
#[derive(Clone, Debug)]
#[allow(clippy::large_enum_variant, reason = "one at a time is on the stack")]
pub enum Document<'a> {
    /// A message of the handshake (supportedAppProtocol).
    App(exi_app::Message<'a>),
    /// A message of DIN SPEC 70121.
    Din(V2gMessage<'a>),
}

impl<'a> Document<'a> {
    /// Decodes a payload. Returns the document and its length in bytes; the bytes after it are not part of
    /// it. `None` where this project has no codec for the schema.
    pub fn decode(schema: Schema, payload: &'a [u8]) -> Option<Result<(Self, usize), exi::Error>> {
        Some(match schema {
            Schema::App => exi_app::Message::decode_measured(payload)
                .map(|(message, length)| (Self::App(message), length)),
            Schema::Din => {
                V2gMessage::decode_measured(payload).map(|(message, length)| (Self::Din(message), length))
            }
            _ => return None,
        })
    }

    /// Name of the root element.
    pub fn root(&self) -> &'static str {
        match self {
            Self::App(message) => message.name(),
            Self::Din(_) => exi_din::V2G_MESSAGE.name,
        }
    }

    /// Name of the message; `None` where its body is empty.
    pub fn name(&self) -> Option<&'static str> {
        match self {
            Self::App(message) => Some(message.name()),
            Self::Din(message) => message.name(),
        }
    }
}
