//! The proximity wire: from the ADC to the state that `control_pilot` derives from its resistance.

use control_pilot::{Coding, Proximity};
use machine::Instant;
use session::Reading;

use crate::{Millivolts, Range, Scale};

/// The resistors on the inlet's proximity wire.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Divider {
    /// Supply of the pull-up in mV.
    pub supply_mv: i32,
    /// The pull-up in ohms.
    pub pull_up_ohms: u32,
    /// The inlet's own pull-down in ohms; 0 without one.
    pub pull_down_ohms: u32,
}

impl Divider {
    /// 330 Ohm to 5 V and 2.7 kOhm to ground, as in clara's and Type 1 inlets.
    pub const TYPE_1: Self = Self { supply_mv: 5_000, pull_up_ohms: 330, pull_down_ohms: 2_700 };
    /// 330 Ohm to 5 V, no resistor to ground.
    pub const TYPE_2: Self = Self { supply_mv: 5_000, pull_up_ohms: 330, pull_down_ohms: 0 };
}

/// Measures the proximity wire. [`WINDOW`](Self::WINDOW) samples make a reading. If the two ends of their
/// range have different meanings, the reading is [`Proximity::Unknown`]: a plug is inserted, and charging is
/// not permitted.
#[derive(Clone, Debug)]
pub struct ProximityMeter {
    coding: Coding,
    scale: Scale,
    divider: Divider,
    range: Range,
    begun: Option<Instant>,
    reading: Option<Reading<Proximity>>,
    ohms: Option<u32>,
}

impl ProximityMeter {
    /// Samples in one reading: 10 (judgement; the session debounces for 50 ms).
    pub const WINDOW: u16 = 10;

    /// A meter before the first sample.
    pub const fn new(coding: Coding, scale: Scale, divider: Divider) -> Self {
        Self { coding, scale, divider, range: Range::EMPTY, begun: None, reading: None, ohms: None }
    }

    /// Converts now and adds the sample; returns the state if this completed a reading.
    ///
    /// # Errors
    /// The conversion failed; no sample was added.
    pub fn sample<A: Millivolts>(
        &mut self,
        adc: &mut A,
        now: Instant,
    ) -> Result<Option<Proximity>, A::Error> {
        let pad_mv = adc.read_mv()?;
        let begun = *self.begun.get_or_insert(now);
        self.range.take(self.scale.wire_mv(pad_mv));
        if self.range.count < Self::WINDOW {
            return Ok(None);
        }
        let range = core::mem::replace(&mut self.range, Range::EMPTY);
        let (low, high) = (self.meaning(range.min_mv), self.meaning(range.max_mv));
        let value = if low == high { low } else { Proximity::Unknown };
        self.reading = Some(Reading::new(value, begun));
        self.ohms = self.resistance(i32::midpoint(range.min_mv, range.max_mv));
        self.begun = None;
        Ok(Some(value))
    }

    /// The newest reading, with the time of its first sample.
    pub const fn reading(&self) -> Option<Reading<Proximity>> {
        self.reading
    }

    /// The resistance in ohms in the middle of the newest reading, for logs: `u32::MAX` for an open wire.
    pub const fn ohms(&self) -> Option<u32> {
        self.ohms
    }

    fn meaning(&self, wire_mv: i32) -> Proximity {
        self.resistance(wire_mv).map_or(Proximity::Unknown, |ohms| Proximity::of_ohms(self.coding, ohms))
    }

    fn resistance(&self, wire_mv: i32) -> Option<u32> {
        let Divider { supply_mv, pull_up_ohms, pull_down_ohms } = self.divider;
        Proximity::ohms(wire_mv, supply_mv, pull_up_ohms, pull_down_ohms)
    }
}
