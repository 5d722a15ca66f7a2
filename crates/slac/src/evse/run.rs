//! One car's run: its sounds, measurements and stage.

use homeplug_mme::{GROUPS, Mac, Profile, RunId, ValidateResult};
use machine::Instant;

use crate::evse::EvseConfig;
use crate::times::{
    AVG_ATTEN_WAIT, C_EV_MATCH_RETRY, TT_EVSE_MATCH_MNBC, TT_EVSE_MATCH_SESSION, TT_MATCH_RESPONSE,
    TT_MATCH_SEQUENCE,
};

/// Stage of a run, earliest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Stage {
    /// It has sent `CM_SLAC_PARM.REQ`.
    Asked,
    /// It sounds.
    Sounding,
    /// A report was sent to it.
    Reported,
    /// It has acknowledged the report and may choose.
    Choosing,
}

/// The next message to a run's car.
#[derive(Clone, Copy, Debug)]
pub(super) enum Reply {
    Parm,
    Report { sounds: u8, profile: Profile },
    Validate { toggles: u8, result: ValidateResult },
}

#[derive(Clone, Debug)]
#[allow(clippy::struct_field_names, reason = "run id is the standard's term")]
pub(super) struct Run {
    pub(super) car: Mac,
    pub(super) run_id: RunId,
    pub(super) stage: Stage,
    /// Time of the last progress.
    pub(super) since: Instant,
    pub(super) due: Option<Instant>,
    pub(super) parm: bool,
    pub(super) report: bool,
    pub(super) validate: Option<(u8, ValidateResult)>,
    announced: u8,
    heard: u8,
    /// Number of following sounds according to the newest one.
    remaining: Option<u8>,
    measured: u8,
    /// Measurements without groups, and impossible ones.
    pub(super) empty: u8,
    pub(super) impossible: u8,
    sums: [u16; GROUPS],
    repeats: u8,
}

/// Result of the measurement.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Measured {
    /// With measurements: their number.
    Yes(u8),
    /// Sounds arrived, and the modem does not measure: their number.
    Synthetic(u8),
    /// All measurements were impossible.
    Impossible,
    /// No sound arrived.
    Silence,
}

impl Run {
    pub(super) fn new(now: Instant, car: Mac, run_id: RunId) -> Self {
        Self {
            car,
            run_id,
            stage: Stage::Asked,
            since: now,
            due: Some(now + TT_MATCH_SEQUENCE),
            parm: true,
            report: false,
            validate: None,
            announced: 0,
            heard: 0,
            remaining: None,
            measured: 0,
            empty: 0,
            impossible: 0,
            sums: [0; GROUPS],
            repeats: 0,
        }
    }

    pub(super) fn announce(&mut self, now: Instant, sounds: u8) {
        self.stage = Stage::Sounding;
        self.since = now;
        self.announced = sounds;
        self.due = Some(now + TT_EVSE_MATCH_MNBC);
    }

    pub(super) fn sound(&mut self, now: Instant, remaining: u8) {
        if self.stage != Stage::Sounding || self.remaining == Some(remaining) {
            return;
        }
        self.remaining = Some(remaining);
        self.since = now;
        self.heard = self.heard.saturating_add(1);
        self.may_finish(now);
    }

    pub(super) fn measure(&mut self, now: Instant, profile: Option<&Profile>) {
        let Some(profile) = profile else {
            self.empty = self.empty.saturating_add(1);
            return self.may_finish(now);
        };
        // 255 is where a measurement saturates: not a measurement.
        if profile.0.contains(&u8::MAX) {
            self.impossible = self.impossible.saturating_add(1);
            return self.may_finish(now);
        }
        // 255 measurements of at most 254 dB fit into 16 bits.
        if self.measured < u8::MAX {
            self.measured += 1;
            self.sums.iter_mut().zip(profile.0).for_each(|(sum, db)| *sum += u16::from(db));
        }
        self.since = now;
        self.may_finish(now);
    }

    /// Sends the report earlier if no measurement is outstanding, or only soon ones.
    fn may_finish(&mut self, now: Instant) {
        let came = self.measured.saturating_add(self.empty).saturating_add(self.impossible);
        let wait = if came >= self.announced {
            Some(now)
        } else if self.remaining == Some(0) {
            Some(now + AVG_ATTEN_WAIT)
        } else {
            None
        };
        if let (Some(wait), Some(due)) = (wait, self.due) {
            self.due = Some(wait.min(due));
        }
    }

    pub(super) fn result(&self) -> Measured {
        match (self.measured, self.impossible, self.heard.max(self.empty)) {
            (measured @ 1.., _, _) => Measured::Yes(measured),
            (0, 1.., _) => Measured::Impossible,
            (0, 0, heard @ 1..) => Measured::Synthetic(heard),
            (0, 0, 0) => Measured::Silence,
        }
    }

    /// The average, or the synthetic profile for a modem that does not measure.
    pub(super) fn profile(&self, config: &EvseConfig) -> Profile {
        let mut profile = Profile([config.synthetic_db; GROUPS]);
        if self.measured > 0 {
            for (db, sum) in profile.0.iter_mut().zip(self.sums) {
                let mean = sum.checked_div(u16::from(self.measured)).unwrap_or(0);
                *db = u8::try_from(mean).unwrap_or(u8::MAX).saturating_add_signed(config.offset_db);
            }
        }
        profile
    }

    pub(super) fn reported(&mut self, now: Instant) {
        self.stage = Stage::Reported;
        self.since = now;
        self.report = true;
        self.due = Some(now + TT_MATCH_RESPONSE);
    }

    /// Repeats the report; `false` after the last repetition.
    pub(super) fn repeat(&mut self, now: Instant) -> bool {
        let again = self.repeats < C_EV_MATCH_RETRY;
        if again {
            self.repeats += 1;
            self.report = true;
            self.due = Some(now + TT_MATCH_RESPONSE);
        }
        again
    }

    pub(super) fn acknowledge(&mut self, now: Instant) {
        self.stage = Stage::Choosing;
        self.since = now;
        self.report = false;
        self.due = Some(now + TT_EVSE_MATCH_SESSION);
    }

    /// The next message to the car.
    pub(super) fn next_reply(&self, config: &EvseConfig) -> Option<Reply> {
        if self.parm {
            return Some(Reply::Parm);
        }
        if self.report {
            let sounds = match self.result() {
                Measured::Yes(sounds) | Measured::Synthetic(sounds) => sounds,
                Measured::Impossible | Measured::Silence => 0,
            };
            return Some(Reply::Report { sounds, profile: self.profile(config) });
        }
        self.validate.map(|(toggles, result)| Reply::Validate { toggles, result })
    }

    /// Records that this message was sent.
    pub(super) fn replied(&mut self, reply: Reply) {
        match reply {
            Reply::Parm => self.parm = false,
            Reply::Report { .. } => self.report = false,
            Reply::Validate { .. } => self.validate = None,
        }
    }
}
