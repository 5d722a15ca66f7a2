use session::{Checkpoint, Latch, Message, Phase, StopReason};

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
    /// No session is offered until a person has acted, or for most latches until the plug was out: keep it
    /// under its name where it survives a restart, and give it back with
    /// [`Operator::Latch`](crate::Operator).
    Latched(Latch),
    /// This latch is released: what was kept of it may go.
    Unlatched(Latch),
    /// The session is being ended for this reason; messages may follow.
    Stopping(StopReason),
    /// The session is over: the last event of a session.
    Stopped(StopReason),
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
    /// An answer has a value that the message set cannot carry; its name.
    NotEncoded(&'static str),
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
    /// The output contactors had to open under this current in mA: the power stage did not stop in time.
    /// `None`: nobody knows the current.
    OpenedUnderCurrent(Option<i32>),
    /// The car says that it is not ready (`EVReady` false): 0 A until it is.
    CarNotReady,
    /// The isolation monitor has neither a count of its measurements nor a self-test: one that hangs is not
    /// found.
    MonitorUnproven,
    /// Current out of the car is allowed by configuration, up to so much in mA.
    ReverseAllowed(i32),
    /// The contactors' feedback says closed although they are demanded open.
    ContactorsStillClosed,
    /// This voltage in mV is still on the cable although everything is off for 5 s: no session is offered
    /// meanwhile.
    StillLive(i32),
}
