use session::{Checkpoint, Latch, Message, Phase, StopReason};

/// What people and logs want to know. Safety never depends on events.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Event {
    /// The session is in a new phase.
    Phase(Phase),
    /// A moment that is not a message (those carry their checkpoint themselves).
    Checkpoint(Checkpoint),
    /// A message goes out or its answer came in.
    Message(Message),
    /// An input was dropped.
    Dropped(Dropped),
    /// Something that does not end the session but that people should know.
    Warning(Warning),
    /// The contactors were opened although the current was not known to be below 1 A: the 2 s were over, or
    /// they had not confirmed to be closed.
    EmergencyOpening {
        /// The current in mA at that moment, where a fresh reading told it.
        current_ma: Option<i32>,
    },
    /// No new session until [`Operator::Reset`](crate::Operator::Reset), or what ends the driver's stop: keep
    /// it under its name where it survives a restart, and give it back with
    /// [`Operator::Latch`](crate::Operator::Latch).
    Latched(Latch),
    /// This latch is released: what was kept of it may go. A lesser one that lies under it is latched next.
    Unlatched(Latch),
    /// The session is being ended for this reason; messages may follow.
    Stopping(StopReason),
    /// The session is over and the contactors are open: the last event of a session.
    Stopped(StopReason),
}

/// Why an input was dropped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dropped {
    /// Nothing was asked, so it answers nothing.
    NotAsked,
    /// Not payload type 0x8001.
    PayloadType(u16),
    /// It does not decode; the bit where decoding failed. Ends the session.
    Undecodable {
        /// Bit offset in the payload.
        bit: u32,
    },
    /// A request has a value that the message set cannot carry; its name.
    NotEncoded(&'static str),
    /// A connection while a fault is latched or the driver's stop is kept, the last session's contactors are
    /// not open yet, voltage is at the inlet, or no [`Vehicle`](crate::Vehicle) has been given.
    Connection,
}

/// Something that does not end the session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Warning {
    /// The contactors close by the charger's word alone.
    PrechargeByReport,
    /// The lock opens without a measurement of what is behind it.
    UnlockWithoutMeasurement,
    /// A quirk was needed; its id (see [`QUIRKS`](crate::QUIRKS)).
    Quirk(&'static str),
    /// Inlet and charger's report disagree: the contactors stay open.
    Disagreement,
    /// The isolation monitor went to Warning; charging goes on.
    IsolationLow,
    /// The charger gives no current although it was asked for a minute.
    NoCurrent,
    /// 60 V or more at the inlet, or unknown, 1 s after the session's end: nothing in cable or charger
    /// discharges it. Do not touch the pins.
    SlowDischarge,
    /// Voltage at the inlet behind open contactors, or no answer about it: a contactor may be welded.
    WeldSuspected,
    /// The request of this name was refused or not answered while the session was being ended.
    Unanswered(&'static str),
}
