//! The messages and what is around them.

use exi::{Attribute, Head, Text, View, choice, element};
use exi_dsig::Signature;

use crate::{
    AcEvseStatus, Certificate, CertificateChain, ChargingProfile, ContractId, DcEvStatus, DcEvseStatus,
    DhParams, EvChargeParameter, EvPowerDeliveryParameter, EvRequestedEnergyTransfer, EvccId,
    EvseChargeParameter, EvseId, EvseProcessing, EvseStatus, FaultCode, ListOfRootCertificateIds, MeterInfo,
    PaymentOption, PaymentOptions, PhysicalValue, PrivateKey, ResponseCode, SaSchedules, SelectedServiceList,
    ServiceCategory, ServiceCharge, ServiceParameterList, ServiceTagList, SessionId,
};

element! {
    /// A message with its header: the root element of every document.
    pub struct V2gMessage<'a> {
        /// The session.
        pub header: Header<'a> = "Header",
        /// The message.
        pub body: Body<'a> = "Body",
    }

    /// What every message begins with.
    pub struct Header<'a> {
        /// The session's id.
        pub session_id: SessionId<'a> = "SessionID",
        /// What was wrong with the message before.
        pub notification: Option<Notification<'a>> = "Notification",
        /// A signature over parts of the body.
        pub signature: Option<View<'a, Signature<'a>>> = "Signature",
    }

    /// What was wrong with the message before.
    pub struct Notification<'a> {
        /// What it was.
        pub fault_code: FaultCode = "FaultCode",
        /// In words, at most 64 characters.
        pub fault_msg: Option<Text<'a, 64>> = "FaultMsg",
    }

    /// What surrounds the message.
    pub struct Body<'a> {
        /// The message; the schema allows none.
        pub element: Option<BodyElement<'a>> = "",
    }

    /// Opens a session. The header's id is zeros.
    pub struct SessionSetupReq<'a> {
        /// The car's id.
        pub evcc_id: EvccId<'a> = "EVCCID",
    }

    /// The session is open; its id is in the header.
    pub struct SessionSetupRes<'a> {
        /// How the request was met.
        pub response_code: ResponseCode = "ResponseCode",
        /// The charger's id.
        pub evse_id: EvseId<'a> = "EVSEID",
        /// The charger's time, in s since 1970-01-01.
        pub date_time_now: Option<i64> = "DateTimeNow",
    }

    /// Asks for the services.
    pub struct ServiceDiscoveryReq<'a> {
        /// Only of this scope, at most 32 characters.
        pub service_scope: Option<Text<'a, 32>> = "ServiceScope",
        /// Only of this kind.
        pub service_category: Option<ServiceCategory> = "ServiceCategory",
    }

    /// The services and ways to pay.
    pub struct ServiceDiscoveryRes<'a> {
        /// How the request was met.
        pub response_code: ResponseCode = "ResponseCode",
        /// The ways to pay.
        pub payment_options: PaymentOptions<'a> = "PaymentOptions",
        /// The charging service.
        pub charge_service: ServiceCharge<'a> = "ChargeService",
        /// Other services.
        pub service_list: Option<ServiceTagList<'a>> = "ServiceList",
    }

    /// Asks for the parameters of a service.
    pub struct ServiceDetailReq {
        /// The service's number.
        pub service_id: u16 = "ServiceID",
    }

    /// The parameters of a service.
    pub struct ServiceDetailRes<'a> {
        /// How the request was met.
        pub response_code: ResponseCode = "ResponseCode",
        /// The service's number.
        pub service_id: u16 = "ServiceID",
        /// Its parameters.
        pub service_parameter_list: Option<ServiceParameterList<'a>> = "ServiceParameterList",
    }

    /// Chooses services and the way to pay.
    pub struct ServicePaymentSelectionReq<'a> {
        /// The way to pay.
        pub selected_payment_option: PaymentOption = "SelectedPaymentOption",
        /// The services.
        pub selected_service_list: SelectedServiceList<'a> = "SelectedServiceList",
    }

    /// Whether the choice is possible.
    pub struct ServicePaymentSelectionRes {
        /// How the request was met.
        pub response_code: ResponseCode = "ResponseCode",
    }

    /// Shows a contract.
    pub struct PaymentDetailsReq<'a> {
        /// The contract.
        pub contract_id: ContractId<'a> = "ContractID",
        /// Its certificates.
        pub contract_signature_cert_chain: CertificateChain<'a> = "ContractSignatureCertChain",
    }

    /// The challenge that proves the contract.
    pub struct PaymentDetailsRes<'a> {
        /// How the request was met.
        pub response_code: ResponseCode = "ResponseCode",
        /// The challenge.
        pub gen_challenge: Text<'a> = "GenChallenge",
        /// The charger's time, in s since 1970-01-01.
        pub date_time_now: i64 = "DateTimeNow",
    }

    /// Asks whether charging is authorised.
    pub struct ContractAuthenticationReq<'a> {
        /// Name for references of a signature.
        pub id: Option<Attribute<Text<'a>>> = "@Id",
        /// The challenge.
        pub gen_challenge: Option<Text<'a>> = "GenChallenge",
    }

    /// Whether charging is authorised.
    pub struct ContractAuthenticationRes {
        /// How the request was met.
        pub response_code: ResponseCode = "ResponseCode",
        /// Whether the charger still waits, say for a card.
        pub evse_processing: EvseProcessing = "EVSEProcessing",
    }

    /// Tells the car's parameters.
    pub struct ChargeParameterDiscoveryReq {
        /// The kind of energy transfer.
        pub ev_requested_energy_transfer_type: EvRequestedEnergyTransfer = "EVRequestedEnergyTransferType",
        /// The parameters.
        pub ev_charge_parameter: EvChargeParameter = "",
    }

    /// Tells the charger's parameters and schedules.
    pub struct ChargeParameterDiscoveryRes<'a> {
        /// How the request was met.
        pub response_code: ResponseCode = "ResponseCode",
        /// Whether the charger still works on them.
        pub evse_processing: EvseProcessing = "EVSEProcessing",
        /// The schedules.
        pub sa_schedules: SaSchedules<'a> = "",
        /// The parameters.
        pub evse_charge_parameter: EvseChargeParameter = "",
    }

    /// Switches power on or off.
    pub struct PowerDeliveryReq<'a> {
        /// On or off.
        pub ready_to_charge_state: bool = "ReadyToChargeState",
        /// The power that the car will draw.
        pub charging_profile: Option<ChargingProfile<'a>> = "ChargingProfile",
        /// The car's state.
        pub ev_power_delivery_parameter: Option<EvPowerDeliveryParameter> = "",
    }

    /// Whether power was switched.
    pub struct PowerDeliveryRes {
        /// How the request was met.
        pub response_code: ResponseCode = "ResponseCode",
        /// The charger's state.
        pub evse_status: EvseStatus = "",
    }

    /// Asks an AC charger for its state.
    pub struct ChargingStatusReq {}

    /// An AC charger's state.
    pub struct ChargingStatusRes<'a> {
        /// How the request was met.
        pub response_code: ResponseCode = "ResponseCode",
        /// The charger's id.
        pub evse_id: EvseId<'a> = "EVSEID",
        /// The schedule that is followed.
        pub sa_schedule_tuple_id: i16 = "SAScheduleTupleID",
        /// The most current per phase, in A.
        pub evse_max_current: Option<PhysicalValue> = "EVSEMaxCurrent",
        /// The meter.
        pub meter_info: Option<MeterInfo<'a>> = "MeterInfo",
        /// Whether the car must send a receipt.
        pub receipt_required: bool = "ReceiptRequired",
        /// The charger's state.
        pub ac_evse_status: AcEvseStatus = "AC_EVSEStatus",
    }

    /// The car's receipt for the meter's reading.
    pub struct MeteringReceiptReq<'a> {
        /// Name for references of a signature.
        pub id: Option<Attribute<Text<'a>>> = "@Id",
        /// The session's id.
        pub session_id: SessionId<'a> = "SessionID",
        /// The schedule that is followed.
        pub sa_schedule_tuple_id: Option<i16> = "SAScheduleTupleID",
        /// The meter.
        pub meter_info: MeterInfo<'a> = "MeterInfo",
    }

    /// Whether the receipt is good.
    pub struct MeteringReceiptRes {
        /// How the request was met.
        pub response_code: ResponseCode = "ResponseCode",
        /// The charger's state.
        pub ac_evse_status: AcEvseStatus = "AC_EVSEStatus",
    }

    /// Ends the session.
    pub struct SessionStopReq {}

    /// The session has ended.
    pub struct SessionStopRes {
        /// How the request was met.
        pub response_code: ResponseCode = "ResponseCode",
    }

    /// Asks for a newer contract certificate.
    pub struct CertificateUpdateReq<'a> {
        /// Name for references of a signature.
        pub id: Option<Attribute<Text<'a>>> = "@Id",
        /// The old certificates.
        pub contract_signature_cert_chain: CertificateChain<'a> = "ContractSignatureCertChain",
        /// The contract.
        pub contract_id: ContractId<'a> = "ContractID",
        /// The root certificates that the car knows.
        pub list_of_root_certificate_ids: ListOfRootCertificateIds<'a> = "ListOfRootCertificateIDs",
        /// The car's part of the key exchange.
        pub dh_params: DhParams<'a> = "DHParams",
    }

    /// A newer contract certificate.
    pub struct CertificateUpdateRes<'a> {
        /// Name for references of a signature.
        pub id: Attribute<Text<'a>> = "@Id",
        /// How the request was met.
        pub response_code: ResponseCode = "ResponseCode",
        /// The certificates.
        pub contract_signature_cert_chain: CertificateChain<'a> = "ContractSignatureCertChain",
        /// The private key.
        pub contract_signature_encrypted_private_key: PrivateKey<'a> = "ContractSignatureEncryptedPrivateKey",
        /// The charger's part of the key exchange.
        pub dh_params: DhParams<'a> = "DHParams",
        /// The contract.
        pub contract_id: ContractId<'a> = "ContractID",
        /// How often the car may ask again.
        pub retry_counter: i16 = "RetryCounter",
    }

    /// Asks for a contract certificate.
    pub struct CertificateInstallationReq<'a> {
        /// Name for references of a signature.
        pub id: Option<Attribute<Text<'a>>> = "@Id",
        /// The certificate that the car was made with.
        pub oem_provisioning_cert: Certificate<'a> = "OEMProvisioningCert",
        /// The root certificates that the car knows.
        pub list_of_root_certificate_ids: ListOfRootCertificateIds<'a> = "ListOfRootCertificateIDs",
        /// The car's part of the key exchange.
        pub dh_params: DhParams<'a> = "DHParams",
    }

    /// A contract certificate.
    pub struct CertificateInstallationRes<'a> {
        /// Name for references of a signature.
        pub id: Attribute<Text<'a>> = "@Id",
        /// How the request was met.
        pub response_code: ResponseCode = "ResponseCode",
        /// The certificates.
        pub contract_signature_cert_chain: CertificateChain<'a> = "ContractSignatureCertChain",
        /// The private key.
        pub contract_signature_encrypted_private_key: PrivateKey<'a> = "ContractSignatureEncryptedPrivateKey",
        /// The charger's part of the key exchange.
        pub dh_params: DhParams<'a> = "DHParams",
        /// The contract.
        pub contract_id: ContractId<'a> = "ContractID",
    }

    /// Asks for the isolation test.
    pub struct CableCheckReq {
        /// The car's state.
        pub dc_ev_status: DcEvStatus = "DC_EVStatus",
    }

    /// How the isolation test goes.
    pub struct CableCheckRes {
        /// How the request was met.
        pub response_code: ResponseCode = "ResponseCode",
        /// The charger's state.
        pub dc_evse_status: DcEvseStatus = "DC_EVSEStatus",
        /// Whether the test still runs.
        pub evse_processing: EvseProcessing = "EVSEProcessing",
    }

    /// Asks for the battery's voltage at the output.
    pub struct PreChargeReq {
        /// The car's state.
        pub dc_ev_status: DcEvStatus = "DC_EVStatus",
        /// The voltage, in V.
        pub ev_target_voltage: PhysicalValue = "EVTargetVoltage",
        /// The current, in A: at most 2.
        pub ev_target_current: PhysicalValue = "EVTargetCurrent",
    }

    /// The voltage at the output.
    pub struct PreChargeRes {
        /// How the request was met.
        pub response_code: ResponseCode = "ResponseCode",
        /// The charger's state.
        pub dc_evse_status: DcEvseStatus = "DC_EVSEStatus",
        /// The voltage, in V.
        pub evse_present_voltage: PhysicalValue = "EVSEPresentVoltage",
    }

    /// Asks for current.
    pub struct CurrentDemandReq {
        /// The car's state.
        pub dc_ev_status: DcEvStatus = "DC_EVStatus",
        /// The current, in A.
        pub ev_target_current: PhysicalValue = "EVTargetCurrent",
        /// The most voltage the car takes, in V.
        pub ev_maximum_voltage_limit: Option<PhysicalValue> = "EVMaximumVoltageLimit",
        /// The most current the car takes, in A.
        pub ev_maximum_current_limit: Option<PhysicalValue> = "EVMaximumCurrentLimit",
        /// The most power the car takes, in W.
        pub ev_maximum_power_limit: Option<PhysicalValue> = "EVMaximumPowerLimit",
        /// Whether bulk charging is done.
        pub bulk_charging_complete: Option<bool> = "BulkChargingComplete",
        /// Whether charging is done.
        pub charging_complete: bool = "ChargingComplete",
        /// Time until the car is full, in s.
        pub remaining_time_to_full_soc: Option<PhysicalValue> = "RemainingTimeToFullSoC",
        /// Time until bulk charging is done, in s.
        pub remaining_time_to_bulk_soc: Option<PhysicalValue> = "RemainingTimeToBulkSoC",
        /// The voltage, in V: the car's limit in practice.
        pub ev_target_voltage: PhysicalValue = "EVTargetVoltage",
    }

    /// What the charger gives.
    pub struct CurrentDemandRes {
        /// How the request was met.
        pub response_code: ResponseCode = "ResponseCode",
        /// The charger's state.
        pub dc_evse_status: DcEvseStatus = "DC_EVSEStatus",
        /// The voltage, in V.
        pub evse_present_voltage: PhysicalValue = "EVSEPresentVoltage",
        /// The current, in A.
        pub evse_present_current: PhysicalValue = "EVSEPresentCurrent",
        /// Whether the charger's current limit holds the current down.
        pub evse_current_limit_achieved: bool = "EVSECurrentLimitAchieved",
        /// Whether the charger's voltage limit holds the voltage down.
        pub evse_voltage_limit_achieved: bool = "EVSEVoltageLimitAchieved",
        /// Whether the charger's power limit holds the current down.
        pub evse_power_limit_achieved: bool = "EVSEPowerLimitAchieved",
        /// The most voltage the charger gives now, in V.
        pub evse_maximum_voltage_limit: Option<PhysicalValue> = "EVSEMaximumVoltageLimit",
        /// The most current the charger gives now, in A.
        pub evse_maximum_current_limit: Option<PhysicalValue> = "EVSEMaximumCurrentLimit",
        /// The most power the charger gives now, in W.
        pub evse_maximum_power_limit: Option<PhysicalValue> = "EVSEMaximumPowerLimit",
    }

    /// Asks for the voltage behind the car's open contactors.
    pub struct WeldingDetectionReq {
        /// The car's state.
        pub dc_ev_status: DcEvStatus = "DC_EVStatus",
    }

    /// The voltage behind the car's open contactors.
    pub struct WeldingDetectionRes {
        /// How the request was met.
        pub response_code: ResponseCode = "ResponseCode",
        /// The charger's state.
        pub dc_evse_status: DcEvseStatus = "DC_EVSEStatus",
        /// The voltage, in V.
        pub evse_present_voltage: PhysicalValue = "EVSEPresentVoltage",
    }
}

choice! {
    /// A message (substitution group `BodyElement`).
    pub enum BodyElement<'a> {
        /// The abstract head: says nothing.
        Head(Head) = "BodyElement",
        /// See [`CableCheckReq`].
        CableCheckReq(CableCheckReq) = "CableCheckReq",
        /// See [`CableCheckRes`].
        CableCheckRes(CableCheckRes) = "CableCheckRes",
        /// See [`CertificateInstallationReq`].
        CertificateInstallationReq(CertificateInstallationReq<'a>) = "CertificateInstallationReq",
        /// See [`CertificateInstallationRes`].
        CertificateInstallationRes(CertificateInstallationRes<'a>) = "CertificateInstallationRes",
        /// See [`CertificateUpdateReq`].
        CertificateUpdateReq(CertificateUpdateReq<'a>) = "CertificateUpdateReq",
        /// See [`CertificateUpdateRes`].
        CertificateUpdateRes(CertificateUpdateRes<'a>) = "CertificateUpdateRes",
        /// See [`ChargeParameterDiscoveryReq`].
        ChargeParameterDiscoveryReq(ChargeParameterDiscoveryReq) = "ChargeParameterDiscoveryReq",
        /// See [`ChargeParameterDiscoveryRes`].
        ChargeParameterDiscoveryRes(ChargeParameterDiscoveryRes<'a>) = "ChargeParameterDiscoveryRes",
        /// See [`ChargingStatusReq`].
        ChargingStatusReq(ChargingStatusReq) = "ChargingStatusReq",
        /// See [`ChargingStatusRes`].
        ChargingStatusRes(ChargingStatusRes<'a>) = "ChargingStatusRes",
        /// See [`ContractAuthenticationReq`].
        ContractAuthenticationReq(ContractAuthenticationReq<'a>) = "ContractAuthenticationReq",
        /// See [`ContractAuthenticationRes`].
        ContractAuthenticationRes(ContractAuthenticationRes) = "ContractAuthenticationRes",
        /// See [`CurrentDemandReq`].
        CurrentDemandReq(CurrentDemandReq) = "CurrentDemandReq",
        /// See [`CurrentDemandRes`].
        CurrentDemandRes(CurrentDemandRes) = "CurrentDemandRes",
        /// See [`MeteringReceiptReq`].
        MeteringReceiptReq(MeteringReceiptReq<'a>) = "MeteringReceiptReq",
        /// See [`MeteringReceiptRes`].
        MeteringReceiptRes(MeteringReceiptRes) = "MeteringReceiptRes",
        /// See [`PaymentDetailsReq`].
        PaymentDetailsReq(PaymentDetailsReq<'a>) = "PaymentDetailsReq",
        /// See [`PaymentDetailsRes`].
        PaymentDetailsRes(PaymentDetailsRes<'a>) = "PaymentDetailsRes",
        /// See [`PowerDeliveryReq`].
        PowerDeliveryReq(PowerDeliveryReq<'a>) = "PowerDeliveryReq",
        /// See [`PowerDeliveryRes`].
        PowerDeliveryRes(PowerDeliveryRes) = "PowerDeliveryRes",
        /// See [`PreChargeReq`].
        PreChargeReq(PreChargeReq) = "PreChargeReq",
        /// See [`PreChargeRes`].
        PreChargeRes(PreChargeRes) = "PreChargeRes",
        /// See [`ServiceDetailReq`].
        ServiceDetailReq(ServiceDetailReq) = "ServiceDetailReq",
        /// See [`ServiceDetailRes`].
        ServiceDetailRes(ServiceDetailRes<'a>) = "ServiceDetailRes",
        /// See [`ServiceDiscoveryReq`].
        ServiceDiscoveryReq(ServiceDiscoveryReq<'a>) = "ServiceDiscoveryReq",
        /// See [`ServiceDiscoveryRes`].
        ServiceDiscoveryRes(ServiceDiscoveryRes<'a>) = "ServiceDiscoveryRes",
        /// See [`ServicePaymentSelectionReq`].
        ServicePaymentSelectionReq(ServicePaymentSelectionReq<'a>) = "ServicePaymentSelectionReq",
        /// See [`ServicePaymentSelectionRes`].
        ServicePaymentSelectionRes(ServicePaymentSelectionRes) = "ServicePaymentSelectionRes",
        /// See [`SessionSetupReq`].
        SessionSetupReq(SessionSetupReq<'a>) = "SessionSetupReq",
        /// See [`SessionSetupRes`].
        SessionSetupRes(SessionSetupRes<'a>) = "SessionSetupRes",
        /// See [`SessionStopReq`].
        SessionStopReq(SessionStopReq) = "SessionStopReq",
        /// See [`SessionStopRes`].
        SessionStopRes(SessionStopRes) = "SessionStopRes",
        /// See [`WeldingDetectionReq`].
        WeldingDetectionReq(WeldingDetectionReq) = "WeldingDetectionReq",
        /// See [`WeldingDetectionRes`].
        WeldingDetectionRes(WeldingDetectionRes) = "WeldingDetectionRes",
    }
}
