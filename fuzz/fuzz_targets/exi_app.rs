//! Any bytes as a handshake: no panic, and what decodes has one canonical form.
#![no_main]

use exi_app::Message;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|stream: &[u8]| {
    let _ = exi_app::SCHEMA.decode(stream, true);
    let Ok(message) = Message::decode(stream) else { return };
    let mut buffer = vec![0; stream.len() * 2 + 16];
    let Ok(length) = message.encode(&mut buffer) else { return };
    assert_eq!(Message::decode(&buffer[..length]), Ok(message));
});
