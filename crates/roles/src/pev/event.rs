use core::net::Ipv6Addr;

use homeplug_mme::Mac;
use modem::ModemEvent;
use sdp::{ClientEvent, Endpoint};
use session::Closed;
use v2gtp::PayloadType;

use crate::stream::{StreamError, Told};

/// An event of a car.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum PevEvent {
    /// Of the session or the plant.
    Session(pev_fsm::Event),
    /// Of the modem.
    Modem(ModemEvent),
    /// Of the matching.
    Slac(slac::Event),
    /// Of discovery.
    Discovery(ClientEvent),
    /// From now on only frames of this station are accepted.
    Serving(Mac),
    /// The charger has our address, too: from now on ours is this one.
    AddressTaken(Ipv6Addr),
    /// The car is opening a connection to the charger.
    Connecting(Endpoint),
    /// The connection is open.
    Connected(Endpoint),
    /// The connection has ended.
    Disconnected(Closed),
    /// The charger accepts no connection at the address that it announced.
    NoConnection(Endpoint),
    /// A frame was dropped: responses wait in [`poll_transmit`](machine::Machine::poll_transmit). No frame is
    /// received until they are fetched.
    Overrun,
    /// A message with an unknown payload type was skipped.
    Skipped(PayloadType),
    /// The charger's bytes are invalid: the connection is being closed.
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
