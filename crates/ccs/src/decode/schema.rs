//! How sure it is which schema a message is of, and what the schema's codec says.

use exi::json::{JsonError, Schema as Codec};
use exi::trace::{Sink, Value};
use listen::Schema;
use serde_json::Value as Json;

/// The codec of each schema that has one.
const CODECS: &[(Schema, &Codec)] = &[(Schema::App, &exi_app::SCHEMA), (Schema::Din, &exi_din::SCHEMA)];

fn codec(schema: Schema) -> Option<&'static Codec> {
    CODECS.iter().find(|row| row.0 == schema).map(|row| row.1)
}

/// What the codec of a schema does; `None` where there is none.
pub trait Codecs: Sized {
    /// The schema of that name, if there is a codec for it.
    fn with_codec(name: &str) -> Option<Self>;

    /// The names of the schemas that can be decoded and encoded.
    fn codec_names() -> impl Iterator<Item = &'static str>;

    /// Reports a document's elements and values to `sink`.
    fn dissect<'a>(self, document: &'a [u8], sink: &mut dyn Sink<'a>) -> Option<Result<(), exi::Error>>;

    /// Walks through a document.
    fn outline(self, document: &[u8]) -> Option<Result<Outline, exi::Error>>;

    /// A document, or fragment, in the JSON mapping of the corpus.
    fn to_json(self, document: &[u8], fragment: bool) -> Option<Result<Json, exi::Error>>;

    /// A document, or fragment, from JSON in the mapping of the corpus.
    fn encode_json(self, json: &Json, fragment: bool) -> Option<Result<Vec<u8>, JsonError>>;
}

impl Codecs for Schema {
    fn with_codec(name: &str) -> Option<Self> {
        CODECS.iter().map(|row| row.0).find(|schema| schema.name() == name)
    }

    fn codec_names() -> impl Iterator<Item = &'static str> {
        CODECS.iter().map(|row| row.0.name())
    }

    fn dissect<'a>(self, document: &'a [u8], sink: &mut dyn Sink<'a>) -> Option<Result<(), exi::Error>> {
        Some(codec(self)?.dissect(document, false, sink))
    }

    fn outline(self, document: &[u8]) -> Option<Result<Outline, exi::Error>> {
        // Where the message's name is: the root element of the handshake, below `V2G_Message/Body` in DIN.
        let name_depth = if self == Self::Din { 3 } else { 1 };
        let mut outline = Outline { depth: 0, name: None, name_depth, end_bit: 0 };
        Some(self.dissect(document, &mut outline)?.map(|()| outline))
    }

    fn to_json(self, document: &[u8], fragment: bool) -> Option<Result<Json, exi::Error>> {
        Some(codec(self)?.decode(document, fragment))
    }

    fn encode_json(self, json: &Json, fragment: bool) -> Option<Result<Vec<u8>, JsonError>> {
        Some(codec(self)?.encode(json, fragment))
    }
}

/// What a walk through a document finds without decoding the values.
#[derive(Clone, Copy, Debug)]
pub struct Outline {
    depth: u32,
    name: Option<&'static str>,
    name_depth: u32,
    end_bit: u32,
}

impl Outline {
    /// The message's name.
    pub fn message(&self) -> Option<&'static str> {
        self.name
    }

    /// How many bytes the document has; what follows does not belong to it.
    pub fn length(&self) -> usize {
        usize::try_from(self.end_bit.div_ceil(8)).unwrap_or(usize::MAX)
    }
}

impl<'a> Sink<'a> for Outline {
    fn enter(&mut self, name: &'static str, _bit: u32) {
        self.depth += 1;
        // The header comes before the body: the last element at this depth is the message.
        if self.depth == self.name_depth {
            self.name = Some(name);
        }
    }

    fn value(&mut self, _value: Value<'a>, _start: u32, _end: u32) {}

    fn leave(&mut self, bit: u32) {
        self.depth = self.depth.saturating_sub(1);
        self.end_bit = bit;
    }
}

/// How a message's schema is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Basis {
    /// The handshake of this connection agreed on it, or it is the handshake.
    Handshake,
    /// The V2GTP payload type says it.
    PayloadType,
    /// From the bytes alone, with this confidence in percent.
    Guess(u8),
}

impl Basis {
    /// The basis of a guess. Judgement: a document that decodes up to its last byte is hardly an accident,
    /// one with bytes after it seldom; a root element alone has seven bits.
    pub fn guess(document: &[u8], outline: Option<&Result<Outline, exi::Error>>) -> Self {
        Self::Guess(match outline {
            Some(Ok(outline)) if outline.length() == document.len() => 99,
            Some(Ok(_)) => 90,
            Some(Err(_)) => 10,
            None => 60,
        })
    }

    /// The confidence in percent: 100 where nothing is guessed.
    pub fn confidence(self) -> u8 {
        match self {
            Self::Handshake | Self::PayloadType => 100,
            Self::Guess(percent) => percent,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_outline_has_the_name_and_the_length() {
        // spec: a SessionSetupReq of DIN with empty ids, made by hand (EXI walk in the documentation of exi-din).
        let document = [0x80, 0x9A, 0x00, 0x11, 0xD0, 0x00, 0x00];
        let outline = Schema::Din.outline(&document).unwrap().unwrap();
        assert_eq!((outline.message(), outline.length()), (Some("SessionSetupReq"), 7));
        let outline = Schema::App.outline(&[0x80, 0x40, 0x00, 0x40, 0xFF]).unwrap();
        assert_eq!(outline.unwrap().message(), Some("supportedAppProtocolRes"));
        assert_eq!(Basis::guess(&[0x80, 0x40, 0x00, 0x40, 0xFF], Some(&outline)), Basis::Guess(90));
        assert_eq!(
            Basis::guess(&document[..6], Schema::Din.outline(&document[..6]).as_ref()),
            Basis::Guess(10)
        );
        assert!(Schema::Iso2.outline(&[0x80, 0x98]).is_none(), "no codec yet");
    }

    #[test]
    fn two_schemas_have_codecs() {
        assert_eq!(Schema::codec_names().collect::<Vec<_>>(), ["app", "din"]);
        assert_eq!(Schema::with_codec("iso2"), None);
    }
}
