//! The car's configuration, inputs and states.

use homeplug_mme::{Mac, RunId};
use machine::Duration;

use crate::times;

/// Configuration of a car's matching.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PevConfig {
    /// The host's address, not the modem's.
    pub mac: Mac,
    /// `RunID` of every run; `None` draws a random one for each attempt.
    pub run_id: Option<RunId>,
    /// Up to this mean, in hundredths of a dB, a charger counts as the own one.
    pub direct_cdb: u32,
    /// Up to this mean, in hundredths of a dB, it may be the own one.
    pub indirect_cdb: u32,
    /// Above this mean, in hundredths of a dB, no charger is chosen; `None` accepts any mean.
    pub limit_cdb: Option<u32>,
    /// Whether the car validates its choice with pilot toggles.
    pub validation: PevValidation,
    /// Time from the key to the link.
    pub match_join: Duration,
    /// Failed attempts before matching ends, but not before [`times::TT_MATCHING_REPETITION`] is over; `None`
    /// never ends it, as in deployed cars.
    pub max_attempts: Option<u8>,
    /// Consecutive keys without a link before matching ends, but not while a charger without failure is
    /// available.
    pub max_join_failures: u8,
    /// Whether a charger whose modem does not measure is accepted if no other is left (QCA7420, with
    /// `EVerest`, open-plc-utils or pyslac as the charger). If false, its report is ignored, as ISO 15118-4
    /// requires.
    pub lenient: bool,
    /// Time between announcements and sounds; clamped to 20..=50 ms.
    pub interval: Duration,
}

/// When the car validates its choice.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PevValidation {
    /// Never: as deployed cars.
    Never,
    /// When the mean is above [`PevConfig::direct_cdb`].
    WhenPotential,
}

/// Verdict on a charger from its mean (ISO 15118-3, table of `C_EV_match_signalattn_*`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It is at the other end of the cable.
    Found,
    /// It may be at the other end of the cable.
    Potential,
    /// It is probably not at the other end; accepted only because no limit is set.
    NotFound,
    /// Undecided: its modem does not measure, and no charger that does is left.
    Unmeasured,
}

/// Inputs of a car.
#[derive(Clone, Copy, Debug)]
pub enum PevInput<'a> {
    /// A whole Ethernet frame.
    Frame(&'a [u8]),
    /// 5 % is detected. A level: repeating it has no effect.
    Start,
    /// Unplugged, or D-LINK_TERMINATE: leave. The only way out of [`PevState::GaveUp`].
    Stop,
    /// The own modem responds and holds exactly [`Pev::key`](super::Pev::key). A level; it is reset to
    /// `false` whenever the key changes, and must then be reported again.
    ModemReady(bool),
    /// The own modem reports another station in its network. A level; it is reset to `false` whenever the key
    /// changes.
    Link(bool),
    /// D-LINK_ERROR: the session requests a new matching.
    Error,
    /// D-LINK_ERROR because no response came over the link: this charger is then tried last for
    /// [`times::SET_ASIDE`].
    NoSession,
    /// D-LINK_PAUSE: the modem may sleep; the keys stay.
    Pause,
    /// The pause ends.
    Resume,
}

/// State of a car's matching.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PevState {
    /// No plug, no matching.
    Unmatched,
    /// `CM_SLAC_PARM.REQ` is sent.
    Asking,
    /// Announcements and sounds are being sent.
    Sounding,
    /// Waits for reports.
    Collecting,
    /// `CM_VALIDATE` with the chosen charger.
    Validating,
    /// `CM_SLAC_MATCH.REQ` is sent.
    Choosing,
    /// The key is received, no link is established.
    Joining,
    /// The link is established.
    Matched,
    /// The session pauses or resumes.
    Paused,
    /// Before the next attempt, or until the modem is ready.
    Waiting,
    /// Matching has ended until [`PevInput::Stop`].
    GaveUp,
}

impl PevConfig {
    /// As deployed cars: the lowest mean is chosen, no validation, no end of attempts. A charger above
    /// [`times::SIGNALATTN_LIMIT_CDB`] is not chosen.
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
