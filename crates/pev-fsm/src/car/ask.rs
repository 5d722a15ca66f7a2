//! Requests: one at a time, each with its timer.

use machine::Duration;
use session::{Exchange, Target, fresh};

use super::{Car, Timer};
use crate::Time;
use crate::order::State;
use crate::policy;
use crate::request::Request;

impl Car {
    /// Queues the request of this exchange and starts its timer.
    pub(super) fn ask(&mut self, exchange: Exchange) {
        let Some(vehicle) = self.vehicle else { return };
        let row = exchange.row();
        if self.session.state != State::Asking(exchange) {
            self.session.state = State::Asking(exchange);
            self.session.timers.clear(Timer::Loop);
            if let Some(time) = row.loop_time {
                self.session.timers.set(Timer::Loop, self.now + self.config.time(time));
            }
        }
        self.session.timers.clear(Timer::Pace);
        (self.session.is_waiting, self.session.closes_from) = (true, None);
        self.set_phase(row.phase);
        if let Some(time) = row.response_time {
            let is_first = exchange == Exchange::Handshake;
            let more = if is_first { self.config.time(Time::StartAllowance) } else { Duration::ZERO };
            self.session.timers.set(Timer::Message, self.now + self.config.time(time) + more);
        }
        self.session.was_powered |= exchange == Exchange::PowerOn;
        if exchange == Exchange::ChargeParameters {
            self.session.named_mv = vehicle.limits.max_voltage_mv;
        }
        let target = match exchange {
            Exchange::PreCharge => policy::precharge_target(&self.config, &vehicle, &self.session.charger),
            Exchange::CurrentDemand => self.current_target(),
            _ => Target::ZERO,
        };
        let request = Request {
            exchange,
            session_id: self.session.id.clone(),
            vehicle,
            transfer: self.session.transfer,
            service_id: self.session.service_id,
            is_ready: matches!(
                exchange,
                Exchange::CableCheck | Exchange::PreCharge | Exchange::PowerOn | Exchange::CurrentDemand
            ),
            target,
        };
        self.tell_request(&request);
        self.session.request = Some(request);
    }

    /// The target of the next `CurrentDemandReq`: the precharge's voltage and 1 A first, then the goal by the
    /// ramp. 0 A while a stop is under way or a fault may be present that is not confirmed yet.
    fn current_target(&mut self) -> Target {
        let Some(vehicle) = self.vehicle else { return Target::ZERO };
        let measured = fresh(self.plant.inlet_mv, self.now);
        let inlet_mv = measured.or(self.session.present_mv).or(vehicle.battery_mv).unwrap_or(0);
        let goal = policy::goal(
            &vehicle,
            &self.session.charger,
            inlet_mv,
            self.inlet_permille(),
            self.session.named_mv,
        );
        let is_nothing = self.session.stop.is_some() || self.supervision.is_doubted();
        let goal_ma = if is_nothing { 0 } else { goal.current_ma };
        let is_first = self.session.asked_ma.is_none();
        if is_first {
            self.session.ramp = policy::Ramp::new(self.now);
        }
        let current_ma = self.session.ramp.step(self.now, goal_ma, self.config.current_ramp_ma_per_s);
        self.session.asked_ma = Some(current_ma);
        let precharge = policy::precharge_target(&self.config, &vehicle, &self.session.charger);
        let voltage_mv = if is_first { precharge.voltage_mv.min(goal.voltage_mv) } else { goal.voltage_mv };
        Target { voltage_mv, current_ma }
    }

    /// A fault may be present that ends the session if it persists: the current is reduced to 0 A
    /// immediately. If it does not persist, the current rises by the ramp again.
    pub(super) fn take_back(&mut self) {
        let may_ask =
            self.session.state == State::Asking(Exchange::CurrentDemand) && !self.session.is_waiting;
        let asks = self.session.asked_ma.is_some_and(|ma| ma > 0);
        if may_ask && asks && self.supervision.is_doubted() {
            self.ask(Exchange::CurrentDemand);
        }
    }

    /// The share of its current that the inlet may carry, in per mille; 1000 without a temperature sensor.
    pub(super) fn inlet_permille(&self) -> i32 {
        let hot = self.config.protection.hot_millicelsius;
        let inlet = fresh(self.plant.inlet_millicelsius, self.now);
        inlet.map_or(1_000, |millicelsius| policy::inlet_permille(millicelsius, hot))
    }
}
