//! Damaged streams: never a panic, and a stream that decodes has one canonical form.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test ends where it fails")]

use exi_din::V2gMessage;
use proptest::prelude::*;

/// Messages with every kind of part: optional elements, lists, strings, binaries, nested choices.
const SEEDS: [&str; 4] = [
    // ChargeParameterDiscoveryRes and CurrentDemandReq of real sessions.
    "809a021a3d733088034da290800000040000000480e03200455040864002018020101c398041014010100c00810140104806008200",
    "809a021a3d733088034da290d1401180c0c00404050320000c203e804080e1807c00018103200c0814010140c800",
    // ServiceDiscoveryRes and SessionSetupRes with a notification in the header.
    "809a021a3d733088034da291a00120024100c4",
    "809a021a3d733088034da291e0201526a2698d8010bfd07b00c0",
];

/// A stream that decodes has one canonical form: encoding it and decoding the result gives the same message.
fn check(stream: &[u8]) {
    let Ok(message) = V2gMessage::decode(stream) else { return };
    let mut buffer = vec![0; 2 * stream.len() + 16];
    // A value longer than its facet decodes; the encoder refuses it.
    let Ok(length) = message.encode(&mut buffer) else { return };
    let again = V2gMessage::decode(&buffer[..length]).unwrap();
    assert_eq!(again, message);
}

proptest! {
    #[test]
    fn random_bytes_behind_the_header_of_a_message_never_panic(tail in prop::collection::vec(any::<u8>(), 0..80)) {
        let stream: Vec<u8> = [0x80, 0x9a].into_iter().chain(tail).collect();
        check(&stream);
        let _ = exi_din::SCHEMA.decode(&stream, true);
    }

    #[test]
    fn flipped_bits_never_panic(seed in 0..SEEDS.len(), flips in prop::collection::vec(0_usize..440, 1..4)) {
        let mut stream = corpus::bytes(SEEDS[seed]);
        for bit in flips {
            let bit = bit % (stream.len() * 8);
            stream[bit / 8] ^= 1 << (bit % 8);
        }
        check(&stream);
        let _ = exi_din::SCHEMA.decode(&stream, false);
    }

    #[test]
    fn every_error_is_inside_the_stream_and_names_the_root(seed in 0..SEEDS.len(), cut in 0_usize..60) {
        let stream = corpus::bytes(SEEDS[seed]);
        let cut = cut.min(stream.len() - 1);
        let error = V2gMessage::decode(&stream[..cut]).unwrap_err();
        prop_assert!(error.bit as usize <= cut * 8);
        prop_assert!(cut < 2 || error.path.names().next() == Some("V2G_Message"), "{}", error);
    }
}

#[test]
fn a_length_of_four_gigabytes_is_refused_at_once() {
    // SessionSetupReq whose EVCCID has the length 2^32 - 1.
    let error = V2gMessage::decode(&corpus::bytes("809a0011d1ffffffff1e0000")).unwrap_err();
    assert_eq!(error.kind, exi::ErrorKind::Length);
    assert_eq!(error.path.to_string(), "V2G_Message/Body/SessionSetupReq/EVCCID");
}

#[test]
fn an_empty_leaf_may_be_written_as_an_escape_and_no_other_escape_is_taken() {
    // SessionSetupReq with SessionID and EVCCID as `1` + `000` in place of `0` + length 0, as EXIficient
    // does.
    let stream = corpus::bytes("809a44750000");
    let escaped = V2gMessage::decode(&stream).unwrap();
    assert!(escaped.header.session_id.is_empty());
    let mut canonical = [0; 16];
    let length = escaped.encode(&mut canonical).unwrap();
    assert_eq!(corpus::hex(&canonical[..length]), "809a0011d00000");

    // The same with `001` after the escape.
    let other = corpus::bytes("809a4c750000");
    assert_eq!(V2gMessage::decode(&other).unwrap_err().kind, exi::ErrorKind::Event);
}
