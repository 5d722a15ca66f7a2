//! The network part of a role: one station with IPv6, neighbour discovery, one UDP socket for discovery and
//! one TCP connection, over whole Ethernet frames. It does not depend on sessions.

mod claim;
mod device;
mod filter;
mod fin;
mod guard;
mod neighbour;
mod packet;
mod socket;
mod station;
mod time;

pub use device::MAX_FRAME;
pub use homeplug_mme::Mac;

pub(crate) use claim::Rival;
pub(crate) use filter::{Heard, Ignored, Kind};
pub(crate) use socket::TcpState;
pub(crate) use station::{Ended, Received, Station, StationStorage};
