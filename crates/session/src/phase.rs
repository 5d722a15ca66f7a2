use core::fmt;

/// Where a connector is in its life, in the order in which it happens.
///
/// The phases before the session are named after what is being waited for, those of the session after what
/// its messages are for, in any protocol. Logs, stop reasons and the page show the protocol's own word,
/// [`name`](Self::name), also in debug output.
#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
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
    /// The car selects service and payment.
    ServiceSelection,
    /// Whether the car may charge.
    Authorisation,
    /// What each side can give and take.
    ChargeParameters,
    /// `CableCheck`.
    CableCheck,
    /// `PreCharge`.
    PreCharge,
    /// `PowerDelivery` that starts the transfer, until the first `CurrentDemand`.
    PowerOn,
    /// Energy flows: `CurrentDemand`.
    ChargeLoop,
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
        Self::ServiceSelection,
        Self::Authorisation,
        Self::ChargeParameters,
        Self::CableCheck,
        Self::PreCharge,
        Self::PowerOn,
        Self::ChargeLoop,
        Self::PowerOff,
        Self::WeldingDetection,
        Self::SessionStop,
        Self::Ended,
    ];

    /// The word that logs and the page use: in a session the name of DIN SPEC 70121's messages.
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
            Self::ServiceSelection => "ServicePaymentSelection",
            Self::Authorisation => "ContractAuthentication",
            Self::ChargeParameters => "ChargeParameterDiscovery",
            Self::CableCheck => "CableCheck",
            Self::PreCharge => "PreCharge",
            Self::PowerOn => "PowerDelivery",
            Self::ChargeLoop => "CurrentDemand",
            Self::PowerOff => "PowerOff",
            Self::WeldingDetection => "WeldingDetection",
            Self::SessionStop => "SessionStop",
            Self::Ended => "Ended",
        }
    }
}

impl fmt::Debug for Phase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
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
