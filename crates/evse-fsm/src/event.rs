use session::{Checkpoint, Latch, Message, Phase, StopReason};

/// An event for people and logs. No safety function depends on events.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Event {
    /// The session or the plug has entered this phase.
    Phase(Phase),
    /// A moment that is not a message. Messages contain their checkpoint.
    Checkpoint(Checkpoint),
    /// A message was received, or its response sent.
    Message(Message),
    /// An input was dropped.
    Dropped(Dropped),
    /// A condition that does not end the session but needs attention.
    Warning(Warning),
    /// No session is offered until a person has acted; most latches also end when the plug is removed. Store
    /// the latch under its name where it survives a restart, and pass it to
    /// [`Operator::Latch`](crate::Operator) then.
    Latched(Latch),
    /// This latch was cleared: its stored copy can be removed.
    Unlatched(Latch),
    /// The session is being ended for this reason; messages may follow.
    Stopping(StopReason),
    /// The session is over: the last event of a session.
    Stopped(StopReason),
}

/// Why an input was dropped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dropped {
    /// No session exists that accepts messages.
    NoSession,
    /// The payload type is not 0x8001.
    PayloadType(u16),
    /// The payload does not decode.
    Undecodable {
        /// Offset in bits in the payload at which decoding failed.
        bit: u32,
    },
    /// A message that only a charger sends, or an empty body; the message's name.
    NotARequest(&'static str),
    /// A request without use in DIN, ignored by configuration; its name.
    Unsupported(&'static str),
    /// A response has a value that the message set cannot encode; the response's name.
    NotEncoded(&'static str),
    /// A response that was not fetched before the next one was ready; its name.
    NotTaken(&'static str),
    /// A connection while the charger is latched or has just ended a session: wait for the 5 % pilot.
    Connection,
}

/// A condition that does not end the session but needs attention.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Warning {
    /// No power stage exists: the values that the charger reports to the car are synthetic.
    NoPowerStage,
    /// A quirk was applied; its id (see [`QUIRKS`](crate::QUIRKS)).
    Quirk(&'static str),
    /// No valid `CurrentDemandReq` for 1 s: 0 A until the next one.
    Stalled,
    /// A request arrived before the response to the last one was due; its name.
    Impatient(&'static str),
    /// The isolation monitor reports Warning; charging continues.
    IsolationLow,
    /// The output contactors had to open at this current in mA: the power stage did not stop in time. `None`:
    /// the current is unknown.
    OpenedUnderCurrent(Option<i32>),
    /// The car reports that it is not ready (`EVReady` false): 0 A until it is.
    CarNotReady,
    /// The isolation monitor has neither a count of its measurements nor a self-test: a monitor that hangs
    /// cannot be detected.
    MonitorUnproven,
    /// The configuration permits current out of the car, up to this many mA.
    ReverseAllowed(i32),
    /// The contactors' feedback shows closed although they are commanded to open.
    ContactorsStillClosed,
    /// This voltage in mV is on the cable although all outputs have been off for 5 s: no session is offered
    /// meanwhile.
    StillLive(i32),
}
