use core::net::Ipv6Addr;

use evse_fsm::Closed;
use modem::ModemEvent;
use sdp::{Endpoint, ServerEvent};
use v2gtp::PayloadType;

use crate::net::Mac;
use crate::stream::{StreamError, Told};

/// An event of a charger, with its connector.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct EvseEvent {
    /// The connector's number as configured.
    pub connector: u8,
    /// What happened.
    pub what: Happening,
}

/// The event of a charger.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Happening {
    /// Of the session or the plant.
    Session(evse_fsm::Event),
    /// Of the modem.
    Modem(ModemEvent),
    /// Of the matching.
    Slac(slac::Event),
    /// Of discovery.
    Discovery(ServerEvent),
    /// From now on only frames of this station are accepted.
    Serving(Mac),
    /// The car has our address, too: from now on ours is this one.
    AddressTaken(Ipv6Addr),
    /// The car's time has expired or its connection is closed: the next car can be served.
    Free,
    /// A car's TCP connection is open.
    Connected(Endpoint),
    /// A connection has ended.
    Disconnected(Closed),
    /// A connection was refused: another one is being served.
    Refused(Endpoint),
    /// A discovery request or a connection of a station other than the served one was ignored.
    OtherStation(Mac),
    /// A frame was dropped: responses wait in [`poll_transmit`](machine::Machine::poll_transmit). No frame is
    /// received until they are fetched.
    Overrun,
    /// A message with an unknown payload type was skipped.
    Skipped(PayloadType),
    /// The car's bytes are invalid: the connection is being closed.
    Broken(StreamError),
}

impl From<Told> for Happening {
    fn from(told: Told) -> Self {
        match told {
            Told::Skipped(payload_type) => Self::Skipped(payload_type),
            Told::Broken(error) => Self::Broken(error),
            Told::Disconnected(closed) => Self::Disconnected(closed),
        }
    }
}
