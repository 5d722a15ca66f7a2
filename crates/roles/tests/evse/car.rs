//! A car for tests: smoltcp's IPv6 with one UDP and one TCP socket, and a queue of frames each way.

use std::collections::VecDeque;
use std::net::Ipv6Addr;

use machine::Instant;
use roles::{MAX_FRAME, Mac};
use smoltcp::iface::{Config, Interface, SocketHandle, SocketSet, SocketStorage};
use smoltcp::phy::{Device, DeviceCapabilities, Medium, RxToken, TxToken};
use smoltcp::socket::{tcp, udp};
use smoltcp::wire::{EthernetAddress, IpAddress, IpCidr, IpEndpoint};

/// One car's network.
pub(crate) struct Car {
    pub wire: Wire,
    interface: Interface,
    sockets: SocketSet<'static>,
    udp: SocketHandle,
    tcp: SocketHandle,
    now: smoltcp::time::Instant,
    received: Vec<u8>,
}

/// Frames on their way to and from the car.
#[derive(Default)]
pub(crate) struct Wire {
    pub to_car: VecDeque<Vec<u8>>,
    pub from_car: VecDeque<Vec<u8>>,
}

fn leak<T>(items: Vec<T>) -> &'static mut [T] {
    items.leak()
}

impl Car {
    pub(crate) fn new(mac: Mac) -> Self {
        let mut wire = Wire::default();
        let mut config = Config::new(EthernetAddress(mac.0).into());
        config.random_seed = u64::from(mac.0[5]);
        let zero = smoltcp::time::Instant::ZERO;
        let mut interface = Interface::new(config, &mut wire, zero);
        interface.update_ip_addrs(|list| list.push(IpCidr::new(mac.link_local().into(), 64)).unwrap());
        let mut sockets = SocketSet::new(leak(vec![SocketStorage::EMPTY, SocketStorage::EMPTY]));
        let datagrams =
            || udp::PacketBuffer::new(leak(vec![udp::PacketMetadata::EMPTY; 4]), leak(vec![0; 256]));
        let mut udp = udp::Socket::new(datagrams(), datagrams());
        udp.bind(50032).unwrap();
        udp.set_hop_limit(Some(10));
        let bytes = || tcp::SocketBuffer::new(leak(vec![0; 4096]));
        let mut tcp = tcp::Socket::new(bytes(), bytes());
        tcp.set_nagle_enabled(false);
        tcp.set_ack_delay(None);
        let (udp, tcp) = (sockets.add(udp), sockets.add(tcp));
        Self { wire, interface, sockets, udp, tcp, now: zero, received: Vec::new() }
    }

    /// Runs the car's stack until nothing is left to do.
    pub(crate) fn poll(&mut self, now: Instant) {
        // Five times faster than the charger's time: repeats after 200 ms as Linux does, not after 1 s.
        self.now = smoltcp::time::Instant::from_micros(i64::try_from(now.as_micros() * 5).unwrap());
        self.interface.poll(self.now, &mut self.wire, &mut self.sockets);
        let socket = self.sockets.get_mut::<tcp::Socket>(self.tcp);
        while socket.can_recv() {
            let received = &mut self.received;
            socket
                .recv(|bytes| {
                    received.extend_from_slice(bytes);
                    (bytes.len(), ())
                })
                .unwrap();
        }
    }

    /// Whether one of the frames on their way to the car is `wanted`, before it receives them.
    pub(crate) fn was_sent(&self, wanted: impl Fn(&[u8]) -> bool) -> bool {
        self.wire.to_car.iter().any(|frame| wanted(frame))
    }

    pub(crate) fn multicast(&mut self, payload: &[u8]) {
        self.datagram(sdp::ALL_NODES.address, payload);
    }

    pub(crate) fn datagram(&mut self, to: Ipv6Addr, payload: &[u8]) {
        let to = IpEndpoint::new(IpAddress::Ipv6(to), sdp::PORT);
        self.sockets.get_mut::<udp::Socket>(self.udp).send_slice(payload, to).unwrap();
    }

    /// The next discovery response.
    pub(crate) fn answer(&mut self) -> Option<sdp::Response> {
        let (bytes, _) = self.sockets.get_mut::<udp::Socket>(self.udp).recv().ok()?;
        match sdp::Message::parse(bytes).unwrap() {
            sdp::Message::Response(response) => Some(response),
            other @ sdp::Message::Request(_) => panic!("{other:?}"),
        }
    }

    pub(crate) fn has_answer(&mut self) -> bool {
        self.sockets.get_mut::<udp::Socket>(self.udp).can_recv()
    }

    pub(crate) fn connect(&mut self, to: Ipv6Addr, port: u16, from_port: u16) {
        let Self { interface, sockets, tcp, .. } = self;
        let socket = sockets.get_mut::<tcp::Socket>(*tcp);
        socket.connect(interface.context(), (IpAddress::Ipv6(to), port), from_port).unwrap();
    }

    pub(crate) fn tcp(&mut self) -> &mut tcp::Socket<'static> {
        self.sockets.get_mut(self.tcp)
    }

    pub(crate) fn state(&mut self) -> tcp::State {
        self.tcp().state()
    }

    /// Sends bytes on the connection unchanged.
    pub(crate) fn send(&mut self, bytes: &[u8]) {
        assert_eq!(self.tcp().send_slice(bytes), Ok(bytes.len()));
    }

    /// Sends an EXI document with its V2GTP header.
    pub(crate) fn send_exi(&mut self, exi: &[u8]) {
        self.send(&framed(exi));
    }

    /// All bytes received on the connection.
    pub(crate) fn take_received(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.received)
    }

    /// The next complete message from the charger, without header.
    pub(crate) fn message(&mut self) -> Option<Vec<u8>> {
        let header = v2gtp::Header::parse(self.received.get(..v2gtp::HEADER_LEN)?).unwrap();
        let end = v2gtp::HEADER_LEN + usize::try_from(header.length).unwrap();
        let message = self.received.get(v2gtp::HEADER_LEN..end)?.to_vec();
        self.received.drain(..end);
        Some(message)
    }
}

/// An EXI document with its V2GTP header.
pub(crate) fn framed(exi: &[u8]) -> Vec<u8> {
    let length = u32::try_from(exi.len()).unwrap();
    let header = v2gtp::Header { payload_type: v2gtp::PayloadType::EXI, length };
    [&header.to_bytes()[..], exi].concat()
}

impl Device for Wire {
    type RxToken<'t> = Frame;
    type TxToken<'t> = Out<'t>;

    fn receive(&mut self, _: smoltcp::time::Instant) -> Option<(Frame, Out<'_>)> {
        let frame = self.to_car.pop_front()?;
        Some((Frame(frame), Out(&mut self.from_car)))
    }

    fn transmit(&mut self, _: smoltcp::time::Instant) -> Option<Out<'_>> {
        Some(Out(&mut self.from_car))
    }

    fn capabilities(&self) -> DeviceCapabilities {
        let mut capabilities = DeviceCapabilities::default();
        capabilities.medium = Medium::Ethernet;
        capabilities.max_transmission_unit = MAX_FRAME;
        capabilities
    }
}

pub(crate) struct Frame(Vec<u8>);

impl RxToken for Frame {
    fn consume<R, F: FnOnce(&[u8]) -> R>(self, f: F) -> R {
        f(&self.0)
    }
}

pub(crate) struct Out<'t>(&'t mut VecDeque<Vec<u8>>);

impl TxToken for Out<'_> {
    fn consume<R, F: FnOnce(&mut [u8]) -> R>(self, len: usize, f: F) -> R {
        let mut frame = vec![0; len];
        let result = f(&mut frame);
        self.0.push_back(frame);
        result
    }
}
