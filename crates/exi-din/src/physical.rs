use exi::element;

use crate::{UnitMultiplier, UnitSymbol};

element! {
    /// A number with a unit: `value * 10^multiplier`.
    /// A decoded number keeps its multiplier, so that it encodes to the same bytes. 345.1 V and 345 V occur
    /// as 3451 * 10^-1 and 345 * 10^0 in one session (observed: Model Y).
    pub struct PhysicalValue {
        /// The power of ten, -3..=3.
        pub multiplier: UnitMultiplier = "Multiplier",
        /// The unit. Optional in DIN SPEC 70121: send it, do not require it.
        pub unit: Option<UnitSymbol> = "Unit",
        /// The number, -32768..=32767.
        pub value: i16 = "Value",
    }
}

/// A value beyond the range of [`PhysicalValue`]: its magnitude exceeds 32767 * 10^3 units.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{milli} thousandths are more than a physical value holds (32 767 000 units)")]
pub struct OutOfRange {
    /// The value in thousandths of its unit.
    pub milli: i64,
}

impl PhysicalValue {
    /// The value in thousandths of its unit (mV, mA, mW, ms ...), exactly.
    pub const fn to_milli(self) -> i64 {
        self.value as i64 * power_of_ten(self.multiplier.get() + 3)
    }

    /// The value in thousandths of `unit`, saturated to `i32`. For a value with another unit the result is
    /// `i32::MAX`, so that every plausibility check refuses it.
    pub fn milli_of(self, unit: UnitSymbol) -> i32 {
        if self.unit.is_some_and(|own| own != unit) {
            return i32::MAX;
        }
        saturated(self.to_milli())
    }

    /// The value in whole units, rounded toward zero, saturated to `i32`.
    pub fn whole(self) -> i32 {
        saturated(self.to_milli() / 1000)
    }

    /// A limit or target from thousandths of its unit, rounded toward zero: never more than was meant.
    pub const fn limit(milli: i64, unit: UnitSymbol) -> Result<Self, OutOfRange> {
        Self::from_milli(milli, unit, false)
    }

    /// A measurement from thousandths of its unit, rounded to the nearest step, halves away from zero.
    pub const fn measurement(milli: i64, unit: UnitSymbol) -> Result<Self, OutOfRange> {
        Self::from_milli(milli, unit, true)
    }

    /// Chooses the smallest multiplier that can represent the value, at least one decimal for volts and
    /// amperes and whole units for all others, as deployed chargers and cars do.
    const fn from_milli(milli: i64, unit: UnitSymbol, nearest: bool) -> Result<Self, OutOfRange> {
        let mut multiplier = match unit {
            UnitSymbol::V | UnitSymbol::A => -1,
            _ => 0,
        };
        while multiplier <= UnitMultiplier::MAX.get() {
            let step = power_of_ten(multiplier + 3);
            let half = if !nearest {
                0
            } else if milli < 0 {
                -step / 2
            } else {
                step / 2
            };
            let steps = milli.saturating_add(half) / step;
            #[allow(clippy::cast_possible_truncation, reason = "compared right here")]
            let value = steps as i16;
            if value as i64 == steps {
                return Ok(Self { multiplier: UnitMultiplier::clamped(multiplier), unit: Some(unit), value });
            }
            multiplier += 1;
        }
        Err(OutOfRange { milli })
    }
}

fn saturated(value: i64) -> i32 {
    i32::try_from(value).unwrap_or(if value < 0 { i32::MIN } else { i32::MAX })
}

/// `10^exponent` for an exponent of 0..=6.
const fn power_of_ten(exponent: i8) -> i64 {
    let mut power = 1;
    let mut left = exponent;
    while left > 0 {
        power *= 10;
        left -= 1;
    }
    power
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts(value: Result<PhysicalValue, OutOfRange>) -> Option<(i16, i8)> {
        value.ok().map(|value| (value.value, value.multiplier.get()))
    }

    #[test]
    fn values_keep_one_decimal_as_long_as_they_fit() {
        assert_eq!(parts(PhysicalValue::measurement(345_123, UnitSymbol::V)), Some((3451, -1)));
        assert_eq!(parts(PhysicalValue::measurement(98_000_000, UnitSymbol::W)), Some((9800, 1)));
        assert_eq!(parts(PhysicalValue::measurement(32_767_000, UnitSymbol::W)), Some((32767, 0)));
        assert_eq!(parts(PhysicalValue::measurement(4_000_000, UnitSymbol::A)), Some((4000, 0)));
    }

    #[test]
    fn limits_round_toward_zero_and_measurements_to_the_nearest_step() {
        assert_eq!(parts(PhysicalValue::limit(19_999, UnitSymbol::A)), Some((199, -1)));
        assert_eq!(parts(PhysicalValue::measurement(19_950, UnitSymbol::A)), Some((200, -1)));
        assert_eq!(parts(PhysicalValue::limit(-19_999, UnitSymbol::A)), Some((-199, -1)));
        assert_eq!(parts(PhysicalValue::measurement(-19_950, UnitSymbol::A)), Some((-200, -1)));
    }

    #[test]
    fn what_does_not_fit_is_an_error_and_never_wraps() {
        assert!(PhysicalValue::limit(32_767_999_999, UnitSymbol::W).is_ok());
        assert!(
            PhysicalValue::limit(32_768_000_000, UnitSymbol::W).is_err_and(|e| e.milli == 32_768_000_000)
        );
        assert!(PhysicalValue::measurement(i64::MAX, UnitSymbol::V).is_err());
        assert!(PhysicalValue::measurement(i64::MIN, UnitSymbol::V).is_err());
    }

    #[test]
    fn another_unit_is_implausible_and_a_missing_one_is_taken() {
        let value =
            PhysicalValue { multiplier: UnitMultiplier::MAX, unit: Some(UnitSymbol::A), value: 2_000 };
        assert_eq!(value.milli_of(UnitSymbol::A), 2_000_000_000);
        assert_eq!(value.milli_of(UnitSymbol::V), i32::MAX);
        assert_eq!(PhysicalValue { unit: None, value: i16::MIN, ..value }.milli_of(UnitSymbol::V), i32::MIN);
        assert_eq!(value.whole(), 2_000_000);
    }

    #[test]
    fn every_wire_value_is_exact_in_thousandths() {
        for multiplier in -3..=3 {
            for value in [i16::MIN, -1, 0, 1, 3451, i16::MAX] {
                let physical =
                    PhysicalValue { multiplier: UnitMultiplier::clamped(multiplier), unit: None, value };
                let expected = i64::from(value) * 10_i64.pow(u32::try_from(multiplier + 3).unwrap());
                assert_eq!(physical.to_milli(), expected);
            }
        }
    }
}
