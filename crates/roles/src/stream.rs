use evse_fsm::Charger;
use machine::{Cx, Machine};
use session::Closed;
use v2gtp::{Deframer, HEADER_LEN, Header, Item, PayloadType};

use crate::channel::{Broken, Channel};
use crate::net::{Ended, Station, TcpState};

/// Either side's session, as a stream needs it: messages with their payload types in and out.
pub(crate) trait Session: Machine<Route = u16> {
    /// A message as its input.
    fn message(payload_type: u16, payload: &[u8]) -> Self::Input<'_>;
    /// Whether it wants the connection to be closed.
    fn wants_close(&self) -> bool;
}

/// What has become of an open connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Flow {
    /// It goes on.
    On,
    /// The peer's bytes make no sense: no orderly end, and to be closed.
    Broken(StreamError),
    /// The peer has ended it, in order or not: the session is to be told so. Not in order: it is gone already.
    Ended(Closed),
    /// The session wants it closed.
    Done,
    /// And there is still something to be sent.
    DoneSoon,
}

impl Session for Charger {
    fn message(payload_type: u16, payload: &[u8]) -> evse_fsm::Input<'_> {
        evse_fsm::Input::Message { payload_type, payload }
    }
    fn wants_close(&self) -> bool {
        Self::wants_close(self)
    }
}

/// The bytes of one connection: through the channel into V2GTP messages, and answers back.
pub(crate) struct Stream<'a, C, const N: usize> {
    pub(crate) channel: C,
    deframer: &'a mut Deframer<N>,
    out: &'a mut [u8; N],
    /// Bytes of `out` that hold messages, and how many of them the channel has taken.
    filled: usize,
    taken: usize,
}

/// Why a stream was closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StreamError {
    /// A V2GTP header is wrong, or its message too long.
    #[error(transparent)]
    Frame(#[from] v2gtp::Error),
    /// The channel is broken.
    #[error(transparent)]
    Channel(#[from] Broken),
}

impl<'a, C: Channel, const N: usize> Stream<'a, C, N> {
    pub(crate) fn new(channel: C, deframer: &'a mut Deframer<N>, out: &'a mut [u8; N]) -> Self {
        deframer.reset();
        Self { channel, deframer, out, filled: 0, taken: 0 }
    }

    /// Forgets the connection.
    pub(crate) fn reset(&mut self) {
        self.channel.reset();
        self.deframer.reset();
        (self.filled, self.taken) = (0, 0);
    }

    /// Whether answers wait that the connection has not taken yet.
    fn is_sending(&self) -> bool {
        self.taken < self.filled
    }

    /// Lets messages through an open connection, and says what has become of it.
    pub(crate) fn flow(
        &mut self,
        cx: &mut Cx<'_>,
        station: &mut Station<'_>,
        session: &mut impl Session,
        skipped: impl FnMut(PayloadType),
    ) -> Flow {
        if let Err(error) = self.pump(cx, station, session, skipped) {
            return Flow::Broken(error);
        }
        match station.tcp_state() {
            _ if self.channel.is_closed() => Flow::Ended(Closed::Fin),
            _ if session.wants_close() && !self.is_sending() => Flow::Done,
            TcpState::Gone if station.ended() == Some(Ended::Timeout) => Flow::Ended(Closed::Timeout),
            TcpState::Gone => Flow::Ended(Closed::Rst),
            TcpState::PeerClosed if !station.has_bytes() => Flow::Ended(Closed::Fin),
            _ if session.wants_close() => Flow::DoneSoon,
            _ => Flow::On,
        }
    }

    /// Takes what has been received and gives each message to `session`; answers go out between.
    fn pump(
        &mut self,
        cx: &mut Cx<'_>,
        station: &mut Station<'_>,
        session: &mut impl Session,
        mut skipped: impl FnMut(PayloadType),
    ) -> Result<(), StreamError> {
        self.answer(station, session);
        // What waits to be sent is the peer's brake: it gets no more in before it takes that.
        while !self.is_sending() && station.has_bytes() {
            let read = station.read(|wire| (wire.len(), self.messages(cx, wire, session, &mut skipped)));
            self.answer(station, session);
            read.unwrap_or(Ok(()))?;
        }
        Ok(())
    }

    /// Takes the session's answers and gives them to the connection.
    fn answer(&mut self, station: &mut Station<'_>, session: &mut impl Session) {
        self.take(session);
        self.flush(station);
    }

    /// Closes the channel and this side of the connection.
    pub(crate) fn close(&mut self, station: &mut Station<'_>) {
        self.channel.close();
        self.flush(station);
        station.close();
    }

    fn flush(&mut self, station: &mut Station<'_>) {
        loop {
            let rest = self.out.get(self.taken..self.filled).unwrap_or_default();
            let written = station.write(|wire| {
                let written = self.channel.write(rest, wire);
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
        while !wire.is_empty() {
            let mut plain = self.channel.read(&mut wire)?;
            while let Some(item) = self.deframer.next(&mut plain)? {
                match item {
                    Item::Message(message) => {
                        session.handle(cx, S::message(message.payload_type.0, message.payload));
                        take(session, self.out, &mut self.filled, &mut self.taken);
                    }
                    Item::Skipped { payload_type, .. } => skipped(payload_type),
                }
            }
        }
        Ok(())
    }

    fn take(&mut self, session: &mut impl Session) {
        take(session, self.out, &mut self.filled, &mut self.taken);
    }
}

/// Encodes the session's answers behind those that wait in `out`, each with its header.
fn take(session: &mut impl Session, out: &mut [u8], filled: &mut usize, taken: &mut usize) {
    if filled == taken {
        (*filled, *taken) = (0, 0);
    }
    // An answer that does not fit would be lost: one that may not fit waits.
    while *filled <= out.len() / 2 {
        let Some((header, payload)) =
            out.get_mut(*filled..).and_then(|free| free.split_at_mut_checked(HEADER_LEN))
        else {
            return;
        };
        let Some((len, payload_type)) = session.poll_transmit(payload) else { return };
        let Ok(length) = u32::try_from(len) else { return };
        header.copy_from_slice(&Header { payload_type: PayloadType(payload_type), length }.to_bytes());
        *filled += HEADER_LEN + len;
    }
}
