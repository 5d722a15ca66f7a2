//! Requests and responses in protocol-independent types. Order, policy and plant do not depend on a message
//! set.

use heapless::Vec;
use session::{EnergyTransfer, Exchange, Isolation, Limits, Status, Target};

use crate::Vehicle;

/// A session id; compared byte by byte.
pub(crate) type SessionId = Vec<u8, 8>;

/// A request, stored until it is encoded.
#[derive(Clone, Debug)]
pub(crate) struct Request {
    pub(crate) exchange: Exchange,
    pub(crate) session_id: SessionId,
    pub(crate) vehicle: Vehicle,
    pub(crate) transfer: EnergyTransfer,
    pub(crate) service_id: u16,
    pub(crate) is_ready: bool,
    pub(crate) target: Target,
}

/// The charger's status in a response.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ChargerStatus {
    pub(crate) status: Status,
    pub(crate) isolation: Option<Isolation>,
    /// `StopCharging` and its time limit in s.
    pub(crate) stop_within_s: Option<u32>,
    /// The names of status and notification as in the message.
    pub(crate) names: [&'static str; 2],
}

/// A response.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Response {
    pub(crate) name: &'static str,
    pub(crate) session_id: SessionId,
    /// The response code as in the message.
    pub(crate) code: &'static str,
    /// What the code refuses; `None` for a positive code.
    pub(crate) refusal: Option<Refusal>,
    pub(crate) content: Content,
}

/// Refusals of all protocols that the car distinguishes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Refusal {
    NoCommonProtocol,
    NotAuthorised,
    /// The charger's voltage is too far below the target of the precharge.
    PresentVoltageTooLow,
    /// Any other refusal.
    Other,
}

/// The content of a response, as far as the car uses it.
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
    Authorisation {
        finished: bool,
    },
    ChargeParameters {
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
        /// Absent limits are `i32::MAX`.
        limits: Limits,
    },
    /// No content that the car uses.
    Nothing,
}

impl Content {
    pub(crate) const fn status(&self) -> Option<ChargerStatus> {
        match self {
            Self::ChargeParameters { charger: Some((status, _)), .. }
            | Self::CableCheck { status, .. }
            | Self::Voltage { status, .. }
            | Self::CurrentDemand { status, .. } => Some(*status),
            Self::PowerDelivery { status } => *status,
            _ => None,
        }
    }

    pub(crate) const fn finished(&self) -> Option<bool> {
        match self {
            Self::Authorisation { finished }
            | Self::ChargeParameters { finished, .. }
            | Self::CableCheck { finished, .. } => Some(*finished),
            _ => None,
        }
    }
}
