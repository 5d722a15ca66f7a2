//! What modem and matching tell, in words.

use modem::ModemEvent;
use session::Checkpoint;
use slac::{Dropped, Event, Failure};

/// An event in words.
pub struct Word {
    /// Its number, where it has one.
    pub checkpoint: Option<Checkpoint>,
    /// The words.
    pub words: String,
}

/// Which end of the cable speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// The charger.
    Evse,
    /// The car.
    Pev,
}

/// What is told of the own modem.
pub fn of_modem(side: Side, event: &ModemEvent) -> Word {
    let (checkpoint, words) = match event {
        ModemEvent::Found { address, profile } => (None, format!("{} at {address}", profile.name)),
        ModemEvent::NotFound => (
            None,
            "none answers: is it powered, is it on this interface? The search goes on; no 5 % without a modem"
                .into(),
        ),
        ModemEvent::Ready { verified } => {
            let number = if side == Side::Evse { Checkpoint::KEY_SET } else { Checkpoint::CAR_KEY_SET };
            let how = if *verified { "it shows the new key" } else { "it took the new key" };
            (Some(number), format!("ready: {how}"))
        }
        ModemEvent::Fault(fault) => (None, format!("{fault}; tried again after a pause")),
        ModemEvent::Silent => (None, "does not answer any more: searching again".into()),
        ModemEvent::OtherKey => (None, "has another key than it was given: set again".into()),
        ModemEvent::Link(true) => (Some(Checkpoint::LINK_UP), "link up".into()),
        ModemEvent::Link(false) => (None, "link down".into()),
        ModemEvent::Malformed => (None, "sent a message that cannot be read".into()),
    };
    Word { checkpoint, words: format!("modem: {words}") }
}

/// What is told of matching.
#[rustfmt::skip] // a table reads best with one row a line
pub fn of_slac(side: Side, event: &Event) -> Word {
    let evse = side == Side::Evse;
    let number = |at_evse, at_pev| Some(if evse { at_evse } else { at_pev });
    let (checkpoint, words) = match *event {
        Event::Asked { car, run_id } => (
            number(Checkpoint::SLAC_PARM_REQ_RECEIVED, Checkpoint::SLAC_PARM_REQ_SENT),
            format!("{car} asks who is there, run {run_id}"),
        ),
        Event::Answered { peer } => (Some(Checkpoint::SLAC_PARM_CNF_RECEIVED), format!("{peer} answers")),
        Event::Announced { car, sounds } => (Some(Checkpoint::START_ATTEN_CHAR), format!("{car} announces {sounds} sounds")),
        Event::Sounded { sounds } => (Some(Checkpoint::MNBC_SOUND), format!("{sounds} sounds sent")),
        Event::Measured { peer, sounds, mean_cdb } => (
            number(Checkpoint::ATTEN_CHAR_SENT, Checkpoint::ATTEN_CHAR_RECEIVED),
            format!("{peer}: {}.{:02} dB over {sounds} sounds", mean_cdb / 100, mean_cdb % 100),
        ),
        Event::Unmeasured { peer } => (Some(Checkpoint::ATTEN_CHAR_RECEIVED), format!("{peer}: its modem does not measure")),
        Event::NoneMeasured { peer } => (
            None,
            format!("warning: no charger that measures is left, so {peer} is tried: its modem does not measure, and it may be another post's"),
        ),
        Event::SetAside { peer, instead } => (
            None,
            format!("warning: {peer} led nowhere within the last minute, so {instead} is tried before it"),
        ),
        Event::Synthesised { peer } => (
            Some(Checkpoint::ATTEN_PROFILE),
            format!("the modem reports no attenuation profile; sending synthetic values to {peer}"),
        ),
        Event::Acknowledged { peer } => (Some(Checkpoint::ATTEN_CHAR_RSP), format!("{peer} has the report")),
        Event::Chosen { peer } => (Some(Checkpoint::SLAC_MATCH_REQ), format!("{peer} {}", if evse { "chooses this charger" } else { "is chosen" })),
        Event::Validated { peer, result } => (None, format!("validation with {peer}: {result:?}")),
        Event::KeyGiven { peer } => (
            number(Checkpoint::SLAC_MATCH_CNF_SENT, Checkpoint::SLAC_MATCH_CNF_RECEIVED),
            format!("key {} {peer}", if evse { "given to" } else { "got from" }),
        ),
        Event::Matched { peer } => (None, format!("matched with {peer}")),
        Event::Left => (None, "left; a new key is drawn".into()),
        Event::Failed(failure) => (None, format!("failed: {}", of_failure(failure))),
        Event::GaveUp if evse => (None, "gave up for a minute; pull the plug and put it in again to try sooner".into()),
        Event::GaveUp => (None, "gave up until the next 5 % PWM offer".into()),
        Event::Crowded => (None, "more cars ask than can be measured; those that sound come first".into()),
        Event::Dropped { from, why } => (None, format!("dropped a frame of {from}: {}", of_dropped(why))),
    };
    Word { checkpoint, words: format!("slac: {words}") }
}

fn of_failure(failure: Failure) -> String {
    match failure {
        Failure::NoPeer => "no station answered".into(),
        Failure::NoSound { car } => format!("{car} was not heard"),
        Failure::NoMeasurement { car } => format!("implausible measurements of {car}"),
        Failure::NoReport => "no charger reported".into(),
        Failure::TooWeak => "every charger is too far away".into(),
        Failure::NotAcknowledged { car } => format!("{car} does not acknowledge its report"),
        Failure::NoMatch { peer } => format!("no match with {peer}"),
        Failure::NotValidated { peer } => format!("validation with {peer}"),
        Failure::NoLink { peer } => format!("no link to {peer} in time"),
        Failure::NoSession { peer } => format!("no session over the link to {peer}"),
        Failure::LinkLost { peer } => format!("the link to {peer} is lost"),
        Failure::Asked => "started again on request".into(),
    }
}

fn of_dropped(why: Dropped) -> String {
    match why {
        Dropped::Fault(fault) => fault.to_string(),
        Dropped::Foreign => "it names another run or station than its own".into(),
        Dropped::OutOfOrder => "out of order".into(),
        Dropped::Repeated => "a second report: the first one counts".into(),
        Dropped::Unasked => "not asked for".into(),
        Dropped::Implausible => "a report without a plausible measurement".into(),
    }
}

/// Why a car dropped an answer.
pub fn of_dropped_answer(dropped: pev_fsm::Dropped) -> String {
    use pev_fsm::Dropped;
    match dropped {
        Dropped::NotAsked => "a message that answers nothing".into(),
        Dropped::PayloadType(payload_type) => format!("a message of payload type 0x{payload_type:04X}"),
        Dropped::Undecodable { bit } => format!("a message that does not decode at bit {bit}"),
        Dropped::NotEncoded(name) => format!("{name}: has a value that cannot be encoded"),
        Dropped::Connection => {
            "a connection: a fault is latched, the driver has stopped, or the battery says nothing".into()
        }
    }
}

/// What a car warns of.
pub fn of_car_warning(warning: pev_fsm::Warning) -> String {
    use pev_fsm::Warning;
    match warning {
        Warning::PrechargeByReport => "the contactors close by the charger's word alone".into(),
        Warning::UnlockWithoutMeasurement => {
            "the lock opens without a measurement of what is behind it".into()
        }
        Warning::Quirk(id) => format!("quirk {id} was needed"),
        Warning::Disagreement => "inlet and charger's report disagree: the contactors stay open".into(),
        Warning::IsolationLow => "the isolation is low; charging goes on".into(),
        Warning::NoCurrent => "the charger gives no current although it was asked for a minute".into(),
        Warning::SlowDischarge => {
            "60 V or more at the inlet, or unknown, a second after the end: do not touch the pins".into()
        }
        Warning::WeldSuspected => "voltage behind open contactors, or none known: one may be welded".into(),
        Warning::Unanswered(name) => {
            format!("{name} was refused or not answered while the session was being ended")
        }
    }
}

/// That contactors were opened under load.
pub fn of_emergency_opening(current_ma: Option<i32>) -> String {
    match current_ma {
        Some(ma) => {
            format!("emergency opening: the contactors opened at {}.{} A", ma / 1000, (ma / 100 % 10).abs())
        }
        None => "emergency opening: the contactors opened at an unknown current".into(),
    }
}

/// The other side has the same address.
pub fn of_taken_address(address: std::net::Ipv6Addr) -> String {
    format!("the other side has our address, too: ours is [{address}] from now on")
}
