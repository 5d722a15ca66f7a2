use core::net::Ipv6Addr;

use evse_fsm::Closed;
use modem::ModemEvent;
use sdp::{Endpoint, ServerEvent};
use v2gtp::PayloadType;

use crate::net::Mac;
use crate::stream::{StreamError, Told};

/// What a charger tells, and which connector it is about.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct EvseEvent {
    /// The connector's number as configured.
    pub connector: u8,
    /// What happened.
    pub what: Happening,
}

/// What happened.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Happening {
    /// In the session or the plant.
    Session(evse_fsm::Event),
    /// With the modem.
    Modem(ModemEvent),
    /// In matching.
    Slac(slac::Event),
    /// In discovery.
    Discovery(ServerEvent),
    /// From now on only this station is heard.
    Serving(Mac),
    /// The car has our address, too: from now on ours is this one.
    AddressTaken(Ipv6Addr),
    /// Its time is over or its connection gone: the next car may come.
    Free,
    /// A car's TCP connection is open.
    Connected(Endpoint),
    /// A connection is over.
    Disconnected(Closed),
    /// A connection was refused: another one is being served.
    Refused(Endpoint),
    /// A discovery request or a connection from another station than the one being served was ignored.
    OtherStation(Mac),
    /// A frame was dropped: replies wait in [`poll_transmit`](machine::Machine::poll_transmit), and nothing
    /// is received until they are taken.
    Overrun,
    /// A message of a payload type without a name was skipped.
    Skipped(PayloadType),
    /// The car's bytes make no sense: the connection is being closed.
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
