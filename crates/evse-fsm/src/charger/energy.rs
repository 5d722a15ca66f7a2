//! The session from the isolation test to its end.

use machine::Duration;
use session::{By, Cause, Checkpoint, Limits, Target, Time};

use super::Charger;
use super::state::Timer;
use crate::order::State;
use crate::power::{Command, SAFE_OPEN};
use crate::request::{CarStatus, Profile, Request, Verdict};
use crate::{Event, Isolation, PowerStage, Quirks, Status, Warning, policy};

impl Charger {
    /// From `SessionStopRes` to closing the connection: 5 s, the limit of ISO 15118-4.
    const CLOSE_AFTER_END: Duration = Duration::from_secs(5);

    pub(super) fn cable_check(&mut self, request: Request, car: CarStatus) {
        if car.error != 0 {
            return self.refuse(&request, Verdict::Failed, Cause::CarError(car.error).into());
        }
        if let Some(stop) = self.session.stop {
            // A fault found during the test is reported by the response code, not only by the status.
            let cause = stop.reason.cause;
            if is_of_the_test(cause) {
                if cause == Cause::Isolation {
                    self.session.isolation = Isolation::Fault;
                }
                return self.refuse(&request, Verdict::Failed, cause.into());
            }
            return self.reply(&request, Verdict::Ok, false);
        }
        if !self.may_energise() {
            return self.wait(request, Time::PilotDetection);
        }
        if !self.power.is_testing() {
            // A fault that would end the session immediately must be found before the contactors close.
            if let Some(name) = self.stale() {
                return self.refuse(&request, Verdict::Failed, Cause::StaleReading(name).into());
            }
            self.begin_test(&request);
        }
        match self.power.test_result() {
            None => self.reply(&request, Verdict::Ok, false),
            Some(Err(_)) => self.test_failed(&request),
            Some(Ok(isolation)) => self.test_passed(&request, isolation),
        }
    }

    pub(super) fn may_energise(&self) -> bool {
        self.is_ready() && self.is_locked()
    }

    fn begin_test(&mut self, request: &Request) {
        self.start_budget(Timer::CableCheck, request.exchange);
        self.checkpoint(Checkpoint::ISOLATION_TEST);
        let (car_mv, own_mv) = (self.session.car_limits.max_voltage_mv, self.config.limits.max_voltage_mv);
        let test_mv = self.config.protection.test_mv(car_mv, own_mv);
        let is_residual = self.supervision.off.may_be_residual();
        self.warn_of_monitor();
        self.drive(Command::Test { test_mv, is_residual });
    }

    /// Warns once a session of a monitor that cannot show that it measures.
    fn warn_of_monitor(&mut self) {
        let monitor = self.plant.isolation.map(|reading| reading.value);
        let is_unproven =
            monitor.is_some_and(|monitor| monitor.count.is_none() && monitor.self_test.is_none());
        if is_unproven && self.config.power_stage == PowerStage::Real {
            self.events.push(Event::Warning(Warning::MonitorUnproven));
        }
    }

    fn test_failed(&mut self, request: &Request) {
        if let Some(found) = self.power.test_fault(self.now, &self.plant, &self.config) {
            self.make_safe(By::Charger, found, Status::Malfunction);
            self.refuse(request, Verdict::Failed, found);
        }
    }

    fn test_passed(&mut self, request: &Request, isolation: Isolation) {
        let is_good = match isolation {
            Isolation::Valid => true,
            Isolation::Warning => self.config.quirks.contains(Quirks::ISOLATION_WARNING),
            Isolation::Measuring | Isolation::Fault => false,
        };
        self.session.isolation = isolation;
        if !is_good {
            self.make_safe(By::Charger, Cause::Isolation, Status::Malfunction);
            return self.refuse(request, Verdict::Failed, Cause::Isolation.into());
        }
        self.session.timers.clear(Timer::CableCheck);
        self.checkpoint(Checkpoint::CABLE_CHECK_FINISHED);
        self.pass(request, Verdict::Ok);
    }

    pub(super) fn precharge(&mut self, request: &Request, car: CarStatus, asked: Target) {
        if self.session.stop.is_some() {
            return self.reply(request, Verdict::Ok, true);
        }
        if car.error != 0 {
            return self.refuse(request, Verdict::Failed, Cause::CarError(car.error).into());
        }
        match policy::precharge(&self.config, asked) {
            Err(refusal) => self.refuse_for(request, refusal),
            Ok(warning) => {
                self.warn(warning);
                self.start_budget(Timer::PreCharge, request.exchange);
                self.drive(Command::PreCharge { precharge_mv: asked.voltage_mv });
                self.pass(request, Verdict::Ok);
            }
        }
    }

    pub(super) fn power_on(&mut self, request: &Request, profile: Option<Profile>, car: Option<CarStatus>) {
        let error = car.map_or(0, |car| car.error);
        if error != 0 {
            return self.refuse(request, Verdict::PowerNotApplied, Cause::CarError(error).into());
        }
        // During an operator's stop the car is not refused here: it receives the stop in the charging loop,
        // where nothing rises.
        let is_ending =
            self.session.stop.is_some() && (self.is_stopping_for_safety() || !self.power.is_at_car());
        if is_ending || !self.is_ready() || car.is_some_and(|car| !car.ready) {
            return self.refuse_for(request, Verdict::PowerNotApplied.into());
        }
        let present_mv = self.present().voltage_mv;
        match policy::power_on(&self.config, profile, present_mv, self.power.precharge_mv()) {
            Err(refusal) => self.refuse_for(request, refusal),
            Ok(warning) => {
                self.warn(warning);
                self.session.timers.clear(Timer::PreCharge);
                self.power.switch_on(self.now);
                self.pass(request, Verdict::Ok);
            }
        }
    }

    fn warn(&mut self, warning: Option<Warning>) {
        if let Some(warning) = warning {
            self.events.push(Event::Warning(warning));
        }
    }

    /// Switches off, and responds when the current has ended.
    pub(super) fn power_off(&mut self, request: Request) {
        self.session.timers.clear(Timer::PreCharge);
        self.session.timers.clear(Timer::StopGrace);
        self.power.stop(self.now, self.config.times.get(Time::PowerOffDelay));
        self.go_on(request.exchange);
        self.start_budget(Timer::Welding, request.exchange);
        self.wait(request, Time::PowerOffDelay);
    }

    pub(super) fn current_demand(
        &mut self,
        request: &Request,
        car: CarStatus,
        asked: Target,
        limits: Limits,
    ) {
        if let Err(refusal) = policy::demand(asked, &limits) {
            return self.refuse_for(request, refusal);
        }
        // A car that is not ready gets 0 A until it is. A car that reports an error gets 0 A, and ends the
        // session.
        if car.error != 0 {
            self.stop_for(By::Car, Cause::CarError(car.error), Status::Shutdown);
        } else if !car.ready && !self.session.car_waits {
            self.events.push(Event::Warning(Warning::CarNotReady));
        }
        self.session.car_waits = !car.ready;
        if self.power.is_transferring() {
            let asked = if car.is_fine() { asked } else { Target { current_ma: 0, ..asked } };
            self.drive(Command::Transfer { asked, limits: self.bounds().and(&limits) });
        }
        if self.session.state == State::FirstDemand {
            self.session.charged = true;
            self.checkpoint(Checkpoint::CURRENT_DEMAND_LOOP);
        }
        self.pass(request, Verdict::Ok);
    }

    pub(super) fn welding_detection(&mut self, request: Request) {
        if self.is_ready() {
            return self.wait(request, Time::PilotDetection);
        }
        self.reply(&request, Verdict::Ok, true);
    }

    pub(super) fn session_stop(&mut self, request: &Request) {
        self.power.stop(self.now, SAFE_OPEN);
        if self.supervision.off.is_on() {
            self.stop_for(By::Charger, Cause::WeldSuspected, Status::Malfunction);
        }
        self.stop_for(By::Car, Cause::Finished, Status::Shutdown);
        self.session.timers.clear_all();
        self.go_on(request.exchange);
        // The car should close the connection; otherwise the charger does.
        self.session.timers.set(Timer::Close, self.now + Self::CLOSE_AFTER_END);
        self.reply(request, Verdict::Ok, true);
    }
}

/// Whether this cause is a fault that the isolation test finds.
fn is_of_the_test(cause: Cause) -> bool {
    matches!(
        cause,
        Cause::WeldSuspected
            | Cause::Contactor
            | Cause::VoltageOff
            | Cause::Isolation
            | Cause::MonitorHangs
            | Cause::Suspect(_)
    )
}
