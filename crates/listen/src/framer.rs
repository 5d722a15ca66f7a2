//! Boundaries of V2GTP messages in a byte stream, and where messages begin again after foreign bytes.

use v2gtp::{HEADER_LEN, Header, PayloadType};

/// A frame's number and the time of its capture.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct When {
    /// Frame number in the capture, from 1 on.
    pub frame: u64,
    /// Capture time in ns since the Unix epoch; `None` where the source has no times.
    pub time_ns: Option<i64>,
}

impl When {
    /// A placeholder that orders before every frame.
    pub const NEVER: Self = Self { frame: 0, time_ns: None };

    /// Time from `self` to `later` in ns; `None` where one of both times is missing.
    pub(crate) fn until(self, later: Self) -> Option<i64> {
        Some(later.time_ns?.saturating_sub(self.time_ns?))
    }
}

/// A finding in one direction of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Found<'a> {
    /// A complete V2GTP message: its payload type and its payload, without the header.
    Message(PayloadType, &'a [u8]),
    /// The stream is encrypted; reported once for each direction.
    Tls,
    /// This many bytes are not V2GTP, or belong to a message whose end is missing.
    Skipped(usize),
    /// Bytes are missing in the capture.
    Gap,
    /// The sender opens the connection (SYN).
    Opened,
    /// The sender ends its direction, or the connection.
    Closed(Close),
    /// The connection is over: no finding follows. The finding's time is that of the connection's latest
    /// frame.
    Over {
        /// The connection's first frame.
        first: When,
        /// The connection was evicted because another one needs its storage.
        is_evicted: bool,
    },
}

/// How a side closes a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Close {
    /// FIN: the side sends nothing more.
    Fin,
    /// RST: the connection is aborted.
    Reset,
    /// RST as the answer to a SYN: the connection is refused.
    Refused,
}

/// Receives findings: when the last byte was captured, and the finding.
pub trait Sink {
    /// Called once for each finding, in the order of the stream.
    fn found(&mut self, when: When, found: Found<'_>);
}

impl<F: FnMut(When, Found<'_>)> Sink for F {
    fn found(&mut self, when: When, found: Found<'_>) {
        self(when, found);
    }
}

/// What the bytes at a message boundary begin with.
pub(crate) enum Start {
    /// A message: its payload type, and its length in bytes including the header.
    Message(PayloadType, usize),
    /// Fewer bytes than a header has; the rest may follow.
    Part,
    /// Not V2GTP.
    Foreign,
}

/// Classifies the start of `data`. A message of more than `longest` bytes, header included, is foreign.
pub(crate) fn start(data: &[u8], longest: usize) -> Start {
    let Some((bytes, _)) = data.split_at_checked(HEADER_LEN) else {
        let may_begin = [0x01, 0xFE].starts_with(data) || data.starts_with(&[0x01, 0xFE]);
        return if may_begin { Start::Part } else { Start::Foreign };
    };
    let Ok(header) = Header::parse(bytes) else { return Start::Foreign };
    let length = usize::try_from(header.length).unwrap_or(usize::MAX).saturating_add(HEADER_LEN);
    let known = header.payload_type.name().is_some() || header.payload_type.is_vendor();
    if known && length <= longest { Start::Message(header.payload_type, length) } else { Start::Foreign }
}

/// Number of foreign bytes at the start of `data`, at least 1.
pub(crate) fn foreign(data: &[u8], longest: usize) -> usize {
    let begins =
        |at: &usize| data.get(*at..).is_some_and(|tail| !matches!(start(tail, longest), Start::Foreign));
    (1..data.len()).find(begins).unwrap_or(data.len())
}

/// Passes each complete message in `data` to `sink` without copying it, and reports foreign bytes. Returns
/// the start of an incomplete message.
pub fn whole<'a>(when: When, mut data: &'a [u8], longest: usize, sink: &mut dyn Sink) -> &'a [u8] {
    while !data.is_empty() {
        let length = match start(data, longest) {
            Start::Message(payload_type, length) => {
                let Some(payload) = data.get(HEADER_LEN..length) else { return data };
                sink.found(when, Found::Message(payload_type, payload));
                length
            }
            Start::Part => return data,
            Start::Foreign => {
                let length = foreign(data, longest);
                sink.found(when, Found::Skipped(length));
                length
            }
        };
        data = data.get(length..).unwrap_or_default();
    }
    data
}

/// Whether `data` begins with a TLS record: handshake, alert or application data, version 3.x.
pub(crate) fn is_tls(data: &[u8]) -> bool {
    matches!(data, [0x15..=0x17, 3, 0..=4, ..])
}
