use core::mem::ManuallyDrop;
use core::net::Ipv6Addr;

use machine::{Cx, Duration, Instant, TooShort};
use sdp::Endpoint;
use smoltcp::iface::{Config, Interface, SocketHandle, SocketSet, SocketStorage};
use smoltcp::socket::{tcp, udp};
use smoltcp::wire::{EthernetAddress, IpAddress, IpCidr, IpEndpoint, IpListenEndpoint};

use super::claim::{self, Claim, Rival};
use super::device::{MAX_FRAME, OneFrame, READY, Ready, ReadyFrame};
use super::filter::Own;
use super::guard::{Connection, Guard, Judgement, Threat};
use super::socket::{self, Datagrams, Late, TCP_BUFFER};
use super::{Heard, Ignored, Kind, Mac, TcpState, fin, neighbour, time};

/// One station on the link: its frames, neighbours, discovery socket and TCP connection.
pub(crate) struct Station<'a> {
    own: Own,
    tcp_port: u16,
    interface: Interface,
    sockets: SocketSet<'a>,
    tcp: SocketHandle,
    udp: SocketHandle,
    ready: Ready<'a>,
    now: Instant,
    /// When the sockets next have to send or time out, as of the last [`schedule`](Station::schedule).
    due: Option<Instant>,
    /// The sockets may have changed since then.
    is_touched: bool,
    ended: Option<Ended>,
    neighbour: Option<Neighbour>,
    claim: Claim,
    guard: Guard,
}

/// A peer whose MAC address is known, and when smoltcp last received it.
#[derive(Clone, Copy, Debug)]
struct Neighbour {
    mac: Mac,
    address: Ipv6Addr,
    told: Instant,
}

/// The memory that a station borrows. About 8 kB.
pub(crate) struct StationStorage<'a> {
    /// Without drop glue, so that the station may borrow the storage for as long as the storage exists.
    sockets: Late<ManuallyDrop<[SocketStorage<'a>; 2]>>,
    tcp_rx: [u8; TCP_BUFFER],
    tcp_tx: [u8; TCP_BUFFER],
    udp_rx: Datagrams,
    udp_tx: Datagrams,
    ready: [ReadyFrame; READY],
}

impl StationStorage<'_> {
    pub(crate) const fn new() -> Self {
        Self {
            sockets: Late::EMPTY,
            tcp_rx: [0; TCP_BUFFER],
            tcp_tx: [0; TCP_BUFFER],
            udp_rx: Datagrams::EMPTY,
            udp_tx: Datagrams::EMPTY,
            ready: [ReadyFrame::EMPTY; READY],
        }
    }
}

/// How a connection ended that was neither closed nor aborted by this side.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ended {
    /// The peer reset it.
    Rst,
    /// The peer does not respond.
    Timeout,
}

/// The effect of a received frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Received {
    /// None that the caller has to process.
    Nothing,
    /// A datagram waits, or the connection may have changed.
    Sockets,
}

/// Interval at which smoltcp receives the address of the peer of an open connection: half of the 6 s for
/// which it stores it. Keep-alives then reach a car that does not answer solicitations.
const TELL: Duration = Duration::from_secs(3);

/// When a frame that the caller has not fetched is due again: judgement.
const AGAIN: Duration = Duration::from_millis(10);

impl<'a> Station<'a> {
    /// A station that receives datagrams on `udp_port` and connections on `tcp_port`.
    pub(crate) fn new(
        cx: &mut Cx<'_>,
        mac: Mac,
        address: Ipv6Addr,
        udp_port: u16,
        tcp_port: u16,
        storage: &'a mut StationStorage<'a>,
    ) -> Self {
        let mut config = Config::new(EthernetAddress(mac.0).into());
        let mut seed = [0; 8];
        cx.entropy.fill(&mut seed);
        config.random_seed = u64::from_le_bytes(seed);
        let mut interface = Interface::new(config, &mut OneFrame::idle(), time::fast(cx.now));
        set_address(&mut interface, address);

        let StationStorage { sockets, tcp_rx, tcp_tx, udp_rx, udp_tx, ready } = storage;
        let sockets = sockets.make(ManuallyDrop::new([SocketStorage::EMPTY; 2]));
        let mut sockets = SocketSet::new(&mut sockets[..]);
        let mut udp = socket::udp(udp_rx, udp_tx);
        // Fails for port 0 only, which the configuration's check refuses.
        let _ = udp.bind(udp_port);
        let udp = sockets.add(udp);
        let tcp = sockets.add(socket::tcp(tcp_rx, tcp_tx));
        let mut station = Self {
            own: Own { mac, address, udp_port },
            tcp_port,
            interface,
            sockets,
            tcp,
            udp,
            ready: Ready::new(ready),
            now: cx.now,
            due: None,
            is_touched: true,
            ended: None,
            neighbour: None,
            claim: Claim::default(),
            guard: Guard::new(),
        };
        station.listen();
        station
    }

    /// Determines the kind of a frame, without processing it.
    pub(crate) fn classify(&self, frame: &[u8]) -> Result<Heard, Ignored> {
        if self.ready.is_full() {
            return Err(Ignored::Full);
        }
        self.own.classify(frame)
    }

    /// Processes a frame that [`classify`](Self::classify) has accepted as this kind.
    pub(crate) fn receive(&mut self, now: Instant, kind: Kind, frame: &[u8]) -> Received {
        self.now = now;
        if kind == Kind::Neighbour {
            self.take(frame);
            // The peer's MAC address is taken from its request: neighbour messages cannot change it.
            if let Some(neighbour) = self.neighbour {
                self.tell(neighbour);
            }
            return Received::Nothing;
        }
        if !self.admits(frame) {
            return Received::Nothing;
        }
        let before = self.tcp_state();
        self.take(frame);
        if matches!(before, TcpState::Open | TcpState::Closing) && self.tcp_state() == before {
            let mut fin = [0; fin::BARE];
            let len = fin::bare(frame, &mut fin);
            if len > 0 {
                self.take(fin.get(..len).unwrap_or_default());
            }
        }
        let after = self.tcp_state();
        // A connection that was closed by this side ends when its FIN is acknowledged.
        let alive = matches!(before, TcpState::Opening | TcpState::Open | TcpState::PeerClosed);
        if alive && after == TcpState::Gone {
            self.ended = Some(Ended::Rst);
        }
        if before != after || self.udp().can_recv() || self.tcp().can_recv() {
            Received::Sockets
        } else {
            Received::Nothing
        }
    }

    /// Passes a frame to smoltcp.
    fn take(&mut self, frame: &[u8]) {
        self.is_touched = true;
        let Self { interface, sockets, ready, now, .. } = self;
        ready.push_with(|out| {
            let mut device = OneFrame::receiving(frame, out);
            interface.poll_ingress_single(time::fast(*now), &mut device, sockets);
            let written = device.written();
            neighbour::set_override(out.get_mut(..written).unwrap_or_default());
            written
        });
    }

    /// Whether smoltcp may receive a frame: not a reset that the connection does not expect, nor a second
    /// opening of it.
    fn admits(&mut self, frame: &[u8]) -> bool {
        let Some(connection) = self.connection() else { return true };
        let Some(threat) = Threat::of(frame, &connection) else { return true };
        // Received bytes are acknowledged first: our last segment then contains the expected number.
        let before = self.tcp_state();
        self.queue_next();
        self.note_timeout(before);
        let judgement = self.guard.judge(self.now, &threat, self.tcp().state());
        if judgement == Judgement::Challenge {
            let Self { own, ready, guard, .. } = self;
            ready.push_with(|out| guard.challenge((own.mac, own.address), &connection, &threat, out));
        }
        judgement == Judgement::Pass
    }

    /// The present connection, or the one that is being opened.
    fn connection(&self) -> Option<Connection> {
        let local = self.tcp().local_endpoint()?;
        self.peer().map(|peer| Connection { peer, port: local.port })
    }

    /// A link begins: solicits our own address to find a duplicate.
    pub(crate) fn claim(&mut self, now: Instant) {
        self.claim.begin(now);
        let Own { mac, address, .. } = self.own;
        self.ready.push_with(|out| claim::solicitation(mac, address, out));
    }

    /// Another station uses our address. Within the first second this station changes to another one where
    /// `may_yield`, and returns it. Later, or without more addresses to try, it keeps and defends its own. A
    /// connection does not survive a change of address.
    pub(crate) fn contest(&mut self, cx: &mut Cx<'_>, rival: Rival, may_yield: bool) -> Option<Ipv6Addr> {
        let Own { mac, address, .. } = self.own;
        let Some(new) = may_yield.then(|| self.claim.next(cx)).flatten() else {
            if rival == Rival::Wants {
                self.ready.push_with(|out| claim::defence(mac, address, out));
            }
            return None;
        };
        self.own.address = new;
        self.is_touched = true;
        set_address(&mut self.interface, new);
        self.neighbour = None;
        self.ready.push_with(|out| claim::solicitation(mac, new, out));
        Some(new)
    }

    /// Stores the MAC address of a peer whose frame was valid.
    pub(crate) fn learn(&mut self, heard: &Heard) {
        self.tell(Neighbour { mac: heard.mac, address: heard.from, told: self.now });
    }

    fn tell(&mut self, neighbour: Neighbour) {
        self.neighbour = Some(Neighbour { told: self.now, ..neighbour });
        self.is_touched = true;
        let own = (self.own.mac, self.own.address);
        let frame = neighbour::advertisement(own, neighbour.mac, neighbour.address);
        let mut device = OneFrame::receiving(&frame, &mut []);
        self.interface.poll_ingress_single(time::fast(self.now), &mut device, &mut self.sockets);
    }

    /// Processes timers, without sending.
    pub(crate) fn tick(&mut self, now: Instant) {
        self.now = now;
        let before = self.tcp_state();
        if let Some(neighbour) = self.neighbour
            && before != TcpState::Listening
            && now.since(neighbour.told) >= TELL
        {
            self.tell(neighbour);
        }
        if self.is_due() {
            self.is_touched = true;
            self.interface.poll_egress(time::fast(now), &mut OneFrame::idle(), &mut self.sockets);
            self.note_timeout(before);
        }
    }

    /// Writes the next frame to `buffer`.
    pub(crate) fn transmit(&mut self, buffer: &mut [u8]) -> Result<Option<usize>, TooShort> {
        if !self.ready.is_empty() || !self.is_due() {
            return self.ready.pop_into(buffer);
        }
        let before = self.tcp_state();
        let sent = if buffer.len() < MAX_FRAME {
            // The length of a frame is known only after smoltcp has made it, and it makes it once.
            self.queue_next();
            self.ready.pop_into(buffer)
        } else {
            self.is_touched = true;
            let written = egress(&mut self.interface, &mut self.sockets, self.now, buffer);
            if let Some(connection) = self.connection() {
                self.guard.note(buffer.get(..written).unwrap_or_default(), &connection);
            }
            Ok((written > 0).then_some(written))
        };
        self.note_timeout(before);
        self.schedule();
        sent
    }

    /// Queues the next frame of the sockets, if any.
    fn queue_next(&mut self) {
        self.is_touched = true;
        let connection = self.connection();
        let Self { interface, sockets, ready, guard, now, .. } = self;
        ready.push_with(|out| {
            let written = egress(interface, sockets, *now, out);
            if let Some(connection) = &connection {
                guard.note(out.get(..written).unwrap_or_default(), connection);
            }
            written
        });
    }

    /// Computes when the sockets are due next. Needed after every change of them: until then they are not
    /// polled.
    pub(crate) fn schedule(&mut self) {
        if core::mem::take(&mut self.is_touched) {
            self.due = self.interface.poll_at(time::fast(self.now), &self.sockets).map(time::slow);
        }
    }

    /// Whether the sockets are due.
    fn is_due(&self) -> bool {
        self.due.is_some_and(|due| due <= self.now)
    }

    /// When [`tick`](Self::tick) is due, as of the last [`schedule`](Self::schedule).
    pub(crate) fn due(&self) -> Option<Instant> {
        if self.is_due() { Some(self.now + AGAIN) } else { self.due }
    }

    /// Whether a frame can be sent now.
    pub(crate) fn is_sending(&self) -> bool {
        !self.ready.is_empty() || self.is_due()
    }

    /// Removes the oldest datagram and passes it to `then`, with its source.
    pub(crate) fn datagram<R>(&mut self, then: impl FnOnce(Endpoint, &[u8]) -> R) -> Option<R> {
        self.is_touched = true;
        let (bytes, metadata) = self.sockets.get_mut::<udp::Socket<'a>>(self.udp).recv().ok()?;
        let IpAddress::Ipv6(address) = metadata.endpoint.addr;
        Some(then(Endpoint { address, port: metadata.endpoint.port }, bytes))
    }

    /// Sends a datagram; it is dropped if the queue is full.
    pub(crate) fn send_datagram(&mut self, to: Endpoint, bytes: &[u8]) {
        self.is_touched = true;
        let to = IpEndpoint::new(to.address.into(), to.port);
        let _ = self.sockets.get_mut::<udp::Socket<'a>>(self.udp).send_slice(bytes, to);
    }

    /// The state of the connection.
    pub(crate) fn tcp_state(&self) -> TcpState {
        self.tcp().state().into()
    }

    /// How the connection ended, if not closed or aborted by this side.
    pub(crate) fn ended(&self) -> Option<Ended> {
        self.ended
    }

    /// The peer of the connection.
    pub(crate) fn peer(&self) -> Option<Endpoint> {
        let remote = self.tcp().remote_endpoint()?;
        let IpAddress::Ipv6(address) = remote.addr;
        Some(Endpoint { address, port: remote.port })
    }

    /// Drops the connection and waits for the next one.
    pub(crate) fn listen(&mut self) {
        (self.ended, self.guard) = (None, Guard::new());
        let at = IpListenEndpoint { addr: Some(self.own.address.into()), port: self.tcp_port };
        let socket = self.tcp_mut();
        if socket.is_open() && !socket.is_listening() {
            socket.abort();
        }
        // Fails for port 0 only, which the configuration's check refuses.
        let _ = socket.listen(at);
    }

    /// Drops the connection and opens one to `peer`, from `own_port`.
    pub(crate) fn connect(&mut self, peer: Endpoint, own_port: u16) {
        (self.ended, self.guard, self.is_touched) = (None, Guard::new(), true);
        let remote = IpEndpoint::new(peer.address.into(), peer.port);
        let local = IpListenEndpoint { addr: Some(self.own.address.into()), port: own_port };
        let Self { interface, sockets, tcp, .. } = self;
        let socket = sockets.get_mut::<tcp::Socket<'a>>(*tcp);
        if socket.is_open() {
            socket.abort();
        }
        // Fails for ports of 0 only, which discovery refuses.
        let _ = socket.connect(interface.context(), remote, local);
    }

    /// Whether received bytes are unread.
    pub(crate) fn has_bytes(&self) -> bool {
        self.tcp().can_recv()
    }

    /// Lends received bytes to `take`, which returns how many of them it has consumed.
    pub(crate) fn read<R>(&mut self, take: impl FnOnce(&[u8]) -> (usize, R)) -> Option<R> {
        self.tcp_mut().recv(|bytes| take(bytes)).ok()
    }

    /// Lends space for bytes to send to `fill`, which returns how many it has written.
    pub(crate) fn write<R>(&mut self, fill: impl FnOnce(&mut [u8]) -> (usize, R)) -> Option<R> {
        let was_touched = self.is_touched;
        let (written, result) = self
            .tcp_mut()
            .send(|room| {
                let (written, result) = fill(room);
                (written, (written, result))
            })
            .ok()?;
        // Called after every event: usually nothing is written.
        self.is_touched = was_touched || written > 0;
        Some(result)
    }

    /// Closes this side, after all bytes that were written.
    pub(crate) fn close(&mut self) {
        self.tcp_mut().close();
    }

    /// Ends the connection with a reset, unless both sides have closed it normally: a peer would report the
    /// reset as a failure.
    pub(crate) fn abort(&mut self) {
        if self.tcp().state() != tcp::State::TimeWait {
            self.tcp_mut().abort();
        }
    }

    fn note_timeout(&mut self, before: TcpState) {
        let alive = matches!(before, TcpState::Opening | TcpState::Open | TcpState::PeerClosed);
        if alive && self.tcp_state() == TcpState::Gone {
            self.ended = Some(Ended::Timeout);
        }
    }

    fn tcp(&self) -> &tcp::Socket<'a> {
        self.sockets.get(self.tcp)
    }

    fn tcp_mut(&mut self) -> &mut tcp::Socket<'a> {
        self.is_touched = true;
        self.sockets.get_mut(self.tcp)
    }

    fn udp(&self) -> &udp::Socket<'a> {
        self.sockets.get(self.udp)
    }
}

/// Lets smoltcp write the next frame to `out`; returns its length, 0 without one.
fn egress(interface: &mut Interface, sockets: &mut SocketSet<'_>, now: Instant, out: &mut [u8]) -> usize {
    let mut device = OneFrame::sending(out);
    interface.poll_egress(time::fast(now), &mut device, sockets);
    device.written()
}

/// All of `fe80::/10` is on this link.
fn set_address(interface: &mut Interface, address: Ipv6Addr) {
    interface.update_ip_addrs(|list| {
        list.clear();
        // The list has space for two.
        let _ = list.push(IpCidr::new(address.into(), 10));
    });
}
