/// What one side can supply or accept: voltage in mV, current in mA, power in W.
///
/// `i32` holds 2.1 MV, 2.1 MA and 2.1 GW. Checked values of a DIN message stay far below.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Highest voltage in mV.
    pub max_voltage_mv: i32,
    /// Lowest voltage in mV at which power can flow; 0 when the side states none.
    pub min_voltage_mv: i32,
    /// Highest current in mA.
    pub max_current_ma: i32,
    /// Lowest current in mA that can be regulated; 0 when the side states none.
    pub min_current_ma: i32,
    /// Highest power in W.
    pub max_power_w: i32,
}

impl Limits {
    /// No limit at all: for a peer that has sent no limits yet. Never use it as a charger's own limits.
    pub const NONE: Self = Self {
        max_voltage_mv: i32::MAX,
        min_voltage_mv: 0,
        max_current_ma: i32::MAX,
        min_current_ma: 0,
        max_power_w: i32::MAX,
    };

    /// Plausible maxima of any DC charger or car: 1500 V, 1000 A, 1 MW (judgement; higher values are
    /// rejected).
    pub const PLAUSIBLE: Self = Self {
        max_voltage_mv: 1_500_000,
        min_voltage_mv: 0,
        max_current_ma: 1_000_000,
        min_current_ma: 0,
        max_power_w: 1_000_000,
    };

    /// The stricter of both sides' limits: the lower of each maximum, the higher of each minimum.
    #[must_use]
    pub fn and(&self, other: &Self) -> Self {
        Self {
            max_voltage_mv: self.max_voltage_mv.min(other.max_voltage_mv),
            min_voltage_mv: self.min_voltage_mv.max(other.min_voltage_mv),
            max_current_ma: self.max_current_ma.min(other.max_current_ma),
            min_current_ma: self.min_current_ma.max(other.min_current_ma),
            max_power_w: self.max_power_w.min(other.max_power_w),
        }
    }

    /// The current in mA at which `voltage_mv` results in `max_power_w`; `i32::MAX` at 0 V or below, where
    /// power is no limit.
    pub fn current_at_power(&self, voltage_mv: i32) -> i32 {
        if voltage_mv <= 0 {
            return i32::MAX;
        }
        let milliamps = i64::from(self.max_power_w) * 1_000_000 / i64::from(voltage_mv);
        i32::try_from(milliamps).unwrap_or(i32::MAX)
    }
}

/// A voltage in mV and a signed current in mA; positive current flows into the car.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Target {
    /// Voltage in mV.
    pub voltage_mv: i32,
    /// Current in mA, positive into the car.
    pub current_ma: i32,
}

impl Target {
    /// 0 mV and 0 mA.
    pub const ZERO: Self = Self { voltage_mv: 0, current_ma: 0 };

    /// The target with voltage and current (in either direction) reduced to the maxima, and the current
    /// reduced to the maximum power. Voltages below 0 become 0. Minima are not applied: no value is raised.
    #[must_use]
    pub fn bounded(self, limits: &Limits) -> Self {
        let voltage_mv = self.voltage_mv.clamp(0, limits.max_voltage_mv.max(0));
        let current = limits.max_current_ma.min(limits.current_at_power(voltage_mv)).max(0);
        Self { voltage_mv, current_ma: self.current_ma.clamp(-current, current) }
    }
}

/// An output or inlet with less than this voltage in mV is dead: 60 V (limit of extra-low DC voltage).
pub const DEAD_MV: i32 = 60_000;
/// Highest current before `PowerDelivery(true)`, in mA: 2 A (IEC 61851-23, DIN SPEC 70121).
pub const CURRENT_BEFORE_POWER_MA: i32 = 2_000;
/// Contactors open below this current, in mA: 1 A (judgement).
pub const OPEN_BELOW_MA: i32 = 1_000;

#[cfg(test)]
mod tests {
    use super::*;

    const CHARGER: Limits = Limits {
        max_voltage_mv: 500_000,
        min_voltage_mv: 200_000,
        max_current_ma: 125_000,
        min_current_ma: 1_500,
        max_power_w: 50_000,
    };

    #[test]
    fn a_target_is_bounded_by_voltage_current_and_power_and_never_lifted() {
        let asked = Target { voltage_mv: 600_000, current_ma: 200_000 };
        assert_eq!(asked.bounded(&CHARGER), Target { voltage_mv: 500_000, current_ma: 100_000 });
        let low = Target { voltage_mv: -5, current_ma: 10 };
        assert_eq!(low.bounded(&CHARGER), Target { voltage_mv: 0, current_ma: 10 });
    }

    #[test]
    fn a_negative_limit_gives_zero_and_not_a_reversed_clamp() {
        let odd = Limits { max_voltage_mv: -1, max_current_ma: -1, ..CHARGER };
        assert_eq!(Target { voltage_mv: 5, current_ma: 5 }.bounded(&odd), Target::ZERO);
    }

    #[test]
    fn the_current_at_a_power_limit_saturates() {
        assert_eq!(CHARGER.current_at_power(400_000), 125_000);
        assert_eq!(CHARGER.current_at_power(1), i32::MAX);
        assert_eq!(CHARGER.current_at_power(0), i32::MAX);
    }
}
