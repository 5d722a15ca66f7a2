use session::{Checkpoint, Latch, Message, Phase, StopReason};

/// An event for people and logs. No safety function depends on events.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Event {
    /// The session has entered this phase.
    Phase(Phase),
    /// A moment that is not a message. Messages contain their checkpoint.
    Checkpoint(Checkpoint),
    /// A message was sent or received.
    Message(Message),
    /// An input was dropped.
    Dropped(Dropped),
    /// A condition that does not end the session but needs attention.
    Warning(Warning),
    /// The contactors were opened although the current was not known to be below 1 A. Either 2 s have passed,
    /// or they had not confirmed to be closed.
    EmergencyOpening {
        /// The current in mA at that moment; `None` without a fresh reading.
        current_ma: Option<i32>,
    },
    /// No new session until [`Operator::Reset`](crate::Operator::Reset), or until the driver's stop ends.
    /// Store the latch under its name where it survives a restart, and pass it to
    /// [`Operator::Latch`](crate::Operator::Latch) then.
    Latched(Latch),
    /// This latch was cleared: its stored copy can be removed. A lesser latch below it is reported next.
    Unlatched(Latch),
    /// The session is being ended for this reason; messages may follow.
    Stopping(StopReason),
    /// The session is over and the contactors are open: the last event of a session.
    Stopped(StopReason),
}

/// Why an input was dropped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dropped {
    /// A response without a pending request.
    NotAsked,
    /// The payload type is not 0x8001.
    PayloadType(u16),
    /// The payload does not decode. Ends the session.
    Undecodable {
        /// Offset in bits in the payload at which decoding failed.
        bit: u32,
    },
    /// A request has a value that the message set cannot encode; the request's name.
    NotEncoded(&'static str),
    /// A connection that cannot begin a session: see [`Car::may_begin`](crate::Car::may_begin).
    Connection,
}

/// A condition that does not end the session but needs attention.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Warning {
    /// The contactors close by the charger's report alone.
    PrechargeByReport,
    /// The lock opens without a measurement of the inlet.
    UnlockWithoutMeasurement,
    /// A quirk was applied; its id (see [`QUIRKS`](crate::QUIRKS)).
    Quirk(&'static str),
    /// Inlet and charger's report disagree: the contactors stay open.
    Disagreement,
    /// The isolation monitor reports Warning; charging continues.
    IsolationLow,
    /// No current for 60 s although it was requested.
    NoCurrent,
    /// 60 V or more at the inlet, or unknown, 1 s after the session's end: nothing in cable or charger
    /// discharges it. Do not touch the pins.
    SlowDischarge,
    /// Voltage at the inlet with open contactors, or no reading of it: a contactor may be welded.
    WeldSuspected,
    /// The request of this name was refused or not answered during a stop.
    Unanswered(&'static str),
}
