//! A passive observer of Ethernet frames: matchings, connections, messages and stories.

use exi_din::V2gMessage;
use homeplug_mme::{Frame, Mac, Slac};
use v2gtp::PayloadType;

use crate::packet::{self, Layer};
use crate::{
    Attempt, Close, Direction, Discovery, Ends, Fixed, Found, GivenUp, Known, Matchings, Schema, Sender,
    Storage, Streams, Talk, When,
};

/// The link type of Ethernet.
const ETHERNET: i32 = 1;
/// How long after a match or a request for discovery a connection must be seen. Judgement: a car has discovered after 2 s
/// and connects at once; modems restart within 6 s.
const SILENT_NS: i64 = 20_000_000_000;

/// Storage on a board: 4 connections, 16 kB of bytes that cannot be given yet, messages up to 8 192 bytes.
pub type BoardStorage = Fixed<Talk, 4, 64, { 8192 + v2gtp::HEADER_LEN }>;

/// An observer. It transmits nothing. `ATTEMPTS` is the number of matchings that it keeps.
pub struct Listen<S, const ATTEMPTS: usize = 4> {
    streams: Streams<S>,
    ends: Ends,
    matchings: Matchings<ATTEMPTS>,
    frames: u64,
    has_key: bool,
    car: Option<Mac>,
    /// Since when a connection is expected: a match or a request for discovery was seen.
    expects_since: Option<i64>,
    now_ns: Option<i64>,
    has_tcp: bool,
    /// The car's own unicast frames of a matching were seen.
    sees_unicast: bool,
}

/// What an observer has seen so far.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Status {
    /// Frames taken.
    pub frames: u64,
    /// What can be seen.
    pub sight: Sight,
    /// Whether a network's key was seen (`CM_SLAC_MATCH.CNF`); the key itself is never kept.
    pub has_key: bool,
    /// The car of the latest matching.
    pub car: Option<Mac>,
}

/// What can be seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sight {
    /// Nothing yet that a session would follow.
    Nothing,
    /// Matching or discovery; a connection may follow.
    Waiting,
    /// Only broadcasts: a car was matched or asked for a charger, and no connection was seen for 20 s. A modem forwards
    /// foreign unicast frames to no third station. Ways out: two modems back to back as a bridge, a mirror on one of the
    /// hosts, an older modem that forwards everything.
    OnlyBroadcasts,
    /// The same, but the car's unicast frames were seen while it was matched: there is no connection to be seen.
    NoConnection,
    /// Connections.
    Connections,
}

/// One thing seen.
#[derive(Clone, Copy, Debug)]
pub struct Event<'a> {
    /// When its last byte came.
    pub when: When,
    /// Who sent it, where that is known.
    pub direction: Option<Direction>,
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
        /// The connection's number in the order of first frames, from 1 on.
        connection: u64,
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
            frames: 0,
            has_key: false,
            car: None,
            expects_since: None,
            now_ns: None,
            has_tcp: false,
            sees_unicast: false,
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
        let waits = self.expects_since.zip(self.now_ns).map(|(since, now)| now.saturating_sub(since));
        let sight = match waits {
            _ if self.has_tcp => Sight::Connections,
            Some(waited) if waited > SILENT_NS && self.sees_unicast => Sight::NoConnection,
            Some(waited) if waited > SILENT_NS => Sight::OnlyBroadcasts,
            Some(_) => Sight::Waiting,
            None => Sight::Nothing,
        };
        Status { frames: self.frames, sight, has_key: self.has_key, car: self.car }
    }

    /// Takes an Ethernet frame and when it came, in ns of any clock; `on_event` gets what it completes.
    pub fn handle(&mut self, time_ns: i64, frame: &[u8], on_event: &mut OnEvent<'_>) {
        self.frames += 1;
        self.now_ns = self.now_ns.max(Some(time_ns));
        let when = When { frame: self.frames, time_ns: Some(time_ns) };
        match packet::parse(ETHERNET, frame) {
            Layer::Mme { to, from, payload } => {
                if let Ok(frame) = Frame::parse_payload(to, from, payload) {
                    self.matching(when, &frame);
                    on_event(&Event { when, direction: None, content: Content::Mme(frame) });
                }
            }
            Layer::Udp(flow, datagram) => {
                if let Some(discovery) = Discovery::parse(datagram) {
                    self.expects_since.get_or_insert(time_ns);
                    let direction = Some(self.ends.discovery(flow, discovery));
                    on_event(&Event { when, direction, content: Content::Discovery(discovery) });
                }
            }
            Layer::Tcp(flow, segment) => {
                self.has_tcp = true;
                let ends = &self.ends;
                self.streams.take(when, flow, segment, &mut |talk, sender, when, found| {
                    report(ends, talk, sender, when, found, on_event);
                });
            }
            Layer::Fragment | Layer::Other => {}
        }
    }

    /// Gives what is held back and the stories of all connections: nothing more comes.
    pub fn finish(&mut self, on_event: &mut OnEvent<'_>) {
        let ends = &self.ends;
        self.streams
            .finish(&mut |talk, sender, when, found| report(ends, talk, sender, when, found, on_event));
    }

    fn matching(&mut self, when: When, frame: &Frame<'_>) {
        self.matchings.take(when, frame);
        match Slac::parse(frame) {
            Some(Ok(Slac::AttenCharRsp { .. } | Slac::MatchReq { .. })) => self.sees_unicast = true,
            Some(Ok(Slac::MatchCnf { car, .. })) => {
                (self.has_key, self.car) = (true, Some(car));
                self.has_tcp = false;
                self.expects_since = when.time_ns;
            }
            _ => {}
        }
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
    let mut name = None;
    if let Found::Message(payload_type, payload) = found {
        let (schema, _) = talk.classify(payload_type, payload);
        name = name_of(schema, payload);
    }
    let direction = ends.direction(&mut talk.votes, sender, name.and_then(Direction::of_name));
    let content = match found {
        Found::Message(payload_type, payload) => {
            if let Some(discovery) = Discovery::of_payload(payload_type, payload) {
                Content::Discovery(discovery)
            } else {
                let (schema, known) = talk.classify(payload_type, payload);
                talk.message(when, direction, schema, payload);
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
        Found::Over { is_evicted, .. } => Content::Over { connection: sender.connection, talk, is_evicted },
    };
    on_event(&Event { when, direction, content });
}

/// The name of a message whose schema has a codec here, where it decodes.
fn name_of(schema: Option<Schema>, payload: &[u8]) -> Option<&'static str> {
    match schema? {
        Schema::Din => V2gMessage::decode(payload).ok()?.name(),
        Schema::App => Some(match exi_app::Message::decode(payload).ok()? {
            exi_app::Message::Req(_) => "supportedAppProtocolReq",
            exi_app::Message::Res(_) => "supportedAppProtocolRes",
        }),
        _ => None,
    }
}
