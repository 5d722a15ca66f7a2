//! Requests and responses in protocol-independent types. Order, policy and plant do not depend on a message
//! set.

use heapless::Vec;
use session::{Exchange, Limits, Protocol, Target, Values};

use crate::{EnergyTransfer, Isolation, Status};

/// A session id; compared byte by byte.
pub(crate) type SessionId = Vec<u8, 8>;

/// The id of the only offered service.
pub(crate) const CHARGE_SERVICE: u16 = 1;
/// The id of the only offered schedule.
pub(crate) const SCHEDULE: u8 = 1;

/// The car's status in a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct CarStatus {
    pub(crate) ready: bool,
    pub(crate) error: u8,
    pub(crate) soc_percent: u8,
}

impl CarStatus {
    /// Whether the car may receive current.
    pub(crate) const fn is_fine(self) -> bool {
        self.ready && self.error == 0
    }
}

/// The power that the car plans to draw over time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Profile {
    /// The id of its schedule.
    pub(crate) schedule: i32,
    /// The highest power of its entries, in W; 0 where it has none.
    pub(crate) most_w: i32,
}

/// The content of a request, as far as the charger uses it.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Content {
    /// A handshake; the chosen protocol, `None` without one in common.
    Handshake(Option<Agreed>),
    SessionSetup {
        evccid_bytes: usize,
    },
    ServiceSelection {
        external: bool,
        only_service: Option<u16>,
    },
    ChargeParameters {
        transfer: Option<EnergyTransfer>,
        car: Option<(CarStatus, Limits)>,
    },
    CableCheck(CarStatus),
    PreCharge(CarStatus, Target),
    PowerOn {
        profile: Option<Profile>,
        status: Option<CarStatus>,
    },
    PowerOff(Option<CarStatus>),
    CurrentDemand {
        status: CarStatus,
        target: Target,
        limits: Limits,
    },
    WeldingDetection(CarStatus),
    /// No content that the charger uses.
    Nothing,
}

impl Content {
    /// The car's status, where the request has it.
    pub(crate) const fn status(&self) -> Option<CarStatus> {
        match self {
            Self::CableCheck(status)
            | Self::PreCharge(status, _)
            | Self::WeldingDetection(status)
            | Self::CurrentDemand { status, .. }
            | Self::ChargeParameters { car: Some((status, _)), .. } => Some(*status),
            Self::PowerOn { status, .. } | Self::PowerOff(status) => *status,
            _ => None,
        }
    }

    /// The car's error code, 0 for none.
    pub(crate) fn car_error(&self) -> u8 {
        self.status().map_or(0, |status| status.error)
    }

    /// The main values of the request.
    pub(crate) fn values(&self) -> Values {
        let status = self.status();
        let values = Values {
            soc_percent: status.map(|status| status.soc_percent),
            car_error: status.map(|status| status.error).filter(|error| *error != 0),
            ..Values::default()
        };
        match self {
            Self::ChargeParameters { car: Some((_, limits)), .. } => {
                Values { limits: Some(*limits), ..values }
            }
            Self::PowerOn { .. } => Values { power_on: Some(true), ..values },
            Self::PowerOff(_) => Values { power_on: Some(false), ..values },
            Self::PreCharge(_, target) | Self::CurrentDemand { target, .. } => {
                Values { target: Some(*target), ..values }
            }
            _ => values,
        }
    }
}

/// A protocol that the car offers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Offer {
    /// `None` for an unknown protocol.
    pub(crate) protocol: Option<Protocol>,
    pub(crate) major: u32,
    pub(crate) minor: u32,
    /// The car's `SchemaID` for it, 0..=255; 0 has no special meaning.
    pub(crate) schema_id: u8,
    /// The car's priority: 1 is the highest.
    pub(crate) priority: i8,
}

/// The protocol that both sides use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Agreed {
    pub(crate) protocol: Protocol,
    /// The car's `SchemaID` for it.
    pub(crate) schema_id: u8,
    /// The car's minor version differs.
    pub(crate) deviates: bool,
}

/// A request.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Request {
    pub(crate) exchange: Exchange,
    pub(crate) name: &'static str,
    pub(crate) session_id: SessionId,
    pub(crate) content: Content,
}

/// Why a payload is not a valid request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NoRequest {
    Undecodable { bit: u32 },
    NotARequest(&'static str),
}

/// The charger's decision about a request, with the reason of a refusal. Each protocol's wire has a response
/// code for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    Ok,
    NewSession,
    /// Refused for a reason without its own code.
    Failed,
    OutOfOrder,
    UnknownSession,
    ServiceNotOffered,
    PaymentNotOffered,
    TransferNotOffered,
    ParametersDoNotFit,
    PowerNotApplied,
    ScheduleNotOffered,
    ProfileAboveSchedule,
    VoltageOffTarget,
}

/// A response, stored until it is encoded.
#[derive(Clone, Debug)]
pub(crate) struct Answer {
    pub(crate) protocol: Protocol,
    pub(crate) exchange: Exchange,
    pub(crate) session_id: SessionId,
    pub(crate) agreed: Option<Agreed>,
    pub(crate) verdict: Verdict,
    pub(crate) finished: bool,
    pub(crate) status: Status,
    pub(crate) isolation: Option<Isolation>,
    pub(crate) notify_stop: bool,
    pub(crate) present: Target,
    /// Whether current, voltage and power are limited by the charger.
    pub(crate) achieved: [bool; 3],
}

impl Answer {
    /// The response's name.
    pub(crate) fn name(&self) -> &'static str {
        self.exchange.names(self.protocol).response
    }

    /// The main values of the response; `code` is the response code's name.
    pub(crate) fn values(&self, code: &'static str) -> Values {
        use Exchange as X;
        let (has_finished, has_status, has_present) = match self.exchange {
            X::Authorisation => (true, false, false),
            X::ChargeParameters | X::CableCheck => (true, true, false),
            X::PreCharge | X::CurrentDemand | X::WeldingDetection => (false, true, true),
            X::PowerOn | X::PowerOff => (false, true, false),
            _ => (false, false, false),
        };
        Values {
            code: Some(code),
            finished: has_finished.then_some(self.finished),
            status: has_status.then_some(self.status),
            isolation: self.isolation.filter(|_| has_status),
            present: has_present.then_some(self.present),
            ..Values::default()
        }
    }
}
