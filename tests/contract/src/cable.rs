//! The simplest cable between a charger and a car: contactors, sensors and current follow immediately.

use control_pilot::{Level, Output};
use machine::Instant;
use pev_fsm::Vehicle;
use session::{Contactors, Insulation, Isolation, Limits, Lock, Reading, Target};

const BATTERY_MV: i32 = 350_000;

/// The readings of both sides.
pub struct Sensed {
    /// At the charger's end.
    pub charger: evse_fsm::Plant,
    /// At the car's end.
    pub car: pev_fsm::Plant,
    /// The current into the car, in mA.
    pub current_ma: i32,
}

/// The result of both sides' demands. The voltage follows the stronger side, the current the charger.
pub fn sense(at: Instant, charger: evse_fsm::Demand, car: pev_fsm::Demand, is_plugged: bool) -> Sensed {
    let (out, inlet) = (charger.contactors == Contactors::Closed, car.contactors == Contactors::Closed);
    let voltage_mv = match (out, inlet) {
        (_, true) => BATTERY_MV,
        (true, false) => charger.supply.voltage_mv,
        (false, false) => 0,
    };
    // Above the 2 A of precharge, the supply regulates the current.
    let flows = out && inlet && charger.supply.current_ma > 2_000;
    let current_ma = if flows { charger.supply.current_ma } else { 0 };
    let read = |value| Some(Reading::new(value, at));
    let is = |value| Some(Reading::new(value, at));
    Sensed {
        charger: evse_fsm::Plant {
            pilot: Some(Reading::new(if is_plugged { car.pilot } else { Level::A }, at)),
            voltage_mv: read(voltage_mv),
            current_ma: read(current_ma),
            isolation: Some(Reading::new(Insulation::of(Isolation::Valid), at)),
            contactors: is(out),
            lock: is(charger.lock == Lock::Held),
            emergency_stop: is(false),
            ..evse_fsm::Plant::default()
        },
        car: pev_fsm::Plant {
            pilot: Some(Reading::new(if is_plugged { charger.pilot } else { Output::Zero }, at)),
            inlet_mv: read(voltage_mv),
            current_ma: read(current_ma),
            contactors: is(inlet),
            lock: is(car.lock == Lock::Held),
            emergency_stop: is(false),
            ..pev_fsm::Plant::default()
        },
        current_ma,
    }
}

/// A battery that requests the charger's maximum.
pub fn vehicle(at: Instant) -> Vehicle {
    Vehicle {
        at,
        limits: Limits {
            max_voltage_mv: 412_800,
            max_current_ma: 200_000,
            max_power_w: 98_000,
            ..Limits::NONE
        },
        battery_mv: Some(BATTERY_MV),
        target: Target { voltage_mv: 412_800, current_ma: 100_000 },
        soc_percent: 50,
        capacity_wh: 28_000,
        request_wh: 14_000,
        full_soc_percent: Some(94),
        bulk_soc_percent: Some(80),
        full_in_s: None,
        bulk_in_s: None,
        is_done: false,
        error: 0,
    }
}
