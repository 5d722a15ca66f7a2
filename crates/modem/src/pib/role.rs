use core::fmt;

/// The side of the cable for which a modem's parameters are configured.
///
/// It determines which SLAC messages the modem passes to its host: a retail plug passes none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// A charger's modem: always coordinator, SLAC as EVSE.
    Evse,
    /// A car's modem: never coordinator, SLAC as PEV.
    Pev,
    /// SLAC is off: an ordinary network plug.
    Off,
    /// The two parameters contradict each other: set the role again.
    Mixed {
        /// Value of `CCoSelection`.
        cco: u8,
        /// Value of `SLAC_EnableMode`.
        slac: u8,
    },
}

/// `CCoSelection` and `SLAC_EnableMode` of each side, as in six real chargers and cars.
const EVSE: (u8, u8) = (2, 2);
const PEV: (u8, u8) = (1, 1);
/// Values of a retail plug: coordinator by negotiation.
const OFF: (u8, u8) = (0, 0);

impl Role {
    pub(super) const fn of(cco: u8, slac: u8) -> Self {
        match (cco, slac) {
            EVSE => Self::Evse,
            PEV => Self::Pev,
            (_, 0) => Self::Off,
            (cco, slac) => Self::Mixed { cco, slac },
        }
    }

    /// `CCoSelection` and `SLAC_EnableMode`.
    pub(super) const fn values(self) -> (u8, u8) {
        match self {
            Self::Evse => EVSE,
            Self::Pev => PEV,
            Self::Off => OFF,
            Self::Mixed { cco, slac } => (cco, slac),
        }
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Evse => f.write_str("EVSE"),
            Self::Pev => f.write_str("PEV"),
            Self::Off => f.write_str("none (SLAC is off)"),
            Self::Mixed { cco, slac } => write!(f, "mixed (CCoSelection {cco}, SLAC_EnableMode {slac})"),
        }
    }
}
