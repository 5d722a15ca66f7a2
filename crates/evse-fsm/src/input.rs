use crate::Plant;
use session::{Closed, Latch};

/// An input of a [`Charger`](crate::Charger).
#[derive(Clone, Copy, Debug)]
pub enum Input<'a> {
    /// The newest readings. Pass them at least every 100 ms while energised: readings older than 200 ms end
    /// the session.
    Plant(Plant),
    /// The payload of one V2GTP message from the car, without its header.
    Message {
        /// Payload type of the V2GTP header, 0x8001 for DIN SPEC 70121.
        payload_type: u16,
        /// The EXI document.
        payload: &'a [u8],
    },
    /// The car's TCP connection is open. A second connection replaces the first.
    Connected,
    /// The TCP connection is closed.
    Closed(Closed),
    /// The power-line link is lost, and the connection with it: all outputs are switched off immediately.
    LinkLost,
    /// A command of a person or a back end.
    Operator(Operator),
}

/// A command of a person or a back end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operator {
    /// Whether this car may charge. Applies to the current session, or to the next one if there is none,
    /// until the plug is removed. `Authorise(false)` refuses, and ends an authorised session normally.
    Authorise(bool),
    /// End the session normally: the car is requested to stop, with time to do so.
    Stop,
    /// Switch off immediately. Latched until [`Reset`](Self::Reset) or until the plug is removed.
    EmergencyStop,
    /// Clear the worst latch. No effect while its cause persists.
    Reset,
    /// Restore the latch that was stored before a restart: in force as if latched now. See
    /// [`Event::Latched`](crate::Event).
    Latch(Latch),
    /// Whether the charger may offer charging at all: `false` keeps the pilot steady. For a modem that is
    /// not ready, or a charger out of service.
    Available(bool),
    /// Set the pilot to steady +12 V for a pause and offer 5 % again, so that the car starts SLAC again. No
    /// effect during a session.
    Retry,
}
