//! A simulated car on a real link. It has no cable, so its inlet shows the voltage that the charger reports.

use std::cell::Cell;
use std::os::fd::{AsFd, BorrowedFd};
use std::rc::Rc;

use control_pilot::Output;
use hal_linux::{Error, SimulatedBackend, Waker};
use machine::Instant;
use pev_fsm::{Demand, Plant, Vehicle};
use session::{Contactors, Lock, Reading, Target};
use sim::Wishes;

/// Replaces the cable: the charger's reported output, as the log observed it, and whether the car is plugged
/// in.
#[derive(Clone, Debug)]
pub struct SimulatedCable(Rc<(Cell<(Target, bool)>, Waker)>);

impl SimulatedCable {
    /// A cable that is plugged in.
    pub fn plugged() -> Result<Self, Error> {
        Ok(Self(Rc::new((Cell::new((Target::ZERO, true)), Waker::new()?))))
    }

    /// Sets the output that the charger reports.
    pub fn report(&self, target: Target) {
        self.set((target, self.state().1));
    }

    /// Sets the output to zero: the charger confirmed that power is off, without reporting its current.
    pub fn power_off(&self) {
        self.report(Target { current_ma: 0, ..self.reported() });
    }

    /// Pulls the plug.
    pub fn pull(&self) {
        self.set((Target::ZERO, false));
    }

    fn reported(&self) -> Target {
        self.state().0
    }

    fn state(&self) -> (Target, bool) {
        self.0.0.get()
    }

    fn set(&self, state: (Target, bool)) {
        if self.0.0.replace(state) != state {
            self.0.1.wake();
        }
    }

    fn pilot(&self) -> Output {
        if self.state().1 { Output::DIGITAL } else { Output::Steady }
    }
}

/// A car with contactors and lock that follow immediately, and a battery of constant voltage whose charge
/// increases.
#[derive(Debug)]
pub(crate) struct SimulatedCar {
    wishes: Wishes,
    cable: SimulatedCable,
    demand: Demand,
    /// `None` for light bulbs.
    battery_mv: Option<i32>,
    current_ma: i32,
    charge_wh: f64,
    seen: Instant,
}

impl SimulatedCar {
    /// A car that is plugged in at a pilot with 5 %.
    pub(crate) fn new(wishes: Wishes, soc_percent: u8, cable: SimulatedCable) -> Self {
        let charge_wh = f64::from(wishes.capacity_wh) * f64::from(soc_percent) / 100.0;
        // An empty battery has five sixths of the highest voltage: judgement.
        let battery_mv = wishes.limits.max_voltage_mv / 6 * 5;
        Self {
            wishes,
            cable,
            demand: Demand::SAFE,
            battery_mv: Some(battery_mv),
            current_ma: 0,
            charge_wh,
            seen: Instant::ZERO,
        }
    }

    /// Light bulbs: they never reach a target.
    pub(crate) fn bulbs(cable: SimulatedCable) -> Self {
        Self { battery_mv: None, ..Self::new(Wishes::BULBS, 0, cable) }
    }

    /// Voltage at the closed contactors in mV.
    fn closed_mv(&self) -> i32 {
        self.battery_mv.unwrap_or(self.cable.reported().voltage_mv)
    }

    fn advance(&mut self, now: Instant) {
        let hours = f64::from(u32::try_from(now.since(self.seen).as_micros()).unwrap_or(u32::MAX)) / 3.6e9;
        self.seen = now;
        self.current_ma = if self.is_closed() { self.cable.reported().current_ma } else { 0 };
        let watts = f64::from(self.closed_mv()) * f64::from(self.current_ma) / 1e6;
        self.charge_wh += watts * hours;
    }

    fn is_closed(&self) -> bool {
        self.demand.contactors == Contactors::Closed
    }

    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "0 to 100")]
    fn soc_percent(&self) -> u8 {
        (self.charge_wh * 100.0 / f64::from(self.wishes.capacity_wh)).clamp(0.0, 100.0) as u8
    }

    fn vehicle(&self, now: Instant) -> Vehicle {
        let Wishes { limits, enough_percent, capacity_wh } = self.wishes;
        let soc_percent = if self.battery_mv.is_some() { self.soc_percent() } else { 0 };
        Vehicle {
            at: now,
            limits,
            battery_mv: self.battery_mv,
            target: Target {
                voltage_mv: self.battery_mv.map_or(Wishes::BULBS_MV, |_| limits.max_voltage_mv - 2_000),
                current_ma: limits.max_current_ma,
            },
            soc_percent,
            capacity_wh,
            request_wh: capacity_wh / 100 * i32::from(enough_percent.saturating_sub(soc_percent)),
            full_soc_percent: Some(enough_percent),
            bulk_soc_percent: Some(enough_percent),
            full_in_s: None,
            bulk_in_s: None,
            is_done: self.battery_mv.is_some() && soc_percent >= enough_percent,
            error: 0,
        }
    }
}

impl SimulatedBackend for SimulatedCar {
    type Demand = Demand;
    type Reading = (Plant, Vehicle);

    fn apply(&mut self, now: Instant, demand: &Demand) {
        self.advance(now);
        self.demand = *demand;
    }

    fn read(&mut self, now: Instant) -> (Plant, Vehicle) {
        self.cable.0.1.take();
        self.advance(now);
        let inlet_mv = if self.is_closed() { self.closed_mv() } else { self.cable.reported().voltage_mv };
        let plant = Plant {
            pilot: Some(Reading::new(self.cable.pilot(), now)),
            proximity: None,
            inlet_mv: Some(Reading::new(inlet_mv, now)),
            current_ma: Some(Reading::new(self.current_ma, now)),
            contactors: Some(Reading::new(self.is_closed(), now)),
            lock: Some(Reading::new(self.demand.lock == Lock::Held, now)),
            emergency_stop: Some(Reading::new(false, now)),
            inlet_millicelsius: None,
        };
        (plant, self.vehicle(now))
    }

    fn make_safe(&mut self, now: Instant) {
        self.apply(now, &Demand::SAFE);
    }

    fn wakes(&self) -> Option<BorrowedFd<'_>> {
        Some(self.cable.0.1.as_fd())
    }
}
