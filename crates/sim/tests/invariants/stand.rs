//! A bench that charges, on which rules are violated by hand.

use control_pilot::{Level, Output};
use evse_fsm::{Contactors, Demand};
use machine::{Duration, Instant};
use session::Target;
use sim::Port;
use sim::invariant::{Facts, Witness};
use sim::plant::{Bench, BenchConfig, CableProfile, CarDemand, Fault, Sensor, SensorFault, Side};

/// A bench, its witness, and the demands of both sides.
pub(crate) struct Stand {
    pub bench: Bench,
    pub witness: Witness,
    pub now: Instant,
    pub demand: Demand,
    pub car: CarDemand,
    /// The car sends ten `CurrentDemandReq` in a second.
    pub is_asking: bool,
    /// Charger and car read their sensors and drive their hardware.
    pub is_alive: [bool; 2],
    pub broken: Option<&'static str>,
}

pub(crate) const PLUGGED: Demand = Demand { pilot: Output::DIGITAL, ..Demand::SAFE };
pub(crate) const DISCHARGING: Demand = Demand { discharge: true, ..Demand::SAFE };
pub(crate) const MONITOR_HANGS: Fault = Fault::Sensor(Side::Charger, Sensor::Isolation, SensorFault::Frozen);
pub(crate) const OFF: Demand = Demand { contactors: Contactors::Closed, ..PLUGGED };

pub(crate) fn supply(voltage_mv: i32, current_ma: i32) -> Demand {
    Demand { supply: Target { voltage_mv, current_ma }, ..OFF }
}

impl Stand {
    /// Plugged in and locked, parameters known, pilot C.
    pub(crate) fn ready() -> Self {
        Self::with_cable(CableProfile::HYC150)
    }

    pub(crate) fn with_cable(cable: CableProfile) -> Self {
        let bench = Bench::new(BenchConfig { cable, ..BenchConfig::default() });
        let mut stand = Self {
            bench,
            witness: Witness::new(Port(0)),
            now: Instant::ZERO,
            demand: PLUGGED,
            car: CarDemand::SAFE,
            is_asking: false,
            is_alive: [true; 2],
            broken: None,
        };
        stand.bench.plug(Instant::ZERO, true);
        stand.facts(|facts, now| {
            facts.heard = Some(now);
            (facts.parameters, facts.car_max_mv, facts.charger_max_mv) = (true, Some(410_000), Some(500_000));
        });
        stand.run(1_000);
        stand.car = CarDemand::pilot(Level::C);
        stand.run(100);
        stand
    }

    /// As [`ready`](Self::ready), after the emergency stop was pressed and released.
    pub(crate) fn halted(side: Side) -> Self {
        let mut stand = Self::ready();
        stand.car.level = Level::B;
        stand.inject(Fault::EmergencyStop(side, true));
        stand.run(150);
        stand.inject(Fault::EmergencyStop(side, false));
        stand.run(150);
        stand.car.level = Level::C;
        stand.run(150);
        stand
    }

    /// With the output connected and at 350 V, and the cable check done.
    pub(crate) fn precharged() -> Self {
        Self::ready().precharge()
    }

    pub(crate) fn precharge(self) -> Self {
        let mut stand = self;
        stand.facts(|facts, now| (facts.cable_check, facts.is_checked) = (Some(now), true));
        stand.demand = OFF;
        stand.run(100);
        stand.demand = supply(350_000, 2_000);
        stand.run(2_000);
        stand
    }

    /// With 100 A, in compliance with every rule.
    pub(crate) fn charging() -> Self {
        let mut stand = Self::precharged();
        stand.car.contactors = Contactors::Closed;
        stand.run(100);
        stand.facts(|facts, now| (facts.power_on, facts.asked_ma) = (Some(now), 100_000));
        stand.is_asking = true;
        stand.demand = supply(400_000, 100_000);
        stand.run(2_000);
        assert_eq!((stand.broken, stand.bench.truth().current_ma), (None, 100_000));
        stand
    }

    /// After a charge, with the charger off and the car's contactors still closed.
    pub(crate) fn switched_off() -> Self {
        let mut stand = Self::charging();
        stand.is_asking = false;
        (stand.demand, stand.car.level) = (OFF, Level::B);
        stand.run(20);
        stand.demand = PLUGGED;
        stand
    }

    pub(crate) fn facts(&mut self, change: impl Fn(&mut Facts, Instant)) {
        let now = self.now;
        self.witness.tell(|facts| change(facts, now));
    }

    pub(crate) fn inject(&mut self, fault: Fault) {
        self.bench.inject(self.now, fault);
    }

    /// Advances the time, and stores the first violated rule.
    pub(crate) fn run(&mut self, millis: u64) {
        for step in 0..millis / 5 {
            self.now += Duration::from_millis(5);
            if self.is_asking && step % 20 == 0 {
                self.facts(|facts, now| (facts.heard, facts.demanded) = (Some(now), Some(now)));
            }
            let [charger, car] = self.is_alive;
            if charger {
                self.bench.drive_charger(self.now, &self.demand);
                self.bench.charger(self.now);
            }
            if car {
                self.bench.drive_car(self.now, &self.car);
                self.bench.car(self.now);
            }
            if let Err(broken) = self.witness.check(self.now, &self.bench) {
                self.broken = self.broken.or(Some(broken.rule.id));
            }
        }
    }

    /// As [`run`](Self::run); returns the violated rule.
    pub(crate) fn after(mut self, millis: u64) -> Option<&'static str> {
        self.run(millis);
        self.broken
    }

    /// An isolation test with voltage that fails.
    pub(crate) fn try_in_vain(&mut self) {
        self.inject(Fault::Leak(1_000));
        self.facts(|facts, now| facts.cable_check = Some(now));
        self.demand = OFF;
        self.run(50);
        self.demand = supply(400_000, 2_000);
        self.run(2_500);
        self.demand = PLUGGED;
        self.run(1_000);
    }

    /// Applies a change.
    pub(crate) fn with(mut self, change: impl FnOnce(&mut Self)) -> Self {
        change(&mut self);
        self
    }
}
