//! The chargers that responded, and their reports.

use heapless::Vec;
use homeplug_mme::{Mac, Profile};
use machine::Instant;

/// Number of chargers stored in one attempt. Judgement: two were observed, and more than eight are not below
/// the attenuation limits.
const CANDIDATES: usize = 8;

/// A measurement that no modem sends (fault X046).
const NO_MEASUREMENT_DB: u8 = 255;

/// Chargers in the order of their responses.
#[derive(Debug)]
pub(super) struct Candidates(Vec<Candidate, CANDIDATES>);

#[derive(Debug)]
struct Candidate {
    mac: Mac,
    report: Option<Report>,
    /// A `CM_ATTEN_CHAR.RSP` is outstanding.
    owed: bool,
    /// It was chosen before in this attempt.
    tried: bool,
}

/// Content of a report.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Report {
    /// The charger's modem has measured.
    Measured { sounds: u8, mean_cdb: u32 },
    /// It does not measure: no sounds (`EVerest`), no attenuation (open-plc-utils), or no groups to compare
    /// (pyslac has 0 groups).
    Unmeasured,
}

/// The charger to try next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Choice {
    pub peer: Mac,
    pub report: Report,
    /// The charger that would be tried if it were not set aside.
    pub passed_over: Option<Mac>,
}

/// Effect of a charger's response.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Added {
    New,
    Known,
    Full,
}

/// Effect of a report.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reported {
    /// The station's first report.
    First,
    /// A repetition of the first report.
    Same,
    /// A different report, or one after the choice.
    Other,
}

impl Report {
    /// `None` for an impossible measurement of 255 dB.
    pub(super) fn of(sounds: u8, profile: Option<&Profile>) -> Option<Self> {
        let Some(profile) = profile.filter(|profile| sounds > 0 && profile.mean_cdb() > 0) else {
            return Some(Self::Unmeasured);
        };
        let mean_cdb = profile.mean_cdb();
        (!profile.0.contains(&NO_MEASUREMENT_DB)).then_some(Self::Measured { sounds, mean_cdb })
    }

    /// The mean; a report without one is ranked last.
    fn rank_cdb(self) -> u32 {
        match self {
            Self::Measured { mean_cdb, .. } => mean_cdb,
            Self::Unmeasured => u32::MAX,
        }
    }

    fn is_within(self, limit_cdb: Option<u32>) -> bool {
        match (self, limit_cdb) {
            (Self::Measured { mean_cdb, .. }, Some(limit)) => mean_cdb <= limit,
            (Self::Measured { .. }, None) | (Self::Unmeasured, _) => true,
        }
    }
}

impl Candidates {
    pub(super) const fn new() -> Self {
        Self(Vec::new())
    }

    pub(super) fn clear(&mut self) {
        self.0.clear();
    }

    pub(super) fn knows(&self, mac: Mac) -> bool {
        self.0.iter().any(|candidate| candidate.mac == mac)
    }

    pub(super) fn add(&mut self, mac: Mac) -> Added {
        if self.knows(mac) {
            return Added::Known;
        }
        match self.0.push(Candidate { mac, report: None, owed: false, tried: false }) {
            Ok(()) => Added::New,
            Err(_) => Added::Full,
        }
    }

    /// Stores a report, unless it is too `late`, and marks it for acknowledgement; `None` if the station did
    /// not respond before.
    pub(super) fn report(&mut self, mac: Mac, report: Report, late: bool) -> Option<Reported> {
        let candidate = self.0.iter_mut().find(|candidate| candidate.mac == mac)?;
        candidate.owed = true;
        Some(match candidate.report {
            Some(first) if first == report => Reported::Same,
            // A measurement after a report without one counts, so a forged first report gains nothing.
            None | Some(Report::Unmeasured) if !late => {
                candidate.report = Some(report);
                Reported::First
            }
            _ => Reported::Other,
        })
    }

    /// Number of chargers that have reported.
    pub(super) fn reports(&self) -> usize {
        self.0.iter().filter(|candidate| candidate.report.is_some()).count()
    }

    /// Whether no outstanding report can change the choice.
    pub(super) fn all_measured(&self) -> bool {
        self.0.iter().all(|candidate| matches!(candidate.report, Some(Report::Measured { .. })))
    }

    /// The next station that must receive a `CM_ATTEN_CHAR.RSP`.
    pub(super) fn owed(&self) -> Option<Mac> {
        self.0.iter().find(|candidate| candidate.owed).map(|candidate| candidate.mac)
    }

    /// Records that the response to this station is sent.
    pub(super) fn acknowledged(&mut self, mac: Mac) {
        self.0
            .iter_mut()
            .filter(|candidate| candidate.mac == mac)
            .for_each(|candidate| candidate.owed = false);
    }

    /// Whether a charger exists that may be chosen and is not set aside.
    pub(super) fn has_hope(
        &self,
        limit_cdb: Option<u32>,
        aside_until: impl Fn(Mac) -> Option<Instant>,
    ) -> bool {
        self.0.iter().any(|candidate| {
            let is_near = candidate.report.is_some_and(|report| report.is_within(limit_cdb));
            is_near && aside_until(candidate.mac).is_none()
        })
    }

    /// The best charger not tried yet: the lowest mean within `limit_cdb`, then chargers that did not
    /// measure; of equal ones the lower address (fault X034). Chargers that are set aside come last, longest
    /// set aside first.
    pub(super) fn take_best(
        &mut self,
        limit_cdb: Option<u32>,
        aside_until: impl Fn(Mac) -> Option<Instant>,
    ) -> Option<Choice> {
        let wanted = self.0.iter().filter(|candidate| !candidate.tried).filter_map(|candidate| {
            let report = candidate.report.filter(|report| report.is_within(limit_cdb))?;
            Some((report.rank_cdb(), candidate.mac))
        });
        let (_, nearest) = wanted.clone().min()?;
        let (_, (_, peer)) = wanted.map(|rank| (aside_until(rank.1), rank)).min()?;
        let candidate = self.0.iter_mut().find(|candidate| candidate.mac == peer)?;
        candidate.tried = true;
        let passed_over = (nearest != peer).then_some(nearest);
        candidate.report.map(|report| Choice { peer, report, passed_over })
    }
}
