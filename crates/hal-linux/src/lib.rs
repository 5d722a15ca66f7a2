//! Linux underneath the protocol roles: frames, clock, chance, an event loop, recordings.
//!
//! # A role beside the kernel
//! A role has its own TCP/IP on an interface where the kernel has one too. They must not meet: the kernel
//! would answer neighbour solicitations for the role's address with nothing, and its TCP segments with RST.
//! So the role is a station of its own: [`Interface::role_mac`] is a locally administered MAC address that
//! differs from the interface's, and with it the link-local address made from it differs
//! from the kernel's.
//!
//! * Frames to the role's MAC are to the kernel frames for another host: it drops them before IP, so it
//!   neither answers, nor forwards, nor resets. Multicast (discovery, neighbour solicitation) reaches both;
//!   the kernel finds that the address asked for is not its own, or that nobody listens on the port, and
//!   keeps still.
//! * For the frames to reach the socket, the MAC is entered into the interface's list of unicast
//!   addresses (`PACKET_MR_UNICAST`); the kernel makes the interface promiscuous by itself where its
//!   hardware has no such list, and both end with the socket.
//! * The same MAC with a second link-local address was the alternative: then the kernel takes each segment
//!   as its own, fails to find the address and, with forwarding on, would send ICMP errors. And a modem
//!   that learns stations by MAC address cannot tell the two apart.
//! * Where a switch, access point or virtual network accepts only the interface's own MAC, give the role
//!   that one ([`PacketSocket::open`] takes any), with the address that
//!   [`Interface::role_address`] gives then, and keep IPv6 off on the interface:
//!   `sysctl net.ipv6.conf.IFACE.disable_ipv6=1`.
//!
//! # Example
//! ```no_run
//! use hal_linux::{Interface, PacketSocket};
//!
//! let interface = Interface::find("eth1")?;
//! let socket = PacketSocket::open(&interface, interface.role_mac(), false)?;
//! let mut buffer = vec![0; PacketSocket::MAX_FRAME];
//! while let Some(frame) = socket.receive(&mut buffer)? {
//!     println!("{} bytes", frame.len());
//! }
//! # Ok::<(), hal_linux::Error>(())
//! ```
#![forbid(unsafe_code)]

mod claim;
mod clock;
mod error;
mod filter;
mod interface;
mod notify;
mod plant;
mod recorder;
mod role;
mod runner;
mod signals;
mod socket;
mod state;
mod threaded;
mod wait;
mod waker;

pub use claim::Claim;
pub use clock::{Clock, OsEntropy};
pub use error::Error;
pub use interface::{Interface, InterfaceState};
pub use notify::Notify;
pub use plant::{Demanded, Heartbeat, NothingReal, PlantBackend, PlantFault, Simulated, SimulatedBackend};
pub use recorder::{Direction, Recorder};
pub use role::{Port, PortStatistics, Role};
pub use runner::{Budget, Counters, Happening, Observer, Outcome, Runner};
pub use signals::{Signals, Wish};
pub use socket::{PacketSocket, Timed};
pub use state::{Keeper, Kept, StateFile};
pub use threaded::{Snapshot, Threaded};
pub use wait::wait;
pub use waker::Waker;
