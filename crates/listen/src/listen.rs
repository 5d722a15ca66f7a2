//! A passive observer of Ethernet frames: matchings, connections, messages and stories.

use homeplug_mme::{Frame, NetworkKey};
use v2gtp::PayloadType;

use crate::packet::{self, Layer};
use crate::{
    Attempt, Close, Direction, Discovery, Document, Ends, Fixed, Found, GivenUp, Known, Matchings, Outlook,
    Schema, Sender, Status, Storage, Streams, Talk, When,
};

/// The link type of Ethernet.
const ETHERNET: i32 = 1;
/// Storage on a board: 4 connections, 16 kB of bytes that cannot be given yet, messages up to 8 192 bytes.
pub type BoardStorage = Fixed<Talk, 4, 64, { 8192 + v2gtp::HEADER_LEN }>;

/// An observer. It transmits nothing. `ATTEMPTS` is the number of matchings that it keeps.
pub struct Listen<S, const ATTEMPTS: usize = 4> {
    streams: Streams<S>,
    ends: Ends,
    matchings: Matchings<ATTEMPTS>,
    outlook: Outlook,
}

/// One thing seen.
#[derive(Clone, Copy, Debug)]
pub struct Event<'a> {
    /// When its last byte came.
    pub when: When,
    /// Who sent it, where that is known.
    pub direction: Option<Direction>,
    /// The connection it is of, by its number in the order of first frames, from 1 on.
    pub connection: Option<u64>,
    /// What it is.
    pub content: Content<'a>,
}

/// What was seen.
#[derive(Clone, Copy, Debug)]
pub enum Content<'a> {
    /// A management message.
    Mme(Frame<'a>),
    /// A discovery message.
    Discovery(Discovery),
    /// A message of a session.
    Message {
        /// The V2GTP payload type.
        payload_type: PayloadType,
        /// Its bytes without the V2GTP header.
        payload: &'a [u8],
        /// Its schema, where known.
        schema: Option<Schema>,
        /// How the schema is known.
        known: Known,
        /// Its name, where its schema is DIN SPEC 70121 or the handshake and it decodes.
        name: Option<&'static str>,
    },
    /// A TCP connection is opened by its sender.
    Opened,
    /// The sender closes, resets or refuses it.
    Closed(Close),
    /// This direction is encrypted.
    Encrypted,
    /// Bytes are missing in what was seen.
    Gap,
    /// This many bytes are no message.
    Skipped(usize),
    /// Nothing more comes of a connection: what is known about it.
    Over {
        /// All of it.
        talk: &'a Talk,
        /// It was evicted because its storage is needed for another one.
        is_evicted: bool,
    },
}

/// Gets what is seen.
pub type OnEvent<'e> = dyn FnMut(&Event<'_>) + 'e;

impl<S: Storage<State = Talk> + Default, const A: usize> Default for Listen<S, A> {
    fn default() -> Self {
        Self::new(S::default())
    }
}

impl<S: Storage<State = Talk>, const A: usize> Listen<S, A> {
    /// An observer that has seen nothing.
    pub fn new(storage: S) -> Self {
        Self {
            streams: Streams::new(storage),
            ends: Ends::default(),
            matchings: Matchings::default(),
            outlook: Outlook::default(),
        }
    }

    /// The latest attempts of matching.
    pub fn attempts(&self) -> &[Attempt] {
        self.matchings.attempts()
    }

    /// What was abandoned because storage is bounded.
    pub fn given_up(&self) -> GivenUp {
        self.streams.given_up()
    }

    /// What was seen so far.
    pub fn status(&self) -> Status {
        self.outlook.status()
    }

    /// What is known so far about a connection, by its number, and its first and its latest frame; `None`
    /// once it is evicted.
    pub fn talk(&mut self, connection: u64) -> Option<(&Talk, [When; 2])> {
        self.streams.state(connection)
    }

    /// When [`status`](Self::status) changes if nothing comes, in ns of the frames' clock.
    pub fn due_ns(&self) -> Option<i64> {
        self.outlook.due_ns()
    }

    /// Time passes without a frame, in ns of the frames' clock.
    pub fn pass(&mut self, time_ns: i64) {
        self.outlook.pass(time_ns);
    }

    /// Takes an Ethernet frame and when it came, in ns of any clock; `on_event` gets what it completes. Gives
    /// the network's key where the frame carries one (`CM_SLAC_MATCH.CNF`).
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

    /// Gives what is held back and the stories of all connections: nothing more comes.
    pub fn finish(&mut self, on_event: &mut OnEvent<'_>) {
        let ends = &self.ends;
        self.streams
            .finish(&mut |talk, sender, when, found| report(ends, talk, sender, when, found, on_event));
    }
}

/// Reports what a connection gave, and adds it to what is known about it.
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
