//! Records a plant: its demands and readings, each time they change.

use std::fmt::Write;
use std::os::fd::BorrowedFd;

use control_pilot::Output;
use hal_linux::{Heartbeat, PlantBackend, PlantFault};
use machine::{Duration, Instant};
use session::{Contactors, Insulation, Lock, Reading, Target};

use crate::inbox::Inbox;

/// Shortest interval between two notes of voltage and current: judgement.
const EVERY: Duration = Duration::from_millis(100);

/// What is recorded: states with few values, and measurements, which change continuously.
pub(crate) trait Noted {
    /// Appends ` name=value` for each state.
    fn states(&self, out: &mut String);
    /// Appends ` name=value` for each measurement, rounded to 1 V and 1 A.
    fn measurements(&self, out: &mut String);
}

/// A plant whose demands and readings are reported to an inbox.
pub(crate) struct Watched<'a, B> {
    plant: &'a mut B,
    inbox: &'a Inbox,
    demanded: Last,
    read: Last,
}

#[derive(Default)]
struct Last {
    states: String,
    measurements: String,
    at: Instant,
}

impl Last {
    fn note(&mut self, now: Instant, what: &str, noted: &impl Noted, inbox: &Inbox) {
        let (mut states, mut measurements) = (String::new(), String::new());
        noted.states(&mut states);
        noted.measurements(&mut measurements);
        let is_due = self.measurements != measurements && now.since(self.at) >= EVERY;
        if self.states != states || is_due {
            inbox.note(now, format!("{what}{states}{measurements}"));
            *self = Self { states, measurements, at: now };
        }
    }
}

impl<'a, B> Watched<'a, B> {
    /// Wraps a plant.
    pub(crate) fn new(plant: &'a mut B, inbox: &'a Inbox) -> Self {
        Self { plant, inbox, demanded: Last::default(), read: Last::default() }
    }
}

impl<B> PlantBackend for Watched<'_, B>
where
    B: PlantBackend,
    B::Demand: Noted,
    B::Reading: Noted,
{
    type Demand = B::Demand;
    type Reading = B::Reading;

    fn apply(&mut self, now: Instant, demand: &B::Demand) -> Result<(), PlantFault> {
        self.demanded.note(now, "demand", demand, self.inbox);
        self.plant.apply(now, demand)
    }

    fn read(&mut self, now: Instant) -> Result<B::Reading, PlantFault> {
        let reading = self.plant.read(now)?;
        self.read.note(now, "reading", &reading, self.inbox);
        Ok(reading)
    }

    fn make_safe(&mut self, now: Instant) {
        self.plant.make_safe(now);
        self.inbox.note(now, "safe".into());
    }

    fn heartbeat(&self) -> Heartbeat {
        self.plant.heartbeat()
    }

    fn wakes(&self) -> Option<BorrowedFd<'_>> {
        self.plant.wakes()
    }
}

/// Appends ` name=value`; writing to a string cannot fail.
fn add(out: &mut String, name: &str, value: impl std::fmt::Display) {
    let _ = write!(out, " {name}={value}");
}

fn add_read<T: Copy>(out: &mut String, name: &str, reading: Option<Reading<T>>, word: impl Fn(T) -> String) {
    if let Some(reading) = reading {
        add(out, name, word(reading.value));
    }
}

/// Millivolts or milliamperes as whole volts or amperes.
fn whole(milli: i32) -> String {
    ((milli + milli.signum() * 500) / 1000).to_string()
}

fn pilot(output: Output) -> String {
    match output {
        Output::Steady => "+12V".into(),
        Output::Pwm(permille) => format!("{}.{}%", permille / 10, permille % 10),
        Output::Zero => "0V".into(),
        Output::Negative => "-12V".into(),
    }
}

fn contactors(position: Contactors) -> &'static str {
    if position == Contactors::Closed { "closed" } else { "open" }
}

fn lock(lock: Lock) -> &'static str {
    if lock == Lock::Held { "held" } else { "released" }
}

fn closed(is_closed: bool) -> String {
    if is_closed { "closed" } else { "open" }.into()
}

fn held(is_held: bool) -> String {
    if is_held { "held" } else { "released" }.into()
}

fn yes(is_so: bool) -> String {
    if is_so { "yes" } else { "no" }.into()
}

fn isolation(insulation: Insulation) -> String {
    format!("{:?}", insulation.status).to_lowercase()
}

fn target(out: &mut String, target: Target) {
    add(out, "voltage_v", whole(target.voltage_mv));
    add(out, "current_a", whole(target.current_ma));
}

impl Noted for evse_fsm::Demand {
    fn states(&self, out: &mut String) {
        add(out, "pilot", pilot(self.pilot));
        add(out, "contactors", contactors(self.contactors));
        add(out, "lock", lock(self.lock));
        if self.discharge {
            add(out, "discharge", "yes");
        }
    }

    fn measurements(&self, out: &mut String) {
        target(out, self.supply);
    }
}

impl Noted for evse_fsm::Plant {
    fn states(&self, out: &mut String) {
        add_read(out, "pilot", self.pilot, |level| format!("{level:?}"));
        add_read(out, "contactors", self.contactors, closed);
        add_read(out, "lock", self.lock, held);
        add_read(out, "isolation", self.isolation, isolation);
        add_read(out, "emergency_stop", self.emergency_stop, yes);
    }

    fn measurements(&self, out: &mut String) {
        add_read(out, "voltage_v", self.voltage_mv, whole);
        add_read(out, "stage_v", self.stage_mv, whole);
        add_read(out, "current_a", self.current_ma, whole);
    }
}

impl Noted for pev_fsm::Demand {
    fn states(&self, out: &mut String) {
        add(out, "pilot", format_args!("{:?}", self.pilot));
        add(out, "contactors", contactors(self.contactors));
        add(out, "lock", lock(self.lock));
    }

    fn measurements(&self, _out: &mut String) {}
}

impl Noted for (pev_fsm::Plant, pev_fsm::Vehicle) {
    fn states(&self, out: &mut String) {
        let (plant, vehicle) = self;
        add_read(out, "pilot", plant.pilot, pilot);
        add_read(out, "contactors", plant.contactors, closed);
        add_read(out, "lock", plant.lock, held);
        add_read(out, "emergency_stop", plant.emergency_stop, yes);
        add(out, "soc_percent", vehicle.soc_percent);
    }

    fn measurements(&self, out: &mut String) {
        let (plant, vehicle) = self;
        add_read(out, "inlet_v", plant.inlet_mv, whole);
        add_read(out, "current_a", plant.current_ma, whole);
        if let Some(battery_mv) = vehicle.battery_mv {
            add(out, "battery_v", whole(battery_mv));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_changes_is_noted_and_measurements_at_most_ten_times_a_second() {
        let inbox = Inbox::default();
        let mut last = Last::default();
        let mut demand = evse_fsm::Demand::SAFE;
        let mut note = |millis, demand: &evse_fsm::Demand| {
            last.note(Instant::from_millis(millis), "demand", demand, &inbox);
            inbox.notes().map(|(_, words)| words).collect::<Vec<_>>()
        };
        let safe = "demand pilot=+12V contactors=open lock=held voltage_v=0 current_a=0";
        assert_eq!(note(0, &demand), [safe]);
        assert_eq!(note(10, &demand), [""; 0]);
        demand.supply.voltage_mv = 400_400;
        assert_eq!(note(20, &demand), [""; 0], "too soon");
        demand.pilot = Output::Pwm(50);
        assert_eq!(
            note(30, &demand),
            ["demand pilot=5.0% contactors=open lock=held voltage_v=400 current_a=0"]
        );
        demand.supply.current_ma = -1_600;
        assert_eq!(
            note(140, &demand),
            ["demand pilot=5.0% contactors=open lock=held voltage_v=400 current_a=-2"]
        );
    }
}
