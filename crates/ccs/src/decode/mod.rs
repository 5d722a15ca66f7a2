//! From a file to the messages in it.
//!
//! [`source`] reads the file. The crate `listen` parses frames, reassembles connections, finds the V2GTP
//! messages and determines their direction and schema. [`Decoder`] combines both and adds names, values and
//! errors. Memory is bounded and does not depend on the size of the file.

pub mod link;
pub mod mme;
mod payload;
mod piece;
pub mod schema;
pub mod source;
mod start;
mod stop_button;
mod storage;
mod text;
pub mod values;

use std::fmt;

use homeplug_mme::{Frame, FrameError};
use v2gtp::PayloadType;

pub use link::{Unread, Why};
pub use listen::{Close, Direction, Discovery, Document, GivenUp, Schema};
pub use mme::Keys;
pub use schema::{Basis, Codecs};
pub use stop_button::Pressed;
pub use storage::MAX_STREAMS;
pub use text::without_keys;

use crate::recording::note;
use link::Inner;
use listen::packet::{self, Endpoint, Flow, Layer, Segment};
use listen::{Ends, Found, Sender, Streams, Talk, When};
use source::{Data, Packet};
use storage::{Heap, MAX_MESSAGE};

/// One finding in a file.
#[derive(Clone, Debug)]
pub struct Event<'a> {
    /// Number of the frame (of a capture), line (of text) or message (of raw V2GTP) that completes it, from 1
    /// on.
    pub frame: u64,
    /// Time in ns since the first frame; `None` where the file has no times.
    pub time_ns: Option<i64>,
    /// The same time by the file's own clock: ns since the Unix epoch, or since the origin of a log.
    pub clock_ns: Option<i64>,
    /// Direction of the message; `None` where it cannot be determined.
    pub direction: Option<Direction>,
    /// Whether the message's name belongs to the other direction.
    pub is_contradiction: bool,
    /// Set if the frame was captured in part, or parts of earlier frames are missing.
    pub cut: Option<Cut>,
    /// The finding itself.
    pub content: Content<'a>,
}

/// A frame that was captured in part, because the snap length is shorter than the frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cut {
    /// Bytes in the capture.
    pub captured: usize,
    /// Bytes on the wire.
    pub whole: usize,
}

/// Kinds of findings.
#[derive(Clone, Debug)]
pub enum Content<'a> {
    /// A `HomePlug` management message; its header is parsed, its body is not.
    Mme(Frame<'a>),
    /// A `HomePlug` frame that ends within its header.
    BadMme(FrameError),
    /// A discovery message (SDP).
    Sdp(Discovery),
    /// An EXI payload.
    Exi(Exi<'a>),
    /// A V2GTP message that is not EXI: its payload type, and its length in bytes.
    Other(PayloadType, usize),
    /// A stream is encrypted; reported once for each direction.
    Tls(Flow),
    /// The sender opens a TCP connection.
    Opened(Flow),
    /// The sender closes its direction of a TCP connection, or resets or refuses the connection.
    Closed(Flow, Close),
    /// A connection is over: its story.
    Over(Connection<'a>),
    /// Bytes in a stream that are not V2GTP, or belong to a message without its end.
    Skipped(usize),
    /// The capture lacks some bytes.
    Gap,
    /// A fragment of an IP packet. Fragments are not reassembled.
    Fragment,
    /// An action of the plant in one of our own recordings.
    Noted(&'a str),
    /// Number of bytes in text that are no known message.
    Unknown(usize),
    /// A log line that was sent by syslog (UDP, port 514), as pyPLC does.
    Log(&'a [u8]),
    /// A truncated message in text: bytes present, and bytes according to its header.
    CutMessage(usize, usize),
    /// A line that is not hexadecimal; with its column, from 1 on.
    BadLine(usize),
    /// A line of text that is longer than 1 MiB; it is skipped.
    LongLine,
}

/// A connection that is over. The event's frame and time are those of its latest frame.
#[derive(Clone, Copy)]
pub struct Connection<'a> {
    /// Its number in the order of first frames, from 1 on.
    pub number: u64,
    /// Its first frame; the time is in ns since the file's first frame.
    pub first: When,
    /// From the car to the charger; `None` where the sides cannot be determined.
    pub flow: Option<Flow>,
    /// State of the connection, with its story.
    pub talk: &'a Talk,
    /// The latest stop button that a log in the capture reports.
    pub pressed: Option<Pressed>,
}

impl fmt::Debug for Connection<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "connection {}", self.number)
    }
}

/// An EXI payload and its properties.
#[derive(Clone, Debug)]
pub struct Exi<'a> {
    /// Payload type of its V2GTP header.
    pub payload_type: PayloadType,
    /// The bytes.
    pub payload: &'a [u8],
    /// Its schema; `None` where it cannot be determined.
    pub schema: Option<Schema>,
    /// How the schema was determined.
    pub basis: Basis,
    /// Name of the message; `None` where its schema has no codec.
    pub message: Option<&'static str>,
    /// The decoded document; `None` where it does not decode.
    pub document: Option<&'a Document<'a>>,
    /// Number of bytes after the end of the document.
    pub trailing: usize,
    /// Why it does not decode.
    pub error: Option<Box<exi::Error>>,
}

/// Receives the findings.
pub type OnEvent<'e> = dyn FnMut(&Event<'_>) + 'e;

/// Decodes the packets of a file to messages.
pub struct Decoder {
    streams: Streams<Heap>,
    context: Context,
    /// State for lines of text.
    lines: Talk,
    /// Sequence number of the next byte of a file that is one stream.
    next: Option<u32>,
    /// Number of messages found in it.
    ordinal: u64,
    /// Number of finished sessions in lines of text.
    line_sessions: u64,
    counts: Counts,
    /// For frames whose header is rebuilt.
    buffer: Vec<u8>,
}

/// Counts of what was not decoded.
#[derive(Clone, Debug, Default)]
pub struct Counts {
    /// Frames that were not read, by kind.
    pub unread: Unread,
    /// Frames unrelated to charging: other protocols and ports.
    pub foreign_frames: u64,
    /// Frames that were captured in part.
    pub cut_frames: u64,
}

/// State shared by all streams of a file.
#[derive(Default)]
struct Context {
    first_time_ns: Option<i64>,
    ends: Ends,
    /// Set if the present frame was captured in part.
    cut: Option<Cut>,
    /// The latest frame that was captured in part.
    latest_cut: Option<Cut>,
    /// The latest stop button.
    pressed: Option<Pressed>,
}

impl Default for Decoder {
    fn default() -> Self {
        Self::new()
    }
}

impl Decoder {
    /// A decoder at the start of a file.
    pub fn new() -> Self {
        Self::with(Heap::of_file())
    }

    /// A decoder for a role's own interface: it uses less memory.
    pub fn of_role() -> Self {
        Self::with(Heap::of_role())
    }

    fn with(storage: Heap) -> Self {
        Self {
            streams: Streams::new(storage),
            context: Context::default(),
            lines: Talk::default(),
            next: None,
            ordinal: 0,
            line_sessions: 0,
            counts: Counts::default(),
            buffer: Vec::new(),
        }
    }

    /// Number of TCP connections observed.
    pub fn streams(&self) -> u64 {
        if self.next.is_some() { 0 } else { self.streams.opened() }
    }

    /// Counts of what was evicted or abandoned because memory is bounded.
    pub fn given_up(&self) -> GivenUp {
        self.streams.given_up()
    }

    /// Counts of what was not decoded.
    pub fn counts(&self) -> &Counts {
        &self.counts
    }

    /// Decodes the next packet of the file.
    pub fn take(&mut self, packet: Packet<'_>, on_event: &mut OnEvent<'_>) {
        let when = When { frame: packet.frame, time_ns: packet.time_ns };
        if self.context.first_time_ns.is_none() {
            self.context.first_time_ns = packet.time_ns;
        }
        self.context.cut = None;
        match packet.data {
            Data::Link(NOTES, frame) if let Some(words) = note::parse(frame) => {
                on_event(&self.context.event(when, None, Content::Noted(words)));
            }
            Data::Link(link_type, frame) => self.link(when, link_type, frame, on_event),
            Data::CutLink(link_type, frame, whole) => {
                let cut = Some(Cut { captured: frame.len(), whole });
                (self.context.cut, self.context.latest_cut) = (cut, cut);
                self.counts.cut_frames += 1;
                self.link(when, link_type, frame, on_event);
            }
            Data::NoInterface => *self.counts.unread.entry(Why::NoInterface).or_default() += 1,
            Data::CutMessage(is, whole) => {
                on_event(&self.context.event(when, None, Content::CutMessage(is, whole)));
            }
            Data::Line(bytes) => self.line(when, bytes, on_event),
            Data::Stream(bytes) => self.stream(when, bytes, on_event),
            Data::BadLine(column) => on_event(&self.context.event(when, None, Content::BadLine(column))),
            Data::LongLine => on_event(&self.context.event(when, None, Content::LongLine)),
        }
    }

    /// Decodes the next bytes of a file that is one stream: a connection without addresses.
    fn stream(&mut self, when: When, bytes: &[u8], on_event: &mut OnEvent<'_>) {
        let sequence = self.next.unwrap_or_default();
        let segment = Segment { sequence, acknowledged: None, syn: false, close: None, data: bytes };
        let (context, ordinal) = (&mut self.context, &mut self.ordinal);
        self.streams.take(when, NOWHERE, segment, &mut |talk, _, when, found| {
            *ordinal += 1;
            context.found(talk, None, When { frame: *ordinal, ..when }, found, on_event);
        });
        let length = u32::try_from(bytes.len()).unwrap_or(u32::MAX);
        self.next = Some(sequence.wrapping_add(length));
    }

    /// Ends the file: reports everything that still waits.
    pub fn finish(&mut self, on_event: &mut OnEvent<'_>) {
        self.end_of_lines(on_event);
        let Self { streams, context, next, ordinal, .. } = self;
        let is_stream = next.is_some();
        streams.finish(&mut |talk, sender, when, found| {
            let (sender, when) =
                if is_stream { (None, When { frame: *ordinal + 1, ..when }) } else { (Some(sender), when) };
            context.found(talk, sender, when, found, on_event);
        });
    }

    /// Ends the session in lines of text.
    fn end_of_lines(&mut self, on_event: &mut OnEvent<'_>) {
        let Self { context, lines, line_sessions, .. } = self;
        if lines.story().messages > 0 {
            *line_sessions += 1;
            // The story's times already count from the first line of the file.
            let start = context.first_time_ns.unwrap_or(0);
            let absolute =
                |when: When| When { time_ns: when.time_ns.map(|ns| ns.saturating_add(start)), ..when };
            let last = absolute(lines.story().last.unwrap_or(When::NEVER));
            let first = lines.story().first.map_or(last, absolute);
            context.over(lines, None, last, (*line_sessions, first), on_event);
            *lines = Talk::default();
        }
    }

    fn link(&mut self, when: When, link_type: i32, frame: &[u8], on_event: &mut OnEvent<'_>) {
        let mut buffer = std::mem::take(&mut self.buffer);
        link::open(link_type, frame, &mut buffer, &mut |inner| match inner {
            Inner::Link(link_type, frame) => self.frame(when, packet::parse(link_type, frame), on_event),
            Inner::Message(bytes) => self.line(when, bytes, on_event),
            Inner::Unread(why) => *self.counts.unread.entry(why).or_default() += 1,
        });
        self.buffer = buffer;
    }

    fn frame(&mut self, when: When, layer: Layer<'_>, on_event: &mut OnEvent<'_>) {
        match layer {
            Layer::Mme { to, from, payload } => {
                let (direction, content) = match Frame::parse_payload(to, from, payload) {
                    Ok(frame) => (mme::direction_of(&frame), Content::Mme(frame)),
                    Err(error) => (None, Content::BadMme(error)),
                };
                on_event(&self.context.event(when, direction, content));
            }
            Layer::Udp(flow, datagram) => {
                if let Some(sdp) = Discovery::parse(datagram) {
                    let direction = self.context.ends.discovery(flow, sdp);
                    on_event(&self.context.named(when, Some(direction), Content::Sdp(sdp)));
                } else if flow.destination.port == SYSLOG {
                    if let Some(pressed) = Pressed::of(when, datagram) {
                        self.context.pressed = Some(pressed.or_earlier(self.context.pressed));
                    }
                    on_event(&self.context.event(when, None, Content::Log(datagram)));
                } else {
                    self.counts.foreign_frames += 1;
                }
            }
            Layer::Tcp(flow, segment) => {
                let context = &mut self.context;
                self.streams.take(when, flow, segment, &mut |talk, sender, when, found| {
                    context.found(talk, Some(sender), when, found, on_event);
                });
            }
            Layer::Fragment => on_event(&self.context.event(when, None, Content::Fragment)),
            Layer::Other => self.counts.foreign_frames += 1,
        }
    }

    /// A line of text is an EXI document, V2GTP messages or an Ethernet frame; their first bytes differ.
    fn line(&mut self, when: When, bytes: &[u8], on_event: &mut OnEvent<'_>) {
        if begins_session(bytes) {
            self.end_of_lines(on_event);
        }
        let Self { context, lines: talk, .. } = self;
        match bytes {
            [0x80, ..] => {
                context.found(talk, None, when, Found::Message(PayloadType::EXI, bytes), on_event);
            }
            [0x01, 0xFE, ..] => {
                let mut sink = |when, found: Found<'_>| context.found(talk, None, when, found, on_event);
                let rest = listen::whole(when, bytes, MAX_MESSAGE, &mut sink);
                if !rest.is_empty() {
                    sink(when, Found::Skipped(rest.len()));
                }
            }
            _ => match packet::parse(start::ETHERNET, bytes) {
                Layer::Other | Layer::Fragment => {
                    on_event(&self.context.event(when, None, Content::Unknown(bytes.len())));
                }
                layer => self.frame(when, layer, on_event),
            },
        }
    }
}

/// Stands for the missing addresses of a file that is one stream.
const NOWHERE: Flow = {
    let end = Endpoint { address: std::net::Ipv6Addr::UNSPECIFIED, port: 0 };
    Flow { source: end, destination: end }
};

/// Link type of the notes in our own recordings.
const NOTES: i32 = 147;
/// UDP port of syslog.
const SYSLOG: u16 = 514;

/// Whether a message is the first of a session: the car's supportedAppProtocolReq.
fn begins_session(bytes: &[u8]) -> bool {
    let payload = if bytes.starts_with(&[0x01, 0xFE]) { bytes.get(v2gtp::HEADER_LEN..) } else { Some(bytes) };
    payload.is_some_and(|payload| matches!(exi_app::Message::decode(payload), Ok(exi_app::Message::Req(_))))
}

impl Context {
    fn event<'a>(&self, when: When, direction: Option<Direction>, content: Content<'a>) -> Event<'a> {
        let time_ns = self.since_first(when.time_ns);
        let cut = match content {
            Content::Mme(_) | Content::BadMme(_) => self.cut,
            Content::Gap => self.latest_cut,
            _ => None,
        };
        Event {
            frame: when.frame,
            time_ns,
            clock_ns: when.time_ns,
            direction,
            is_contradiction: false,
            cut,
            content,
        }
    }

    /// An event of a message whose name also implies a direction.
    fn named<'a>(&self, when: When, direction: Option<Direction>, content: Content<'a>) -> Event<'a> {
        let named = named(&content);
        let is_contradiction = direction.zip(named).is_some_and(|(direction, named)| direction != named);
        Event { is_contradiction, ..self.event(when, direction, content) }
    }

    fn found(
        &mut self,
        talk: &mut Talk,
        sender: Option<Sender>,
        when: When,
        found: Found<'_>,
        on_event: &mut OnEvent<'_>,
    ) {
        let mut document = None;
        let content = match found {
            Found::Over { first, .. } => {
                let number = sender.map_or(1, |sender| sender.connection);
                return self.over(talk, sender, when, (number, first), on_event);
            }
            Found::Message(payload_type, payload) => match Discovery::of_payload(payload_type, payload) {
                Some(sdp) => Content::Sdp(sdp),
                None if is_exi(payload_type) => {
                    Content::Exi(payload::describe(talk, payload_type, payload, &mut document))
                }
                None => Content::Other(payload_type, payload.len()),
            },
            Found::Tls | Found::Opened | Found::Closed(_) => match (sender, found) {
                (Some(sender), Found::Opened) => Content::Opened(sender.flow),
                (Some(sender), Found::Closed(close)) => Content::Closed(sender.flow, close),
                (Some(sender), _) => Content::Tls(sender.flow),
                (None, _) => return,
            },
            Found::Skipped(count) => Content::Skipped(count),
            Found::Gap => Content::Gap,
        };
        let named = named(&content);
        let direction = match sender {
            Some(sender) => self.ends.direction(&mut talk.votes, sender, named),
            None => named,
        };
        let event = self.named(when, direction, content);
        tell(talk, &event);
        on_event(&event);
    }

    fn over(
        &self,
        talk: &mut Talk,
        sender: Option<Sender>,
        when: When,
        (number, first): (u64, When),
        on_event: &mut OnEvent<'_>,
    ) {
        let direction = sender.and_then(|sender| self.ends.direction(&mut talk.votes, sender, None));
        let flow = sender.zip(direction).map(|(Sender { flow, .. }, direction)| match direction {
            Direction::ToEvse => flow,
            Direction::ToPev => Flow { source: flow.destination, destination: flow.source },
        });
        let first = When { time_ns: self.since_first(first.time_ns), ..first };
        on_event(&self.event(
            when,
            None,
            Content::Over(Connection { number, first, flow, talk, pressed: self.pressed }),
        ));
    }

    /// `None` if the times of a damaged file are too far apart to be counted.
    fn since_first(&self, time_ns: Option<i64>) -> Option<i64> {
        let time_ns = time_ns?;
        time_ns.checked_sub(self.first_time_ns.unwrap_or(time_ns))
    }
}

/// The direction that the name of a message implies.
fn named(content: &Content<'_>) -> Option<Direction> {
    match content {
        Content::Exi(exi) => exi.message.and_then(Direction::of_name),
        Content::Sdp(sdp) => Some(sdp.direction()),
        _ => None,
    }
}

/// Adds an event of a connection to its state; the story's times count from the file's first frame.
fn tell(talk: &mut Talk, event: &Event<'_>) {
    let when = When { frame: event.frame, time_ns: event.time_ns };
    match (&event.content, event.direction) {
        (Content::Exi(exi), direction) => talk.message(when, direction, exi.schema, exi.document),
        (Content::Closed(_, close), Some(sender)) => talk.closed(when, sender, *close),
        (Content::Tls(_), _) => talk.encrypted(),
        _ => {}
    }
}

/// Whether a payload type carries EXI.
fn is_exi(payload_type: PayloadType) -> bool {
    (0x8001..=0x8FFF).contains(&payload_type.0)
}
