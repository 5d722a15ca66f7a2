//! Voltages measured by the ADC.

/// One channel of an ADC. The code for the chip implements it, calibration included.
pub trait Millivolts {
    /// Why a conversion failed.
    type Error: core::fmt::Debug;

    /// Converts now and returns the voltage at the pad in mV. A conversion must not take longer than 25 us,
    /// the shortest sampled phase of the pilot; a slower one gives no sample at 5 %.
    ///
    /// # Errors
    /// The conversion failed.
    fn read_mv(&mut self) -> Result<i32, Self::Error>;
}

/// The divider in front of a pad: from the pad's voltage to the wire's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Scale {
    /// Voltage at the pad in mV when the wire is at 0 V.
    pub zero_mv: i32,
    /// Change of the wire's voltage in uV for each mV at the pad.
    pub microvolts_per_mv: i32,
}

impl Scale {
    /// The pilot's divider of the default wiring: -12.8 V to +12.8 V become 50 mV to 3250 mV (judgement).
    pub const PILOT: Self = Self { zero_mv: 1_650, microvolts_per_mv: 8_000 };
    /// The proximity's divider of the default wiring: 0 V to 5 V become 0 mV to 2500 mV (judgement).
    pub const PROXIMITY: Self = Self { zero_mv: 0, microvolts_per_mv: 2_000 };

    /// Voltage of the wire in mV for a voltage at the pad in mV.
    pub const fn wire_mv(self, pad_mv: i32) -> i32 {
        let off = pad_mv.saturating_sub(self.zero_mv) as i64;
        let mv = off * self.microvolts_per_mv as i64 / 1_000;
        if mv > i32::MAX as i64 {
            i32::MAX
        } else if mv < i32::MIN as i64 {
            i32::MIN
        } else {
            // Bounded in the line above.
            #[allow(clippy::cast_possible_truncation, reason = "bounded above")]
            {
                mv as i32
            }
        }
    }
}

/// The lowest and the highest of some samples, in mV. Both ends are judged, never a mean, so that noise
/// cannot hide.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Range {
    /// The lowest sample in mV.
    pub min_mv: i32,
    /// The highest sample in mV.
    pub max_mv: i32,
    /// Number of samples.
    pub count: u16,
}

impl Range {
    /// A range without samples.
    pub const EMPTY: Self = Self { min_mv: i32::MAX, max_mv: i32::MIN, count: 0 };

    /// Adds a sample in mV.
    pub fn take(&mut self, mv: i32) {
        self.min_mv = self.min_mv.min(mv);
        self.max_mv = self.max_mv.max(mv);
        self.count = self.count.saturating_add(1);
    }
}
