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

/// What an isolation monitor reports. A monitor proves that it is alive by `count`: a reading that is new
/// only in its time may come from a program that asks a monitor that hangs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Insulation {
    /// The monitor's own judgement. Where it gives ohms as well, the worse of both counts.
    pub status: Isolation,
    /// The lower of the resistances of both poles to earth, in ohm, where the monitor gives it.
    pub resistance_ohm: Option<u32>,
    /// The monitor's own number, or time, of its newest measurement: any change is a new measurement. Absent
    /// where the monitor has none; that it hangs can then not be seen.
    pub count: Option<u32>,
    /// Its self-test; absent where it has none.
    pub self_test: Option<SelfTest>,
}

impl Insulation {
    /// What a monitor reports that gives its judgement only.
    pub const fn of(status: Isolation) -> Self {
        Self { status, resistance_ohm: None, count: None, self_test: None }
    }
}

/// The self-test of an isolation monitor: it connects a known resistance and has to see it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SelfTest {
    /// Not done since the last demand for one, or under way.
    Pending,
    /// The resistance was seen.
    Passed,
    /// The resistance was not seen: the monitor is broken.
    Failed,
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
