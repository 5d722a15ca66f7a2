//! Status and parameters of car and charger, DC and AC.

use exi::{Base64Binary, Head, HexBinary, Text, choice, element};

use crate::{DcEvErrorCode, DcEvseStatusCode, EvseNotification, IsolationLevel, Percent, PhysicalValue};

/// A session's identifier: 0..=8 bytes, repeated unchanged; zeros of any length in the car's first message.
pub type SessionId<'a> = HexBinary<'a, 8>;
/// EVCCID, the car's identifier: 0..=8 bytes, its MAC address in every captured session.
pub type EvccId<'a> = HexBinary<'a, 8>;
/// EVSEID, the charger's identifier: 0..=32 bytes; one byte 00 at many deployed chargers.
pub type EvseId<'a> = HexBinary<'a, 32>;

element! {
    /// The state of a DC car.
    pub struct DcEvStatus {
        /// Whether the car is ready to charge.
        pub ev_ready: bool = "EVReady",
        /// Whether the car heats or cools its cabin.
        pub ev_cabin_conditioning: Option<bool> = "EVCabinConditioning",
        /// Whether the car heats or cools its battery.
        pub ev_ress_conditioning: Option<bool> = "EVRESSConditioning",
        /// The car's error code.
        pub ev_error_code: DcEvErrorCode = "EVErrorCode",
        /// State of charge, 0..=100 %.
        pub ev_ress_soc: Percent = "EVRESSSOC",
    }

    /// The state of a DC charger.
    pub struct DcEvseStatus {
        /// Result of the isolation monitor.
        pub evse_isolation_status: Option<IsolationLevel> = "EVSEIsolationStatus",
        /// The charger's state.
        pub evse_status_code: DcEvseStatusCode = "EVSEStatusCode",
        /// Time within which the car must follow the notification, in s.
        pub notification_max_delay: u32 = "NotificationMaxDelay",
        /// What the car must do.
        pub evse_notification: EvseNotification = "EVSENotification",
    }

    /// The state of an AC charger.
    pub struct AcEvseStatus {
        /// Whether the charger's contactor is closed.
        pub power_switch_closed: bool = "PowerSwitchClosed",
        /// Whether the residual current device tripped.
        pub rcd: bool = "RCD",
        /// Time within which the car must follow the notification, in s.
        pub notification_max_delay: u32 = "NotificationMaxDelay",
        /// What the car must do.
        pub evse_notification: EvseNotification = "EVSENotification",
    }

    /// A DC car's parameters.
    pub struct DcEvChargeParameter {
        /// The car's state.
        pub dc_ev_status: DcEvStatus = "DC_EVStatus",
        /// Maximum current of the car, in A.
        pub ev_maximum_current_limit: PhysicalValue = "EVMaximumCurrentLimit",
        /// Maximum power of the car, in W.
        pub ev_maximum_power_limit: Option<PhysicalValue> = "EVMaximumPowerLimit",
        /// Maximum voltage of the car, in V.
        pub ev_maximum_voltage_limit: PhysicalValue = "EVMaximumVoltageLimit",
        /// Capacity of the battery, in Wh.
        pub ev_energy_capacity: Option<PhysicalValue> = "EVEnergyCapacity",
        /// Energy that the car requests, in Wh.
        pub ev_energy_request: Option<PhysicalValue> = "EVEnergyRequest",
        /// State of charge at which the car counts as full, 0..=100 %.
        pub full_soc: Option<Percent> = "FullSOC",
        /// State of charge at which bulk charging ends, 0..=100 %.
        pub bulk_soc: Option<Percent> = "BulkSOC",
    }

    /// A DC charger's parameters.
    pub struct DcEvseChargeParameter {
        /// The charger's state.
        pub dc_evse_status: DcEvseStatus = "DC_EVSEStatus",
        /// Maximum current of the charger, in A.
        pub evse_maximum_current_limit: PhysicalValue = "EVSEMaximumCurrentLimit",
        /// Maximum power of the charger, in W.
        pub evse_maximum_power_limit: Option<PhysicalValue> = "EVSEMaximumPowerLimit",
        /// Maximum voltage of the charger, in V.
        pub evse_maximum_voltage_limit: PhysicalValue = "EVSEMaximumVoltageLimit",
        /// Minimum current of the charger, in A.
        pub evse_minimum_current_limit: PhysicalValue = "EVSEMinimumCurrentLimit",
        /// Minimum voltage of the charger, in V.
        pub evse_minimum_voltage_limit: PhysicalValue = "EVSEMinimumVoltageLimit",
        /// Tolerance of the charger's current control, in A.
        pub evse_current_regulation_tolerance: Option<PhysicalValue> = "EVSECurrentRegulationTolerance",
        /// Peak-to-peak ripple of the current, in A.
        pub evse_peak_current_ripple: PhysicalValue = "EVSEPeakCurrentRipple",
        /// Energy that the charger intends to deliver, in Wh.
        pub evse_energy_to_be_delivered: Option<PhysicalValue> = "EVSEEnergyToBeDelivered",
    }

    /// An AC car's parameters.
    pub struct AcEvChargeParameter {
        /// Planned departure, in s from now.
        pub departure_time: u32 = "DepartureTime",
        /// Energy required until departure, in Wh.
        pub e_amount: PhysicalValue = "EAmount",
        /// Maximum voltage of the car, in V.
        pub ev_max_voltage: PhysicalValue = "EVMaxVoltage",
        /// Maximum current per phase, in A.
        pub ev_max_current: PhysicalValue = "EVMaxCurrent",
        /// Minimum current per phase, in A.
        pub ev_min_current: PhysicalValue = "EVMinCurrent",
    }

    /// An AC charger's parameters.
    pub struct AcEvseChargeParameter {
        /// The charger's state.
        pub ac_evse_status: AcEvseStatus = "AC_EVSEStatus",
        /// The line voltage, in V.
        pub evse_max_voltage: PhysicalValue = "EVSEMaxVoltage",
        /// Maximum current per phase, in A.
        pub evse_max_current: PhysicalValue = "EVSEMaxCurrent",
        /// Minimum current per phase, in A.
        pub evse_min_current: PhysicalValue = "EVSEMinCurrent",
    }

    /// State of a DC car when power is switched on or off.
    pub struct DcEvPowerDeliveryParameter {
        /// The car's state.
        pub dc_ev_status: DcEvStatus = "DC_EVStatus",
        /// Whether bulk charging is complete.
        pub bulk_charging_complete: Option<bool> = "BulkChargingComplete",
        /// Whether charging is complete.
        pub charging_complete: bool = "ChargingComplete",
    }

    /// A reading of the meter.
    pub struct MeterInfo<'a> {
        /// The meter's name, at most 32 characters.
        pub meter_id: Text<'a, 32> = "MeterID",
        /// The reading, in Wh.
        pub meter_reading: Option<PhysicalValue> = "MeterReading",
        /// The signed reading, at most 32 bytes.
        pub sig_meter_reading: Option<Base64Binary<'a, 32>> = "SigMeterReading",
        /// The meter's status.
        pub meter_status: Option<i16> = "MeterStatus",
        /// Time of the reading, in s since 1970-01-01.
        pub t_meter: Option<i64> = "TMeter",
    }
}

choice! {
    /// The car's parameters (substitution group `EVChargeParameter`).
    pub enum EvChargeParameter {
        /// Alternating current.
        Ac(AcEvChargeParameter) = "AC_EVChargeParameter",
        /// Direct current.
        Dc(DcEvChargeParameter) = "DC_EVChargeParameter",
        /// The abstract head: no content; see [`Head`].
        Head(Head) = "EVChargeParameter",
    }

    /// The charger's parameters (substitution group `EVSEChargeParameter`).
    pub enum EvseChargeParameter {
        /// Alternating current.
        Ac(AcEvseChargeParameter) = "AC_EVSEChargeParameter",
        /// Direct current.
        Dc(DcEvseChargeParameter) = "DC_EVSEChargeParameter",
        /// The abstract head: no content; see [`Head`].
        Head(Head) = "EVSEChargeParameter",
    }

    /// The charger's state (substitution group `EVSEStatus`).
    pub enum EvseStatus {
        /// Alternating current.
        Ac(AcEvseStatus) = "AC_EVSEStatus",
        /// Direct current.
        Dc(DcEvseStatus) = "DC_EVSEStatus",
        /// The abstract head: no content; see [`Head`].
        Head(Head) = "EVSEStatus",
    }

    /// The car's state when power is switched (substitution group `EVPowerDeliveryParameter`).
    pub enum EvPowerDeliveryParameter {
        /// Direct current.
        Dc(DcEvPowerDeliveryParameter) = "DC_EVPowerDeliveryParameter",
        /// The abstract head: no content; see [`Head`].
        Head(Head) = "EVPowerDeliveryParameter",
    }
}
