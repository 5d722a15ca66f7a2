use control_pilot::{Level, Output};

use crate::Port;

/// A charging cable between a charger and a car: who drives the pilot how, and what the other side sees of
/// it. Levels only; nothing here has a voltage.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cable {
    /// The charger's port.
    pub charger: Port,
    /// The car's port.
    pub car: Port,
    /// Whether it is plugged in.
    pub is_plugged: bool,
    /// What the charger drives.
    pub output: Output,
    /// What the car pulls the pilot to while it is plugged in: B, C or D.
    pub car_level: Level,
}

/// What both ends of a cable can see.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pilot {
    /// Whether the car feels a plug in its inlet. A charger knows only the level.
    pub is_plugged: bool,
    /// What the car measures: the charger's output, or none without a plug.
    pub output: Option<Output>,
    /// What the charger measures.
    pub level: Level,
}

/// What a node drives on its end of the cable.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Drive {
    /// It has no end of a cable, or leaves it as it is.
    #[default]
    Nothing,
    /// A charger's output.
    Charger(Output),
    /// A car's load.
    Car(Level),
}

impl Cable {
    /// A cable that is not plugged in, at a safe charger and a car that is not ready.
    pub const fn new(charger: Port, car: Port) -> Self {
        Self { charger, car, is_plugged: false, output: Output::Steady, car_level: Level::B }
    }

    /// What both ends see.
    pub const fn pilot(&self) -> Pilot {
        let level = match self.output {
            Output::Zero => Level::E,
            Output::Negative => Level::F,
            Output::Steady | Output::Pwm(_) if self.is_plugged => self.car_level,
            Output::Steady | Output::Pwm(_) => Level::A,
        };
        let output = if self.is_plugged { Some(self.output) } else { None };
        Pilot { is_plugged: self.is_plugged, output, level }
    }

    /// Takes what the node at `port` drives.
    pub(crate) fn apply(&mut self, port: Port, drive: Drive) {
        match drive {
            Drive::Charger(output) if port == self.charger => self.output = output,
            Drive::Car(level) if port == self.car => self.car_level = level,
            _ => (),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_end_sees_what_the_other_drives_and_nothing_without_a_plug() {
        let mut cable = Cable::new(Port(0), Port(1));
        cable.apply(Port(0), Drive::Charger(Output::DIGITAL));
        cable.apply(Port(1), Drive::Car(Level::C));
        assert_eq!(cable.pilot(), Pilot { is_plugged: false, output: None, level: Level::A });
        cable.is_plugged = true;
        let pilot = Pilot { is_plugged: true, output: Some(Output::DIGITAL), level: Level::C };
        assert_eq!(cable.pilot(), pilot);
        cable.apply(Port(1), Drive::Charger(Output::Zero));
        cable.apply(Port(2), Drive::Car(Level::D));
        assert_eq!(cable.pilot(), pilot, "only its own two ends drive it");
    }

    #[test]
    fn a_dead_or_unavailable_charger_is_seen_whatever_is_plugged() {
        for (output, level) in [(Output::Zero, Level::E), (Output::Negative, Level::F)] {
            for is_plugged in [false, true] {
                let cable = Cable { is_plugged, output, ..Cable::new(Port(0), Port(1)) };
                assert_eq!(cable.pilot().level, level);
            }
        }
    }
}
