//! The plant and the clock: what is done each time anything comes in.

use session::{By, Cause, Checkpoint, fresh};

use super::{Car, Step, Timer};
use crate::plug::Inlet;
use crate::power::News;
use crate::request::Kind;
use crate::{Event, Latch, Load, Precharge, Time};

impl Car {
    /// Does what time, sensors and battery ask for.
    pub(super) fn advance(&mut self) {
        self.watch();
        self.heed_vehicle();
        while let Some(news) = self.power.step(self.now, &self.plant, &self.config) {
            self.heed_power(news);
        }
        if self.step == Step::Locking && fresh(self.plant.lock, self.now) == Some(true) {
            self.is_locked = true;
            self.timers.clear(Timer::Lock);
            self.checkpoint(Checkpoint::LOCK_CONFIRMED);
            self.ask(Kind::CableCheck);
        }
        self.settle();
        self.opened();
        self.finish();
        self.guard_plug();
    }

    pub(super) fn run_timers(&mut self) {
        while let Some(timer) = self.timers.expired(self.now) {
            self.expired(timer);
        }
    }

    /// Watches what must be right.
    pub(super) fn watch(&mut self) {
        let now = self.now;
        if fresh(self.plant.emergency_stop, now) == Some(true)
            && (self.latched != Some(Latch::EmergencyStop) || self.is_in_session())
        {
            self.emergency_stop();
        }
        // Nobody told them to be closed: found without a session, too, and again behind a reset.
        if self.supervision.unasked(now, &self.plant, self.power.is_open()) {
            self.latch(Latch::Contactors);
            self.make_safe(By::Car, Cause::Contactor);
        }
        // Followed without a session, too: a pilot that is gone already is not given its time once more.
        let found = self.supervision.always(now, &self.plant);
        if let Some((by, cause)) = found.filter(|_| self.is_in_session()) {
            self.make_safe(by, cause);
        }
        if self.power.is_closing() && self.is_apart() {
            self.make_safe(By::Charger, Cause::VoltageOff);
        }
        let Some(vehicle) = self.vehicle.filter(|_| self.power.is_in_use()) else { return };
        let is_closed = self.power.is_closed();
        let is_ending = self.step == Step::Asking(Kind::PowerOff);
        let asked_ma = self.asked_ma.filter(|_| !is_ending).unwrap_or(0);
        let found = self.supervision.in_use(
            now,
            &self.plant,
            &self.config,
            &vehicle,
            self.is_locked,
            is_closed,
            asked_ma,
        );
        if let Some((by, cause)) = found {
            if matches!(cause, Cause::OverVoltage | Cause::OverCurrent) {
                self.latch(Latch::OutOfRange);
            }
            self.make_safe(by, cause);
        }
    }

    /// Whether the inlet is known to be farther from the battery than contactors may close at. Behind contacts that have met
    /// without a word it would have the battery's voltage: it proves that they are still open.
    fn is_apart(&self) -> bool {
        if self.config.load != Load::Battery || self.config.precharge == Precharge::Reported {
            return false;
        }
        let battery = self.vehicle.and_then(|car| car.battery_mv);
        let both = fresh(self.plant.inlet_mv, self.now).zip(battery);
        both.is_some_and(|(inlet, battery)| {
            inlet.saturating_sub(battery).saturating_abs() > self.config.tolerance_mv
        })
    }

    /// The battery's own reasons to end.
    fn heed_vehicle(&mut self) {
        let Some(vehicle) = self.vehicle.filter(|_| self.is_in_session() && self.stop.is_none()) else {
            return;
        };
        if vehicle.error != 0 {
            self.stop_in_order(By::Car, Cause::CarError(vehicle.error));
        } else if self.inlet_permille() == 0 {
            self.stop_in_order(By::Car, Cause::InletHot);
        } else if vehicle.is_done {
            self.stop_in_order(By::Car, Cause::Finished);
        } else if self.step == Step::Asking(Kind::CurrentDemand) && vehicle.target.current_ma <= 0 {
            self.timers.start(Timer::NoDemand, self.now + self.config.time(Time::NoDemand));
        } else {
            self.timers.clear(Timer::NoDemand);
        }
    }

    fn heed_power(&mut self, news: News) {
        match news {
            News::Closed if self.step == Step::Closing => self.ask(Kind::PowerOn),
            News::Closed | News::Opening => {}
            News::NotClosed => self.make_safe(By::Car, Cause::Contactor),
            News::EmergencyOpening(current_ma) => {
                self.events.push(Event::EmergencyOpening { current_ma });
                // Whatever the reason was: it did not end in order.
                match current_ma {
                    Some(_) => self.stop_for(By::Charger, Cause::OverCurrent),
                    None => self.stop_for(By::Car, Cause::StaleReading("current")),
                }
            }
            News::NotOpen => {
                self.latch(Latch::Contactors);
                self.make_safe(By::Car, Cause::Contactor);
            }
        }
    }

    pub(super) fn inlet(&self) -> Inlet {
        // A charger that was never in a position to energise has nothing to report.
        let never_live = !self.is_locked && self.power.is_off();
        let reported = self.reported_mv.or(Some(0).filter(|_| never_live));
        Inlet::of(self.now, &self.plant, &self.config, reported, self.power.is_off())
    }

    fn guard_plug(&mut self) {
        let needed = match self.step {
            Step::Locking | Step::Closing | Step::Opening => true,
            Step::Asking(kind) => matches!(
                kind,
                Kind::CableCheck
                    | Kind::PreCharge
                    | Kind::PowerOn
                    | Kind::CurrentDemand
                    | Kind::PowerOff
                    | Kind::WeldingDetection
            ),
            Step::NoSession | Step::Over => false,
        };
        // A fault behind which there may be voltage keeps it locked until a person has looked.
        let is_fault = matches!(self.latched, Some(Latch::VoltagePresent | Latch::Contactors));
        if needed || is_fault || !self.power.is_off() {
            self.plug.hold();
        } else if self.plug.step(self.now, self.inlet()) {
            self.latch(Latch::VoltagePresent);
        }
    }
}
