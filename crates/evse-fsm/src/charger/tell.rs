//! What people and logs are told.

use session::{Checkpoint, Phase};

use super::Charger;
use crate::din;
use crate::request::{Answer, CarStatus, Content, Kind, Request};
use crate::{Direction, Event, Message, Values};

impl Charger {
    pub(super) fn set_phase(&mut self, phase: Phase) {
        if phase != self.phase {
            self.phase = phase;
            self.events.push(Event::Phase(phase));
        }
    }

    pub(super) fn checkpoint(&mut self, checkpoint: Checkpoint) {
        self.events.push(Event::Checkpoint(checkpoint));
    }

    pub(super) fn tell_request(&mut self, request: &Request) {
        let mut values = Values::default();
        let mut car = |status: CarStatus| {
            values.soc_percent = Some(status.soc_percent);
            values.car_error = (status.error != 0).then_some(status.error);
        };
        match &request.content {
            Content::ChargeParameter { car: Some((status, limits)), .. } => {
                car(*status);
                values.limits = Some(*limits);
            }
            Content::CableCheck(status) | Content::WeldingDetection(status) => car(*status),
            Content::PowerDelivery { on, status, .. } => {
                if let Some(status) = status {
                    car(*status);
                }
                values.power_on = Some(*on);
            }
            Content::PreCharge(status, target) | Content::CurrentDemand { status, target, .. } => {
                car(*status);
                values.target = Some(*target);
            }
            _ => {}
        }
        let on = values.power_on.unwrap_or(true);
        let (checkpoint, _) = checkpoints(request.kind, on);
        let direction = Direction::Received;
        self.events.push(Event::Message(Message { direction, name: request.name, checkpoint, values }));
    }

    pub(super) fn tell_answer(&mut self, answer: &Answer, request: &Request) {
        let has_status = matches!(
            answer.kind,
            Kind::ChargeParameter
                | Kind::CableCheck
                | Kind::PreCharge
                | Kind::PowerDelivery
                | Kind::CurrentDemand
                | Kind::WeldingDetection
        );
        let has_present =
            matches!(answer.kind, Kind::PreCharge | Kind::CurrentDemand | Kind::WeldingDetection);
        let processed =
            matches!(answer.kind, Kind::Authentication | Kind::ChargeParameter | Kind::CableCheck);
        let values = Values {
            code: Some(din::code_name(answer)),
            finished: processed.then_some(answer.finished),
            status: has_status.then_some(answer.status),
            isolation: answer.isolation.filter(|_| has_status),
            present: has_present.then_some(answer.present),
            ..Values::default()
        };
        let on = !matches!(request.content, Content::PowerDelivery { on: false, .. });
        let (_, checkpoint) = checkpoints(answer.kind, on);
        let direction = Direction::Sent;
        self.events.push(Event::Message(Message { direction, name: answer.name, checkpoint, values }));
    }
}

pub(super) const fn response_name(kind: Kind) -> &'static str {
    match kind {
        Kind::Handshake => "supportedAppProtocolRes",
        Kind::SessionSetup => "SessionSetupRes",
        Kind::ServiceDiscovery => "ServiceDiscoveryRes",
        Kind::PaymentSelection => "ServicePaymentSelectionRes",
        Kind::Authentication => "ContractAuthenticationRes",
        Kind::ChargeParameter => "ChargeParameterDiscoveryRes",
        Kind::CableCheck => "CableCheckRes",
        Kind::PreCharge => "PreChargeRes",
        Kind::PowerDelivery => "PowerDeliveryRes",
        Kind::CurrentDemand => "CurrentDemandRes",
        Kind::WeldingDetection => "WeldingDetectionRes",
        Kind::SessionStop => "SessionStopRes",
        Kind::ServiceDetail => "ServiceDetailRes",
        Kind::PaymentDetails => "PaymentDetailsRes",
        Kind::ChargingStatus => "ChargingStatusRes",
        Kind::MeteringReceipt => "MeteringReceiptRes",
        Kind::CertificateUpdate => "CertificateUpdateRes",
        Kind::CertificateInstallation => "CertificateInstallationRes",
    }
}

/// The checkpoints of a request and of its answer.
const fn checkpoints(kind: Kind, on: bool) -> (Option<Checkpoint>, Option<Checkpoint>) {
    let (request, answer) = match kind {
        Kind::Handshake => (Checkpoint::HANDSHAKE_REQ_RECEIVED, Checkpoint::HANDSHAKE_RES_SENT),
        Kind::SessionSetup => (Checkpoint::SESSION_SETUP_REQ, Checkpoint::SESSION_SETUP_RES_SENT),
        Kind::ServiceDiscovery => (Checkpoint::SERVICE_DISCOVERY_REQ, Checkpoint::SERVICE_DISCOVERY_RES),
        Kind::PaymentSelection => (Checkpoint::PAYMENT_SELECTION_REQ, Checkpoint::PAYMENT_SELECTION_RES),
        Kind::Authentication => (Checkpoint::AUTHENTICATION_REQ, Checkpoint::AUTHENTICATION_RES),
        Kind::ChargeParameter => (Checkpoint::CHARGE_PARAMETER_REQ, Checkpoint::CHARGE_PARAMETER_RES),
        Kind::CableCheck => (Checkpoint::CABLE_CHECK_REQ, Checkpoint::CABLE_CHECK_RES),
        Kind::PreCharge => (Checkpoint::PRE_CHARGE_REQ, Checkpoint::PRE_CHARGE_RES),
        Kind::PowerDelivery if on => (Checkpoint::POWER_START_REQ, Checkpoint::POWER_START_RES),
        Kind::PowerDelivery => (Checkpoint::POWER_STOP_REQ, Checkpoint::POWER_STOP_RES_SENT),
        Kind::CurrentDemand => (Checkpoint::CURRENT_DEMAND_REQ, Checkpoint::CURRENT_DEMAND_RES),
        Kind::WeldingDetection => (Checkpoint::WELDING_DETECTION_REQ, Checkpoint::WELDING_DETECTION_RES),
        Kind::SessionStop => (Checkpoint::SESSION_STOP_REQ, Checkpoint::SESSION_STOP_RES),
        _ => return (None, None),
    };
    (Some(request), Some(answer))
}
