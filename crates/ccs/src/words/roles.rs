//! What charger and car report beside their sessions, in words.

use roles::{Happening, PevEvent};
use sdp::{ClientEvent, Security, ServerEvent};
use session::Checkpoint;

use super::{Side, Word};

/// An event of a charger in words, where it is not its session's.
pub fn of_charger(what: &Happening) -> Option<Word> {
    let word = |checkpoint, words: String| Some(Word { checkpoint, words });
    match what {
        Happening::Session(_) | Happening::Free => None,
        Happening::Modem(event) => Some(super::of_modem(Side::Evse, event)),
        Happening::Slac(event) => Some(super::of_slac(Side::Evse, event)),
        Happening::Discovery(event) => Some(discovery(event)),
        Happening::Serving(mac) => word(None, format!("serving the car at {mac}")),
        Happening::Connected(peer) => {
            let peer = format!("connected: [{}]:{}", peer.address, peer.port);
            word(Some(Checkpoint::TCP_CONNECTED), peer)
        }
        Happening::Disconnected(closed) => word(None, format!("disconnected: {}", closed.name())),
        Happening::Refused(peer) => {
            word(None, format!("refused a second connection from [{}]:{}", peer.address, peer.port))
        }
        Happening::AddressTaken(address) => word(None, super::of_taken_address(*address)),
        Happening::Skipped(payload_type) => word(None, format!("skipped a message of type {payload_type}")),
        Happening::Broken(error) => word(None, format!("the connection makes no sense: {error}")),
        Happening::OtherStation(mac) => word(None, format!("ignored {mac}: another car is being served")),
        Happening::Overrun => word(None, "a frame was dropped: answers were not taken in time".into()),
    }
}

fn discovery(event: &ServerEvent) -> Word {
    let security = |security: &Security| match *security {
        Security::TLS => "TLS".to_owned(),
        Security::NONE => "no TLS".to_owned(),
        Security(other) => format!("security 0x{other:02X}"),
    };
    let (checkpoint, words) = match event {
        ServerEvent::Answered { from, asked, given } => (
            Some(Checkpoint::DISCOVERY_RES_SENT),
            format!("[{}] asks for {} and gets {}", from.address, security(asked), security(given)),
        ),
        ServerEvent::Unanswered { from, why } => (None, format!("[{}] gets no answer: {why}", from.address)),
        ServerEvent::Expired => (None, "its time is over".into()),
    };
    Word { checkpoint, words: format!("discovery: {words}") }
}

/// An event of a car in words, where it is not its session's.
pub fn of_car(event: &PevEvent) -> Option<Word> {
    let word = |checkpoint, words: String| Some(Word { checkpoint, words });
    match event {
        PevEvent::Session(_) => None,
        PevEvent::Modem(event) => Some(super::of_modem(Side::Pev, event)),
        PevEvent::Slac(event) => Some(super::of_slac(Side::Pev, event)),
        PevEvent::Discovery(ClientEvent::Found(found)) => word(
            Some(Checkpoint::DISCOVERY_RES_RECEIVED),
            format!("discovery: the charger is at [{}]:{}", found.address, found.port),
        ),
        PevEvent::Discovery(ClientEvent::Ignored { from, why }) => {
            word(None, format!("discovery: ignored what [{}] says: {why}", from.address))
        }
        PevEvent::Discovery(ClientEvent::NoAnswer) => word(None, "discovery: no answer".into()),
        PevEvent::Serving(mac) => word(None, format!("the charger is {mac}")),
        PevEvent::Connecting(peer) => word(None, format!("connecting to [{}]:{}", peer.address, peer.port)),
        PevEvent::Connected(peer) => {
            word(Some(Checkpoint::TCP_CONNECTED), format!("connected: [{}]:{}", peer.address, peer.port))
        }
        PevEvent::Disconnected(closed) => word(None, format!("disconnected: {}", closed.name())),
        PevEvent::NoConnection(peer) => {
            word(None, format!("no connection to [{}]:{}; asking again", peer.address, peer.port))
        }
        PevEvent::Overrun => word(None, "a frame was dropped: answers were not taken in time".into()),
        PevEvent::AddressTaken(address) => word(None, super::of_taken_address(*address)),
        PevEvent::Skipped(payload_type) => word(None, format!("skipped a message of type {payload_type}")),
        PevEvent::Broken(error) => word(None, format!("the connection makes no sense: {error}")),
    }
}
