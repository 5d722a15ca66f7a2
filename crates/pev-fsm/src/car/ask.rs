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

    /// What the charging loop asks for: first the precharge's voltage and 1 A, then the goal by the ramp.
    fn current_target(&mut self) -> Target {
        let Some(vehicle) = self.vehicle else { return Target::ZERO };
        let measured = fresh(self.plant.inlet_mv, self.now);
        let present_mv = measured.or(self.reported_mv).or(vehicle.battery_mv).unwrap_or(0);
        let goal = policy::goal(&vehicle, &self.charger, present_mv, self.inlet_permille());
        let is_first = self.asked_ma.is_none();
        if is_first {
            self.ramp = policy::Ramp::new(self.now);
        }
        let current_ma = self.ramp.step(self.now, goal.current_ma, self.config.current_ramp_ma_per_s);
        self.asked_ma = Some(current_ma);
        let precharge = policy::precharge(&self.config, &vehicle, &self.charger);
        let voltage_mv = if is_first { precharge.voltage_mv.min(goal.voltage_mv) } else { goal.voltage_mv };
        Target { voltage_mv, current_ma }
    }

    /// How much of its current the inlet may carry, in per mille; all where no temperature is measured.
    pub(super) fn inlet_permille(&self) -> i32 {
        fresh(self.plant.inlet_millicelsius, self.now).map_or(1_000, policy::inlet_permille)
    }

    /// The loop's time of what is being asked, for its name.
    pub(super) fn loop_name(&self) -> &'static str {
        match self.step {
            Step::Asking(kind) => loop_time(kind).map_or("", Time::name),
            _ => "",
        }
    }
}
