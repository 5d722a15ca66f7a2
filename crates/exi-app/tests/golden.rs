//! The golden vectors and every handshake in the captures, made by other codecs.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test ends where it fails"
)]

use corpus::{bytes, hex, text};
use exi_app::Message;

#[test]
fn every_vector_decodes_to_its_content_and_encodes_to_its_bytes() {
    let mut buffer = [0; 4096];
    for vector in corpus::lines("golden-public.jsonl").unwrap_or_default() {
        if text(&vector, "schema") != "app" {
            continue;
        }
        let exi = text(&vector, "exi");
        let stream = bytes(exi);
        let message = Message::decode(&stream).unwrap();
        assert_eq!(exi_app::SCHEMA.decode(&stream, false).unwrap(), vector["json"], "{exi}");
        let length = message.encode(&mut buffer).unwrap();
        assert_eq!(hex(&buffer[..length]), exi);
        assert_eq!(hex(&exi_app::SCHEMA.encode(&vector["json"], false).unwrap()), exi);
    }
}

#[test]
fn every_captured_handshake_decodes_and_encodes_to_the_same_bytes() {
    let mut buffer = [0; 4096];
    for vector in corpus::lines("captures/vectors.jsonl").unwrap_or_default() {
        if text(&vector, "schema") != "apphand" {
            continue;
        }
        let exi = text(&vector, "exi");
        let stream = bytes(exi);
        let message = Message::decode(&stream).unwrap_or_else(|error| panic!("{exi}: {error}"));
        let length = message.encode(&mut buffer).unwrap();
        assert_eq!(hex(&buffer[..length]), exi, "{}", text(&vector, "capture"));
    }
}
