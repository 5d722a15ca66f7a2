//! A charger's plant that exists in numbers only.

use std::cell::Cell;
use std::os::fd::{AsFd, BorrowedFd};
use std::rc::Rc;

use control_pilot::{Level, Output};
use evse_fsm::{Contactors, Demand, Plant};
use hal_linux::{Error, Simulated, SimulatedBackend, Waker};
use machine::{Duration, Instant};
use sim::plant::{
    Bench, BenchConfig, CableProfile, CarDemand, ContactorProfile, Load, MonitorProfile, StageProfile,
};

/// Behaviour of the simulated hardware and car.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Simulation {
    /// Time from the start to the plug-in of the car.
    pub plug_after: Duration,
    /// Time from the offer of 5 % to pilot state C. The real car's messages are not visible to the plant; an
    /// early C does no harm.
    pub ready_after: Duration,
    /// Slope of the power stage's voltage in mV/s.
    pub voltage_slew_mv_per_s: i32,
    /// Slope of the power stage's current in mA/s.
    pub current_slew_ma_per_s: i32,
    /// Time that the isolation monitor measures before it reports Valid.
    pub isolation_time: Duration,
}

impl Default for Simulation {
    /// Judgement: typical values of real chargers.
    fn default() -> Self {
        Self {
            plug_after: Duration::from_millis(500),
            ready_after: Duration::from_secs(3),
            voltage_slew_mv_per_s: 1_000_000,
            current_slew_ma_per_s: 100_000,
            isolation_time: Duration::from_millis(800),
        }
    }
}

/// A simulated charger's plant: the [`Bench`] of the simulated world with a car that plugs in, becomes ready,
/// closes its contactors, and returns to B when the energy is off.
///
/// The battery at the cable has the voltage of the power stage at the first demand of current, so that any
/// car on the modem measures what it expects.
#[derive(Debug)]
pub(crate) struct SimulatedPlant {
    simulation: Simulation,
    bench: Bench,
    started: Instant,
    /// Since when the pilot offers 5 %.
    offered: Option<Instant>,
    /// Whether current was demanded since then.
    energy_flowed: bool,
    /// Pilot state of a car that is simulated elsewhere.
    car_pilot: CarPilot,
}

/// Sets the pilot state for a car that is simulated elsewhere, or a real one without a pilot wire.
#[derive(Clone, Debug)]
pub struct CarPilot(Rc<(Cell<Option<Level>>, Waker)>);

impl CarPilot {
    /// Sets the pilot state; the plant's own car does not set it any more.
    pub fn hold(&self, level: Level) {
        let (held, waker) = &*self.0;
        if held.replace(Some(level)) != Some(level) {
            waker.wake();
        }
    }
}

/// Time for contactors and lock to move: judgement.
const MOVE: Duration = Duration::from_millis(30);
/// A cable that discharges within 0.1 s, so that sessions can follow each other: judgement.
const CABLE: CableProfile = CableProfile { bleeder_kohm: 4, ..CableProfile::HYC150 };
/// Inner resistance of the battery with cable, in mOhm: judgement.
const BATTERY_MOHM: i32 = 50;

impl SimulatedPlant {
    /// An idle plant without a car.
    ///
    /// # Errors
    /// [`Error::Os`].
    pub(crate) fn new(simulation: Simulation) -> Result<Simulated<Self>, Error> {
        let stage = StageProfile {
            slew_mv_per_s: simulation.voltage_slew_mv_per_s,
            lag_ms: 1,
            rise_ma_per_s: simulation.current_slew_ma_per_s,
            fall_ma_per_s: simulation.current_slew_ma_per_s,
            ..StageProfile::PLAIN
        };
        let contactors = ContactorProfile { closing: MOVE, opening: MOVE, bounces: 0 };
        let bench = Bench::new(BenchConfig {
            stage,
            cable: CABLE,
            charger_contactors: contactors,
            car_contactors: ContactorProfile {
                closing: Duration::ZERO,
                opening: Duration::ZERO,
                ..contactors
            },
            lock: MOVE,
            monitor: MonitorProfile { measuring: simulation.isolation_time, ..MonitorProfile::default() },
            ..BenchConfig::default()
        });
        Ok(Simulated(Self {
            simulation,
            bench,
            started: Instant::ZERO,
            offered: None,
            energy_flowed: false,
            car_pilot: CarPilot(Rc::new((Cell::new(None), Waker::new()?))),
        }))
    }

    /// Sets the pilot for a car that is simulated elsewhere. Before it is plugged in the pilot is A in any
    /// case.
    pub(crate) fn car_pilot(&self) -> CarPilot {
        self.car_pilot.clone()
    }

    /// The pilot state that the car sets.
    fn level(&self, now: Instant) -> Level {
        if let Some(level) = self.car_pilot.0.0.get() {
            return level;
        }
        let is_ready = self.offered.is_some_and(|since| now.since(since) >= self.simulation.ready_after);
        let is_over = self.energy_flowed && self.bench.demand().contactors == Contactors::Open;
        if is_ready && !is_over { Level::C } else { Level::B }
    }

    /// Performs the car's actions up to `now`. Its contactors are closed from the first demand above the
    /// precharge current until no current is demanded or it leaves C.
    fn step(&mut self, now: Instant) {
        if now.since(self.started) >= self.simulation.plug_after {
            self.bench.plug(now, true);
        }
        self.bench.advance(now);
        let (truth, supply, level) = (self.bench.truth(), self.bench.demand().supply, self.level(now));
        let is_ready = truth.charger_closed && level == Level::C && supply.current_ma > 0;
        let is_asked = is_ready && supply.current_ma > StageProfile::IDLE_MA;
        if is_asked && !truth.car_closed {
            let source = Load::Source { voltage_mv: truth.cable_mv, resistance_mohm: BATTERY_MOHM };
            self.bench.set_load(now, source);
            self.energy_flowed = true;
        }
        let contactors =
            if is_asked || (is_ready && truth.car_closed) { Contactors::Closed } else { Contactors::Open };
        self.bench.drive_car(now, &CarDemand { level, contactors, ..CarDemand::SAFE });
    }
}

impl SimulatedBackend for SimulatedPlant {
    type Demand = Demand;
    type Reading = Plant;

    fn apply(&mut self, now: Instant, demand: &Demand) {
        self.bench.drive_charger(now, demand);
        self.step(now);
        match demand.pilot {
            Output::Pwm(_) if self.bench.truth().is_plugged => {
                self.offered.get_or_insert(now);
            }
            Output::Pwm(_) => {}
            // A new offer is a new session.
            _ => (self.offered, self.energy_flowed) = (None, false),
        }
    }

    fn read(&mut self, now: Instant) -> Plant {
        self.car_pilot.0.1.take();
        self.step(now);
        self.bench.charger(now)
    }

    fn make_safe(&mut self, now: Instant) {
        self.apply(now, &Demand::SAFE);
    }

    fn wakes(&self) -> Option<BorrowedFd<'_>> {
        Some(self.car_pilot.0.1.as_fd())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use evse_fsm::{Isolation, Reading};
    use session::Target;

    const OFFER: Demand = Demand { pilot: Output::DIGITAL, ..Demand::SAFE };

    fn demand(voltage_mv: i32, current_ma: i32) -> Demand {
        Demand { supply: Target { voltage_mv, current_ma }, contactors: Contactors::Closed, ..OFFER }
    }

    /// Applies `demand` and reads every 10 ms up to `until_ms`; returns the last reading.
    fn run(plant: &mut SimulatedPlant, from_ms: u64, until_ms: u64, demand: &Demand) -> Plant {
        let mut last = Plant::default();
        for ms in (from_ms..=until_ms).step_by(10) {
            plant.apply(Instant::from_millis(ms), demand);
            last = plant.read(Instant::from_millis(ms));
        }
        last
    }

    fn value<T: Copy>(reading: Option<Reading<T>>) -> T {
        reading.unwrap().value
    }

    #[test]
    fn the_car_plugs_in_gets_ready_charges_and_goes_back_to_b() {
        let Simulated(mut plant) = SimulatedPlant::new(Simulation::default()).unwrap();
        assert_eq!(value(run(&mut plant, 0, 400, &Demand::SAFE).pilot), Level::A);
        assert_eq!(value(run(&mut plant, 410, 1000, &Demand::SAFE).pilot), Level::B);
        assert_eq!(value(run(&mut plant, 1010, 3500, &OFFER).pilot), Level::B, "not ready yet");
        assert_eq!(value(run(&mut plant, 3510, 4100, &OFFER).pilot), Level::C);

        let testing = run(&mut plant, 4110, 4500, &demand(400_000, 0));
        assert_eq!(value(testing.isolation).status, Isolation::Measuring);
        let tested = run(&mut plant, 4510, 6000, &demand(400_000, 0));
        assert_eq!((value(tested.isolation).status, value(tested.voltage_mv)), (Isolation::Valid, 400_000));
        assert_eq!((value(tested.current_ma), value(tested.contactors)), (0, true));

        let precharged = run(&mut plant, 6010, 7000, &demand(355_000, 2_000));
        assert_eq!((value(precharged.voltage_mv), value(precharged.current_ma)), (355_000, 0));
        let charging = run(&mut plant, 7010, 8000, &demand(400_000, 50_000));
        assert_eq!((value(charging.current_ma), value(charging.lock)), (50_000, true));
        assert_eq!(value(charging.voltage_mv), 357_500, "the battery's, not the limit");

        let off = run(&mut plant, 8010, 9000, &OFFER);
        assert_eq!((value(off.current_ma), value(off.voltage_mv), value(off.pilot)), (0, 0, Level::B));
        assert!(!value(off.contactors));
    }

    #[test]
    fn safe_takes_voltage_and_current_away() {
        let Simulated(mut plant) = SimulatedPlant::new(Simulation::default()).unwrap();
        run(&mut plant, 0, 9000, &demand(400_000, 50_000));
        plant.make_safe(Instant::from_millis(9010));
        let safe = run(&mut plant, 9020, 9400, &Demand::SAFE);
        assert_eq!((value(safe.voltage_mv), value(safe.current_ma), value(safe.contactors)), (0, 0, false));
        assert_eq!(value(safe.duty_permille), 1000);
    }
}
