//! The schema of a message, from its payload type, the handshake or its first bytes.

use v2gtp::PayloadType;

/// A message set, or a part of one that has its own payload type.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Schema {
    /// The supportedAppProtocol handshake.
    App,
    /// DIN SPEC 70121:2012.
    Din,
    /// ISO 15118-2:2013.
    Iso2,
    /// ISO 15118-20:2022, messages common to all kinds of energy transfer.
    Iso20Common,
    /// ISO 15118-20:2022, AC.
    Iso20Ac,
    /// ISO 15118-20:2022, DC.
    Iso20Dc,
    /// ISO 15118-20:2022, automatic connection device (pantograph).
    Iso20Acdp,
    /// ISO 15118-20:2022, wireless power transfer.
    Iso20Wpt,
}

/// Each schema with its name, and its payload type if that alone determines it.
const TABLE: &[(Schema, &str, Option<PayloadType>)] = &[
    (Schema::App, "app", None),
    (Schema::Din, "din", None),
    (Schema::Iso2, "iso2", None),
    (Schema::Iso20Common, "iso20-cm", Some(PayloadType::ISO20_COMMON)),
    (Schema::Iso20Ac, "iso20-ac", Some(PayloadType::ISO20_AC)),
    (Schema::Iso20Dc, "iso20-dc", Some(PayloadType::ISO20_DC)),
    (Schema::Iso20Acdp, "iso20-acdp", Some(PayloadType::ISO20_ACDP)),
    (Schema::Iso20Wpt, "iso20-wpt", Some(PayloadType::ISO20_WPT)),
];

impl Schema {
    /// Every schema.
    pub fn all() -> impl Iterator<Item = Self> {
        TABLE.iter().map(|row| row.0)
    }

    /// The name that the corpus uses.
    pub fn name(self) -> &'static str {
        TABLE.iter().find(|row| row.0 == self).map_or("", |row| row.1)
    }

    /// The schema that a V2GTP payload type determines; `None` if several schemas share the type.
    pub fn of_payload_type(payload_type: PayloadType) -> Option<Self> {
        TABLE.iter().find(|row| row.2 == Some(payload_type)).map(|row| row.0)
    }

    /// The schema of a namespace in the handshake. `None` for ISO 15118-20: there the payload type of each
    /// message decides.
    pub fn of_namespace(namespace: &str) -> Option<Self> {
        match namespace {
            exi_app::NAMESPACE_DIN => Some(Self::Din),
            exi_app::NAMESPACE_ISO2 => Some(Self::Iso2),
            _ => None,
        }
    }

    /// The schema according to the root element's code in the first bytes of a document, for a payload type
    /// that several schemas share.
    ///
    /// The code of the handshake has 2 bits and is below 2. DIN SPEC 70121 uses 77 in 7 bits (`80 9A`), ISO
    /// 15118-2 uses 76 (`80 98`); the last bit belongs to the header element and is 0. ISO 15118-20 has a
    /// code of 6 bits, 3 zeros and a session id of 8 bytes (`80 0C 04 79`): the same bits are a handshake
    /// only if they decode as one.
    pub fn of_first_bytes(document: &[u8]) -> Option<Self> {
        match document {
            [0x80, 0x9A, ..] => Some(Self::Din),
            [0x80, 0x98, ..] => Some(Self::Iso2),
            [0x80, second, third, fourth, ..]
                if second.trailing_zeros() >= 2
                    && (*third, *fourth & 0x80) == (0x04, 0)
                    && exi_app::Message::decode(document).is_err() =>
            {
                Some(Self::Iso20Common)
            }
            [0x80, second, ..] if *second < 0x80 => Some(Self::App),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_bytes_tell_the_message_sets_apart() {
        let of = |second| Schema::of_first_bytes(&[0x80, second]);
        assert_eq!(of(0x00), Some(Schema::App));
        assert_eq!(of(0x40), Some(Schema::App));
        assert_eq!(of(0x9A), Some(Schema::Din));
        assert_eq!(of(0x98), Some(Schema::Iso2));
        assert_eq!(of(0xFF), None);
        assert_eq!(Schema::of_first_bytes(&[0x81, 0x9A]), None);
        // The first bytes of an ISO 15118-20 message, and a complete answer of the handshake.
        assert_eq!(Schema::of_first_bytes(&[0x80, 0x0C, 0x04, 0x79, 0x1A]), Some(Schema::Iso20Common));
        assert_eq!(Schema::of_first_bytes(&[0x80, 0x40, 0x00, 0x40]), Some(Schema::App));
        assert_eq!(Schema::of_first_bytes(&[0x80, 0x98, 0x04, 0x00]), Some(Schema::Iso2));
    }

    #[test]
    fn every_schema_has_a_name_and_at_most_one_has_a_payload_type() {
        for schema in Schema::all() {
            assert!(!schema.name().is_empty());
        }
        assert_eq!(Schema::of_payload_type(PayloadType::ISO20_DC), Some(Schema::Iso20Dc));
        assert_eq!(Schema::of_payload_type(PayloadType::EXI), None);
    }
}
