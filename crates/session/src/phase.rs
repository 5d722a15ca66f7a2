use core::fmt;

/// Where a connector is in its life, in the order in which it happens.
///
/// The session's words are those of the messages; the phases before the session are named after
/// what is being waited for. The same words appear in logs, stop reasons and on the page.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Phase {
    /// Nothing plugged in.
    #[default]
    Idle,
    /// Plugged in, waiting for the 5 % pilot or for the modem.
    Plugged,
    /// Matching of the modems.
    Slac,
    /// Waiting for the power-line link and for discovery (SDP).
    Discovery,
    /// Waiting for the TCP connection.
    Connecting,
    /// supportedAppProtocol.
    Handshake,
    /// `SessionSetup`.
    SessionSetup,
    /// `ServiceDiscovery`.
    ServiceDiscovery,
    /// `ServicePaymentSelection`.
    ServicePaymentSelection,
    /// `ContractAuthentication`.
    ContractAuthentication,
    /// `ChargeParameterDiscovery`.
    ChargeParameterDiscovery,
    /// `CableCheck`.
    CableCheck,
    /// `PreCharge`.
    PreCharge,
    /// `PowerDelivery` that starts the transfer, until the first `CurrentDemand`.
    PowerDelivery,
    /// `CurrentDemand`: energy flows.
    CurrentDemand,
    /// `PowerDelivery` that ends the transfer.
    PowerOff,
    /// `WeldingDetection`.
    WeldingDetection,
    /// `SessionStop`.
    SessionStop,
    /// The session is over; the plug may still be in.
    Ended,
}

impl Phase {
    /// Every phase, in order.
    pub const ALL: &'static [Self] = &[
        Self::Idle,
        Self::Plugged,
        Self::Slac,
        Self::Discovery,
        Self::Connecting,
        Self::Handshake,
        Self::SessionSetup,
        Self::ServiceDiscovery,
        Self::ServicePaymentSelection,
        Self::ContractAuthentication,
        Self::ChargeParameterDiscovery,
        Self::CableCheck,
        Self::PreCharge,
        Self::PowerDelivery,
        Self::CurrentDemand,
        Self::PowerOff,
        Self::WeldingDetection,
        Self::SessionStop,
        Self::Ended,
    ];

    /// The word that logs and the page use.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Idle => "Idle",
            Self::Plugged => "Plugged",
            Self::Slac => "Slac",
            Self::Discovery => "Discovery",
            Self::Connecting => "Connecting",
            Self::Handshake => "Handshake",
            Self::SessionSetup => "SessionSetup",
            Self::ServiceDiscovery => "ServiceDiscovery",
            Self::ServicePaymentSelection => "ServicePaymentSelection",
            Self::ContractAuthentication => "ContractAuthentication",
            Self::ChargeParameterDiscovery => "ChargeParameterDiscovery",
            Self::CableCheck => "CableCheck",
            Self::PreCharge => "PreCharge",
            Self::PowerDelivery => "PowerDelivery",
            Self::CurrentDemand => "CurrentDemand",
            Self::PowerOff => "PowerOff",
            Self::WeldingDetection => "WeldingDetection",
            Self::SessionStop => "SessionStop",
            Self::Ended => "Ended",
        }
    }
}

impl fmt::Display for Phase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_lists_every_phase_once_and_in_order() {
        assert!(Phase::ALL.windows(2).all(|pair| pair[0] < pair[1]));
        assert_eq!(Phase::ALL.len(), Phase::Ended as usize + 1);
    }
}
