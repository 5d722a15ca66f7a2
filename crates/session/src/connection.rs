use crate::Cause;

/// How a TCP connection ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Closed {
    /// Closed normally.
    Fin,
    /// Reset by the peer.
    Rst,
    /// The peer does not respond.
    Timeout,
    /// The network interface of the connection is down or removed.
    InterfaceDown,
}

impl Closed {
    /// The name in logs.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Fin => "FIN",
            Self::Rst => "RST",
            Self::Timeout => "timeout",
            Self::InterfaceDown => "interface down",
        }
    }

    /// The cause of the stop of a session whose connection ended this way.
    pub const fn cause(self) -> Cause {
        match self {
            Self::InterfaceDown => Cause::InterfaceDown,
            _ => Cause::ConnectionLost(self.name()),
        }
    }
}

/// The kind of DC energy transfer that the charger offers or the car requests.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum EnergyTransfer {
    /// `DC_extended`: the Combo connector's DC pins. Every captured car requests it.
    #[default]
    Extended,
    /// `DC_core`: the core pins of the connector.
    Core,
}
