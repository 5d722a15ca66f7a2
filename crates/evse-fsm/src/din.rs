//! DIN SPEC 70121: from its messages to the charger's words and back. Nothing is decided here.

use exi::{Attribute, List};
use exi_app::{Message as Handshake, NAMESPACE_DIN, SupportedAppProtocolRes};
#[allow(
    clippy::wildcard_imports,
    reason = "this module is where the message set is known: nearly all of it"
)]
use exi_din::*;
use heapless::Vec;
use session::{Limits, Target};

use crate::request::{Agreed, Answer, CarStatus, Content, Kind, Request, SessionId, Verdict};
use crate::{Config, EnergyTransfer, Isolation, Status};

/// The number of the one service that is offered.
pub(crate) const CHARGE_SERVICE: u16 = 1;
/// The number of the one schedule that is offered.
pub(crate) const SCHEDULE: i16 = 1;
/// Length of the schedule, in s: a day.
const DAY_S: u32 = 86_400;
/// Major version of DIN SPEC 70121 in the handshake.
const MAJOR: u32 = 2;

/// Why a payload is no request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NoRequest {
    Undecodable { bit: u32 },
    NotARequest(&'static str),
}

impl From<exi::Error> for NoRequest {
    fn from(error: exi::Error) -> Self {
        Self::Undecodable { bit: error.bit }
    }
}

/// Reads a handshake.
pub(crate) fn handshake(payload: &[u8]) -> Result<Request, NoRequest> {
    let Handshake::Req(offer) = Handshake::decode(payload)? else {
        return Err(NoRequest::NotARequest("supportedAppProtocolRes"));
    };
    let ours = offer.app_protocol.iter().filter(|protocol| {
        protocol.protocol_namespace == NAMESPACE_DIN && protocol.version_number_major.0 == MAJOR
    });
    let best = ours.min_by_key(|protocol| protocol.priority);
    let agreed = best.map_or(Agreed::No, |protocol| Agreed::Yes {
        schema_id: protocol.schema_id,
        deviates: protocol.version_number_minor.0 != 0,
    });
    Ok(Request {
        kind: Kind::Handshake,
        name: "supportedAppProtocolReq",
        session_id: SessionId::new(),
        content: Content::Handshake(agreed),
    })
}

/// Reads a request.
pub(crate) fn request(payload: &[u8]) -> Result<Request, NoRequest> {
    let message = V2gMessage::decode(payload)?;
    let Some(body) = message.body.element else { return Err(NoRequest::NotARequest("an empty body")) };
    let (kind, content) = content(&body).ok_or(NoRequest::NotARequest(body.name()))?;
    // Longer than the schema allows is nobody's session id; an empty one is none of ours either.
    let mut buffer = [0; 8];
    let id = message.header.session_id.copy_to(&mut buffer).unwrap_or(&[]);
    Ok(Request { kind, name: body.name(), session_id: Vec::from_slice(id).unwrap_or_default(), content })
}

fn content(body: &BodyElement<'_>) -> Option<(Kind, Content)> {
    Some(match body {
        BodyElement::SessionSetupReq(req) => {
            (Kind::SessionSetup, Content::SessionSetup { evccid_bytes: req.evcc_id.len() })
        }
        BodyElement::ServiceDiscoveryReq(_) => (Kind::ServiceDiscovery, Content::Nothing),
        BodyElement::ServicePaymentSelectionReq(req) => {
            let services = req.selected_service_list.selected_service;
            let only = services.first().filter(|_| services.len() == 1).map(|service| service.service_id);
            let external = req.selected_payment_option == PaymentOption::ExternalPayment;
            (Kind::PaymentSelection, Content::PaymentSelection { external, only_service: only })
        }
        BodyElement::ContractAuthenticationReq(_) => (Kind::Authentication, Content::Nothing),
        BodyElement::ChargeParameterDiscoveryReq(req) => (Kind::ChargeParameter, charge_parameter(req)),
        BodyElement::CableCheckReq(req) => (Kind::CableCheck, Content::CableCheck(car(req.dc_ev_status))),
        BodyElement::PreChargeReq(req) => {
            let target = target(req.ev_target_voltage, req.ev_target_current);
            (Kind::PreCharge, Content::PreCharge(car(req.dc_ev_status), target))
        }
        BodyElement::PowerDeliveryReq(req) => (Kind::PowerDelivery, power_delivery(req)),
        BodyElement::CurrentDemandReq(req) => {
            let limits = Limits {
                max_voltage_mv: req.ev_maximum_voltage_limit.map_or(i32::MAX, volts),
                max_current_ma: req.ev_maximum_current_limit.map_or(i32::MAX, amperes),
                max_power_w: req.ev_maximum_power_limit.map_or(i32::MAX, PhysicalValue::whole),
                ..Limits::NONE
            };
            let target = target(req.ev_target_voltage, req.ev_target_current);
            let content = Content::CurrentDemand { status: car(req.dc_ev_status), target, limits };
            (Kind::CurrentDemand, content)
        }
        BodyElement::WeldingDetectionReq(req) => {
            (Kind::WeldingDetection, Content::WeldingDetection(car(req.dc_ev_status)))
        }
        BodyElement::SessionStopReq(_) => (Kind::SessionStop, Content::Nothing),
        BodyElement::ServiceDetailReq(_) => (Kind::ServiceDetail, Content::Nothing),
        BodyElement::PaymentDetailsReq(_) => (Kind::PaymentDetails, Content::Nothing),
        BodyElement::ChargingStatusReq(_) => (Kind::ChargingStatus, Content::Nothing),
        BodyElement::MeteringReceiptReq(_) => (Kind::MeteringReceipt, Content::Nothing),
        BodyElement::CertificateUpdateReq(_) => (Kind::CertificateUpdate, Content::Nothing),
        BodyElement::CertificateInstallationReq(_) => (Kind::CertificateInstallation, Content::Nothing),
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
    Content::ChargeParameter { transfer, car }
}

fn power_delivery(req: &PowerDeliveryReq<'_>) -> Content {
    let profile = req.charging_profile;
    let most = |profile: ChargingProfile<'_>| {
        profile.profile_entry.iter().map(|entry| i32::from(entry.charging_profile_entry_max_power)).max()
    };
    let status = match req.ev_power_delivery_parameter {
        Some(EvPowerDeliveryParameter::Dc(dc)) => Some(car(dc.dc_ev_status)),
        _ => None,
    };
    Content::PowerDelivery {
        on: req.ready_to_charge_state,
        tuple: profile.map(|profile| profile.sa_schedule_tuple_id),
        profile_w: profile.and_then(most).unwrap_or(0),
        status,
    }
}

fn car(status: DcEvStatus) -> CarStatus {
    let soc = u8::try_from(status.ev_ress_soc.get()).unwrap_or(0);
    CarStatus { ready: status.ev_ready, error: status.ev_error_code as u8, soc_percent: soc }
}

/// Millivolts.
fn volts(value: PhysicalValue) -> i32 {
    value.milli_of(UnitSymbol::V)
}

/// Milliamperes.
fn amperes(value: PhysicalValue) -> i32 {
    value.milli_of(UnitSymbol::A)
}

fn target(voltage: PhysicalValue, current: PhysicalValue) -> Target {
    Target { voltage_mv: volts(voltage), current_ma: amperes(current) }
}

/// Writes an answer.
pub(crate) fn encode(answer: &Answer, config: &Config, buffer: &mut [u8]) -> Result<usize, exi::Error> {
    if answer.kind == Kind::Handshake {
        return handshake_answer(answer.agreed).encode(buffer);
    }
    let body = Encoder { answer, config };
    let schedule_entries = [PMaxScheduleEntry {
        time_interval: TimeInterval::Relative(RelativeTimeInterval { start: 0, duration: Some(DAY_S) }),
        p_max: i16::try_from(config.limits.max_power_w).unwrap_or(i16::MAX),
    }];
    let schedules = [SaScheduleTuple {
        sa_schedule_tuple_id: SCHEDULE,
        p_max_schedule: PMaxSchedule {
            p_max_schedule_id: SCHEDULE,
            p_max_schedule_entry: List::from(&schedule_entries),
        },
        sales_tariff: None,
    }];
    let payment = [PaymentOption::ExternalPayment];
    let element = match answer.kind {
        Kind::ChargeParameter => body.charge_parameter(&schedules),
        Kind::ServiceDiscovery => body.service_discovery(&payment),
        _ => body.element(),
    };
    let message = V2gMessage {
        header: Header {
            session_id: answer.session_id.as_slice().into(),
            notification: None,
            signature: None,
        },
        body: Body { element: Some(element) },
    };
    message.encode(buffer)
}

fn handshake_answer(agreed: Agreed) -> Handshake<'static> {
    let (response_code, schema_id) = match agreed {
        Agreed::No => (exi_app::ResponseCode::FailedNoNegotiation, None),
        Agreed::Yes { schema_id, deviates: false } => {
            (exi_app::ResponseCode::OkSuccessfulNegotiation, Some(schema_id))
        }
        Agreed::Yes { schema_id, deviates: true } => {
            (exi_app::ResponseCode::OkSuccessfulNegotiationWithMinorDeviation, Some(schema_id))
        }
    };
    Handshake::Res(SupportedAppProtocolRes { response_code, schema_id })
}

struct Encoder<'e> {
    answer: &'e Answer,
    config: &'e Config,
}

impl<'e> Encoder<'e> {
    fn element(&self) -> BodyElement<'e> {
        let code = self.code();
        let evse_id = self.config.evse_id.as_slice().into();
        match self.answer.kind {
            Kind::Handshake | Kind::SessionSetup | Kind::ServiceDiscovery | Kind::ChargeParameter => {
                BodyElement::SessionSetupRes(SessionSetupRes {
                    response_code: code,
                    evse_id,
                    date_time_now: None,
                })
            }
            Kind::PaymentSelection => {
                BodyElement::ServicePaymentSelectionRes(ServicePaymentSelectionRes { response_code: code })
            }
            Kind::Authentication => BodyElement::ContractAuthenticationRes(ContractAuthenticationRes {
                response_code: code,
                evse_processing: self.processing(),
            }),
            Kind::CableCheck => BodyElement::CableCheckRes(CableCheckRes {
                response_code: code,
                dc_evse_status: self.status(),
                evse_processing: self.processing(),
            }),
            Kind::PreCharge => BodyElement::PreChargeRes(PreChargeRes {
                response_code: code,
                dc_evse_status: self.status(),
                evse_present_voltage: measured(self.answer.present.voltage_mv, UnitSymbol::V),
            }),
            Kind::PowerDelivery => BodyElement::PowerDeliveryRes(PowerDeliveryRes {
                response_code: code,
                evse_status: EvseStatus::Dc(self.status()),
            }),
            Kind::CurrentDemand => self.current_demand(),
            Kind::WeldingDetection => BodyElement::WeldingDetectionRes(WeldingDetectionRes {
                response_code: code,
                dc_evse_status: self.status(),
                evse_present_voltage: measured(self.answer.present.voltage_mv, UnitSymbol::V),
            }),
            Kind::SessionStop => BodyElement::SessionStopRes(SessionStopRes { response_code: code }),
            Kind::ServiceDetail => BodyElement::ServiceDetailRes(ServiceDetailRes {
                response_code: code,
                service_id: CHARGE_SERVICE,
                service_parameter_list: None,
            }),
            Kind::PaymentDetails => BodyElement::PaymentDetailsRes(PaymentDetailsRes {
                response_code: code,
                gen_challenge: "".into(),
                date_time_now: 0,
            }),
            Kind::ChargingStatus => BodyElement::ChargingStatusRes(ChargingStatusRes {
                response_code: code,
                evse_id,
                sa_schedule_tuple_id: SCHEDULE,
                evse_max_current: None,
                meter_info: None,
                receipt_required: false,
                ac_evse_status: AC_STATUS,
            }),
            Kind::MeteringReceipt => BodyElement::MeteringReceiptRes(MeteringReceiptRes {
                response_code: code,
                ac_evse_status: AC_STATUS,
            }),
            Kind::CertificateUpdate => BodyElement::CertificateUpdateRes(CertificateUpdateRes {
                id: Attribute("".into()),
                response_code: code,
                contract_signature_cert_chain: CertificateChain {
                    certificate: (&[]).into(),
                    sub_certificates: None,
                },
                contract_signature_encrypted_private_key: (&[]).into(),
                dh_params: (&[]).into(),
                contract_id: "".into(),
                retry_counter: -1,
            }),
            Kind::CertificateInstallation => {
                BodyElement::CertificateInstallationRes(CertificateInstallationRes {
                    id: Attribute("".into()),
                    response_code: code,
                    contract_signature_cert_chain: CertificateChain {
                        certificate: (&[]).into(),
                        sub_certificates: None,
                    },
                    contract_signature_encrypted_private_key: (&[]).into(),
                    dh_params: (&[]).into(),
                    contract_id: "".into(),
                })
            }
        }
    }

    fn service_discovery<'s>(&self, payment: &'s [PaymentOption]) -> BodyElement<'s> {
        BodyElement::ServiceDiscoveryRes(ServiceDiscoveryRes {
            response_code: self.code(),
            payment_options: PaymentOptions { payment_option: payment.into() },
            charge_service: ServiceCharge {
                service_tag: ServiceTag {
                    service_id: CHARGE_SERVICE,
                    service_name: None,
                    service_category: ServiceCategory::EvCharging,
                    service_scope: None,
                },
                free_service: self.config.authorisation == crate::Authorisation::Free,
                energy_transfer_type: match self.config.energy_transfer {
                    EnergyTransfer::Core => EvseSupportedEnergyTransfer::DcCore,
                    EnergyTransfer::Extended => EvseSupportedEnergyTransfer::DcExtended,
                },
            },
            service_list: None,
        })
    }

    fn charge_parameter<'s>(&self, schedules: &'s [SaScheduleTuple<'s>]) -> BodyElement<'s> {
        let own = &self.config.limits;
        BodyElement::ChargeParameterDiscoveryRes(ChargeParameterDiscoveryRes {
            response_code: self.code(),
            evse_processing: self.processing(),
            sa_schedules: SaSchedules::List(SaScheduleList { sa_schedule_tuple: schedules.into() }),
            evse_charge_parameter: EvseChargeParameter::Dc(DcEvseChargeParameter {
                dc_evse_status: self.status(),
                evse_maximum_current_limit: limit(own.max_current_ma, UnitSymbol::A),
                evse_maximum_power_limit: Some(watts(own.max_power_w)),
                evse_maximum_voltage_limit: limit(own.max_voltage_mv, UnitSymbol::V),
                evse_minimum_current_limit: limit(own.min_current_ma, UnitSymbol::A),
                evse_minimum_voltage_limit: limit(own.min_voltage_mv, UnitSymbol::V),
                evse_current_regulation_tolerance: None,
                evse_peak_current_ripple: limit(self.config.ripple_ma, UnitSymbol::A),
                evse_energy_to_be_delivered: None,
            }),
        })
    }

    fn current_demand(&self) -> BodyElement<'e> {
        let own = &self.config.limits;
        let [current, voltage, power] = self.answer.achieved;
        BodyElement::CurrentDemandRes(CurrentDemandRes {
            response_code: self.code(),
            dc_evse_status: self.status(),
            evse_present_voltage: measured(self.answer.present.voltage_mv, UnitSymbol::V),
            // DIN knows no current out of the car (spec: never negative); what flows backwards is judged with its sign.
            evse_present_current: measured(self.answer.present.current_ma.max(0), UnitSymbol::A),
            evse_current_limit_achieved: current,
            evse_voltage_limit_achieved: voltage,
            evse_power_limit_achieved: power,
            evse_maximum_voltage_limit: Some(limit(own.max_voltage_mv, UnitSymbol::V)),
            evse_maximum_current_limit: Some(limit(own.max_current_ma, UnitSymbol::A)),
            evse_maximum_power_limit: Some(watts(own.max_power_w)),
        })
    }

    fn status(&self) -> DcEvseStatus {
        let answer = self.answer;
        DcEvseStatus {
            evse_isolation_status: answer.isolation.map(|isolation| match isolation {
                Isolation::Measuring => IsolationLevel::Invalid,
                Isolation::Valid => IsolationLevel::Valid,
                Isolation::Warning => IsolationLevel::Warning,
                Isolation::Fault => IsolationLevel::Fault,
            }),
            evse_status_code: match answer.status {
                Status::NotReady => DcEvseStatusCode::EvseNotReady,
                Status::Ready => DcEvseStatusCode::EvseReady,
                Status::Shutdown => DcEvseStatusCode::EvseShutdown,
                Status::UtilityInterrupt => DcEvseStatusCode::EvseUtilityInterruptEvent,
                Status::IsolationMonitoring => DcEvseStatusCode::EvseIsolationMonitoringActive,
                Status::EmergencyShutdown => DcEvseStatusCode::EvseEmergencyShutdown,
                Status::Malfunction => DcEvseStatusCode::EvseMalfunction,
            },
            notification_max_delay: 0,
            evse_notification: if answer.notify_stop {
                EvseNotification::StopCharging
            } else {
                EvseNotification::None
            },
        }
    }

    fn processing(&self) -> EvseProcessing {
        if self.answer.finished { EvseProcessing::Finished } else { EvseProcessing::Ongoing }
    }

    fn code(&self) -> ResponseCode {
        response_code(self.answer.verdict)
    }
}

const fn response_code(verdict: Verdict) -> ResponseCode {
    match verdict {
        Verdict::Ok => ResponseCode::Ok,
        Verdict::NewSession => ResponseCode::OkNewSessionEstablished,
        Verdict::Failed => ResponseCode::Failed,
        Verdict::SequenceError => ResponseCode::FailedSequenceError,
        Verdict::UnknownSession => ResponseCode::FailedUnknownSession,
        Verdict::ServiceSelectionInvalid => ResponseCode::FailedServiceSelectionInvalid,
        Verdict::PaymentSelectionInvalid => ResponseCode::FailedPaymentSelectionInvalid,
        Verdict::WrongEnergyTransfer => ResponseCode::FailedWrongEnergyTransferType,
        Verdict::WrongChargeParameter => ResponseCode::FailedWrongChargeParameter,
        Verdict::PowerDeliveryNotApplied => ResponseCode::FailedPowerDeliveryNotApplied,
        Verdict::TariffSelectionInvalid => ResponseCode::FailedTariffSelectionInvalid,
        Verdict::ChargingProfileInvalid => ResponseCode::FailedChargingProfileInvalid,
        Verdict::PresentVoltageTooLow => ResponseCode::FailedEvsePresentVoltageToLow,
    }
}

/// What an AC charger would be, for answers that refuse.
const AC_STATUS: AcEvseStatus = AcEvseStatus {
    power_switch_closed: false,
    rcd: false,
    notification_max_delay: 0,
    evse_notification: EvseNotification::None,
};

/// An `i32` in thousandths always fits a physical value: 2.1 MV is 21 475 * 10^2.
const NOTHING: PhysicalValue = PhysicalValue { multiplier: UnitMultiplier::MIN, unit: None, value: 0 };

fn limit(milli: i32, unit: UnitSymbol) -> PhysicalValue {
    PhysicalValue::limit(i64::from(milli), unit).unwrap_or(NOTHING)
}

fn measured(milli: i32, unit: UnitSymbol) -> PhysicalValue {
    PhysicalValue::measurement(i64::from(milli), unit).unwrap_or(NOTHING)
}

fn watts(watts: i32) -> PhysicalValue {
    PhysicalValue::limit(i64::from(watts) * 1000, UnitSymbol::W).unwrap_or(NOTHING)
}

/// The schema's name of a car's error.
pub(crate) fn error_name(error: u8) -> Option<&'static str> {
    DcEvErrorCode::from_index(error.into()).map(DcEvErrorCode::name)
}

/// The schema's name of the code of a verdict.
pub(crate) const fn verdict_name(verdict: Verdict) -> &'static str {
    response_code(verdict).name()
}

/// The schema's name of an answer's code.
pub(crate) fn code_name(answer: &Answer) -> &'static str {
    match (answer.kind, answer.agreed) {
        (Kind::Handshake, agreed) => match handshake_answer(agreed) {
            Handshake::Res(res) => res.response_code.name(),
            Handshake::Req(_) => "",
        },
        _ => verdict_name(answer.verdict),
    }
}
