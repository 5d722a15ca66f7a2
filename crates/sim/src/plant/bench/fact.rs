//! What is there, what happens, and what can be wrong, as data.

use control_pilot::{Level, Output};

use crate::plant::{ContactorFault, LockFault, PilotFault, Sensor, SensorFault, Side, StageFault};

/// What is really there, whatever sensors say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "each is a physical fact of its own")]
pub struct Truth {
    /// Whether the plug is in.
    pub is_plugged: bool,
    /// The pilot's level.
    pub level: Level,
    /// What the car sees of the charger's pilot.
    pub pilot_at_car: Option<Output>,
    /// Voltage at the charger's contactors, on the cable's side, in mV.
    pub cable_mv: i32,
    /// Voltage in the car's inlet, in mV.
    pub inlet_mv: i32,
    /// Voltage behind the car's contactors, in mV; 0 where nothing is connected.
    pub battery_mv: i32,
    /// Current into the car, in mA.
    pub current_ma: i32,
    /// The charger's contactors are closed.
    pub charger_closed: bool,
    /// The car's contactors are closed.
    pub car_closed: bool,
    /// The charger's lock is closed.
    pub charger_locked: bool,
    /// The car's lock is closed.
    pub car_locked: bool,
    /// Resistance to earth in Ohm.
    pub isolation_ohm: u32,
}

/// Something that happened to the hardware.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Occurrence {
    /// Contactors closed.
    Closed {
        /// Whose.
        side: Side,
        /// Voltage in mV on the conductors at this end at their command.
        told_mv: i32,
        /// Voltage in mV on the conductors at this end before the contacts met.
        voltage_mv: i32,
        /// Voltage in mV that lay between their contacts.
        difference_mv: i32,
        /// Because they were to, and not because they bounce or broke.
        is_commanded: bool,
    },
    /// Contactors opened.
    Opened {
        /// Whose.
        side: Side,
        /// Current in mA that flowed at their command.
        told_ma: i32,
        /// Current in mA that they broke.
        current_ma: i32,
        /// Because they were to, and not because they bounce or broke.
        is_commanded: bool,
    },
    /// A lock moved.
    Lock {
        /// Whose.
        side: Side,
        /// Whether it is locked now.
        is_locked: bool,
        /// Voltage on the conductors at this end, in mV.
        voltage_mv: i32,
        /// Whether the contactors of this end were closed.
        was_closed: bool,
        /// Because it broke.
        by_fault: bool,
    },
    /// The plug went in or out.
    Plug {
        /// Whether it is in now.
        is_plugged: bool,
        /// Current in mA that flowed before.
        current_ma: i32,
    },
    /// A side showed no life for too long: its hardware made it SAFE.
    Heartbeat(Side),
    /// Something was broken or repaired.
    Fault(Fault),
}

/// What can be wrong with the hardware, as data for scripts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// Contactors.
    Contactors(Side, ContactorFault),
    /// The pilot wire.
    Pilot(PilotFault),
    /// The proximity wire is broken (`true`), or repaired.
    ProximityOpen(bool),
    /// A resistance to earth in Ohm.
    Leak(u32),
    /// The power stage.
    Stage(StageFault),
    /// A lock.
    Lock(Side, LockFault),
    /// One sensor.
    Sensor(Side, Sensor, SensorFault),
    /// The isolation monitor does not pass its self-test (`true`), or does again.
    SelfTestFails(bool),
    /// The bleeder that the charger connects is broken (`true`), or repaired.
    BleederOpen(bool),
    /// A side gets no new readings at all (`true`), or does again.
    Silence(Side, bool),
    /// The emergency stop is pressed (`true`), or released.
    EmergencyStop(Side, bool),
    /// The battery disconnects itself (`true`), or is back.
    BatteryGone(bool),
}
