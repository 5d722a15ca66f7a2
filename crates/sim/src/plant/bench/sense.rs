//! The measurements at each end of a bench.

use control_pilot::{Coding, Output, Proximity};
use evse_fsm::{Plant, Reading};
use machine::Instant;

use super::Bench;
use crate::plant::{Battery, Sensor, Side, milli};

/// A snapshot of the car's sensors: each reading with its time, or absent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CarPlant {
    /// Duty cycle of the pilot in per mille; 1000 is steady +12 V, 0 none.
    pub duty_permille: Option<Reading<u16>>,
    /// The proximity wire.
    pub proximity: Option<Reading<Proximity>>,
    /// Voltage in the inlet, in mV.
    pub inlet_mv: Option<Reading<i32>>,
    /// Voltage on the battery's side of the contactors, in mV.
    pub battery_mv: Option<Reading<i32>>,
    /// Current into the battery, in mA.
    pub current_ma: Option<Reading<i32>>,
    /// Feedback of the contactors: `true` is closed.
    pub contactors: Option<Reading<bool>>,
    /// Feedback of the lock: `true` is locked.
    pub lock: Option<Reading<bool>>,
    /// Temperature of the inlet in thousandths of a degree Celsius.
    pub inlet_millicelsius: Option<Reading<i32>>,
    /// The emergency stop: `true` is pressed.
    pub emergency_stop: Option<Reading<bool>>,
    /// State of charge in percent; absent without a battery.
    pub soc_percent: Option<Reading<u8>>,
    /// The most current in mA that the battery requests.
    pub request_ma: Option<Reading<i32>>,
}

/// The inlet's temperature in thousandths of a degree Celsius: constant, because it is not modelled.
const MILD_MILLICELSIUS: i32 = 25_000;

/// The coding resistor of a CCS2 plug in Ohm.
const PLUG_OHM: u32 = 1_500;

/// What the battery reports besides its voltage.
const BATTERY: (Side, Sensor) = (Side::Car, Sensor::Battery);

impl Bench {
    /// What the charger measures now.
    pub fn charger(&mut self, now: Instant) -> Plant {
        self.advance(now);
        if self.charger.silent.is_some() {
            return self.last;
        }
        let (last, at) = (self.last, self.now);
        let is_stopped = self.charger.stopped.is_some();
        let ripple_ma = if self.amps == 0.0 { 0 } else { self.stage.ripple_ma(at) };
        let current_ma = milli(self.amps) + ripple_ma;
        let duty = duty(Some(self.wire.driven()));
        macro_rules! read {
            ($sensor:ident, $truth:expr, $last:ident) => {
                self.sensors.read((Side::Charger, Sensor::$sensor), $truth, last.$last, at)
            };
        }
        self.last = Plant {
            pilot: read!(Pilot, self.pilot.level, pilot),
            duty_permille: read!(Duty, duty, duty_permille),
            proximity: read!(Proximity, self.proximity(), proximity),
            voltage_mv: read!(Voltage, milli(self.cable.charger_v), voltage_mv),
            stage_mv: read!(Stage, self.stage_mv(), stage_mv),
            current_ma: read!(Current, current_ma, current_ma),
            isolation: read!(Isolation, self.monitor.reports(at), isolation),
            contactors: read!(Contactors, self.charger.contactor.is_closed(), contactors),
            lock: read!(Lock, self.charger.lock.is_locked(), lock),
            emergency_stop: read!(EmergencyStop, is_stopped, emergency_stop),
        };
        self.last
    }

    /// What the car measures now.
    pub fn car(&mut self, now: Instant) -> CarPlant {
        self.advance(now);
        if self.car.silent.is_some() {
            return self.last_car;
        }
        let (last, at) = (self.last_car, self.now);
        let battery = self.load.as_battery();
        let (soc, request) = (battery.map(Battery::soc_percent), battery.map(Battery::request_ma));
        macro_rules! read {
            ($sensor:ident, $truth:expr, $last:ident) => {
                self.sensors.read((Side::Car, Sensor::$sensor), $truth, last.$last, at)
            };
        }
        self.last_car = CarPlant {
            duty_permille: read!(Duty, duty(self.pilot.output), duty_permille),
            proximity: read!(Proximity, self.proximity(), proximity),
            inlet_mv: read!(Voltage, milli(self.cable.car_v), inlet_mv),
            battery_mv: read!(Battery, self.battery_mv(), battery_mv),
            current_ma: read!(Current, milli(self.amps), current_ma),
            contactors: read!(Contactors, self.car.contactor.is_closed(), contactors),
            lock: read!(Lock, self.car.lock.is_locked(), lock),
            inlet_millicelsius: read!(Temperature, MILD_MILLICELSIUS, inlet_millicelsius),
            emergency_stop: read!(EmergencyStop, self.car.stopped.is_some(), emergency_stop),
            soc_percent: soc.and_then(|soc| self.sensors.read_beside(BATTERY, soc, last.soc_percent, at)),
            request_ma: request.and_then(|ma| self.sensors.read_beside(BATTERY, ma, last.request_ma, at)),
        };
        self.last_car
    }

    /// Voltage of the stage: with closed contactors also that of the cable.
    fn stage_mv(&self) -> i32 {
        let is_one = self.charger.contactor.is_closed();
        if is_one { milli(self.cable.charger_v) } else { self.stage.voltage_mv() }
    }

    /// State of the proximity wire.
    pub fn proximity(&self) -> Proximity {
        let is_seen = self.wire.is_plugged && !self.is_proximity_open;
        Proximity::of_ohms(Coding::Type2, if is_seen { PLUG_OHM } else { u32::MAX })
    }
}

/// A duty cycle in per mille as sensors report it.
fn duty(output: Option<Output>) -> u16 {
    match output {
        Some(Output::Pwm(permille)) => permille,
        Some(Output::Steady) => 1_000,
        Some(Output::Zero | Output::Negative) | None => 0,
    }
}
