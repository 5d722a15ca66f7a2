//! What the car asks and what it is answered, in its own words: order, policy and plant know no message set.

use heapless::Vec;
use session::{Checkpoint, EnergyTransfer, Isolation, Limits, Phase, Status, Target};

use crate::{Time, Vehicle};

/// A session id, byte-exact.
pub(crate) type SessionId = Vec<u8, 8>;

/// The kinds of requests. Both directions of `PowerDelivery` are kinds of their own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Handshake,
    SessionSetup,
    ServiceDiscovery,
    PaymentSelection,
    Authentication,
    ChargeParameter,
    CableCheck,
    PreCharge,
    PowerOn,
    CurrentDemand,
    PowerOff,
    WeldingDetection,
    SessionStop,
}

/// What belongs to a kind of request.
pub(crate) struct Row {
    pub(crate) request: &'static str,
    pub(crate) response: &'static str,
    pub(crate) phase: Phase,
    pub(crate) sent: Checkpoint,
    pub(crate) received: Checkpoint,
    pub(crate) time: Time,
}

impl Kind {
    #[rustfmt::skip] // a table reads best with one row a line
    pub(crate) const fn row(self) -> Row {
        use Checkpoint as C;
        let (request, response, phase, sent, received, time) = match self {
            Self::Handshake => ("supportedAppProtocolReq", "supportedAppProtocolRes", Phase::Handshake, C::HANDSHAKE_REQ_SENT, C::HANDSHAKE_RES_RECEIVED, Time::Handshake),
            Self::SessionSetup => ("SessionSetupReq", "SessionSetupRes", Phase::SessionSetup, C::SESSION_SETUP_REQ, C::SESSION_SETUP_RES_RECEIVED, Time::SessionSetup),
            Self::ServiceDiscovery => ("ServiceDiscoveryReq", "ServiceDiscoveryRes", Phase::ServiceDiscovery, C::SERVICE_DISCOVERY_REQ, C::SERVICE_DISCOVERY_RES, Time::ServiceDiscovery),
            Self::PaymentSelection => ("ServicePaymentSelectionReq", "ServicePaymentSelectionRes", Phase::ServiceSelection, C::PAYMENT_SELECTION_REQ, C::PAYMENT_SELECTION_RES, Time::PaymentSelection),
            Self::Authentication => ("ContractAuthenticationReq", "ContractAuthenticationRes", Phase::Authorisation, C::AUTHENTICATION_REQ, C::AUTHENTICATION_RES, Time::Authentication),
            Self::ChargeParameter => ("ChargeParameterDiscoveryReq", "ChargeParameterDiscoveryRes", Phase::ChargeParameters, C::CHARGE_PARAMETER_REQ, C::CHARGE_PARAMETER_RES, Time::ChargeParameter),
            Self::CableCheck => ("CableCheckReq", "CableCheckRes", Phase::CableCheck, C::CABLE_CHECK_REQ, C::CABLE_CHECK_RES, Time::CableCheck),
            Self::PreCharge => ("PreChargeReq", "PreChargeRes", Phase::PreCharge, C::PRE_CHARGE_REQ, C::PRE_CHARGE_RES, Time::PreCharge),
            Self::PowerOn => ("PowerDeliveryReq", "PowerDeliveryRes", Phase::PowerOn, C::POWER_START_REQ, C::POWER_START_RES, Time::PowerOn),
            Self::CurrentDemand => ("CurrentDemandReq", "CurrentDemandRes", Phase::ChargeLoop, C::CURRENT_DEMAND_REQ, C::CURRENT_DEMAND_RES, Time::CurrentDemand),
            Self::PowerOff => ("PowerDeliveryReq", "PowerDeliveryRes", Phase::PowerOff, C::POWER_STOP_REQ, C::POWER_STOP_RES_RECEIVED, Time::PowerOff),
            Self::WeldingDetection => ("WeldingDetectionReq", "WeldingDetectionRes", Phase::WeldingDetection, C::WELDING_DETECTION_REQ, C::WELDING_DETECTION_RES, Time::WeldingDetection),
            Self::SessionStop => ("SessionStopReq", "SessionStopRes", Phase::SessionStop, C::SESSION_STOP_REQ, C::SESSION_STOP_RES, Time::SessionStop),
        };
        Row { request, response, phase, sent, received, time }
    }
}

/// A request, kept until it is encoded.
#[derive(Clone, Debug)]
pub(crate) struct Request {
    pub(crate) kind: Kind,
    pub(crate) session_id: SessionId,
    pub(crate) vehicle: Vehicle,
    pub(crate) transfer: EnergyTransfer,
    pub(crate) service_id: u16,
    pub(crate) is_ready: bool,
    pub(crate) target: Target,
}

/// What the charger says of itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ChargerStatus {
    pub(crate) status: Status,
    pub(crate) isolation: Option<Isolation>,
    /// `StopCharging`, and within how many seconds.
    pub(crate) stop_within_s: Option<u32>,
    /// The names of status and notification as they are on the wire.
    pub(crate) names: [&'static str; 2],
}

/// A response.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Response {
    pub(crate) name: &'static str,
    pub(crate) session_id: SessionId,
    /// The response code as it is on the wire.
    pub(crate) code: &'static str,
    /// What the code refuses.
    pub(crate) refusal: Option<Refusal>,
    pub(crate) content: Content,
}

/// What the charger refuses with its answer: the causes that the car tells apart, of all protocols.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Refusal {
    NoCommonProtocol,
    NotAuthorised,
    /// Its voltage is too far below the target of the precharge.
    PresentVoltageTooLow,
    /// Whatever else.
    Other,
}

/// The content of a response, as far as the car needs it.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Content {
    Handshake {
        schema_id: Option<u8>,
    },
    SessionSetup {
        is_new: bool,
    },
    ServiceDiscovery {
        service_id: u16,
        /// Core, extended.
        offers: [bool; 2],
        external: bool,
    },
    Authentication {
        finished: bool,
    },
    ChargeParameter {
        finished: bool,
        charger: Option<(ChargerStatus, Limits)>,
    },
    CableCheck {
        finished: bool,
        status: ChargerStatus,
    },
    /// `PreCharge` and `WeldingDetection`.
    Voltage {
        status: ChargerStatus,
        present_mv: i32,
    },
    PowerDelivery {
        status: Option<ChargerStatus>,
    },
    CurrentDemand {
        status: ChargerStatus,
        present: Target,
        /// What is absent is `i32::MAX`.
        limits: Limits,
    },
    /// Nothing that matters.
    Nothing,
}

impl Content {
    pub(crate) const fn status(&self) -> Option<ChargerStatus> {
        match self {
            Self::ChargeParameter { charger: Some((status, _)), .. }
            | Self::CableCheck { status, .. }
            | Self::Voltage { status, .. }
            | Self::CurrentDemand { status, .. } => Some(*status),
            Self::PowerDelivery { status } => *status,
            _ => None,
        }
    }

    pub(crate) const fn finished(&self) -> Option<bool> {
        match self {
            Self::Authentication { finished }
            | Self::ChargeParameter { finished, .. }
            | Self::CableCheck { finished, .. } => Some(*finished),
            _ => None,
        }
    }
}
