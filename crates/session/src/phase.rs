use core::fmt;

/// The phase of a connector, in the order in which phases occur.
///
/// A phase before the session is named after the event it waits for; a phase of the session after the purpose
/// of its messages, in any protocol. Logs, stop reasons, debug output and the charger's web page show the
/// protocol's own term, [`name`](Self::name).
#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Phase {
    /// Nothing plugged in.
    #[default]
    Idle,
    /// Plugged in, until the pilot shows 5 % and the modem is ready.
    Plugged,
    /// SLAC: the modems are matched.
    Slac,
    /// Until the power-line link is up and discovery (SDP) has found the charger.
    Discovery,
    /// Until the TCP connection is open.
    Connecting,
    /// supportedAppProtocol.
    Handshake,
    /// `SessionSetup`.
    SessionSetup,
    /// `ServiceDiscovery`.
    ServiceDiscovery,
    /// The car selects service and payment.
    ServiceSelection,
    /// Until the charger has authorised the car.
    Authorisation,
    /// Both sides exchange their limits.
    ChargeParameters,
    /// `CableCheck`.
    CableCheck,
    /// `PreCharge`.
    PreCharge,
    /// `PowerDelivery` that starts the transfer, until the first `CurrentDemand`.
    PowerOn,
    /// The charging loop: `CurrentDemand`.
    ChargeLoop,
    /// `PowerDelivery` that ends the transfer.
    PowerOff,
    /// `WeldingDetection`.
    WeldingDetection,
    /// `SessionStop`.
    SessionStop,
    /// The session is over; the plug may still be inserted.
    Ended,
}

impl Phase {
    /// Every phase, in the order in which they occur.
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

    /// The name in logs and on the web page; in a session the name of DIN SPEC 70121's message.
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
