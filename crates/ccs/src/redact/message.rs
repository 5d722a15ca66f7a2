//! Replaces identifiers in V2GTP payloads in place, at the bits where they are. Every length stays the same.

use exi::trace::{Sink, Value};
use listen::Schema;
use v2gtp::PayloadType;

use super::names::{Kind, Names};
use crate::decode::Codecs;

/// Elements whose text or bytes identify no one. All other texts and bytes are replaced.
const KEPT: &[&str] = &["ProtocolNamespace", "@Algorithm"];
/// Kinds of identifiers that are known by their element.
const KINDS: &[(&str, Kind)] =
    &[("EVCCID", Kind::EvccId), ("EVSEID", Kind::EvseId), ("SessionID", Kind::Session)];
/// Numbers that identify someone: they become 0.
const NUMBERS: &[&str] = &["X509SerialNumber"];

/// Rewrites a V2GTP payload of this type.
pub(super) fn rewrite(names: &mut Names<'_>, payload_type: PayloadType, payload: &mut [u8]) {
    match payload_type {
        PayloadType::EXI => exi(names, payload),
        PayloadType::SDP_REQUEST if payload.len() == 2 => {}
        PayloadType::SDP_RESPONSE if payload.len() == 20 => {
            if let Some(address) = payload.first_chunk_mut::<16>() {
                *address = names.ipv6(*address);
            }
        }
        other => {
            names.blank(if (0x8002..=0x8FFF).contains(&other.0) {
                "messages of ISO 15118-20"
            } else {
                "other V2GTP messages"
            });
            // The first byte of every EXI document is the same.
            payload.iter_mut().skip_while(|byte| **byte == 0x80).for_each(|byte| *byte = 0);
        }
    }
}

/// Rewrites a document of the handshake, DIN SPEC 70121 or ISO 15118-2, according to its first bytes.
fn exi(names: &mut Names<'_>, document: &mut [u8]) {
    let schema = Schema::of_first_bytes(document);
    let mut spans = Spans::default();
    let decodes =
        schema.and_then(|schema| schema.dissect(document, &mut spans)).is_some_and(|end| end.is_ok());
    if !decodes || spans.is_odd {
        return blank(names, schema, document);
    }
    let Spans { found, end, .. } = spans;
    for span in found {
        span.rewrite(names, document);
    }
    let length = usize::try_from(end.div_ceil(8)).unwrap_or(usize::MAX);
    let trailing = document.get_mut(length..).unwrap_or_default();
    if trailing.iter().any(|byte| *byte != 0) {
        names.blank("bytes after a message");
        trailing.fill(0);
    }
}

/// Blanks a document except what shows its schema: the header and the code of the root element.
fn blank(names: &mut Names<'_>, schema: Option<Schema>, document: &mut [u8]) {
    let (kept, what) = match schema {
        Some(Schema::Iso2) => (2, "messages of ISO 15118-2"),
        Some(Schema::Iso20Common) => (3, "messages of ISO 15118-20"),
        Some(Schema::Din) => (2, "messages that do not decode"),
        Some(_) => (1, "messages that do not decode"),
        None => (0, "messages that do not decode"),
    };
    names.blank(what);
    document.iter_mut().skip(kept).for_each(|byte| *byte = 0);
}

/// Position of a value that is replaced.
struct Span {
    kind: Kind,
    form: Form,
    /// First bit of the octets.
    bit: u32,
    octets: Vec<u8>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Form {
    /// Bytes, or characters of one octet each.
    Octets,
    /// Characters beyond ASCII: numbers with seven bits per octet, in which the eighth bit means that more
    /// octets follow.
    Characters,
    /// One large number in the same encoding.
    Number,
}

impl Span {
    fn rewrite(self, names: &mut Names<'_>, document: &mut [u8]) {
        let Self { kind, form, bit, octets } = self;
        let new = match form {
            Form::Octets => names.identifier(kind, &octets),
            Form::Number => octets.iter().map(|octet| octet & 0x80).collect(),
            Form::Characters => {
                // The first octet of each character becomes a digit, the others zeros.
                let starts = [0].into_iter().chain(octets.iter().map(|octet| octet & 0x80));
                let zero = |(octet, before): (&u8, u8)| octet & 0x80 | if before == 0 { b'0' } else { 0 };
                octets.iter().zip(starts).map(zero).collect()
            }
        };
        if form != Form::Octets {
            names.blank("numbers and characters of messages");
        }
        put(document, bit, &new);
    }
}

/// Collects the spans of a document.
#[derive(Default)]
struct Spans {
    path: Vec<&'static str>,
    found: Vec<Span>,
    end: u32,
    /// A value is in an unexpected place: the document is treated as not decoded.
    is_odd: bool,
}

impl Spans {
    fn add(&mut self, kind: Kind, form: Form, octets: Vec<u8>, (start, end): (u32, u32)) {
        let bits = u32::try_from(octets.len()).ok().and_then(|count| count.checked_mul(8));
        match bits.and_then(|bits| end.checked_sub(bits)).filter(|bit| *bit >= start) {
            Some(bit) => self.found.push(Span { kind, form, bit, octets }),
            None => self.is_odd = true,
        }
    }
}

impl<'a> Sink<'a> for Spans {
    fn enter(&mut self, name: &'static str, _bit: u32) {
        self.path.push(name);
    }

    fn value(&mut self, value: Value<'a>, start: u32, end: u32) {
        let name = self.path.last().copied().unwrap_or_default();
        let kind = KINDS.iter().find(|row| row.0 == name).map_or(Kind::Contract, |row| row.1);
        let bits = (start, end);
        match value {
            Value::Text(_) | Value::Bytes(_) if KEPT.contains(&name) => {}
            Value::Bytes(bytes) => self.add(kind, Form::Octets, bytes.iter().collect(), bits),
            Value::Text(text) if text.chars().all(|c| c.is_ascii()) => {
                self.add(kind, Form::Octets, text.chars().map(|c| c as u8).collect(), bits);
            }
            Value::Text(text) => {
                let octets = text.chars().flat_map(|c| sevens(u64::from(u32::from(c)))).collect();
                self.add(kind, Form::Characters, octets, bits);
            }
            Value::Integer(number) if NUMBERS.contains(&name) => {
                // A sign bit, then the number; for a negative number its absolute value minus 1.
                let size = if number < 0 { !number } else { number };
                self.add(kind, Form::Number, sevens(size.unsigned_abs()).collect(), bits);
            }
            // The value keeps its length. Its octets are the last ones; only their upper bits matter here.
            Value::Unsigned(_) | Value::Big(_) if NUMBERS.contains(&name) => {
                let count = usize::try_from((end - start) / 8).unwrap_or_default();
                let octets = (1..=count).map(|at| if at == count { 0 } else { 0x80 }).collect();
                self.add(kind, Form::Number, octets, bits);
            }
            Value::Big(_) => self.is_odd = true,
            _ => {}
        }
    }

    fn leave(&mut self, bit: u32) {
        self.path.pop();
        self.end = bit;
    }
}

/// The octets of an unsigned integer: seven bits each, the lowest first.
fn sevens(mut number: u64) -> impl Iterator<Item = u8> {
    let mut more = true;
    std::iter::from_fn(move || {
        let octet = more.then_some((number & 0x7F) as u8)?;
        number >>= 7;
        more = number != 0;
        Some(if more { octet | 0x80 } else { octet })
    })
}

/// Writes octets at a bit position.
fn put(document: &mut [u8], bit: u32, octets: &[u8]) {
    let (at, shift) = (usize::try_from(bit / 8).unwrap_or(usize::MAX), bit % 8);
    let mut places = document.iter_mut().skip(at);
    let mut place = places.next();
    for octet in octets {
        let wide = u16::from(*octet) << (8 - shift);
        let mask = 0xFF_u16 << (8 - shift);
        let [high, low] = wide.to_be_bytes();
        let [keep_high, keep_low] = (!mask).to_be_bytes();
        if let Some(byte) = place {
            *byte = *byte & keep_high | high;
        }
        place = places.next();
        if let Some(byte) = &mut place {
            **byte = **byte & keep_low | low;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use hal_linux::OsEntropy;

    fn rewritten(payload_type: PayloadType, payload: &[u8]) -> (Vec<u8>, Vec<(&'static str, u64)>) {
        let mut entropy = OsEntropy;
        let mut names = Names::new(&mut entropy, false);
        let mut bytes = payload.to_vec();
        rewrite(&mut names, payload_type, &mut bytes);
        (bytes, names.blanked().collect())
    }

    #[test]
    fn the_car_s_identifier_is_replaced_where_it_stands_between_bytes() {
        // SessionSetupReq of 2023-04-16_at_home_Ioniq_in_currentDemandLoop.pcapng with a synthetic EVCCID.
        let document = exi_din::SCHEMA
            .encode(
                &serde_json::json!({"V2G_Message": {
                    "Header": {"SessionID": "00"},
                    "Body": {"SessionSetupReq": {"EVCCID": "A1B2C3D4E5F6"}}
                }}),
                false,
            )
            .unwrap();
        let (new, blanked) = rewritten(PayloadType::EXI, &document);
        assert_eq!(blanked, []);
        assert_eq!(new.len(), document.len());
        let json = Schema::Din.to_json(&new, false).unwrap().unwrap();
        let id = json["V2G_Message"]["Body"]["SessionSetupReq"]["EVCCID"].as_str().unwrap();
        assert!(id.len() == 12 && id != "A1B2C3D4E5F6", "{id}");
        assert_eq!(json["V2G_Message"]["Header"]["SessionID"], "00");
    }

    #[test]
    fn characters_beyond_ascii_and_bytes_after_a_message_are_blanked() {
        let document = exi_din::SCHEMA
            .encode(
                &serde_json::json!({"V2G_Message": {
                    "Header": {"SessionID": "0102"},
                    "Body": {"ServiceDiscoveryReq": {"ServiceScope": "Müller€x"}}
                }}),
                false,
            )
            .unwrap();
        let (new, blanked) = rewritten(PayloadType::EXI, &[&document[..], b"secret"].concat());
        assert_eq!(new[document.len()..], [0; 6]);
        assert_eq!(blanked.len(), 2);
        let json = Schema::Din.to_json(&new, false).unwrap().unwrap();
        assert_eq!(json["V2G_Message"]["Body"]["ServiceDiscoveryReq"]["ServiceScope"], "00000000");
    }

    #[test]
    fn what_does_not_decode_keeps_no_more_than_its_schema() {
        let mut iso2 = vec![0x80, 0x98, 0x02];
        iso2.extend([0xA5; 20]);
        let (new, blanked) = rewritten(PayloadType::EXI, &iso2);
        assert_eq!((&new[..2], &new[2..]), (&[0x80, 0x98][..], &[0; 21][..]));
        assert_eq!(blanked, [("messages of ISO 15118-2", 1)]);
        let cut = [0x80, 0x9A, 0x02, 0x00, 0x40, 0x80, 0xC1, 0x01];
        assert_eq!(rewritten(PayloadType::EXI, &cut).0, [0x80, 0x9A, 0, 0, 0, 0, 0, 0]);
        assert_eq!(rewritten(PayloadType(0x8004), &[0x80, 0x10, 7, 7]).0, [0x80, 0, 0, 0]);
        assert_eq!(rewritten(PayloadType(0xA000), &[7; 3]).0, [0; 3]);
    }

    #[test]
    fn octets_are_written_at_any_bit() {
        for bit in 0..8 {
            let mut bytes = [0xFF; 4];
            put(&mut bytes, bit, &[0, 0]);
            assert_eq!(u32::from_be_bytes(bytes), !(0xFFFF_0000_u32 >> bit), "bit {bit}");
        }
    }
}
