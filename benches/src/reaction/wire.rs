//! The network between two event loops: a virtual cable if the process may create one, else loopback.

use std::io::ErrorKind;
use std::net::{Ipv6Addr, UdpSocket};
use std::os::fd::{AsFd, BorrowedFd};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use hal_linux::{Error, Interface, PacketSocket, Port, PortStatistics};
use nix::sched::{CloneFlags, unshare};
use roles::Mac;

/// The charger's and the car's addresses.
pub(super) const CHARGER: Mac = Mac([0x02, 0, 0, 0, 0, 0x5E]);
pub(super) const CAR: Mac = Mac([0x02, 0, 0, 0, 0, 0xE1]);

/// The medium of the frames.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Medium {
    /// Raw sockets on a virtual cable in a network namespace of this process.
    Veth,
    /// Datagrams over loopback: no raw socket, no packet filter of the kernel.
    Loopback,
}

impl Medium {
    /// The best medium that this process may create; threads that start later share it.
    pub fn make() -> Self {
        let made = unshare(CloneFlags::CLONE_NEWNET).is_ok()
            && ip("link add charger0 type veth peer name car0")
            && ["charger0", "car0"].into_iter().all(|end| {
                let silent = format!("/proc/sys/net/ipv6/conf/{end}/disable_ipv6");
                std::fs::write(silent, "1").is_ok() && ip(&format!("link set {end} up"))
            });
        if made { Self::Veth } else { Self::Loopback }
    }

    /// Both ends, and two further ends for the flood.
    pub fn open(self) -> Result<(Ends, Ends), Error> {
        if self == Self::Veth {
            let raw = |name: &str, mac, all| {
                Ok::<_, Error>(End::Raw(PacketSocket::open(&Interface::find(name)?, mac, all)?))
            };
            let ends = Ends { charger: raw("charger0", CHARGER, false)?, car: raw("car0", CAR, false)? };
            let flood =
                Ends { charger: raw("charger0", Mac([2; 6]), true)?, car: raw("car0", Mac([2; 6]), true)? };
            return Ok((ends, flood));
        }
        let udp = || UdpSocket::bind("127.0.0.1:0").expect("loopback");
        let (charger, car) = (udp(), udp());
        charger.connect(car.local_addr().expect("bound")).expect("loopback");
        car.connect(charger.local_addr().expect("bound")).expect("loopback");
        for end in [&charger, &car] {
            end.set_nonblocking(true).expect("loopback");
        }
        let again = |end: &UdpSocket| End::Datagrams(end.try_clone().expect("a second handle"));
        let flood = Ends { charger: again(&charger), car: again(&car) };
        Ok((Ends { charger: End::Datagrams(charger), car: End::Datagrams(car) }, flood))
    }
}

fn ip(args: &str) -> bool {
    let status = Command::new("ip").args(args.split(' ')).stderr(Stdio::null()).status();
    status.is_ok_and(|status| status.success())
}

/// A port at each end.
pub struct Ends {
    /// At the charger's end.
    pub charger: End,
    /// At the car's end.
    pub car: End,
}

/// A port of either medium.
#[derive(Debug)]
pub enum End {
    /// On the virtual cable.
    Raw(PacketSocket),
    /// Over loopback.
    Datagrams(UdpSocket),
}

impl AsFd for End {
    fn as_fd(&self) -> BorrowedFd<'_> {
        match self {
            Self::Raw(socket) => socket.as_fd(),
            Self::Datagrams(socket) => socket.as_fd(),
        }
    }
}

impl Port for End {
    fn receive<'b>(&self, buffer: &'b mut [u8]) -> Result<Option<&'b [u8]>, Error> {
        match self {
            Self::Raw(socket) => socket.receive(buffer),
            Self::Datagrams(socket) => match socket.recv(buffer) {
                Ok(length) => Ok(buffer.get(..length)),
                Err(error) if error.kind() == ErrorKind::WouldBlock => Ok(None),
                Err(_) => Err(Error::Down("loopback".into())),
            },
        }
    }

    fn send(&self, frame: &[u8]) -> Result<bool, Error> {
        match self {
            Self::Raw(socket) => socket.send(frame),
            Self::Datagrams(socket) => Ok(socket.send(frame).is_ok()),
        }
    }

    fn reopen(&mut self) -> Result<(), Error> {
        match self {
            Self::Raw(socket) => socket.reopen(),
            Self::Datagrams(_) => Ok(()),
        }
    }

    fn hear(&self, address: Ipv6Addr) -> Result<(), Error> {
        match self {
            Self::Raw(socket) => socket.hear(address),
            Self::Datagrams(_) => Ok(()),
        }
    }

    fn statistics(&self) -> PortStatistics {
        match self {
            Self::Raw(socket) => socket.statistics(),
            Self::Datagrams(_) => PortStatistics::default(),
        }
    }
}

/// Sends frames of strangers to both ends, as fast as one thread can, while `on` is set and until `over`;
/// counts them.
pub(super) fn flood(ends: &Ends, on: &AtomicBool, over: &AtomicBool, sent: &AtomicU64) {
    // Frames from the car's end reach the charger.
    let frames = [CHARGER, CAR].map(strangers);
    let ends = [&ends.car, &ends.charger];
    while !over.load(Ordering::Relaxed) {
        if !on.load(Ordering::Relaxed) {
            #[expect(clippy::disallowed_methods, reason = "a measurement in real time")]
            std::thread::sleep(std::time::Duration::from_millis(1));
            continue;
        }
        for (end, frames) in ends.iter().zip(&frames) {
            for frame in frames {
                if end.send(frame).unwrap_or(false) {
                    sent.fetch_add(1, Ordering::Relaxed);
                }
            }
        }
    }
}

/// One-byte TCP segments and SYNs to the role's address, a SLAC announcement to all, a frame of no known
/// kind.
fn strangers(to: Mac) -> Vec<Vec<u8>> {
    let from = Mac([0x02, 0, 0, 0, 0, 0x66]);
    let segment = |flags: u8, payload: &[u8]| {
        let length = u8::try_from(20 + payload.len()).unwrap_or(u8::MAX);
        let ip =
            [&[0x60, 0, 0, 0, 0, length, 6, 64][..], &from.link_local().octets(), &to.link_local().octets()];
        let tcp = [0x30, 0x39, 0xC7, 0xAE, 0, 0, 0, 9, 0, 0, 0, 0, 0x50, flags, 0xFF, 0xFF, 0, 0, 0, 0];
        [&to.0[..], &from.0, &[0x86, 0xDD], &ip.concat(), &tcp, payload].concat()
    };
    // CM_SLAC_PARM.REQ, and bytes that are no message.
    let slac = [&[0xFF; 6][..], &from.0, &[0x88, 0xE1, 1, 0x64, 0x60, 0, 0, 0, 0], &[7; 40]].concat();
    let noise = [&to.0[..], &from.0, &[0x08, 0x00], &[0xA5; 46]].concat();
    vec![segment(0x10, &[1]), segment(0x10, &[2]), segment(0x02, &[]), slac, noise]
}
