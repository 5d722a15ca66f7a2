//! The Linux adapter of the protocol roles: frames, clock, random bytes, an event loop, recordings.
//!
//! | part | purpose |
//! |---|---|
//! | [`Runner`] | the event loop of a role |
//! | [`PacketSocket`], [`Interface`], [`Claim`] | raw Ethernet frames on one interface |
//! | [`PlantBackend`], [`Threaded`], [`Simulated`] | the physical side: sensors and outputs |
//! | [`StateFile`], [`Keeper`] | a latch that outlives the program |
//! | [`Signals`], [`Notify`], [`Waker`] | requests of users, of the service manager, of other threads |
//! | [`Recorder`] | pcapng files |
//!
//! # A role next to the kernel
//! A role has its own TCP/IP stack on an interface where the kernel also has one. They must not interfere:
//! the kernel has no socket for the role's connections, and would answer the role's TCP segments with RST. So
//! the role is a separate station: [`Interface::role_mac`] is a locally administered MAC address that differs
//! from the interface's. The link-local address made from it differs from the kernel's.
//!
//! * To the kernel, frames to the role's MAC are for another host. It drops them before IP, so it
//!   neither answers, nor forwards, nor resets. Multicast (discovery, neighbour solicitation) reaches both.
//!   The kernel does not answer it: the requested address is not its own, or no socket has the port.
//! * For the socket to receive its frames, the MAC is entered into the interface's list of unicast
//!   addresses (`PACKET_MR_UNICAST`). The kernel makes the interface promiscuous if its hardware has no
//!   such list. Both end with the socket.
//! * The rejected alternative is the interface's MAC with a second link-local address. The kernel then
//!   accepts each segment, does not find the address and, with forwarding on, sends ICMP errors. And a
//!   modem, which learns stations by MAC address, cannot distinguish the two.
//! * If a switch, access point or virtual network accepts only the interface's own MAC, use that MAC for
//!   the role ([`PacketSocket::open`] accepts any) with the address of [`Interface::role_address`], and
//!   disable IPv6 on the interface: `sysctl net.ipv6.conf.IFACE.disable_ipv6=1`.
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
