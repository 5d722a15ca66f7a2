//! The chargers that answered, and what they report.

use heapless::Vec;
use homeplug_mme::{Mac, Profile};

/// Chargers within earshot that are remembered in one attempt. Judgement: two were observed, and more than eight
/// cannot be heard below the limits.
const CANDIDATES: usize = 8;

/// A measurement that no modem makes (fault X046).
const NO_MEASUREMENT_DB: u8 = 255;

/// Chargers in the order in which they answered.
#[derive(Debug)]
pub(super) struct Candidates(Vec<Candidate, CANDIDATES>);

#[derive(Debug)]
struct Candidate {
    mac: Mac,
    report: Option<Report>,
    /// A `CM_ATTEN_CHAR.RSP` is to be sent.
    owed: bool,
    /// It was chosen once in this attempt.
    tried: bool,
}

/// What counts of a report.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Report {
    pub sounds: u8,
    pub mean_cdb: u32,
}

/// What became of a charger's answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Added {
    New,
    Known,
    Full,
}

/// What became of a report.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reported {
    /// The station's first one.
    First,
    /// The first one again.
    Same,
    /// Another one, or one after the choice.
    Other,
}

impl Report {
    /// `None` when it cannot be: no sounds, 255 dB, or no attenuation at all.
    pub fn plausible(sounds: u8, profile: &Profile) -> Option<Self> {
        let mean_cdb = profile.mean_cdb();
        let measured = sounds > 0 && mean_cdb > 0 && !profile.0.contains(&NO_MEASUREMENT_DB);
        measured.then_some(Self { sounds, mean_cdb })
    }
}

impl Candidates {
    pub const fn new() -> Self {
        Self(Vec::new())
    }

    pub fn clear(&mut self) {
        self.0.clear();
    }

    pub fn knows(&self, mac: Mac) -> bool {
        self.0.iter().any(|candidate| candidate.mac == mac)
    }

    pub fn add(&mut self, mac: Mac) -> Added {
        if self.knows(mac) {
            return Added::Known;
        }
        match self.0.push(Candidate { mac, report: None, owed: false, tried: false }) {
            Ok(()) => Added::New,
            Err(_) => Added::Full,
        }
    }

    /// Notes a report, unless it is too `late` to count, and that it is to be acknowledged; `None` from a
    /// station that did not answer.
    pub fn report(&mut self, mac: Mac, report: Report, late: bool) -> Option<Reported> {
        let candidate = self.0.iter_mut().find(|candidate| candidate.mac == mac)?;
        candidate.owed = true;
        Some(match candidate.report {
            None if !late => {
                candidate.report = Some(report);
                Reported::First
            }
            Some(first) if first == report => Reported::Same,
            _ => Reported::Other,
        })
    }

    /// How many have reported.
    pub fn reports(&self) -> usize {
        self.0.iter().filter(|candidate| candidate.report.is_some()).count()
    }

    pub fn all_reported(&self) -> bool {
        self.reports() == self.0.len()
    }

    /// The next station that is to get a `CM_ATTEN_CHAR.RSP`.
    pub fn take_owed(&mut self) -> Option<Mac> {
        let candidate = self.0.iter_mut().find(|candidate| candidate.owed)?;
        candidate.owed = false;
        Some(candidate.mac)
    }

    /// The lowest mean within `limit_cdb` that was not tried yet; of equal ones the lower address (fault X034).
    pub fn take_best(&mut self, limit_cdb: Option<u32>) -> Option<(Mac, u32)> {
        let rank = |candidate: &Candidate| {
            let mean_cdb = candidate.report?.mean_cdb;
            let wanted = !candidate.tried && limit_cdb.is_none_or(|limit| mean_cdb <= limit);
            wanted.then_some((mean_cdb, candidate.mac))
        };
        let (_, best) = self
            .0
            .iter_mut()
            .filter_map(|candidate| rank(candidate).map(|rank| (rank, candidate)))
            .min_by_key(|(rank, _)| *rank)?;
        best.tried = true;
        best.report.map(|report| (best.mac, report.mean_cdb))
    }
}
