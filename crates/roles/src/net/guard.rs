//! RFC 5961 before smoltcp, which accepts a reset anywhere in the window.
//!
//! A sender that does not see the connection has to guess 32 bits for a reset, instead of one of two million
//! windows. A peer that has really reset the connection, or restarted, answers the challenge with the
//! required number. A sender that sees the connection can still end it. Blind data (RFC 5961 5) is handled by
//! smoltcp: it drops a segment that acknowledges less than what is acknowledged already, and answers one that
//! acknowledges more than was sent with a challenge.

use core::net::Ipv6Addr;

use machine::{Duration, Instant};
use sdp::Endpoint;
use smoltcp::phy::ChecksumCapabilities;
use smoltcp::socket::tcp::State;
use smoltcp::wire::{EthernetFrame, IpProtocol, Ipv6Packet, TcpControl, TcpPacket, TcpRepr, TcpSeqNumber};

use super::Mac;
use super::packet::{self, Envelope};

/// Pause between two challenges: smoltcp's own (RFC 5961 7 requires a limit without a value).
const PAUSE: Duration = Duration::from_secs(1);

/// A connection: the peer, and our own port.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Connection {
    pub(super) peer: Endpoint,
    pub(super) port: u16,
}

/// A segment of the connection that would end it, or open it again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Threat {
    number: TcpSeqNumber,
    resets: bool,
    /// The station that sent it.
    mac: Mac,
}

/// How to handle a threat.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Judgement {
    /// It is passed to smoltcp.
    Pass,
    /// It is dropped.
    Drop,
    /// It is dropped, and the peer is challenged to confirm it.
    Challenge,
}

/// The numbers in our last segment of the connection.
#[derive(Clone, Copy, Debug)]
struct Said {
    /// The sequence number of its next byte.
    next: TcpSeqNumber,
    /// The sequence number that it expects next.
    expects: TcpSeqNumber,
    window: u16,
}

/// Decides which resets and openings reach an open connection.
#[derive(Debug)]
pub(super) struct Guard {
    said: Option<Said>,
    /// No challenge before this time.
    silent_until: Option<Instant>,
}

impl Threat {
    /// The threat in a received frame, if it is one.
    pub(super) fn of(frame: &[u8], connection: &Connection) -> Option<Self> {
        let ethernet = EthernetFrame::new_checked(frame).ok()?;
        let ip = Ipv6Packet::new_checked(ethernet.payload()).ok()?;
        let tcp = segment(&ip)?;
        let peer = Endpoint { address: ip.src_addr(), port: tcp.src_port() };
        let is_of_it = Connection { peer, port: tcp.dst_port() } == *connection;
        // A segment that smoltcp drops for its checksum gets no challenge.
        let is_whole = || tcp.verify_checksum(&ip.src_addr().into(), &ip.dst_addr().into());
        let is_threat = is_of_it && (tcp.rst() || tcp.syn()) && is_whole();
        let mac = Mac(ethernet.src_addr().0);
        is_threat.then_some(Self { number: tcp.seq_number(), resets: tcp.rst(), mac })
    }
}

impl Guard {
    pub(super) const fn new() -> Self {
        Self { said: None, silent_until: None }
    }

    /// Stores the numbers of a frame that is sent.
    pub(super) fn note(&mut self, frame: &[u8], connection: &Connection) {
        let Ok(ethernet) = EthernetFrame::new_checked(frame) else { return };
        let Ok(ip) = Ipv6Packet::new_checked(ethernet.payload()) else { return };
        let Some(tcp) = segment(&ip) else { return };
        let peer = Endpoint { address: ip.dst_addr(), port: tcp.dst_port() };
        if (Connection { peer, port: tcp.src_port() }) != *connection || tcp.rst() {
            return;
        }
        if tcp.syn() {
            *self = Self::new();
        }
        if tcp.ack() {
            let next = tcp.seq_number() + tcp.segment_len();
            // A repetition has lower numbers than the newest segment.
            let next = self.said.map_or(next, |said| if next > said.next { next } else { said.next });
            self.said = Some(Said { next, expects: tcp.ack_number(), window: tcp.window_len() });
        }
    }

    /// Decides about a threat to a connection in this state.
    pub(super) fn judge(&mut self, now: Instant, threat: &Threat, state: State) -> Judgement {
        let is_synchronized = match state {
            State::Closed | State::Listen | State::SynSent | State::TimeWait => return Judgement::Pass,
            State::SynReceived => false,
            State::Established
            | State::FinWait1
            | State::FinWait2
            | State::CloseWait
            | State::Closing
            | State::LastAck => true,
        };
        let Some(said) = self.said else { return Judgement::Pass };
        let ahead = threat.number.0.wrapping_sub(said.expects.0).cast_unsigned();
        let judgement = match (threat.resets, ahead) {
            (true, 0) => Judgement::Pass,
            (true, ahead) if ahead < u32::from(said.window) => Judgement::Challenge,
            (true, _) => Judgement::Drop,
            // RFC 5961 4: at any sequence number. A repeated opening is left to smoltcp.
            (false, _) if is_synchronized => Judgement::Challenge,
            (false, _) => Judgement::Pass,
        };
        let is_limited = self.silent_until.is_some_and(|until| now < until);
        match judgement {
            Judgement::Challenge if is_limited => Judgement::Drop,
            Judgement::Challenge => {
                self.silent_until = Some(now + PAUSE);
                judgement
            }
            _ => judgement,
        }
    }

    /// Writes the challenge to the sender of a threat: an acknowledgement of the present state. Returns its
    /// length.
    pub(super) fn challenge(
        &self,
        own: (Mac, Ipv6Addr),
        connection: &Connection,
        threat: &Threat,
        out: &mut [u8],
    ) -> usize {
        let Some(said) = self.said else { return 0 };
        let repr = TcpRepr {
            src_port: connection.port,
            dst_port: connection.peer.port,
            control: TcpControl::None,
            seq_number: said.next,
            ack_number: Some(said.expects),
            window_len: said.window,
            window_scale: None,
            max_seg_size: None,
            sack_permitted: false,
            sack_ranges: [None; 3],
            timestamp: None,
            payload: &[],
        };
        let (from, to) = (own.1.into(), connection.peer.address.into());
        let envelope = Envelope {
            from: own,
            to: (threat.mac, connection.peer.address),
            next_header: IpProtocol::Tcp,
            hop_limit: 64,
            payload_len: repr.buffer_len(),
        };
        packet::emit(&envelope, out, |bytes| {
            repr.emit(&mut TcpPacket::new_unchecked(bytes), &from, &to, &ChecksumCapabilities::default());
        })
    }
}

/// The TCP segment in a packet.
pub(super) fn segment<'p>(ip: &Ipv6Packet<&'p [u8]>) -> Option<TcpPacket<&'p [u8]>> {
    if ip.next_header() != IpProtocol::Tcp {
        return None;
    }
    TcpPacket::new_checked(ip.payload()).ok()
}
