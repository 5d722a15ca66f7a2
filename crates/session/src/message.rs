use crate::{Checkpoint, Isolation, Limits, Target};

/// The direction of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// From the peer.
    Received,
    /// To the peer.
    Sent,
}

/// A message of a session with its main values, for logs.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Message {
    /// Received or sent.
    pub direction: Direction,
    /// Its name, such as `PreChargeReq`.
    pub name: &'static str,
    /// Its checkpoint; `None` where it has none.
    pub checkpoint: Option<Checkpoint>,
    /// Its main values, as far as it has them.
    pub values: Values,
}

/// The main values of a message; each is `None` where the message does not have it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Values {
    /// The response code.
    pub code: Option<&'static str>,
    /// Whether `EVSEProcessing` is Finished.
    pub finished: Option<bool>,
    /// The charger's status (`EVSEStatusCode`).
    pub status: Option<Status>,
    /// The charger's isolation status; [`Isolation::Measuring`] stands for Invalid.
    pub isolation: Option<Isolation>,
    /// The voltage and current that the car requests.
    pub target: Option<Target>,
    /// The voltage and current that the charger reports.
    pub present: Option<Target>,
    /// State of charge in percent, 0..=100; `None` where the car does not report it.
    pub soc_percent: Option<u8>,
    /// The car's error code (`DC_EVErrorCode`); `None` for 0, no error.
    pub car_error: Option<u8>,
    /// `ReadyToChargeState` of a `PowerDeliveryReq`.
    pub power_on: Option<bool>,
    /// The sender's limits: the car's in a request, the charger's in a response.
    pub limits: Option<Limits>,
}

/// The charger's status as it reports it (`EVSEStatusCode`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Status {
    /// Cannot charge at present.
    #[default]
    NotReady,
    /// Can charge.
    Ready,
    /// Ends the session normally.
    Shutdown,
    /// Ends the session because of the grid.
    UtilityInterrupt,
    /// The isolation test is running.
    IsolationMonitoring,
    /// Emergency stop.
    EmergencyShutdown,
    /// A fault of the charger.
    Malfunction,
}

impl Status {
    /// The name in logs.
    pub const fn name(self) -> &'static str {
        match self {
            Self::NotReady => "NotReady",
            Self::Ready => "Ready",
            Self::Shutdown => "Shutdown",
            Self::UtilityInterrupt => "UtilityInterrupt",
            Self::IsolationMonitoring => "IsolationMonitoring",
            Self::EmergencyShutdown => "EmergencyShutdown",
            Self::Malfunction => "Malfunction",
        }
    }

    /// Whether the status reports a danger: the car then switches off immediately, without further messages.
    pub const fn is_unsafe(self) -> bool {
        matches!(self, Self::EmergencyShutdown | Self::Malfunction)
    }
}
