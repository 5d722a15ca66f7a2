//! What a car asks for and what it is answered, in the charger's own words: order, policy and plant know no
//! message set.

use heapless::Vec;
use session::{Limits, Target};

use crate::{EnergyTransfer, Isolation, Status};

/// A session id, byte-exact.
pub(crate) type SessionId = Vec<u8, 8>;

/// The kinds of requests: each has an answer of its own.
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
    PowerDelivery,
    CurrentDemand,
    WeldingDetection,
    SessionStop,
    /// Requests that DC charging has no use for.
    ServiceDetail,
    PaymentDetails,
    ChargingStatus,
    MeteringReceipt,
    CertificateUpdate,
    CertificateInstallation,
}

impl Kind {
    /// Whether DC charging has a use for it.
    pub(crate) const fn is_supported(self) -> bool {
        !matches!(
            self,
            Self::ServiceDetail
                | Self::PaymentDetails
                | Self::ChargingStatus
                | Self::MeteringReceipt
                | Self::CertificateUpdate
                | Self::CertificateInstallation
        )
    }
}

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

/// The content of a request, as far as the charger needs it.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Content {
    /// A handshake and what was agreed.
    Handshake(Agreed),
    SessionSetup {
        evccid_bytes: usize,
    },
    PaymentSelection {
        external: bool,
        only_service: Option<u16>,
    },
    ChargeParameter {
        transfer: Option<EnergyTransfer>,
        car: Option<(CarStatus, Limits)>,
    },
    CableCheck(CarStatus),
    PreCharge(CarStatus, Target),
    PowerDelivery {
        on: bool,
        tuple: Option<i16>,
        profile_w: i32,
        status: Option<CarStatus>,
    },
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
    /// The error that the car reports, 0 for none.
    pub(crate) fn car_error(&self) -> u8 {
        match self {
            Self::CableCheck(status)
            | Self::PreCharge(status, _)
            | Self::WeldingDetection(status)
            | Self::CurrentDemand { status, .. }
            | Self::PowerDelivery { status: Some(status), .. }
            | Self::ChargeParameter { car: Some((status, _)), .. } => status.error,
            _ => 0,
        }
    }
}

/// How a handshake ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Agreed {
    /// The car's number of the protocol, and whether its minor version differs.
    Yes {
        schema_id: u8,
        deviates: bool,
    },
    No,
}

/// A request.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Request {
    pub(crate) kind: Kind,
    pub(crate) name: &'static str,
    pub(crate) session_id: SessionId,
    pub(crate) content: Content,
}

/// How a request was met: the causes that have a response code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    Ok,
    NewSession,
    Failed,
    SequenceError,
    UnknownSession,
    ServiceSelectionInvalid,
    PaymentSelectionInvalid,
    WrongEnergyTransfer,
    WrongChargeParameter,
    PowerDeliveryNotApplied,
    TariffSelectionInvalid,
    ChargingProfileInvalid,
    PresentVoltageTooLow,
}

/// An answer, kept until it is encoded.
#[derive(Clone, Debug)]
pub(crate) struct Answer {
    pub(crate) kind: Kind,
    pub(crate) name: &'static str,
    pub(crate) session_id: SessionId,
    pub(crate) agreed: Agreed,
    pub(crate) verdict: Verdict,
    pub(crate) finished: bool,
    pub(crate) status: Status,
    pub(crate) isolation: Option<Isolation>,
    pub(crate) notify_stop: bool,
    pub(crate) present: Target,
    /// Current, voltage and power are held down by the charger's limits.
    pub(crate) achieved: [bool; 3],
}
