//! What happens beside the frames, as bytes of a packet of link type `USER0` (`docs/recording.md`).

/// The first bytes of every note: what it is, and the version of its form.
const MAGIC: &[u8] = b"CCS\x01";

/// A note's bytes: four that say what it is, then text.
pub fn bytes(words: &str) -> Vec<u8> {
    [MAGIC, words.as_bytes()].concat()
}

/// A note's text; `None` where the bytes are something else.
pub fn parse(bytes: &[u8]) -> Option<&str> {
    std::str::from_utf8(bytes.strip_prefix(MAGIC)?).ok()
}

/// Where its text begins.
pub const TEXT_AT: usize = MAGIC.len();

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_note_is_what_docs_recording_says() {
        assert_eq!(bytes("demand lock=held"), b"CCS\x01demand lock=held");
        assert_eq!(parse(b"CCS\x01demand lock=held"), Some("demand lock=held"));
        assert_eq!(parse(b"CCS\x02demand"), None, "another version");
        assert_eq!(parse(b"CCS\x01\xFF"), None);
        assert_eq!(parse(b""), None);
    }
}
