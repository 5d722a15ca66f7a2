//! Matching attempts: the car, the chargers that answered, the attenuation, and the outcome.

use heapless::Vec;
use homeplug_mme::{Frame, Mac, Profile, RunId, Slac};

use crate::When;

/// Chargers that are kept of one attempt: judgement, one car reaches no more.
pub const MAX_ANSWERS: usize = 8;

/// One matching attempt of a car, from its first observed message on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attempt {
    /// MAC address of the car.
    pub car: Mac,
    /// `RunID` in its messages.
    pub run_id: RunId,
    /// Its first frame.
    pub first: When,
    /// Its latest frame.
    pub latest: When,
    /// Number of `CM_SLAC_PARM.REQ`.
    pub requests: u32,
    /// Chargers that answered or reported, in the order of their first message.
    pub answers: Vec<Answer, MAX_ANSWERS>,
    /// Number of `CM_START_ATTEN_CHAR.IND`.
    pub starts: u32,
    /// Number of `CM_MNBC_SOUND.IND`.
    pub sounds: u32,
    /// Number of `CM_ATTEN_CHAR.RSP`.
    pub acknowledged: u32,
    /// Number of `CM_SLAC_MATCH.REQ`.
    pub match_requests: u32,
    /// The charger that sent its key (`CM_SLAC_MATCH.CNF`), and when.
    pub matched: Option<(Mac, When)>,
}

/// One charger's messages in an attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Answer {
    /// MAC address of the charger.
    pub charger: Mac,
    /// Whether it sent `CM_SLAC_PARM.CNF`.
    pub has_answered: bool,
    /// Mean attenuation in its report, in hundredths of a dB; `None` without a report.
    pub attenuation_cdb: Option<u32>,
    /// Number of sounds in its report; `None` without a report.
    pub reported_sounds: Option<u8>,
}

/// Outcome of an attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// A charger sent its key.
    Matched,
    /// No charger answered the car's request.
    NoAnswer,
    /// A charger answered, but the car sent no sounds: usually because the answer has another `RunID`.
    NoSounds,
    /// The car sent sounds, and no charger reported.
    NoReport,
    /// A charger reported, and the car requested no match.
    NotChosen,
    /// The car requested the match and received no key.
    NoConfirmation,
}

impl Outcome {
    /// The text in logs.
    pub const fn words(self) -> &'static str {
        match self {
            Self::Matched => "matched",
            Self::NoAnswer => "no charger answered",
            Self::NoSounds => "answered, but the car did not sound",
            Self::NoReport => "the car sounded, but no charger reported",
            Self::NotChosen => "reported, but the car asked for no match",
            Self::NoConfirmation => "the car asked for the match and got no key",
        }
    }
}

impl Attempt {
    fn new(car: Mac, run_id: RunId, when: When) -> Self {
        Self {
            car,
            run_id,
            first: when,
            latest: when,
            requests: 0,
            answers: Vec::new(),
            starts: 0,
            sounds: 0,
            acknowledged: 0,
            match_requests: 0,
            matched: None,
        }
    }

    /// The outcome, as far as it was observed.
    pub fn outcome(&self) -> Outcome {
        let has_reported = self.answers.iter().any(|answer| answer.reported_sounds.is_some());
        if self.matched.is_some() {
            Outcome::Matched
        } else if self.match_requests > 0 {
            Outcome::NoConfirmation
        } else if has_reported {
            Outcome::NotChosen
        } else if self.sounds > 0 {
            Outcome::NoReport
        } else if self.answers.is_empty() {
            Outcome::NoAnswer
        } else {
            Outcome::NoSounds
        }
    }

    fn answer(&mut self, charger: Mac) -> Option<&mut Answer> {
        if !self.answers.iter().any(|answer| answer.charger == charger) {
            let new = Answer { charger, has_answered: false, attenuation_cdb: None, reported_sounds: None };
            self.answers.push(new).ok()?;
        }
        self.answers.iter_mut().find(|answer| answer.charger == charger)
    }
}

/// The latest attempts of all cars, at most `N`; a new one evicts the oldest.
#[derive(Debug, Default)]
pub struct Matchings<const N: usize> {
    attempts: Vec<Attempt, N>,
    evicted: u64,
}

impl<const N: usize> Matchings<N> {
    /// The attempts in the order in which they began.
    pub fn attempts(&self) -> &[Attempt] {
        &self.attempts
    }

    /// Number of evicted attempts.
    pub fn evicted(&self) -> u64 {
        self.evicted
    }

    /// Handles a management frame. Messages other than those of matching change nothing.
    pub fn take(&mut self, when: When, frame: &Frame<'_>) {
        let Some(Ok(message)) = Slac::parse(frame) else { return };
        let (car, run_id) = match message {
            Slac::ParmReq { run_id } | Slac::Sound { run_id, .. } => (frame.from, run_id),
            Slac::ParmCnf { run_id, car, .. }
            | Slac::StartAttenChar { run_id, car, .. }
            | Slac::AttenChar { run_id, car, .. }
            | Slac::AttenCharRsp { run_id, car, .. }
            | Slac::MatchReq { run_id, car, .. }
            | Slac::MatchCnf { run_id, car, .. } => (car, run_id),
            // A modem's measurements and the validation messages have no RunID.
            Slac::Measured { .. } | Slac::ValidateReq { .. } | Slac::ValidateCnf { .. } => return,
        };
        // A broadcast report belongs to no attempt (observed: pyPLC's charger).
        if matches!(message, Slac::AttenChar { .. }) && !frame.to.is_unicast() {
            return;
        }
        let is_first = matches!(message, Slac::ParmReq { .. });
        let Some(attempt) = self.attempt(car, run_id, is_first, when) else { return };
        attempt.latest = when;
        match message {
            Slac::ParmReq { .. } => attempt.requests += 1,
            Slac::StartAttenChar { .. } => attempt.starts += 1,
            Slac::Sound { .. } => attempt.sounds += 1,
            Slac::AttenCharRsp { .. } => attempt.acknowledged += 1,
            Slac::MatchReq { .. } => attempt.match_requests += 1,
            Slac::MatchCnf { .. } => attempt.matched = attempt.matched.or(Some((frame.from, when))),
            Slac::ParmCnf { .. } => {
                if let Some(answer) = attempt.answer(frame.from) {
                    answer.has_answered = true;
                }
            }
            Slac::AttenChar { sounds, profile, .. } => {
                if let Some(answer) = attempt.answer(frame.from) {
                    answer.reported_sounds = Some(sounds);
                    answer.attenuation_cdb = profile.as_ref().map(Profile::mean_cdb);
                }
            }
            Slac::Measured { .. } | Slac::ValidateReq { .. } | Slac::ValidateCnf { .. } => {}
        }
    }

    /// The latest attempt of this car with this `RunID`, or a new one. A request after a match begins another
    /// attempt.
    fn attempt(&mut self, car: Mac, run_id: RunId, is_first: bool, when: When) -> Option<&mut Attempt> {
        let is_it = |attempt: &Attempt| (attempt.car, attempt.run_id) == (car, run_id);
        let known = self.attempts.iter().rev().find(|attempt| is_it(attempt));
        if known.is_none_or(|known| is_first && known.matched.is_some()) {
            if self.attempts.is_full() {
                self.attempts.remove(0);
                self.evicted += 1;
            }
            self.attempts.push(Attempt::new(car, run_id, when)).ok()?;
        }
        self.attempts.iter_mut().rev().find(|attempt| is_it(attempt))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use homeplug_mme::{GROUPS, MAX_FRAME, NetworkKey, Nmk, StationId};

    const CAR: Mac = Mac([2, 0, 0, 0, 0, 0xE1]);
    const NEAR: Mac = Mac([2, 0, 0, 0, 0, 0x5E]);
    const FAR: Mac = Mac([2, 0, 0, 0, 0, 0x5F]);
    const RUN: RunId = RunId(*b"TESLA EV");

    fn played<const N: usize>(messages: &[(Mac, Mac, Slac)]) -> Matchings<N> {
        let mut matchings = Matchings::default();
        for (frame, (from, to, message)) in (1..).zip(messages) {
            let mut buffer = [0; MAX_FRAME];
            let len = message.emit(*to, *from, &mut buffer).unwrap();
            let when = When { frame, time_ns: None };
            matchings.take(when, &Frame::parse(&buffer[..len]).unwrap());
        }
        matchings
    }

    fn request(run_id: RunId) -> (Mac, Mac, Slac) {
        (CAR, Mac::BROADCAST, Slac::ParmReq { run_id })
    }

    fn confirmed(run_id: RunId) -> (Mac, Mac, Slac) {
        let (none, key) = (StationId::default(), NetworkKey::derived(Nmk::new([0xAB; 16])));
        (NEAR, CAR, Slac::MatchCnf { run_id, car: CAR, pev_id: none, charger: NEAR, evse_id: none, key })
    }

    #[test]
    fn every_charger_that_answered_and_reported_is_in_the_attempt() {
        let answer = Slac::ParmCnf { run_id: RUN, sounds: 10, timeout_100ms: 6, car: CAR };
        let report =
            |db| Slac::AttenChar { run_id: RUN, car: CAR, sounds: 10, profile: Some(Profile([db; GROUPS])) };
        let sound = Slac::Sound { run_id: RUN, remaining: 0, random: [0; 16] };
        let matchings = played::<4>(&[
            request(RUN),
            (FAR, CAR, answer),
            (NEAR, CAR, answer),
            (CAR, Mac::BROADCAST, sound),
            (NEAR, CAR, report(7)),
            (FAR, CAR, report(40)),
            confirmed(RUN),
        ]);
        let [attempt] = matchings.attempts() else { panic!("{matchings:?}") };
        let answers: std::vec::Vec<_> =
            attempt.answers.iter().map(|answer| (answer.charger, answer.attenuation_cdb)).collect();
        assert_eq!(answers, [(FAR, Some(4000)), (NEAR, Some(700))]);
        assert_eq!((attempt.sounds, attempt.outcome()), (1, Outcome::Matched));
        assert_eq!(attempt.matched.map(|(charger, when)| (charger, when.frame)), Some((NEAR, 7)));
    }

    #[test]
    fn how_an_attempt_ended_is_what_is_missing_first() {
        let answer = (NEAR, CAR, Slac::ParmCnf { run_id: RUN, sounds: 10, timeout_100ms: 6, car: CAR });
        let sound = (CAR, Mac::BROADCAST, Slac::Sound { run_id: RUN, remaining: 0, random: [0; 16] });
        let report = (NEAR, CAR, Slac::AttenChar { run_id: RUN, car: CAR, sounds: 10, profile: None });
        let all = [request(RUN), answer, sound, report, confirmed(RUN)];
        let outcomes =
            [Outcome::NoAnswer, Outcome::NoSounds, Outcome::NoReport, Outcome::NotChosen, Outcome::Matched];
        for (count, outcome) in (1..).zip(outcomes) {
            assert_eq!(played::<4>(&all[..count]).attempts()[0].outcome(), outcome);
        }
    }

    #[test]
    fn an_answer_that_names_another_run_is_an_attempt_of_its_own() {
        let other = Slac::ParmCnf { run_id: RunId([9; 8]), sounds: 10, timeout_100ms: 6, car: CAR };
        let matchings = played::<4>(&[request(RUN), (NEAR, CAR, other)]);
        let outcomes: std::vec::Vec<_> = matchings.attempts().iter().map(Attempt::outcome).collect();
        assert_eq!(outcomes, [Outcome::NoAnswer, Outcome::NoSounds]);
    }

    #[test]
    fn a_request_after_a_match_begins_another_attempt_and_the_oldest_is_evicted() {
        let round = [request(RUN), request(RUN), confirmed(RUN)];
        let matchings = played::<2>(&[round, round, round].concat());
        let firsts: std::vec::Vec<u64> =
            matchings.attempts().iter().map(|attempt| attempt.first.frame).collect();
        assert_eq!((firsts, matchings.evicted()), (std::vec![4, 7], 1));
    }
}
