//! Responses as messages of DIN SPEC 70121.

use exi::{Attribute, List};
#[allow(
    clippy::wildcard_imports,
    reason = "this module is where the message set is known: nearly all of it"
)]
use exi_din::*;
use session::Exchange;

use crate::request::{Answer, CHARGE_SERVICE, SCHEDULE, Verdict};
use crate::{Authorisation, Config, EnergyTransfer, Isolation, Status};

/// Length of the schedule, in s: one day.
const DAY_S: u32 = 86_400;
/// The notification that requests the car to stop.
pub(in crate::wire) const STOP: EvseNotification = EvseNotification::StopCharging;
/// The schedule's id as DIN encodes it.
const TUPLE: i16 = SCHEDULE as i16;

/// Encodes a response.
pub(in crate::wire) fn encode(
    answer: &Answer,
    config: &Config,
    buffer: &mut [u8],
) -> Result<usize, exi::Error> {
    let body = Encoder { answer, config };
    let schedule_entries = [PMaxScheduleEntry {
        time_interval: TimeInterval::Relative(RelativeTimeInterval { start: 0, duration: Some(DAY_S) }),
        p_max: schedule_power(config.limits.max_power_w),
    }];
    let schedules = [SaScheduleTuple {
        sa_schedule_tuple_id: TUPLE,
        p_max_schedule: PMaxSchedule {
            p_max_schedule_id: TUPLE,
            p_max_schedule_entry: List::from(&schedule_entries),
        },
        sales_tariff: None,
    }];
    let payment = [PaymentOption::ExternalPayment];
    let element = match answer.exchange {
        Exchange::ChargeParameters => body.charge_parameter(&schedules),
        Exchange::ServiceDiscovery => body.service_discovery(&payment),
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

struct Encoder<'e> {
    answer: &'e Answer,
    config: &'e Config,
}

impl<'e> Encoder<'e> {
    fn element(&self) -> BodyElement<'e> {
        let code = self.code();
        let evse_id = self.config.evse_id.as_slice().into();
        match self.answer.exchange {
            Exchange::Handshake
            | Exchange::SessionSetup
            | Exchange::ServiceDiscovery
            | Exchange::ChargeParameters => BodyElement::SessionSetupRes(SessionSetupRes {
                response_code: code,
                evse_id,
                date_time_now: None,
            }),
            Exchange::ServiceSelection => {
                BodyElement::ServicePaymentSelectionRes(ServicePaymentSelectionRes { response_code: code })
            }
            Exchange::Authorisation => BodyElement::ContractAuthenticationRes(ContractAuthenticationRes {
                response_code: code,
                evse_processing: self.processing(),
            }),
            Exchange::CableCheck => BodyElement::CableCheckRes(CableCheckRes {
                response_code: code,
                dc_evse_status: self.status(),
                evse_processing: self.processing(),
            }),
            Exchange::PreCharge => BodyElement::PreChargeRes(PreChargeRes {
                response_code: code,
                dc_evse_status: self.status(),
                evse_present_voltage: measured(self.answer.present.voltage_mv, UnitSymbol::V),
            }),
            Exchange::PowerOn | Exchange::PowerOff => BodyElement::PowerDeliveryRes(PowerDeliveryRes {
                response_code: code,
                evse_status: EvseStatus::Dc(self.status()),
            }),
            Exchange::CurrentDemand => self.current_demand(),
            Exchange::WeldingDetection => BodyElement::WeldingDetectionRes(WeldingDetectionRes {
                response_code: code,
                dc_evse_status: self.status(),
                evse_present_voltage: measured(self.answer.present.voltage_mv, UnitSymbol::V),
            }),
            Exchange::SessionStop => BodyElement::SessionStopRes(SessionStopRes { response_code: code }),
            Exchange::ServiceDetail => BodyElement::ServiceDetailRes(ServiceDetailRes {
                response_code: code,
                service_id: CHARGE_SERVICE,
                service_parameter_list: None,
            }),
            Exchange::PaymentDetails => BodyElement::PaymentDetailsRes(PaymentDetailsRes {
                response_code: code,
                gen_challenge: "".into(),
                date_time_now: 0,
            }),
            Exchange::ChargingStatus => BodyElement::ChargingStatusRes(ChargingStatusRes {
                response_code: code,
                evse_id,
                sa_schedule_tuple_id: TUPLE,
                evse_max_current: None,
                meter_info: None,
                receipt_required: false,
                ac_evse_status: AC_STATUS,
            }),
            Exchange::MeteringReceipt => BodyElement::MeteringReceiptRes(MeteringReceiptRes {
                response_code: code,
                ac_evse_status: AC_STATUS,
            }),
            Exchange::CertificateUpdate => BodyElement::CertificateUpdateRes(CertificateUpdateRes {
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
            Exchange::CertificateInstallation => {
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
                free_service: self.config.authorisation == Authorisation::Free,
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
            // DIN has no current out of the car (spec: never negative); the safety rules use the measured
            // sign.
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
            evse_notification: if answer.notify_stop { STOP } else { EvseNotification::None },
        }
    }

    fn processing(&self) -> EvseProcessing {
        if self.answer.finished { EvseProcessing::Finished } else { EvseProcessing::Ongoing }
    }

    fn code(&self) -> ResponseCode {
        response_code(self.answer.verdict)
    }
}

pub(in crate::wire) const fn response_code(verdict: Verdict) -> ResponseCode {
    match verdict {
        Verdict::Ok => ResponseCode::Ok,
        Verdict::NewSession => ResponseCode::OkNewSessionEstablished,
        Verdict::Failed => ResponseCode::Failed,
        Verdict::OutOfOrder => ResponseCode::FailedSequenceError,
        Verdict::UnknownSession => ResponseCode::FailedUnknownSession,
        Verdict::ServiceNotOffered => ResponseCode::FailedServiceSelectionInvalid,
        Verdict::PaymentNotOffered => ResponseCode::FailedPaymentSelectionInvalid,
        Verdict::TransferNotOffered => ResponseCode::FailedWrongEnergyTransferType,
        Verdict::ParametersDoNotFit => ResponseCode::FailedWrongChargeParameter,
        Verdict::PowerNotApplied => ResponseCode::FailedPowerDeliveryNotApplied,
        Verdict::ScheduleNotOffered => ResponseCode::FailedTariffSelectionInvalid,
        Verdict::ProfileAboveSchedule => ResponseCode::FailedChargingProfileInvalid,
        Verdict::VoltageOffTarget => ResponseCode::FailedEvsePresentVoltageToLow,
    }
}

/// The power of the schedule in W: its field ends at 32 767 W.
fn schedule_power(max_power_w: i32) -> i16 {
    i16::try_from(max_power_w).unwrap_or(i16::MAX)
}

/// The status of an AC charger, for responses that refuse.
const AC_STATUS: AcEvseStatus = AcEvseStatus {
    power_switch_closed: false,
    rcd: false,
    notification_max_delay: 0,
    evse_notification: EvseNotification::None,
};

/// Stands for a value that cannot be encoded. An `i32` in thousandths always can: 2.1 MV is 21 475 * 10^2.
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_refusal_has_a_code_that_fails_and_every_cause_of_its_own_a_code_of_its_own() {
        let refusals = [
            Verdict::Failed,
            Verdict::OutOfOrder,
            Verdict::UnknownSession,
            Verdict::ServiceNotOffered,
            Verdict::PaymentNotOffered,
            Verdict::TransferNotOffered,
            Verdict::ParametersDoNotFit,
            Verdict::PowerNotApplied,
            Verdict::ScheduleNotOffered,
            Verdict::ProfileAboveSchedule,
            Verdict::VoltageOffTarget,
        ]
        .map(|verdict| response_code(verdict).name());
        for (index, name) in refusals.iter().enumerate() {
            assert!(name.starts_with("FAILED"), "{name}");
            assert!(!refusals[..index].contains(name), "{name} twice");
        }
        for verdict in [Verdict::Ok, Verdict::NewSession] {
            assert!(response_code(verdict).name().starts_with("OK"));
        }
    }

    #[test]
    fn power_that_a_schedule_cannot_name_is_offered_as_the_most_that_it_can() {
        for (max_power_w, named) in [(32_767, 32_767), (32_768, i16::MAX), (350_000, i16::MAX)] {
            assert_eq!(schedule_power(max_power_w), named);
        }
    }
}
