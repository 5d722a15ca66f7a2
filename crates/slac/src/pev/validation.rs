//! `CM_VALIDATE`: the car toggles its pilot and the charger counts.

use homeplug_mme::{Mac, Slac, ValidateResult};
use machine::{Cx, Duration};

use super::{Pev, PevState, Timer};
use crate::times::{C_EV_MATCH_RETRY, C_EV_VALD_NB_TOGGLES, TP_EV_VALD_STATE_DURATION, TT_MATCH_RESPONSE};
use crate::{Dropped, Event, Failure};

/// Time from the request to the first toggle, so that the charger counts before the first one. Judgement: a
/// frame takes some milliseconds, and a simulated charger missed a toggle that came with the request.
const LEAD: Duration = Duration::from_millis(100);
/// The charger counts for (value + 1) * 100 ms: the lead, three toggles of twice 300 ms, and its 200 ms to
/// detect the last.
const WINDOW_100MS: u8 = 20;
const WINDOW: Duration = Duration::from_millis((WINDOW_100MS as u64 + 1) * 100);
/// States of the pilot until the last B: after the lead each toggle is C and then B.
const STATES: u8 = 2 * C_EV_VALD_NB_TOGGLES;
/// From this state on every C has been shown.
const LAST_C: u8 = STATES - 1;
/// Pause before the request is repeated to a charger that is not ready. Judgement.
const NOT_READY_PAUSE: Duration = Duration::from_millis(1000);
/// Number of repetitions. Judgement: well within `TT_EVSE_match_session`.
const NOT_READY_TRIES: u8 = 5;

/// State of a validation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Validation {
    step: Step,
    /// How many times the charger was not ready.
    not_ready: u8,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Step {
    /// Step 1: the request is sent.
    Asking,
    /// The charger was not ready.
    Pausing,
    /// Step 2: this many states of the pilot are over; the lead is the first.
    Toggling(u8),
}

/// Effect of a response.
enum Next {
    Toggle,
    Match,
    Later,
    /// The charger does not validate.
    NotOffered,
    Refuse,
}

impl Validation {
    pub(super) const fn new() -> Self {
        Self { step: Step::Asking, not_ready: 0 }
    }

    /// The pilot state to show: `Some(true)` is C.
    pub(super) const fn toggle(self) -> Option<bool> {
        match self.step {
            Step::Toggling(over) => Some(over % 2 == 1),
            Step::Asking | Step::Pausing => None,
        }
    }

    fn judge(self, toggles: u8, result: ValidateResult) -> Option<Next> {
        Some(match (self.step, result) {
            (Step::Asking, ValidateResult::Ready) => Next::Toggle,
            (Step::Asking, ValidateResult::Failure) => Next::NotOffered,
            (Step::Toggling(LAST_C..), ValidateResult::Success) if toggles == C_EV_VALD_NB_TOGGLES => {
                Next::Match
            }
            (Step::Toggling(LAST_C..), ValidateResult::Success)
            | (Step::Toggling(_), ValidateResult::Failure) => Next::Refuse,
            (Step::Asking | Step::Toggling(_), ValidateResult::NotRequired) => Next::Match,
            (Step::Asking | Step::Toggling(_), ValidateResult::NotReady) => Next::Later,
            (Step::Pausing, _) | (_, ValidateResult::Ready | ValidateResult::Success) => return None,
        })
    }
}

impl Pev {
    /// Begins to validate the chosen charger.
    pub(super) fn validate(&mut self, cx: &Cx<'_>, peer: Mac) {
        self.state = PevState::Validating;
        self.validation = Validation::new();
        self.repeats = 0;
        self.validate_step_1(cx, peer);
    }

    pub(super) fn validate_cnf(
        &mut self,
        cx: &Cx<'_>,
        from: Mac,
        toggles: u8,
        result: ValidateResult,
    ) -> Result<(), Dropped> {
        if self.state != PevState::Validating {
            return Err(Dropped::OutOfOrder);
        }
        if self.chosen != Some(from) {
            return Err(Dropped::Unasked);
        }
        let next = self.validation.judge(toggles, result).ok_or(Dropped::OutOfOrder)?;
        self.events.push(Event::Validated { peer: from, result });
        self.timers.clear(Timer::Toggle);
        match next {
            Next::Toggle => {
                self.repeats = 0;
                self.validate_step_2(cx, from);
            }
            Next::Match => self.ask_for_key(cx, from),
            Next::NotOffered => self.not_offered(cx, from),
            Next::Later if self.validation.not_ready < NOT_READY_TRIES => {
                self.validation.not_ready += 1;
                self.validation.step = Step::Pausing;
                self.timers.set(Timer::Answer, cx.now + NOT_READY_PAUSE);
            }
            Next::Refuse | Next::Later => self.pass_on(cx, Failure::NotValidated { peer: from }),
        }
        Ok(())
    }

    /// No response came, or the pause is over.
    pub(super) fn validation_due(&mut self, cx: &Cx<'_>, peer: Mac) {
        let again = self.repeats < C_EV_MATCH_RETRY;
        self.repeats = self.repeats.saturating_add(1);
        match self.validation.step {
            Step::Pausing => {
                self.repeats = 0;
                self.validate_step_1(cx, peer);
            }
            Step::Asking if again => self.validate_step_1(cx, peer),
            Step::Asking => self.not_offered(cx, peer),
            Step::Toggling(_) if again => self.validate_step_2(cx, peer),
            Step::Toggling(_) => self.pass_on(cx, Failure::NotValidated { peer }),
        }
    }

    /// Shows the pilot's next state.
    pub(super) fn toggle_due(&mut self, cx: &Cx<'_>) {
        if let Step::Toggling(over) = &mut self.validation.step {
            *over = over.saturating_add(1);
            if *over < STATES {
                self.timers.set(Timer::Toggle, cx.now + TP_EV_VALD_STATE_DURATION);
            }
        }
    }

    fn validate_step_1(&mut self, cx: &Cx<'_>, peer: Mac) {
        self.validation.step = Step::Asking;
        self.request(cx, peer, Slac::ValidateReq { timer: 0, result: ValidateResult::Ready });
    }

    fn validate_step_2(&mut self, cx: &Cx<'_>, peer: Mac) {
        self.validation.step = Step::Toggling(0);
        self.request(cx, peer, Slac::ValidateReq { timer: WINDOW_100MS, result: ValidateResult::Ready });
        self.timers.set(Timer::Toggle, cx.now + LEAD);
        self.timers.set(Timer::Answer, cx.now + WINDOW + TT_MATCH_RESPONSE);
    }

    /// Many chargers do not validate, and answer `Failure` or nothing (`EVerest`). Accepted if no other
    /// charger reported. Judgement.
    fn not_offered(&mut self, cx: &Cx<'_>, peer: Mac) {
        if self.candidates.reports() == 1 {
            self.ask_for_key(cx, peer);
        } else {
            self.pass_on(cx, Failure::NotValidated { peer });
        }
    }
}
