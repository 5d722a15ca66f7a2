//! Order: which request may come now.

use session::Phase;

use crate::request::Kind;

/// Where the session is: what it waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum State {
    NoSession,
    Handshake,
    SessionSetup,
    ServiceDiscovery,
    PaymentSelection,
    Authentication,
    ChargeParameter,
    CableCheck,
    PreCharge,
    /// At least one precharge was answered.
    PreChargeOrPower,
    /// Power is on, no current was asked for yet.
    FirstDemand,
    Demand,
    /// Power is off.
    Welding,
    /// Behind a refusal: only the end.
    StopOnly,
    Over,
}

impl State {
    /// Whether nothing may be energised yet, or no more: the connector lock is not needed.
    pub(crate) const fn is_before_power(self) -> bool {
        matches!(
            self,
            Self::NoSession
                | Self::Handshake
                | Self::SessionSetup
                | Self::ServiceDiscovery
                | Self::PaymentSelection
                | Self::Authentication
                | Self::ChargeParameter
        )
    }

    /// Whether the car was allowed to charge, and its session goes on.
    pub(crate) const fn is_authorised(self) -> bool {
        matches!(
            self,
            Self::ChargeParameter
                | Self::CableCheck
                | Self::PreCharge
                | Self::PreChargeOrPower
                | Self::FirstDemand
                | Self::Demand
        )
    }

    /// The requests that may come, after EVSE state table of DIN SPEC 70121 (spec: section 3).
    const fn allowed(self) -> &'static [Kind] {
        match self {
            Self::NoSession | Self::Over => &[],
            Self::Handshake => &[Kind::Handshake],
            Self::SessionSetup => &[Kind::SessionSetup],
            Self::ServiceDiscovery => &[Kind::ServiceDiscovery, Kind::SessionStop],
            Self::PaymentSelection => &[Kind::PaymentSelection, Kind::SessionStop],
            Self::Authentication => &[Kind::Authentication, Kind::SessionStop],
            Self::ChargeParameter => &[Kind::ChargeParameter, Kind::SessionStop],
            Self::CableCheck => &[Kind::CableCheck, Kind::SessionStop],
            Self::PreCharge => &[Kind::PreCharge, Kind::SessionStop],
            Self::PreChargeOrPower => &[Kind::PreCharge, Kind::PowerDelivery, Kind::SessionStop],
            // Before the first demand PowerDelivery comes by a quirk, and only to switch off.
            Self::FirstDemand | Self::Demand => &[Kind::CurrentDemand, Kind::PowerDelivery],
            Self::Welding => &[Kind::WeldingDetection, Kind::SessionStop],
            Self::StopOnly => &[Kind::SessionStop],
        }
    }

    /// Whether `kind` may come now.
    pub(crate) fn allows(self, kind: Kind) -> bool {
        self.allowed().contains(&kind)
    }

    /// Whether a session is open that a session id belongs to.
    pub(crate) const fn has_session(self) -> bool {
        !matches!(self, Self::NoSession | Self::Handshake | Self::SessionSetup | Self::Over)
    }
}

/// The phase in which a request is answered.
pub(crate) const fn phase_of(kind: Kind, on: bool) -> Option<Phase> {
    Some(match kind {
        Kind::Handshake => Phase::Handshake,
        Kind::SessionSetup => Phase::SessionSetup,
        Kind::ServiceDiscovery => Phase::ServiceDiscovery,
        Kind::PaymentSelection => Phase::ServiceSelection,
        Kind::Authentication => Phase::Authorisation,
        Kind::ChargeParameter => Phase::ChargeParameters,
        Kind::CableCheck => Phase::CableCheck,
        Kind::PreCharge => Phase::PreCharge,
        Kind::PowerDelivery => {
            if on {
                Phase::PowerOn
            } else {
                Phase::PowerOff
            }
        }
        Kind::CurrentDemand => Phase::ChargeLoop,
        Kind::WeldingDetection => Phase::WeldingDetection,
        Kind::SessionStop => Phase::SessionStop,
        _ => return None,
    })
}
