//! The network of the scripted car: a station of its own on an Ethernet of memory.

use std::collections::VecDeque;

use machine::Instant;
use sdp::{ALL_NODES, Message, Request, Response, Security, Transport};
use smoltcp::iface::{Config, Interface, SocketHandle, SocketSet, SocketStorage};
use smoltcp::phy::{Device, DeviceCapabilities, Medium, RxToken, TxToken};
use smoltcp::socket::{tcp, udp};
use smoltcp::wire::{EthernetAddress, IpAddress, IpCidr, IpEndpoint};
use v2gtp::{Deframer, Header, Item, MAX_DIN, PayloadType};

use roles::Mac;

/// Where the station's sockets live.
pub struct Memory {
    rx: [u8; MAX_DIN],
    tx: [u8; MAX_DIN],
    udp_rx: [u8; 64],
    udp_tx: [u8; 64],
    udp_rx_meta: [udp::PacketMetadata; 2],
    udp_tx_meta: [udp::PacketMetadata; 2],
}

impl Memory {
    /// Room for one connection and the discovery.
    pub fn new() -> Self {
        Self {
            rx: [0; MAX_DIN],
            tx: [0; MAX_DIN],
            udp_rx: [0; 64],
            udp_tx: [0; 64],
            udp_rx_meta: [udp::PacketMetadata::EMPTY; 2],
            udp_tx_meta: [udp::PacketMetadata::EMPTY; 2],
        }
    }
}

/// The car's station.
pub struct Station<'a> {
    interface: Interface,
    sockets: SocketSet<'a>,
    tcp: SocketHandle,
    udp: SocketHandle,
    wire: Wire,
    deframer: Deframer<MAX_DIN>,
}

/// The car's ports: pyPLC asks from 50032; the connection's is any.
const DISCOVERY_PORT: u16 = 50_032;
const TCP_PORT: u16 = 50_100;

impl<'a> Station<'a> {
    /// A station with this address, at `now`.
    pub fn new(
        mac: Mac,
        now: Instant,
        memory: &'a mut Memory,
        slots: &'a mut [SocketStorage<'a>; 2],
    ) -> Self {
        let mut wire = Wire::default();
        let config = Config::new(EthernetAddress(mac.0).into());
        let mut interface = Interface::new(config, &mut wire, time(now));
        interface.update_ip_addrs(|addresses| {
            // There is room for two.
            let _ = addresses.push(IpCidr::new(IpAddress::Ipv6(mac.link_local()), 64));
        });
        let mut sockets = SocketSet::new(&mut slots[..]);
        let Memory { rx, tx, udp_rx, udp_tx, udp_rx_meta, udp_tx_meta } = memory;
        let tcp = sockets
            .add(tcp::Socket::new(tcp::SocketBuffer::new(&mut rx[..]), tcp::SocketBuffer::new(&mut tx[..])));
        let mut socket = udp::Socket::new(
            udp::PacketBuffer::new(&mut udp_rx_meta[..], &mut udp_rx[..]),
            udp::PacketBuffer::new(&mut udp_tx_meta[..], &mut udp_tx[..]),
        );
        // A fresh socket takes any port but 0.
        let _ = socket.bind(DISCOVERY_PORT);
        let udp = sockets.add(socket);
        Self { interface, sockets, tcp, udp, wire, deframer: Deframer::new() }
    }

    /// Sends a discovery request.
    pub fn ask(&mut self) {
        let request = Request { security: Security::NONE, transport: Transport::TCP };
        let mut datagram = [0; sdp::MAX_LEN];
        let length = Message::Request(request).write(&mut datagram).unwrap_or_default();
        let to = IpEndpoint::new(IpAddress::Ipv6(ALL_NODES.address), ALL_NODES.port);
        let socket = self.sockets.get_mut::<udp::Socket<'_>>(self.udp);
        // A full queue is a lost datagram.
        let _ = socket.send_slice(datagram.get(..length).unwrap_or_default(), to);
    }

    /// The answer to a discovery request, if it came.
    pub fn answer(&mut self) -> Option<Response> {
        let socket = self.sockets.get_mut::<udp::Socket<'_>>(self.udp);
        let (datagram, _) = socket.recv().ok()?;
        match Message::parse(datagram) {
            Ok(Message::Response(response)) => Some(response),
            _ => None,
        }
    }

    /// Opens the connection.
    pub fn connect(&mut self, charger: Response) -> bool {
        let to = IpEndpoint::new(IpAddress::Ipv6(charger.address), charger.port);
        let socket = self.sockets.get_mut::<tcp::Socket<'_>>(self.tcp);
        self.deframer.reset();
        socket.connect(self.interface.context(), to, TCP_PORT).is_ok()
    }

    /// Whether messages can be sent.
    pub fn is_connected(&self) -> bool {
        self.sockets.get::<tcp::Socket<'_>>(self.tcp).may_send()
    }

    /// Sends an EXI document.
    pub fn send(&mut self, document: &[u8]) {
        let length = u32::try_from(document.len()).unwrap_or_default();
        let header = Header { payload_type: PayloadType::EXI, length };
        let socket = self.sockets.get_mut::<tcp::Socket<'_>>(self.tcp);
        // The buffer holds any DIN message, and there is one at a time.
        let _ = socket.send_slice(&[&header.to_bytes(), document].concat());
    }

    /// Closes the connection.
    pub fn close(&mut self) {
        self.sockets.get_mut::<tcp::Socket<'_>>(self.tcp).close();
    }

    /// The next EXI document from the charger, if a whole one has come.
    pub fn receive(&mut self) -> Option<Vec<u8>> {
        let Self { sockets, tcp, deframer, .. } = self;
        let socket = sockets.get_mut::<tcp::Socket<'_>>(*tcp);
        let received = socket.recv(|bytes| {
            let mut rest: &[u8] = bytes;
            let document = match deframer.next(&mut rest) {
                Ok(Some(Item::Message(message))) => Some(message.payload.to_vec()),
                _ => None,
            };
            (bytes.len() - rest.len(), document)
        });
        received.ok().flatten()
    }

    /// Takes a frame from the Ethernet.
    pub fn hear(&mut self, frame: Vec<u8>) {
        self.wire.inbox.push_back(frame);
    }

    /// Lets time and frames have their effect; what is to be sent is in the answer.
    pub fn run(&mut self, now: Instant) -> Vec<Vec<u8>> {
        self.interface.poll(time(now), &mut self.wire, &mut self.sockets);
        self.wire.outbox.drain(..).collect()
    }
}

fn time(now: Instant) -> smoltcp::time::Instant {
    smoltcp::time::Instant::from_micros(i64::try_from(now.as_micros()).unwrap_or(i64::MAX))
}

/// The station's end of the Ethernet.
#[derive(Default)]
struct Wire {
    inbox: VecDeque<Vec<u8>>,
    outbox: Vec<Vec<u8>>,
}

struct Received(Vec<u8>);
struct Sending<'w>(&'w mut Vec<Vec<u8>>);

impl Device for Wire {
    type RxToken<'t> = Received;
    type TxToken<'t> = Sending<'t>;

    fn receive(&mut self, _now: smoltcp::time::Instant) -> Option<(Received, Sending<'_>)> {
        let frame = self.inbox.pop_front()?;
        Some((Received(frame), Sending(&mut self.outbox)))
    }

    fn transmit(&mut self, _now: smoltcp::time::Instant) -> Option<Sending<'_>> {
        Some(Sending(&mut self.outbox))
    }

    fn capabilities(&self) -> DeviceCapabilities {
        let mut capabilities = DeviceCapabilities::default();
        capabilities.medium = Medium::Ethernet;
        capabilities.max_transmission_unit = roles::MAX_FRAME;
        capabilities
    }
}

impl RxToken for Received {
    fn consume<R, F: FnOnce(&[u8]) -> R>(self, use_frame: F) -> R {
        use_frame(&self.0)
    }
}

impl TxToken for Sending<'_> {
    fn consume<R, F: FnOnce(&mut [u8]) -> R>(self, length: usize, fill: F) -> R {
        let mut frame = vec![0; length];
        let result = fill(&mut frame);
        self.0.push(frame);
        result
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use machine::{Cx, Machine, ScriptedEntropy};
    use roles::{Evse, EvseConfig, EvseStorage, Happening, Input, MAX_FRAME};

    #[test]
    fn the_station_finds_a_charger_and_connects() {
        let mut entropy = ScriptedEntropy::new(&[1, 2, 3]);
        let mut cx = Cx { now: Instant::ZERO, entropy: &mut entropy };
        let mut storage: EvseStorage = EvseStorage::new();
        let mut evse = Evse::new(&mut cx, EvseConfig::new(Mac([2, 0, 0, 0, 0, 1])), &mut storage).unwrap();
        let (mut memory, mut slots) = (Memory::new(), [SocketStorage::EMPTY; 2]);
        let mut car = Station::new(Mac([2, 0, 0, 0, 0, 2]), cx.now, &mut memory, &mut slots);
        let mut buffer = [0; MAX_FRAME];
        let mut happened = Vec::new();
        car.ask();
        for millis in 1..20 {
            cx.now = Instant::from_millis(millis);
            for frame in car.run(cx.now) {
                evse.handle(&mut cx, Input::Frame(&frame));
            }
            evse.handle_timeout(&mut cx);
            while let Some((length, ())) = evse.poll_transmit(&mut buffer) {
                car.hear(buffer[..length].to_vec());
            }
            while let Some(event) = evse.poll_event() {
                happened.push(event.what);
            }
            if let Some(charger) = car.answer() {
                assert_eq!(charger.address, evse.address());
                assert!(car.connect(charger));
            }
        }
        assert!(car.is_connected());
        assert!(happened.iter().any(|what| matches!(what, Happening::Connected(_))), "{happened:?}");
    }
}
