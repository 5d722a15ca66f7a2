//! A message, decoded once for all who want to know something of it.

use exi_din::V2gMessage;

use crate::Schema;

/// A message of a schema that has a codec here.
#[derive(Clone, Debug)]
#[allow(clippy::large_enum_variant, reason = "one at a time is on the stack")]
pub enum Document<'a> {
    /// Of the handshake.
    App(exi_app::Message<'a>),
    /// Of DIN SPEC 70121.
    Din(V2gMessage<'a>),
}

impl<'a> Document<'a> {
    /// Decodes a payload, and gives the length of the document in bytes: what follows does not belong to it.
    /// `None` where the schema has no codec here.
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

    /// The name of its root element.
    pub fn root(&self) -> &'static str {
        match self {
            Self::App(message) => message.name(),
            Self::Din(_) => exi_din::V2G_MESSAGE.name,
        }
    }

    /// The message's name; `None` where its body is empty.
    pub fn name(&self) -> Option<&'static str> {
        match self {
            Self::App(message) => Some(message.name()),
            Self::Din(message) => message.name(),
        }
    }
}
