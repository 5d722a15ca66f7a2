use machine::Duration;

/// The range of a number in a configuration, both ends included, in the unit of the number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Level {
    /// The name of the configuration field.
    pub name: &'static str,
    /// The lowest permitted value.
    pub least: i32,
    /// The highest permitted value.
    pub most: i32,
    /// The unit of both values.
    pub unit: Unit,
}

/// The unit of a level.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    /// mA.
    Milliampere,
    /// mV.
    Millivolt,
    /// ms.
    Millisecond,
    /// Thousandths of a degree Celsius.
    Millicelsius,
    /// Percent.
    Percent,
    /// Ohm per volt.
    OhmPerVolt,
}

impl Level {
    /// The range `least..=most` for the field `name`.
    pub const fn new(name: &'static str, least: i32, most: i32, unit: Unit) -> Self {
        Self { name, least, most, unit }
    }

    /// Compares each value with the level at the same index.
    ///
    /// # Errors
    /// The name of the first level whose value is outside its range.
    pub fn check(levels: &[Self], values: &[i32]) -> Result<(), &'static str> {
        let is_out = |(level, value): &(&Self, &i32)| **value < level.least || **value > level.most;
        levels.iter().zip(values).find(is_out).map_or(Ok(()), |(level, _)| Err(level.name))
    }

    /// A time as a value in ms, at most `i32::MAX`.
    pub fn millis(time: Duration) -> i32 {
        i32::try_from(time.as_millis()).unwrap_or(i32::MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_value_out_of_its_range_is_named_and_both_ends_are_in_it() {
        let levels = [Level::new("a", -5, 5, Unit::Percent), Level::new("b", 100, 200, Unit::Millisecond)];
        for (values, expected) in [
            ([-5, 100], Ok(())),
            ([5, 200], Ok(())),
            ([6, 99], Err("a")),
            ([-6, 100], Err("a")),
            ([0, 99], Err("b")),
            ([0, Level::millis(Duration::from_secs(u64::MAX))], Err("b")),
        ] {
            assert_eq!(Level::check(&levels, &values), expected, "{values:?}");
        }
    }
}
