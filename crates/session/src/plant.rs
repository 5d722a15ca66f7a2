/// State of the isolation of cable and inlet, measured or from a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Isolation {
    /// No result yet.
    Measuring,
    /// Sufficient.
    Valid,
    /// Low, but charging is permitted (2014 bands: 100..500 ohm/V, from memory).
    Warning,
    /// Below the permitted minimum.
    Fault,
}

/// A report of an isolation monitor. `count` shows that the monitor still measures. The time of a reading
/// does not: a program may read a monitor that hangs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Insulation {
    /// The monitor's own verdict. Where it also reports a resistance, the worse of both counts.
    pub status: Isolation,
    /// The lower of the two resistances from pole to earth, in ohm; `None` where the monitor reports none.
    pub resistance_ohm: Option<u32>,
    /// The monitor's number or time of its newest measurement: each change is a new measurement. `None` where
    /// the monitor has none; then it cannot be detected that it hangs.
    pub count: Option<u32>,
    /// Its self-test; `None` where it has none.
    pub self_test: Option<SelfTest>,
}

impl Insulation {
    /// The report of a monitor that reports only its verdict.
    pub const fn of(status: Isolation) -> Self {
        Self { status, resistance_ohm: None, count: None, self_test: None }
    }
}

/// The self-test of an isolation monitor: it connects a known resistance and has to measure it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SelfTest {
    /// Not done since it was last demanded, or still running.
    Pending,
    /// The monitor measured the resistance.
    Passed,
    /// The monitor did not measure the resistance: it is faulty.
    Failed,
}

/// Commanded position of a side's contactors: the charger's at its output, the car's at its inlet.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Contactors {
    /// Open: the cable is disconnected from the power stage or the battery.
    #[default]
    Open,
    /// Closed: the power stage or the battery is connected to the cable.
    Closed,
}

/// Commanded position of the connector lock.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Lock {
    /// Locked, or unchanged.
    #[default]
    Held,
    /// Unlocked: the plug can be pulled.
    Released,
}
