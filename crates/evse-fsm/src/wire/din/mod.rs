//! Encoding of DIN SPEC 70121. No decisions are made here.

mod answer;

#[allow(
    clippy::wildcard_imports,
    reason = "this module is where the message set is known: nearly all of it"
)]
use exi_din::*;
use heapless::Vec;
use session::{Exchange, Limits, Protocol, Target};

use crate::EnergyTransfer;
use crate::request::{CarStatus, Content, NoRequest, Profile, Request};

pub(super) use answer::{STOP, encode, response_code};

/// Decodes a request.
pub(in crate::wire) fn request(payload: &[u8]) -> Result<Request, NoRequest> {
    let message = V2gMessage::decode(payload)?;
    let Some(body) = message.body.element else { return Err(NoRequest::NotARequest("an empty body")) };
    let (exchange, content) = content(&body).ok_or(NoRequest::NotARequest(body.name()))?;
    // No session has an id that is longer than the schema allows; an empty one is not ours.
    let mut buffer = [0; 8];
    let id = message.header.session_id.copy_to(&mut buffer).unwrap_or(&[]);
    let session_id = Vec::from_slice(id).unwrap_or_default();
    Ok(Request { exchange, name: exchange.names(Protocol::Din).request, session_id, content })
}

fn content(body: &BodyElement<'_>) -> Option<(Exchange, Content)> {
    Some(match body {
        BodyElement::SessionSetupReq(req) => {
            (Exchange::SessionSetup, Content::SessionSetup { evccid_bytes: req.evcc_id.len() })
        }
        BodyElement::ServiceDiscoveryReq(_) => (Exchange::ServiceDiscovery, Content::Nothing),
        BodyElement::ServicePaymentSelectionReq(req) => {
            let services = req.selected_service_list.selected_service;
            let only = services.first().filter(|_| services.len() == 1).map(|service| service.service_id);
            let external = req.selected_payment_option == PaymentOption::ExternalPayment;
            (Exchange::ServiceSelection, Content::ServiceSelection { external, only_service: only })
        }
        BodyElement::ContractAuthenticationReq(_) => (Exchange::Authorisation, Content::Nothing),
        BodyElement::ChargeParameterDiscoveryReq(req) => (Exchange::ChargeParameters, charge_parameter(req)),
        BodyElement::CableCheckReq(req) => (Exchange::CableCheck, Content::CableCheck(car(req.dc_ev_status))),
        BodyElement::PreChargeReq(req) => {
            let target = target(req.ev_target_voltage, req.ev_target_current);
            (Exchange::PreCharge, Content::PreCharge(car(req.dc_ev_status), target))
        }
        BodyElement::PowerDeliveryReq(req) => power_delivery(req),
        BodyElement::CurrentDemandReq(req) => {
            let limits = Limits {
                max_voltage_mv: req.ev_maximum_voltage_limit.map_or(i32::MAX, volts),
                max_current_ma: req.ev_maximum_current_limit.map_or(i32::MAX, amperes),
                max_power_w: req.ev_maximum_power_limit.map_or(i32::MAX, PhysicalValue::whole),
                ..Limits::NONE
            };
            let target = target(req.ev_target_voltage, req.ev_target_current);
            let content = Content::CurrentDemand { status: car(req.dc_ev_status), target, limits };
            (Exchange::CurrentDemand, content)
        }
        BodyElement::WeldingDetectionReq(req) => {
            (Exchange::WeldingDetection, Content::WeldingDetection(car(req.dc_ev_status)))
        }
        BodyElement::SessionStopReq(_) => (Exchange::SessionStop, Content::Nothing),
        BodyElement::ServiceDetailReq(_) => (Exchange::ServiceDetail, Content::Nothing),
        BodyElement::PaymentDetailsReq(_) => (Exchange::PaymentDetails, Content::Nothing),
        BodyElement::ChargingStatusReq(_) => (Exchange::ChargingStatus, Content::Nothing),
        BodyElement::MeteringReceiptReq(_) => (Exchange::MeteringReceipt, Content::Nothing),
        BodyElement::CertificateUpdateReq(_) => (Exchange::CertificateUpdate, Content::Nothing),
        BodyElement::CertificateInstallationReq(_) => (Exchange::CertificateInstallation, Content::Nothing),
        _ => return None,
    })
}

fn charge_parameter(req: &ChargeParameterDiscoveryReq) -> Content {
    let transfer = match req.ev_requested_energy_transfer_type {
        EvRequestedEnergyTransfer::DcCore => Some(EnergyTransfer::Core),
        EvRequestedEnergyTransfer::DcExtended => Some(EnergyTransfer::Extended),
        _ => None,
    };
    let car = match req.ev_charge_parameter {
        EvChargeParameter::Dc(dc) => Some((
            car(dc.dc_ev_status),
            Limits {
                max_voltage_mv: volts(dc.ev_maximum_voltage_limit),
                max_current_ma: amperes(dc.ev_maximum_current_limit),
                max_power_w: dc.ev_maximum_power_limit.map_or(i32::MAX, PhysicalValue::whole),
                ..Limits::NONE
            },
        )),
        EvChargeParameter::Ac(_) | EvChargeParameter::Head(_) => None,
    };
    Content::ChargeParameters { transfer, car }
}

fn power_delivery(req: &PowerDeliveryReq<'_>) -> (Exchange, Content) {
    let status = match req.ev_power_delivery_parameter {
        Some(EvPowerDeliveryParameter::Dc(dc)) => Some(car(dc.dc_ev_status)),
        _ => None,
    };
    if !req.ready_to_charge_state {
        return (Exchange::PowerOff, Content::PowerOff(status));
    }
    let profile = req.charging_profile.map(|profile| {
        let power = |entry: ProfileEntry| i32::from(entry.charging_profile_entry_max_power);
        let most_w = profile.profile_entry.iter().map(power).max().unwrap_or(0);
        Profile { schedule: profile.sa_schedule_tuple_id.into(), most_w }
    });
    (Exchange::PowerOn, Content::PowerOn { profile, status })
}

fn car(status: DcEvStatus) -> CarStatus {
    let soc = u8::try_from(status.ev_ress_soc.get()).unwrap_or(0);
    CarStatus { ready: status.ev_ready, error: status.ev_error_code as u8, soc_percent: soc }
}

/// The value in mV.
fn volts(value: PhysicalValue) -> i32 {
    value.milli_of(UnitSymbol::V)
}

/// The value in mA.
fn amperes(value: PhysicalValue) -> i32 {
    value.milli_of(UnitSymbol::A)
}

fn target(voltage: PhysicalValue, current: PhysicalValue) -> Target {
    Target { voltage_mv: volts(voltage), current_ma: amperes(current) }
}

/// The schema's name of a car's error.
pub(super) fn error_name(error: u8) -> Option<&'static str> {
    DcEvErrorCode::from_index(error.into()).map(DcEvErrorCode::name)
}
