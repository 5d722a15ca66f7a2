use core::net::Ipv6Addr;

use machine::{Cx, Deadline, Duration, Instant, Machine, Queue, Timers, TooShort, timers};

use crate::{Datagram, Endpoint, Error, Message, Request, Response, Security, Transport};

/// Maximum number of responses in one second; further requests are ignored.
///
/// Judgement: a car sends a request every 250 ms, so this is enough for two cars and bounds the cost of a
/// flood.
pub const ANSWERS_PER_SECOND: u8 = 10;

const ANSWERS: usize = 2;
const EVENTS: usize = 4;
const SECOND: Duration = Duration::from_secs(1);

/// The charger's side: responds to requests while it is started.
///
/// Every request, also a repeated one, receives a response with the same port: the response depends only on
/// the request and the [`Offer`]. A datagram without a response is reported as an event: see [`Unanswered`].
#[derive(Debug)]
pub struct Server {
    offer: Offer,
    running: bool,
    timers: Timers<Timer, 1>,
    window: Window,
    answers: Queue<Answer, ANSWERS>,
    events: Queue<ServerEvent, EVENTS>,
}

/// The endpoints of the charger. Without a port there is no response.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Offer {
    /// The charger's link-local address.
    pub address: Ipv6Addr,
    /// TCP port of plain connections; `None` without them.
    pub plain: Option<u16>,
    /// TCP port of TLS connections; `None` without them.
    pub tls: Option<u16>,
}

impl Offer {
    /// Security and port for a car that requests `wish`; `None` for no response.
    ///
    /// | requested | plain only | TLS only | both |
    /// |---|---|---|---|
    /// | plain | plain | TLS | plain |
    /// | TLS | plain | TLS | TLS |
    /// | anything else | - | - | - |
    ///
    /// As `EVerest` in `EvseV2G`, and as test case `SDP_007` of ISO 15118-4 requires for a request of TLS to
    /// a station without it.
    pub fn choose(&self, wish: Security) -> Option<(Security, u16)> {
        let plain = self.plain.map(|port| (Security::NONE, port));
        let tls = self.tls.map(|port| (Security::TLS, port));
        match wish {
            Security::NONE => plain.or(tls),
            Security::TLS => tls.or(plain),
            _ => None,
        }
    }
}

/// Events of the server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ServerEvent {
    /// A request receives a response.
    Answered {
        /// The sender of the request.
        from: Endpoint,
        /// The requested security.
        asked: Security,
        /// The announced security.
        given: Security,
    },
    /// A datagram receives no response.
    Unanswered {
        /// The sender.
        from: Endpoint,
        /// The reason.
        why: Unanswered,
    },
    /// The time limit of [`Server::start`] is over: no more responses.
    Expired,
}

/// Why a datagram receives no response.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Unanswered {
    /// The server is not started or its time is over.
    #[error("discovery is not open")]
    Stopped,
    /// It comes from an address that is not link-local unicast, or from port 0.
    #[error("the source is not a link-local address with a port")]
    Source,
    /// It is not a discovery message.
    #[error(transparent)]
    Malformed(#[from] Error),
    /// It is a response: the own one, looped back, or another charger's.
    #[error("it is a response, from another charger or an echo")]
    Response,
    /// It requests a transport other than TCP.
    #[error("it asks for transport {0:?}; only TCP is served")]
    Transport(Transport),
    /// It requests an unknown security, or the charger has no port.
    #[error("it asks for security {0:?}, which is not served")]
    Security(Security),
    /// Too many requests: [`ANSWERS_PER_SECOND`].
    #[error("too many requests in one second")]
    TooMany,
}

impl Server {
    /// A stopped server.
    pub const fn new(offer: Offer) -> Self {
        Self {
            offer,
            running: false,
            timers: Timers::new(),
            window: Window { since: Instant::ZERO, answered: 0 },
            answers: Queue::new(),
            events: Queue::new(),
        }
    }

    /// Begins to respond, until `until` if given (18 s after the link is established without a TCP
    /// connection, ISO 15118-2 `V2G_SECC_CommunicationSetup_Timeout`), else until [`stop`](Self::stop).
    pub fn start(&mut self, until: Option<Instant>) {
        self.running = true;
        self.timers.clear_all();
        if let Some(at) = until {
            self.timers.set(Timer::Open, at);
        }
    }

    /// Ends the responses; queued ones are dropped.
    pub fn stop(&mut self) {
        self.running = false;
        self.timers.clear_all();
        self.answers.clear();
    }

    /// Changes the charger's address in later responses.
    pub const fn move_to(&mut self, address: Ipv6Addr) {
        self.offer.address = address;
    }

    /// Whether requests receive responses.
    pub const fn is_running(&self) -> bool {
        self.running
    }

    fn judge(&mut self, now: Instant, datagram: &Datagram<'_>) -> Result<(Security, Answer), Unanswered> {
        if !self.running || self.timers.due(Timer::Open).is_some_and(|end| end <= now) {
            return Err(Unanswered::Stopped);
        }
        if !datagram.from.is_on_link() {
            return Err(Unanswered::Source);
        }
        let Message::Request(Request { security: asked, transport }) = Message::parse(datagram.bytes)? else {
            return Err(Unanswered::Response);
        };
        if transport != Transport::TCP {
            return Err(Unanswered::Transport(transport));
        }
        let (security, port) = self.offer.choose(asked).ok_or(Unanswered::Security(asked))?;
        if self.answers.is_full() || !self.window.admits(now) {
            return Err(Unanswered::TooMany);
        }
        Ok((asked, Answer { to: datagram.from, security, port }))
    }
}

impl Machine for Server {
    type Input<'a> = Datagram<'a>;
    type Route = Endpoint;
    type Event = ServerEvent;

    fn handle(&mut self, cx: &mut Cx<'_>, datagram: Datagram<'_>) {
        let from = datagram.from;
        let event = match self.judge(cx.now, &datagram) {
            Ok((asked, answer)) => {
                self.answers.push(answer);
                ServerEvent::Answered { from, asked, given: answer.security }
            }
            Err(why) => ServerEvent::Unanswered { from, why },
        };
        self.events.push(event);
    }

    fn handle_timeout(&mut self, cx: &mut Cx<'_>) {
        while let Some(Timer::Open) = self.timers.expired(cx.now) {
            self.stop();
            self.events.push(ServerEvent::Expired);
        }
    }

    fn poll_transmit(&mut self, buffer: &mut [u8]) -> Result<Option<(usize, Endpoint)>, TooShort> {
        let Some(&Answer { to, security, port }) = self.answers.peek() else { return Ok(None) };
        let address = self.offer.address;
        let response = Response { address, port, security, transport: Transport::TCP };
        let len = Message::Response(response).write(buffer)?;
        self.answers.pop();
        Ok(Some((len, to)))
    }

    fn poll_event(&mut self) -> Option<ServerEvent> {
        self.events.pop()
    }

    fn poll_timeout(&self) -> Option<Deadline> {
        self.timers.next()
    }
}

#[derive(Clone, Copy, Debug)]
struct Answer {
    to: Endpoint,
    security: Security,
    port: u16,
}

timers! {
    enum Timer {
        Open = "sdp open",
    }
}

/// Counts responses in windows of one second.
#[derive(Debug)]
struct Window {
    since: Instant,
    answered: u8,
}

impl Window {
    fn admits(&mut self, now: Instant) -> bool {
        if now >= self.since + SECOND {
            *self = Self { since: now, answered: 0 };
        }
        self.answered = self.answered.saturating_add(1);
        self.answered <= ANSWERS_PER_SECOND
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::MAX_LEN;
    use machine::ScriptedEntropy;

    const PLAIN: u16 = 51118;
    const TLS: u16 = 51119;
    const HERE: Ipv6Addr = Ipv6Addr::new(0xFE80, 0, 0, 0, 0, 0, 0, 1);
    const CAR: Endpoint = Endpoint { address: Ipv6Addr::new(0xFE80, 0, 0, 0, 0, 0, 0, 2), port: 50032 };

    fn server(plain: Option<u16>, tls: Option<u16>) -> Server {
        let mut server = Server::new(Offer { address: HERE, plain, tls });
        server.start(None);
        server
    }

    fn datagram(message: Message) -> ([u8; MAX_LEN], usize) {
        let mut bytes = [0; MAX_LEN];
        let len = message.write(&mut bytes).unwrap();
        (bytes, len)
    }

    fn request(security: Security, transport: Transport) -> Message {
        Message::Request(Request { security, transport })
    }

    /// The response to `message` from `from` at `now`, or why there is none.
    fn ask(
        server: &mut Server,
        now: Instant,
        from: Endpoint,
        message: Message,
    ) -> Result<Response, Unanswered> {
        let (bytes, len) = datagram(message);
        let mut entropy = ScriptedEntropy::new(&[]);
        server.handle(&mut Cx { now, entropy: &mut entropy }, Datagram { from, bytes: &bytes[..len] });
        let mut out = [0; MAX_LEN];
        let sent = server.poll_transmit(&mut out).unwrap();
        match server.poll_event() {
            Some(ServerEvent::Unanswered { why, .. }) => {
                assert_eq!(sent, None);
                Err(why)
            }
            Some(ServerEvent::Answered { .. }) => {
                let (len, to) = sent.unwrap();
                assert_eq!(to, from);
                let Ok(Message::Response(response)) = Message::parse(&out[..len]) else {
                    panic!("no response")
                };
                assert_eq!((response.address, response.transport), (HERE, Transport::TCP));
                Ok(response)
            }
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn the_security_answered_follows_the_policy_table() {
        let none = Ok((Security::NONE, PLAIN));
        let tls = Ok((Security::TLS, TLS));
        let table = [
            (Security::NONE, Some(PLAIN), None, none),
            (Security::NONE, None, Some(TLS), tls),
            (Security::NONE, Some(PLAIN), Some(TLS), none),
            (Security::TLS, Some(PLAIN), None, none),
            (Security::TLS, None, Some(TLS), tls),
            (Security::TLS, Some(PLAIN), Some(TLS), tls),
            (Security(0x01), Some(PLAIN), Some(TLS), Err(Unanswered::Security(Security(0x01)))),
            (Security::TLS, None, None, Err(Unanswered::Security(Security::TLS))),
        ];
        for (wish, plain, tls, expected) in table {
            let answer = ask(&mut server(plain, tls), Instant::ZERO, CAR, request(wish, Transport::TCP));
            assert_eq!(answer.map(|r| (r.security, r.port)), expected, "{wish:?} {plain:?} {tls:?}");
        }
    }

    #[test]
    fn only_a_request_for_tcp_from_a_link_local_unicast_source_is_answered() {
        let wish = request(Security::NONE, Transport::TCP);
        let from = |text: &str, port| Endpoint { address: text.parse().unwrap(), port };
        for foreign in [from("ff02::1", 1), from("::", 1), from("2001:db8::1", 1), from("fe80::2", 0)] {
            let answer = ask(&mut server(Some(PLAIN), None), Instant::ZERO, foreign, wish);
            assert_eq!(answer, Err(Unanswered::Source), "{foreign:?}");
        }
        let mut server = server(Some(PLAIN), None);
        let udp = request(Security::NONE, Transport::UDP);
        let answer = ask(&mut server, Instant::ZERO, CAR, udp);
        assert_eq!(answer, Err(Unanswered::Transport(Transport::UDP)));
        let (security, transport) = (Security::NONE, Transport::TCP);
        let echo = Message::Response(Response { address: HERE, port: 1, security, transport });
        assert_eq!(ask(&mut server, Instant::ZERO, CAR, echo), Err(Unanswered::Response));
    }

    #[test]
    fn a_repeated_request_gets_the_same_answer() {
        let mut server = server(Some(PLAIN), None);
        let wish = request(Security::NONE, Transport::TCP);
        let first = ask(&mut server, Instant::ZERO, CAR, wish).unwrap();
        assert_eq!(ask(&mut server, Instant::from_millis(250), CAR, wish), Ok(first));
    }

    #[test]
    fn a_flood_is_answered_ten_times_a_second_and_the_next_second_again() {
        let mut server = server(Some(PLAIN), None);
        let wish = request(Security::NONE, Transport::TCP);
        let mut answered = 0;
        for millis in 0..500 {
            let answer = ask(&mut server, Instant::from_millis(5000 + millis), CAR, wish);
            answered += u8::from(answer.is_ok());
        }
        assert_eq!(answered, ANSWERS_PER_SECOND);
        assert!(ask(&mut server, Instant::from_millis(6000), CAR, wish).is_ok());
    }

    #[test]
    fn nothing_is_answered_before_the_start_after_the_stop_or_after_the_deadline() {
        let wish = request(Security::NONE, Transport::TCP);
        let mut server = Server::new(Offer { address: HERE, plain: Some(PLAIN), tls: None });
        assert_eq!(ask(&mut server, Instant::ZERO, CAR, wish), Err(Unanswered::Stopped));

        let end = Instant::from_millis(18_000);
        server.start(Some(end));
        assert!(ask(&mut server, Instant::from_millis(17_999), CAR, wish).is_ok());
        assert_eq!(server.poll_timeout().map(|d| d.at), Some(end));
        assert_eq!(ask(&mut server, end, CAR, wish), Err(Unanswered::Stopped), "late timeout call");
        let mut entropy = ScriptedEntropy::new(&[]);
        server.handle_timeout(&mut Cx { now: end, entropy: &mut entropy });
        assert_eq!((server.poll_event(), server.poll_timeout()), (Some(ServerEvent::Expired), None));
        assert!(!server.is_running());

        server.start(None);
        server.stop();
        assert_eq!(ask(&mut server, end, CAR, wish), Err(Unanswered::Stopped));
    }
}
