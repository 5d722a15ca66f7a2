//! The faults of a sensor, and their effect on a value.

use control_pilot::{Level, Proximity};
use evse_fsm::Isolation;
use session::Insulation;

use super::Sensor;
use crate::plant::Side;

/// A fault of a sensor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SensorFault {
    /// No fault.
    Sound,
    /// The sensor does not exist.
    Absent,
    /// It repeats its last value as if it were new. For an isolation monitor: it hangs, and its own counter
    /// stops.
    Frozen,
    /// It reports nothing new: its last reading ages.
    Silent,
    /// It is off by this many thousandths of a unit; only for numbers.
    Offset(i32),
    /// It reports this share of the value in thousandths; for numbers, and for the ohms of an isolation
    /// monitor.
    Scaled(i32),
    /// Each reading is off by up to this many thousandths of a unit, in both directions; only for numbers.
    Noisy(i32),
    /// It always reports this: a number in thousandths, or the index of a level. Levels of a pilot, a
    /// proximity wire and an isolation monitor are numbered in their own order; a switch that is off is 0.
    Stuck(i32),
    /// A number with the wrong sign; an inverted switch.
    Reversed,
}

impl SensorFault {
    /// Whether it reports values that are wrong.
    pub const fn is_lie(self) -> bool {
        !matches!(self, Self::Sound | Self::Absent | Self::Silent)
    }
}

/// A value that a sensor can report, and the effect of faults on it.
pub(in crate::plant) trait Measured: Copy {
    /// The value with the effect of `fault`.
    #[must_use]
    fn lie(self, fault: SensorFault, noise: impl Fn(i32) -> i32) -> Self;

    /// The value, off by this many millionths of itself; unchanged for types without such an error.
    #[must_use]
    fn off_by_ppm(self, _error_ppm: i32) -> Self {
        self
    }

    /// Whether a side reacts to both values in the same way: numbers within 2 % and 1 unit.
    fn is_same(self, truth: Self) -> bool;
}

impl Measured for i32 {
    fn lie(self, fault: SensorFault, noise: impl Fn(Self) -> Self) -> Self {
        match fault {
            SensorFault::Offset(offset) => self.saturating_add(offset),
            SensorFault::Scaled(permille) => scaled(self, permille),
            SensorFault::Noisy(most) => self.saturating_add(noise(most)),
            SensorFault::Stuck(value) => value,
            SensorFault::Reversed => self.saturating_neg(),
            _ => self,
        }
    }

    fn off_by_ppm(self, error_ppm: i32) -> Self {
        let error = i64::from(self) * i64::from(error_ppm) / 1_000_000;
        self.saturating_add(Self::try_from(error).unwrap_or(0))
    }

    fn is_same(self, truth: Self) -> bool {
        self.abs_diff(truth) <= truth.unsigned_abs() / 50 + 1_000
    }
}

impl Measured for u16 {
    fn lie(self, fault: SensorFault, noise: impl Fn(i32) -> i32) -> Self {
        let thousandths = i32::from(self) * 1000;
        Self::try_from(thousandths.lie(fault, noise) / 1000).unwrap_or(0)
    }

    fn is_same(self, truth: Self) -> bool {
        self == truth
    }
}

impl Measured for u8 {
    fn lie(self, _: SensorFault, _: impl Fn(i32) -> i32) -> Self {
        self
    }

    fn is_same(self, truth: Self) -> bool {
        self == truth
    }
}

impl Measured for bool {
    fn lie(self, fault: SensorFault, _: impl Fn(i32) -> i32) -> Self {
        match fault {
            SensorFault::Stuck(number) => number != 0,
            SensorFault::Reversed => !self,
            _ => self,
        }
    }

    fn is_same(self, truth: Self) -> bool {
        self == truth
    }
}

/// The levels of a pilot by index; `script` has words for all of these.
const LEVELS: [Level; 6] = [Level::A, Level::B, Level::C, Level::D, Level::E, Level::F];

/// The states of a proximity wire by index.
const PROXIMITIES: [Proximity; 4] =
    [Proximity::Absent, Proximity::Cable { current_ma: 13_000 }, Proximity::Pressed, Proximity::Unknown];

/// The states of an isolation monitor by index.
const STATES: [Isolation; 4] = [Isolation::Measuring, Isolation::Valid, Isolation::Warning, Isolation::Fault];

/// The value with this index, or the physical one if none has it.
fn stuck<T: Copy>(all: &[T], fault: SensorFault, truth: T) -> T {
    let SensorFault::Stuck(number) = fault else { return truth };
    usize::try_from(number).ok().and_then(|number| all.get(number)).copied().unwrap_or(truth)
}

impl Measured for Level {
    fn lie(self, fault: SensorFault, _: impl Fn(i32) -> i32) -> Self {
        stuck(&LEVELS, fault, self)
    }

    fn is_same(self, truth: Self) -> bool {
        self == truth
    }
}

impl Measured for Proximity {
    fn lie(self, fault: SensorFault, _: impl Fn(i32) -> i32) -> Self {
        stuck(&PROXIMITIES, fault, self)
    }

    fn is_same(self, truth: Self) -> bool {
        self == truth
    }
}

impl Measured for Insulation {
    fn lie(self, fault: SensorFault, _: impl Fn(i32) -> i32) -> Self {
        match fault {
            SensorFault::Scaled(permille) => {
                let part = |ohm: u32| {
                    let scaled = u64::from(ohm) * u64::try_from(permille).unwrap_or(0) / 1000;
                    u32::try_from(scaled).unwrap_or(u32::MAX)
                };
                Self { resistance_ohm: self.resistance_ohm.map(part), ..self }
            }
            _ => Self { status: stuck(&STATES, fault, self.status), ..self },
        }
    }

    fn is_same(self, truth: Self) -> bool {
        self == truth
    }
}

fn scaled(value: i32, permille: i32) -> i32 {
    let scaled = i64::from(value) * i64::from(permille) / 1000;
    i32::try_from(scaled).unwrap_or(if scaled < 0 { i32::MIN } else { i32::MAX })
}

/// A number from `-most` to `most` that depends on all arguments: splitmix64.
pub(super) fn spread((seed, side, sensor, at): (u64, Side, Sensor, u64), most: i32) -> i32 {
    let name = (sensor as u64) * 2 + u64::from(side == Side::Car);
    let mut mixed = seed ^ at.wrapping_mul(0x9E37_79B9_7F4A_7C15) ^ (name << 56);
    for factor in [0xBF58_476D_1CE4_E5B9, 0x94D0_49BB_1331_11EB, 0x9E37_79B9_7F4A_7C15_u64] {
        mixed = (mixed ^ (mixed >> 30)).wrapping_add(0x9E37_79B9_7F4A_7C15).wrapping_mul(factor);
    }
    mixed ^= mixed >> 31;
    let width = u64::from(most.unsigned_abs()) * 2 + 1;
    let drawn = i64::try_from(mixed % width).unwrap_or(0) - i64::from(most.unsigned_abs());
    i32::try_from(drawn).unwrap_or(0)
}
