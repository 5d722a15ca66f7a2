//! The V2GTP messages in a byte stream.

use v2gtp::{HEADER_LEN, Header, PayloadType};

/// The longest payload taken: ISO 15118-20 certificates need the most.
pub const MAX_PAYLOAD: usize = 64 * 1024;

/// When a frame was captured: its number and time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct When {
    /// 1-based number.
    pub frame: u64,
    /// Nanoseconds since the Unix epoch, where known.
    pub time_ns: Option<i64>,
}

/// What comes out of a stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Found<'a> {
    /// A whole V2GTP message.
    Message(PayloadType, &'a [u8]),
    /// The stream is encrypted (told once for each direction).
    Tls,
    /// This many bytes are not V2GTP, or a message lost its end.
    Skipped(usize),
    /// Bytes are missing in the capture.
    Gap,
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

/// Finds V2GTP messages in a byte stream, and finds them again after what is none.
#[derive(Default)]
pub struct Framer {
    /// A message that is not whole yet: the bytes of it that came, and the last frame they came in.
    partial: Option<(Vec<u8>, When)>,
    tls: bool,
}

impl Framer {
    /// Takes the next bytes of the stream.
    pub fn take(&mut self, when: When, mut data: &[u8], sink: &mut dyn Sink) {
        if !self.tls && self.partial.is_none() && is_tls(data) {
            self.tls = true;
            sink.found(when, Found::Tls);
        }
        if self.tls {
            return;
        }
        while let Some((message, latest)) = &mut self.partial {
            // The end may have been captured before the start: the later of the two completes it.
            *latest = when.max(*latest);
            let fresh = data.get(..missing(message)).unwrap_or(data);
            message.extend_from_slice(fresh);
            data = data.get(fresh.len()..).unwrap_or_default();
            let latest = *latest;
            match start(message) {
                Start::Whole { header, payload, .. } => {
                    sink.found(latest, Found::Message(header.payload_type, payload));
                }
                // A message may begin within what looked like the start of one.
                Start::Foreign => {
                    let again = [message, data].concat();
                    self.partial = None;
                    return self.whole(latest, &again, sink);
                }
                Start::Part if data.is_empty() => return,
                Start::Part => continue,
            }
            self.partial = None;
        }
        self.whole(when, data, sink);
    }

    /// Gives the messages that lie whole in `data` without copying them; keeps the start of the last.
    fn whole(&mut self, when: When, mut data: &[u8], sink: &mut dyn Sink) {
        while !data.is_empty() {
            match start(data) {
                Start::Whole { header, payload, rest } => {
                    sink.found(when, Found::Message(header.payload_type, payload));
                    data = rest;
                }
                Start::Part => {
                    self.partial = Some((data.to_vec(), when));
                    return;
                }
                Start::Foreign => {
                    let next = (1..data.len()).find(|&at| {
                        data.get(at..).is_some_and(|tail| !matches!(start(tail), Start::Foreign))
                    });
                    let (foreign, rest) =
                        data.split_at_checked(next.unwrap_or(data.len())).unwrap_or_default();
                    sink.found(when, Found::Skipped(foreign.len()));
                    data = rest;
                }
            }
        }
    }

    /// Bytes are missing here: what was begun will not be completed.
    pub fn lose(&mut self, when: When, sink: &mut dyn Sink) {
        if let Some((message, _)) = self.partial.take() {
            sink.found(when, Found::Skipped(message.len()));
        }
    }

    /// The stream is over.
    pub fn finish(&mut self, sink: &mut dyn Sink) {
        if let Some((message, latest)) = self.partial.take() {
            sink.found(latest, Found::Skipped(message.len()));
        }
    }

    /// Memory in bytes of a message that is not whole yet.
    pub fn held(&self) -> usize {
        self.partial.as_ref().map_or(0, |(message, _)| message.capacity())
    }
}

/// How many bytes a message lacks, as far as its start says: first its header, then its payload.
fn missing(message: &[u8]) -> usize {
    let header = message.split_at_checked(HEADER_LEN).and_then(|(bytes, _)| Header::parse(bytes).ok());
    let payload = header.map_or(0, |header| usize::try_from(header.length).unwrap_or(usize::MAX));
    (HEADER_LEN + payload).saturating_sub(message.len())
}

/// What bytes at the border between two messages begin with.
enum Start<'a> {
    Whole { header: Header, payload: &'a [u8], rest: &'a [u8] },
    Part,
    Foreign,
}

fn start(data: &[u8]) -> Start<'_> {
    let Some((bytes, rest)) = data.split_at_checked(HEADER_LEN) else {
        return if [0x01, 0xFE].starts_with(data) || data.starts_with(&[0x01, 0xFE]) {
            Start::Part
        } else {
            Start::Foreign
        };
    };
    let Ok(header) = Header::parse(bytes) else { return Start::Foreign };
    let length = usize::try_from(header.length).unwrap_or(usize::MAX);
    let known = header.payload_type.name().is_some() || header.payload_type.is_vendor();
    if !known || length > MAX_PAYLOAD {
        return Start::Foreign;
    }
    match rest.split_at_checked(length) {
        Some((payload, rest)) => Start::Whole { header, payload, rest },
        None => Start::Part,
    }
}

/// A TLS record of handshake, alert or application data, version 3.x.
fn is_tls(data: &[u8]) -> bool {
    matches!(data, [0x15..=0x17, 3, 0..=4, ..])
}
