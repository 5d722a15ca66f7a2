use machine::{Cx, Instant, Machine};
use session::{Closed, Direction};
use v2gtp::{Deframer, HEADER_LEN, Header, Item, PayloadType};

use crate::channel::{Broken, Channel};
use crate::net::{Ended, Station, TcpState};
use crate::watch::Watch;

/// The session of either side, as a stream uses it: messages with their payload types in and out, and the
/// state of the connection.
pub(crate) trait Session: Machine<Route = u16> {
    /// A connection is open.
    const CONNECTED: Self::Input<'static>;
    /// The link below it is lost.
    const LINK_LOST: Self::Input<'static>;
    /// The connection has ended.
    fn closed(closed: Closed) -> Self::Input<'static>;
    /// A message was received.
    fn message(payload_type: u16, payload: &[u8]) -> Self::Input<'_>;
    /// Whether it requires the connection to be closed.
    fn wants_close(&self) -> bool;
}

/// An event of a stream about its connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Told {
    /// A message with an unknown payload type was skipped.
    Skipped(PayloadType),
    /// The peer's bytes are invalid.
    Broken(StreamError),
    /// The connection has ended.
    Disconnected(Closed),
}

/// How a connection continues.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Next {
    /// Unchanged.
    On,
    /// It is open and must end soon: the session requires that, and bytes are still to be sent.
    Ending,
    /// This side is closed: it must end soon.
    Closing,
    /// It has ended.
    Gone,
}

impl Session for evse_fsm::Charger {
    const CONNECTED: evse_fsm::Input<'static> = evse_fsm::Input::Connected;
    const LINK_LOST: evse_fsm::Input<'static> = evse_fsm::Input::LinkLost;
    fn closed(closed: Closed) -> evse_fsm::Input<'static> {
        evse_fsm::Input::Closed(closed)
    }
    fn message(payload_type: u16, payload: &[u8]) -> evse_fsm::Input<'_> {
        evse_fsm::Input::Message { payload_type, payload }
    }
    fn wants_close(&self) -> bool {
        Self::wants_close(self)
    }
}

impl Session for pev_fsm::Car {
    const CONNECTED: pev_fsm::Input<'static> = pev_fsm::Input::Connected;
    const LINK_LOST: pev_fsm::Input<'static> = pev_fsm::Input::LinkLost;
    fn closed(closed: Closed) -> pev_fsm::Input<'static> {
        pev_fsm::Input::Closed(closed)
    }
    fn message(payload_type: u16, payload: &[u8]) -> pev_fsm::Input<'_> {
        pev_fsm::Input::Message { payload_type, payload }
    }
    fn wants_close(&self) -> bool {
        Self::wants_close(self)
    }
}

/// The bytes of one connection: received ones through the channel to V2GTP messages, and responses back.
pub(crate) struct Stream<'a, C, const N: usize> {
    /// The channel of the present connection.
    pub(crate) channel: Option<C>,
    /// Whether a connection was reported to the session, and its end was not.
    is_connected: bool,
    deframer: &'a mut Deframer<N>,
    out: &'a mut [u8; N],
    /// Number of bytes of `out` that hold messages, and how many of them the channel has consumed.
    filled: usize,
    taken: usize,
    /// The observer of messages.
    pub(crate) watch: Option<&'a dyn Watch>,
}

/// Why a stream was closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum StreamError {
    /// A V2GTP header is invalid, or its message too long.
    #[error(transparent)]
    Frame(#[from] v2gtp::Error),
    /// The channel has failed.
    #[error(transparent)]
    Channel(#[from] Broken),
}

impl<'a, C: Channel, const N: usize> Stream<'a, C, N> {
    pub(crate) fn new(deframer: &'a mut Deframer<N>, out: &'a mut [u8; N]) -> Self {
        deframer.reset();
        Self { channel: None, is_connected: false, deframer, out, filled: 0, taken: 0, watch: None }
    }

    /// Whether a connection was reported to the session, and its end was not.
    pub(crate) fn is_connected(&self) -> bool {
        self.is_connected
    }

    /// A new connection is open, through `channel`.
    pub(crate) fn connect<S: Session>(&mut self, cx: &mut Cx<'_>, session: &mut S, channel: C) {
        self.reset();
        self.channel = Some(channel);
        self.is_connected = true;
        session.handle(cx, S::CONNECTED);
    }

    /// The connection has ended: reports it to the session, once.
    pub(crate) fn disconnect<S: Session>(
        &mut self,
        cx: &mut Cx<'_>,
        session: &mut S,
        closed: Closed,
        mut tell: impl FnMut(Told),
    ) {
        if core::mem::take(&mut self.is_connected) {
            tell(Told::Disconnected(closed));
            session.handle(cx, S::closed(closed));
        }
    }

    /// The link below is lost, and the connection with it. Returns whether a connection was open.
    pub(crate) fn lose<S: Session>(
        &mut self,
        cx: &mut Cx<'_>,
        session: &mut S,
        mut tell: impl FnMut(Told),
    ) -> bool {
        let was_connected = core::mem::take(&mut self.is_connected);
        if was_connected {
            tell(Told::Disconnected(Closed::Timeout));
            session.handle(cx, S::LINK_LOST);
        }
        was_connected
    }

    /// Drops the connection.
    pub(crate) fn reset(&mut self) {
        self.channel = None;
        self.deframer.reset();
        (self.filled, self.taken) = (0, 0);
    }

    /// Whether responses wait that the connection has not accepted yet.
    fn is_sending(&self) -> bool {
        self.taken < self.filled
    }

    /// Transfers messages through an open connection, and closes it where either side requires that.
    pub(crate) fn flow(
        &mut self,
        cx: &mut Cx<'_>,
        station: &mut Station<'_>,
        session: &mut impl Session,
        mut tell: impl FnMut(Told),
    ) -> Next {
        let pumped = self.pump(cx, station, session, |payload_type| tell(Told::Skipped(payload_type)));
        let (ended, next) = match (pumped, station.tcp_state()) {
            (Err(error), _) => {
                tell(Told::Broken(error));
                // Not a normal end: reported to the session as a reset.
                (Some(Closed::Rst), Next::Closing)
            }
            _ if self.channel.as_ref().is_some_and(Channel::is_closed) => (Some(Closed::Fin), Next::Closing),
            _ if session.wants_close() && !self.is_sending() => (None, Next::Closing),
            (_, TcpState::Gone) if station.ended() == Some(Ended::Timeout) => {
                (Some(Closed::Timeout), Next::Gone)
            }
            (_, TcpState::Gone) => (Some(Closed::Rst), Next::Gone),
            (_, TcpState::PeerClosed) if !station.has_bytes() => (Some(Closed::Fin), Next::Closing),
            _ if session.wants_close() => (None, Next::Ending),
            _ => (None, Next::On),
        };
        if let Some(closed) = ended {
            self.disconnect(cx, session, closed, tell);
        }
        if next == Next::Closing {
            self.close(station);
        }
        next
    }

    /// Decodes received bytes and passes each message to `session`; responses are sent in between.
    fn pump(
        &mut self,
        cx: &mut Cx<'_>,
        station: &mut Station<'_>,
        session: &mut impl Session,
        mut skipped: impl FnMut(PayloadType),
    ) -> Result<(), StreamError> {
        self.answer(cx.now, station, session);
        // Responses that wait to be sent slow the peer down: no more bytes are read until it has accepted
        // them.
        while !self.is_sending() && station.has_bytes() {
            let read = station.read(|wire| (wire.len(), self.messages(cx, wire, session, &mut skipped)));
            self.answer(cx.now, station, session);
            read.unwrap_or(Ok(()))?;
        }
        Ok(())
    }

    /// Fetches the session's responses and passes them to the connection.
    fn answer(&mut self, now: Instant, station: &mut Station<'_>, session: &mut impl Session) {
        self.encode(now, session);
        self.flush(station);
    }

    /// Closes the channel and this side of the connection.
    fn close(&mut self, station: &mut Station<'_>) {
        if let Some(channel) = &mut self.channel {
            channel.close();
        }
        self.flush(station);
        station.close();
    }

    fn flush(&mut self, station: &mut Station<'_>) {
        let Some(channel) = &mut self.channel else { return };
        loop {
            let rest = self.out.get(self.taken..self.filled).unwrap_or_default();
            let written = station.write(|wire| {
                let written = channel.write(rest, wire);
                (written.wire, written)
            });
            let written = written.unwrap_or_default();
            self.taken += written.plain;
            if written.wire == 0 {
                break;
            }
        }
    }

    fn messages<S: Session>(
        &mut self,
        cx: &mut Cx<'_>,
        mut wire: &[u8],
        session: &mut S,
        skipped: &mut impl FnMut(PayloadType),
    ) -> Result<(), StreamError> {
        let Some(channel) = &mut self.channel else { return Ok(()) };
        while !wire.is_empty() {
            let mut plain = channel.read(&mut wire)?;
            while let Some(item) = self.deframer.next(&mut plain)? {
                match item {
                    Item::Message(message) => {
                        let payload_type = message.payload_type.0;
                        if let Some(watch) = self.watch {
                            watch.message(cx.now, Direction::Received, payload_type, message.payload);
                        }
                        session.handle(cx, S::message(payload_type, message.payload));
                        let waiting = (&mut self.filled, &mut self.taken);
                        encode(cx.now, session, self.out, waiting, self.watch);
                    }
                    Item::Skipped { payload_type, .. } => skipped(payload_type),
                }
            }
        }
        Ok(())
    }

    fn encode(&mut self, now: Instant, session: &mut impl Session) {
        encode(now, session, self.out, (&mut self.filled, &mut self.taken), self.watch);
    }
}

/// Encodes the session's responses after those that wait in `out`, each with its header.
fn encode(
    now: Instant,
    session: &mut impl Session,
    out: &mut [u8],
    (filled, taken): (&mut usize, &mut usize),
    watch: Option<&dyn Watch>,
) {
    if filled == taken {
        (*filled, *taken) = (0, 0);
    }
    // A response that does not fit stays in the session until the connection has accepted those before it.
    loop {
        let Some((header, payload)) =
            out.get_mut(*filled..).and_then(|free| free.split_at_mut_checked(HEADER_LEN))
        else {
            return;
        };
        let Ok(Some((len, payload_type))) = session.poll_transmit(payload) else { return };
        let Ok(length) = u32::try_from(len) else { return };
        header.copy_from_slice(&Header { payload_type: PayloadType(payload_type), length }.to_bytes());
        *filled += HEADER_LEN + len;
        if let Some(watch) = watch {
            watch.message(now, Direction::Sent, payload_type, payload.get(..len).unwrap_or_default());
        }
    }
}
