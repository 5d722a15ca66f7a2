use control_pilot::{Level, LevelTracker, Output};

use crate::Pilot;

/// A fault of the pilot wire and its parts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum PilotFault {
    /// No fault.
    #[default]
    Sound,
    /// The wire, or its return through earth, is broken.
    Open,
    /// The wire touches earth.
    Short,
    /// The diode in the car is missing.
    NoDiode,
    /// The charger's generator has this duty cycle in per mille while it should pulse: 1000 is steady +12 V.
    Duty(u16),
}

/// The control pilot in volts: the charger's generator with 1 kOhm in series, the wire, and the car's diode
/// and resistors (IEC 61851-1 annex A, figures from memory).
#[derive(Clone, Copy, Debug)]
pub struct PilotWire {
    /// The present fault.
    pub fault: PilotFault,
    /// Whether the plug is in.
    pub is_plugged: bool,
    /// The output that the charger demands.
    pub output: Output,
    /// The level that the car pulls the pilot to.
    pub load: Level,
    tracker: LevelTracker,
}

/// The generator's voltage in mV, positive and negative.
const SUPPLY_MV: i32 = 12_000;
/// Its resistor in Ohm.
const SOURCE_OHM: i32 = 1_000;
/// Loss in the car's diode in mV.
const DIODE_MV: i32 = 700;

impl PilotWire {
    /// A wire without a plug, at a charger that drives steady +12 V.
    pub const fn new() -> Self {
        Self {
            fault: PilotFault::Sound,
            is_plugged: false,
            output: Output::Steady,
            load: Level::B,
            tracker: LevelTracker::new(),
        }
    }

    /// The generator's real output, as the charger measures it.
    pub fn driven(&self) -> Output {
        match (self.fault, self.output) {
            (PilotFault::Duty(1000), Output::Pwm(_)) => Output::Steady,
            (PilotFault::Duty(duty), Output::Pwm(_)) => Output::Pwm(duty),
            (_, output) => output,
        }
    }

    /// The car's resistor in Ohm, if the charger is connected to it.
    fn load_ohm(&self) -> Option<i32> {
        match (self.fault, self.load) {
            (PilotFault::Short, _) => Some(0),
            (PilotFault::Open, _) => None,
            _ if !self.is_plugged => None,
            // 2.74 kOhm, with 1.3 kOhm, with 270 Ohm in parallel.
            (_, Level::C) => Some(882),
            (_, Level::D) => Some(246),
            _ => Some(2_740),
        }
    }

    /// Voltages in mV that the charger measures: of the high phase, and of the low phase while the pilot
    /// pulses.
    pub fn measured_mv(&self) -> (i32, Option<i32>) {
        match self.driven() {
            Output::Steady => (self.divided(SUPPLY_MV), None),
            Output::Pwm(_) => (self.divided(SUPPLY_MV), Some(self.divided(-SUPPLY_MV))),
            Output::Zero => (0, None),
            Output::Negative => (self.divided(-SUPPLY_MV), None),
        }
    }

    fn divided(&self, driven_mv: i32) -> i32 {
        let is_short = self.fault == PilotFault::Short;
        let has_diode = self.fault != PilotFault::NoDiode && !is_short;
        let loss = if has_diode { DIODE_MV } else { 0 };
        match self.load_ohm() {
            Some(ohms) if driven_mv > 0 || !has_diode => {
                loss + (driven_mv - loss) * ohms / (SOURCE_OHM + ohms)
            }
            _ => driven_mv,
        }
    }

    /// Measures, and returns the level after the charger's hysteresis.
    pub fn level(&mut self) -> Level {
        let (high_mv, low_mv) = self.measured_mv();
        self.tracker.update(high_mv, low_mv)
    }

    /// Measures, and returns the pilot as both ends see it.
    pub fn seen(&mut self) -> Pilot {
        Pilot { is_plugged: self.is_plugged, output: self.at_car(), level: self.level() }
    }

    /// The charger's output as the car sees it; `None` without a plug or a wire.
    pub fn at_car(&self) -> Option<Output> {
        let is_cut = matches!(self.fault, PilotFault::Open | PilotFault::Short);
        (self.is_plugged && !is_cut).then(|| self.driven())
    }
}

impl Default for PilotWire {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wire(output: Output, load: Level, fault: PilotFault) -> PilotWire {
        PilotWire { fault, is_plugged: true, output, load, ..PilotWire::new() }
    }

    #[test]
    fn every_level_has_its_voltage_within_the_standards_tolerance() {
        for level in [Level::B, Level::C, Level::D] {
            let (high, low) = wire(Output::DIGITAL, level, PilotFault::Sound).measured_mv();
            assert_eq!((Level::exactly(high), low), (Some(level), Some(-12_000)), "{high} mV");
        }
        let mut open = PilotWire { output: Output::DIGITAL, ..PilotWire::new() };
        assert_eq!((open.measured_mv(), open.level()), ((12_000, Some(-12_000)), Level::A));
    }

    #[test]
    fn what_is_wrong_with_the_wire_is_seen_at_both_ends() {
        let cases = [
            (PilotFault::Sound, Level::C, Some(50)),
            (PilotFault::Open, Level::A, None),
            (PilotFault::Short, Level::E, None),
            (PilotFault::NoDiode, Level::E, Some(50)),
            (PilotFault::Duty(30), Level::C, Some(30)),
        ];
        for (fault, level, duty) in cases {
            let mut wire = wire(Output::DIGITAL, Level::C, fault);
            assert_eq!(
                (wire.level(), wire.at_car().and_then(Output::duty_permille)),
                (level, duty),
                "{fault:?}"
            );
        }
    }

    #[test]
    fn a_missing_diode_shows_only_while_the_pilot_pulses() {
        assert_eq!(wire(Output::Steady, Level::B, PilotFault::NoDiode).level(), Level::B);
        assert_eq!(wire(Output::DIGITAL, Level::B, PilotFault::NoDiode).level(), Level::E);
    }

    #[test]
    fn a_charger_without_power_or_out_of_service_is_seen_whatever_is_plugged() {
        for (output, level) in [(Output::Zero, Level::E), (Output::Negative, Level::F)] {
            for is_plugged in [false, true] {
                let mut wire = PilotWire { is_plugged, ..wire(output, Level::C, PilotFault::Sound) };
                assert_eq!(wire.level(), level);
            }
        }
    }
}
