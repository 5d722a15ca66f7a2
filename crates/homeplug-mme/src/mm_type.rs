//! Types of management messages and their names.

use core::fmt;

/// The type of a management message (MMTYPE).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct MmType(pub u16);

/// Kind of a message: the two lowest bits of its type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Request.
    Req,
    /// Confirmation.
    Cnf,
    /// Indication.
    Ind,
    /// Response.
    Rsp,
}

impl Kind {
    /// The suffix of a message's name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Req => "REQ",
            Self::Cnf => "CNF",
            Self::Ind => "IND",
            Self::Rsp => "RSP",
        }
    }
}

/// Base types: names of `HomePlug` Green PHY for CC and CM, of open-plc-utils and Lumissil for their own.
const NAMES: &[(u16, &str)] = &[
    (0x0014, "CC_DISCOVER_LIST"),
    (0x6000, "CM_ASSOCIATED_STA"),
    (0x6004, "CM_ENCRYPTED_PAYLOAD"),
    (0x6008, "CM_SET_KEY"),
    (0x600C, "CM_GET_KEY"),
    (0x6010, "CM_SC_JOIN"),
    (0x6014, "CM_CHAN_EST"),
    (0x6018, "CM_TM_UPDATE"),
    (0x601C, "CM_AMP_MAP"),
    (0x6020, "CM_BRG_INFO"),
    (0x6024, "CM_CONN_NEW"),
    (0x6028, "CM_CONN_REL"),
    (0x602C, "CM_CONN_MOD"),
    (0x6030, "CM_CONN_INFO"),
    (0x6034, "CM_STA_CAP"),
    (0x6038, "CM_NW_INFO"),
    (0x603C, "CM_GET_BEACON"),
    (0x6040, "CM_HFID"),
    (0x6044, "CM_MME_ERROR"),
    (0x6048, "CM_NW_STATS"),
    (0x6064, "CM_SLAC_PARM"),
    (0x6068, "CM_START_ATTEN_CHAR"),
    (0x606C, "CM_ATTEN_CHAR"),
    (0x6070, "CM_PKCS_CERT"),
    (0x6074, "CM_MNBC_SOUND"),
    (0x6078, "CM_VALIDATE"),
    (0x607C, "CM_SLAC_MATCH"),
    (0x6080, "CM_SLAC_USER_DATA"),
    (0x6084, "CM_ATTEN_PROFILE"),
    (0x8000, "MS_PB_ENC"),
    (0xA000, "VS_SW_VER"),
    (0xA004, "VS_WR_MEM"),
    (0xA008, "VS_RD_MEM"),
    (0xA00C, "VS_ST_MAC"),
    (0xA010, "VS_GET_NVM"),
    (0xA01C, "VS_RS_DEV"),
    (0xA020, "VS_WR_MOD"),
    (0xA024, "VS_RD_MOD"),
    (0xA028, "VS_MOD_NVM"),
    (0xA02C, "VS_WD_RPT"),
    (0xA030, "VS_LNK_STATS"),
    (0xA034, "VS_SNIFFER"),
    (0xA038, "VS_NW_INFO"),
    (0xA040, "VS_CP_RPT"),
    (0xA044, "VS_ARPC"),
    (0xA050, "VS_SET_KEY"),
    (0xA054, "VS_MFG_STRING"),
    (0xA058, "VS_RD_CBLOCK"),
    (0xA05C, "VS_SET_SDRAM"),
    (0xA060, "VS_HOST_ACTION"),
    (0xA068, "VS_OP_ATTRIBUTES"),
    (0xA06C, "VS_ENET_SETTINGS"),
    (0xA070, "VS_TONE_MAP_CHAR"),
    (0xA074, "VS_NW_INFO_STATS"),
    (0xA078, "VS_SLAVE_MEM"),
    (0xA07C, "VS_FAC_DEFAULTS"),
    (0xA084, "VS_MULTICAST_INFO"),
    (0xA088, "VS_CLASSIFICATION"),
    (0xA090, "VS_RX_TONE_MAP_CHAR"),
    (0xA094, "VS_SET_LED_BEHAVIOR"),
    (0xA098, "VS_WRITE_AND_EXECUTE_APPLET"),
    (0xA09C, "VS_MDIO_COMMAND"),
    (0xA0A0, "VS_SLAVE_REG"),
    (0xA0B0, "VS_MODULE_OPERATION"),
    (0xA0B4, "VS_DIAG_NETWORK_PROBE"),
    (0xA0B8, "VS_PL_LINK_STATUS"),
    (0xA0BC, "VS_GPIO_STATE_CHANGE"),
    (0xA0E0, "VS_STANDBY"),
    (0xA0E4, "VS_SLEEPSCHEDULE"),
    (0xA0F8, "VS_GET_PROPERTY"),
    (0xA100, "VS_SET_PROPERTY"),
    (0xA10C, "VS_SELFTEST_RESULTS"),
    (0xA110, "VS_SELFTEST_CONFIG"),
    (0xA14C, "VS_ATTENUATION_CHARACTERISTICS"),
    (0xAC6C, "NSCM_GET_VERSION"),
    (0xAC70, "NSCM_RESET_DEVICE"),
    (0xAC9C, "NSCM_GET_D_LINK_STATUS"),
];

impl MmType {
    /// The type without the bits of its kind.
    #[must_use]
    pub const fn base(self) -> Self {
        Self(self.0 & !3)
    }

    /// Request, confirmation, indication or response.
    pub const fn kind(self) -> Kind {
        match self.0 & 3 {
            0 => Kind::Req,
            1 => Kind::Cnf,
            2 => Kind::Ind,
            _ => Kind::Rsp,
        }
    }

    /// The name of the base type; `None` if it has no public one.
    pub fn name(self) -> Option<&'static str> {
        NAMES.iter().find(|(number, _)| *number == self.base().0).map(|(_, name)| *name)
    }

    /// Whether an OUI precedes the body: manufacturer-specific and vendor-specific types.
    pub const fn has_oui(self) -> bool {
        matches!(self.0 & 0xE000, 0x8000 | 0xA000)
    }
}

impl fmt::Display for MmType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.name() {
            Some(name) => f.write_str(name)?,
            None => write!(f, "MME_{:04X}", self.base().0)?,
        }
        write!(f, ".{}", self.kind().name())
    }
}

#[cfg(test)]
mod tests {
    extern crate std;
    use super::*;
    use std::string::ToString;

    #[test]
    fn a_type_prints_its_name_and_kind_or_its_number() {
        assert_eq!(MmType(0x6064).to_string(), "CM_SLAC_PARM.REQ");
        assert_eq!(MmType(0x606E).to_string(), "CM_ATTEN_CHAR.IND");
        assert_eq!(MmType(0x606F).to_string(), "CM_ATTEN_CHAR.RSP");
        assert_eq!(MmType(0xA22E).to_string(), "MME_A22C.IND");
    }

    #[test]
    fn the_table_is_ordered_and_holds_base_types_only() {
        assert!(NAMES.windows(2).all(|pair| pair[0].0 < pair[1].0));
        assert!(NAMES.iter().all(|(number, _)| number % 4 == 0));
    }

    #[test]
    fn only_manufacturers_and_vendors_types_carry_an_oui() {
        assert!(!MmType(0x6064).has_oui() && !MmType(0x0014).has_oui() && !MmType(0xC000).has_oui());
        assert!(MmType(0x8002).has_oui() && MmType(0xA000).has_oui() && MmType(0xAC6C).has_oui());
    }
}
