use crate::{Checkpoint, Isolation, Limits, Target};

/// Which way a message goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// From the other end.
    Received,
    /// To the other end.
    Sent,
}

/// A message with its main values.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Message {
    /// Which way it goes.
    pub direction: Direction,
    /// Its name, such as `PreChargeReq`.
    pub name: &'static str,
    /// Its number, where it has one.
    pub checkpoint: Option<Checkpoint>,
    /// Its main values.
    pub values: Values,
}

/// The main values of a message; absent where it has none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Values {
    /// The response code's name.
    pub code: Option<&'static str>,
    /// Whether the answer says that processing is finished.
    pub finished: Option<bool>,
    /// The charger's status.
    pub status: Option<Status>,
    /// The isolation status; `Measuring` stands for Invalid.
    pub isolation: Option<Isolation>,
    /// What the car asks for.
    pub target: Option<Target>,
    /// What the charger reports: voltage and current.
    pub present: Option<Target>,
    /// State of charge in percent; absent where the car does not tell it.
    pub soc_percent: Option<u8>,
    /// The car's error code (`DC_EVErrorCode`), where it is not 0.
    pub car_error: Option<u8>,
    /// `ReadyToChargeState` of a `PowerDeliveryReq`.
    pub power_on: Option<bool>,
    /// The limits that are told: the car's in its requests, the charger's in its answers.
    pub limits: Option<Limits>,
}

/// The charger's status as its messages tell it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Status {
    /// Not able to charge now.
    #[default]
    NotReady,
    /// Able to charge.
    Ready,
    /// Ends in order.
    Shutdown,
    /// Ends for the grid.
    UtilityInterrupt,
    /// Tests the isolation.
    IsolationMonitoring,
    /// Emergency stop.
    EmergencyShutdown,
    /// Broken.
    Malfunction,
}

impl Status {
    /// The word that logs use.
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

    /// Whether it tells of danger: everything is off at once, without waiting for messages.
    pub const fn is_unsafe(self) -> bool {
        matches!(self, Self::EmergencyShutdown | Self::Malfunction)
    }
}
