//! The messages of DIN SPEC 70121.

#[allow(
    clippy::wildcard_imports,
    reason = "this module is where the message set is known: nearly all of it"
)]
use exi_din::*;
use heapless::Vec;
use session::{EnergyTransfer, Exchange, Isolation, Limits, Status, Target};

use super::NoResponse;
use crate::request::{ChargerStatus, Content, Refusal, Request, Response};
use crate::{Config, Vehicle};

/// Decodes a response.
pub(crate) fn decode(payload: &[u8]) -> Result<Response, NoResponse> {
    let message = V2gMessage::decode(payload)?;
    let Some(body) = message.body.element else { return Err(NoResponse::NotAResponse("an empty body")) };
    let (code, content) = content(&body).ok_or(NoResponse::NotAResponse(body.name()))?;
    let mut buffer = [0; 8];
    let id = message.header.session_id.copy_to(&mut buffer).unwrap_or(&[]);
    Ok(Response {
        name: body.name(),
        session_id: Vec::from_slice(id).unwrap_or_default(),
        code: code.name(),
        refusal: refusal(&content, code),
        content,
    })
}

/// The refusal that a response code stands for.
const fn refusal(content: &Content, code: ResponseCode) -> Option<Refusal> {
    match (content, code) {
        (_, code) if !code.is_failed() => None,
        (Content::Authorisation { .. }, _) => Some(Refusal::NotAuthorised),
        (_, ResponseCode::FailedEvsePresentVoltageToLow) => Some(Refusal::PresentVoltageTooLow),
        _ => Some(Refusal::Other),
    }
}

fn content(body: &BodyElement<'_>) -> Option<(ResponseCode, Content)> {
    Some(match body {
        BodyElement::SessionSetupRes(res) => {
            let is_new = res.response_code == ResponseCode::OkNewSessionEstablished;
            (res.response_code, Content::SessionSetup { is_new })
        }
        BodyElement::ServiceDiscoveryRes(res) => (res.response_code, service_discovery(res)),
        BodyElement::ServicePaymentSelectionRes(res) => (res.response_code, Content::Nothing),
        BodyElement::ContractAuthenticationRes(res) => {
            (res.response_code, Content::Authorisation { finished: is_finished(res.evse_processing) })
        }
        BodyElement::ChargeParameterDiscoveryRes(res) => {
            let charger = match res.evse_charge_parameter {
                EvseChargeParameter::Dc(dc) => Some((status(dc.dc_evse_status), parameters(&dc))),
                EvseChargeParameter::Ac(_) | EvseChargeParameter::Head(_) => None,
            };
            let finished = is_finished(res.evse_processing);
            (res.response_code, Content::ChargeParameters { finished, charger })
        }
        BodyElement::CableCheckRes(res) => {
            let finished = is_finished(res.evse_processing);
            (res.response_code, Content::CableCheck { finished, status: status(res.dc_evse_status) })
        }
        BodyElement::PreChargeRes(res) => {
            let present_mv = volts(res.evse_present_voltage);
            (res.response_code, Content::Voltage { status: status(res.dc_evse_status), present_mv })
        }
        BodyElement::PowerDeliveryRes(res) => {
            let status = match res.evse_status {
                EvseStatus::Dc(dc) => Some(status(dc)),
                EvseStatus::Ac(_) | EvseStatus::Head(_) => None,
            };
            (res.response_code, Content::PowerDelivery { status })
        }
        BodyElement::CurrentDemandRes(res) => (res.response_code, current_demand(res)),
        BodyElement::WeldingDetectionRes(res) => {
            let present_mv = volts(res.evse_present_voltage);
            (res.response_code, Content::Voltage { status: status(res.dc_evse_status), present_mv })
        }
        BodyElement::SessionStopRes(res) => (res.response_code, Content::Nothing),
        _ => return None,
    })
}

fn service_discovery(res: &ServiceDiscoveryRes<'_>) -> Content {
    use EvseSupportedEnergyTransfer as Offer;
    let offers = match res.charge_service.energy_transfer_type {
        Offer::DcCore | Offer::AcSingleDcCore => [true, false],
        Offer::DcExtended
        | Offer::AcCore1pDcExtended
        | Offer::AcSinglePhaseThreePhaseCoreDcExtended
        | Offer::AcCore3pDcExtended => [false, true],
        Offer::DcComboCore | Offer::DcDual => [true, true],
        Offer::AcSinglePhaseCore | Offer::AcThreePhaseCore => [false, false],
    };
    let external =
        res.payment_options.payment_option.iter().any(|option| option == PaymentOption::ExternalPayment);
    Content::ServiceDiscovery { service_id: res.charge_service.service_tag.service_id, offers, external }
}

fn parameters(dc: &DcEvseChargeParameter) -> Limits {
    Limits {
        max_voltage_mv: volts(dc.evse_maximum_voltage_limit),
        min_voltage_mv: volts(dc.evse_minimum_voltage_limit),
        max_current_ma: amperes(dc.evse_maximum_current_limit),
        min_current_ma: amperes(dc.evse_minimum_current_limit),
        max_power_w: dc.evse_maximum_power_limit.map_or(i32::MAX, PhysicalValue::whole),
    }
}

fn current_demand(res: &CurrentDemandRes) -> Content {
    let limits = Limits {
        max_voltage_mv: res.evse_maximum_voltage_limit.map_or(i32::MAX, volts),
        max_current_ma: res.evse_maximum_current_limit.map_or(i32::MAX, amperes),
        max_power_w: res.evse_maximum_power_limit.map_or(i32::MAX, PhysicalValue::whole),
        ..Limits::NONE
    };
    let present =
        Target { voltage_mv: volts(res.evse_present_voltage), current_ma: amperes(res.evse_present_current) };
    Content::CurrentDemand { status: status(res.dc_evse_status), present, limits }
}

fn status(status: DcEvseStatus) -> ChargerStatus {
    let stop = status.evse_notification == EvseNotification::StopCharging;
    ChargerStatus {
        isolation: status.evse_isolation_status.map(|isolation| match isolation {
            IsolationLevel::Invalid => Isolation::Measuring,
            IsolationLevel::Valid => Isolation::Valid,
            IsolationLevel::Warning => Isolation::Warning,
            IsolationLevel::Fault => Isolation::Fault,
        }),
        status: match status.evse_status_code {
            DcEvseStatusCode::EvseNotReady => Status::NotReady,
            DcEvseStatusCode::EvseReady => Status::Ready,
            DcEvseStatusCode::EvseShutdown => Status::Shutdown,
            DcEvseStatusCode::EvseUtilityInterruptEvent => Status::UtilityInterrupt,
            DcEvseStatusCode::EvseIsolationMonitoringActive => Status::IsolationMonitoring,
            DcEvseStatusCode::EvseEmergencyShutdown => Status::EmergencyShutdown,
            // Reserved values are treated as errors (spec: 5, 6, 7 and above end by error).
            _ => Status::Malfunction,
        },
        stop_within_s: stop.then_some(status.notification_max_delay),
        names: [status.evse_status_code.name(), status.evse_notification.name()],
    }
}

fn is_finished(processing: EvseProcessing) -> bool {
    processing == EvseProcessing::Finished
}

fn volts(value: PhysicalValue) -> i32 {
    value.milli_of(UnitSymbol::V)
}

fn amperes(value: PhysicalValue) -> i32 {
    value.milli_of(UnitSymbol::A)
}

/// Encodes a request.
pub(crate) fn encode(request: &Request, config: &Config, buffer: &mut [u8]) -> Result<usize, exi::Error> {
    let services = [SelectedService { service_id: request.service_id, parameter_set_id: None }];
    let message = V2gMessage {
        header: Header {
            session_id: request.session_id.as_slice().into(),
            notification: None,
            signature: None,
        },
        body: Body { element: body(request, config, &services) },
    };
    message.encode(buffer)
}

/// The body of a request; `None` for exchanges that the car does not start in this protocol.
fn body<'r>(
    request: &'r Request,
    config: &'r Config,
    services: &'r [SelectedService],
) -> Option<BodyElement<'r>> {
    let car = &request.vehicle;
    let dc_ev_status = car_status(request);
    let target_voltage = limit(request.target.voltage_mv, UnitSymbol::V);
    let target_current = limit(request.target.current_ma, UnitSymbol::A);
    Some(match request.exchange {
        Exchange::SessionSetup => {
            BodyElement::SessionSetupReq(SessionSetupReq { evcc_id: config.evcc_id.as_slice().into() })
        }
        Exchange::ServiceDiscovery => BodyElement::ServiceDiscoveryReq(ServiceDiscoveryReq {
            service_scope: None,
            service_category: Some(ServiceCategory::EvCharging),
        }),
        Exchange::ServiceSelection => BodyElement::ServicePaymentSelectionReq(ServicePaymentSelectionReq {
            selected_payment_option: PaymentOption::ExternalPayment,
            selected_service_list: SelectedServiceList { selected_service: services.into() },
        }),
        Exchange::Authorisation => BodyElement::ContractAuthenticationReq(ContractAuthenticationReq {
            id: None,
            gen_challenge: None,
        }),
        Exchange::ChargeParameters => BodyElement::ChargeParameterDiscoveryReq(ChargeParameterDiscoveryReq {
            ev_requested_energy_transfer_type: match request.transfer {
                EnergyTransfer::Core => EvRequestedEnergyTransfer::DcCore,
                EnergyTransfer::Extended => EvRequestedEnergyTransfer::DcExtended,
            },
            ev_charge_parameter: EvChargeParameter::Dc(charge_parameter(car, dc_ev_status)),
        }),
        Exchange::CableCheck => BodyElement::CableCheckReq(CableCheckReq { dc_ev_status }),
        Exchange::PreCharge => BodyElement::PreChargeReq(PreChargeReq {
            dc_ev_status,
            ev_target_voltage: target_voltage,
            ev_target_current: target_current,
        }),
        Exchange::PowerOn | Exchange::PowerOff => BodyElement::PowerDeliveryReq(PowerDeliveryReq {
            ready_to_charge_state: request.exchange == Exchange::PowerOn,
            charging_profile: None,
            ev_power_delivery_parameter: Some(EvPowerDeliveryParameter::Dc(DcEvPowerDeliveryParameter {
                dc_ev_status,
                bulk_charging_complete: Some(is_bulk_done(car)),
                charging_complete: car.is_done,
            })),
        }),
        Exchange::CurrentDemand => BodyElement::CurrentDemandReq(CurrentDemandReq {
            dc_ev_status,
            ev_target_current: target_current,
            ev_maximum_voltage_limit: Some(limit(car.limits.max_voltage_mv, UnitSymbol::V)),
            ev_maximum_current_limit: Some(limit(car.limits.max_current_ma, UnitSymbol::A)),
            ev_maximum_power_limit: Some(whole(car.limits.max_power_w, UnitSymbol::W)),
            bulk_charging_complete: Some(is_bulk_done(car)),
            charging_complete: car.is_done,
            remaining_time_to_full_soc: car.full_in_s.map(|s| whole(i32::from(s), UnitSymbol::S)),
            remaining_time_to_bulk_soc: car.bulk_in_s.map(|s| whole(i32::from(s), UnitSymbol::S)),
            ev_target_voltage: target_voltage,
        }),
        Exchange::WeldingDetection => BodyElement::WeldingDetectionReq(WeldingDetectionReq { dc_ev_status }),
        Exchange::SessionStop => BodyElement::SessionStopReq(SessionStopReq {}),
        Exchange::Handshake
        | Exchange::ServiceDetail
        | Exchange::PaymentDetails
        | Exchange::ChargingStatus
        | Exchange::MeteringReceipt
        | Exchange::CertificateUpdate
        | Exchange::CertificateInstallation => return None,
    })
}

fn charge_parameter(car: &Vehicle, dc_ev_status: DcEvStatus) -> DcEvChargeParameter {
    DcEvChargeParameter {
        dc_ev_status,
        ev_maximum_current_limit: limit(car.limits.max_current_ma, UnitSymbol::A),
        ev_maximum_power_limit: Some(whole(car.limits.max_power_w, UnitSymbol::W)),
        ev_maximum_voltage_limit: limit(car.limits.max_voltage_mv, UnitSymbol::V),
        ev_energy_capacity: Some(whole(car.capacity_wh, UnitSymbol::Wh)),
        ev_energy_request: Some(whole(car.request_wh, UnitSymbol::Wh)),
        full_soc: car.full_soc_percent.map(percent),
        bulk_soc: car.bulk_soc_percent.map(percent),
    }
}

fn car_status(request: &Request) -> DcEvStatus {
    DcEvStatus {
        ev_ready: request.is_ready,
        ev_cabin_conditioning: None,
        ev_ress_conditioning: None,
        ev_error_code: error_code(request.vehicle.error),
        ev_ress_soc: percent(request.vehicle.soc_percent),
    }
}

/// The name of a `DC_EVErrorCode` as in the message.
pub(crate) const fn error_name(number: u8) -> &'static str {
    error_code(number).name()
}

const fn error_code(number: u8) -> DcEvErrorCode {
    match number {
        0 => DcEvErrorCode::NoError,
        1 => DcEvErrorCode::FailedRessTemperatureInhibit,
        2 => DcEvErrorCode::FailedEvShiftPosition,
        3 => DcEvErrorCode::FailedChargerConnectorLockFault,
        5 => DcEvErrorCode::FailedChargingCurrentDifferential,
        6 => DcEvErrorCode::FailedChargingVoltageOutOfRange,
        10 => DcEvErrorCode::FailedChargingSystemIncompatibility,
        11 => DcEvErrorCode::NoData,
        // Any other error is in the battery.
        _ => DcEvErrorCode::FailedEvRessMalfunction,
    }
}

fn is_bulk_done(car: &Vehicle) -> bool {
    car.bulk_soc_percent.is_some_and(|bulk| car.soc_percent >= bulk)
}

fn percent(value: u8) -> Percent {
    Percent::clamped(i8::try_from(value).unwrap_or(i8::MAX))
}

/// Stands for a value that cannot be encoded; a car's plausible limits can.
const NOTHING: PhysicalValue = PhysicalValue { multiplier: UnitMultiplier::MIN, unit: None, value: 0 };

fn limit(milli: i32, unit: UnitSymbol) -> PhysicalValue {
    PhysicalValue::limit(i64::from(milli), unit).unwrap_or(NOTHING)
}

fn whole(units: i32, unit: UnitSymbol) -> PhysicalValue {
    PhysicalValue::limit(i64::from(units) * 1000, unit).unwrap_or(NOTHING)
}

#[cfg(test)]
mod tests {
    use machine::Instant;
    use session::Protocol;

    use super::*;
    use crate::order::{self, State};

    fn request(exchange: Exchange) -> Request {
        let vehicle = Vehicle {
            at: Instant::ZERO,
            limits: Limits::PLAUSIBLE,
            battery_mv: None,
            target: Target::ZERO,
            soc_percent: 50,
            capacity_wh: 0,
            request_wh: 0,
            full_soc_percent: None,
            bulk_soc_percent: None,
            full_in_s: None,
            bulk_in_s: None,
            is_done: false,
            error: 0,
        };
        let session_id = heapless::Vec::from_array([0; 8]);
        let (transfer, target) = (EnergyTransfer::Extended, Target::ZERO);
        Request { exchange, session_id, vehicle, transfer, service_id: 1, is_ready: false, target }
    }

    #[test]
    fn each_exchange_of_the_order_is_written_as_the_message_of_its_name() {
        let mut buffer = [0; 256];
        for row in order::of(Protocol::Din) {
            let State::Asking(exchange) = row.state else { continue };
            if exchange != Exchange::Handshake {
                let length = encode(&request(exchange), &Config::default(), &mut buffer).unwrap();
                let found = decode(&buffer[..length]).err();
                let name = exchange.names(Protocol::Din).request;
                assert_eq!(
                    found,
                    Some(NoResponse::NotAResponse(name)),
                    "it is no response, and has its name"
                );
            }
        }
    }
}
