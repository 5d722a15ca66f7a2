//! Beginning and end of attempts.

use homeplug_mme::{Mac, RunId, Slac};
use machine::{Cx, Duration};

use super::{Pev, PevState, Timer, random};
use crate::times::{T_CONN_RESETUP, TT_MATCHING_RATE, TT_MATCHING_REPETITION};
use crate::{Event, Failure};

/// Longest pause between attempts, as in clara and pyPLC.
const LONGEST_PAUSE: Duration = Duration::from_millis(1300);

impl Pev {
    pub(super) fn start(&mut self, cx: &mut Cx<'_>) {
        if self.started {
            return;
        }
        self.started = true;
        self.failures = 0;
        self.join_failures = 0;
        self.repeat_until = None;
        self.state = PevState::Waiting;
        self.begin_if_ready(cx);
    }

    pub(super) fn stop(&mut self, cx: &mut Cx<'_>) {
        self.started = false;
        self.forget_run();
        self.leave(cx);
        self.state = PevState::Unmatched;
    }

    pub(super) fn modem_ready(&mut self, cx: &mut Cx<'_>, ready: bool) {
        self.modem.ready = ready;
        match self.state {
            PevState::Waiting => self.begin_if_ready(cx),
            PevState::Joining | PevState::Paused => self.settle(cx),
            // The modem restarts: the request is lost, and is sent again when the modem is ready.
            PevState::Asking
            | PevState::Sounding
            | PevState::Collecting
            | PevState::Validating
            | PevState::Choosing
                if !ready =>
            {
                self.forget_run();
                self.state = PevState::Waiting;
            }
            _ => {}
        }
    }

    pub(super) fn begin_if_ready(&mut self, cx: &mut Cx<'_>) {
        let paused = self.timers.due(Timer::Pause).is_some();
        if self.state == PevState::Waiting && self.modem.ready && !paused {
            self.begin(cx);
        }
    }

    pub(super) fn begin(&mut self, cx: &mut Cx<'_>) {
        self.forget_run();
        self.run_id = self.config.run_id.unwrap_or_else(|| RunId(random(cx)));
        self.repeat_until.get_or_insert(cx.now + TT_MATCHING_REPETITION);
        self.state = PevState::Asking;
        self.sounds = 0;
        self.repeats = 0;
        self.events.push(Event::Asked { car: self.config.mac, run_id: self.run_id });
        self.request(cx, Mac::BROADCAST, Slac::ParmReq { run_id: self.run_id });
    }

    pub(super) fn forget_run(&mut self) {
        self.timers.clear_all();
        self.out = None;
        self.chosen = None;
        self.verdict = None;
        self.candidates.clear();
    }

    /// The chosen charger failed: try the next best, or end the attempt.
    pub(super) fn pass_on(&mut self, cx: &Cx<'_>, failure: Failure) {
        self.events.push(Event::Failed(failure));
        if !self.choose_next(cx) {
            self.retry(cx);
        }
    }

    pub(super) fn fail(&mut self, cx: &Cx<'_>, failure: Failure) {
        self.events.push(Event::Failed(failure));
        self.retry(cx);
    }

    pub(super) fn retry(&mut self, cx: &Cx<'_>) {
        self.failures = self.failures.saturating_add(1);
        let enough = self.config.max_attempts.is_some_and(|most| self.failures >= most);
        if enough && self.repeat_until.is_none_or(|until| until <= cx.now) {
            self.give_up();
        } else {
            self.wait(cx);
        }
    }

    /// Outstanding responses are still sent.
    pub(super) fn wait(&mut self, cx: &Cx<'_>) {
        self.end_run(PevState::Waiting);
        self.timers.set(Timer::Pause, cx.now + pause(self.failures));
    }

    pub(super) fn give_up(&mut self) {
        self.end_run(PevState::GaveUp);
        self.events.push(Event::GaveUp);
    }

    pub(super) fn end_run(&mut self, state: PevState) {
        self.timers.clear_all();
        self.out = None;
        self.chosen = None;
        self.verdict = None;
        self.state = state;
    }

    /// The link is lost: leave and begin a new matching.
    pub(super) fn lost(&mut self, cx: &mut Cx<'_>, failure: Failure) {
        self.events.push(Event::Failed(failure));
        self.leave(cx);
        self.failures = 0;
        self.repeat_until = Some(cx.now + T_CONN_RESETUP);
        self.wait(cx);
    }
}

/// Pause between two attempts: doubled with every failure.
fn pause(failures: u8) -> Duration {
    let doublings = u32::from(failures.saturating_sub(1).min(8));
    let pause = Duration::from_micros(TT_MATCHING_RATE.as_micros() << doublings);
    pause.min(LONGEST_PAUSE)
}
