use machine::Duration;
use session::{Level, Unit};

/// The levels of the car's protection. Each has a default with its source, and a range
/// ([`LEVELS`](Self::LEVELS)) that [`Config::check`](crate::Config::check) enforces.
///
/// Reverse current is always a fault: no car here returns energy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Protection {
    /// A current below minus this, in mA, is a latched stop: 5 A (judgement, measurement error), 1..=20 A.
    pub reverse_ma: i32,
    /// Duration of such a current: 1 s (judgement), 0.1..=5 s.
    pub reverse: Duration,
    /// Permitted excess of the charger's current below 50 A, in mA: 2.5 A (IEC 61851-23, from memory),
    /// 2.5..=10 A. A sensor tolerance of 1 A or 1 % is added.
    pub regulation_ma: i32,
    /// Permitted excess from 50 A on, in percent of the requested current: 5 (IEC 61851-23, from memory),
    /// 5..=10.
    pub regulation_percent: u8,
    /// More current than that for this time is a latched stop: 3 s (judgement), 1..=5 s.
    pub over_current: Duration,
    /// With the contactors closed, more voltage than the car's own limit for this time is a latched stop: 400
    /// ms (`EVerest`), 100 ms..=2 s. A sensor tolerance of 1 % and 1 V is added.
    pub over_voltage: Duration,
    /// Above this many percent of that limit the stop is immediate: 110 (judgement), 105..=120.
    pub far_over_percent: u8,
    /// From this temperature of the inlet on no current is requested and the charge ends, in thousandths of a
    /// degree Celsius: 90 degrees (fault list, X104), 60..=120. Over the 20 degrees below the current is
    /// reduced linearly.
    pub hot_millicelsius: i32,
}

impl Protection {
    /// The default of each level.
    pub const DEFAULT: Self = Self {
        reverse_ma: 5_000,
        reverse: Duration::from_secs(1),
        regulation_ma: 2_500,
        regulation_percent: 5,
        over_current: Duration::from_secs(3),
        over_voltage: Duration::from_millis(400),
        far_over_percent: 110,
        hot_millicelsius: 90_000,
    };

    /// The range of each level, in the order of the fields.
    pub const LEVELS: [Level; 8] = [
        Level::new("reverse_ma", 1_000, 20_000, Unit::Milliampere),
        Level::new("reverse", 100, 5_000, Unit::Millisecond),
        Level::new("regulation_ma", 2_500, 10_000, Unit::Milliampere),
        Level::new("regulation_percent", 5, 10, Unit::Percent),
        Level::new("over_current", 1_000, 5_000, Unit::Millisecond),
        Level::new("over_voltage", 100, 2_000, Unit::Millisecond),
        Level::new("far_over_percent", 105, 120, Unit::Percent),
        Level::new("hot_millicelsius", 60_000, 120_000, Unit::Millicelsius),
    ];

    /// The name of the first level that is outside its range.
    pub(crate) fn check(&self) -> Result<(), &'static str> {
        let values = [
            self.reverse_ma,
            Level::millis(self.reverse),
            self.regulation_ma,
            self.regulation_percent.into(),
            Level::millis(self.over_current),
            Level::millis(self.over_voltage),
            self.far_over_percent.into(),
            self.hot_millicelsius,
        ];
        Level::check(&Self::LEVELS, &values)
    }

    /// The highest current in mA that a charger without fault and a sensor within 1 % show at a request of
    /// `asked_ma`.
    pub(crate) fn most_ma(&self, asked_ma: i32) -> i32 {
        let percent = i64::from(asked_ma) * i64::from(self.regulation_percent) / 100;
        let regulated = i64::from(asked_ma) + percent.max(i64::from(self.regulation_ma));
        // 0.2 A are for the rounding of a value in a message.
        let sensor = (regulated / 100 + 200).max(1_000);
        i32::try_from(regulated + sensor).unwrap_or(i32::MAX)
    }

    /// The highest voltage in mV that a sensor within 1 % shows at `limit_mv`.
    pub(crate) fn most_mv(limit_mv: i32) -> i32 {
        limit_mv.saturating_add(limit_mv / 100).saturating_add(1_000)
    }

    /// The highest voltage in mV of an isolation test for a car with the limit `limit_mv`: 50 V more up to
    /// 500 V, above that 10 % (IEC 61851-23:2023 as `EVerest` reads it).
    pub(crate) fn test_mv(limit_mv: i32) -> i32 {
        let more = if limit_mv <= 500_000 { 50_000 } else { limit_mv / 10 };
        limit_mv.saturating_add(more)
    }

    /// Whether `mv` is above [`far_over_percent`](Self::far_over_percent) of `limit_mv`.
    pub(crate) fn is_far_over(&self, mv: i32, limit_mv: i32) -> bool {
        i64::from(mv) * 100 > i64::from(limit_mv) * i64::from(self.far_over_percent)
    }
}

impl Default for Protection {
    fn default() -> Self {
        Self::DEFAULT
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_level_out_of_its_range_is_named_and_both_edges_are_in_it() {
        type Change = fn(&mut Protection);
        let cases: [(Change, Result<(), &str>); 12] = [
            (|_| {}, Ok(())),
            (|p| p.reverse_ma = 999, Err("reverse_ma")),
            (|p| p.reverse_ma = 20_000, Ok(())),
            (|p| p.reverse = Duration::from_millis(5_001), Err("reverse")),
            (|p| p.regulation_ma = 2_499, Err("regulation_ma")),
            (|p| p.regulation_percent = 11, Err("regulation_percent")),
            (|p| p.over_current = Duration::from_millis(999), Err("over_current")),
            (|p| p.over_voltage = Duration::from_millis(2_001), Err("over_voltage")),
            (|p| p.far_over_percent = 104, Err("far_over_percent")),
            (|p| p.hot_millicelsius = 120_001, Err("hot_millicelsius")),
            (|p| p.hot_millicelsius = 120_000, Ok(())),
            (|p| p.over_current = Duration::from_secs(5), Ok(())),
        ];
        for (change, wanted) in cases {
            let mut protection = Protection::DEFAULT;
            change(&mut protection);
            assert_eq!(protection.check(), wanted, "{protection:?}");
        }
    }

    #[test]
    fn a_charger_within_its_tolerance_seen_by_a_sensor_within_1_percent_is_never_over() {
        for asked_ma in (0..=500_000).step_by(500) {
            let real = asked_ma + (asked_ma / 20).max(2_500);
            let most = Protection::DEFAULT.most_ma(asked_ma);
            assert!(real + real / 100 < most, "{asked_ma}");
        }
        assert_eq!(Protection::DEFAULT.most_ma(0), 3_500);
        assert_eq!(Protection::DEFAULT.most_ma(50_000), 53_500);
        assert_eq!(Protection::DEFAULT.most_ma(200_000), 212_300);
        assert_eq!(Protection::most_mv(400_000), 405_000);
    }
}
