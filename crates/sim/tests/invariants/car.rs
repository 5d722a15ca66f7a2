//! A violation of each rule of the car.

use control_pilot::Level;
use evse_fsm::{Contactors, Lock};
use sim::invariant::Facts;
use sim::plant::{CarDemand, Fault, LockFault, PilotFault, Sensor, SensorFault, Side, StageFault};

use super::Way;
use super::stand::{OFF, PLUGGED, Stand, supply};

pub(crate) const WAYS: &[Way] = &[
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
    ("P7", || Stand::switched_off().with(|stand| stand.inject(Fault::EmergencyStop(Side::Car, true))), 2_200),
    ("P8", || Stand::ready().with(|stand| stand.inject(Fault::Silence(Side::Car, true))), 300),
    ("P9", || Stand::switched_off().with(|stand| stand.inject(Fault::Silence(Side::Car, true))), 2_400),
    ("P10", || Stand::ready().with(|stand| stand.facts(|facts, _| facts.parameters = false)), 100),
    ("P11", || Stand::switched_off().with(|stand| stand.facts(Facts::closed)), 2_200),
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
                // The charger's own rule is violated first.
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
