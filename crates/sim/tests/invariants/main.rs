//! Every rule can be violated, and the witness then names it: by hand, on a bench that charges.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test ends where it fails")]

mod car;
mod charger;
mod stand;

use evse_fsm::{Contactors, Lock};
use sim::invariant::{Facts, RULES};
use sim::plant::{CableProfile, CarDemand, Fault, Sensor, SensorFault, Side, StageFault};

use stand::{DISCHARGING, OFF, PLUGGED, Stand, supply};

/// A rule's violation, and how long it may last before it counts.
type Way = (&'static str, fn() -> Stand, u64);

#[test]
fn every_rule_is_named_when_it_is_broken_and_not_before_its_time() {
    let ways = || charger::WAYS.iter().chain(car::WAYS);
    for (id, way, patience) in ways() {
        assert_eq!(way().after(*patience), None, "{id}: broken too early");
        assert_eq!(way().after(*patience + 500), Some(*id));
    }
    let mut named: Vec<&str> = ways().map(|(id, ..)| *id).collect();
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
    // Another voltage sensor of the side shows the lie.
    let mut stand = Stand::precharged();
    stand.inject(Fault::Sensor(Side::Charger, Sensor::Voltage, SensorFault::Stuck(0)));
    stand.run(2_300);
    stand.demand.lock = Lock::Released;
    assert_eq!(stand.after(500), Some("E13"));
}

#[test]
fn a_silent_sensor_excuses_nothing_that_is_done() {
    let mut stand = Stand::precharged();
    stand.inject(Fault::Sensor(Side::Charger, Sensor::Voltage, SensorFault::Silent));
    stand.demand.lock = Lock::Released;
    assert_eq!(stand.after(400), Some("E13"));
    let mut stand = Stand::precharged();
    stand.inject(Fault::Sensor(Side::Car, Sensor::Battery, SensorFault::Silent));
    stand.demand = supply(320_000, 2_000);
    stand.run(250);
    stand.car.contactors = Contactors::Closed;
    assert_eq!(stand.after(100), Some("P1"));
}

#[test]
fn a_lie_that_shows_what_is_wrong_excuses_nothing() {
    let mut stand = Stand::charging();
    stand.inject(Fault::Sensor(Side::Charger, Sensor::Current, SensorFault::Offset(10_000)));
    stand.inject(Fault::Stage(StageFault::Extra(50_000)));
    stand.facts(|facts, _| facts.asked_ma = 200_000);
    assert_eq!(stand.after(5_000), Some("E16"));
}

#[test]
fn an_emergency_stop_counts_again_after_its_sensor_has_lied() {
    let mut stand = Stand::ready();
    stand.inject(Fault::Sensor(Side::Charger, Sensor::EmergencyStop, SensorFault::Reversed));
    stand.run(100);
    stand.inject(Fault::Sensor(Side::Charger, Sensor::EmergencyStop, SensorFault::Sound));
    stand.run(300);
    stand.inject(Fault::EmergencyStop(Side::Charger, true));
    stand.run(300);
    stand.inject(Fault::EmergencyStop(Side::Charger, false));
    stand.facts(|facts, now| facts.cable_check = Some(now));
    stand.demand = OFF;
    assert_eq!(stand.after(200), Some("E20"));
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
