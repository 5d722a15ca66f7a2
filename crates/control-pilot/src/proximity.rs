/// Connector family, which determines the coding of the proximity wire.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Coding {
    /// Type 2 / CCS2: the resistor between PP and PE codes the cable's current.
    Type2,
    /// Type 1 / CCS1 and NACS: the resistor codes latched or latch pressed. NACS is assumed to be coded like
    /// Type 1 (no source with details was available).
    Type1,
}

/// Meaning of the resistance between PP and PE.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Proximity {
    /// Open circuit: no plug.
    Absent,
    /// Type 2: a cable for this current in mA. A CCS2 DC plug shows 13 A.
    Cable {
        /// Current in mA.
        current_ma: i32,
    },
    /// Type 1: plugged in and latched.
    Latched,
    /// Type 1: plugged in, the latch button is pressed: stop the current before the plug is removed.
    Pressed,
    /// A resistance that is in no table.
    Unknown,
}

/// Type 2 resistors in ohms (IEC 61851-1 table B.2, as in `EVerest` and clara).
const TYPE_2: [(u32, Proximity); 4] = [
    (100, Proximity::Cable { current_ma: 63_000 }),
    (220, Proximity::Cable { current_ma: 32_000 }),
    (680, Proximity::Cable { current_ma: 20_000 }),
    (1_500, Proximity::Cable { current_ma: 13_000 }),
];

/// Type 1 resistors in ohms (openev's J1772 page).
const TYPE_1: [(u32, Proximity); 2] = [(150, Proximity::Latched), (480, Proximity::Pressed)];

impl Proximity {
    /// Minimum resistance in ohms of an open circuit (clara).
    pub const OPEN_OHMS: u32 = 5_000;
    /// Tolerance of the coding resistors in percent (clara).
    pub const TOLERANCE_PERCENT: u32 = 20;

    /// The meaning of a resistance in ohms.
    pub fn of_ohms(coding: Coding, ohms: u32) -> Self {
        if ohms >= Self::OPEN_OHMS {
            return Self::Absent;
        }
        let table: &[(u32, Self)] = match coding {
            Coding::Type2 => &TYPE_2,
            Coding::Type1 => &TYPE_1,
        };
        table
            .iter()
            .find(|(nominal, _)| ohms.abs_diff(*nominal) * 100 <= nominal * Self::TOLERANCE_PERCENT)
            .map_or(Self::Unknown, |(_, meaning)| *meaning)
    }

    /// The meaning of the voltage in mV at the PP pin, as in [`ohms`](Self::ohms).
    ///
    /// A voltage at or above that of the open divider is [`Absent`](Self::Absent); 0 or below is
    /// [`Unknown`](Self::Unknown).
    pub fn of_millivolts(
        coding: Coding,
        mv: i32,
        supply_mv: i32,
        pull_up_ohms: u32,
        pull_down_ohms: u32,
    ) -> Self {
        Self::ohms(mv, supply_mv, pull_up_ohms, pull_down_ohms)
            .map_or(Self::Unknown, |ohms| Self::of_ohms(coding, ohms))
    }

    /// The resistance in ohms between PP and PE, from the voltage in mV at the PP pin. The pin is connected
    /// to `supply_mv` through `pull_up_ohms` and, in some inlets, to ground through `pull_down_ohms` (0 =
    /// none).
    ///
    /// `u32::MAX` for an open circuit; `None` if the voltage is 0 or below, which has no meaning.
    pub fn ohms(mv: i32, supply_mv: i32, pull_up_ohms: u32, pull_down_ohms: u32) -> Option<u32> {
        let (Ok(mv), Ok(supply)) = (u64::try_from(mv), u64::try_from(supply_mv)) else {
            return None;
        };
        if mv >= supply {
            return Some(u32::MAX);
        }
        // All conductances in nanosiemens: the total at the pin, less the inlet's own pull-down.
        let up = nanosiemens(pull_up_ohms);
        let total = up.saturating_mul(supply - mv).checked_div(mv)?;
        let cable = total.saturating_sub(nanosiemens(pull_down_ohms));
        let ohms = 1_000_000_000_u64.checked_div(cable).unwrap_or(u64::MAX);
        Some(u32::try_from(ohms).unwrap_or(u32::MAX))
    }

    /// Whether a plug is in.
    pub const fn is_plugged(self) -> bool {
        !matches!(self, Self::Absent)
    }
}

fn nanosiemens(ohms: u32) -> u64 {
    1_000_000_000_u64.checked_div(u64::from(ohms)).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn resistors_are_found_within_twenty_percent_and_not_beyond() {
        for (nominal, meaning) in TYPE_2 {
            for ohms in [nominal * 8 / 10, nominal, nominal * 12 / 10] {
                assert_eq!(Proximity::of_ohms(Coding::Type2, ohms), meaning, "{ohms}");
            }
            assert_eq!(Proximity::of_ohms(Coding::Type2, nominal * 13 / 10), Proximity::Unknown);
        }
        assert_eq!(Proximity::of_ohms(Coding::Type2, 5_000), Proximity::Absent);
        assert_eq!(Proximity::of_ohms(Coding::Type2, 0), Proximity::Unknown);
    }

    #[test]
    fn a_type_1_plug_is_neither_cable_of_the_type_2_table() {
        assert_eq!(Proximity::of_ohms(Coding::Type2, 150), Proximity::Unknown);
        assert_eq!(Proximity::of_ohms(Coding::Type1, 150), Proximity::Latched);
        assert_eq!(Proximity::of_ohms(Coding::Type1, 480), Proximity::Pressed);
    }

    #[test]
    fn the_divider_of_an_inlet_is_calculated_back() {
        // 330 Ohm to 5 V and 2.7 kOhm to ground, as in Type 1 inlets: open 4.46 V, latched 1.5 V.
        let at = |mv| Proximity::of_millivolts(Coding::Type1, mv, 5_000, 330, 2_700);
        assert_eq!(at(4_460), Proximity::Absent);
        assert_eq!(at(1_510), Proximity::Latched);
        assert_eq!(at(2_760), Proximity::Pressed);
        assert_eq!(at(0), Proximity::Unknown);
        assert_eq!(at(-5), Proximity::Unknown);
        assert_eq!(at(5_001), Proximity::Absent);
        assert_eq!(Proximity::ohms(1_510, 5_000, 330, 2_700), Some(150));
        assert_eq!(Proximity::ohms(4_990, 5_000, 330, 2_700), Some(u32::MAX));
    }
}
