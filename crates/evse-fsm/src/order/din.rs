//! The order of DIN SPEC 70121, by its state table of the EVSE.

use session::Exchange as X;

use super::state::{Next, Row, State as S};
use crate::Quirks;

/// The end of the session, in the states that permit it.
const STOP: (X, Next) = (X::SessionStop, Next::State(S::Over));

/// The requests that this state permits.
pub(super) const fn row(state: S) -> Row {
    match state {
        S::NoSession | S::Handshake | S::Over => &[],
        S::SessionSetup => &[(X::SessionSetup, Next::State(S::ServiceDiscovery))],
        S::ServiceDiscovery => &[(X::ServiceDiscovery, Next::State(S::ServiceSelection)), STOP],
        S::ServiceSelection => &[(X::ServiceSelection, Next::State(S::Authorisation)), STOP],
        S::Authorisation => &[(X::Authorisation, Next::State(S::ChargeParameters)), STOP],
        S::ChargeParameters => &[(X::ChargeParameters, Next::State(S::CableCheck)), STOP],
        S::CableCheck => &[(X::CableCheck, Next::State(S::PreCharge)), STOP],
        S::PreCharge => &[(X::PreCharge, Next::State(S::PreChargeOrPower)), STOP],
        S::PreChargeOrPower => &[
            (X::PreCharge, Next::State(S::PreChargeOrPower)),
            (X::PowerOn, Next::State(S::FirstDemand)),
            (X::PowerOff, Next::State(S::Welding)),
            STOP,
        ],
        S::FirstDemand => &[
            (X::CurrentDemand, Next::State(S::Demand)),
            (X::PowerOff, Next::Bent(S::Welding, Quirks::EARLY_POWER_OFF, "early-power-off")),
        ],
        S::Demand => &[
            (X::CurrentDemand, Next::State(S::Demand)),
            (X::PowerOff, Next::State(S::Welding)),
            (X::PowerOn, Next::Fatal),
        ],
        S::Welding => &[(X::WeldingDetection, Next::State(S::Welding)), STOP],
        S::StopOnly => &[STOP],
    }
}

/// Whether DC charging has a use for this exchange.
pub(super) const fn is_supported(exchange: X) -> bool {
    !matches!(
        exchange,
        X::ServiceDetail
            | X::PaymentDetails
            | X::ChargingStatus
            | X::MeteringReceipt
            | X::CertificateUpdate
            | X::CertificateInstallation
    )
}
