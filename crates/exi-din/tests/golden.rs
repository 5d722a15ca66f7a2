//! The golden vectors, made by other codecs from content that was generated from the schema.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test ends where it fails"
)]

use corpus::{Value, bytes, hex, text};
use exi_din::V2gMessage;

fn vectors() -> Vec<Value> {
    let lines = corpus::lines("golden-public.jsonl").unwrap_or_default();
    lines.into_iter().filter(|line| text(line, "schema") == "din").collect()
}

#[test]
fn every_vector_decodes_to_its_content_and_encodes_to_its_bytes() {
    let vectors = vectors();
    let mut buffer = vec![0; 65536];
    for vector in &vectors {
        let (exi, label) =
            (text(vector, "exi"), format!("{} {}", text(vector, "message"), text(vector, "variant")));
        let stream = bytes(exi);
        let message = V2gMessage::decode(&stream).unwrap_or_else(|error| panic!("{label}: {error}"));
        let json = serde_json::json!({ "V2G_Message": message });
        assert_eq!(json, vector["json"], "{label}: content");

        // From the views of the bits, and from slices made of the JSON.
        let length = message.encode(&mut buffer).unwrap_or_else(|error| panic!("{label}: {error}"));
        assert_eq!(hex(&buffer[..length]), exi, "{label}: bytes from the decoded message");
        let built =
            exi_din::SCHEMA.encode(&vector["json"], false).unwrap_or_else(|error| panic!("{label}: {error}"));
        assert_eq!(hex(&built), exi, "{label}: bytes from JSON");
    }
    println!("{} vectors", vectors.len());
}

#[test]
fn every_vector_cut_at_any_byte_is_refused() {
    for vector in vectors() {
        let stream = bytes(text(&vector, "exi"));
        for length in 0..stream.len() {
            assert!(
                V2gMessage::decode(&stream[..length]).is_err(),
                "{} cut at {length}",
                text(&vector, "exi")
            );
        }
    }
}

#[test]
fn the_dissector_covers_every_vector_with_nested_spans() {
    for vector in vectors() {
        let stream = bytes(text(&vector, "exi"));
        let mut spans = Spans::default();
        exi_din::SCHEMA.dissect(&stream, false, &mut spans).unwrap();
        assert!(spans.open.is_empty() && spans.elements > 3, "{}", text(&vector, "exi"));
    }
}

#[test]
fn the_messages_of_dc_charging_alone_read_and_write_the_same() {
    let mut buffer = vec![0; 65536];
    let (mut taken, mut refused) = (0, 0);
    for vector in vectors() {
        let stream = bytes(text(&vector, "exi"));
        match exi_din::dc::V2gMessage::decode(&stream) {
            Ok(message) => {
                let length = message.encode(&mut buffer).unwrap();
                assert_eq!(buffer[..length], stream, "{}", text(&vector, "variant"));
                taken += 1;
            }
            Err(error) => {
                assert_eq!(error.kind, exi::ErrorKind::Foreign, "{}", text(&vector, "message"));
                refused += 1;
            }
        }
    }
    assert!(taken >= refused, "{taken} of {}", taken + refused);
}

#[derive(Default)]
struct Spans {
    open: Vec<u32>,
    last: u32,
    elements: u32,
}

impl<'a> exi::trace::Sink<'a> for Spans {
    fn enter(&mut self, _name: &'static str, bit: u32) {
        assert!(bit >= self.last);
        self.open.push(bit);
        self.last = bit;
        self.elements += 1;
    }
    fn value(&mut self, _value: exi::trace::Value<'a>, start: u32, end: u32) {
        assert!(self.last <= start && start <= end);
        self.last = end;
    }
    fn leave(&mut self, bit: u32) {
        assert!(self.open.pop().is_some_and(|start| start < bit) && bit >= self.last);
        self.last = bit;
    }
}
