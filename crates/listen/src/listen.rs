//! A passive observer of Ethernet frames: reports matchings, connections, messages and stories.

use homeplug_mme::{Frame, NetworkKey};
use v2gtp::PayloadType;

use crate::packet::{self, Layer};
use crate::{
    Attempt, Close, Direction, Discovery, Document, Ends, Fixed, Found, GivenUp, Known, Matchings, Outlook,
    Schema, Sender, Status, Storage, Streams, Talk, When,
};

/// The pcap link type of Ethernet (`LINKTYPE_ETHERNET`).
const ETHERNET: i32 = 1;
/// Storage for a microcontroller: 4 connections, 16 kB for bytes that cannot be delivered yet, messages of up
/// to 8 192 bytes.
pub type BoardStorage = Fixed<Talk, 4, 64, { 8192 + v2gtp::HEADER_LEN }>;

/// An observer. It transmits nothing. `ATTEMPTS` is the number of matching attempts that it keeps.
pub struct Listen<S, const ATTEMPTS: usize = 4> {
    streams: Streams<S>,
    ends: Ends,
    matchings: Matchings<ATTEMPTS>,
    outlook: Outlook,
}

/// One observation.
#[derive(Clone, Copy, Debug)]
pub struct Event<'a> {
    /// Number and time of the frame that has its last byte.
    pub when: When,
    /// Direction of the message; `None` where it cannot be determined.
    pub direction: Option<Direction>,
    /// Number of its connection, in the order of first frames, from 1 on; `None` outside a TCP connection.
    pub connection: Option<u64>,
    /// The observation itself.
    pub content: Content<'a>,
}

/// Kinds of observations.
#[derive(Clone, Copy, Debug)]
pub enum Content<'a> {
    /// A management message (MME) of the power line.
    Mme(Frame<'a>),
    /// A message of the SECC Discovery Protocol.
    Discovery(Discovery),
    /// A V2GTP message of a session.
    Message {
        /// Payload type of the V2GTP header.
        payload_type: PayloadType,
        /// Payload, without the V2GTP header.
        payload: &'a [u8],
        /// Schema of the payload; `None` where it cannot be determined.
        schema: Option<Schema>,
        /// How the schema was determined.
        known: Known,
        /// Message name; `None` where this project has no codec for the schema, or the payload does not
        /// decode.
        name: Option<&'static str>,
    },
    /// The sender opens a TCP connection.
    Opened,
    /// The sender closes, resets or refuses the connection.
    Closed(Close),
    /// The direction is encrypted (TLS).
    Encrypted,
    /// The observer did not receive some bytes.
    Gap,
    /// This many bytes belong to no message.
    Skipped(usize),
    /// The connection is over: no event of it follows.
    Over {
        /// Everything that was observed of the connection.
        talk: &'a Talk,
        /// The connection was evicted because another one needs its storage.
        is_evicted: bool,
    },
}

/// Receives the observations.
pub type OnEvent<'e> = dyn FnMut(&Event<'_>) + 'e;

impl<S: Storage<State = Talk> + Default, const A: usize> Default for Listen<S, A> {
    fn default() -> Self {
        Self::new(S::default())
    }
}

impl<S: Storage<State = Talk>, const A: usize> Listen<S, A> {
    /// An observer before the first frame.
    pub fn new(storage: S) -> Self {
        Self {
            streams: Streams::new(storage),
            ends: Ends::default(),
            matchings: Matchings::default(),
            outlook: Outlook::default(),
        }
    }

    /// The latest matching attempts, oldest first.
    pub fn attempts(&self) -> &[Attempt] {
        self.matchings.attempts()
    }

    /// What was evicted or abandoned because storage is bounded.
    pub fn given_up(&self) -> GivenUp {
        self.streams.given_up()
    }

    /// A summary of the observations so far.
    pub fn status(&self) -> Status {
        self.outlook.status()
    }

    /// The state of a connection by its number, with its first and its latest frame; `None` after its
    /// eviction.
    pub fn talk(&mut self, connection: u64) -> Option<(&Talk, [When; 2])> {
        self.streams.state(connection)
    }

    /// When [`status`](Self::status) changes without a further frame, in ns of the frames' clock.
    pub fn due_ns(&self) -> Option<i64> {
        self.outlook.due_ns()
    }

    /// Advances the time without a frame; in ns of the frames' clock.
    pub fn pass(&mut self, time_ns: i64) {
        self.outlook.pass(time_ns);
    }

    /// Handles one Ethernet frame. `time_ns` is its time of arrival, of any clock that does not change.
    /// `on_event` receives the completed observations. Returns the network key if the frame contains one
    /// (`CM_SLAC_MATCH.CNF`).
    pub fn handle(&mut self, time_ns: i64, frame: &[u8], on_event: &mut OnEvent<'_>) -> Option<NetworkKey> {
        let layer = packet::parse(ETHERNET, frame);
        let key = self.outlook.take(time_ns, &layer);
        let when = When { frame: self.outlook.status().frames, time_ns: Some(time_ns) };
        match layer {
            Layer::Mme { to, from, payload } => {
                if let Ok(frame) = Frame::parse_payload(to, from, payload) {
                    self.matchings.take(when, &frame);
                    on_event(&Event {
                        when,
                        direction: None,
                        connection: None,
                        content: Content::Mme(frame),
                    });
                }
            }
            Layer::Udp(flow, datagram) => {
                if let Some(discovery) = Discovery::parse(datagram) {
                    let direction = Some(self.ends.discovery(flow, discovery));
                    let content = Content::Discovery(discovery);
                    on_event(&Event { when, direction, connection: None, content });
                }
            }
            Layer::Tcp(flow, segment) => {
                let ends = &self.ends;
                self.streams.take(when, flow, segment, &mut |talk, sender, when, found| {
                    report(ends, talk, sender, when, found, on_event);
                });
            }
            Layer::Fragment | Layer::Other => {}
        }
        key
    }

    /// Ends the observation: reports the bytes that still wait, and the stories of all connections.
    pub fn finish(&mut self, on_event: &mut OnEvent<'_>) {
        let ends = &self.ends;
        self.streams
            .finish(&mut |talk, sender, when, found| report(ends, talk, sender, when, found, on_event));
    }
}

/// Reports a finding of a connection and adds it to the connection's state.
fn report(
    ends: &Ends,
    talk: &mut Talk,
    sender: Sender,
    when: When,
    found: Found<'_>,
    on_event: &mut OnEvent<'_>,
) {
    let (mut schema, mut known, mut document) = (None, Known::Guess, None);
    if let Found::Message(payload_type, payload) = found {
        (schema, known) = talk.classify(payload_type, payload);
        let decoded = schema.and_then(|schema| Document::decode(schema, payload));
        document = decoded.and_then(Result::ok).map(|(document, _)| document);
    }
    let name = document.as_ref().and_then(Document::name);
    let direction = ends.direction(&mut talk.votes, sender, name.and_then(Direction::of_name));
    let content = match found {
        Found::Message(payload_type, payload) => {
            if let Some(discovery) = Discovery::of_payload(payload_type, payload) {
                Content::Discovery(discovery)
            } else {
                talk.message(when, direction, schema, document.as_ref());
                Content::Message { payload_type, payload, schema, known, name }
            }
        }
        Found::Tls => {
            talk.encrypted();
            Content::Encrypted
        }
        Found::Opened => Content::Opened,
        Found::Closed(close) => {
            if let Some(direction) = direction {
                talk.closed(when, direction, close);
            }
            Content::Closed(close)
        }
        Found::Skipped(count) => Content::Skipped(count),
        Found::Gap => Content::Gap,
        Found::Over { is_evicted, .. } => Content::Over { talk, is_evicted },
    };
    on_event(&Event { when, direction, connection: Some(sender.connection), content });
}
