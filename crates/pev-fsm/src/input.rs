use session::{Closed, Latch};

use crate::{Plant, Vehicle};

/// What goes into a [`Car`](crate::Car).
#[derive(Clone, Copy, Debug)]
pub enum Input<'a> {
    /// What the sensors say now. Give it at least every 100 ms while energised: readings older than
    /// 200 ms end the session.
    Plant(Plant),
    /// What the battery wants now. Give it at least every 500 ms while energised: older than 1 s ends the
    /// session.
    Vehicle(Vehicle),
    /// The payload of one V2GTP message from the charger, without its header.
    Message {
        /// Payload type of the V2GTP header, 0x8001 for DIN SPEC 70121.
        payload_type: u16,
        /// The EXI document.
        payload: &'a [u8],
    },
    /// The TCP connection to the charger is open: a session begins.
    Connected,
    /// The connection is gone.
    Closed(Closed),
    /// The power-line link is gone, and with it the connection.
    LinkLost,
    /// A person or the rest of the car wants something.
    Operator(Operator),
}

/// What a person or the rest of the car wants.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operator {
    /// End the session in order, and begin no other one: kept, with a session or without, until the plug was
    /// out, [`Reset`](Self::Reset) or [`Start`](Self::Start).
    Stop,
    /// Charge again after a [`Stop`](Self::Stop).
    Start,
    /// Switch off now. Latched until [`Reset`](Self::Reset).
    EmergencyStop,
    /// Clear the worst latch, and a stop that is kept. Does nothing to a latch while its cause persists.
    Reset,
    /// What was latched when the program ended, at the start: it holds as if it had been latched now. See
    /// [`Event::Latched`](crate::Event::Latched).
    Latch(Latch),
}
