use machine::Duration;
use session::{Level, Limits, Unit};

/// The levels of the charger's protection. Each has a default with its source, and a range
/// ([`LEVELS`](Self::LEVELS)) that [`Config::check`](crate::Config::check) enforces.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Protection {
    /// Missing current: more than 10 A demanded, the voltage clearly below its set point, and less than 5 %
    /// of the demand measured (1 A at least and 5 A at most). It ends the session after this time: 15 s
    /// (judgement: longer than any soft start), 10..=60 s.
    pub no_current: Duration,
    /// Whether current may flow out of the car.
    pub reverse_current: ReverseCurrent,
    /// Permitted excess of the power stage's current below a set point of 50 A, in mA: 2.5 A (IEC 61851-23,
    /// from memory), 2.5..=10 A. A sensor tolerance of 1 A or 1 % is added.
    pub regulation_ma: i32,
    /// Permitted excess from 50 A on, in percent of the set point: 5 (IEC 61851-23, from memory), 5..=10.
    pub regulation_percent: u8,
    /// An isolation monitor without a new measurement for this time counts as hanging: 10 s (IEC 61557-8
    /// response time, from memory), 1..=60 s.
    pub monitor: Duration,
    /// Below this resistance to earth, in ohm per volt of [`Config::limits`](crate::Config), the isolation is
    /// a fault: 100 (IEC 61851-23:2014, from memory), 100..=2000.
    pub fault_ohm_per_v: u16,
    /// Below this resistance it is a warning: 500 (the same source), from `fault_ohm_per_v` to 10 000.
    pub warning_ohm_per_v: u16,
    /// The voltage of the isolation test.
    pub test_voltage: TestVoltage,
    /// A car whose maximum is below this many mV is refused, because its isolation test would have little
    /// significance: 150 V (judgement), 60..=500 V.
    pub min_test_voltage_mv: i32,
}

/// Whether current may flow out of the car.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ReverseCurrent {
    /// More than 5 A out of the car for 1 s is a latched stop.
    #[default]
    Forbidden,
    /// Up to this many mA: for a load that draws power out of the car, without a power stage, or with a
    /// bidirectional one that limits the current itself. More for 1 s is a latched stop. Each session reports
    /// a warning.
    Allowed(i32),
}

/// The voltage of the isolation test.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum TestVoltage {
    /// The lower of the maxima of car and charger (IEC 61851-23:2014, from memory).
    #[default]
    Least,
    /// As `EVerest` reads IEC 61851-23:2023: up to 500 V of the car the least of 500 V, the car's maximum and
    /// 50 V more, and the charger's maximum; above that the lower of the charger's maximum and 110 % of the
    /// car's.
    Iec2023,
}

impl Protection {
    /// The default of each level.
    pub const DEFAULT: Self = Self {
        no_current: Duration::from_secs(15),
        reverse_current: ReverseCurrent::Forbidden,
        regulation_ma: 2_500,
        regulation_percent: 5,
        monitor: Duration::from_secs(10),
        fault_ohm_per_v: 100,
        warning_ohm_per_v: 500,
        test_voltage: TestVoltage::Least,
        min_test_voltage_mv: 150_000,
    };

    /// The range of each numeric level, in the order of the fields.
    pub const LEVELS: [Level; 8] = [
        Level::new("no_current", 10_000, 60_000, Unit::Millisecond),
        Level::new("reverse_current", 1, Limits::PLAUSIBLE.max_current_ma, Unit::Milliampere),
        Level::new("regulation_ma", 2_500, 10_000, Unit::Milliampere),
        Level::new("regulation_percent", 5, 10, Unit::Percent),
        Level::new("monitor", 1_000, 60_000, Unit::Millisecond),
        Level::new("fault_ohm_per_v", 100, 2_000, Unit::OhmPerVolt),
        Level::new("warning_ohm_per_v", 100, 10_000, Unit::OhmPerVolt),
        Level::new("min_test_voltage_mv", 60_000, 500_000, Unit::Millivolt),
    ];

    /// The name of the first level that is outside its range.
    pub(crate) fn check(&self) -> Result<(), &'static str> {
        let values = [
            Level::millis(self.no_current),
            match self.reverse_current {
                ReverseCurrent::Forbidden => 1,
                ReverseCurrent::Allowed(most_ma) => most_ma,
            },
            self.regulation_ma,
            self.regulation_percent.into(),
            Level::millis(self.monitor),
            self.fault_ohm_per_v.into(),
            self.warning_ohm_per_v.into(),
            self.min_test_voltage_mv,
        ];
        Level::check(&Self::LEVELS, &values)?;
        if self.warning_ohm_per_v < self.fault_ohm_per_v { Err("warning_ohm_per_v") } else { Ok(()) }
    }

    /// The voltage of the isolation test in mV for a car with the maximum `car_mv` at a charger with the
    /// maximum `own_mv`.
    pub(crate) fn test_mv(&self, car_mv: i32, own_mv: i32) -> i32 {
        let car = i64::from(car_mv);
        let most = match self.test_voltage {
            TestVoltage::Least => car,
            TestVoltage::Iec2023 if car_mv <= 500_000 => (car + 50_000).min(500_000),
            TestVoltage::Iec2023 => car * 11 / 10,
        };
        i32::try_from(most.min(i64::from(own_mv)).max(0)).unwrap_or(own_mv)
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
        let cases: [(Change, Result<(), &str>); 13] = [
            (|_| {}, Ok(())),
            (|p| p.no_current = Duration::from_millis(9_999), Err("no_current")),
            (|p| p.no_current = Duration::from_secs(60), Ok(())),
            (|p| p.reverse_current = ReverseCurrent::Allowed(0), Err("reverse_current")),
            (|p| p.reverse_current = ReverseCurrent::Allowed(1_000_000), Ok(())),
            (|p| p.regulation_ma = 2_499, Err("regulation_ma")),
            (|p| p.regulation_percent = 11, Err("regulation_percent")),
            (|p| p.monitor = Duration::from_secs(61), Err("monitor")),
            (|p| p.fault_ohm_per_v = 99, Err("fault_ohm_per_v")),
            (|p| p.warning_ohm_per_v = 99, Err("warning_ohm_per_v")),
            (|p| p.fault_ohm_per_v = 501, Err("warning_ohm_per_v")),
            (|p| p.min_test_voltage_mv = 59_999, Err("min_test_voltage_mv")),
            (|p| p.min_test_voltage_mv = 60_000, Ok(())),
        ];
        for (change, wanted) in cases {
            let mut protection = Protection::DEFAULT;
            change(&mut protection);
            assert_eq!(protection.check(), wanted, "{protection:?}");
        }
    }

    #[test]
    fn the_test_voltage_of_both_editions() {
        let cases = [
            (55_000, 500_000, 55_000, 105_000),
            (412_000, 500_000, 412_000, 462_000),
            (450_000, 500_000, 450_000, 500_000),
            (500_000, 1_000_000, 500_000, 500_000),
            (500_001, 1_000_000, 500_001, 550_001),
            (800_000, 920_000, 800_000, 880_000),
            (900_000, 920_000, 900_000, 920_000),
            (i32::MAX, 500_000, 500_000, 500_000),
            (-1, 500_000, 0, 49_999),
        ];
        for (car_mv, own_mv, least, iec) in cases {
            let at =
                |test_voltage| Protection { test_voltage, ..Protection::DEFAULT }.test_mv(car_mv, own_mv);
            assert_eq!((at(TestVoltage::Least), at(TestVoltage::Iec2023)), (least, iec), "{car_mv} {own_mv}");
        }
    }
}
