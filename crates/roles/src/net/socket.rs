//! The two sockets of a station: their settings, and the TCP states that the role distinguishes.

use core::cell::Cell;

use machine::Duration;
use smoltcp::socket::{tcp, udp};

use super::time;

/// Size of the TCP receive and transmit buffers in bytes; the receive buffer is the window that the peer
/// sees.
///
/// Judgement: DIN messages have less than 100 bytes, one at a time; clara announces 1000. A longer message
/// streams through.
pub(super) const TCP_BUFFER: usize = 2048;

/// Capacity of the UDP socket in each direction: datagrams, and their bytes.
pub(super) const DATAGRAMS: usize = 4;
pub(super) const DATAGRAM_BYTES: usize = 256;

/// Silence after which a keep-alive is sent to the peer: as in `EVerest`'s libiso15118.
const KEEP_ALIVE: Duration = Duration::from_secs(10);

/// Silence after which the connection is abandoned: 10 s and three probes of 3 s in `EVerest`'s libiso15118.
const DEAD: Duration = Duration::from_secs(19);

/// The state of the TCP connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum TcpState {
    /// Waiting for a peer.
    Listening,
    /// A peer has sent a SYN; the handshake is not complete.
    Opening,
    /// Open in both directions.
    Open,
    /// The peer has closed its side; bytes that it sent before may still be unread.
    PeerClosed,
    /// This side is closed; the peer's side is open, or its acknowledgement is missing.
    Closing,
    /// Ended.
    Gone,
}

impl From<tcp::State> for TcpState {
    fn from(state: tcp::State) -> Self {
        match state {
            tcp::State::Listen => Self::Listening,
            tcp::State::SynSent | tcp::State::SynReceived => Self::Opening,
            tcp::State::Established => Self::Open,
            tcp::State::CloseWait => Self::PeerClosed,
            tcp::State::FinWait1 | tcp::State::FinWait2 | tcp::State::Closing | tcp::State::LastAck => {
                Self::Closing
            }
            tcp::State::TimeWait | tcp::State::Closed => Self::Gone,
        }
    }
}

/// A TCP socket that sends each response and each acknowledgement immediately, and detects a dead peer.
pub(super) fn tcp<'a>(rx: &'a mut [u8], tx: &'a mut [u8]) -> tcp::Socket<'a> {
    let mut socket = tcp::Socket::new(tcp::SocketBuffer::new(rx), tcp::SocketBuffer::new(tx));
    socket.set_nagle_enabled(false);
    socket.set_ack_delay(None);
    socket.set_keep_alive(Some(time::fast_span(KEEP_ALIVE)));
    socket.set_timeout(Some(time::fast_span(DEAD)));
    socket
}

/// Space for the datagrams of one direction.
pub(super) struct Datagrams {
    metadata: Late<[udp::PacketMetadata; DATAGRAMS]>,
    bytes: [u8; DATAGRAM_BYTES],
}

impl Datagrams {
    pub(super) const EMPTY: Self = Self { metadata: Late::EMPTY, bytes: [0; DATAGRAM_BYTES] };

    fn buffer(&mut self) -> udp::PacketBuffer<'_> {
        let metadata = self.metadata.make([udp::PacketMetadata::EMPTY; DATAGRAMS]);
        udp::PacketBuffer::new(&mut metadata[..], &mut self.bytes[..])
    }
}

/// A UDP socket over `rx` and `tx`.
pub(super) fn udp<'a>(rx: &'a mut Datagrams, tx: &'a mut Datagrams) -> udp::Socket<'a> {
    udp::Socket::new(rx.buffer(), tx.buffer())
}

/// Space for a value that is made later, all zero until then: static storage then needs no flash. The cell
/// prevents `Option` from using the value's own bytes for "none", which would not be zero.
pub(super) struct Late<T>(Option<Cell<T>>);

impl<T> Late<T> {
    pub(super) const EMPTY: Self = Self(None);

    pub(super) fn make(&mut self, value: T) -> &mut T {
        self.0.insert(Cell::new(value)).get_mut()
    }
}
