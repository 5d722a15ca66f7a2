//! Where V2GTP messages begin and end in a stream of bytes, and where they begin again after what is none.

use v2gtp::{HEADER_LEN, Header, PayloadType};

/// When a frame was captured: its number and time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct When {
    /// 1-based number.
    pub frame: u64,
    /// Nanoseconds since the Unix epoch, where known.
    pub time_ns: Option<i64>,
}

impl When {
    /// Before every frame.
    pub const NEVER: Self = Self { frame: 0, time_ns: None };

    /// The time from here to `later` in ns, where both are known.
    pub(crate) fn until(self, later: Self) -> Option<i64> {
        Some(later.time_ns?.saturating_sub(self.time_ns?))
    }
}

/// What comes out of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Found<'a> {
    /// A whole V2GTP message.
    Message(PayloadType, &'a [u8]),
    /// The stream is encrypted; reported once for each direction.
    Tls,
    /// This many bytes are not V2GTP, or a message lost its end.
    Skipped(usize),
    /// Bytes are missing in the capture.
    Gap,
    /// The sender opens the connection (SYN).
    Opened,
    /// The sender ends its direction, or the connection.
    Closed(Close),
    /// Nothing more comes of the connection; its latest frame is the time of this.
    Over {
        /// The connection's first frame.
        first: When,
        /// It is evicted: its storage is needed for another one.
        is_evicted: bool,
    },
}

/// How one end closes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Close {
    /// FIN: nothing more is sent in this direction.
    Fin,
    /// RST: the connection is gone.
    Reset,
    /// RST as the answer to a SYN: the connection is refused.
    Refused,
}

/// Gets what is found: when its last byte was captured, and what it is.
pub trait Sink {
    /// Takes one finding.
    fn found(&mut self, when: When, found: Found<'_>);
}

impl<F: FnMut(When, Found<'_>)> Sink for F {
    fn found(&mut self, when: When, found: Found<'_>) {
        self(when, found);
    }
}

/// What bytes at the border between two messages begin with.
pub enum Start {
    /// A message of this type and length, its header included.
    Message(PayloadType, usize),
    /// Fewer bytes than a header has, which may become one.
    Part,
    /// Something else.
    Foreign,
}

/// Reads the start of `data`; a message longer than `longest`, header included, is foreign.
pub fn start(data: &[u8], longest: usize) -> Start {
    let Some((bytes, _)) = data.split_at_checked(HEADER_LEN) else {
        let may_begin = [0x01, 0xFE].starts_with(data) || data.starts_with(&[0x01, 0xFE]);
        return if may_begin { Start::Part } else { Start::Foreign };
    };
    let Ok(header) = Header::parse(bytes) else { return Start::Foreign };
    let length = usize::try_from(header.length).unwrap_or(usize::MAX).saturating_add(HEADER_LEN);
    let known = header.payload_type.name().is_some() || header.payload_type.is_vendor();
    if known && length <= longest { Start::Message(header.payload_type, length) } else { Start::Foreign }
}

/// How many bytes at the start of `data` are foreign, at least one.
pub fn foreign(data: &[u8], longest: usize) -> usize {
    let begins =
        |at: &usize| data.get(*at..).is_some_and(|tail| !matches!(start(tail, longest), Start::Foreign));
    (1..data.len()).find(begins).unwrap_or(data.len())
}

/// Gives the messages that lie whole in `data` without copying them, and what is foreign; returns the start
/// of a message that is not whole.
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

/// A TLS record of handshake, alert or application data, version 3.x.
pub fn is_tls(data: &[u8]) -> bool {
    matches!(data, [0x15..=0x17, 3, 0..=4, ..])
}
