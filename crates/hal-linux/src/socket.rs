use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};

use nix::errno::Errno;
use nix::sys::socket::sockopt::SetStruct;
use nix::sys::socket::{
    AddressFamily, MsgFlags, SockFlag, SockProtocol, SockType, bind, recv, send, setsockopt, socket,
};

use roles::Mac;

use crate::{Error, Interface};

/// An `AF_PACKET` socket on one interface: whole Ethernet frames in both directions, never those that this
/// machine sends.
///
/// Frames for the role's MAC address, for groups and for all reach it; promiscuous, all that the interface
/// sees. Nothing waits: what cannot be done at once is told.
#[derive(Debug)]
pub struct PacketSocket {
    socket: OwnedFd,
    name: String,
}

/// Options of packet(7) that nix has no names for. Its macro holds the `unsafe` of the system call, which is
/// sound because the types are those that the kernel reads.
#[derive(Clone)]
struct AddMembership;
#[derive(Clone)]
struct IgnoreOutgoing;
#[derive(Clone)]
struct NetworkHeader;

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

/// The header in front of each frame (`struct virtio_net_hdr`, `linux/virtio_net.h`).
const HEADER: usize = 10;
/// In its first byte: the checksum is still to be completed.
const NEEDS_CHECKSUM: u8 = 1;

impl PacketSocket {
    /// The largest frame that may come: a kernel that puts segments together gives up to 64 KiB.
    pub const MAX_FRAME: usize = 64 * 1024 + 64;

    /// Opens a socket on `interface` that receives frames for `mac` too.
    ///
    /// # Errors
    /// [`Error::Privilege`] without the capability `CAP_NET_RAW`; [`Error::Os`] on kernels before 4.20.
    pub fn open(interface: &Interface, mac: Mac, promiscuous: bool) -> Result<Self, Error> {
        let flags = SockFlag::SOCK_NONBLOCK | SockFlag::SOCK_CLOEXEC;
        let socket =
            socket(AddressFamily::Packet, SockType::Raw, flags, SockProtocol::EthAll).map_err(|errno| {
                match errno {
                    Errno::EPERM | Errno::EACCES => Error::privilege(),
                    errno => Error::Os { what: "opening a raw socket", errno },
                }
            })?;
        setsockopt(&socket, IgnoreOutgoing, &1)
            .map_err(Error::os("leaving out own frames (Linux 4.20 or newer)"))?;
        setsockopt(&socket, NetworkHeader, &1).map_err(Error::os("asking for checksum states"))?;
        bind(socket.as_raw_fd(), &interface.link).map_err(Error::os("binding to the interface"))?;
        if mac != interface.mac() {
            join(&socket, interface, libc::PACKET_MR_UNICAST, mac)?;
        }
        if promiscuous {
            join(&socket, interface, libc::PACKET_MR_PROMISC, Mac([0; 6]))?;
        }
        // Discovery and neighbour solicitations come to groups: some drivers filter these, too.
        join(&socket, interface, libc::PACKET_MR_ALLMULTI, Mac([0; 6]))?;
        let opened = Self { socket, name: interface.name().into() };
        opened.forget_earlier_frames()?;
        Ok(opened)
    }

    /// Before it was bound, the socket received from all interfaces.
    fn forget_earlier_frames(&self) -> Result<(), Error> {
        let mut buffer = [0; 64];
        while self.receive_raw(&mut buffer)?.is_some() {}
        Ok(())
    }

    /// The next frame, or `None` when there is none now. A frame longer than the buffer less ten bytes is
    /// cut.
    ///
    /// # Errors
    /// [`Error::Down`] when the interface was switched off or is gone; other [`Error::Os`].
    pub fn receive<'b>(&self, buffer: &'b mut [u8]) -> Result<Option<&'b [u8]>, Error> {
        let Some(length) = self.receive_raw(buffer)? else { return Ok(None) };
        let Some((header, frame)) = buffer.get_mut(..length).and_then(|all| all.split_at_mut_checked(HEADER))
        else {
            return Ok(Some(&[]));
        };
        complete_checksum(header, frame);
        Ok(Some(frame))
    }

    fn receive_raw(&self, buffer: &mut [u8]) -> Result<Option<usize>, Error> {
        loop {
            match recv(self.socket.as_raw_fd(), buffer, MsgFlags::empty()) {
                Ok(length) => return Ok(Some(length)),
                Err(Errno::EAGAIN) => return Ok(None),
                Err(Errno::EINTR) => {}
                Err(Errno::ENETDOWN | Errno::ENXIO | Errno::ENODEV) => {
                    return Err(Error::Down(self.name.clone()));
                }
                Err(errno) => return Err(Error::Os { what: "receiving", errno }),
            }
        }
    }

    /// Sends a frame. `false`: the interface's queue is full and the frame is lost, as on any wire.
    ///
    /// # Errors
    /// As [`receive`](Self::receive).
    pub fn send(&self, frame: &[u8]) -> Result<bool, Error> {
        let message = [&[0; HEADER], frame].concat();
        loop {
            match send(self.socket.as_raw_fd(), &message, MsgFlags::empty()) {
                Ok(_) => return Ok(true),
                Err(Errno::EAGAIN | Errno::ENOBUFS) => return Ok(false),
                Err(Errno::EINTR) => {}
                Err(Errno::ENETDOWN | Errno::ENXIO | Errno::ENODEV) => {
                    return Err(Error::Down(self.name.clone()));
                }
                Err(errno) => return Err(Error::Os { what: "sending", errno }),
            }
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
        mr_ifindex: i32::try_from(interface.link.ifindex()).unwrap_or_default(),
        mr_type: u16::try_from(kind).unwrap_or_default(),
        mr_alen: 6,
        mr_address: address,
    };
    setsockopt(socket, AddMembership, &request).map_err(Error::os("entering the role's MAC address"))
}

/// Completes the checksum of a frame from this machine's own kernel (a peer in a network namespace behind
/// a veth pair): it leaves that to a hardware that is not there, and the role would drop the frame.
///
/// The checksum field holds the sum of the pseudo header already; the header names where to begin and
/// where the result goes.
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
