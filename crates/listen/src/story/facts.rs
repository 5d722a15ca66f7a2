//! The facts about its session that a message of DIN SPEC 70121 contains.

use exi_din::{
    BodyElement, DcEvErrorCode, DcEvStatus, DcEvseStatus, DcEvseStatusCode, EvChargeParameter,
    EvPowerDeliveryParameter, EvseChargeParameter, EvseNotification, EvseProcessing, EvseStatus,
    IsolationLevel, PhysicalValue, ResponseCode,
};
use session::{Limits, Phase};

/// The facts of one message; `None` where the message does not contain it.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Facts {
    pub phase: Option<Phase>,
    pub is_request: bool,
    pub code: Option<ResponseCode>,
    pub car: Option<DcEvStatus>,
    pub charger: Option<DcEvseStatus>,
    pub limits: Option<Limits>,
    pub target_mv: Option<i32>,
    pub target_ma: Option<i32>,
    pub present_mv: Option<i32>,
    pub present_ma: Option<i32>,
    pub power_on: Option<bool>,
    /// The charger reports `EVSEProcessing` = Ongoing.
    pub is_ongoing: bool,
}

impl Facts {
    /// The facts of a message. A message that is not of DC charging yields its response code at most.
    #[allow(clippy::too_many_lines, reason = "a row for each message")]
    pub(super) fn of(element: &BodyElement<'_>) -> Self {
        let none = Self::default();
        let req = |phase| Self { phase: Some(phase), is_request: true, ..none };
        let res = |phase, code| Self { phase: Some(phase), code: Some(code), ..none };
        let is_ongoing = |processing| processing == EvseProcessing::Ongoing;
        match element {
            BodyElement::SessionSetupReq(_) => req(Phase::SessionSetup),
            BodyElement::SessionSetupRes(m) => res(Phase::SessionSetup, m.response_code),
            BodyElement::ServiceDiscoveryReq(_) => req(Phase::ServiceDiscovery),
            BodyElement::ServiceDiscoveryRes(m) => res(Phase::ServiceDiscovery, m.response_code),
            BodyElement::ServicePaymentSelectionReq(_) => req(Phase::ServiceSelection),
            BodyElement::ServicePaymentSelectionRes(m) => res(Phase::ServiceSelection, m.response_code),
            BodyElement::ContractAuthenticationReq(_) => req(Phase::Authorisation),
            BodyElement::ContractAuthenticationRes(m) => {
                let is_ongoing = is_ongoing(m.evse_processing);
                Self { is_ongoing, ..res(Phase::Authorisation, m.response_code) }
            }
            BodyElement::ChargeParameterDiscoveryReq(m) => match &m.ev_charge_parameter {
                EvChargeParameter::Dc(dc) => Self {
                    car: Some(dc.dc_ev_status),
                    limits: Some(Limits {
                        max_voltage_mv: milli(dc.ev_maximum_voltage_limit),
                        max_current_ma: milli(dc.ev_maximum_current_limit),
                        max_power_w: dc.ev_maximum_power_limit.map_or(0, PhysicalValue::whole),
                        ..NO_LIMITS
                    }),
                    ..req(Phase::ChargeParameters)
                },
                _ => req(Phase::ChargeParameters),
            },
            BodyElement::ChargeParameterDiscoveryRes(m) => match &m.evse_charge_parameter {
                EvseChargeParameter::Dc(dc) => Self {
                    charger: Some(dc.dc_evse_status),
                    limits: Some(Limits {
                        max_voltage_mv: milli(dc.evse_maximum_voltage_limit),
                        min_voltage_mv: milli(dc.evse_minimum_voltage_limit),
                        max_current_ma: milli(dc.evse_maximum_current_limit),
                        min_current_ma: milli(dc.evse_minimum_current_limit),
                        max_power_w: dc.evse_maximum_power_limit.map_or(0, PhysicalValue::whole),
                    }),
                    is_ongoing: is_ongoing(m.evse_processing),
                    ..res(Phase::ChargeParameters, m.response_code)
                },
                _ => res(Phase::ChargeParameters, m.response_code),
            },
            BodyElement::CableCheckReq(m) => Self { car: Some(m.dc_ev_status), ..req(Phase::CableCheck) },
            BodyElement::CableCheckRes(m) => Self {
                charger: Some(m.dc_evse_status),
                is_ongoing: is_ongoing(m.evse_processing),
                ..res(Phase::CableCheck, m.response_code)
            },
            BodyElement::PreChargeReq(m) => Self {
                car: Some(m.dc_ev_status),
                target_mv: Some(milli(m.ev_target_voltage)),
                target_ma: Some(milli(m.ev_target_current)),
                ..req(Phase::PreCharge)
            },
            BodyElement::PreChargeRes(m) => Self {
                charger: Some(m.dc_evse_status),
                present_mv: Some(milli(m.evse_present_voltage)),
                ..res(Phase::PreCharge, m.response_code)
            },
            BodyElement::PowerDeliveryReq(m) => Self {
                car: match &m.ev_power_delivery_parameter {
                    Some(EvPowerDeliveryParameter::Dc(dc)) => Some(dc.dc_ev_status),
                    _ => None,
                },
                power_on: Some(m.ready_to_charge_state),
                ..req(if m.ready_to_charge_state { Phase::PowerOn } else { Phase::PowerOff })
            },
            BodyElement::PowerDeliveryRes(m) => Self {
                charger: match &m.evse_status {
                    EvseStatus::Dc(dc) => Some(*dc),
                    _ => None,
                },
                ..res(Phase::PowerOn, m.response_code)
            },
            BodyElement::CurrentDemandReq(m) => Self {
                car: Some(m.dc_ev_status),
                target_mv: Some(milli(m.ev_target_voltage)),
                target_ma: Some(milli(m.ev_target_current)),
                ..req(Phase::ChargeLoop)
            },
            BodyElement::CurrentDemandRes(m) => Self {
                charger: Some(m.dc_evse_status),
                present_mv: Some(milli(m.evse_present_voltage)),
                present_ma: Some(milli(m.evse_present_current)),
                ..res(Phase::ChargeLoop, m.response_code)
            },
            BodyElement::WeldingDetectionReq(m) => {
                Self { car: Some(m.dc_ev_status), ..req(Phase::WeldingDetection) }
            }
            BodyElement::WeldingDetectionRes(m) => Self {
                charger: Some(m.dc_evse_status),
                present_mv: Some(milli(m.evse_present_voltage)),
                ..res(Phase::WeldingDetection, m.response_code)
            },
            BodyElement::SessionStopReq(_) => req(Phase::SessionStop),
            BodyElement::SessionStopRes(m) => res(Phase::SessionStop, m.response_code),
            _ => none,
        }
    }

    /// The car's error code; `None` without an error.
    pub(super) fn car_error(&self) -> Option<&'static str> {
        let code = self.car?.ev_error_code;
        (!matches!(code, DcEvErrorCode::NoError | DcEvErrorCode::NoData)).then(|| code.name())
    }

    /// Why a car keeps waiting after the charger finished the cable check: the charger is not ready (an Audi
    /// waits 59.8 s, observed), or its isolation is not valid.
    pub(super) fn not_ready(&self) -> Option<&'static str> {
        let status = self.charger.filter(|_| self.phase == Some(Phase::CableCheck) && !self.is_ongoing)?;
        match status.evse_isolation_status {
            _ if status.evse_status_code == DcEvseStatusCode::EvseNotReady => Some("EVSE_NotReady"),
            Some(IsolationLevel::Invalid) => Some("isolation Invalid"),
            Some(IsolationLevel::Fault) => Some("isolation Fault"),
            _ => None,
        }
    }

    /// The charger's status or notification that requests or forces the end; `None` if there is no such
    /// status.
    pub(super) fn shutdown(&self) -> Option<&'static str> {
        let status = self.charger?;
        let code = status.evse_status_code;
        let is_end = matches!(
            code,
            DcEvseStatusCode::EvseShutdown
                | DcEvseStatusCode::EvseUtilityInterruptEvent
                | DcEvseStatusCode::EvseEmergencyShutdown
                | DcEvseStatusCode::EvseMalfunction
        );
        match status.evse_notification {
            _ if is_end => Some(code.name()),
            EvseNotification::StopCharging => Some(EvseNotification::StopCharging.name()),
            _ => None,
        }
    }
}

/// Limits without a value.
const NO_LIMITS: Limits =
    Limits { max_voltage_mv: 0, min_voltage_mv: 0, max_current_ma: 0, min_current_ma: 0, max_power_w: 0 };

/// A value in thousandths of its unit. A wrong unit is ignored: the number is what the peer meant.
fn milli(value: PhysicalValue) -> i32 {
    i32::try_from(value.to_milli()).unwrap_or(i32::MAX)
}
