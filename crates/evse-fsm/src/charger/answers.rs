//! Responses: sent immediately, or once pilot or current have reached their state.

use session::{By, Cause, Exchange, Time};

use super::Charger;
use super::state::{Timer, Waiting};
use crate::order::{Next, State};
use crate::request::{Agreed, Answer, Content, Request, Verdict};
use crate::{Quirks, Status};

impl Charger {
    /// Delays the response until the pilot or the current has reached its state, at most for `time`.
    pub(super) fn wait(&mut self, request: Request, time: Time) {
        let waiting = Waiting { request, until: self.now + self.config.times.get(time) };
        self.answer_waiting(waiting);
    }

    pub(super) fn answer_waiting(&mut self, waiting: Waiting) {
        let late = self.now >= waiting.until;
        let Waiting { request, until } = waiting;
        let arrived = match request.exchange {
            Exchange::CableCheck => self.may_energise(),
            Exchange::WeldingDetection => !self.is_ready(),
            _ => !self.power.is_energised(),
        };
        match (request.exchange, request.content.clone()) {
            (Exchange::CableCheck, Content::CableCheck(car)) if arrived => self.cable_check(request, car),
            // A car that was ready and has left C or D ends the session, as during the test.
            (Exchange::CableCheck, _) if late && !arrived && self.session.car_left => {
                self.make_safe(By::Car, Cause::Finished, Status::Shutdown);
                self.reply(&request, Verdict::Ok, false);
            }
            (Exchange::CableCheck | Exchange::WeldingDetection, _) if late && !arrived => {
                let unlocked = request.exchange == Exchange::CableCheck && self.is_ready();
                let cause = if unlocked { Cause::Lock } else { Cause::Timeout(Time::PilotDetection.name()) };
                self.refuse(&request, Verdict::Failed, cause.into());
            }
            _ if arrived || late => self.reply(&request, Verdict::Ok, true),
            _ => self.session.waiting = Some(Waiting { request, until }),
        }
    }

    /// Continues the session with the step after this exchange.
    pub(super) fn go_on(&mut self, exchange: Exchange) {
        if let Next::State(next) | Next::Bent(next, ..) = self.next(exchange) {
            self.session.state = next;
        }
    }

    /// Responds, and continues the session.
    pub(super) fn pass(&mut self, request: &Request, verdict: Verdict) {
        self.go_on(request.exchange);
        self.reply(request, verdict, true);
    }

    pub(super) fn reply(&mut self, request: &Request, verdict: Verdict, finished: bool) {
        self.reply_with(request, verdict, finished, None);
    }

    pub(super) fn reply_with(
        &mut self,
        request: &Request,
        verdict: Verdict,
        finished: bool,
        agreed: Option<Agreed>,
    ) {
        let present = self.present();
        let answer = Answer {
            protocol: self.session.protocol,
            exchange: request.exchange,
            session_id: self.session.id.clone(),
            agreed,
            verdict,
            finished,
            status: self.status(request.exchange, finished),
            isolation: Some(self.session.isolation),
            notify_stop: self.session.stop.is_some() && self.config.quirks.contains(Quirks::NOTIFY_STOP),
            present,
            achieved: self.achieved(&request.content, present.voltage_mv),
        };
        self.tell_answer(&answer);
        self.session.answer = Some(answer);
        if self.session.state != State::Over {
            self.set(Timer::Sequence, Time::Sequence);
        }
    }

    /// Whether current, voltage and power of the request are limited by the charger.
    fn achieved(&self, asked: &Content, present_mv: i32) -> [bool; 3] {
        let Content::CurrentDemand { target, .. } = asked else { return [false; 3] };
        let own = &self.config.limits;
        [
            target.current_ma > own.max_current_ma,
            target.voltage_mv > own.max_voltage_mv,
            target.current_ma > own.current_at_power(present_mv),
        ]
    }

    /// The charger's status in a response (defaults of `EvseV2G`, and Ready where an Audi needs it).
    pub(super) fn status(&self, exchange: Exchange, finished: bool) -> Status {
        if let Some(stop) = self.session.stop {
            return stop.status;
        }
        match exchange {
            Exchange::ChargeParameters | Exchange::PreCharge | Exchange::CurrentDemand => Status::Ready,
            Exchange::CableCheck if finished => Status::Ready,
            Exchange::CableCheck => Status::IsolationMonitoring,
            Exchange::PowerOn if self.session.state == State::FirstDemand => Status::Ready,
            Exchange::PowerOn | Exchange::PowerOff | Exchange::WeldingDetection => Status::Shutdown,
            _ => Status::NotReady,
        }
    }

    /// Starts `timer` unless it is running.
    pub(super) fn start(&mut self, timer: Timer, time: Time) {
        self.session.timers.start(timer, self.now + self.config.times.get(time));
    }

    /// Restarts `timer` now.
    pub(super) fn set(&mut self, timer: Timer, time: Time) {
        self.session.timers.set(timer, self.now + self.config.times.get(time));
    }

    /// Starts `timer` with the charger's budget for this exchange, unless it is running.
    pub(super) fn start_budget(&mut self, timer: Timer, exchange: Exchange) {
        if let Some(time) = exchange.row().budget {
            self.start(timer, time);
        }
    }
}
