//! Physical state, occurrences and faults, as data.

use control_pilot::{Level, Output};

use crate::plant::{ContactorFault, LockFault, PilotFault, Sensor, SensorFault, Side, StageFault};

/// The physical state, whatever the sensors report.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "each is a physical fact of its own")]
pub struct Truth {
    /// Whether the plug is in.
    pub is_plugged: bool,
    /// The pilot's level.
    pub level: Level,
    /// The charger's pilot as the car sees it.
    pub pilot_at_car: Option<Output>,
    /// Voltage at the charger's contactors, on the cable's side, in mV.
    pub cable_mv: i32,
    /// Voltage in the car's inlet, in mV.
    pub inlet_mv: i32,
    /// Voltage on the battery's side of the car's contactors, in mV; 0 if nothing is connected.
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

/// An occurrence of the hardware.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Occurrence {
    /// Contactors closed.
    Closed {
        /// Side of the contactors.
        side: Side,
        /// Voltage in mV on this side's conductors when the command came.
        told_mv: i32,
        /// Voltage in mV on this side's conductors before the contacts met.
        voltage_mv: i32,
        /// Voltage in mV between the contacts.
        difference_mv: i32,
        /// By a command, not by bouncing or a fault.
        is_commanded: bool,
    },
    /// Contactors opened.
    Opened {
        /// Side of the contactors.
        side: Side,
        /// Current in mA when the command came.
        told_ma: i32,
        /// Current in mA that the contacts broke.
        current_ma: i32,
        /// By a command, not by bouncing or a fault.
        is_commanded: bool,
    },
    /// A lock moved.
    Lock {
        /// Side of the lock.
        side: Side,
        /// Whether it is locked now.
        is_locked: bool,
        /// Voltage on the conductors at this end, in mV.
        voltage_mv: i32,
        /// Whether the contactors of this end were closed.
        was_closed: bool,
        /// By a fault, not by a command.
        by_fault: bool,
    },
    /// The plug was inserted or pulled.
    Plug {
        /// Whether it is inserted now.
        is_plugged: bool,
        /// Current in mA just before.
        current_ma: i32,
    },
    /// A side showed no life for too long, and its hardware made it SAFE.
    Heartbeat(Side),
    /// A fault was injected or repaired.
    Fault(Fault),
}

/// A fault of the hardware, as data for scripts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// A fault of a side's contactors.
    Contactors(Side, ContactorFault),
    /// A fault of the pilot wire.
    Pilot(PilotFault),
    /// The proximity wire is broken (`true`), or repaired.
    ProximityOpen(bool),
    /// A resistance to earth in Ohm.
    Leak(u32),
    /// A fault of the power stage.
    Stage(StageFault),
    /// A fault of a side's lock.
    Lock(Side, LockFault),
    /// A fault of one sensor.
    Sensor(Side, Sensor, SensorFault),
    /// The isolation monitor fails its self-test (`true`), or passes it again.
    SelfTestFails(bool),
    /// The bleeder that the charger connects is broken (`true`), or repaired.
    BleederOpen(bool),
    /// A side receives no new readings at all (`true`), or does again.
    Silence(Side, bool),
    /// The emergency stop is pressed (`true`), or released.
    EmergencyStop(Side, bool),
    /// The battery disconnects itself (`true`), or is connected again.
    BatteryGone(bool),
}
