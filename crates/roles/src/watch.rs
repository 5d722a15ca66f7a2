use machine::Instant;
use session::Direction;

/// Looks on while a role takes and sends messages: a log, a recorder, a page.
///
/// It is called at the moment when it happens, with the bytes where they are, and has no effect on the role.
/// It is to return at once: to decode, print or keep a message, copy it and do that elsewhere.
pub trait Watch {
    /// The session of the served connection takes a message (before its events about it), or its answer was
    /// encoded.
    ///
    /// `document` is the payload of the V2GTP message without the header, up to 4 kB for DIN. A received one
    /// is as the peer sent it and may make no sense; one whose payload type has no name is skipped and not
    /// shown here.
    fn message(&self, at: Instant, direction: Direction, payload_type: u16, document: &[u8]);
}
