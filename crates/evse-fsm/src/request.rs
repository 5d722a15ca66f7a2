//! What a car asks for and what it is answered, in the charger's own words: order, policy and plant know no
//! message set.

use heapless::Vec;
use session::{Exchange, Limits, Protocol, Target, Values};

use crate::{EnergyTransfer, Isolation, Status};

/// A session id, byte-exact.
pub(crate) type SessionId = Vec<u8, 8>;

/// The number of the one service that is offered.
pub(crate) const CHARGE_SERVICE: u16 = 1;
/// The number of the one schedule that is offered.
pub(crate) const SCHEDULE: u8 = 1;

/// What the car says of itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct CarStatus {
    pub(crate) ready: bool,
    pub(crate) error: u8,
    pub(crate) soc_percent: u8,
}

impl CarStatus {
    /// Whether the car may be given current.
    pub(crate) const fn is_fine(self) -> bool {
        self.ready && self.error == 0
    }
}

/// What the car wants to draw over time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Profile {
    /// The number of the schedule that it belongs to.
    pub(crate) schedule: i32,
    /// The highest power of its entries, in W; 0 where it has none.
    pub(crate) most_w: i32,
}

/// The content of a request, as far as the charger needs it.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Content {
    /// A handshake and what was agreed.
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
    /// Nothing that matters.
    Nothing,
}

impl Content {
    /// What the car says of itself, where it does.
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

    /// The error that the car reports, 0 for none.
    pub(crate) fn car_error(&self) -> u8 {
        self.status().map_or(0, |status| status.error)
    }

    /// The main values.
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

/// One protocol that the car offers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Offer {
    /// Absent for one that is not known here.
    pub(crate) protocol: Option<Protocol>,
    pub(crate) major: u32,
    pub(crate) minor: u32,
    /// The car's number of it; 0 is a number like any other.
    pub(crate) schema_id: u8,
    /// How much the car wants it: 1 is the most.
    pub(crate) priority: i8,
}

/// A protocol that both sides speak.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Agreed {
    pub(crate) protocol: Protocol,
    /// The car's number of it.
    pub(crate) schema_id: u8,
    /// The car has another minor version of it.
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

/// Why a payload is no request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NoRequest {
    Undecodable { bit: u32 },
    NotARequest(&'static str),
}

/// How a request was met, and why where it was refused. Each protocol's wire has a response code for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    Ok,
    NewSession,
    /// Refused for a cause that has no code of its own.
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

/// An answer, kept until it is encoded.
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
    /// Current, voltage and power are held down by the charger's limits.
    pub(crate) achieved: [bool; 3],
}

impl Answer {
    /// The message's name.
    pub(crate) fn name(&self) -> &'static str {
        self.exchange.names(self.protocol).response
    }

    /// The main values; `code` is the response code's name.
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
