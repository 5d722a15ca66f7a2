use machine::Instant;
use session::Direction;

/// Observes the messages that a role receives and sends: for a log, a recorder, a web page.
///
/// It is called at the moment of the message, without a copy of its bytes, and does not affect the role. It
/// must return quickly: to decode, print or store a message, copy it and do that elsewhere.
pub trait Watch {
    /// The session of the served connection receives a message (before its events about it), or its response
    /// was encoded.
    ///
    /// `document` is the payload of the V2GTP message without the header, up to 4 kB for DIN. A received one
    /// is unchanged and may be invalid. A message with an unknown payload type is skipped and not reported.
    fn message(&self, at: Instant, direction: Direction, payload_type: u16, document: &[u8]);
}
