//! Answers: now, or when pilot or current are where they must be.

use machine::Duration;
use session::{By, Cause};

use super::tell::response_name;
use super::{Charger, Timer, Waiting};
use crate::request::{Agreed, Answer, Content, Kind, Request, Verdict};
use crate::sequence::State;
use crate::{Quirks, Status};

impl Charger {
    /// Answers later: when the pilot or the current is where it must be, or at the latest after `span`.
    pub(super) fn wait(&mut self, request: Request, span: Duration) {
        let waiting = Waiting { request, until: self.now + span };
        self.answer_waiting(waiting);
    }

    pub(super) fn answer_waiting(&mut self, waiting: Waiting) {
        let late = self.now >= waiting.until;
        let Waiting { request, until } = waiting;
        let arrived = match request.kind {
            Kind::CableCheck => self.may_energise(),
            Kind::WeldingDetection => !self.is_ready(),
            _ => !self.power.is_energised(),
        };
        match (request.kind, request.content.clone()) {
            (Kind::CableCheck, Content::CableCheck(car)) if arrived => self.cable_check(request, car),
            // A car that was ready and no longer is ends the session, as in the test itself.
            (Kind::CableCheck, _) if late && !arrived && self.car_left => {
                self.make_safe(By::Car, Cause::Finished, Status::Shutdown);
                self.reply(&request, Verdict::Ok, false);
            }
            (Kind::CableCheck | Kind::WeldingDetection, _) if late && !arrived => {
                let unlocked = request.kind == Kind::CableCheck && self.is_ready();
                let cause = if unlocked { Cause::Lock } else { Cause::Timeout("pilot detection") };
                self.refuse(&request, Verdict::Failed, cause.into());
            }
            _ if arrived || late => self.reply(&request, Verdict::Ok, true),
            _ => self.waiting = Some(Waiting { request, until }),
        }
    }

    pub(super) fn reply(&mut self, request: &Request, verdict: Verdict, finished: bool) {
        self.reply_with(request, verdict, finished, Agreed::No);
    }

    pub(super) fn reply_with(&mut self, request: &Request, verdict: Verdict, finished: bool, agreed: Agreed) {
        let asked_current = matches!(&request.content, Content::CurrentDemand { target, .. }
            if target.current_ma > self.config.limits.max_current_ma);
        let asked_voltage = matches!(&request.content, Content::CurrentDemand { target, .. }
            if target.voltage_mv > self.config.limits.max_voltage_mv);
        let present = self.present();
        let most = self.config.limits.current_at_power(present.voltage_mv);
        let asked_power = matches!(&request.content, Content::CurrentDemand { target, .. }
            if target.current_ma > most);
        let answer = Answer {
            kind: request.kind,
            name: response_name(request.kind),
            session_id: self.session_id.clone(),
            agreed,
            verdict,
            finished,
            status: self.status(request.kind, finished),
            isolation: Some(self.isolation),
            notify_stop: self.stop.is_some() && self.config.quirks.contains(Quirks::NOTIFY_STOP),
            present,
            achieved: [asked_current, asked_voltage, asked_power],
        };
        self.tell_answer(&answer, request);
        self.answer = Some(answer);
        if self.state != State::Over {
            self.timers.set(Timer::Sequence, self.now + self.config.times.sequence);
        }
    }

    /// The charger's status as the car is told it (defaults of `EvseV2G`, and Ready where an Audi needs it).
    pub(super) fn status(&self, kind: Kind, finished: bool) -> Status {
        if let Some(stop) = self.stop {
            return stop.status;
        }
        match kind {
            Kind::ChargeParameter | Kind::PreCharge | Kind::CurrentDemand => Status::Ready,
            Kind::CableCheck if finished => Status::Ready,
            Kind::CableCheck => Status::IsolationMonitoring,
            Kind::PowerDelivery if self.state == State::FirstDemand => Status::Ready,
            Kind::PowerDelivery | Kind::WeldingDetection => Status::Shutdown,
            _ => Status::NotReady,
        }
    }

    pub(super) fn start(&mut self, timer: Timer, span: Duration) {
        self.timers.start(timer, self.now + span);
    }
}
