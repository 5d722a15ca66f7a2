//! Events of a recording as bytes of a packet of link type `USER0` (`docs/recording.md`).

/// The first bytes of every note: kind and version.
const MAGIC: &[u8] = b"CCS\x01";

/// The bytes of a note: [`MAGIC`], then the text.
pub(crate) fn bytes(words: &str) -> Vec<u8> {
    [MAGIC, words.as_bytes()].concat()
}

/// The text of a note; `None` if the bytes are not a note.
pub(crate) fn parse(bytes: &[u8]) -> Option<&str> {
    std::str::from_utf8(bytes.strip_prefix(MAGIC)?).ok()
}

/// Offset of the text.
pub(crate) const TEXT_AT: usize = MAGIC.len();

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
