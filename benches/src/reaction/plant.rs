//! One simulated cable for two event loops in real time, with an edge on it whose effects are timed.

use std::os::fd::{AsFd, BorrowedFd};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use control_pilot::{Level, Output};
use evse_fsm::{Demand, Plant};
use hal_linux::{Clock, SimulatedBackend, Waker};
use machine::Instant;
use pev_fsm::Vehicle;
use session::{Reading, Target};
use sim::Wishes;
use sim::plant::{BatteryProfile, Bench, BenchConfig, CarDemand, Load, MonitorProfile, StageProfile};

/// An event at the charger while a car charges.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Edge {
    /// The car leaves pilot C.
    Pilot,
    /// The emergency stop is pressed.
    EmergencyStop,
}

/// The cable, both its ends and the edge.
pub(super) struct Cable {
    bench: Mutex<Bench>,
    edge: Mutex<Option<Timed>>,
    /// Wakes the charger's loop.
    waker: Waker,
    clock: Clock,
}

/// An edge and the reactions to it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Timed {
    edge: Edge,
    at: Instant,
    /// When 0 A were applied.
    pub zero: Option<Instant>,
    /// When the session's end was reported.
    pub end: Option<Instant>,
}

impl Timed {
    /// From the edge to `then`, in us.
    pub(super) fn micros(&self, then: Option<Instant>) -> Option<u64> {
        then.map(|then| then.since(self.at).as_micros())
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Cable {
    /// A car that is plugged in.
    pub(super) fn new(clock: Clock) -> Arc<Self> {
        let stage = StageProfile { slew_mv_per_s: 1_000_000, lag_ms: 1, ..StageProfile::PLAIN };
        let load = Load::battery(BatteryProfile::CAR_400V, 50);
        let monitor =
            MonitorProfile { measuring: machine::Duration::from_millis(50), ..MonitorProfile::default() };
        let mut bench = Bench::new(BenchConfig { stage, load, monitor, ..BenchConfig::default() });
        bench.plug(clock.now(), true);
        let waker = Waker::new().expect("an event counter");
        Arc::new(Self { bench: Mutex::new(bench), edge: Mutex::new(None), waker, clock })
    }

    /// Triggers the edge now.
    pub(super) fn edge(&self, edge: Edge) {
        *lock(&self.edge) = Some(Timed { edge, at: self.clock.now(), zero: None, end: None });
        self.waker.wake();
    }

    /// The current that the charger demands of its power stage, in mA.
    pub(super) fn demanded_ma(&self) -> i32 {
        lock(&self.bench).demand().supply.current_ma
    }

    /// The charger has reported that its session ends.
    pub(super) fn ended(&self, at: Instant) {
        if let Some(timed) = lock(&self.edge).as_mut() {
            timed.end.get_or_insert(at);
        }
    }

    /// The edge, and the reactions up to now.
    pub(super) fn timed(&self) -> Option<Timed> {
        *lock(&self.edge)
    }
}

/// The charger's end.
pub(super) struct ChargerEnd(pub Arc<Cable>);

impl SimulatedBackend for ChargerEnd {
    type Demand = Demand;
    type Reading = Plant;

    fn apply(&mut self, now: Instant, demand: &Demand) {
        let Self(cable) = self;
        lock(&cable.bench).drive_charger(now, demand);
        if demand.supply.current_ma == 0
            && let Some(timed) = lock(&cable.edge).as_mut()
        {
            timed.zero.get_or_insert_with(|| cable.clock.now());
        }
    }

    fn read(&mut self, now: Instant) -> Plant {
        let Self(cable) = self;
        cable.waker.take();
        let plant = lock(&cable.bench).charger(now);
        match lock(&cable.edge).as_ref().map(|timed| timed.edge) {
            Some(Edge::Pilot) => Plant { pilot: Some(Reading::new(Level::B, now)), ..plant },
            Some(Edge::EmergencyStop) => Plant { emergency_stop: Some(Reading::new(true, now)), ..plant },
            None => plant,
        }
    }

    fn make_safe(&mut self, now: Instant) {
        self.apply(now, &Demand::SAFE);
    }

    fn wakes(&self) -> Option<BorrowedFd<'_>> {
        Some(self.0.waker.as_fd())
    }
}

/// The car's end.
pub(super) struct CarEnd(pub Arc<Cable>);

impl SimulatedBackend for CarEnd {
    type Demand = pev_fsm::Demand;
    type Reading = (pev_fsm::Plant, Vehicle);

    fn apply(&mut self, now: Instant, demand: &pev_fsm::Demand) {
        let pev_fsm::Demand { pilot, contactors, lock: plug, .. } = *demand;
        let mut bench = lock(&self.0.bench);
        let is_edge = bench.car_demand().level != pilot;
        bench.drive_car(now, &CarDemand { level: pilot, contactors, lock: plug });
        drop(bench);
        if is_edge {
            self.0.waker.wake();
        }
    }

    fn read(&mut self, now: Instant) -> (pev_fsm::Plant, Vehicle) {
        let sensors = lock(&self.0.bench).car(now);
        let pilot = sensors.duty_permille.map(|duty| {
            let output = match duty.value {
                0 => Output::Zero,
                1..=999 => Output::Pwm(duty.value),
                _ => Output::Steady,
            };
            Reading::new(output, duty.at)
        });
        let plant = pev_fsm::Plant {
            pilot,
            proximity: sensors.proximity,
            inlet_mv: sensors.inlet_mv,
            current_ma: sensors.current_ma,
            contactors: sensors.contactors,
            lock: sensors.lock,
            inlet_millicelsius: sensors.inlet_millicelsius,
            emergency_stop: sensors.emergency_stop,
        };
        (plant, vehicle(now, sensors.battery_mv.map(|reading| reading.value)))
    }

    fn make_safe(&mut self, now: Instant) {
        self.apply(now, &pev_fsm::Demand::SAFE);
    }
}

fn vehicle(at: Instant, battery_mv: Option<i32>) -> Vehicle {
    let Wishes { limits, enough_percent, capacity_wh } = Wishes::CAR_400V;
    Vehicle {
        at,
        limits,
        battery_mv,
        target: Target { voltage_mv: limits.max_voltage_mv - 2_000, current_ma: 60_000 },
        soc_percent: 50,
        capacity_wh,
        request_wh: capacity_wh / 100 * 30,
        full_soc_percent: Some(enough_percent),
        bulk_soc_percent: Some(enough_percent),
        full_in_s: None,
        bulk_in_s: None,
        is_done: false,
        error: 0,
    }
}
