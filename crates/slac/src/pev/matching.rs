//! From `CM_SLAC_PARM.REQ` to the key.

use homeplug_mme::{Frame, Mac, NetworkKey, Slac, StationId};
use machine::{Cx, Duration};

use super::candidates::{Added, Choice, Report, Reported};
use super::{Pev, PevState, PevValidation, Timer, Verdict, random};
use crate::times::{
    C_EV_MATCH_RETRY, C_EV_START_ATTEN_CHAR_INDS, TT_EV_ATTEN_RESULTS, TT_EVSE_MATCH_MNBC_100MS,
    TT_MATCH_RESPONSE,
};
use crate::{Dropped, Event, Failure};

/// Time to wait for other chargers after the first one's response. Judgement: half of `TP_match_sequence`,
/// within which the announcement must follow.
const GATHER: Duration = Duration::from_millis(50);
/// The most sounds that a charger may request. Judgement: with 30 ms between them they fit into
/// `TT_EV_atten_results`.
const MOST_SOUNDS: u8 = 30;
/// `TP_EV_batch_msg_interval` is 20..=50 ms.
const SHORTEST_INTERVAL: Duration = Duration::from_millis(20);
const LONGEST_INTERVAL: Duration = Duration::from_millis(50);
impl Pev {
    pub(super) fn frame(&mut self, cx: &mut Cx<'_>, bytes: &[u8]) {
        // Frames of other posts' matchings arrive here, too (clara's issue 24).
        if matches!(self.state, PevState::Matched | PevState::Paused) {
            return;
        }
        let Ok(frame) = Frame::parse(bytes) else { return };
        if frame.to != self.config.mac || frame.from == self.config.mac {
            return;
        }
        let Some(message) = Slac::parse(&frame) else { return };
        let handled =
            message.map_err(Dropped::Fault).and_then(|message| self.message(cx, frame.from, message));
        if let Err(why) = handled {
            self.events.push(Event::Dropped { from: frame.from, why });
        }
    }

    pub(super) fn message(&mut self, cx: &mut Cx<'_>, from: Mac, message: Slac) -> Result<(), Dropped> {
        if !from.is_unicast() {
            return Err(Dropped::Foreign);
        }
        if matches!(self.state, PevState::Unmatched | PevState::Waiting | PevState::GaveUp) {
            return Err(Dropped::OutOfOrder);
        }
        let us = (self.run_id, self.config.mac);
        let ours = |names| if names == us { Ok(()) } else { Err(Dropped::Foreign) };
        match message {
            // Old chargers omit the car's address here.
            Slac::ParmCnf { run_id, sounds, .. } => {
                ours((run_id, self.config.mac))?;
                self.answered(cx, from, sounds)
            }
            Slac::AttenChar { run_id, car, sounds, profile } => {
                ours((run_id, car))?;
                self.reported(cx, from, Report::of(sounds, profile.as_ref()))
            }
            Slac::ValidateCnf { toggles, result } => self.validate_cnf(cx, from, toggles, result),
            Slac::MatchCnf { run_id, car, charger, key, .. } => {
                ours((run_id, car))?;
                if charger == from { self.key_given(cx, from, key) } else { Err(Dropped::Foreign) }
            }
            Slac::ParmReq { .. }
            | Slac::StartAttenChar { .. }
            | Slac::Sound { .. }
            | Slac::Measured { .. }
            | Slac::AttenCharRsp { .. }
            | Slac::ValidateReq { .. }
            | Slac::MatchReq { .. } => Err(Dropped::OutOfOrder),
        }
    }

    pub(super) fn answered(&mut self, cx: &Cx<'_>, from: Mac, sounds: u8) -> Result<(), Dropped> {
        if self.candidates.knows(from) {
            return Ok(());
        }
        if !matches!(self.state, PevState::Asking | PevState::Sounding | PevState::Collecting) {
            return Err(Dropped::OutOfOrder);
        }
        match self.candidates.add(from) {
            Added::New => self.events.push(Event::Answered { peer: from }),
            Added::Known | Added::Full => {
                self.events.push(Event::Crowded);
                return Ok(());
            }
        }
        if self.state == PevState::Asking {
            self.sounds = self.sounds.max(sounds.clamp(1, MOST_SOUNDS));
            self.timers.clear(Timer::Answer);
            self.timers.start(Timer::Gather, cx.now + GATHER);
        }
        Ok(())
    }

    pub(super) fn announce(&mut self, cx: &mut Cx<'_>) {
        self.state = PevState::Sounding;
        self.starts_left = C_EV_START_ATTEN_CHAR_INDS;
        self.sounds_left = self.sounds;
        self.timers.set(Timer::Results, cx.now + TT_EV_ATTEN_RESULTS);
        self.events.push(Event::Announced { car: self.config.mac, sounds: self.sounds });
        self.sound(cx);
    }

    /// Sends the next announcement or sound, or ends them. One that the caller has not sent yet is not
    /// overwritten.
    pub(super) fn sound(&mut self, cx: &mut Cx<'_>) {
        let (run_id, car) = (self.run_id, self.config.mac);
        if self.out.is_none() {
            let message = if let Some(left) = self.starts_left.checked_sub(1) {
                self.starts_left = left;
                let (sounds, timeout_100ms) = (self.sounds, TT_EVSE_MATCH_MNBC_100MS);
                Slac::StartAttenChar { run_id, sounds, timeout_100ms, car }
            } else if let Some(remaining) = self.sounds_left.checked_sub(1) {
                self.sounds_left = remaining;
                Slac::Sound { run_id, remaining, random: random(cx) }
            } else {
                self.state = PevState::Collecting;
                self.events.push(Event::Sounded { sounds: self.sounds });
                self.choose_if_complete(cx);
                return;
            };
            self.out = Some((Mac::BROADCAST, message));
        }
        let interval = self.config.interval.clamp(SHORTEST_INTERVAL, LONGEST_INTERVAL);
        self.timers.set(Timer::Sound, cx.now + interval);
    }

    pub(super) fn reported(&mut self, cx: &Cx<'_>, from: Mac, report: Option<Report>) -> Result<(), Dropped> {
        if self.state == PevState::Asking {
            return Err(Dropped::OutOfOrder);
        }
        if !self.candidates.knows(from) {
            return Err(Dropped::Unasked);
        }
        let takes = |report: &Report| self.config.lenient || *report != Report::Unmeasured;
        let report = report.filter(takes).ok_or(Dropped::Implausible)?;
        let late = !matches!(self.state, PevState::Sounding | PevState::Collecting);
        match self.candidates.report(from, report, late).ok_or(Dropped::Unasked)? {
            Reported::First => {
                self.events.push(match report {
                    Report::Measured { sounds, mean_cdb } => Event::Measured { peer: from, sounds, mean_cdb },
                    Report::Unmeasured => Event::Unmeasured { peer: from },
                });
                self.events.push(Event::Acknowledged { peer: from });
                self.choose_if_complete(cx);
                Ok(())
            }
            Reported::Same => Ok(()),
            Reported::Other => Err(Dropped::Repeated),
        }
    }

    pub(super) fn choose_if_complete(&mut self, cx: &Cx<'_>) {
        if self.state == PevState::Collecting && self.candidates.all_measured() {
            self.choose(cx);
        }
    }

    pub(super) fn choose(&mut self, cx: &Cx<'_>) {
        self.timers.clear_all();
        if self.candidates.reports() == 0 {
            self.fail(cx, Failure::NoReport);
        } else if !self.choose_next(cx) {
            self.fail(cx, Failure::TooWeak);
        }
    }

    /// Chooses the next charger; `false` if none is left.
    pub(super) fn choose_next(&mut self, cx: &Cx<'_>) -> bool {
        let aside_until = |mac| self.aside.until(cx.now, mac);
        let Some(choice) = self.candidates.take_best(self.config.limit_cdb, aside_until) else {
            return false;
        };
        let Choice { peer, report, passed_over } = choice;
        if let Some(aside) = passed_over {
            self.events.push(Event::SetAside { peer: aside, instead: peer });
        }
        let verdict = match report {
            Report::Measured { mean_cdb, .. } => self.config.verdict(mean_cdb),
            Report::Unmeasured => {
                self.events.push(Event::NoneMeasured { peer });
                Verdict::Unmeasured
            }
        };
        self.chosen = Some(peer);
        self.verdict = Some(verdict);
        match self.config.validation {
            PevValidation::WhenPotential if verdict != Verdict::Found => self.validate(cx, peer),
            PevValidation::WhenPotential | PevValidation::Never => self.ask_for_key(cx, peer),
        }
        true
    }

    pub(super) fn ask_for_key(&mut self, cx: &Cx<'_>, peer: Mac) {
        self.state = PevState::Choosing;
        self.repeats = 0;
        self.events.push(Event::Chosen { peer });
        self.request_match(cx, peer);
    }

    pub(super) fn request_match(&mut self, cx: &Cx<'_>, peer: Mac) {
        // Station identifiers are zero in the field, and `EVerest` accepts no others.
        let none = StationId::default();
        let (run_id, car) = (self.run_id, self.config.mac);
        self.request(cx, peer, Slac::MatchReq { run_id, car, pev_id: none, charger: peer, evse_id: none });
    }

    pub(super) fn key_given(&mut self, cx: &Cx<'_>, from: Mac, key: NetworkKey) -> Result<(), Dropped> {
        if self.chosen != Some(from) {
            return Err(Dropped::Unasked);
        }
        match self.state {
            PevState::Choosing => {
                self.timers.clear_all();
                self.out = None;
                self.state = PevState::Joining;
                self.modem.in_network = true;
                self.events.push(Event::KeyGiven { peer: from });
                self.timers.set(Timer::Join, cx.now + self.config.match_join);
                self.set_key(key);
                self.settle(cx);
                Ok(())
            }
            // The response to a repeated request.
            PevState::Joining if self.modem.key == Some(key) => Ok(()),
            _ => Err(Dropped::OutOfOrder),
        }
    }

    pub(super) fn request(&mut self, cx: &Cx<'_>, to: Mac, message: Slac) {
        self.out = Some((to, message));
        self.timers.set(Timer::Answer, cx.now + TT_MATCH_RESPONSE);
    }

    pub(super) fn answer_due(&mut self, cx: &Cx<'_>) {
        let again = self.repeats < C_EV_MATCH_RETRY;
        match (self.state, self.chosen) {
            (PevState::Asking, _) if again => {
                self.repeats += 1;
                self.request(cx, Mac::BROADCAST, Slac::ParmReq { run_id: self.run_id });
            }
            (PevState::Asking, _) => self.fail(cx, Failure::NoPeer),
            (PevState::Validating, Some(peer)) => self.validation_due(cx, peer),
            (PevState::Choosing, Some(peer)) if again => {
                self.repeats += 1;
                self.request_match(cx, peer);
            }
            (PevState::Choosing, Some(peer)) => self.pass_on(cx, Failure::NoMatch { peer }),
            _ => {}
        }
    }
}
