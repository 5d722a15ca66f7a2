//! The golden vectors of signed `SignedInfo` fragments, made by other codecs.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test ends where it fails"
)]

use corpus::{bytes, hex, text};
use exi_dsig::{SCHEMA, SIGNED_INFO, SignedInfo};

#[test]
fn every_signed_fragment_decodes_to_its_content_and_encodes_to_its_bytes() {
    let mut buffer = vec![0; 65536];
    for vector in corpus::lines("golden-public.jsonl").unwrap_or_default() {
        if text(&vector, "schema") != "dsig" {
            continue;
        }
        let exi = text(&vector, "exi");
        let stream = bytes(exi);
        assert_eq!(SCHEMA.decode(&stream, true).unwrap(), vector["json"], "{exi}");
        assert_eq!(hex(&SCHEMA.encode(&vector["json"], true).unwrap()), exi);

        let signed: SignedInfo<'_> = exi::decode(&stream, SIGNED_INFO).unwrap();
        let length = exi::encode(&signed, SIGNED_INFO, &mut buffer).unwrap();
        assert_eq!(hex(&buffer[..length]), exi);
    }
}
