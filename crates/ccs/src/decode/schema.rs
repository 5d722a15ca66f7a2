//! Which schema a message is of, how sure that is, and what its codec says.

use exi::json::{JsonError, Schema as Codec};
use exi::trace::{Sink, Value};
use serde_json::Value as Json;
use v2gtp::PayloadType;

/// A schema set, named as in the corpus.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Schema {
    /// The supportedAppProtocol handshake.
    App,
    /// DIN SPEC 70121:2012.
    Din,
    /// ISO 15118-2:2013.
    Iso2,
    /// ISO 15118-20, messages common to all kinds of energy transfer.
    Iso20Common,
    /// ISO 15118-20 AC.
    Iso20Ac,
    /// ISO 15118-20 DC.
    Iso20Dc,
    /// ISO 15118-20, pantograph.
    Iso20Acdp,
    /// ISO 15118-20, wireless.
    Iso20Wpt,
}

/// Each schema with its name, its codec (where there is one) and its payload type (where that decides).
const TABLE: &[(Schema, &str, Option<&Codec>, Option<PayloadType>)] = &[
    (Schema::App, "app", Some(&exi_app::SCHEMA), None),
    (Schema::Din, "din", DIN, None),
    (Schema::Iso2, "iso2", None, None),
    (Schema::Iso20Common, "iso20-cm", None, Some(PayloadType::ISO20_COMMON)),
    (Schema::Iso20Ac, "iso20-ac", None, Some(PayloadType::ISO20_AC)),
    (Schema::Iso20Dc, "iso20-dc", None, Some(PayloadType::ISO20_DC)),
    (Schema::Iso20Acdp, "iso20-acdp", None, Some(PayloadType::ISO20_ACDP)),
    (Schema::Iso20Wpt, "iso20-wpt", None, Some(PayloadType::ISO20_WPT)),
];

const DIN: Option<&Codec> = Some(&exi_din::SCHEMA);

impl Schema {
    /// The name that the corpus uses.
    pub fn name(self) -> &'static str {
        TABLE.iter().find(|row| row.0 == self).map_or("", |row| row.1)
    }

    /// The schema of that name, if there is a codec for it.
    pub fn with_codec(name: &str) -> Option<Self> {
        TABLE.iter().find(|row| row.1 == name && row.2.is_some()).map(|row| row.0)
    }

    /// The names of the schemas that can be decoded and encoded.
    pub fn codec_names() -> impl Iterator<Item = &'static str> {
        TABLE.iter().filter(|row| row.2.is_some()).map(|row| row.1)
    }

    /// The schema that a V2GTP payload type stands for, where it stands for one.
    pub fn of_payload_type(payload_type: PayloadType) -> Option<Self> {
        TABLE.iter().find(|row| row.3 == Some(payload_type)).map(|row| row.0)
    }

    /// The schema of a namespace offered in the handshake. The ones of ISO 15118-20 give none: there the
    /// payload type decides message by message.
    pub fn of_namespace(namespace: &str) -> Option<Self> {
        match namespace {
            exi_app::NAMESPACE_DIN => Some(Self::Din),
            exi_app::NAMESPACE_ISO2 => Some(Self::Iso2),
            _ => None,
        }
    }

    /// What the root element's code in the first bytes of a document of type 0x8001 says.
    ///
    /// The handshake has a code of 2 bits below 2, DIN 77 of 7 bits (`80 9A`), ISO 15118-2 76 (`80 98`);
    /// the last bit belongs to the header element and is 0.
    pub fn of_first_bytes(document: &[u8]) -> Option<Self> {
        match document {
            [0x80, second, ..] if *second < 0x80 => Some(Self::App),
            [0x80, 0x9A, ..] => Some(Self::Din),
            [0x80, 0x98, ..] => Some(Self::Iso2),
            _ => None,
        }
    }

    fn codec(self) -> Option<&'static Codec> {
        TABLE.iter().find(|row| row.0 == self).and_then(|row| row.2)
    }

    /// Tells a document's elements and values to `sink`. `None` where there is no codec for the schema.
    pub fn dissect<'a>(self, document: &'a [u8], sink: &mut dyn Sink<'a>) -> Option<Result<(), exi::Error>> {
        Some(self.codec()?.dissect(document, false, sink))
    }

    /// Walks through a document. `None` where there is no codec for the schema.
    pub fn outline(self, document: &[u8]) -> Option<Result<Outline, exi::Error>> {
        let mut outline = Outline { depth: 0, name: None, name_depth: self.name_depth(), end_bit: 0 };
        Some(self.dissect(document, &mut outline)?.map(|()| outline))
    }

    /// A document, or fragment, in the JSON mapping of the corpus. `None` where there is no codec.
    pub fn to_json(self, document: &[u8], fragment: bool) -> Option<Result<Json, exi::Error>> {
        Some(self.codec()?.decode(document, fragment))
    }

    /// A document, or fragment, from JSON in the mapping of the corpus. `None` where there is no codec.
    pub fn from_json(self, json: &Json, fragment: bool) -> Option<Result<Vec<u8>, JsonError>> {
        Some(self.codec()?.encode(json, fragment))
    }

    /// Where the message's name is: the root element of the handshake, below `V2G_Message/Body` in DIN.
    fn name_depth(self) -> u32 {
        if self == Self::Din { 3 } else { 1 }
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
    /// one with bytes behind it seldom; a root element alone has seven bits.
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
    fn the_first_bytes_tell_the_handshake_from_din_and_iso2() {
        let of = |second| Schema::of_first_bytes(&[0x80, second]);
        assert_eq!(of(0x00), Some(Schema::App));
        assert_eq!(of(0x40), Some(Schema::App));
        assert_eq!(of(0x9A), Some(Schema::Din));
        assert_eq!(of(0x98), Some(Schema::Iso2));
        assert_eq!(of(0xFF), None);
        assert_eq!(Schema::of_first_bytes(&[0x81, 0x9A]), None);
    }

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
    fn every_schema_has_a_row() {
        for schema in [Schema::App, Schema::Din, Schema::Iso2, Schema::Iso20Wpt] {
            assert!(!schema.name().is_empty());
        }
        assert_eq!(Schema::codec_names().collect::<Vec<_>>(), ["app", "din"]);
        assert_eq!(Schema::with_codec("iso2"), None);
    }
}
