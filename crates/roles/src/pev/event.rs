use core::net::Ipv6Addr;

use homeplug_mme::Mac;
use modem::ModemEvent;
use sdp::{ClientEvent, Endpoint};
use session::Closed;
use v2gtp::PayloadType;

use crate::stream::{StreamError, Told};

/// What a car tells.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum PevEvent {
    /// In the session or the plant.
    Session(pev_fsm::Event),
    /// With the modem.
    Modem(ModemEvent),
    /// In matching.
    Slac(slac::Event),
    /// In discovery.
    Discovery(ClientEvent),
    /// From now on only this station is heard.
    Serving(Mac),
    /// The charger has our address, too: from now on ours is this one.
    AddressTaken(Ipv6Addr),
    /// The charger is asked for a connection.
    Connecting(Endpoint),
    /// The connection is open.
    Connected(Endpoint),
    /// The connection is over.
    Disconnected(Closed),
    /// The charger takes no connection at the address that it announced.
    NoConnection(Endpoint),
    /// A frame was dropped: replies wait in [`poll_transmit`](machine::Machine::poll_transmit), and nothing
    /// is received until they are taken.
    Overrun,
    /// A message of a payload type without a name was skipped.
    Skipped(PayloadType),
    /// The charger's bytes make no sense: the connection is being closed.
    Broken(StreamError),
}

impl From<Told> for PevEvent {
    fn from(told: Told) -> Self {
        match told {
            Told::Skipped(payload_type) => Self::Skipped(payload_type),
            Told::Broken(error) => Self::Broken(error),
            Told::Disconnected(closed) => Self::Disconnected(closed),
        }
    }
}
