/// What the isolation monitor says of cable and inlet, measured or as told by message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Isolation {
    /// No result yet.
    Measuring,
    /// Good.
    Valid,
    /// Low, but good enough to charge (2014 bands: 100..500 Ohm/V, from memory).
    Warning,
    /// Too low.
    Fault,
}

/// Position of the contactors that an end commands: the charger's at its output, the car's at its inlet.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Contactors {
    /// Open.
    #[default]
    Open,
    /// Closed: the power stage, or the battery, is on the cable.
    Closed,
}

/// Position of the connector lock.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Lock {
    /// Locked, or kept as it is.
    #[default]
    Held,
    /// The plug may be pulled.
    Released,
}
