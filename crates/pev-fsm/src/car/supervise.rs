//! The plant and the clock: processed for each input.

use machine::Deadline;
use session::{By, Cause, Checkpoint, Latch, Phase, Touch, fresh};

use super::{Car, Timer};
use crate::joined::{Joined, compared};
use crate::order::State;
use crate::plug::{Inlet, Late};
use crate::power::News;
use crate::supervision::Use;
use crate::trouble::Trouble;
use crate::{Event, Load, Precharge, Time, Warning};
use session::Exchange;

impl Car {
    /// Applies time, readings and the battery's requirements.
    pub(super) fn advance(&mut self) {
        self.watch();
        self.follow_vehicle();
        while let Some(news) = self.power.step(self.now, &self.plant, &self.config) {
            self.apply_power(news);
        }
        if self.session.state == State::Locking && fresh(self.plant.lock, self.now) == Some(true) {
            self.session.is_locked = true;
            self.session.timers.clear(Timer::Lock);
            self.checkpoint(Checkpoint::LOCK_CONFIRMED);
            self.done();
        }
        self.settle();
        self.take_back();
        self.opened();
        self.finish();
        self.guard_plug();
        self.due = self.earliest();
    }

    /// The earliest of all deadlines.
    fn earliest(&self) -> Option<Deadline> {
        let is_in_use = self.power.is_in_use();
        let stale = self.plant.stale_at().filter(|_| is_in_use);
        let vehicle = self.vehicle.filter(|_| is_in_use).map(|vehicle| vehicle.stale_at());
        let others = [
            ("contactors", self.power.due(self.now, &self.config)),
            ("stale reading", stale.filter(|at| *at > self.now)),
            ("stale vehicle", vehicle.filter(|at| *at > self.now)),
            ("protection", self.supervision.due(self.now, &self.config.protection)),
            ("discharge", self.plug.due(&self.config)),
        ];
        Deadline::earliest(self.session.timers.next(), &others)
    }

    pub(super) fn run_timers(&mut self) {
        while let Some(timer) = self.session.timers.expired(self.now) {
            self.expired(timer);
        }
    }

    /// Checks the safety rules.
    pub(super) fn watch(&mut self) {
        let now = self.now;
        if fresh(self.plant.emergency_stop, now) == Some(true)
            && (self.latched != Some(Latch::EmergencyStop) || self.session.state.is_on())
        {
            self.emergency_stop();
        }
        let vehicle = self.vehicle;
        let found = self.supervision.watch(now, &self.plant, &self.config, vehicle.as_ref(), self.in_use());
        if let Some(trouble) = found {
            self.fault(trouble);
        }
        if let Some(trouble) = self.is_apart().filter(|_| self.power.is_closing()) {
            self.fault(trouble);
        }
        if self.supervision.is_out() {
            self.keep_stop(false);
        }
    }

    /// The present use of the inlet.
    fn in_use(&self) -> Use {
        let is_ending = self.session.state == State::Asking(Exchange::PowerOff) || !self.power.is_in_use();
        Use {
            is_in_session: self.session.state.is_on(),
            is_ready: self.power.is_in_use(),
            is_locked: self.session.is_locked,
            is_closed: self.power.is_closed(),
            is_joined: self.power.is_joined(),
            is_open: self.power.is_open(),
            asked_ma: self.session.asked_ma.filter(|_| !is_ending).unwrap_or(0),
            is_tested: self.phase == Phase::CableCheck,
            stale: self.plant.stale(self.config.sensors, self.now),
            named_mv: self.session.named_mv,
        }
    }

    /// A fault if the difference between inlet and battery is larger than permitted for closing. The
    /// contactors were commanded to close and have not confirmed it: a difference proves that they are still
    /// open.
    fn is_apart(&self) -> Option<Trouble> {
        if self.config.load != Load::Battery || self.config.precharge == Precharge::Reported {
            return None;
        }
        let battery = self.vehicle.and_then(|car| car.battery_mv);
        let (inlet, battery) = fresh(self.plant.inlet_mv, self.now).zip(battery)?;
        let is_apart = inlet.saturating_sub(battery).saturating_abs() > self.config.tolerance_mv;
        let trouble = Trouble::new(By::Charger, Cause::VoltageOff).compared(compared(inlet, battery));
        is_apart.then_some(trouble)
    }

    /// Applies the battery's reasons to end, during a stop as well.
    fn follow_vehicle(&mut self) {
        let Some(vehicle) = self.vehicle.filter(|_| self.session.state.is_on()) else { return };
        if vehicle.error != 0 {
            self.stop_in_order(By::Car, Cause::CarError(vehicle.error));
        }
        if let Some(trouble) = self.supervision.ends_in_order(self.now, &self.plant, &self.config, &vehicle) {
            let about = session::Detail { compared: trouble.compared, ..self.about };
            self.about(about, |car| car.stop_in_order(trouble.by, trouble.cause));
        }
        if self.session.stop.is_some() {
            return;
        }
        if vehicle.is_done {
            self.stop_in_order(By::Car, Cause::Finished);
        } else if self.session.state.is_charging() && vehicle.target.current_ma <= 0 {
            self.session.timers.start(Timer::NoDemand, self.now + self.config.time(Time::NoDemand));
        } else {
            self.session.timers.clear(Timer::NoDemand);
        }
    }

    fn apply_power(&mut self, news: News) {
        match news {
            News::Closed if self.session.state == State::Closing => self.done(),
            News::Closed => {}
            News::Opening => self.part(),
            News::NotClosed => self.make_safe(By::Car, Cause::Contactor),
            News::EmergencyOpening(current_ma) => {
                self.events.push(Event::EmergencyOpening { current_ma });
                // The session did not end normally, whatever its reason was.
                if self.session.stop.is_some_and(session::StopReason::is_normal) {
                    match current_ma {
                        Some(_) => self.stop_for(By::Charger, Cause::OverCurrent),
                        None => self.stop_for(By::Car, Cause::StaleReading("current")),
                    }
                }
                self.part();
            }
            News::NotOpen => {
                self.latch(Latch::Contactors);
                self.make_safe(By::Car, Cause::Contactor);
            }
        }
    }

    /// The contactors open: the newest comparison of inlet and battery is the last one that can check their
    /// sensors.
    fn part(&mut self) {
        if self.supervision.joined_mut().part() {
            let cause = Cause::Suspect("inlet and battery voltage");
            let inlet = fresh(self.plant.inlet_mv, self.now).unwrap_or(0);
            let battery = self.vehicle.and_then(|car| car.battery_mv).unwrap_or(0);
            let trouble = Trouble::new(By::Car, cause).latched(Latch::Suspect);
            self.fault(trouble.compared(compared(inlet, battery)));
        }
    }

    /// Whether the inlet is dead, with this result of the sensor comparison.
    pub(super) fn touch_by(&self, joined: &Joined) -> Touch {
        // A charger that was never permitted to energise has no voltage to report.
        let never_live = !self.session.is_locked && self.power.is_off();
        let reported = self.session.present_mv.or(Some(0).filter(|_| never_live));
        let inlet = Inlet { now: self.now, plant: &self.plant, config: &self.config };
        inlet.touch(joined, reported, self.power.is_off())
    }

    fn guard_plug(&mut self) {
        if self.session.state.needs_lock() || self.is_held_by_latch() || !self.power.is_off() {
            return self.plug.hold();
        }
        let inlet = self.touch_by(self.supervision.joined());
        match self.plug.step(self.now, inlet, &self.config) {
            Some(Late::Slow) => self.events.push(Event::Warning(Warning::SlowDischarge)),
            Some(Late::Fault) => self.latch(Latch::VoltagePresent),
            None => {}
        }
    }
}
