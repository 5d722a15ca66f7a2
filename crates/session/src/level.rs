use machine::Duration;

/// A level that can be configured: its range, both ends in it, in the unit of the value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Level {
    /// The name of the field that holds it.
    pub name: &'static str,
    /// The lowest value.
    pub least: i32,
    /// The highest value.
    pub most: i32,
    /// What the numbers count.
    pub unit: Unit,
}

/// What a level's numbers count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    /// Thousandths of an ampere.
    Milliampere,
    /// Thousandths of a volt.
    Millivolt,
    /// Thousandths of a second.
    Millisecond,
    /// Thousandths of a degree Celsius.
    Millicelsius,
    /// Per cent.
    Percent,
    /// Ohm for each volt.
    OhmPerVolt,
}

impl Level {
    /// A level of this name, from `least` to `most`.
    pub const fn new(name: &'static str, least: i32, most: i32, unit: Unit) -> Self {
        Self { name, least, most, unit }
    }

    /// Holds each value to the level in the same place.
    ///
    /// # Errors
    /// The name of the first level whose value is out of its range.
    pub fn check(levels: &[Self], values: &[i32]) -> Result<(), &'static str> {
        let is_out = |(level, value): &(&Self, &i32)| **value < level.least || **value > level.most;
        levels.iter().zip(values).find(is_out).map_or(Ok(()), |(level, _)| Err(level.name))
    }

    /// A time as the value of a level in milliseconds; one that is too long for that is as long as can be.
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
