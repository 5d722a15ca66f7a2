use session::Exchange;

use crate::Quirks;

/// The request that the session waits for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum State {
    #[default]
    NoSession,
    Handshake,
    SessionSetup,
    ServiceDiscovery,
    ServiceSelection,
    Authorisation,
    ChargeParameters,
    CableCheck,
    PreCharge,
    /// After at least one response to `PreCharge`.
    PreChargeOrPower,
    /// Power is on, no current was requested yet.
    FirstDemand,
    Demand,
    /// Power is off.
    Welding,
    /// After a refusal: only the end is permitted.
    StopOnly,
    Over,
}

/// The result of a request in a state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Next {
    /// It is permitted; after it the session is in this state.
    State(State),
    /// It is permitted with this quirk; after it the session is in this state.
    Bent(State, Quirks, &'static str),
    /// It is refused without the order as the reason, and the connection is closed.
    Fatal,
    /// It is out of order.
    OutOfOrder,
}

/// A row of a protocol's table: the requests that a state permits.
pub(super) type Row = &'static [(Exchange, Next)];

impl State {
    /// Whether nothing may be energised in this state: the connector lock is not needed.
    pub(crate) const fn is_before_power(self) -> bool {
        matches!(
            self,
            Self::NoSession
                | Self::Handshake
                | Self::SessionSetup
                | Self::ServiceDiscovery
                | Self::ServiceSelection
                | Self::Authorisation
                | Self::ChargeParameters
        )
    }

    /// Whether the car is authorised to charge, and its session continues.
    pub(crate) const fn is_authorised(self) -> bool {
        matches!(
            self,
            Self::ChargeParameters
                | Self::CableCheck
                | Self::PreCharge
                | Self::PreChargeOrPower
                | Self::FirstDemand
                | Self::Demand
        )
    }

    /// Whether a session with a session id is open.
    pub(crate) const fn has_session(self) -> bool {
        !matches!(self, Self::NoSession | Self::Handshake | Self::SessionSetup | Self::Over)
    }

    /// Whether any message is permitted.
    pub(crate) const fn is_open(self) -> bool {
        !matches!(self, Self::NoSession | Self::Over)
    }
}
