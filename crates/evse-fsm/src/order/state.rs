use session::Exchange;

use crate::Quirks;

/// What the session waits for.
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
    /// At least one precharge was answered.
    PreChargeOrPower,
    /// Power is on, no current was asked for yet.
    FirstDemand,
    Demand,
    /// Power is off.
    Welding,
    /// After a refusal: only the end.
    StopOnly,
    Over,
}

/// What comes of a request in a state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Next {
    /// It may come, and once it is done the session waits for this.
    State(State),
    /// Likewise, where this quirk is on.
    Bent(State, Quirks, &'static str),
    /// It is refused without a word about the order, and the connection is closed.
    Fatal,
    /// It is out of order.
    OutOfOrder,
}

/// A row of a protocol's table: the requests that may come in a state.
pub(super) type Row = &'static [(Exchange, Next)];

impl State {
    /// Whether nothing may be energised yet, or no more: the connector lock is not needed.
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

    /// Whether the car was allowed to charge, and its session goes on.
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

    /// Whether a session is open that a session id belongs to.
    pub(crate) const fn has_session(self) -> bool {
        !matches!(self, Self::NoSession | Self::Handshake | Self::SessionSetup | Self::Over)
    }

    /// Whether a message may come at all.
    pub(crate) const fn is_open(self) -> bool {
        !matches!(self, Self::NoSession | Self::Over)
    }
}
