//! Any bytes as a DIN document: no panic, and what decodes has one canonical form.
#![no_main]

use exi_din::V2gMessage;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|stream: &[u8]| {
    // Every root element and every fragment, through the dissector's path of the same declarations.
    let _ = exi_din::SCHEMA.decode(stream, false);
    let _ = exi_din::SCHEMA.decode(stream, true);
    let _ = exi_din::dc::V2gMessage::decode(stream);
    let Ok(message) = V2gMessage::decode(stream) else { return };
    let mut buffer = vec![0; stream.len() * 2 + 16];
    // A string or binary beyond its facet decodes, and the encoder refuses it.
    let Ok(length) = message.encode(&mut buffer) else { return };
    let again = V2gMessage::decode(&buffer[..length]).expect("what was encoded decodes");
    assert_eq!(again, message);
    let mut canonical = vec![0; length];
    assert_eq!(again.encode(&mut canonical), Ok(length));
    assert_eq!(canonical, buffer[..length]);
});
