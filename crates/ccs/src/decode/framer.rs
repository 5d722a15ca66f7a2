//! The V2GTP messages in a byte stream.

use v2gtp::{Deframer, HEADER_LEN, Header, Item, PayloadType};

/// The longest payload taken: ISO 15118-20 certificates need the most.
pub const MAX_PAYLOAD: usize = 64 * 1024;

type LongMessage = Deframer<{ MAX_PAYLOAD + HEADER_LEN }>;

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

/// Finds V2GTP messages in a byte stream, and finds them again behind what is none.
#[derive(Default)]
pub struct Framer {
    /// A message that is not whole yet, with the bytes of it that came and the last frame they came in.
    partial: Option<(Box<LongMessage>, usize, When)>,
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
        if let Some((mut message, held, begun)) = self.partial.take() {
            let before = data.len();
            // The end may have been captured before the start: the later of the two completes it.
            let whole = when.max(begun);
            let done = match message.next(&mut data) {
                Ok(Some(item)) => {
                    tell(whole, item, sink);
                    true
                }
                Ok(None) => false,
                Err(_) => {
                    sink.found(when, Found::Skipped(held));
                    true
                }
            };
            if !done {
                self.partial = Some((message, held + before, whole));
                return;
            }
        }
        self.whole(when, data, sink);
    }

    /// Tells the messages that lie whole in `data` without copying them; keeps the start of the last.
    fn whole(&mut self, when: When, mut data: &[u8], sink: &mut dyn Sink) {
        while !data.is_empty() {
            match start(data) {
                Start::Whole { header, payload, rest } => {
                    sink.found(when, Found::Message(header.payload_type, payload));
                    data = rest;
                }
                Start::Part => {
                    let mut message = Box::<LongMessage>::default();
                    let length = data.len();
                    if !matches!(message.next(&mut data), Ok(None)) {
                        sink.found(when, Found::Skipped(length));
                        return;
                    }
                    self.partial = Some((message, length, when));
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
        if let Some((_, held, _)) = self.partial.take() {
            sink.found(when, Found::Skipped(held));
        }
    }

    /// The stream is over.
    pub fn finish(&mut self, sink: &mut dyn Sink) {
        if let Some((_, held, when)) = self.partial.take() {
            sink.found(when, Found::Skipped(held));
        }
    }
}

fn tell(when: When, item: Item<'_>, sink: &mut dyn Sink) {
    match item {
        Item::Message(message) => sink.found(when, Found::Message(message.payload_type, message.payload)),
        Item::Skipped { payload_type, .. } => sink.found(when, Found::Message(payload_type, &[])),
    }
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
