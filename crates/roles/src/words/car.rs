//! The text of a car's events.

use core::fmt;

use pev_fsm::{Dropped, Event, Warning};
use sdp::ClientEvent;
use session::{Checkpoint, Direction, Latch};

use super::link::{OfModem, OfSlac};
use super::{OfValues, WARNING, way};
use crate::PevEvent;

/// The text of a car's event.
#[derive(Clone, Copy, Debug)]
pub struct OfCar<'e>(pub &'e PevEvent);

/// The text of an event of a car's session.
#[derive(Clone, Copy, Debug)]
pub struct OfCarSession<'e>(pub &'e Event);

impl OfCar<'_> {
    /// The event's checkpoint, if it has one.
    pub const fn checkpoint(&self) -> Option<Checkpoint> {
        match self.0 {
            PevEvent::Session(event) => OfCarSession(event).checkpoint(),
            PevEvent::Modem(event) => OfModem { at_evse: false, event }.checkpoint(),
            PevEvent::Slac(event) => OfSlac { at_evse: false, event }.checkpoint(),
            PevEvent::Discovery(ClientEvent::Found(_)) => Some(Checkpoint::DISCOVERY_RES_RECEIVED),
            PevEvent::Connected(_) => Some(Checkpoint::TCP_CONNECTED),
            _ => None,
        }
    }

    /// Subject of the line; empty without one.
    pub const fn who(&self) -> &'static str {
        match self.0 {
            PevEvent::Session(event) => OfCarSession(event).who(),
            _ => "",
        }
    }
}

impl OfCarSession<'_> {
    /// The event's checkpoint, if it has one.
    pub const fn checkpoint(&self) -> Option<Checkpoint> {
        match self.0 {
            Event::Checkpoint(checkpoint) => Some(*checkpoint),
            Event::Message(message) => message.checkpoint,
            _ => None,
        }
    }

    /// Subject of the line; empty without one.
    pub const fn who(&self) -> &'static str {
        match self.0 {
            Event::Message(message) => way(matches!(message.direction, Direction::Sent)),
            Event::Latched(Latch::DriverStop) => "",
            Event::Warning(_) | Event::EmergencyOpening { .. } | Event::Latched(_) | Event::Unlatched(_) => {
                WARNING
            }
            _ => "",
        }
    }
}

impl fmt::Display for OfCar<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            PevEvent::Session(event) => OfCarSession(event).fmt(f),
            PevEvent::Modem(event) => OfModem { at_evse: false, event }.fmt(f),
            PevEvent::Slac(event) => OfSlac { at_evse: false, event }.fmt(f),
            PevEvent::Discovery(ClientEvent::Found(found)) => {
                write!(f, "discovery: the charger is at [{}]:{}", found.address, found.port)
            }
            PevEvent::Discovery(ClientEvent::Ignored { from, why }) => {
                write!(f, "discovery: ignored what [{}] says: {why}", from.address)
            }
            PevEvent::Discovery(ClientEvent::NoAnswer) => f.write_str("discovery: no answer"),
            PevEvent::Serving(mac) => write!(f, "the charger is {mac}"),
            PevEvent::Connecting(peer) => write!(f, "connecting to [{}]:{}", peer.address, peer.port),
            PevEvent::Connected(peer) => write!(f, "connected: [{}]:{}", peer.address, peer.port),
            PevEvent::Disconnected(closed) => f.write_str(super::closed(*closed)),
            PevEvent::NoConnection(peer) => {
                write!(f, "no connection to [{}]:{}; asking again", peer.address, peer.port)
            }
            PevEvent::Overrun => f.write_str("a frame was dropped: answers were not taken in time"),
            PevEvent::AddressTaken(address) => {
                write!(f, "the other side has our address, too: ours is [{address}] from now on")
            }
            PevEvent::Skipped(payload_type) => write!(f, "skipped a message of type {payload_type}"),
            PevEvent::Broken(error) => write!(f, "the connection makes no sense: {error}"),
        }
    }
}

impl fmt::Display for OfCarSession<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Event::Message(message) => write!(f, "{}{}", message.name, OfValues(&message.values)),
            Event::Phase(phase) => write!(f, "phase {phase}"),
            Event::Checkpoint(checkpoint) => f.write_str(checkpoint.text()),
            Event::Dropped(dropped) => drop_words(f, *dropped),
            Event::Warning(warning) => warn_words(f, *warning),
            Event::EmergencyOpening { current_ma: Some(ma) } => {
                write!(
                    f,
                    "emergency opening: the contactors opened at {}.{} A",
                    ma / 1000,
                    (ma / 100 % 10).abs()
                )
            }
            Event::EmergencyOpening { current_ma: None } => {
                f.write_str("emergency opening: the contactors opened at an unknown current")
            }
            Event::Latched(Latch::DriverStop) => f.write_str(Latch::DriverStop.advice()),
            Event::Latched(latch) => write!(f, "latched: {}", latch.advice()),
            Event::Unlatched(latch) => write!(f, "released: {}", latch.name()),
            Event::Stopping(reason) => write!(f, "stopping: {reason}"),
            Event::Stopped(reason) => write!(f, "{reason}"),
        }
    }
}

fn drop_words(f: &mut fmt::Formatter<'_>, dropped: Dropped) -> fmt::Result {
    f.write_str("dropped: ")?;
    match dropped {
        Dropped::NotAsked => f.write_str("a message that answers nothing"),
        Dropped::PayloadType(payload_type) => write!(f, "a message of payload type 0x{payload_type:04X}"),
        Dropped::Undecodable { bit } => write!(f, "a message that does not decode at bit {bit}"),
        Dropped::NotEncoded(name) => write!(f, "{name}: has a value that cannot be encoded"),
        Dropped::Connection => f.write_str(
            "a connection: a fault is latched, the driver has stopped, or the battery says nothing",
        ),
    }
}

fn warn_words(f: &mut fmt::Formatter<'_>, warning: Warning) -> fmt::Result {
    let words = match warning {
        Warning::PrechargeByReport => "the contactors close by the charger's word alone",
        Warning::UnlockWithoutMeasurement => {
            "the lock opens without a measurement of the voltage at the inlet"
        }
        Warning::Quirk(id) => return write!(f, "quirk {id} was needed"),
        Warning::Disagreement => "inlet and charger's report disagree: the contactors stay open",
        Warning::IsolationLow => "the isolation is low; charging goes on",
        Warning::NoCurrent => "the charger gives no current although it was asked for a minute",
        Warning::SlowDischarge => {
            "60 V or more at the inlet, or unknown, a second after the end: do not touch the pins"
        }
        Warning::WeldSuspected => "voltage with open contactors, or none known: one may be welded",
        Warning::Unanswered(name) => {
            return write!(f, "{name} was refused or not answered while the session was being ended");
        }
    };
    f.write_str(words)
}
