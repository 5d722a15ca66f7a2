//! What a car is told, and what it says of itself.

use homeplug_mme::{Mac, RunId};
use machine::Duration;

use crate::times;

/// How a car matches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PevConfig {
    /// The host's address, not the modem's.
    pub mac: Mac,
    /// The name of every run; `None` draws one for each attempt.
    pub run_id: Option<RunId>,
    /// Up to this mean, in hundredths of a dB, a charger is certainly the own one.
    pub direct_cdb: u32,
    /// Up to this mean, in hundredths of a dB, it may be.
    pub indirect_cdb: u32,
    /// Beyond this mean, in hundredths of a dB, no charger is taken; `None` takes the lowest, whatever it is.
    pub limit_cdb: Option<u32>,
    /// Whether the car toggles its pilot to be sure.
    pub validation: PevValidation,
    /// From the key to the link.
    pub match_join: Duration,
    /// Failed attempts before it gives up, but not before [`times::TT_MATCHING_REPETITION`] is over; `None`
    /// never stops asking, as deployed cars do.
    pub max_attempts: Option<u8>,
    /// Keys in a row that brought no link before it gives up, but not while a charger is there that has not
    /// failed.
    pub max_join_failures: u8,
    /// Whether a charger whose modem does not measure is taken where no other is left (QCA7420, with
    /// `EVerest`, open-plc-utils or pyslac as the charger); off, its report is ignored, as ISO 15118-4 wants
    /// it.
    pub lenient: bool,
    /// Between announcements and sounds; kept within 20..=50 ms.
    pub interval: Duration,
}

/// When the car validates its choice.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PevValidation {
    /// Never: what deployed cars do.
    Never,
    /// When the mean is above [`PevConfig::direct_cdb`].
    WhenPotential,
}

/// What the means say of a charger (ISO 15118-3, table of `C_EV_match_signalattn_*`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It is at the other end of the cable.
    Found,
    /// It may be.
    Potential,
    /// It should not be, and is taken only because there is no limit.
    NotFound,
    /// Nothing is known: its modem does not measure, and no charger that does is left.
    Unmeasured,
}

/// What a car is given.
#[derive(Clone, Copy, Debug)]
pub enum PevInput<'a> {
    /// A whole Ethernet frame.
    Frame(&'a [u8]),
    /// 5 % is seen. A level: a second one changes nothing.
    Start,
    /// Unplugged or D-LINK_TERMINATE: leave. The only way out of having given up.
    Stop,
    /// The own modem holds exactly [`Pev::key`](super::Pev::key) and answers. A level, `false` at first and
    /// whenever the key has changed: tell it again then.
    ModemReady(bool),
    /// The own modem sees another station in its network. A level, `false` at first and whenever the key has
    /// changed.
    Link(bool),
    /// D-LINK_ERROR: the session wants a new matching.
    Error,
    /// Likewise, because nobody answered over the link: this charger is then tried last for
    /// [`times::SET_ASIDE`].
    NoSession,
    /// D-LINK_PAUSE: the modem may sleep; the keys stay.
    Pause,
    /// The pause ends.
    Resume,
}

/// Where a car is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PevState {
    /// No plug, no matching.
    Unmatched,
    /// `CM_SLAC_PARM.REQ` is out.
    Asking,
    /// Announcements and sounds go out.
    Sounding,
    /// Reports are awaited.
    Collecting,
    /// `CM_VALIDATE` with the chosen charger.
    Validating,
    /// `CM_SLAC_MATCH.REQ` is out.
    Choosing,
    /// The key is here, the link is not.
    Joining,
    /// There is a link.
    Matched,
    /// The session sleeps, or wakes up.
    Paused,
    /// Before the next attempt, or before the modem is ready.
    Waiting,
    /// Nothing more until [`PevInput::Stop`].
    GaveUp,
}

impl PevConfig {
    /// What deployed cars do: the lowest mean wins, nobody validates, asking never ends. But a charger beyond
    /// [`times::SIGNALATTN_LIMIT_CDB`] is not taken.
    pub const fn new(mac: Mac) -> Self {
        Self {
            mac,
            run_id: None,
            direct_cdb: times::SIGNALATTN_DIRECT_CDB,
            indirect_cdb: times::SIGNALATTN_INDIRECT_CDB,
            limit_cdb: Some(times::SIGNALATTN_LIMIT_CDB),
            validation: PevValidation::Never,
            match_join: times::TT_MATCH_JOIN,
            max_attempts: None,
            max_join_failures: times::C_CONN_MAX_MATCH,
            lenient: true,
            interval: times::TP_EV_BATCH_MSG_INTERVAL,
        }
    }

    pub(super) const fn verdict(&self, mean_cdb: u32) -> Verdict {
        if mean_cdb <= self.direct_cdb {
            Verdict::Found
        } else if mean_cdb <= self.indirect_cdb {
            Verdict::Potential
        } else {
            Verdict::NotFound
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_limits_themselves_still_belong_to_the_better_verdict() {
        let config = PevConfig::new(Mac([2, 0, 0, 0, 0, 1]));
        let table = [
            (1, Verdict::Found),
            (1000, Verdict::Found),
            (1001, Verdict::Potential),
            (2000, Verdict::Potential),
            (2001, Verdict::NotFound),
        ];
        for (mean_cdb, verdict) in table {
            assert_eq!(config.verdict(mean_cdb), verdict, "{mean_cdb}");
        }
    }
}
