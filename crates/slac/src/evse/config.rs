//! The charger's configuration, inputs and states.

use homeplug_mme::Mac;
use machine::Duration;

use crate::times::{C_SEQU_RETRY, TT_MATCH_JOIN};

/// Configuration of a charger's matching.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EvseConfig {
    /// The host's address, not the modem's.
    pub mac: Mac,
    /// Response to a car that requests validation.
    pub validation: EvseValidation,
    /// Added to each measured attenuation, for the charger's own receive path; dB.
    pub offset_db: i8,
    /// Reported to a car if the modem does not measure; dB. 9 works for pyPLC's users.
    pub synthetic_db: u8,
    /// Whether announcements later than [`TT_MATCH_SEQUENCE`](crate::times::TT_MATCH_SEQUENCE) are accepted,
    /// and sounds without an announcement: deployed cars are late, and some modems pass one announcement of
    /// three.
    pub lenient: bool,
    /// Time from the key to the link.
    pub match_join: Duration,
    /// Number of times that the pilot returns to steady +12 V if no car begins.
    pub pilot_steps: u8,
}

/// The charger's result in `CM_VALIDATE.CNF`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum EvseValidation {
    /// Not required: the car may request the key immediately.
    #[default]
    NotRequired,
    /// Failure, as in EVerest; the car decides.
    Failure,
    /// The toggles of the pilot are counted; needs [`EvseInput::Ready`].
    Toggles,
}

/// Inputs of an [`Evse`](super::Evse).
#[derive(Clone, Copy, Debug)]
pub enum EvseInput<'a> {
    /// An Ethernet frame.
    Frame(&'a [u8]),
    /// 5 % is offered and a plug is in. Repeated after each pause of the pilot.
    Start,
    /// 5 % is withdrawn and no session is running (D-LINK_TERMINATE).
    Withdrawn,
    /// The plug is out: failure counters are reset.
    Stop,
    /// Whether the own modem responds and holds [`Evse::key`](super::Evse::key).
    ModemReady(bool),
    /// Whether the own modem reports another station in its network.
    Link(bool),
    /// Whether a session runs over the link: no car may begin a matching then.
    Busy(bool),
    /// The pilot is at C or D (`true`) or at B: counted during validation.
    Ready(bool),
    /// The session above requests a new matching (D-LINK_ERROR).
    Error,
    /// The session above pauses: the modem may sleep (D-LINK_PAUSE).
    Pause,
    /// The pause is over.
    Resume,
}

/// State of the charger's matching.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EvseState {
    /// No plug, or the modem is not ready.
    Idle,
    /// Cars may begin.
    Matching,
    /// A car has the key; no link is established.
    Joining,
    /// The link is established.
    Matched,
    /// The session above pauses.
    Paused,
    /// A pilot step precedes the next attempt.
    Stepping,
    /// Too many failures: no 5 % for a minute, unless the plug is pulled.
    GaveUp,
}

impl EvseConfig {
    /// The usual configuration of a charger.
    pub const fn new(mac: Mac) -> Self {
        Self {
            mac,
            validation: EvseValidation::NotRequired,
            offset_db: 0,
            synthetic_db: 9,
            lenient: true,
            match_join: TT_MATCH_JOIN,
            pilot_steps: C_SEQU_RETRY,
        }
    }
}
