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

    /// The header, with which every message begins.
    pub struct Header<'a> {
        /// The session's id.
        pub session_id: SessionId<'a> = "SessionID",
        /// What was wrong with the previous message.
        pub notification: Option<Notification<'a>> = "Notification",
        /// A signature over parts of the body.
        pub signature: Option<View<'a, Signature<'a>>> = "Signature",
    }

    /// What was wrong with the previous message.
    pub struct Notification<'a> {
        /// Kind of the fault.
        pub fault_code: FaultCode = "FaultCode",
        /// Description, at most 64 characters.
        pub fault_msg: Option<Text<'a, 64>> = "FaultMsg",
    }

    /// The body, which contains one message.
    pub struct Body<'a> {
        /// The message; the schema allows an empty body.
        pub element: Option<BodyElement<'a>> = "",
    }

    /// Opens a session. The header's id is zeros.
    pub struct SessionSetupReq<'a> {
        /// The car's id.
        pub evcc_id: EvccId<'a> = "EVCCID",
    }

    /// The session is open; its id is in the header.
    pub struct SessionSetupRes<'a> {
        /// Accepted, or the reason of the refusal.
        pub response_code: ResponseCode = "ResponseCode",
        /// The charger's id.
        pub evse_id: EvseId<'a> = "EVSEID",
        /// The charger's time, in s since 1970-01-01.
        pub date_time_now: Option<i64> = "DateTimeNow",
    }

    /// Requests the list of services.
    pub struct ServiceDiscoveryReq<'a> {
        /// Filter: services of this scope only, at most 32 characters.
        pub service_scope: Option<Text<'a, 32>> = "ServiceScope",
        /// Filter: services of this kind only.
        pub service_category: Option<ServiceCategory> = "ServiceCategory",
    }

    /// The services and payment options.
    pub struct ServiceDiscoveryRes<'a> {
        /// Accepted, or the reason of the refusal.
        pub response_code: ResponseCode = "ResponseCode",
        /// The payment options.
        pub payment_options: PaymentOptions<'a> = "PaymentOptions",
        /// The charging service.
        pub charge_service: ServiceCharge<'a> = "ChargeService",
        /// Other services.
        pub service_list: Option<ServiceTagList<'a>> = "ServiceList",
    }

    /// Requests the parameters of a service.
    pub struct ServiceDetailReq {
        /// The service's number.
        pub service_id: u16 = "ServiceID",
    }

    /// The parameters of a service.
    pub struct ServiceDetailRes<'a> {
        /// Accepted, or the reason of the refusal.
        pub response_code: ResponseCode = "ResponseCode",
        /// The service's number.
        pub service_id: u16 = "ServiceID",
        /// Its parameters.
        pub service_parameter_list: Option<ServiceParameterList<'a>> = "ServiceParameterList",
    }

    /// Chooses services and a payment option.
    pub struct ServicePaymentSelectionReq<'a> {
        /// The chosen payment option.
        pub selected_payment_option: PaymentOption = "SelectedPaymentOption",
        /// The services.
        pub selected_service_list: SelectedServiceList<'a> = "SelectedServiceList",
    }

    /// Accepts or refuses the choice.
    pub struct ServicePaymentSelectionRes {
        /// Accepted, or the reason of the refusal.
        pub response_code: ResponseCode = "ResponseCode",
    }

    /// Presents a contract.
    pub struct PaymentDetailsReq<'a> {
        /// The contract.
        pub contract_id: ContractId<'a> = "ContractID",
        /// Its certificates.
        pub contract_signature_cert_chain: CertificateChain<'a> = "ContractSignatureCertChain",
    }

    /// A challenge that the car must sign.
    pub struct PaymentDetailsRes<'a> {
        /// Accepted, or the reason of the refusal.
        pub response_code: ResponseCode = "ResponseCode",
        /// The challenge.
        pub gen_challenge: Text<'a> = "GenChallenge",
        /// The charger's time, in s since 1970-01-01.
        pub date_time_now: i64 = "DateTimeNow",
    }

    /// Requests authorisation; repeated while the response is `Ongoing`.
    pub struct ContractAuthenticationReq<'a> {
        /// Name for references of a signature.
        pub id: Option<Attribute<Text<'a>>> = "@Id",
        /// The challenge.
        pub gen_challenge: Option<Text<'a>> = "GenChallenge",
    }

    /// Whether charging is authorised.
    pub struct ContractAuthenticationRes {
        /// Accepted, or the reason of the refusal.
        pub response_code: ResponseCode = "ResponseCode",
        /// `Ongoing` while authorisation is pending, for example until a card is shown.
        pub evse_processing: EvseProcessing = "EVSEProcessing",
    }

    /// Sends the car's limits.
    pub struct ChargeParameterDiscoveryReq {
        /// The kind of energy transfer.
        pub ev_requested_energy_transfer_type: EvRequestedEnergyTransfer = "EVRequestedEnergyTransferType",
        /// The parameters.
        pub ev_charge_parameter: EvChargeParameter = "",
    }

    /// The charger's limits and schedules.
    pub struct ChargeParameterDiscoveryRes<'a> {
        /// Accepted, or the reason of the refusal.
        pub response_code: ResponseCode = "ResponseCode",
        /// `Ongoing` while the parameters are not final.
        pub evse_processing: EvseProcessing = "EVSEProcessing",
        /// The schedules.
        pub sa_schedules: SaSchedules<'a> = "",
        /// The parameters.
        pub evse_charge_parameter: EvseChargeParameter = "",
    }

    /// Switches power on or off.
    pub struct PowerDeliveryReq<'a> {
        /// True to switch on, false to switch off.
        pub ready_to_charge_state: bool = "ReadyToChargeState",
        /// Power that the car intends to draw.
        pub charging_profile: Option<ChargingProfile<'a>> = "ChargingProfile",
        /// The car's state.
        pub ev_power_delivery_parameter: Option<EvPowerDeliveryParameter> = "",
    }

    /// Confirms that power is switched.
    pub struct PowerDeliveryRes {
        /// Accepted, or the reason of the refusal.
        pub response_code: ResponseCode = "ResponseCode",
        /// The charger's state.
        pub evse_status: EvseStatus = "",
    }

    /// Requests the state of an AC charger.
    pub struct ChargingStatusReq {}

    /// An AC charger's state.
    pub struct ChargingStatusRes<'a> {
        /// Accepted, or the reason of the refusal.
        pub response_code: ResponseCode = "ResponseCode",
        /// The charger's id.
        pub evse_id: EvseId<'a> = "EVSEID",
        /// The schedule in use.
        pub sa_schedule_tuple_id: i16 = "SAScheduleTupleID",
        /// Maximum current per phase, in A.
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
        /// The schedule in use.
        pub sa_schedule_tuple_id: Option<i16> = "SAScheduleTupleID",
        /// The meter.
        pub meter_info: MeterInfo<'a> = "MeterInfo",
    }

    /// Accepts or refuses the receipt.
    pub struct MeteringReceiptRes {
        /// Accepted, or the reason of the refusal.
        pub response_code: ResponseCode = "ResponseCode",
        /// The charger's state.
        pub ac_evse_status: AcEvseStatus = "AC_EVSEStatus",
    }

    /// Ends the session.
    pub struct SessionStopReq {}

    /// Confirms the end of the session.
    pub struct SessionStopRes {
        /// Accepted, or the reason of the refusal.
        pub response_code: ResponseCode = "ResponseCode",
    }

    /// Requests an update of the contract certificate.
    pub struct CertificateUpdateReq<'a> {
        /// Name for references of a signature.
        pub id: Option<Attribute<Text<'a>>> = "@Id",
        /// The old certificates.
        pub contract_signature_cert_chain: CertificateChain<'a> = "ContractSignatureCertChain",
        /// The contract.
        pub contract_id: ContractId<'a> = "ContractID",
        /// The root certificates that are installed in the car.
        pub list_of_root_certificate_ids: ListOfRootCertificateIds<'a> = "ListOfRootCertificateIDs",
        /// The car's part of the key exchange.
        pub dh_params: DhParams<'a> = "DHParams",
    }

    /// A newer contract certificate.
    pub struct CertificateUpdateRes<'a> {
        /// Name for references of a signature.
        pub id: Attribute<Text<'a>> = "@Id",
        /// Accepted, or the reason of the refusal.
        pub response_code: ResponseCode = "ResponseCode",
        /// The certificates.
        pub contract_signature_cert_chain: CertificateChain<'a> = "ContractSignatureCertChain",
        /// The private key.
        pub contract_signature_encrypted_private_key: PrivateKey<'a> = "ContractSignatureEncryptedPrivateKey",
        /// The charger's part of the key exchange.
        pub dh_params: DhParams<'a> = "DHParams",
        /// The contract.
        pub contract_id: ContractId<'a> = "ContractID",
        /// Number of further attempts that the car may make.
        pub retry_counter: i16 = "RetryCounter",
    }

    /// Requests the installation of a contract certificate.
    pub struct CertificateInstallationReq<'a> {
        /// Name for references of a signature.
        pub id: Option<Attribute<Text<'a>>> = "@Id",
        /// The certificate installed by the car's manufacturer.
        pub oem_provisioning_cert: Certificate<'a> = "OEMProvisioningCert",
        /// The root certificates that are installed in the car.
        pub list_of_root_certificate_ids: ListOfRootCertificateIds<'a> = "ListOfRootCertificateIDs",
        /// The car's part of the key exchange.
        pub dh_params: DhParams<'a> = "DHParams",
    }

    /// A contract certificate.
    pub struct CertificateInstallationRes<'a> {
        /// Name for references of a signature.
        pub id: Attribute<Text<'a>> = "@Id",
        /// Accepted, or the reason of the refusal.
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

    /// Requests the isolation test; repeated while the response is `Ongoing`.
    pub struct CableCheckReq {
        /// The car's state.
        pub dc_ev_status: DcEvStatus = "DC_EVStatus",
    }

    /// Progress of the isolation test.
    pub struct CableCheckRes {
        /// Accepted, or the reason of the refusal.
        pub response_code: ResponseCode = "ResponseCode",
        /// The charger's state.
        pub dc_evse_status: DcEvseStatus = "DC_EVSEStatus",
        /// `Ongoing` while the test runs.
        pub evse_processing: EvseProcessing = "EVSEProcessing",
    }

    /// Requests the battery's voltage at the output, before the car closes its contactors.
    pub struct PreChargeReq {
        /// The car's state.
        pub dc_ev_status: DcEvStatus = "DC_EVStatus",
        /// The voltage, in V.
        pub ev_target_voltage: PhysicalValue = "EVTargetVoltage",
        /// The current, in A: at most 2.
        pub ev_target_current: PhysicalValue = "EVTargetCurrent",
    }

    /// The voltage reached at the output.
    pub struct PreChargeRes {
        /// Accepted, or the reason of the refusal.
        pub response_code: ResponseCode = "ResponseCode",
        /// The charger's state.
        pub dc_evse_status: DcEvseStatus = "DC_EVSEStatus",
        /// The voltage, in V.
        pub evse_present_voltage: PhysicalValue = "EVSEPresentVoltage",
    }

    /// Requests voltage and current; the charging loop.
    pub struct CurrentDemandReq {
        /// The car's state.
        pub dc_ev_status: DcEvStatus = "DC_EVStatus",
        /// The current, in A.
        pub ev_target_current: PhysicalValue = "EVTargetCurrent",
        /// Maximum voltage of the car, in V.
        pub ev_maximum_voltage_limit: Option<PhysicalValue> = "EVMaximumVoltageLimit",
        /// Maximum current of the car, in A.
        pub ev_maximum_current_limit: Option<PhysicalValue> = "EVMaximumCurrentLimit",
        /// Maximum power of the car, in W.
        pub ev_maximum_power_limit: Option<PhysicalValue> = "EVMaximumPowerLimit",
        /// Whether bulk charging is complete.
        pub bulk_charging_complete: Option<bool> = "BulkChargingComplete",
        /// Whether charging is complete.
        pub charging_complete: bool = "ChargingComplete",
        /// Time until the full state of charge, in s.
        pub remaining_time_to_full_soc: Option<PhysicalValue> = "RemainingTimeToFullSoC",
        /// Time until the bulk state of charge, in s.
        pub remaining_time_to_bulk_soc: Option<PhysicalValue> = "RemainingTimeToBulkSoC",
        /// Target voltage, in V; deployed cars send their upper limit.
        pub ev_target_voltage: PhysicalValue = "EVTargetVoltage",
    }

    /// Voltage and current at the output, with the charger's limits.
    pub struct CurrentDemandRes {
        /// Accepted, or the reason of the refusal.
        pub response_code: ResponseCode = "ResponseCode",
        /// The charger's state.
        pub dc_evse_status: DcEvseStatus = "DC_EVSEStatus",
        /// The voltage, in V.
        pub evse_present_voltage: PhysicalValue = "EVSEPresentVoltage",
        /// The current, in A.
        pub evse_present_current: PhysicalValue = "EVSEPresentCurrent",
        /// Whether the current is limited by the charger's maximum current.
        pub evse_current_limit_achieved: bool = "EVSECurrentLimitAchieved",
        /// Whether the voltage is limited by the charger's maximum voltage.
        pub evse_voltage_limit_achieved: bool = "EVSEVoltageLimitAchieved",
        /// Whether the current is limited by the charger's maximum power.
        pub evse_power_limit_achieved: bool = "EVSEPowerLimitAchieved",
        /// Present maximum voltage of the charger, in V.
        pub evse_maximum_voltage_limit: Option<PhysicalValue> = "EVSEMaximumVoltageLimit",
        /// Present maximum current of the charger, in A.
        pub evse_maximum_current_limit: Option<PhysicalValue> = "EVSEMaximumCurrentLimit",
        /// Present maximum power of the charger, in W.
        pub evse_maximum_power_limit: Option<PhysicalValue> = "EVSEMaximumPowerLimit",
    }

    /// Requests the inlet voltage after the car has opened its contactors.
    pub struct WeldingDetectionReq {
        /// The car's state.
        pub dc_ev_status: DcEvStatus = "DC_EVStatus",
    }

    /// The output voltage, measured while the car's contactors are open.
    pub struct WeldingDetectionRes {
        /// Accepted, or the reason of the refusal.
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
        /// The abstract head: no content; see [`Head`].
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
