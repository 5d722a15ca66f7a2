//! Every rule can be broken, and is then named: by hand, on a bench that charges.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test ends where it fails")]

use control_pilot::{Level, Output};
use evse_fsm::{Contactors, Demand, Lock};
use machine::{Duration, Instant};
use session::Target;
use sim::Port;
use sim::invariant::{Facts, RULES, Witness};
use sim::plant::{
    Bench, BenchConfig, CableProfile, CarDemand, ContactorFault, Fault, LockFault, PilotFault, Sensor,
    SensorFault, Side, StageFault,
};

/// A bench, its witness, and what both sides demand.
struct Stand {
    bench: Bench,
    witness: Witness,
    now: Instant,
    demand: Demand,
    car: CarDemand,
    /// The car asks for current ten times a second.
    is_asking: bool,
    /// Charger and car read their sensors and drive their hardware.
    is_alive: [bool; 2],
    broken: Option<&'static str>,
}

const PLUGGED: Demand = Demand { pilot: Output::DIGITAL, ..Demand::SAFE };
const DISCHARGING: Demand = Demand { discharge: true, ..Demand::SAFE };
const MONITOR_HANGS: Fault = Fault::Sensor(Side::Charger, Sensor::Isolation, SensorFault::Frozen);
const OFF: Demand = Demand { contactors: Contactors::Closed, ..PLUGGED };

fn supply(voltage_mv: i32, current_ma: i32) -> Demand {
    Demand { supply: Target { voltage_mv, current_ma }, ..OFF }
}

impl Stand {
    /// Plugged in and locked, parameters known, pilot C.
    fn ready() -> Self {
        Self::with_cable(CableProfile::HYC150)
    }

    fn with_cable(cable: CableProfile) -> Self {
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

    /// As [`ready`](Self::ready), after an emergency stop that was pressed and released.
    fn halted(side: Side) -> Self {
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
    fn precharged() -> Self {
        Self::ready().precharge()
    }

    fn precharge(self) -> Self {
        let mut stand = self;
        stand.facts(|facts, now| (facts.cable_check, facts.is_checked) = (Some(now), true));
        stand.demand = OFF;
        stand.run(100);
        stand.demand = supply(350_000, 2_000);
        stand.run(2_000);
        stand
    }

    /// With 100 A flowing, by every rule.
    fn charging() -> Self {
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

    fn facts(&mut self, change: impl Fn(&mut Facts, Instant)) {
        let now = self.now;
        self.witness.tell(|facts| change(facts, now));
    }

    fn inject(&mut self, fault: Fault) {
        self.bench.inject(self.now, fault);
    }

    /// Lets time go by, and keeps the first rule that is broken.
    fn run(&mut self, millis: u64) {
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

    /// As [`run`](Self::run), and gives what was broken.
    fn after(mut self, millis: u64) -> Option<&'static str> {
        self.run(millis);
        self.broken
    }

    /// A test of the isolation that fails, with voltage.
    fn try_in_vain(&mut self) {
        self.inject(Fault::Leak(1_000));
        self.facts(|facts, now| facts.cable_check = Some(now));
        self.demand = OFF;
        self.run(50);
        self.demand = supply(400_000, 2_000);
        self.run(2_500);
        self.demand = PLUGGED;
        self.run(1_000);
    }

    /// Changes something.
    fn with(mut self, change: impl FnOnce(&mut Self)) -> Self {
        change(&mut self);
        self
    }
}

/// How to break a rule, and how long that may go on before.
type Way = (&'static str, fn() -> Stand, u64);

const WAYS: &[Way] = &[
    ("E1", || Stand::ready().with(|stand| stand.demand = OFF), 25),
    (
        "E2",
        || {
            Stand::ready().with(|stand| {
                stand.facts(|facts, now| facts.cable_check = Some(now));
                stand.inject(Fault::Contactors(Side::Car, ContactorFault::Welded));
                stand.run(150);
                stand.demand = OFF;
            })
        },
        25,
    ),
    ("E3", || Stand::charging().with(|stand| stand.demand = supply(411_000, 100_000)), 0),
    ("E4", || Stand::precharged().with(|stand| stand.inject(Fault::Stage(StageFault::Scaled(1_300)))), 500),
    ("E5", || Stand::charging().with(|stand| stand.facts(|facts, _| facts.power_on = None)), 250),
    ("E6", || Stand::charging().with(|stand| stand.is_asking = false), 1_000),
    ("E7", || Stand::charging().with(|stand| stand.car.level = Level::B), 60),
    ("E8", || Stand::precharged().with(|stand| stand.car.level = Level::B), 250),
    ("E9", || Stand::charging().with(|stand| stand.inject(Fault::EmergencyStop(Side::Charger, true))), 250),
    ("E10", || Stand::charging().with(|stand| stand.inject(Fault::Silence(Side::Charger, true))), 450),
    (
        "E11",
        || {
            Stand::precharged().with(|stand| {
                stand.facts(|facts, now| facts.heard = Some(now));
            })
        },
        60_200,
    ),
    ("E12", || Stand::charging().with(|stand| stand.demand.contactors = Contactors::Open), 10),
    ("E13", || Stand::precharged().with(|stand| stand.demand.lock = Lock::Released), 250),
    ("E14", || Stand::charging().with(|stand| stand.inject(Fault::Leak(10_000))), 900),
    ("E15", || Stand::precharged().with(|stand| stand.facts(|facts, _| facts.heard = None)), 250),
    (
        "E16",
        || {
            Stand::charging().with(|stand| {
                stand.inject(Fault::Stage(StageFault::Stuck));
                stand.demand = supply(400_000, 0);
            })
        },
        3_200,
    ),
    ("E16", || Stand::charging().with(|stand| stand.inject(Fault::Stage(StageFault::Extra(6_500)))), 3_200),
    (
        "E17",
        || Stand::charging().with(|stand| stand.inject(Fault::Lock(Side::Charger, LockFault::SpringsOpen))),
        250,
    ),
    (
        "E17",
        || {
            Stand::precharged().with(|stand| {
                stand.inject(Fault::Silence(Side::Car, true));
                stand.inject(Fault::ProximityOpen(true));
            })
        },
        250,
    ),
    ("E18", || Stand::charging().with(|stand| stand.facts(|facts, _| facts.asked_ma = 99_000)), 250),
    (
        "E19",
        || {
            Stand::charging().with(|stand| {
                stand.inject(Fault::Sensor(Side::Charger, Sensor::Current, SensorFault::Silent));
            })
        },
        450,
    ),
    (
        "E20",
        || {
            Stand::halted(Side::Charger).with(|stand| {
                stand.facts(|facts, now| facts.cable_check = Some(now));
                stand.demand = OFF;
            })
        },
        10,
    ),
    (
        "E21",
        || {
            Stand::charging().with(|stand| {
                stand.demand = supply(400_000, 50_000);
                stand.run(500);
                stand.facts(|facts, _| facts.is_ending = true);
                stand.run(50);
                stand.demand = supply(400_000, 51_000);
            })
        },
        0,
    ),
    (
        "E22",
        || {
            Stand::precharged().with(|stand| {
                stand.inject(Fault::Sensor(Side::Charger, Sensor::Stage, SensorFault::Offset(60_000)));
                stand.run(2_300);
                stand.demand = PLUGGED;
                stand.run(1_000);
                stand.demand.lock = Lock::Released;
            })
        },
        250,
    ),
    ("E23", || Stand::charging().with(|stand| stand.inject(Fault::Stage(StageFault::Dead))), 16_900),
    ("E24", || Stand::charging().with(|stand| stand.inject(Fault::Stage(StageFault::Draws(7_000)))), 1_350),
    ("E25", || Stand::charging().with(|stand| stand.inject(MONITOR_HANGS)), 10_900),
    (
        "E25",
        || {
            Stand::precharged().with(|stand| {
                stand.facts(|facts, _| facts.is_checked = false);
                stand.demand = supply(410_000, 2_000);
                stand.run(1_000);
                stand.inject(MONITOR_HANGS);
            })
        },
        10_900,
    ),
    (
        "E26",
        || {
            Stand::ready().with(|stand| {
                stand.try_in_vain();
                stand.try_in_vain();
                stand.facts(|facts, now| facts.cable_check = Some(now));
                stand.demand = OFF;
            })
        },
        10,
    ),
    (
        "E27",
        || {
            Stand::ready().with(|stand| {
                stand.witness.latched(stand.now, Side::Charger);
                stand.run(200);
                stand.facts(|facts, now| facts.cable_check = Some(now));
                stand.demand = OFF;
            })
        },
        10,
    ),
    (
        "E28",
        || {
            Stand::charging().with(|stand| {
                stand.witness.expect_sound();
                stand.facts(|facts, _| facts.charger_troubled = true);
            })
        },
        0,
    ),
    (
        "E29",
        || {
            Stand::with_cable(CableProfile::SWITCHED).precharge().with(|stand| {
                (stand.demand, stand.car) = (Demand::SAFE, CarDemand::SAFE);
                stand.bench.plug(stand.now, false);
            })
        },
        950,
    ),
    ("E30", || Stand::precharged().with(|stand| stand.is_alive = [false, true]), 580),
    (
        "E31",
        || {
            Stand::charging().with(|stand| {
                stand.inject(Fault::Stage(StageFault::Stuck));
                stand.car.level = Level::B;
                stand.demand = supply(400_000, 0);
            })
        },
        100,
    ),
    (
        "P1",
        || {
            Stand::precharged().with(|stand| {
                stand.demand = supply(320_000, 2_000);
                stand.run(250);
                stand.car.contactors = Contactors::Closed;
            })
        },
        25,
    ),
    (
        "P2",
        || {
            Stand::precharged().with(|stand| {
                stand.facts(|facts, _| facts.is_checked = false);
                stand.run(150);
                stand.car.contactors = Contactors::Closed;
            })
        },
        25,
    ),
    (
        "P3",
        || {
            Stand::precharged().with(|stand| {
                stand.inject(Fault::Lock(Side::Car, LockFault::SpringsOpen));
                stand.run(150);
                stand.car.contactors = Contactors::Closed;
            })
        },
        25,
    ),
    ("P4", || Stand::charging().with(|stand| stand.car.contactors = Contactors::Open), 10),
    ("P5", || Stand::precharged().with(|stand| stand.car.lock = Lock::Released), 250),
    (
        "P6",
        || {
            Stand::precharged().with(|stand| {
                stand.demand = PLUGGED;
                stand.inject(Fault::Pilot(PilotFault::Duty(1_000)));
            })
        },
        100,
    ),
    ("P6", || Stand::ready().with(|stand| stand.inject(Fault::ProximityOpen(true))), 100),
    (
        "P7",
        || {
            Stand::charging().with(|stand| {
                stand.is_asking = false;
                (stand.demand, stand.car.level) = (OFF, Level::B);
                stand.run(20);
                stand.demand = PLUGGED;
                stand.inject(Fault::EmergencyStop(Side::Car, true));
            })
        },
        2_200,
    ),
    ("P8", || Stand::ready().with(|stand| stand.inject(Fault::Silence(Side::Car, true))), 300),
    (
        "P9",
        || {
            Stand::charging().with(|stand| {
                stand.is_asking = false;
                (stand.demand, stand.car.level) = (OFF, Level::B);
                stand.run(20);
                stand.demand = PLUGGED;
                stand.inject(Fault::Silence(Side::Car, true));
            })
        },
        2_400,
    ),
    ("P10", || Stand::ready().with(|stand| stand.facts(|facts, _| facts.parameters = false)), 100),
    (
        "P11",
        || {
            Stand::charging().with(|stand| {
                stand.is_asking = false;
                (stand.demand, stand.car.level) = (OFF, Level::B);
                stand.run(20);
                stand.demand = PLUGGED;
                stand.facts(Facts::closed);
            })
        },
        2_200,
    ),
    (
        "P12",
        || Stand::charging().with(|stand| stand.inject(Fault::Lock(Side::Car, LockFault::SpringsOpen))),
        2_200,
    ),
    (
        "P13",
        || {
            Stand::charging().with(|stand| {
                stand.facts(|facts, _| facts.asked_ma = 10_000);
                stand.demand = supply(400_000, 10_000);
                stand.inject(Fault::Stage(StageFault::Extra(4_000)));
                // The charger's own rule is sooner.
                stand.inject(Fault::Sensor(Side::Charger, Sensor::Current, SensorFault::Stuck(10_000)));
            })
        },
        4_900,
    ),
    ("P14", || Stand::charging().with(|stand| stand.facts(|facts, now| facts.answered = Some(now))), 10_400),
    (
        "P15",
        || {
            Stand::charging().with(|stand| {
                stand.inject(Fault::Sensor(Side::Car, Sensor::Lock, SensorFault::Silent));
            })
        },
        300,
    ),
    (
        "P16",
        || {
            Stand::charging().with(|stand| {
                stand.inject(Fault::Sensor(Side::Car, Sensor::Battery, SensorFault::Absent));
            })
        },
        1_150,
    ),
    (
        "P17",
        || {
            Stand::precharged().with(|stand| {
                stand.demand = supply(366_000, 2_000);
                stand.run(800);
                stand.demand = supply(335_000, 2_000);
                stand.run(115);
                stand.car.contactors = Contactors::Closed;
            })
        },
        10,
    ),
    (
        "P18",
        || Stand::halted(Side::Car).precharge().with(|stand| stand.car.contactors = Contactors::Closed),
        10,
    ),
    (
        "P19",
        || {
            Stand::charging().with(|stand| {
                stand.inject(Fault::Sensor(Side::Car, Sensor::Voltage, SensorFault::Stuck(0)));
                stand.run(2_300);
                stand.is_asking = false;
                (stand.demand, stand.car.level) = (OFF, Level::B);
                stand.run(50);
                (stand.demand, stand.car) = (PLUGGED, CarDemand::SAFE);
                stand.run(1_000);
                stand.car.lock = Lock::Released;
            })
        },
        250,
    ),
    (
        "P20",
        || {
            Stand::charging().with(|stand| {
                stand.inject(Fault::Sensor(Side::Charger, Sensor::Current, SensorFault::Reversed));
                stand.inject(Fault::Stage(StageFault::Draws(7_000)));
            })
        },
        1_350,
    ),
    (
        "P21",
        || {
            Stand::precharged().with(|stand| {
                stand.witness.latched(stand.now, Side::Car);
                stand.run(200);
                stand.car.contactors = Contactors::Closed;
            })
        },
        10,
    ),
    (
        "P22",
        || {
            Stand::charging().with(|stand| {
                stand.witness.expect_sound();
                stand.facts(|facts, _| facts.car_troubled = true);
            })
        },
        0,
    ),
    ("P23", || Stand::precharged().with(|stand| stand.is_alive = [true, false]), 580),
];

#[test]
fn every_rule_is_named_when_it_is_broken_and_not_before_its_time() {
    for (id, way, patience) in WAYS {
        assert_eq!(way().after(*patience), None, "{id}: broken too early");
        assert_eq!(way().after(*patience + 500), Some(*id));
    }
    let mut named: Vec<&str> = WAYS.iter().map(|(id, ..)| *id).collect();
    named.dedup();
    let all: Vec<&str> = RULES.iter().map(|rule| rule.id).collect();
    assert_eq!(named, all, "a way for every rule");
}

#[test]
fn what_a_side_cannot_know_is_excused_and_named() {
    let mut stand = Stand::charging();
    stand.inject(Fault::Sensor(Side::Charger, Sensor::Current, SensorFault::Stuck(100_000)));
    stand.inject(Fault::Stage(StageFault::Extra(50_000)));
    stand.facts(|facts, _| facts.asked_ma = 200_000);
    stand.run(5_000);
    assert_eq!((stand.broken, stand.witness.excused()), (None, ["E16"].as_slice()));
    // Another own voltage knows better.
    let mut stand = Stand::precharged();
    stand.inject(Fault::Sensor(Side::Charger, Sensor::Voltage, SensorFault::Stuck(0)));
    stand.run(2_300);
    stand.demand.lock = Lock::Released;
    assert_eq!(stand.after(500), Some("E13"));
}

#[test]
fn a_bleeder_that_is_connected_in_time_is_enough() {
    let mut stand = Stand::with_cable(CableProfile::SWITCHED).precharge();
    (stand.demand, stand.car) = (DISCHARGING, CarDemand::SAFE);
    stand.bench.plug(stand.now, false);
    assert_eq!(stand.after(3_000), None);
}

#[test]
fn a_reset_allows_to_charge_again() {
    let mut stand = Stand::halted(Side::Charger);
    stand.witness.reset(Side::Charger);
    assert_eq!(stand.precharge().broken, None);
    let mut stand = Stand::halted(Side::Car).precharge();
    stand.witness.reset(Side::Car);
    stand.car.contactors = Contactors::Closed;
    assert_eq!(stand.after(100), None);
}

#[test]
fn a_session_by_the_rules_breaks_none() {
    let mut stand = Stand::charging();
    stand.run(600_000);
    stand.is_asking = false;
    stand.facts(|facts, now| (facts.power_on, facts.demanded, facts.power_off) = (None, None, Some(now)));
    stand.demand = OFF;
    stand.run(50);
    stand.demand = PLUGGED;
    stand.run(50);
    stand.car = CarDemand::SAFE;
    stand.run(2_000);
    (stand.car.lock, stand.demand.lock) = (Lock::Released, Lock::Released);
    stand.facts(Facts::closed);
    assert_eq!(stand.after(5_000), None);
}
