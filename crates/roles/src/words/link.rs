//! The text of events of modem and matching.

use core::fmt;

use modem::ModemEvent;
use session::Checkpoint;
use slac::{Dropped, Event, Failure};

/// The text of an event of the own modem.
#[derive(Clone, Copy, Debug)]
pub struct OfModem<'e> {
    /// Whether the event is of a charger; otherwise of a car.
    pub at_evse: bool,
    /// The event.
    pub event: &'e ModemEvent,
}

/// The text of an event of the matching.
#[derive(Clone, Copy, Debug)]
pub struct OfSlac<'e> {
    /// Whether the event is of a charger; otherwise of a car.
    pub at_evse: bool,
    /// The event.
    pub event: &'e Event,
}

impl OfModem<'_> {
    /// The event's checkpoint, if it has one.
    pub const fn checkpoint(&self) -> Option<Checkpoint> {
        match self.event {
            ModemEvent::Ready { .. } if self.at_evse => Some(Checkpoint::KEY_SET),
            ModemEvent::Ready { .. } => Some(Checkpoint::CAR_KEY_SET),
            ModemEvent::Link(true) => Some(Checkpoint::LINK_UP),
            _ => None,
        }
    }
}

impl fmt::Display for OfModem<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("modem: ")?;
        let words = match self.event {
            ModemEvent::Found { address, profile } => return write!(f, "{} at {address}", profile.name),
            ModemEvent::Fault(fault) => return write!(f, "{fault}; tried again after a pause"),
            ModemEvent::NotFound => {
                "none answers: is it powered, is it on this interface? The search goes on; no 5 % without a modem"
            }
            ModemEvent::Ready { verified: true } => "ready: it shows the new key",
            ModemEvent::Ready { verified: false } => "ready: it took the new key",
            ModemEvent::Silent => "does not answer any more: searching again",
            ModemEvent::OtherKey => "has another key than it was given: set again",
            ModemEvent::Link(true) => "link up",
            ModemEvent::Link(false) => "link down",
            ModemEvent::Malformed => "sent a message that cannot be read",
        };
        f.write_str(words)
    }
}

impl OfSlac<'_> {
    /// The event's checkpoint, if it has one.
    pub const fn checkpoint(&self) -> Option<Checkpoint> {
        let evse = self.at_evse;
        Some(match self.event {
            Event::Asked { .. } if evse => Checkpoint::SLAC_PARM_REQ_RECEIVED,
            Event::Asked { .. } => Checkpoint::SLAC_PARM_REQ_SENT,
            Event::Answered { .. } => Checkpoint::SLAC_PARM_CNF_RECEIVED,
            Event::Announced { .. } => Checkpoint::START_ATTEN_CHAR,
            Event::Sounded { .. } => Checkpoint::MNBC_SOUND,
            Event::Measured { .. } if evse => Checkpoint::ATTEN_CHAR_SENT,
            Event::Measured { .. } | Event::Unmeasured { .. } => Checkpoint::ATTEN_CHAR_RECEIVED,
            Event::Synthesised { .. } => Checkpoint::ATTEN_PROFILE,
            Event::Acknowledged { .. } => Checkpoint::ATTEN_CHAR_RSP,
            Event::Chosen { .. } => Checkpoint::SLAC_MATCH_REQ,
            Event::KeyGiven { .. } if evse => Checkpoint::SLAC_MATCH_CNF_SENT,
            Event::KeyGiven { .. } => Checkpoint::SLAC_MATCH_CNF_RECEIVED,
            _ => return None,
        })
    }
}

impl fmt::Display for OfSlac<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let evse = self.at_evse;
        f.write_str("slac: ")?;
        match *self.event {
            Event::Asked { car, run_id } => write!(f, "{car} asks who is there, run {run_id}"),
            Event::Answered { peer } => write!(f, "{peer} answers"),
            Event::Announced { car, sounds } => write!(f, "{car} announces {sounds} sounds"),
            Event::Sounded { sounds } => write!(f, "{sounds} sounds sent"),
            Event::Measured { peer, sounds, mean_cdb } => {
                write!(f, "{peer}: {}.{:02} dB over {sounds} sounds", mean_cdb / 100, mean_cdb % 100)
            }
            Event::Unmeasured { peer } => write!(f, "{peer}: its modem does not measure"),
            Event::NoneMeasured { peer } => write!(
                f,
                "warning: no charger that measures is left, so {peer} is tried: its modem does not measure, and it may be another post's"
            ),
            Event::SetAside { peer, instead } => write!(
                f,
                "warning: {peer} led nowhere within the last minute, so {instead} is tried before it"
            ),
            Event::Synthesised { peer } => {
                write!(f, "the modem reports no attenuation profile; sending synthetic values to {peer}")
            }
            Event::Acknowledged { peer } => write!(f, "{peer} has the report"),
            Event::Chosen { peer } if evse => write!(f, "{peer} chooses this charger"),
            Event::Chosen { peer } => write!(f, "{peer} is chosen"),
            Event::Validated { peer, result } => write!(f, "validation with {peer}: {result:?}"),
            Event::KeyGiven { peer } if evse => write!(f, "key given to {peer}"),
            Event::KeyGiven { peer } => write!(f, "key got from {peer}"),
            Event::Matched { peer } => write!(f, "matched with {peer}"),
            Event::Left => f.write_str("left; a new key is drawn"),
            Event::Failed(failure) => write!(f, "failed: {}", Why(failure)),
            Event::GaveUp if evse => {
                f.write_str("gave up for a minute; pull the plug and put it in again to try sooner")
            }
            Event::GaveUp => f.write_str("gave up until the next 5 % PWM offer"),
            Event::Crowded => f.write_str("more cars ask than can be measured; those that sound come first"),
            Event::Dropped { from, why } => {
                write!(f, "dropped a frame of {from}: ")?;
                match why {
                    Dropped::Fault(fault) => write!(f, "{fault}"),
                    Dropped::Foreign => f.write_str("it names another run or station than its own"),
                    Dropped::OutOfOrder => f.write_str("out of order"),
                    Dropped::Repeated => f.write_str("a second report: the first one counts"),
                    Dropped::Unasked => f.write_str("not asked for"),
                    Dropped::Implausible => f.write_str("a report without a plausible measurement"),
                }
            }
        }
    }
}

/// Why an attempt failed.
struct Why(Failure);

impl fmt::Display for Why {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Failure::NoPeer => f.write_str("no station answered"),
            Failure::NoSound { car } => write!(f, "{car} was not heard"),
            Failure::NoMeasurement { car } => write!(f, "implausible measurements of {car}"),
            Failure::NoReport => f.write_str("no charger reported"),
            Failure::TooWeak => f.write_str("every charger is too far away"),
            Failure::NotAcknowledged { car } => write!(f, "{car} does not acknowledge its report"),
            Failure::NoMatch { peer } => write!(f, "no match with {peer}"),
            Failure::NotValidated { peer } => write!(f, "validation with {peer}"),
            Failure::NoLink { peer } => write!(f, "no link to {peer} in time"),
            Failure::NoSession { peer } => write!(f, "no session over the link to {peer}"),
            Failure::LinkLost { peer } => write!(f, "the link to {peer} is lost"),
            Failure::Asked => f.write_str("started again on request"),
        }
    }
}
