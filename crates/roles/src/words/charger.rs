//! The text of a charger's events.

use core::fmt;

use evse_fsm::{Dropped, Event, Warning};
use sdp::{Security, ServerEvent};
use session::{Checkpoint, Direction};

use super::link::{OfModem, OfSlac};
use super::{OfValues, WARNING, way};
use crate::Happening;

/// The text of a charger's event.
#[derive(Clone, Copy, Debug)]
pub struct OfCharger<'e>(pub &'e Happening);

/// The text of an event of a charger's session.
#[derive(Clone, Copy, Debug)]
pub struct OfChargerSession<'e>(pub &'e Event);

impl OfCharger<'_> {
    /// Whether the event has a text.
    pub const fn is_said(&self) -> bool {
        !matches!(self.0, Happening::Free)
    }

    /// The event's checkpoint, if it has one.
    pub const fn checkpoint(&self) -> Option<Checkpoint> {
        match self.0 {
            Happening::Session(event) => OfChargerSession(event).checkpoint(),
            Happening::Modem(event) => OfModem { at_evse: true, event }.checkpoint(),
            Happening::Slac(event) => OfSlac { at_evse: true, event }.checkpoint(),
            Happening::Discovery(ServerEvent::Answered { .. }) => Some(Checkpoint::DISCOVERY_RES_SENT),
            Happening::Connected(_) => Some(Checkpoint::TCP_CONNECTED),
            _ => None,
        }
    }

    /// Subject of the line; empty without one.
    pub const fn who(&self) -> &'static str {
        match self.0 {
            Happening::Session(event) => OfChargerSession(event).who(),
            _ => "",
        }
    }
}

impl OfChargerSession<'_> {
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
            Event::Message(message) => way(matches!(message.direction, Direction::Received)),
            Event::Warning(_) | Event::Latched(_) | Event::Unlatched(_) => WARNING,
            _ => "",
        }
    }
}

impl fmt::Display for OfCharger<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Happening::Session(event) => OfChargerSession(event).fmt(f),
            Happening::Modem(event) => OfModem { at_evse: true, event }.fmt(f),
            Happening::Slac(event) => OfSlac { at_evse: true, event }.fmt(f),
            Happening::Discovery(event) => discovery(f, event),
            Happening::Serving(mac) => write!(f, "serving the car at {mac}"),
            Happening::Free => Ok(()),
            Happening::Connected(peer) => write!(f, "connected: [{}]:{}", peer.address, peer.port),
            Happening::Disconnected(closed) => f.write_str(super::closed(*closed)),
            Happening::Refused(peer) => {
                write!(f, "refused a second connection from [{}]:{}", peer.address, peer.port)
            }
            Happening::AddressTaken(address) => {
                write!(f, "the other side has our address, too: ours is [{address}] from now on")
            }
            Happening::Skipped(payload_type) => write!(f, "skipped a message of type {payload_type}"),
            Happening::Broken(error) => write!(f, "the connection makes no sense: {error}"),
            Happening::OtherStation(mac) => write!(f, "ignored {mac}: another car is being served"),
            Happening::Overrun => f.write_str("a frame was dropped: answers were not taken in time"),
        }
    }
}

impl fmt::Display for OfChargerSession<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Event::Message(message) => write!(f, "{}{}", message.name, OfValues(&message.values)),
            Event::Phase(phase) => write!(f, "phase {phase}"),
            Event::Checkpoint(checkpoint) => f.write_str(checkpoint.text()),
            Event::Dropped(dropped) => drop_words(f, *dropped),
            Event::Warning(warning) => warn_words(f, *warning),
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
        Dropped::NoSession => f.write_str("a message, but there is no session"),
        Dropped::PayloadType(payload_type) => write!(f, "a message of payload type 0x{payload_type:04X}"),
        Dropped::Undecodable { bit } => write!(f, "a message that does not decode at bit {bit}"),
        Dropped::NotARequest(name) => write!(f, "{name}: only a charger sends it"),
        Dropped::Unsupported(name) => write!(f, "{name}: not for DC charging"),
        Dropped::NotEncoded(name) => write!(f, "{name}: has a value that cannot be encoded"),
        Dropped::NotTaken(name) => write!(f, "{name}: the answer before was not sent yet"),
        Dropped::Connection => f.write_str("a connection, before the pilot offers 5 % again"),
    }
}

fn warn_words(f: &mut fmt::Formatter<'_>, warning: Warning) -> fmt::Result {
    let words = match warning {
        Warning::NoPowerStage => "no power stage: sending synthetic values to the car",
        Warning::Quirk(id) => return write!(f, "quirk {id} was needed"),
        Warning::Stalled => "no CurrentDemandReq for a second: 0 A",
        Warning::Impatient(name) => return write!(f, "{name} came before the answer to the one before it"),
        Warning::IsolationLow => "the isolation is low; charging goes on",
        Warning::OpenedUnderCurrent(Some(ma)) => {
            return write!(
                f,
                "the contactors had to open under {} A: the power stage did not stop",
                ma / 1000
            );
        }
        Warning::OpenedUnderCurrent(None) => {
            "the contactors had to open under an unknown current: look at its sensor"
        }
        Warning::StillLive(mv) => {
            return write!(
                f,
                "everything is off and {} V are on the cable: look for welded contactors",
                mv / 1000
            );
        }
        Warning::CarNotReady => "the car is not ready: 0 A until it is",
        Warning::MonitorUnproven => {
            "the isolation monitor has neither a count nor a self-test: one that hangs is not found"
        }
        Warning::ReverseAllowed(ma) => {
            return write!(f, "up to {} A out of the car are allowed by configuration", ma / 1000);
        }
        Warning::ContactorsStillClosed => "the contactors are demanded open and say closed",
    };
    f.write_str(words)
}

fn discovery(f: &mut fmt::Formatter<'_>, event: &ServerEvent) -> fmt::Result {
    f.write_str("discovery: ")?;
    match event {
        ServerEvent::Answered { from, asked, given } => {
            write!(f, "[{}] requests {}, answered with {}", from.address, Wish(*asked), Wish(*given))
        }
        ServerEvent::Unanswered { from, why } => write!(f, "[{}] is not answered: {why}", from.address),
        ServerEvent::Expired => f.write_str("ended: the time for a connection is over"),
    }
}

struct Wish(Security);

impl fmt::Display for Wish {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Security::TLS => f.write_str("TLS"),
            Security::NONE => f.write_str("no TLS"),
            Security(other) => write!(f, "security 0x{other:02X}"),
        }
    }
}
