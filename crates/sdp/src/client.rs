use machine::{Cx, Deadline, Duration, Machine, Queue, Retry, Timers, TooShort, timers};

use crate::{ALL_NODES, Datagram, Endpoint, Error, Message, Request, Response, Security, Transport};

/// Wait after each request (ISO 15118-2, SDP response timeout of the EVCC).
pub const INTERVAL: Duration = Duration::from_millis(250);

/// Consecutive requests without a usable response before discovery ends (ISO 15118-2): 12.5 s in total.
pub const TRIES: u8 = 50;

const RETRY: Retry = Retry::new(TRIES, INTERVAL);
const EVENTS: usize = 4;

/// The car's side: repeats its request until a charger responds.
///
/// The first usable response is used. Later ones are ignored without an event, because a response may be
/// duplicated.
#[derive(Debug)]
pub struct Client {
    config: ClientConfig,
    retry: Retry,
    send: bool,
    found: Option<Response>,
    timers: Timers<Timer, 1>,
    events: Queue<ClientEvent, EVENTS>,
}

/// Security that the car supports. It requests TLS if supported, and accepts any supported response. With
/// both set a charger may downgrade it to plain TCP; set `plain: false` to prevent that.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ClientConfig {
    /// Plain TCP is possible.
    pub plain: bool,
    /// TLS is possible.
    pub tls: bool,
}

impl ClientConfig {
    const fn wish(self) -> Security {
        if self.tls { Security::TLS } else { Security::NONE }
    }

    const fn speaks(self, security: Security) -> bool {
        match security {
            Security::NONE => self.plain,
            Security::TLS => self.tls,
            _ => false,
        }
    }
}

/// Events of the client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClientEvent {
    /// A charger responded; [`Client::found`] returns the response.
    Found(Response),
    /// A datagram was not a usable response.
    Ignored {
        /// The sender.
        from: Endpoint,
        /// The reason.
        why: Unusable,
    },
    /// No usable response to [`TRIES`] requests.
    NoAnswer,
}

/// Why a datagram is not a usable response.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Unusable {
    /// It comes from an address that is not link-local unicast, or from port 0.
    #[error("the source is not a link-local address with a port")]
    Source,
    /// It is not a discovery message.
    #[error(transparent)]
    Malformed(#[from] Error),
    /// It is a request: the own one, looped back, or another car's.
    #[error("it is a request, from another car or an echo")]
    Request,
    /// It announces an address that is not link-local unicast, or port 0.
    #[error("the announced address is not link-local or the port is 0")]
    Announced(Endpoint),
    /// It announces a transport other than TCP.
    #[error("it announces transport {0:?}; only TCP is spoken")]
    Transport(Transport),
    /// It announces a security that this car does not support.
    #[error("it announces security {0:?}, which this car does not speak")]
    Security(Security),
}

impl Client {
    /// A client before its start.
    pub const fn new(config: ClientConfig) -> Self {
        Self { config, retry: RETRY, send: false, found: None, timers: Timers::new(), events: Queue::new() }
    }

    /// Begins, or begins again, to send requests.
    pub fn start(&mut self, cx: &mut Cx<'_>) {
        self.found = None;
        self.retry = RETRY;
        self.ask(cx);
    }

    /// Ends the requests.
    pub fn stop(&mut self) {
        self.send = false;
        self.timers.clear_all();
    }

    /// The response in use, since the last start.
    pub const fn found(&self) -> Option<Response> {
        self.found
    }

    /// Whether it waits for a response.
    pub fn is_asking(&self) -> bool {
        self.timers.due(Timer::Answer).is_some()
    }

    fn ask(&mut self, cx: &mut Cx<'_>) {
        if let Some(due) = self.retry.again(cx.now) {
            self.send = true;
            self.timers.set(Timer::Answer, due);
        } else {
            self.stop();
            self.events.push(ClientEvent::NoAnswer);
        }
    }

    fn judge(&self, datagram: &Datagram<'_>) -> Result<Response, Unusable> {
        if !datagram.from.is_on_link() {
            return Err(Unusable::Source);
        }
        let Message::Response(response) = Message::parse(datagram.bytes)? else {
            return Err(Unusable::Request);
        };
        let Response { address, port, security, transport } = response;
        let announced = Endpoint { address, port };
        if !announced.is_on_link() {
            return Err(Unusable::Announced(announced));
        }
        if transport != Transport::TCP {
            return Err(Unusable::Transport(transport));
        }
        self.config.speaks(security).then_some(response).ok_or(Unusable::Security(security))
    }
}

impl Machine for Client {
    type Input<'a> = Datagram<'a>;
    type Route = Endpoint;
    type Event = ClientEvent;

    fn handle(&mut self, _cx: &mut Cx<'_>, datagram: Datagram<'_>) {
        if !self.is_asking() {
            return;
        }
        let event = match self.judge(&datagram) {
            Ok(response) => {
                self.stop();
                self.found = Some(response);
                ClientEvent::Found(response)
            }
            Err(why) => ClientEvent::Ignored { from: datagram.from, why },
        };
        self.events.push(event);
    }

    fn handle_timeout(&mut self, cx: &mut Cx<'_>) {
        while let Some(Timer::Answer) = self.timers.expired(cx.now) {
            self.ask(cx);
        }
    }

    fn poll_transmit(&mut self, buffer: &mut [u8]) -> Result<Option<(usize, Endpoint)>, TooShort> {
        if !self.send {
            return Ok(None);
        }
        let request = Request { security: self.config.wish(), transport: Transport::TCP };
        let len = Message::Request(request).write(buffer)?;
        self.send = false;
        Ok(Some((len, ALL_NODES)))
    }

    fn poll_event(&mut self) -> Option<ClientEvent> {
        self.events.pop()
    }

    fn poll_timeout(&self) -> Option<Deadline> {
        self.timers.next()
    }
}

timers! {
    enum Timer {
        Answer = "sdp answer",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::MAX_LEN;
    use machine::{Instant, ScriptedEntropy};

    const PLAIN: ClientConfig = ClientConfig { plain: true, tls: false };
    const CHARGER: Endpoint =
        Endpoint { address: core::net::Ipv6Addr::new(0xFE80, 0, 0, 0, 0, 0, 0, 1), port: 15118 };
    const ANSWER: Response = Response {
        address: CHARGER.address,
        port: 15118,
        security: Security::NONE,
        transport: Transport::TCP,
    };

    fn at<T>(now: Instant, act: impl FnOnce(&mut Cx<'_>) -> T) -> T {
        act(&mut Cx { now, entropy: &mut ScriptedEntropy::new(&[]) })
    }

    fn answered(config: ClientConfig, from: Endpoint, message: Message) -> Option<ClientEvent> {
        let mut client = Client::new(config);
        at(Instant::ZERO, |cx| client.start(cx));
        give(&mut client, from, message);
        client.poll_event()
    }

    fn give(client: &mut Client, from: Endpoint, message: Message) {
        let mut bytes = [0; MAX_LEN];
        let len = message.write(&mut bytes).unwrap();
        at(Instant::from_millis(10), |cx| client.handle(cx, Datagram { from, bytes: &bytes[..len] }));
    }

    #[test]
    fn fifty_requests_go_out_250_ms_apart_and_then_it_gives_up() {
        let mut client = Client::new(PLAIN);
        at(Instant::ZERO, |cx| client.start(cx));
        let mut sent = 0;
        let mut now = Instant::ZERO;
        loop {
            let mut bytes = [0; MAX_LEN];
            while let Some((len, to)) = client.poll_transmit(&mut bytes).unwrap() {
                sent += 1;
                assert_eq!((to, &bytes[..len]), (ALL_NODES, &[1, 0xFE, 0x90, 0, 0, 0, 0, 2, 0x10, 0][..]));
            }
            let Some(due) = client.poll_timeout() else { break };
            assert_eq!(due.at.since(now), INTERVAL);
            now = due.at;
            at(now, |cx| client.handle_timeout(cx));
        }
        assert_eq!((sent, now), (50, Instant::from_millis(12_500)));
        assert_eq!(client.poll_event(), Some(ClientEvent::NoAnswer));
    }

    #[test]
    fn an_answer_from_any_port_number_but_zero_is_taken() {
        for port in [1, 15118, 65535] {
            let answer = Response { port, ..ANSWER };
            let event = answered(PLAIN, CHARGER, Message::Response(answer));
            assert_eq!(event, Some(ClientEvent::Found(answer)));
        }
        let none = Message::Response(Response { port: 0, ..ANSWER });
        let announced = Endpoint { port: 0, ..CHARGER };
        let ignored = ClientEvent::Ignored { from: CHARGER, why: Unusable::Announced(announced) };
        assert_eq!(answered(PLAIN, CHARGER, none), Some(ignored));
    }

    #[test]
    fn an_unusable_answer_is_told_and_the_client_keeps_asking() {
        let off_link = Endpoint { address: "2001:db8::1".parse().unwrap(), port: 15118 };
        let request = Request { security: Security::NONE, transport: Transport::TCP };
        let table = [
            (off_link, Message::Response(ANSWER), Unusable::Source),
            (CHARGER, Message::Request(request), Unusable::Request),
            (
                CHARGER,
                Message::Response(Response { address: off_link.address, ..ANSWER }),
                Unusable::Announced(off_link),
            ),
            (
                CHARGER,
                Message::Response(Response { transport: Transport::UDP, ..ANSWER }),
                Unusable::Transport(Transport::UDP),
            ),
        ];
        for (from, message, why) in table {
            let mut client = Client::new(PLAIN);
            at(Instant::ZERO, |cx| client.start(cx));
            give(&mut client, from, message);
            assert_eq!(client.poll_event(), Some(ClientEvent::Ignored { from, why }));
            assert!(client.is_asking());
        }
    }

    #[test]
    fn only_a_security_that_the_car_speaks_is_taken() {
        let taken = |plain, tls, security| {
            let message = Message::Response(Response { security, ..ANSWER });
            matches!(answered(ClientConfig { plain, tls }, CHARGER, message), Some(ClientEvent::Found(_)))
        };
        assert!(taken(true, false, Security::NONE) && !taken(true, false, Security::TLS));
        assert!(taken(false, true, Security::TLS) && !taken(false, true, Security::NONE));
        assert!(taken(true, true, Security::TLS) && taken(true, true, Security::NONE));
        assert!(!taken(true, true, Security(0x20)));
    }

    #[test]
    fn the_first_answer_wins_and_a_second_one_changes_nothing() {
        let mut client = Client::new(PLAIN);
        at(Instant::ZERO, |cx| client.start(cx));
        give(&mut client, CHARGER, Message::Response(ANSWER));
        give(&mut client, CHARGER, Message::Response(Response { port: 7, ..ANSWER }));
        assert_eq!(client.found(), Some(ANSWER));
        assert_eq!(client.poll_event(), Some(ClientEvent::Found(ANSWER)));
        assert_eq!((client.poll_event(), client.poll_timeout()), (None, None));
    }
}
