//! Enumerations and bounded numbers.

use exi::{Bounded, enumeration};

/// A percentage, 0..=100.
pub type Percent = Bounded<0, 100>;

/// The power of ten of a [`PhysicalValue`](crate::PhysicalValue), -3..=3.
pub type UnitMultiplier = Bounded<-3, 3>;

enumeration! {
    /// How a request was met. From [`Failed`](Self::Failed) on it was not.
    pub enum ResponseCode {
        /// Met.
        Ok = "OK",
        /// Met: a new session was opened.
        OkNewSessionEstablished = "OK_NewSessionEstablished",
        /// Met: an old session was joined.
        OkOldSessionJoined = "OK_OldSessionJoined",
        /// Met, but the contract certificate expires soon.
        OkCertificateExpiresSoon = "OK_CertificateExpiresSoon",
        /// Not met, for no reason that has a code of its own.
        Failed = "FAILED",
        /// Not the message that may come now.
        FailedSequenceError = "FAILED_SequenceError",
        /// Not a service of this charger.
        FailedServiceIdInvalid = "FAILED_ServiceIDInvalid",
        /// Not the session id of this connection.
        FailedUnknownSession = "FAILED_UnknownSession",
        /// Not a possible selection of services.
        FailedServiceSelectionInvalid = "FAILED_ServiceSelectionInvalid",
        /// Not an offered way to pay.
        FailedPaymentSelectionInvalid = "FAILED_PaymentSelectionInvalid",
        /// The certificate is too old.
        FailedCertificateExpired = "FAILED_CertificateExpired",
        /// The signature is wrong.
        FailedSignatureError = "FAILED_SignatureError",
        /// There is no certificate.
        FailedNoCertificateAvailable = "FAILED_NoCertificateAvailable",
        /// The certificate's chain is wrong.
        FailedCertChainError = "FAILED_CertChainError",
        /// The challenge differs from the one that was sent.
        FailedChallengeInvalid = "FAILED_ChallengeInvalid",
        /// The contract was cancelled.
        FailedContractCanceled = "FAILED_ContractCanceled",
        /// The car's parameters do not fit this charger.
        FailedWrongChargeParameter = "FAILED_WrongChargeParameter",
        /// The charger cannot deliver power.
        FailedPowerDeliveryNotApplied = "FAILED_PowerDeliveryNotApplied",
        /// Not an offered schedule.
        FailedTariffSelectionInvalid = "FAILED_TariffSelectionInvalid",
        /// The car's profile exceeds the schedule.
        FailedChargingProfileInvalid = "FAILED_ChargingProfileInvalid",
        /// The output voltage differs from the requested one.
        FailedEvsePresentVoltageToLow = "FAILED_EVSEPresentVoltageToLow",
        /// The meter receipt's signature is wrong.
        FailedMeteringSignatureNotValid = "FAILED_MeteringSignatureNotValid",
        /// Not an offered kind of energy transfer.
        FailedWrongEnergyTransferType = "FAILED_WrongEnergyTransferType",
    }

    /// The state of a DC charger.
    pub enum DcEvseStatusCode {
        /// Not able to charge now.
        EvseNotReady = "EVSE_NotReady",
        /// Able to charge.
        EvseReady = "EVSE_Ready",
        /// Normal end of the session, requested by the user or the charger.
        EvseShutdown = "EVSE_Shutdown",
        /// End of the session at the request of the grid.
        EvseUtilityInterruptEvent = "EVSE_UtilityInterruptEvent",
        /// Isolation test is running.
        EvseIsolationMonitoringActive = "EVSE_IsolationMonitoringActive",
        /// Emergency stop.
        EvseEmergencyShutdown = "EVSE_EmergencyShutdown",
        /// Defect of the charger.
        EvseMalfunction = "EVSE_Malfunction",
        /// Reserved.
        Reserved8 = "Reserved_8",
        /// Reserved.
        Reserved9 = "Reserved_9",
        /// Reserved.
        ReservedA = "Reserved_A",
        /// Reserved.
        ReservedB = "Reserved_B",
        /// Reserved.
        ReservedC = "Reserved_C",
    }

    /// The car's error code.
    pub enum DcEvErrorCode {
        /// Nothing.
        NoError = "NO_ERROR",
        /// The battery's temperature forbids charging.
        FailedRessTemperatureInhibit = "FAILED_RESSTemperatureInhibit",
        /// The car is not in park.
        FailedEvShiftPosition = "FAILED_EVShiftPosition",
        /// The connector is not locked.
        FailedChargerConnectorLockFault = "FAILED_ChargerConnectorLockFault",
        /// Defect of the battery.
        FailedEvRessMalfunction = "FAILED_EVRESSMalfunction",
        /// The current differs from the requested one.
        FailedChargingCurrentDifferential = "FAILED_ChargingCurrentdifferential",
        /// The voltage is out of range.
        FailedChargingVoltageOutOfRange = "FAILED_ChargingVoltageOutOfRange",
        /// Reserved.
        ReservedA = "Reserved_A",
        /// Reserved.
        ReservedB = "Reserved_B",
        /// Reserved.
        ReservedC = "Reserved_C",
        /// Car and charger are not compatible.
        FailedChargingSystemIncompatibility = "FAILED_ChargingSystemIncompatibility",
        /// No data available.
        NoData = "NoData",
    }

    /// Result of the isolation monitor.
    pub enum IsolationLevel {
        /// Not measured yet.
        Invalid = "Invalid",
        /// Isolation without fault.
        Valid = "Valid",
        /// Isolation is low; charging may continue.
        Warning = "Warning",
        /// Isolation is too low: charging must stop.
        Fault = "Fault",
    }

    /// What the charger requests of the car.
    pub enum EvseNotification {
        /// Nothing.
        None = "None",
        /// Stop charging within the delay.
        StopCharging = "StopCharging",
        /// Negotiate again; DIN SPEC 70121 has no procedure for it.
        ReNegotiation = "ReNegotiation",
    }

    /// Whether the charger needs more time.
    pub enum EvseProcessing {
        /// Processing is finished.
        Finished = "Finished",
        /// The car must repeat its request.
        Ongoing = "Ongoing",
    }

    /// A payment option.
    pub enum PaymentOption {
        /// By contract and certificate.
        Contract = "Contract",
        /// At the charger.
        ExternalPayment = "ExternalPayment",
    }

    /// The kind of energy transfer that a car asks for. Not the charger's list: code 5 differs.
    pub enum EvRequestedEnergyTransfer {
        /// AC, one phase.
        AcSinglePhaseCore = "AC_single_phase_core",
        /// AC, three phases.
        AcThreePhaseCore = "AC_three_phase_core",
        /// DC over the core pins.
        DcCore = "DC_core",
        /// DC over the extended pins: requested by every captured car.
        DcExtended = "DC_extended",
        /// DC over the core pins of a Combo connector.
        DcComboCore = "DC_combo_core",
        /// DC over a connector of its own.
        DcUnique = "DC_unique",
    }

    /// The kind of energy transfer that a charger offers. Not the car's list: code 5 differs.
    pub enum EvseSupportedEnergyTransfer {
        /// AC, one phase.
        AcSinglePhaseCore = "AC_single_phase_core",
        /// AC, three phases.
        AcThreePhaseCore = "AC_three_phase_core",
        /// DC over the core pins.
        DcCore = "DC_core",
        /// DC over the extended pins.
        DcExtended = "DC_extended",
        /// DC over the core pins of a Combo connector.
        DcComboCore = "DC_combo_core",
        /// DC over both.
        DcDual = "DC_dual",
        /// AC with one phase, or DC over the extended pins.
        AcCore1pDcExtended = "AC_core1p_DC_extended",
        /// AC with one phase, or DC over the core pins.
        AcSingleDcCore = "AC_single_DC_core",
        /// AC with one or three phases, or DC over the extended pins.
        AcSinglePhaseThreePhaseCoreDcExtended = "AC_single_phase_three_phase_core_DC_extended",
        /// AC with three phases, or DC over the extended pins.
        AcCore3pDcExtended = "AC_core3p_DC_extended",
    }

    /// The unit of a [`PhysicalValue`](crate::PhysicalValue).
    pub enum UnitSymbol {
        /// Hours.
        H = "h",
        /// Minutes.
        M = "m",
        /// Seconds.
        S = "s",
        /// Amperes.
        A = "A",
        /// Ampere hours.
        Ah = "Ah",
        /// Volts.
        V = "V",
        /// Volt amperes.
        Va = "VA",
        /// Watts.
        W = "W",
        /// Watts per second.
        WPerS = "W/s",
        /// Watt hours.
        Wh = "Wh",
    }

    /// The kind of a service.
    pub enum ServiceCategory {
        /// Charging.
        EvCharging = "EVCharging",
        /// Access to the internet.
        Internet = "Internet",
        /// Contract certificates.
        ContractCertificate = "ContractCertificate",
        /// Anything else.
        OtherCustom = "OtherCustom",
    }

    /// Kind of a fault in a message.
    pub enum FaultCode {
        /// The message could not be parsed.
        ParsingError = "ParsingError",
        /// No root certificate for TLS.
        NoTlsRootCertificatAvailable = "NoTLSRootCertificatAvailable",
        /// Any other fault.
        UnknownError = "UnknownError",
    }

    /// What a cost in a tariff counts.
    pub enum CostKind {
        /// Price, relative, in percent.
        RelativePricePercentage = "relativePricePercentage",
        /// Share of renewable generation, in percent.
        RenewableGenerationPercentage = "RenewableGenerationPercentage",
        /// Emission of carbon dioxide.
        CarbonDioxideEmission = "CarbonDioxideEmission",
    }

    /// The type of a service's parameter, as in its attribute.
    pub enum ValueType {
        /// A boolean.
        Bool = "bool",
        /// A byte.
        Byte = "byte",
        /// A 16-bit number.
        Short = "short",
        /// A 32-bit number.
        Int = "int",
        /// A value with a unit.
        PhysicalValue = "physicalValue",
        /// A string.
        String = "string",
    }
}

impl ResponseCode {
    /// Whether the request is refused: a code that begins with FAILED.
    pub const fn is_failed(self) -> bool {
        self as u8 >= Self::Failed as u8
    }
}
