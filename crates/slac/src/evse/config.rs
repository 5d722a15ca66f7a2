//! What a charger is told: configuration and inputs, and where it says it is.

use homeplug_mme::Mac;
use machine::Duration;

use crate::times::{C_SEQU_RETRY, TT_MATCH_JOIN};

/// How a charger matches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EvseConfig {
    /// The host's address, not the modem's.
    pub mac: Mac,
    /// What is said to a car that wants to be recognised by its pilot.
    pub validation: EvseValidation,
    /// Added to each measured attenuation, for the charger's own receive path; dB.
    pub offset_db: i8,
    /// Reported to a car when the modem does not measure; dB. 9 is what pyPLC's users drive with.
    pub synthetic_db: u8,
    /// Whether an announcement later than [`TT_MATCH_SEQUENCE`](crate::times::TT_MATCH_SEQUENCE) still
    /// counts, and sounds without one: cars in the field are late, and some modems pass only one announcement
    /// of three.
    pub lenient: bool,
    /// From the key to the link.
    pub match_join: Duration,
    /// Times that the pilot goes back to steady +12 V when no car asks.
    pub pilot_steps: u8,
}

/// What a charger says to `CM_VALIDATE.REQ`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum EvseValidation {
    /// Not required: the car may ask for the key at once.
    #[default]
    NotRequired,
    /// Failure, as EVerest answers; the car decides.
    Failure,
    /// The toggles of the pilot are counted; needs [`EvseInput::Ready`].
    Toggles,
}

/// What goes into an [`Evse`](super::Evse).
#[derive(Clone, Copy, Debug)]
pub enum EvseInput<'a> {
    /// An Ethernet frame.
    Frame(&'a [u8]),
    /// 5 % is being offered to a plug that is in. Given again after each pause of the pilot.
    Start,
    /// 5 % is no longer offered, and no session runs any more (D-LINK_TERMINATE).
    Withdrawn,
    /// The plug is out: what was tried before counts no more.
    Stop,
    /// Whether the own modem answers and holds [`Evse::key`](super::Evse::key).
    ModemReady(bool),
    /// Whether the own modem sees another one in its network.
    Link(bool),
    /// A session runs over the link: nobody may begin matching anew meanwhile.
    Busy(bool),
    /// The pilot is at C or D (`true`) or B: counted while a car is being validated.
    Ready(bool),
    /// The session above wants matching to begin anew (D-LINK_ERROR).
    Error,
    /// The session above pauses: the modem may sleep (D-LINK_PAUSE).
    Pause,
    /// The pause is over.
    Resume,
}

/// Where the charger's matching is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EvseState {
    /// No plug, or the modem is not ready.
    Idle,
    /// Cars may ask.
    Matching,
    /// A car has the key; no link yet.
    Joining,
    /// There is a link.
    Matched,
    /// There was a link, and the session above pauses.
    Paused,
    /// The pilot is being stepped before the next attempt.
    Stepping,
    /// Too many failures: a minute without 5 %, unless the plug is pulled.
    GaveUp,
}

impl EvseConfig {
    /// What a charger usually does.
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
