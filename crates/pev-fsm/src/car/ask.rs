//! Requests: one at a time, each with its timer.

use session::{Target, fresh};

use super::{Car, Step, Timer};
use crate::Time;
use crate::policy;
use crate::request::{Kind, Request};

/// How long a kind may be repeated.
const fn loop_time(kind: Kind) -> Option<Time> {
    match kind {
        Kind::Authentication => Some(Time::AuthenticationLoop),
        Kind::ChargeParameter => Some(Time::ChargeParameterLoop),
        Kind::CableCheck => Some(Time::CableCheckLoop),
        Kind::PreCharge => Some(Time::PreChargeLoop),
        _ => None,
    }
}

impl Car {
    /// Asks now.
    pub(super) fn ask(&mut self, kind: Kind) {
        let Some(vehicle) = self.vehicle else { return };
        if self.step != Step::Asking(kind) {
            self.timers.clear(Timer::Loop);
            if let Some(time) = loop_time(kind) {
                self.timers.set(Timer::Loop, self.now + self.config.time(time));
            }
        }
        let row = kind.row();
        self.timers.clear(Timer::Pace);
        self.step = Step::Asking(kind);
        (self.is_waiting, self.closes_from) = (true, None);
        self.set_phase(row.phase);
        let mut wait = self.config.time(row.time);
        if kind == Kind::Handshake {
            wait = wait + self.config.time(Time::StartAllowance);
        }
        self.timers.set(Timer::Message, self.now + wait);
        self.was_powered |= kind == Kind::PowerOn;
        if kind == Kind::ChargeParameter {
            self.named_mv = vehicle.limits.max_voltage_mv;
        }
        let target = match kind {
            Kind::PreCharge => policy::precharge(&self.config, &vehicle, &self.charger),
            Kind::CurrentDemand => self.current_target(),
            _ => Target::ZERO,
        };
        let request = Request {
            kind,
            session_id: self.session_id.clone(),
            vehicle,
            transfer: self.transfer,
            service_id: self.service_id,
            is_ready: matches!(
                kind,
                Kind::CableCheck | Kind::PreCharge | Kind::PowerOn | Kind::CurrentDemand
            ),
            target,
        };
        self.tell_request(&request);
        self.request = Some(request);
    }

    /// Asks after a pause.
    pub(super) fn ask_later(&mut self, kind: Kind, pause: Time) {
        if self.step != Step::Asking(kind) {
            self.timers.clear(Timer::Loop);
            self.step = Step::Asking(kind);
        }
        self.timers.set(Timer::Pace, self.now + self.config.time(pause));
    }

    /// What the charging loop asks for: first the precharge's voltage and 1 A, then the goal by the ramp. Nothing while a
    /// stop is under way, or something may be wrong that ends the session if it stays.
    fn current_target(&mut self) -> Target {
        let Some(vehicle) = self.vehicle else { return Target::ZERO };
        let measured = fresh(self.plant.inlet_mv, self.now);
        let present_mv = measured.or(self.reported_mv).or(vehicle.battery_mv).unwrap_or(0);
        let goal = policy::goal(&vehicle, &self.charger, present_mv, self.inlet_permille(), self.named_mv);
        let is_nothing = self.stop.is_some() || self.supervision.is_doubted();
        let goal_ma = if is_nothing { 0 } else { goal.current_ma };
        let is_first = self.asked_ma.is_none();
        if is_first {
            self.ramp = policy::Ramp::new(self.now);
        }
        let current_ma = self.ramp.step(self.now, goal_ma, self.config.current_ramp_ma_per_s);
        self.asked_ma = Some(current_ma);
        let precharge = policy::precharge(&self.config, &vehicle, &self.charger);
        let voltage_mv = if is_first { precharge.voltage_mv.min(goal.voltage_mv) } else { goal.voltage_mv };
        Target { voltage_mv, current_ma }
    }

    /// Something may be wrong that ends the session if it stays: the current is taken back at once, and comes back by the
    /// ramp if it was a bounce.
    pub(super) fn take_back(&mut self) {
        let may_ask = self.step == Step::Asking(Kind::CurrentDemand) && !self.is_waiting;
        let asks = self.asked_ma.is_some_and(|ma| ma > 0);
        if may_ask && asks && self.supervision.is_doubted() {
            self.ask(Kind::CurrentDemand);
        }
    }

    /// How much of its current the inlet may carry, in per mille; all where no temperature is measured.
    pub(super) fn inlet_permille(&self) -> i32 {
        let hot = self.config.protection.hot_millicelsius;
        let inlet = fresh(self.plant.inlet_millicelsius, self.now);
        inlet.map_or(1_000, |millicelsius| policy::inlet_permille(millicelsius, hot))
    }

    /// The loop's time of what is being asked, for its name.
    pub(super) fn loop_name(&self) -> &'static str {
        match self.step {
            Step::Asking(kind) => loop_time(kind).map_or("", Time::name),
            _ => "",
        }
    }
}
