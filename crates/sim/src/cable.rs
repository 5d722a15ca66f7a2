use control_pilot::{Level, Output};
use evse_fsm::Demand;
use machine::Instant;

use crate::plant::{Bench, BenchConfig, CarDemand, Occurrence, Side};
use crate::{Pilot, Port};

/// A charging cable between a charger and a car, with the hardware at both ends.
#[derive(Clone, Debug)]
pub struct Cable {
    charger: Port,
    car: Port,
    pub(crate) bench: Bench,
    /// The pilot that was last reported to both ends.
    told: Pilot,
    /// Number of occurrences that were already reported.
    known: usize,
}

/// What a node drives on its end of the cable.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Drive {
    /// No end of a cable, or no change of its demand.
    #[default]
    Nothing,
    /// Demand of a charger: pilot, supply, contactors and lock.
    Charger(Demand),
    /// Demand of a car: pilot, contactors and lock.
    Car(CarDemand),
}

impl Drive {
    /// A charger that drives only its pilot; the rest is SAFE.
    pub const fn output(pilot: Output) -> Self {
        Self::Charger(Demand { pilot, ..Demand::SAFE })
    }

    /// A car that drives only its pilot; the rest is SAFE.
    pub const fn level(level: Level) -> Self {
        Self::Car(CarDemand::pilot(level))
    }
}

impl Cable {
    /// An unplugged cable between a charger and a car that are SAFE.
    pub fn new(charger: Port, car: Port, config: BenchConfig) -> Self {
        let bench = Bench::new(config);
        Self { charger, car, told: bench.pilot(), bench, known: 0 }
    }

    /// The port at one end.
    pub const fn port(&self, side: Side) -> Port {
        match side {
            Side::Charger => self.charger,
            Side::Car => self.car,
        }
    }

    /// The end that a port is at; `None`: the port is not at this cable.
    pub fn side(&self, port: Port) -> Option<Side> {
        [Side::Charger, Side::Car].into_iter().find(|side| self.port(*side) == port)
    }

    /// The hardware at both ends.
    pub const fn bench(&self) -> &Bench {
        &self.bench
    }

    /// Applies what the node at `port` drives.
    pub(crate) fn apply(&mut self, now: Instant, port: Port, drive: &Drive) {
        match drive {
            Drive::Charger(demand) if port == self.charger => self.bench.drive_charger(now, demand),
            Drive::Car(demand) if port == self.car => self.bench.drive_car(now, demand),
            _ => (),
        }
    }

    /// Repeats the demand of the node at this end as its sign of life. `false`: its hardware has made it SAFE
    /// since.
    pub(crate) fn hold(&mut self, side: Side) -> bool {
        self.bench.feed(side)
    }

    /// Whether the pilot has changed since the last call of [`changed`](Self::changed).
    pub(crate) fn has_changed(&self) -> bool {
        self.bench.pilot() != self.told
    }

    /// The pilot as both ends see it, if it has changed since the last call.
    pub(crate) fn changed(&mut self) -> Option<Pilot> {
        let pilot = self.bench.pilot();
        let before = std::mem::replace(&mut self.told, pilot);
        (pilot != before).then_some(pilot)
    }

    /// Whether the hardware has new occurrences since the last call of [`news`](Self::news).
    pub(crate) fn has_news(&self) -> bool {
        self.bench.occurrences().len() > self.known
    }

    /// The occurrences since the last call.
    pub(crate) fn news(&mut self) -> Vec<(Instant, Occurrence)> {
        let news = self.bench.occurrences().get(self.known..).unwrap_or_default().to_vec();
        self.known += news.len();
        news
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cable() -> Cable {
        Cable::new(Port(0), Port(1), BenchConfig::default())
    }

    #[test]
    fn each_end_sees_what_the_other_drives_and_nothing_without_a_plug() {
        let (mut cable, now) = (cable(), Instant::ZERO);
        cable.apply(now, Port(0), &Drive::output(Output::DIGITAL));
        cable.apply(now, Port(1), &Drive::level(Level::C));
        assert_eq!(cable.bench.pilot(), Pilot { is_plugged: false, output: None, level: Level::A });
        cable.bench.plug(now, true);
        let pilot = Pilot { is_plugged: true, output: Some(Output::DIGITAL), level: Level::C };
        assert_eq!(cable.changed(), Some(pilot));
        cable.apply(now, Port(1), &Drive::output(Output::Zero));
        cable.apply(now, Port(2), &Drive::level(Level::D));
        assert_eq!(cable.changed(), None, "only its own two ends drive it");
        assert_eq!(
            [0, 1, 2].map(|port| cable.side(Port(port))),
            [Some(Side::Charger), Some(Side::Car), None]
        );
    }

    #[test]
    fn what_happened_is_told_once() {
        let mut cable = cable();
        cable.bench.plug(Instant::ZERO, true);
        assert_eq!(cable.news(), [(Instant::ZERO, Occurrence::Plug { is_plugged: true, current_ma: 0 })]);
        assert_eq!(cable.news(), []);
    }
}
