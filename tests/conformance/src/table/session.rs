//! ISO 15118-4, the charger's session: the message of a case, with DIN SPEC 70121's name where it differs.

use control_pilot::Level;
use exi_app::{NAMESPACE_DIN, NAMESPACE_ISO2, ResponseCode as Negotiation};
use exi_din::{DcEvErrorCode, PaymentOption, ResponseCode};

use super::What::{Fails, No, Passes};
use super::{Row, row};
use crate::charger::{
    Taken, authorisation_loop, bad_discovery, broken_pilot, cable_check, cable_check_loop, discovered, due,
    endurance, field, foreign_session, good, implausible_limit, negotiation, out_of_order, parameter_loop,
    power_off, power_off_with, profile, selection, session_setup_header, session_stop_refused, silence,
    silence_before_handshake, silence_before_session, wrong_energy_transfer, wrong_pilot,
};
use crate::world::session_ends_with_its_link;

const AC: &str = "AC charging";
const PNC: &str = "Plug and Charge and TLS: DIN SPEC 70121 pays externally, over plain TCP";
const PAUSE: &str = "DIN SPEC 70121 has no pause, and joins no old session";
const RENEGOTIATION: &str = "DIN SPEC 70121 has no renegotiation";
const DEPARTURE: &str = "DIN's DC parameters have neither a departure time nor a number of schedules";
const TARIFF: &str = "no tariff is offered where payment is external";
const METER: &str = "DIN's CurrentDemandRes has no meter's reading";

const AUTHENTICATION: &str = "AuthorizationReq is DIN's ContractAuthenticationReq";
const PAYMENT: &str = "PaymentServiceSelectionReq is DIN's ServicePaymentSelectionReq";
const SOONER: &str = "closed by the setup time of 18 s";
const WELDING_TIME: &str = "closed already 30 s after power was switched off";
const BROKEN: &str = "not answered, and closed: after a broken header no next message can be found";

pub(super) const ROWS: &[Row] = &[
    row("SECC AC Abnormal *", No(AC)),
    row("SECC AC ChargeParameterDiscovery *", No(AC)),
    row("SECC AC ChargingStatus *", No(AC)),
    row("SECC AC MeteringReceipt *", No(AC)),
    row("SECC AC PowerDelivery *", No(AC)),
    row("SECC AC ServiceDiscovery *", No(AC)),
    row("SECC AC SessionSetup *", No(AC)),
    row("SECC AC SessionStop *", No(AC)),
    row("SECC CMN CertificateInstallation *", No(PNC)),
    row("SECC CMN CertificateUpdate *", No(PNC)),
    row("SECC CMN PaymentDetails *", No(PNC)),
    row("SECC DC MeteringReceipt *", No(PNC)),
    row("SECC CMN ServiceDetail *", No("only Plug and Charge has a second service; DIN offers one")),
    //
    row("SECC DC Abnormal 1", Passes(|| broken_pilot(Level::E), "the pilot reads 0 V")),
    row(
        "SECC DC Abnormal 2",
        Passes(|| broken_pilot(Level::A), "without earth the pilot reads as unplugged"),
    ),
    row("SECC CMN Abnormal 1", Passes(|| broken_pilot(Level::E), "read by the adapter as level E")),
    //
    row("SECC CMN Authorization 1", Passes(|| good(due::AUTHENTICATION), AUTHENTICATION)),
    row("SECC CMN Authorization 3", Passes(|| out_of_order(due::AUTHENTICATION), AUTHENTICATION)),
    row("SECC CMN Authorization 5", Passes(|| foreign_session(due::AUTHENTICATION), AUTHENTICATION)),
    row("SECC CMN Authorization 8", Passes(|| silence(due::AUTHENTICATION, 59), PAYMENT)),
    row("SECC CMN Authorization 14", Passes(authorisation_loop, AUTHENTICATION)),
    row("SECC CMN Authorization 2,4,6-7,9-13,15-17", No(PNC)),
    //
    row("SECC DC CableCheck 1", Passes(|| cable_check(Level::C), "")),
    row("SECC DC CableCheck 2", Passes(|| cable_check(Level::D), "")),
    row("SECC DC CableCheck 3", Passes(|| out_of_order(due::CABLE_CHECK), "")),
    row("SECC DC CableCheck 4", Passes(|| foreign_session(due::CABLE_CHECK), "")),
    row("SECC DC CableCheck 5", Passes(|| silence(due::CABLE_CHECK, 59), "")),
    row("SECC DC CableCheck 6", Passes(|| cable_check_loop(Level::C), "")),
    row("SECC DC CableCheck 7", Passes(|| cable_check_loop(Level::D), "")),
    row("SECC DC CableCheck 8", Passes(|| wrong_pilot(due::CABLE_CHECK, Level::B), "")),
    //
    row("SECC DC ChargeParameterDiscovery 1", Passes(|| good(due::PARAMETERS), "")),
    row("SECC DC ChargeParameterDiscovery 2", Passes(|| foreign_session(due::PARAMETERS), "")),
    row(
        "SECC DC ChargeParameterDiscovery 3",
        Passes(wrong_energy_transfer, "the code is DIN's FAILED_WrongEnergyTransferType"),
    ),
    row("SECC DC ChargeParameterDiscovery 4", Passes(implausible_limit, "")),
    row(
        "SECC DC ChargeParameterDiscovery 14",
        Passes(parameter_loop, "without a departure time, which DIN lacks"),
    ),
    row("SECC DC ChargeParameterDiscovery 6,12,16", No(DEPARTURE)),
    row("SECC DC ChargeParameterDiscovery 8,10,13,15", No(TARIFF)),
    row("SECC DC ChargeParameterDiscovery 5,9,23-28", No(RENEGOTIATION)),
    row("SECC DC ChargeParameterDiscovery 7,11,17-22,29-36", No(PAUSE)),
    row("SECC CMN ChargeParameterDiscovery 1", Passes(|| out_of_order(due::PARAMETERS), "")),
    row("SECC CMN ChargeParameterDiscovery 2", Passes(|| silence(due::PARAMETERS, 59), AUTHENTICATION)),
    //
    row("SECC DC CurrentDemand 1", Passes(|| good(due::DEMAND), "")),
    row("SECC DC CurrentDemand 3", Passes(|| out_of_order(due::DEMAND), "")),
    row("SECC DC CurrentDemand 4", Passes(|| foreign_session(due::DEMAND), "")),
    row("SECC DC CurrentDemand 5", Passes(|| silence(due::DEMAND, 59), "")),
    row("SECC DC CurrentDemand 6,8", No(METER)),
    row("SECC DC CurrentDemand 2,7,9", No(PNC)),
    //
    row("SECC CMN PaymentServiceSelection 1", Passes(|| good(due::PAYMENT), PAYMENT)),
    row("SECC CMN PaymentServiceSelection 4", Passes(|| out_of_order(due::PAYMENT), PAYMENT)),
    row("SECC CMN PaymentServiceSelection 5", Passes(|| foreign_session(due::PAYMENT), PAYMENT)),
    row("SECC CMN PaymentServiceSelection 6", Passes(unknown_service, PAYMENT)),
    row(
        "SECC CMN PaymentServiceSelection 7",
        Passes(
            no_charge_service,
            "DIN has no FAILED_NoChargeServiceSelected: FAILED_ServiceSelectionInvalid",
        ),
    ),
    row(
        "SECC CMN PaymentServiceSelection 8",
        Passes(|| silence(due::PAYMENT, 59), "after ServiceDiscoveryRes: there is no second service"),
    ),
    row("SECC CMN PaymentServiceSelection 9", Passes(contract, PAYMENT)),
    row("SECC CMN PaymentServiceSelection 2-3,10", No(PNC)),
    //
    row("SECC DC PowerDelivery 1", Passes(|| good(due::POWER_ON), "")),
    row("SECC DC PowerDelivery 2", Passes(power_off, "")),
    row("SECC DC PowerDelivery 3", Passes(|| out_of_order(due::POWER_ON), "")),
    row("SECC DC PowerDelivery 4", Passes(|| out_of_order(due::POWER_OFF), "")),
    row("SECC DC PowerDelivery 5", Passes(|| foreign_session(due::POWER_ON), "")),
    row("SECC DC PowerDelivery 6", Passes(|| foreign_session(due::POWER_OFF), "")),
    row(
        "SECC DC PowerDelivery 7",
        Passes(profile_above, "with `strict`: by default the quirk profile-power"),
    ),
    row("SECC DC PowerDelivery 8", Passes(unknown_tuple, "")),
    row("SECC DC PowerDelivery 9", Passes(|| silence(due::POWER_ON, 59), "")),
    row("SECC DC PowerDelivery 10", Passes(|| silence(due::POWER_OFF, 59), "")),
    row("SECC DC PowerDelivery 11-13", No(RENEGOTIATION)),
    row(
        "SECC DC PowerDelivery 14",
        Passes(|| power_off_with(DcEvErrorCode::FailedRessTemperatureInhibit), ""),
    ),
    row("SECC DC PowerDelivery 15", Passes(|| power_off_with(DcEvErrorCode::FailedEvShiftPosition), "")),
    row(
        "SECC DC PowerDelivery 16",
        Passes(|| power_off_with(DcEvErrorCode::FailedChargerConnectorLockFault), ""),
    ),
    row("SECC DC PowerDelivery 17", Passes(|| power_off_with(DcEvErrorCode::FailedEvRessMalfunction), "")),
    row(
        "SECC DC PowerDelivery 18",
        Passes(|| power_off_with(DcEvErrorCode::FailedChargingCurrentDifferential), ""),
    ),
    row(
        "SECC DC PowerDelivery 19",
        Passes(|| power_off_with(DcEvErrorCode::FailedChargingVoltageOutOfRange), ""),
    ),
    row(
        "SECC DC PowerDelivery 20",
        Passes(|| power_off_with(DcEvErrorCode::FailedChargingSystemIncompatibility), ""),
    ),
    row("SECC DC PowerDelivery 21", Passes(|| power_off_with(DcEvErrorCode::NoData), "")),
    //
    row("SECC DC PreCharge 1", Passes(|| good(due::PRECHARGE), "")),
    row("SECC DC PreCharge 2", Passes(|| out_of_order(due::PRECHARGE), "")),
    row("SECC DC PreCharge 3", Passes(|| foreign_session(due::PRECHARGE), "")),
    row("SECC DC PreCharge 4", Passes(|| silence(due::PRECHARGE, 59), "")),
    //
    row("SECC CMN ServiceDiscovery 1", Passes(|| good(due::SERVICE_DISCOVERY), "")),
    row("SECC CMN ServiceDiscovery 2", Passes(|| out_of_order(due::SERVICE_DISCOVERY), AUTHENTICATION)),
    row("SECC CMN ServiceDiscovery 3", Passes(|| foreign_session(due::SERVICE_DISCOVERY), "")),
    row("SECC CMN ServiceDiscovery 4", Passes(|| silence(due::SERVICE_DISCOVERY, 59), "")),
    row("SECC DC ServiceDiscovery *", No(PAUSE)),
    //
    row("SECC CMN SessionSetup 1", Passes(|| good(due::SESSION_SETUP), "")),
    row("SECC CMN SessionSetup 2", Passes(|| out_of_order(due::SESSION_SETUP), "")),
    row("SECC CMN SessionSetup 3", Passes(|| silence(due::SESSION_SETUP, 17), SOONER)),
    row("SECC CMN SessionSetup 4", Passes(silence_before_session, "")),
    row("SECC DC SessionSetup *", No(PAUSE)),
    //
    row("SECC DC SessionStop 1", Passes(|| session_ends_with_its_link(false), "the charger draws a new key")),
    row("SECC DC SessionStop 2", Passes(|| session_ends_with_its_link(true), "the charger draws a new key")),
    row(
        "SECC DC SessionStop 3",
        Passes(|| session_stop_refused(false, ResponseCode::FailedSequenceError), ""),
    ),
    row(
        "SECC DC SessionStop 4",
        Passes(|| session_stop_refused(false, ResponseCode::FailedUnknownSession), ""),
    ),
    row("SECC DC SessionStop 5", Passes(|| silence(due::WELDING, 29), WELDING_TIME)),
    row(
        "SECC DC SessionStop 6",
        Fails(
            || session_stop_refused(false, ResponseCode::Failed),
            "OK whatever the pilot: power is off by then, and Model Y and Polestar 2 end a session from C, too",
        ),
    ),
    row(
        "SECC DC SessionStop 7",
        Passes(|| session_stop_refused(true, ResponseCode::FailedSequenceError), ""),
    ),
    row(
        "SECC DC SessionStop 8",
        Passes(|| session_stop_refused(true, ResponseCode::FailedUnknownSession), ""),
    ),
    row(
        "SECC DC SessionStop 9",
        Passes(|| silence(due::STOP, 29), "after WeldingDetectionRes; closed already 30 s after power-off"),
    ),
    row("SECC DC SessionStop 10", Passes(endurance, "20 sessions")),
    //
    row("SECC CMN SupportedAppProtocol 1", No(PNC)),
    row("SECC CMN SupportedAppProtocol 2", Passes(unknown_protocols, "")),
    row("SECC CMN SupportedAppProtocol 3", Passes(silence_before_handshake, SOONER)),
    row("SECC CMN SupportedAppProtocol 4", Passes(|| good(due::SESSION_SETUP), "")),
    row("SECC CMN SupportedAppProtocol 5", Passes(silence_before_handshake, "")),
    row("SECC CMN SupportedAppProtocol 6", Passes(minor_deviation, "")),
    //
    row("SECC DC WeldingDetection 1", Passes(|| good(due::WELDING), "")),
    row("SECC DC WeldingDetection 2", Passes(|| out_of_order(due::WELDING), "")),
    row("SECC DC WeldingDetection 3", Passes(|| foreign_session(due::WELDING), "")),
    row("SECC DC WeldingDetection 4", Passes(|| silence(due::WELDING, 29), WELDING_TIME)),
    row("SECC DC WeldingDetection 5", Passes(|| wrong_pilot(due::WELDING, Level::C), "")),
    //
    row("SECC CMN SDP 1", Passes(|| discovered(0x10, Some(0x10), 0), "")),
    row(
        "SECC CMN SDP 4",
        Fails(
            || discovered(0x10, None, 20),
            "a car that discovers late is served: the link is there, and nothing is energised",
        ),
    ),
    row("SECC CMN SDP 7", Passes(|| discovered(0x00, Some(0x10), 0), "")),
    row("SECC CMN SDP 2-3,5-6", No(PNC)),
    //
    row("SECC CMN V2GTPSessionSetup 1", Passes(|| session_setup_header(0, &[], Taken::Answered), "")),
    row(
        "SECC CMN V2GTPSessionSetup 2",
        Passes(|| session_setup_header(field::LENGTH, &[0; 4], Taken::Broken), BROKEN),
    ),
    row(
        "SECC CMN V2GTPSessionSetup 3",
        Passes(
            || session_setup_header(field::TYPE, &[0x70, 0x01], Taken::Skipped),
            "skipped; the connection stays",
        ),
    ),
    row(
        "SECC CMN V2GTPSessionSetup 4",
        Passes(|| session_setup_header(field::VERSION, &[0xFF], Taken::Broken), BROKEN),
    ),
    row(
        "SECC CMN V2GTPSessionSetup 5",
        Passes(|| session_setup_header(field::INVERSE, &[0xFF], Taken::Broken), BROKEN),
    ),
    row("SECC CMN V2GTPSDP 1", Passes(|| discovered(0x10, Some(0x10), 0), "")),
    row("SECC CMN V2GTPSDP 2", Passes(|| bad_discovery(field::LENGTH, &[0; 4]), "")),
    row("SECC CMN V2GTPSDP 3", Passes(|| bad_discovery(field::TYPE, &[0x70, 0x00]), "")),
    row("SECC CMN V2GTPSDP 4", Passes(|| bad_discovery(field::VERSION, &[0xFF]), "")),
    row("SECC CMN V2GTPSDP 5", Passes(|| bad_discovery(field::INVERSE, &[0xFF]), "")),
];

fn unknown_service() -> Result<(), String> {
    selection(&[1, 99], PaymentOption::ExternalPayment, ResponseCode::FailedServiceSelectionInvalid)
}

fn no_charge_service() -> Result<(), String> {
    selection(&[2], PaymentOption::ExternalPayment, ResponseCode::FailedServiceSelectionInvalid)
}

fn contract() -> Result<(), String> {
    selection(&[1], PaymentOption::Contract, ResponseCode::FailedPaymentSelectionInvalid)
}

fn profile_above() -> Result<(), String> {
    profile(1, 30_000, ResponseCode::FailedChargingProfileInvalid)
}

fn unknown_tuple() -> Result<(), String> {
    profile(7, 1, ResponseCode::FailedTariffSelectionInvalid)
}

fn unknown_protocols() -> Result<(), String> {
    negotiation(&[(NAMESPACE_ISO2, 0), ("urn:nobody:1:MsgDef", 0)], Negotiation::FailedNoNegotiation)
}

fn minor_deviation() -> Result<(), String> {
    negotiation(&[(NAMESPACE_DIN, 1)], Negotiation::OkSuccessfulNegotiationWithMinorDeviation)
}
