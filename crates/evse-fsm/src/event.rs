use crate::Isolation;
use session::{Checkpoint, Limits, Phase, StopReason, Target};

/// What people and logs want to know. Safety never depends on events.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Event {
    /// The session or the plug is in a new phase.
    Phase(Phase),
    /// A moment that is not a message (those carry their checkpoint themselves).
    Checkpoint(Checkpoint),
    /// A message came in or its answer goes out.
    Message(Message),
    /// An input was dropped.
    Dropped(Dropped),
    /// Something that does not end the session but that people should know.
    Warning(Warning),
    /// The session is being ended for this reason; messages may follow.
    Stopping(StopReason),
    /// The session is over: the last event of a session.
    Stopped(StopReason),
}

/// Which way a message goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// From the car.
    Received,
    /// To the car.
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
    /// The charger's status as told to the car.
    pub status: Option<Status>,
    /// The isolation status as told to the car; `Measuring` stands for Invalid.
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
    /// The car's limits.
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
    /// Whether it tells of danger: the output is off at once, and nothing is offered meanwhile.
    pub(crate) const fn is_unsafe(self) -> bool {
        matches!(self, Self::EmergencyShutdown | Self::Malfunction)
    }
}

/// Why an input was dropped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dropped {
    /// There is no session that takes messages.
    NoSession,
    /// Not payload type 0x8001.
    PayloadType(u16),
    /// It does not decode; the bit where decoding failed.
    Undecodable {
        /// Bit offset in the payload.
        bit: u32,
    },
    /// A message that only a charger sends, or an empty body; its name.
    NotARequest(&'static str),
    /// A request that DIN has no use for, ignored by configuration; its name.
    Unsupported(&'static str),
    /// An answer did not fit into the caller's buffer; its name.
    DoesNotFit(&'static str),
    /// An answer was still waiting to be taken when the next one came; its name.
    NotTaken(&'static str),
    /// A connection while the charger is latched or has just ended a session: wait for the 5 % pilot.
    Connection,
}

/// Something that does not end the session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Warning {
    /// There is no power stage: what is reported to the car is made up.
    NoPowerStage,
    /// A quirk was needed; its id (see [`QUIRKS`](crate::QUIRKS)).
    Quirk(&'static str),
    /// No valid `CurrentDemandReq` for a second: 0 A until the next one.
    Stalled,
    /// A request came before the answer to the one before it was due; its name.
    Impatient(&'static str),
    /// The isolation monitor went to Warning; charging goes on.
    IsolationLow,
    /// The contactors' feedback says closed although they are demanded open.
    ContactorsStillClosed,
}
