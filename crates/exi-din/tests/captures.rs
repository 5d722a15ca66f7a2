//! Every DIN payload that cars and chargers sent in the captures.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test ends where it fails"
)]

use corpus::{bytes, hex, text};
use exi_din::V2gMessage;

/// Payloads that do not encode to the same bytes, and why.
const NOT_IDENTICAL: &[(&str, u64, &str)] = &[(
    "2024-04-20_ModelY_pyPLC_stop_in_precharge.pcapng",
    144,
    "the Tesla appends a zero byte to ContractAuthenticationReq",
)];

#[test]
fn every_captured_payload_decodes_and_encodes_to_the_same_bytes() {
    let mut buffer = [0; 4096];
    let mut exceptions = 0;
    let mut files = vec![];
    for file in ["captures/vectors.jsonl", "captures/interop_vectors.jsonl"] {
        files.extend(corpus::lines(file).unwrap_or_default());
    }
    for vector in files {
        if text(&vector, "schema") != "din" {
            continue;
        }
        let (exi, capture, frame) =
            (text(&vector, "exi"), text(&vector, "capture"), vector["frame"].as_u64());
        let stream = bytes(exi);
        let message =
            V2gMessage::decode(&stream).unwrap_or_else(|error| panic!("{capture} {frame:?} {exi}: {error}"));
        assert_eq!(message.name(), Some(text(&vector, "message")), "{capture} {frame:?}");
        let length = message.encode(&mut buffer).unwrap();
        if NOT_IDENTICAL.iter().any(|(name, number, _)| (*name, Some(*number)) == (capture, frame)) {
            assert!(exi.starts_with(&hex(&buffer[..length])));
            exceptions += 1;
        } else {
            assert_eq!(hex(&buffer[..length]), exi, "{capture} {frame:?}");
        }
    }
    assert!(exceptions == 0 || exceptions == NOT_IDENTICAL.len());
}
