/// The charger's output on the pilot wire (through 1 kOhm).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Output {
    /// Steady +12 V: no offer (X1). The output of a charger in SAFE.
    #[default]
    Steady,
    /// 1 kHz, +-12 V, with this duty cycle in per mille of the period.
    Pwm(u16),
    /// 0 V: the charger has no power (E).
    Zero,
    /// Steady -12 V: not available (F).
    Negative,
}

impl Output {
    /// The duty cycle that means digital communication in per mille: 5 % (IEC 61851-1 table A.7).
    pub const DIGITAL_PERMILLE: u16 = 50;
    /// The 5 % pilot.
    pub const DIGITAL: Self = Self::Pwm(Self::DIGITAL_PERMILLE);

    /// The duty cycle in per mille, or `None` when the pilot is steady.
    pub const fn duty_permille(self) -> Option<u16> {
        match self {
            Self::Pwm(duty) => Some(duty),
            _ => None,
        }
    }
}

/// Meaning of a duty cycle (IEC 61851-1 table A.8; values as in the programs that were compared).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DutyMeaning {
    /// No valid duty cycle (below 3 %, 7..8 %, above 97 %): charging is not allowed.
    Invalid,
    /// 3..=7 %: digital communication is mandatory.
    Digital,
    /// 8..=97 %: AC charging with at most this current in mA.
    Ac {
        /// Current in mA.
        current_ma: i32,
    },
}

impl DutyMeaning {
    /// The meaning of a duty cycle in per mille.
    pub const fn of(permille: u16) -> Self {
        let duty = permille as i32;
        match permille {
            30..=70 => Self::Digital,
            80..=99 => Self::Ac { current_ma: 6_000 },
            100..=850 => Self::Ac { current_ma: duty * 60 },
            851..=960 => Self::Ac { current_ma: (duty - 640) * 250 },
            961..=970 => Self::Ac { current_ma: 80_000 },
            _ => Self::Invalid,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digital_reaches_from_three_to_seven_percent() {
        let cases = [(29, false), (30, true), (50, true), (70, true), (71, false)];
        for (duty, digital) in cases {
            assert_eq!(DutyMeaning::of(duty) == DutyMeaning::Digital, digital, "{duty}");
        }
    }

    #[test]
    fn ac_currents_follow_both_slopes() {
        let cases = [(80, 6_000), (100, 6_000), (160, 9_600), (533, 31_980), (850, 51_000), (960, 80_000)];
        for (duty, current_ma) in cases {
            assert_eq!(DutyMeaning::of(duty), DutyMeaning::Ac { current_ma }, "{duty}");
        }
        for duty in [0, 29, 75, 971, 1000, u16::MAX] {
            assert_eq!(DutyMeaning::of(duty), DutyMeaning::Invalid, "{duty}");
        }
    }

    #[test]
    fn the_safe_output_is_the_default() {
        assert_eq!(Output::default(), Output::Steady);
    }
}
