//! A violation of each rule of the charger.

use control_pilot::Level;
use evse_fsm::{Contactors, Demand, Lock};
use sim::plant::{
    CableProfile, CarDemand, ContactorFault, Fault, LockFault, Sensor, SensorFault, Side, StageFault,
};

use super::Way;
use super::stand::{MONITOR_HANGS, OFF, PLUGGED, Stand, supply};

pub(crate) const WAYS: &[Way] = &[
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
];
