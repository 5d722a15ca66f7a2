//! How certain the schema of a message is, and access to the codec of a schema.

use exi::json::{JsonError, Schema as Codec};
use exi::trace::Sink;
use listen::{Document, Schema};
use serde_json::Value as Json;

/// The schemas that have a codec.
const CODECS: &[(Schema, &Codec)] = &[(Schema::App, &exi_app::SCHEMA), (Schema::Din, &exi_din::SCHEMA)];

fn codec(schema: Schema) -> Option<&'static Codec> {
    CODECS.iter().find(|row| row.0 == schema).map(|row| row.1)
}

/// Access to the codec of a schema; every method returns `None` for a schema without one.
pub trait Codecs: Sized {
    /// The schema of that name, if it has a codec.
    fn with_codec(name: &str) -> Option<Self>;

    /// Names of the schemas that can be decoded and encoded.
    fn codec_names() -> impl Iterator<Item = &'static str>;

    /// Reports a document's elements and values to `sink`.
    fn dissect<'a>(self, document: &'a [u8], sink: &mut dyn Sink<'a>) -> Option<Result<(), exi::Error>>;

    /// The first error in a document, with its bit.
    fn fault(self, document: &[u8]) -> Option<exi::Error>;

    /// Converts a document, or a fragment, to JSON in the mapping of the corpus.
    fn to_json(self, document: &[u8], fragment: bool) -> Option<Result<Json, exi::Error>>;

    /// Converts JSON in the mapping of the corpus to a document, or a fragment.
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

    fn fault(self, document: &[u8]) -> Option<exi::Error> {
        self.dissect(document, &mut exi::Path::default())?.err()
    }

    fn to_json(self, document: &[u8], fragment: bool) -> Option<Result<Json, exi::Error>> {
        Some(codec(self)?.decode(document, fragment))
    }

    fn encode_json(self, json: &Json, fragment: bool) -> Option<Result<Vec<u8>, JsonError>> {
        Some(codec(self)?.encode(json, fragment))
    }
}

/// How the schema of a message was determined.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Basis {
    /// The message is of the handshake, or of the protocol that the handshake selected.
    Handshake,
    /// The V2GTP payload type determines it.
    PayloadType,
    /// From the bytes alone, with this confidence in percent.
    Guess(u8),
}

impl Basis {
    /// The basis of a guess. Judgement: a document that decodes up to its last byte is hardly a coincidence,
    /// one with trailing bytes rarely; a root element alone has only seven bits.
    pub fn guess(payload: &[u8], decoded: Option<&Result<(Document<'_>, usize), exi::Error>>) -> Self {
        Self::Guess(match decoded {
            Some(Ok((_, length))) if *length == payload.len() => 99,
            Some(Ok(_)) => 90,
            Some(Err(_)) => 10,
            None => 60,
        })
    }

    /// Confidence in percent; 100 unless the schema is guessed.
    pub fn confidence(self) -> u8 {
        match self {
            Self::Handshake | Self::PayloadType => 100,
            Self::Guess(percent) => percent,
        }
    }
}

#[cfg(test)]
mod tests {
    use listen::Talk;
    use v2gtp::PayloadType;

    use super::super::payload::describe;
    use super::*;

    #[test]
    fn a_payload_has_its_name_and_what_it_has_too_much_or_too_little() {
        let described = |bytes: &[u8]| {
            let mut document = None;
            let exi = describe(&Talk::default(), PayloadType::EXI, bytes, &mut document);
            assert_eq!(exi.message, exi.document.and_then(Document::name));
            (exi.message, exi.basis, exi.trailing, exi.error.map(|error| error.kind))
        };
        // spec: a SessionSetupReq of DIN with empty ids, made by hand (EXI walk in the documentation of
        // exi-din).
        let document = [0x80, 0x9A, 0x00, 0x11, 0xD0, 0x00, 0x00];
        assert_eq!(described(&document), (Some("SessionSetupReq"), Basis::Guess(99), 0, None));
        let longer = [&document[..], &[0xFF, 0xFF]].concat();
        assert_eq!(described(&longer), (Some("SessionSetupReq"), Basis::Guess(90), 2, None));
        let cut = Some(exi::ErrorKind::Truncated);
        assert_eq!(described(&document[..6]), (None, Basis::Guess(10), 0, cut));
        let answer = [0x80, 0x40, 0x00, 0x40, 0xFF];
        assert_eq!(described(&answer), (Some("supportedAppProtocolRes"), Basis::Handshake, 1, None));
        assert_eq!(described(&[0x80, 0x98]), (None, Basis::Guess(60), 0, None), "no codec yet");
    }

    #[test]
    fn two_schemas_have_codecs() {
        assert_eq!(Schema::codec_names().collect::<Vec<_>>(), ["app", "din"]);
        assert_eq!(Schema::with_codec("iso2"), None);
    }
}
