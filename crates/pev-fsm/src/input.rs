use session::{Closed, Latch};

use crate::{Plant, Vehicle};

/// An input of a [`Car`](crate::Car).
#[derive(Clone, Copy, Debug)]
pub enum Input<'a> {
    /// The newest readings. Pass them at least every 100 ms while energised: readings older than 200 ms end
    /// the session.
    Plant(Plant),
    /// The battery's newest requirements. Pass them at least every 500 ms while energised: older than 1 s
    /// ends the session.
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
    /// The TCP connection is closed.
    Closed(Closed),
    /// The power-line link is lost, and the connection with it.
    LinkLost,
    /// A command of a person or of another part of the car.
    Operator(Operator),
}

/// A command of a person or of another part of the car.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operator {
    /// End the session normally and begin no other. In force, with a session or without, until the plug was
    /// removed, [`Reset`](Self::Reset) or [`Start`](Self::Start).
    Stop,
    /// Permit charging again after a [`Stop`](Self::Stop).
    Start,
    /// Switch off immediately. Latched until [`Reset`](Self::Reset).
    EmergencyStop,
    /// Clear the worst latch and the driver's stop. Does not clear a latch whose cause persists.
    Reset,
    /// Restore the latch that was stored before a restart: in force as if latched now. See
    /// [`Event::Latched`](crate::Event::Latched).
    Latch(Latch),
}
