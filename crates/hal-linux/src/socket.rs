use std::cell::Cell;
use std::io::{IoSlice, IoSliceMut};
use std::net::Ipv6Addr;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::time::Duration;

use libc::{sock_filter, sock_fprog};
use nix::errno::Errno;
use nix::sys::socket::sockopt::{GetStruct, RcvBuf, ReceiveTimestampns, SetStruct};
use nix::sys::socket::{
    AddressFamily, ControlMessageOwned, MsgFlags, SockFlag, SockProtocol, SockType, bind, getsockopt,
    recvmsg, sendmsg, setsockopt, socket,
};
use nix::sys::time::TimeSpec;

use roles::Mac;

use crate::role::{Port, PortStatistics};
use crate::{Claim, Error, Interface, filter};

/// An `AF_PACKET` socket on one interface: whole Ethernet frames in both directions. Only a
/// [listener's](Self::for_listener) socket also receives frames that other programs of this machine send.
///
/// The kernel's filter passes the frames for the role: `HomePlug` management frames, and IPv6 to its MAC
/// address, to its groups and to all nodes. In promiscuous mode it passes all frames on the interface. No
/// call blocks: what cannot be done immediately is reported.
#[derive(Debug)]
pub struct PacketSocket {
    socket: OwnedFd,
    opened: Opened,
    /// The claim of the interface, for a role.
    claim: Option<Claim>,
    counted: Cell<Counted>,
}

/// A received frame and its time.
#[derive(Clone, Copy, Debug)]
pub struct Timed<'b> {
    /// Time since 1970 (UTC) at which the kernel received it; `None` unless the socket is a
    /// [listener's](PacketSocket::for_listener).
    pub at: Option<Duration>,
    /// The frame.
    pub frame: &'b [u8],
}

/// The parameters with which it was opened, to open it again.
#[derive(Clone, Debug)]
struct Opened {
    name: String,
    mac: Mac,
    address: Cell<Ipv6Addr>,
    hears: Hears,
}

/// Which frames the socket receives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Hears {
    /// Frames for a station with the role's address.
    Station,
    /// All frames that the interface receives.
    All,
    /// All frames that the interface receives, and those that other programs of this machine send; each with
    /// its time.
    Mirror,
}

/// Counts so far. The kernel resets its own counters when they are read, and they end with the socket.
#[derive(Clone, Copy, Debug, Default)]
struct Counted {
    passed: u64,
    dropped: u64,
    /// Frames on the interface up to the time when it was last opened.
    on_interface: u64,
    /// The interface's own counter at that time.
    interface_began: Option<u64>,
}

/// Options of packet(7) and socket(7) for which nix has no names. Its macro contains the `unsafe` system
/// call, which is sound because the types are those that the kernel reads and writes, and a filter's program
/// lives until the call returns.
#[derive(Clone)]
struct AddMembership;
#[derive(Clone)]
struct IgnoreOutgoing;
#[derive(Clone)]
struct NetworkHeader;
#[derive(Clone)]
struct AttachFilter;
#[derive(Clone, Copy)]
struct Statistics;

/// `linux/if_packet.h`; libc does not have it.
const PACKET_STATISTICS: libc::c_int = 6;
/// `struct tpacket_stats`: frames that passed the filter, including dropped ones; dropped frames.
type PacketStatistics = [libc::c_uint; 2];

nix::setsockopt_impl!(
    AddMembership,
    libc::SOL_PACKET,
    libc::PACKET_ADD_MEMBERSHIP,
    libc::packet_mreq,
    SetStruct<'_, libc::packet_mreq>
);
nix::setsockopt_impl!(
    IgnoreOutgoing,
    libc::SOL_PACKET,
    libc::PACKET_IGNORE_OUTGOING,
    libc::c_int,
    SetStruct<'_, libc::c_int>
);
nix::setsockopt_impl!(
    NetworkHeader,
    libc::SOL_PACKET,
    libc::PACKET_VNET_HDR,
    libc::c_int,
    SetStruct<'_, libc::c_int>
);
nix::setsockopt_impl!(
    AttachFilter,
    libc::SOL_SOCKET,
    libc::SO_ATTACH_FILTER,
    sock_fprog,
    SetStruct<'_, sock_fprog>
);
nix::getsockopt_impl!(
    Statistics,
    libc::SOL_PACKET,
    PACKET_STATISTICS,
    PacketStatistics,
    GetStruct<PacketStatistics>
);

/// Size of the header before each frame in bytes (`struct virtio_net_hdr`, `linux/virtio_net.h`).
const HEADER: usize = 10;
/// Flag in its first byte: the checksum is not complete.
const NEEDS_CHECKSUM: u8 = 1;
/// Size of the kernel's receive buffer in bytes, which the kernel doubles for its own needs: two full TCP
/// windows and some hundred small frames (judgement). Frames in a larger buffer would only be older when they
/// are read.
const WAITING: usize = 128 * 1024;

impl PacketSocket {
    /// Size of the largest frame in bytes: a kernel that merges segments delivers up to 64 KiB.
    pub const MAX_FRAME: usize = 64 * 1024 + 64;

    /// Opens a socket on `interface` that also receives frames for `mac`.
    ///
    /// # Errors
    /// [`Error::Privilege`] without the capability `CAP_NET_RAW`; [`Error::Os`] on kernels before 4.20.
    pub fn open(interface: &Interface, mac: Mac, promiscuous: bool) -> Result<Self, Error> {
        Self::hearing(interface, mac, if promiscuous { Hears::All } else { Hears::Station })
    }

    /// Opens a socket for a listener: it receives all frames on the interface, including those that other
    /// programs send, and [`receive_at`](Self::receive_at) returns the kernel's times.
    ///
    /// # Errors
    /// As [`open`](Self::open).
    pub fn for_listener(interface: &Interface, mac: Mac) -> Result<Self, Error> {
        Self::hearing(interface, mac, Hears::Mirror)
    }

    fn hearing(interface: &Interface, mac: Mac, hears: Hears) -> Result<Self, Error> {
        let address = Cell::new(interface.role_address(mac));
        let opened = Opened { name: interface.name().into(), mac, address, hears };
        let socket = opened.open(interface)?;
        let counted =
            Counted { interface_began: Interface::received(interface.name()), ..Counted::default() };
        Ok(Self { socket, opened, claim: None, counted: Cell::new(counted) })
    }

    /// Opens a socket for a role and claims the interface for it: see [`Claim`].
    ///
    /// # Errors
    /// [`Error::Taken`], and as [`open`](Self::open).
    pub fn for_role(interface: &Interface, mac: Mac) -> Result<Self, Error> {
        let claim = Claim::take(interface)?;
        Ok(Self { claim: Some(claim), ..Self::open(interface, mac, false)? })
    }

    /// The next frame, or `None` when no frame waits. A frame longer than the buffer minus ten bytes is cut.
    ///
    /// # Errors
    /// [`Error::Down`] when the interface was switched off or removed; else [`Error::Os`].
    pub fn receive<'b>(&self, buffer: &'b mut [u8]) -> Result<Option<&'b [u8]>, Error> {
        Ok(self.receive_at(buffer)?.map(|timed| timed.frame))
    }

    /// The next frame with its time, or `None` when no frame waits.
    ///
    /// # Errors
    /// As [`receive`](Self::receive).
    pub fn receive_at<'b>(&self, buffer: &'b mut [u8]) -> Result<Option<Timed<'b>>, Error> {
        let received = receive_raw(&self.socket, buffer).map_err(|errno| self.failed("receiving", errno))?;
        let Some((length, at)) = received else { return Ok(None) };
        let Some((header, frame)) = buffer.get_mut(..length).and_then(|all| all.split_at_mut_checked(HEADER))
        else {
            return Ok(Some(Timed { at, frame: &[] }));
        };
        complete_checksum(header, frame);
        Ok(Some(Timed { at, frame }))
    }

    /// Sends a frame. `false`: the interface's queue is full and the frame is lost.
    ///
    /// # Errors
    /// As [`receive`](Self::receive).
    pub fn send(&self, frame: &[u8]) -> Result<bool, Error> {
        let message = [IoSlice::new(&[0; HEADER]), IoSlice::new(frame)];
        loop {
            match sendmsg::<()>(self.socket.as_raw_fd(), &message, &[], MsgFlags::empty(), None) {
                Ok(_) => return Ok(true),
                Err(Errno::EAGAIN | Errno::ENOBUFS) => return Ok(false),
                Err(Errno::EINTR) => {}
                Err(errno) => return Err(self.failed("sending", errno)),
            }
        }
    }

    fn failed(&self, what: &'static str, errno: Errno) -> Error {
        match errno {
            Errno::ENETDOWN | Errno::ENXIO | Errno::ENODEV => Error::Down(self.opened.name.clone()),
            errno => Error::Os { what, errno },
        }
    }

    /// Adds the kernel's counts since the last call.
    fn count(&self) -> Counted {
        let mut counted = self.counted.get();
        if let Ok([passed, dropped]) = getsockopt(&self.socket, Statistics) {
            counted.passed += u64::from(passed);
            counted.dropped += u64::from(dropped);
        }
        self.counted.set(counted);
        counted
    }

    /// Frames on the interface since it was first opened; `None` if the interface was removed in between.
    fn on_interface(&self, counted: Counted) -> Option<u64> {
        let now = Interface::received(&self.opened.name)?;
        Some(counted.on_interface + now.saturating_sub(counted.interface_began?))
    }
}

impl Port for PacketSocket {
    fn receive<'b>(&self, buffer: &'b mut [u8]) -> Result<Option<&'b [u8]>, Error> {
        Self::receive(self, buffer)
    }

    fn send(&self, frame: &[u8]) -> Result<bool, Error> {
        Self::send(self, frame)
    }

    /// The interface may be another one of the same name.
    fn reopen(&mut self) -> Result<(), Error> {
        let interface = Interface::find(&self.opened.name)?;
        let socket = self.opened.open(&interface)?;
        if self.claim.take().is_some() {
            self.claim = Some(Claim::take(&interface)?);
        }
        let counted = self.count();
        let on_interface = self.on_interface(counted).unwrap_or(counted.on_interface);
        let interface_began = Interface::received(&self.opened.name);
        self.counted.set(Counted { on_interface, interface_began, ..counted });
        self.socket = socket;
        Ok(())
    }

    fn hear(&self, address: Ipv6Addr) -> Result<(), Error> {
        self.opened.address.set(address);
        self.opened.filter(&self.socket)
    }

    fn statistics(&self) -> PortStatistics {
        let counted = self.count();
        PortStatistics {
            on_interface: self.on_interface(counted),
            passed: counted.passed,
            dropped: counted.dropped,
        }
    }
}

impl Opened {
    fn open(&self, interface: &Interface) -> Result<OwnedFd, Error> {
        let flags = SockFlag::SOCK_NONBLOCK | SockFlag::SOCK_CLOEXEC;
        let socket =
            socket(AddressFamily::Packet, SockType::Raw, flags, SockProtocol::EthAll).map_err(|errno| {
                match errno {
                    Errno::EPERM | Errno::EACCES => Error::privilege(),
                    errno => Error::Os { what: "opening a raw socket", errno },
                }
            })?;
        // Until it is bound the socket receives from all interfaces. So the first filter drops everything,
        // frames that arrived earlier are discarded, and only the bound socket has its own filter.
        attach(&socket, &mut filter::nothing())?;
        let mut buffer = [0; 64];
        while receive_raw(&socket, &mut buffer).map_err(Error::os("receiving"))?.is_some() {}
        if self.hears == Hears::Mirror {
            setsockopt(&socket, ReceiveTimestampns, &true).map_err(Error::os("asking for times"))?;
        } else {
            setsockopt(&socket, IgnoreOutgoing, &1)
                .map_err(Error::os("leaving out own frames (Linux 4.20 or newer)"))?;
        }
        setsockopt(&socket, NetworkHeader, &1).map_err(Error::os("asking for checksum states"))?;
        setsockopt(&socket, RcvBuf, &WAITING).map_err(Error::os("bounding the receive buffer"))?;
        bind(socket.as_raw_fd(), &interface.link).map_err(Error::os("binding to the interface"))?;
        if self.mac != interface.mac() {
            join(&socket, interface, libc::PACKET_MR_UNICAST, self.mac)?;
        }
        if self.hears != Hears::Station {
            join(&socket, interface, libc::PACKET_MR_PROMISC, Mac([0; 6]))?;
        }
        // Discovery and neighbour solicitations go to multicast groups, which some drivers filter out.
        join(&socket, interface, libc::PACKET_MR_ALLMULTI, Mac([0; 6]))?;
        // Reading the counters resets them to zero.
        let _ = getsockopt(&socket, Statistics);
        self.filter(&socket)?;
        Ok(socket)
    }

    fn filter(&self, socket: &OwnedFd) -> Result<(), Error> {
        let mut program = if self.hears == Hears::Station {
            filter::station(self.mac, solicited_group(self.address.get()))
        } else {
            filter::everything()
        };
        attach(socket, &mut program)
    }
}

/// The group of neighbour solicitations for an address (RFC 4291 2.7.1), as an Ethernet address (RFC 2464 7).
fn solicited_group(address: Ipv6Addr) -> Mac {
    let [.., a, b, c] = address.octets();
    Mac([0x33, 0x33, 0xFF, a, b, c])
}

fn attach(socket: &OwnedFd, program: &mut [sock_filter]) -> Result<(), Error> {
    let len = u16::try_from(program.len()).unwrap_or(u16::MAX);
    let program = sock_fprog { len, filter: program.as_mut_ptr() };
    setsockopt(socket, AttachFilter, &program).map_err(Error::os("filtering frames"))
}

/// Receives header and frame, and the kernel's time if enabled; `None` when no frame waits.
fn receive_raw(socket: &OwnedFd, buffer: &mut [u8]) -> Result<Option<(usize, Option<Duration>)>, Errno> {
    let mut space = nix::cmsg_space!(TimeSpec);
    loop {
        let mut parts = [IoSliceMut::new(&mut *buffer)];
        match recvmsg::<()>(socket.as_raw_fd(), &mut parts, Some(&mut space), MsgFlags::empty()) {
            Ok(message) => {
                let at = message.cmsgs()?.find_map(|control| match control {
                    ControlMessageOwned::ScmTimestampns(at) => Some(Duration::from(at)),
                    _ => None,
                });
                return Ok(Some((message.bytes, at)));
            }
            Err(Errno::EAGAIN) => return Ok(None),
            Err(Errno::EINTR) => {}
            Err(errno) => return Err(errno),
        }
    }
}

impl AsFd for PacketSocket {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }
}

fn join(socket: &OwnedFd, interface: &Interface, kind: libc::c_int, mac: Mac) -> Result<(), Error> {
    let mut address = [0; 8];
    address.iter_mut().zip(mac.0).for_each(|(place, byte)| *place = byte);
    let request = libc::packet_mreq {
        mr_ifindex: i32::try_from(interface.index()).unwrap_or_default(),
        mr_type: u16::try_from(kind).unwrap_or_default(),
        mr_alen: 6,
        mr_address: address,
    };
    setsockopt(socket, AddMembership, &request).map_err(Error::os("entering the role's MAC address"))
}

/// Completes the checksum of a frame from the kernel of this machine (a peer in another network namespace, on
/// a veth pair). The kernel leaves it to hardware that a veth pair does not have; the role would drop the
/// frame.
///
/// The checksum field already contains the sum of the pseudo header. The header contains the start of the
/// summed bytes and the offset of the result.
fn complete_checksum(header: &[u8], frame: &mut [u8]) {
    let &[flags, _, _, _, _, _, start_low, start_high, offset_low, offset_high] = header else { return };
    if flags & NEEDS_CHECKSUM == 0 {
        return;
    }
    let start = usize::from(u16::from_ne_bytes([start_low, start_high]));
    let field = start + usize::from(u16::from_ne_bytes([offset_low, offset_high]));
    let sum = ones_complement_sum(frame.get(start..).unwrap_or_default());
    // UDP: zero means no checksum, and all ones is the same number.
    let checksum = if sum == 0xFFFF { 0xFFFF } else { !sum };
    if let Some(place) = frame.get_mut(field..field + 2) {
        place.copy_from_slice(&checksum.to_be_bytes());
    }
}

fn ones_complement_sum(bytes: &[u8]) -> u16 {
    let mut sum: u32 = 0;
    for pair in bytes.chunks(2) {
        let word = match *pair {
            [high, low] => u16::from_be_bytes([high, low]),
            [high] => u16::from_be_bytes([high, 0]),
            _ => 0,
        };
        sum += u32::from(word);
        sum = (sum & 0xFFFF) + (sum >> 16);
    }
    u16::try_from(sum).unwrap_or(u16::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_checksum_left_to_the_hardware_is_completed() {
        // Two bytes in front, then the field with the sum of the pseudo header (0x1234), then 0x0102, 0x03.
        let mut frame = [9, 9, 0x12, 0x34, 0x01, 0x02, 0x03];
        let mut header = [0; HEADER];
        header[6..8].copy_from_slice(&2_u16.to_ne_bytes());
        let untouched = frame;
        complete_checksum(&header, &mut frame);
        assert_eq!(frame, untouched, "the flag is not set");
        header[0] = NEEDS_CHECKSUM;
        complete_checksum(&header, &mut frame);
        assert_eq!(frame[2..4], (!(0x1234_u16 + 0x0102 + 0x0300)).to_be_bytes());
    }

    #[test]
    fn a_nonsensical_header_ends_nothing() {
        let mut header = [0xFF; HEADER];
        header[0] = NEEDS_CHECKSUM;
        complete_checksum(&header, &mut [1, 2, 3]);
        complete_checksum(&header[..4], &mut [1, 2, 3]);
    }
}
