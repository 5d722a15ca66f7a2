use core::fmt;

/// A control pilot level, named by the voltage of the high phase (IEC 61851-1 table A.4, figures
/// from memory).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Level {
    /// +12 V: no car connected.
    A,
    /// +9 V: connected, the car is not ready.
    B,
    /// +6 V: the car is ready.
    C,
    /// +3 V: the car is ready and requests ventilation.
    D,
    /// 0 V: short to protective earth, or the charger has no power; also a missing diode in the car.
    E,
    /// -12 V: the charger is not available.
    F,
}

/// Nominal voltages of the high phase in mV, from the highest down.
const NOMINAL: [(Level, i32); 6] = [
    (Level::A, 12_000),
    (Level::B, 9_000),
    (Level::C, 6_000),
    (Level::D, 3_000),
    (Level::E, 0),
    (Level::F, -12_000),
];

impl Level {
    /// Maximum deviation from a level's nominal voltage, in mV, for an unambiguous level: 1.1 V (`EVerest`'s
    /// simulated board; IEC 61851-1 has about +-0.6..1 V, from memory).
    pub const TOLERANCE_MV: i32 = 1_100;
    /// Distance past the middle between two levels at which the level changes, in mV: judgement.
    pub const HYSTERESIS_MV: i32 = 300;
    /// Maximum voltage of a valid low phase of the pulse-width modulated pilot, in mV: -12 V with 1.1 V
    /// tolerance and as much for the cable.
    pub const LOW_PHASE_MV: i32 = -9_800;

    /// The nominal voltage of the high phase in mV.
    pub const fn nominal_mv(self) -> i32 {
        match self {
            Self::A => 12_000,
            Self::B => 9_000,
            Self::C => 6_000,
            Self::D => 3_000,
            Self::E => 0,
            Self::F => -12_000,
        }
    }

    /// The level whose nominal voltage is nearest to `high_mv`, without tolerance or hysteresis.
    pub fn nearest(high_mv: i32) -> Self {
        NOMINAL
            .iter()
            .min_by_key(|(_, nominal)| high_mv.saturating_sub(*nominal).unsigned_abs())
            .map_or(Self::E, |(level, _)| *level)
    }

    /// The level of `high_mv`; `None` if it is more than [`TOLERANCE_MV`](Self::TOLERANCE_MV) from any
    /// nominal voltage.
    pub fn exactly(high_mv: i32) -> Option<Self> {
        let level = Self::nearest(high_mv);
        (high_mv.saturating_sub(level.nominal_mv()).abs() <= Self::TOLERANCE_MV).then_some(level)
    }

    /// Whether a car is connected and the pilot has no fault (B, C or D).
    pub const fn is_plugged(self) -> bool {
        matches!(self, Self::B | Self::C | Self::D)
    }

    /// Whether the car is ready (C or D).
    pub const fn is_ready(self) -> bool {
        matches!(self, Self::C | Self::D)
    }

    /// The letter.
    pub const fn name(self) -> &'static str {
        match self {
            Self::A => "A",
            Self::B => "B",
            Self::C => "C",
            Self::D => "D",
            Self::E => "E",
            Self::F => "F",
        }
    }
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Follows the pilot with hysteresis. It starts at E, the level that allows nothing.
///
/// It adds no delay: a car that leaves C must be detected immediately. Averaging and the moment of sampling
/// (50 us after the rising edge at 5 %) are the adapter's task.
#[derive(Clone, Copy, Debug)]
pub struct LevelTracker {
    level: Level,
}

impl LevelTracker {
    /// A tracker at level E.
    pub const fn new() -> Self {
        Self { level: Level::E }
    }

    /// The level of the latest measurement.
    pub const fn level(&self) -> Level {
        self.level
    }

    /// Processes one measurement and returns the level.
    ///
    /// `high_mv` is the voltage in the high phase. `low_mv` is the voltage in the low phase while the pilot
    /// is pulse-width modulated, `None` while it is steady. A low phase above [`Level::LOW_PHASE_MV`] means
    /// that the diode in the car is missing or that the pilot has another load: the level is then E for any
    /// high phase.
    pub fn update(&mut self, high_mv: i32, low_mv: Option<i32>) -> Level {
        let diode_fault = low_mv.is_some_and(|low| low > Level::LOW_PHASE_MV);
        let nearest = Level::nearest(high_mv);
        if diode_fault {
            self.level = Level::E;
        } else if nearest != self.level && Self::is_clearly_left(self.level, high_mv, nearest) {
            self.level = nearest;
        }
        self.level
    }

    /// Whether `high_mv` is past the middle between `from` and `next` by more than the hysteresis.
    fn is_clearly_left(from: Level, high_mv: i32, next: Level) -> bool {
        let from_old = high_mv.saturating_sub(from.nominal_mv()).saturating_abs();
        let from_new = high_mv.saturating_sub(next.nominal_mv()).saturating_abs();
        // A shift of h past the middle changes the difference of the two distances by 2 h.
        from_old.saturating_sub(from_new) > 2 * Level::HYSTERESIS_MV
    }
}

impl Default for LevelTracker {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_level_is_found_within_its_tolerance() {
        for (level, nominal) in NOMINAL {
            for off in [-Level::TOLERANCE_MV, 0, Level::TOLERANCE_MV] {
                assert_eq!(Level::exactly(nominal + off), Some(level));
                assert_eq!(LevelTracker::new().update(nominal + off, None), level);
            }
        }
    }

    #[test]
    fn between_two_levels_is_none_of_them_exactly() {
        for middle in [10_500, 7_500, 4_500, 1_500, -6_000] {
            assert_eq!(Level::exactly(middle), None);
        }
    }

    #[test]
    fn a_voltage_on_the_border_does_not_flutter() {
        let mut pilot = LevelTracker::new();
        pilot.update(9_000, None);
        for noise in [7_400, 7_600, 7_350, 7_500] {
            assert_eq!(pilot.update(noise, None), Level::B);
        }
        assert_eq!(pilot.update(7_100, None), Level::C);
        for noise in [7_400, 7_600, 7_350, 7_790] {
            assert_eq!(pilot.update(noise, None), Level::C);
        }
        assert_eq!(pilot.update(7_810, None), Level::B);
    }

    #[test]
    fn a_missing_diode_is_e_although_the_high_phase_looks_ready() {
        let mut pilot = LevelTracker::new();
        assert_eq!(pilot.update(6_000, Some(-6_000)), Level::E);
        assert_eq!(pilot.update(6_000, Some(-11_900)), Level::C);
    }

    #[test]
    fn extreme_readings_are_the_outer_levels() {
        assert_eq!(Level::nearest(i32::MAX), Level::A);
        assert_eq!(Level::nearest(i32::MIN), Level::F);
        assert_eq!(LevelTracker::new().update(i32::MIN, Some(i32::MIN)), Level::F);
    }
}
