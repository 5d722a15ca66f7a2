use std::collections::VecDeque;
use std::net::Ipv6Addr;

use smoltcp::iface::{Config, Interface, SocketHandle, SocketSet, SocketStorage};
use smoltcp::phy::{self, Device, DeviceCapabilities, Medium};
use smoltcp::socket::{tcp, udp};
use smoltcp::time::Instant;
use smoltcp::wire::{EthernetAddress, HardwareAddress, IpAddress, IpCidr, IpEndpoint, IpListenEndpoint};

/// A car's network side: discovery by UDP, then a TCP connection, over frames in memory.
pub struct Car {
    interface: Interface,
    sockets: SocketSet<'static>,
    tcp: SocketHandle,
    udp: SocketHandle,
    wire: Wire,
}

/// Frames that wait in either direction.
#[derive(Default)]
struct Wire {
    to_car: VecDeque<Vec<u8>>,
    from_car: VecDeque<Vec<u8>>,
}

fn leak(length: usize) -> &'static mut [u8] {
    Box::leak(vec![0; length].into_boxed_slice())
}

impl Car {
    /// The car's MAC address.
    pub const MAC: [u8; 6] = [0x02, 0, 0, 0, 0, 0xca];
    /// Its link-local address.
    pub const ADDRESS: Ipv6Addr = Ipv6Addr::new(0xfe80, 0, 0, 0, 0, 0, 0, 0xca);

    /// A car before its first action.
    pub fn new() -> Self {
        let mut wire = Wire::default();
        let config = Config::new(HardwareAddress::Ethernet(EthernetAddress(Self::MAC)));
        let mut interface = Interface::new(config, &mut wire, Instant::ZERO);
        interface.update_ip_addrs(|addresses| {
            addresses.push(IpCidr::new(IpAddress::Ipv6(Self::ADDRESS), 64)).unwrap();
        });
        let storage: Vec<SocketStorage<'static>> = (0..2).map(|_| SocketStorage::EMPTY).collect();
        let mut sockets = SocketSet::new(Box::leak(storage.into_boxed_slice()));
        let tcp = tcp::Socket::new(tcp::SocketBuffer::new(leak(8192)), tcp::SocketBuffer::new(leak(8192)));
        let metadata = || Box::leak(vec![udp::PacketMetadata::EMPTY; 4].into_boxed_slice());
        let packets = || udp::PacketBuffer::new(&mut *metadata(), leak(512));
        let udp = udp::Socket::new(packets(), packets());
        let (tcp, udp) = (sockets.add(tcp), sockets.add(udp));
        sockets.get_mut::<udp::Socket<'_>>(udp).bind(50032).unwrap();
        sockets.get_mut::<tcp::Socket<'_>>(tcp).set_nagle_enabled(false);
        Self { interface, sockets, tcp, udp, wire }
    }

    /// A discovery request for plain TCP.
    pub const DISCOVERY: [u8; 10] = [0x01, 0xfe, 0x90, 0x00, 0x00, 0x00, 0x00, 0x02, 0x10, 0x00];

    /// Sends a discovery request to all nodes.
    pub fn discover(&mut self) {
        self.datagram(&Self::DISCOVERY);
    }

    /// Sends any datagram to the discovery port.
    pub fn datagram(&mut self, bytes: &[u8]) {
        let all_nodes = IpEndpoint::new(IpAddress::v6(0xff02, 0, 0, 0, 0, 0, 0, 1), sdp::PORT);
        self.sockets.get_mut::<udp::Socket<'_>>(self.udp).send_slice(bytes, all_nodes).unwrap();
    }

    /// The charger's response to a discovery request.
    pub fn discovery_answer(&mut self) -> Option<sdp::Response> {
        let (bytes, _) = self.sockets.get_mut::<udp::Socket<'_>>(self.udp).recv().ok()?;
        match sdp::Message::parse(bytes).unwrap() {
            sdp::Message::Response(response) => Some(response),
            sdp::Message::Request(_) => panic!("a charger asks for a charger"),
        }
    }

    /// The charger's address and port from its response.
    pub fn discovered(&mut self) -> Option<(Ipv6Addr, u16)> {
        self.discovery_answer().map(|response| (response.address, response.port))
    }

    /// Connects to the charger.
    pub fn connect(&mut self, charger: (Ipv6Addr, u16)) {
        self.connect_from(charger, 49200);
    }

    /// Connects to the charger from this own port.
    pub fn connect_from(&mut self, (address, port): (Ipv6Addr, u16), own: u16) {
        let remote = IpEndpoint::new(IpAddress::Ipv6(address), port);
        let local = IpListenEndpoint { addr: Some(IpAddress::Ipv6(Self::ADDRESS)), port: own };
        let socket = self.sockets.get_mut::<tcp::Socket<'_>>(self.tcp);
        socket.connect(self.interface.context(), remote, local).unwrap();
    }

    /// Whether the connection is established.
    pub fn is_connected(&self) -> bool {
        self.sockets.get::<tcp::Socket<'_>>(self.tcp).may_send()
    }

    /// Whether the charger has closed the connection.
    pub fn is_closed(&self) -> bool {
        !self.sockets.get::<tcp::Socket<'_>>(self.tcp).may_recv()
    }

    /// Closes the connection normally.
    pub fn close(&mut self) {
        self.sockets.get_mut::<tcp::Socket<'_>>(self.tcp).close();
    }

    /// Sends bytes on the connection.
    pub fn send(&mut self, bytes: &[u8]) {
        let sent = self.sockets.get_mut::<tcp::Socket<'_>>(self.tcp).send_slice(bytes);
        assert_eq!(sent, Ok(bytes.len()));
    }

    /// The bytes received on the connection since the last call.
    pub fn received(&mut self) -> Vec<u8> {
        let socket = self.sockets.get_mut::<tcp::Socket<'_>>(self.tcp);
        let mut bytes = vec![0; 8192];
        let length = socket.recv_slice(&mut bytes).unwrap_or(0);
        bytes.truncate(length);
        bytes
    }

    /// Takes a frame from the wire.
    pub fn handle(&mut self, frame: &[u8]) {
        self.wire.to_car.push_back(frame.to_vec());
    }

    /// Works until nothing is due; returns the frames for the wire.
    pub fn poll(&mut self, now_us: u64) -> Vec<Vec<u8>> {
        let now = Instant::from_micros(i64::try_from(now_us).unwrap());
        self.interface.poll(now, &mut self.wire, &mut self.sockets);
        self.wire.from_car.drain(..).collect()
    }
}

impl Default for Car {
    fn default() -> Self {
        Self::new()
    }
}

struct Received(Vec<u8>);
struct Sending<'w>(&'w mut VecDeque<Vec<u8>>);

impl phy::RxToken for Received {
    fn consume<R, F: FnOnce(&[u8]) -> R>(self, take: F) -> R {
        take(&self.0)
    }
}

impl phy::TxToken for Sending<'_> {
    fn consume<R, F: FnOnce(&mut [u8]) -> R>(self, length: usize, fill: F) -> R {
        let mut frame = vec![0; length];
        let result = fill(&mut frame);
        self.0.push_back(frame);
        result
    }
}

impl Device for Wire {
    type RxToken<'a> = Received;
    type TxToken<'a> = Sending<'a>;

    fn receive(&mut self, _: Instant) -> Option<(Received, Sending<'_>)> {
        let frame = self.to_car.pop_front()?;
        Some((Received(frame), Sending(&mut self.from_car)))
    }

    fn transmit(&mut self, _: Instant) -> Option<Sending<'_>> {
        Some(Sending(&mut self.from_car))
    }

    fn capabilities(&self) -> DeviceCapabilities {
        let mut capabilities = DeviceCapabilities::default();
        capabilities.medium = Medium::Ethernet;
        capabilities.max_transmission_unit = 1514;
        capabilities
    }
}
