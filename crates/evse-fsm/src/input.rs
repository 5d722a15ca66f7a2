use crate::Plant;
use session::{Closed, Latch};

/// What goes into a [`Charger`](crate::Charger).
#[derive(Clone, Copy, Debug)]
pub enum Input<'a> {
    /// What the sensors say now. Give it at least every 100 ms while energised: readings older than
    /// 200 ms end the session.
    Plant(Plant),
    /// The payload of one V2GTP message from the car, without its header.
    Message {
        /// Payload type of the V2GTP header, 0x8001 for DIN SPEC 70121.
        payload_type: u16,
        /// The EXI document.
        payload: &'a [u8],
    },
    /// The car's TCP connection is open. A second one replaces the first.
    Connected,
    /// The connection is gone.
    Closed(Closed),
    /// The power-line link is gone, and with it the connection: whatever is energised goes off at once.
    LinkLost,
    /// A person or a back end wants something.
    Operator(Operator),
}

/// What a person or a back end wants.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operator {
    /// Whether this car may charge. Counts for the session at hand, or for the next one when there is none,
    /// until the plug is pulled; `Authorise(false)` refuses, and ends a session that was authorised in order.
    Authorise(bool),
    /// End the session in order: the car is asked to stop and gets the time to do so.
    Stop,
    /// Switch off now. Latched until [`Reset`](Self::Reset) or until the plug is pulled.
    EmergencyStop,
    /// Clear what is latched. Does nothing while its cause persists.
    Reset,
    /// What was latched when the program ended, at the start: it holds as if it had been latched now. See
    /// [`Event::Latched`](crate::Event).
    Latch(Latch),
    /// Whether the charger may offer charging at all: `false` keeps the pilot steady. For a modem that is
    /// not ready, or a charger out of service.
    Available(bool),
    /// Take the pilot back to steady +12 V for a while and offer 5 % again, so that the car starts SLAC
    /// anew. Does nothing while a session runs.
    Retry,
}
