//! A charger's plant that exists in numbers only.

use std::cell::Cell;
use std::rc::Rc;

use control_pilot::{Level, Output, Proximity};
use evse_fsm::{Contactors, Demand, Isolation, Lock, Plant, Reading};
use machine::{Duration, Instant};

use crate::plant::{Heartbeat, PlantBackend};

/// What the simulated hardware and car are like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Simulation {
    /// When the plug goes in, from the start.
    pub plug_after: Duration,
    /// When the car moves the pilot to C, from the moment it sees 5 %. The real car's messages are not
    /// known here; too early does no harm.
    pub ready_after: Duration,
    /// How fast the power stage moves its voltage, in mV/s.
    pub voltage_slew_mv_per_s: i32,
    /// How fast the power stage moves its current, in mA/s.
    pub current_slew_ma_per_s: i32,
    /// How long the isolation monitor measures before it says Valid.
    pub isolation_time: Duration,
}

impl Default for Simulation {
    /// Judgement, in the middle of what real chargers do.
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

/// A simulated charger's plant: power stage, output contactors, cable, isolation monitor, lock, and the
/// pilot of a car that plugs in, gets ready, and goes back to B when the energy is off.
///
/// The battery behind the cable has the voltage at which the power stage stood when current was first
/// demanded: so any car on the modem finds what it expects.
#[derive(Clone, Debug)]
#[expect(clippy::struct_excessive_bools, reason = "each is a physical fact of its own")]
pub struct SimulatedPlant {
    simulation: Simulation,
    demand: Demand,
    started: Instant,
    last: Instant,
    /// Since when the pilot offers 5 %.
    offered: Option<Instant>,
    stage_mv: i32,
    cable_mv: i32,
    current_ma: i32,
    /// Since when contactors stand where they are demanded.
    contactors_moved: Instant,
    closed: bool,
    lock_moved: Instant,
    locked: bool,
    /// Since when there is a test voltage.
    tested: Option<Instant>,
    is_isolation_known: bool,
    energy_flowed: bool,
    /// The battery's voltage at rest, while the car's contactors are closed.
    battery_mv: Option<i32>,
    /// The pilot as a car simulated elsewhere holds it.
    car_pilot: CarPilot,
}

/// The pilot of a car that is simulated elsewhere, or of a real one whose pilot wire is not there: a handle
/// on the plant's.
#[derive(Clone, Debug, Default)]
pub struct CarPilot(Rc<Cell<Option<Level>>>);

impl CarPilot {
    /// From now on the pilot is here, instead of where the plant's own car would hold it.
    pub fn hold(&self, level: Level) {
        self.0.set(Some(level));
    }
}

/// Contactors and lock take this long: judgement.
const MOVE: Duration = Duration::from_millis(30);
/// Voltage from which the isolation monitor measures: judgement.
const TEST_MV: i32 = 50_000;
/// A cable without a source loses its voltage at this rate, in mV/s (bleeder resistors): judgement.
const BLEED_MV_PER_S: i32 = 2_000_000;
/// A limit up to this is one for precharge, behind the car's open contactors; a higher one means that they
/// are closed.
const PRECHARGE_MA: i32 = 2_000;
/// The battery's inner resistance with cable, in mOhm: judgement.
const BATTERY_MOHM: i32 = 50;

impl SimulatedPlant {
    /// A plant at rest, unplugged.
    pub fn new(simulation: Simulation) -> Self {
        Self {
            simulation,
            demand: Demand::SAFE,
            started: Instant::ZERO,
            last: Instant::ZERO,
            offered: None,
            stage_mv: 0,
            cable_mv: 0,
            current_ma: 0,
            contactors_moved: Instant::ZERO,
            closed: false,
            lock_moved: Instant::ZERO,
            locked: false,
            tested: None,
            is_isolation_known: false,
            energy_flowed: false,
            battery_mv: None,
            car_pilot: CarPilot::default(),
        }
    }

    /// The pilot, for a car that is simulated elsewhere. Before it is plugged in it is A all the same.
    pub fn car_pilot(&self) -> CarPilot {
        self.car_pilot.clone()
    }

    fn level(&self, now: Instant) -> Level {
        if now.since(self.started) < self.simulation.plug_after {
            return Level::A;
        }
        if let Some(level) = self.car_pilot.0.get() {
            return level;
        }
        let is_ready = self.offered.is_some_and(|since| now.since(since) >= self.simulation.ready_after);
        let is_over = self.energy_flowed && self.demand.contactors == Contactors::Open;
        if is_ready && !is_over { Level::C } else { Level::B }
    }

    /// Moves everything on to `now`.
    fn advance(&mut self, now: Instant) {
        let elapsed = now.since(self.last);
        self.last = now;
        let target = self.demand.supply;
        self.stage_mv =
            approach(self.stage_mv, target.voltage_mv, self.simulation.voltage_slew_mv_per_s, elapsed);

        let wanted = self.demand.contactors == Contactors::Closed;
        if wanted != self.closed && now.since(self.contactors_moved) >= MOVE {
            self.closed = wanted;
            self.contactors_moved = now;
        }
        let lock = self.demand.lock == Lock::Held && self.level(now) != Level::A;
        if lock != self.locked && now.since(self.lock_moved) >= MOVE {
            self.locked = lock;
            self.lock_moved = now;
        }

        self.charge(now, elapsed);
        self.cable_mv = match (self.closed, self.battery_mv) {
            (true, Some(battery)) => battery + self.current_ma / 1000 * BATTERY_MOHM,
            (true, None) => self.stage_mv,
            (false, _) => approach(self.cable_mv, 0, BLEED_MV_PER_S, elapsed),
        };
        if self.cable_mv < TEST_MV {
            self.tested = None;
        } else {
            let since = *self.tested.get_or_insert(now);
            self.is_isolation_known |= now.since(since) >= self.simulation.isolation_time;
        }
    }

    /// Lets current flow while the car's contactors are closed: from the first demand above what precharge
    /// needs until none is demanded or the car leaves C.
    fn charge(&mut self, now: Instant, elapsed: Duration) {
        let target = self.demand.supply;
        let is_ready = self.closed && self.level(now) == Level::C && target.current_ma > 0;
        if !is_ready {
            self.battery_mv = None;
        } else if self.battery_mv.is_none() && target.current_ma > PRECHARGE_MA && self.is_isolation_known {
            self.battery_mv = Some(self.stage_mv);
            self.energy_flowed = true;
        }
        let wanted_ma =
            self.battery_mv.filter(|battery| *battery < target.voltage_mv).map_or(0, |_| target.current_ma);
        let slew = self.simulation.current_slew_ma_per_s;
        self.current_ma = if self.closed { approach(self.current_ma, wanted_ma, slew, elapsed) } else { 0 };
    }
}

/// `from` moved towards `to` by at most `rate` per second.
fn approach(from: i32, to: i32, rate: i32, elapsed: Duration) -> i32 {
    let step = i64::from(rate) * i64::try_from(elapsed.as_micros()).unwrap_or(i64::MAX / i64::from(i32::MAX))
        / 1_000_000;
    let difference = i64::from(to) - i64::from(from);
    let moved = i64::from(from) + difference.clamp(-step, step);
    i32::try_from(moved).unwrap_or(to)
}

impl PlantBackend for SimulatedPlant {
    type Demand = Demand;
    type Reading = Plant;

    fn apply(&mut self, now: Instant, demand: &Demand) {
        self.advance(now);
        if demand.contactors != self.demand.contactors {
            self.contactors_moved = now;
        }
        if demand.lock != self.demand.lock {
            self.lock_moved = now;
        }
        self.demand = *demand;
        match demand.pilot {
            Output::Pwm(_) if self.level(now) != Level::A => {
                self.offered.get_or_insert(now);
            }
            Output::Pwm(_) => {}
            _ => {
                // A new offer is a new session.
                self.offered = None;
                self.energy_flowed = false;
                self.is_isolation_known = false;
            }
        }
    }

    fn read(&mut self, now: Instant) -> Plant {
        self.advance(now);
        let level = self.level(now);
        let plugged = level != Level::A;
        let isolation = if self.is_isolation_known { Isolation::Valid } else { Isolation::Measuring };
        let proximity = if plugged { Proximity::Cable { current_ma: 13_000 } } else { Proximity::Absent };
        Plant {
            pilot: Some(Reading::new(level, now)),
            duty_permille: Some(Reading::new(self.demand.pilot.duty_permille().unwrap_or(1000), now)),
            proximity: Some(Reading::new(proximity, now)),
            voltage_mv: Some(Reading::new(self.cable_mv, now)),
            current_ma: Some(Reading::new(self.current_ma, now)),
            isolation: Some(Reading::new(isolation, now)),
            contactors: Some(Reading::new(self.closed, now)),
            lock: Some(Reading::new(self.locked, now)),
            emergency_stop: Some(Reading::new(false, now)),
        }
    }

    fn make_safe(&mut self, now: Instant) {
        self.apply(now, &Demand::SAFE);
    }

    fn heartbeat(&self) -> Option<Heartbeat> {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use session::Target;

    const OFFER: Demand = Demand { pilot: Output::DIGITAL, ..Demand::SAFE };

    fn demand(voltage_mv: i32, current_ma: i32) -> Demand {
        Demand { supply: Target { voltage_mv, current_ma }, contactors: Contactors::Closed, ..OFFER }
    }

    /// Applies `demand` and reads every 10 ms up to `until_ms`; the last reading.
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
        let mut plant = SimulatedPlant::new(Simulation::default());
        assert_eq!(value(run(&mut plant, 0, 400, &Demand::SAFE).pilot), Level::A);
        assert_eq!(value(run(&mut plant, 410, 1000, &Demand::SAFE).pilot), Level::B);
        assert_eq!(value(run(&mut plant, 1010, 3500, &OFFER).pilot), Level::B, "not ready yet");
        assert_eq!(value(run(&mut plant, 3510, 4100, &OFFER).pilot), Level::C);

        let testing = run(&mut plant, 4110, 4500, &demand(400_000, 0));
        assert_eq!(value(testing.isolation), Isolation::Measuring);
        let tested = run(&mut plant, 4510, 6000, &demand(400_000, 0));
        assert_eq!((value(tested.isolation), value(tested.voltage_mv)), (Isolation::Valid, 400_000));
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
        let mut plant = SimulatedPlant::new(Simulation::default());
        run(&mut plant, 0, 9000, &demand(400_000, 50_000));
        plant.make_safe(Instant::from_millis(9010));
        let safe = run(&mut plant, 9020, 9400, &Demand::SAFE);
        assert_eq!((value(safe.voltage_mv), value(safe.current_ma), value(safe.contactors)), (0, 0, false));
        assert_eq!(value(safe.duty_permille), 1000);
    }
}
