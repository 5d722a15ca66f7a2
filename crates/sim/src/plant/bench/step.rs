//! Time on a bench.

use evse_fsm::{Contactors, Demand, Lock};
use machine::{Duration, Instant};

use super::{Bench, CarDemand, Occurrence, Side, milli};
use crate::plant::{ContactorFault, seconds};
use crate::queue::earlier;

/// Longest step while a voltage or current moves: a fifth of the shortest time constant.
const MOVING: Duration = Duration::from_millis(4);
/// Longest step while current flows and no value moves: a hundredth of the battery's time constant.
const FLOWING: Duration = Duration::from_millis(400);
/// Longest step while nothing happens.
const RESTING: Duration = Duration::from_secs(3_600);

impl Bench {
    /// Advances everything to `now`; an earlier time changes nothing.
    #[inline]
    pub fn advance(&mut self, now: Instant) {
        if self.now < now {
            self.move_to(now);
        }
    }

    fn move_to(&mut self, now: Instant) {
        while self.now < now {
            let left = now.since(self.now);
            // The rest is at most the shortest step.
            let longest = if left <= MOVING { now } else { self.now + left.min(self.longest()) };
            let due = self.due();
            let next = due.filter(|due| *due > self.now).map_or(longest, |due| due.min(longest));
            let dt = seconds(next.since(self.now));
            self.now = next;
            self.stage.step(next, dt);
            self.flow(dt);
            if due.is_some_and(|due| due <= next) {
                self.fire();
            }
        }
    }

    fn longest(&self) -> Duration {
        let is_discharging = !self.charger.contactor.is_closed() || !self.wire.is_plugged;
        if self.stage.is_moving(self.now) || (is_discharging && self.cable.is_moving()) {
            MOVING
        } else if self.amps != 0.0 {
            FLOWING
        } else {
            RESTING
        }
    }

    /// When the next part moves without a new demand.
    fn due(&self) -> Option<Instant> {
        let contactors = earlier(self.charger.contactor.due(), self.car.contactor.due());
        let locks = earlier(self.charger.lock.due(), self.car.lock.due());
        let supply = earlier(self.stage.due(self.now), self.monitor.due());
        let heartbeat = earlier(self.expires(Side::Charger), self.expires(Side::Car));
        earlier(earlier(contactors, locks), earlier(supply, heartbeat))
    }

    /// When the hardware makes a side SAFE, unless a sign of life comes.
    fn expires(&self, side: Side) -> Option<Instant> {
        let is_energised = match side {
            Side::Charger => self.demand.is_energised(),
            Side::Car => self.car_demand.contactors == Contactors::Closed || self.car_demand.level.is_ready(),
        };
        self.heartbeat.filter(|_| is_energised).map(|heartbeat| self.end(side).fed + heartbeat)
    }

    /// Voltages and current with the present contacts, after `dt` seconds.
    fn flow(&mut self, dt: f64) {
        self.load.step(self.amps, dt);
        let source = self.load.source().filter(|_| self.car.contactor.is_closed());
        let is_charger_on = self.charger.contactor.is_closed();
        let (charger, car, amps) = if self.wire.is_plugged {
            let (volts, amps) = match (is_charger_on, source) {
                (true, load) => {
                    let (volts, amps) = self.stage.feed(load);
                    (Some(volts), amps)
                }
                (false, source) => (source.map(|(volts, _)| volts), 0.0),
            };
            (volts, volts, amps)
        } else {
            let own = is_charger_on.then(|| self.stage.feed(None).0);
            (own, source.map(|(volts, _)| volts), 0.0)
        };
        self.cable.step(charger, car, dt);
        self.amps = amps;
        self.monitor.step(self.now, milli(self.cable.charger_v), self.cable.isolation_ohm);
    }

    /// Carries out what is due now.
    pub(super) fn fire(&mut self) {
        for side in [Side::Charger, Side::Car] {
            if self.expires(side).is_some_and(|at| at <= self.now) {
                self.happened(Occurrence::Heartbeat(side));
                let fed = self.end(side).fed;
                match side {
                    Side::Charger => self.drive_charger(self.now, &Demand::SAFE),
                    Side::Car => self.drive_car(self.now, &CarDemand::SAFE),
                }
                (self.end_mut(side).fed, self.end_mut(side).tripped) = (fed, true);
            }
            while let Some(closed) = self.step_contactor(side) {
                self.contacts_moved(side, closed);
            }
            let now = self.now;
            if let Some(is_locked) = self.end_mut(side).lock.step(now) {
                let end = self.end(side);
                self.happened(Occurrence::Lock {
                    side,
                    is_locked,
                    voltage_mv: self.conductors_mv(side),
                    was_closed: end.contactor.is_closed(),
                    by_fault: end.lock.is_broken(),
                });
            }
        }
    }

    pub(super) fn conductors_mv(&self, side: Side) -> i32 {
        milli(match side {
            Side::Charger => self.cable.charger_v,
            Side::Car => self.cable.car_v,
        })
    }

    fn step_contactor(&mut self, side: Side) -> Option<bool> {
        let now = self.now;
        let contactor = &mut self.end_mut(side).contactor;
        while contactor.due().is_some_and(|due| due <= now) {
            if let Some(closed) = contactor.step(now) {
                return Some(closed);
            }
        }
        None
    }

    pub(super) fn break_contactors(&mut self, side: Side, fault: ContactorFault) {
        let now = self.now;
        let contactor = &mut self.end_mut(side).contactor;
        let before = contactor.is_closed();
        contactor.set_fault(now, fault);
        let closed = contactor.is_closed();
        if before != closed {
            self.contacts_moved(side, closed);
        }
    }

    /// Records the movement, with the voltage between the contacts or the current through them, and updates
    /// the rest.
    fn contacts_moved(&mut self, side: Side, closed: bool) {
        let is_commanded = self.end(side).contactor.is_as_commanded();
        if closed {
            let voltage_mv = self.conductors_mv(side);
            let behind_mv = match side {
                Side::Charger => self.stage.voltage_mv(),
                Side::Car => self.battery_mv(),
            };
            let difference_mv = (voltage_mv - behind_mv).abs();
            let told_mv = self.end(side).told_mv;
            self.happened(Occurrence::Closed { side, told_mv, voltage_mv, difference_mv, is_commanded });
        } else {
            let told_ma = self.end(side).told_ma;
            self.happened(Occurrence::Opened { side, told_ma, current_ma: milli(self.amps), is_commanded });
        }
        self.flow(0.0);
    }

    /// Applies a change immediately.
    pub(super) fn refresh(&mut self) {
        self.pilot = self.wire.seen();
        self.flow(0.0);
    }

    pub(super) fn drive_locks(&mut self) {
        if self.wire.is_plugged {
            let now = self.now;
            self.charger.lock.drive(now, self.demand.lock == Lock::Held);
            self.car.lock.drive(now, self.car_demand.lock == Lock::Held);
        }
    }

    pub(super) fn battery_mv(&self) -> i32 {
        self.load.source().map_or(0, |(volts, ohms)| milli(volts + self.amps * ohms))
    }
}
