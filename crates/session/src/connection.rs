use crate::Cause;

/// How a connection went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Closed {
    /// Closed in order.
    Fin,
    /// Reset.
    Rst,
    /// No sign of life.
    Timeout,
    /// The network interface below it is down or gone.
    InterfaceDown,
}

impl Closed {
    /// The word that logs use.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Fin => "FIN",
            Self::Rst => "RST",
            Self::Timeout => "timeout",
            Self::InterfaceDown => "interface down",
        }
    }

    /// What ends a session whose connection went like this.
    pub const fn cause(self) -> Cause {
        match self {
            Self::InterfaceDown => Cause::InterfaceDown,
            _ => Cause::ConnectionLost(self.name()),
        }
    }
}

/// What kind of DC transfer is offered or asked for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum EnergyTransfer {
    /// `DC_extended`: the Combo connector's DC pins. Every captured car asks for it.
    #[default]
    Extended,
    /// `DC_core`.
    Core,
}
