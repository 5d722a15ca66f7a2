//! The identity of a message: type, version and vendor.

use core::fmt;

use crate::MmType;

/// Version of a management frame (MMV).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Version(pub u8);

impl Version {
    /// `HomePlug` AV 1.0: no fragmentation header.
    pub const AV_1_0: Self = Self(0);
    /// `HomePlug` AV 1.1: SLAC and most other messages.
    pub const AV_1_1: Self = Self(1);
    /// `HomePlug` AV 2.0; required by `CM_CHAN_EST`, `CM_AMP_MAP` and `CM_NW_STATS` according to EVerest.
    pub const AV_2_0: Self = Self(2);

    /// Whether a fragmentation header follows the type.
    pub const fn has_fragment(self) -> bool {
        self.0 >= 1
    }
}

/// The organisation that defines a vendor-specific message.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Oui(pub [u8; 3]);

impl Oui {
    /// Qualcomm, formerly Intellon.
    pub const QUALCOMM: Self = Self([0x00, 0xB0, 0x52]);
    /// Lumissil.
    pub const LUMISSIL: Self = Self([0x00, 0x16, 0xE8]);
    /// Sent by some modems in `VS_ATTENUATION_CHARACTERISTICS.IND` (observed in `ISO-2_DC_DS5366` and
    /// others): accepted for any vendor.
    pub const ZERO: Self = Self([0; 3]);
    /// dSPACE, in its captures' diagnostics.
    pub const DSPACE: Self = Self([0x64, 0x4D, 0x70]);
}

impl fmt::Debug for Oui {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [a, b, c] = self.0;
        write!(f, "{a:02x}{b:02x}{c:02x}")
    }
}

/// Identity of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Id {
    /// Its type.
    pub mm_type: MmType,
    /// The version for transmission; on reception only the presence of a fragmentation header matters.
    pub version: Version,
    /// The vendor; `None` for a message of the standard.
    pub oui: Option<Oui>,
}
