//! The charger's responses: positive ones, and modifications of them.

use exi_din::*;
use session::Target;

/// The charger's session id.
pub(crate) const ID: &[u8] = &[0xa1, 0xb2, 0xc3, 0xd4];

/// A response of the charger.
#[derive(Clone, Debug)]
pub(crate) enum Answer {
    Handshake(exi_app::SupportedAppProtocolRes),
    Din { id: Vec<u8>, body: BodyElement<'static> },
    Bytes(Vec<u8>),
    Silence,
}

pub(crate) const READY: DcEvseStatus = DcEvseStatus {
    evse_isolation_status: Some(IsolationLevel::Valid),
    evse_status_code: DcEvseStatusCode::EvseReady,
    notification_max_delay: 0,
    evse_notification: EvseNotification::None,
};

pub(crate) fn volts(value: i16) -> PhysicalValue {
    PhysicalValue { multiplier: UnitMultiplier::clamped(0), unit: Some(UnitSymbol::V), value }
}

pub(crate) fn amperes(value: i16) -> PhysicalValue {
    PhysicalValue { multiplier: UnitMultiplier::clamped(0), unit: Some(UnitSymbol::A), value }
}

fn measured(milli: i32, unit: UnitSymbol) -> PhysicalValue {
    PhysicalValue::measurement(i64::from(milli), unit).unwrap()
}

const PAYMENT: &[PaymentOption] = &[PaymentOption::Contract, PaymentOption::ExternalPayment];

/// A response's bytes.
pub(crate) fn encode(answer: &Answer) -> Vec<u8> {
    let mut buffer = [0; 512];
    let length = match answer {
        Answer::Silence => 0,
        Answer::Bytes(bytes) => return bytes.clone(),
        Answer::Handshake(res) => exi_app::Message::Res(*res).encode(&mut buffer).unwrap(),
        Answer::Din { id, body } => {
            let header = Header { session_id: id.as_slice().into(), notification: None, signature: None };
            V2gMessage { header, body: Body { element: Some(*body) } }.encode(&mut buffer).unwrap()
        }
    };
    buffer[..length].to_vec()
}

pub(crate) fn target(voltage: PhysicalValue, current: PhysicalValue) -> Target {
    Target { voltage_mv: voltage.milli_of(UnitSymbol::V), current_ma: current.milli_of(UnitSymbol::A) }
}

/// The positive response of a charger of 500 V, 150 A, 60 kW to a request of this name.
pub(crate) fn good(request: &str, present_mv: i32, present_ma: i32) -> BodyElement<'static> {
    let ok = ResponseCode::Ok;
    let present = measured(present_mv, UnitSymbol::V);
    match request {
        "SessionSetupReq" => BodyElement::SessionSetupRes(SessionSetupRes {
            response_code: ResponseCode::OkNewSessionEstablished,
            evse_id: (&[0]).into(),
            date_time_now: None,
        }),
        "ServiceDiscoveryReq" => BodyElement::ServiceDiscoveryRes(ServiceDiscoveryRes {
            response_code: ok,
            payment_options: PaymentOptions { payment_option: PAYMENT.into() },
            charge_service: ServiceCharge {
                service_tag: ServiceTag {
                    service_id: 7,
                    service_name: None,
                    service_category: ServiceCategory::EvCharging,
                    service_scope: None,
                },
                free_service: true,
                energy_transfer_type: EvseSupportedEnergyTransfer::DcExtended,
            },
            service_list: None,
        }),
        "ServicePaymentSelectionReq" => {
            BodyElement::ServicePaymentSelectionRes(ServicePaymentSelectionRes { response_code: ok })
        }
        "ContractAuthenticationReq" => BodyElement::ContractAuthenticationRes(ContractAuthenticationRes {
            response_code: ok,
            evse_processing: EvseProcessing::Finished,
        }),
        "ChargeParameterDiscoveryReq" => {
            BodyElement::ChargeParameterDiscoveryRes(ChargeParameterDiscoveryRes {
                response_code: ok,
                evse_processing: EvseProcessing::Finished,
                sa_schedules: SaSchedules::Head(exi::Head {}),
                evse_charge_parameter: EvseChargeParameter::Dc(DcEvseChargeParameter {
                    // A Compleo is not ready here, and has to be accepted (field notes).
                    dc_evse_status: DcEvseStatus {
                        evse_status_code: DcEvseStatusCode::EvseNotReady,
                        ..READY
                    },
                    evse_maximum_current_limit: amperes(150),
                    evse_maximum_power_limit: Some(PhysicalValue::limit(60_000_000, UnitSymbol::W).unwrap()),
                    evse_maximum_voltage_limit: volts(500),
                    evse_minimum_current_limit: amperes(1),
                    evse_minimum_voltage_limit: volts(200),
                    evse_current_regulation_tolerance: None,
                    evse_peak_current_ripple: amperes(1),
                    evse_energy_to_be_delivered: None,
                }),
            })
        }
        "CableCheckReq" => BodyElement::CableCheckRes(CableCheckRes {
            response_code: ok,
            dc_evse_status: READY,
            evse_processing: EvseProcessing::Finished,
        }),
        "PreChargeReq" => BodyElement::PreChargeRes(PreChargeRes {
            response_code: ok,
            dc_evse_status: READY,
            evse_present_voltage: present,
        }),
        "PowerDeliveryReq" => BodyElement::PowerDeliveryRes(PowerDeliveryRes {
            response_code: ok,
            evse_status: EvseStatus::Dc(READY),
        }),
        "CurrentDemandReq" => BodyElement::CurrentDemandRes(CurrentDemandRes {
            response_code: ok,
            dc_evse_status: READY,
            evse_present_voltage: present,
            evse_present_current: measured(present_ma, UnitSymbol::A),
            evse_current_limit_achieved: false,
            evse_voltage_limit_achieved: false,
            evse_power_limit_achieved: false,
            evse_maximum_voltage_limit: Some(volts(500)),
            evse_maximum_current_limit: Some(amperes(150)),
            evse_maximum_power_limit: None,
        }),
        "WeldingDetectionReq" => BodyElement::WeldingDetectionRes(WeldingDetectionRes {
            response_code: ok,
            dc_evse_status: READY,
            evse_present_voltage: present,
        }),
        "SessionStopReq" => BodyElement::SessionStopRes(SessionStopRes { response_code: ok }),
        other => panic!("no request {other}"),
    }
}

/// The same response with another code.
pub(crate) fn with_code(answer: Answer, code: ResponseCode) -> Answer {
    let Answer::Din { id, mut body } = answer else {
        let response_code = exi_app::ResponseCode::FailedNoNegotiation;
        return Answer::Handshake(exi_app::SupportedAppProtocolRes { response_code, schema_id: None });
    };
    match &mut body {
        BodyElement::SessionSetupRes(res) => res.response_code = code,
        BodyElement::ServiceDiscoveryRes(res) => res.response_code = code,
        BodyElement::ServicePaymentSelectionRes(res) => res.response_code = code,
        BodyElement::ContractAuthenticationRes(res) => res.response_code = code,
        BodyElement::ChargeParameterDiscoveryRes(res) => res.response_code = code,
        BodyElement::CableCheckRes(res) => res.response_code = code,
        BodyElement::PreChargeRes(res) => res.response_code = code,
        BodyElement::PowerDeliveryRes(res) => res.response_code = code,
        BodyElement::CurrentDemandRes(res) => res.response_code = code,
        BodyElement::WeldingDetectionRes(res) => res.response_code = code,
        BodyElement::SessionStopRes(res) => res.response_code = code,
        other => panic!("{other:?}"),
    }
    Answer::Din { id, body }
}

/// The same response, changed.
pub(crate) fn din(answer: Answer, change: impl FnOnce(&mut BodyElement<'static>)) -> Answer {
    let Answer::Din { id, mut body } = answer else { return answer };
    change(&mut body);
    Answer::Din { id, body }
}

/// The same response with another status of the charger, if it has one.
pub(crate) fn with_status(answer: Answer, change: impl FnOnce(&mut DcEvseStatus)) -> Answer {
    let Answer::Din { id, mut body } = answer else { return answer };
    match &mut body {
        BodyElement::ChargeParameterDiscoveryRes(res) => {
            if let EvseChargeParameter::Dc(dc) = &mut res.evse_charge_parameter {
                change(&mut dc.dc_evse_status);
            }
        }
        BodyElement::CableCheckRes(res) => change(&mut res.dc_evse_status),
        BodyElement::PreChargeRes(res) => change(&mut res.dc_evse_status),
        BodyElement::PowerDeliveryRes(res) => {
            if let EvseStatus::Dc(dc) = &mut res.evse_status {
                change(dc);
            }
        }
        BodyElement::CurrentDemandRes(res) => change(&mut res.dc_evse_status),
        BodyElement::WeldingDetectionRes(res) => change(&mut res.dc_evse_status),
        _ => {}
    }
    Answer::Din { id, body }
}

/// The same response, Ongoing instead of Finished, if it has `EVSEProcessing`.
pub(crate) fn ongoing(answer: Answer) -> Answer {
    let Answer::Din { id, mut body } = answer else { return answer };
    match &mut body {
        BodyElement::ContractAuthenticationRes(res) => res.evse_processing = EvseProcessing::Ongoing,
        BodyElement::ChargeParameterDiscoveryRes(res) => res.evse_processing = EvseProcessing::Ongoing,
        BodyElement::CableCheckRes(res) => res.evse_processing = EvseProcessing::Ongoing,
        _ => {}
    }
    Answer::Din { id, body }
}
