//! Names of `HomePlug` management messages.

use std::fmt;

use super::Direction;

/// A management message by its type number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct MmType(pub u16);

/// Base types (the two lowest bits say request, confirmation, indication or response).
///
/// `HomePlug` Green PHY 1.1 table 11-2 for CM and CC, the names of open-plc-utils for the vendor's own.
const NAMES: &[(u16, &str)] = &[
    (0x0014, "CC_DISCOVER_LIST"),
    (0x6004, "CM_ENCRYPTED_PAYLOAD"),
    (0x6008, "CM_SET_KEY"),
    (0x600C, "CM_GET_KEY"),
    (0x6020, "CM_STA_CAP"),
    (0x6024, "CM_AMP_MAP"),
    (0x6038, "CM_NW_STATS"),
    (0x6064, "CM_SLAC_PARM"),
    (0x6068, "CM_START_ATTEN_CHAR"),
    (0x606C, "CM_ATTEN_CHAR"),
    (0x6070, "CM_PKCS_CERT"),
    (0x6074, "CM_MNBC_SOUND"),
    (0x6078, "CM_VALIDATE"),
    (0x607C, "CM_SLAC_MATCH"),
    (0x6080, "CM_SLAC_USER_DATA"),
    (0x6084, "CM_ATTEN_PROFILE"),
    (0xA000, "VS_SW_VER"),
    (0xA004, "VS_WR_MEM"),
    (0xA008, "VS_RD_MEM"),
    (0xA01C, "VS_RS_DEV"),
    (0xA020, "VS_WR_MOD"),
    (0xA024, "VS_RD_MOD"),
    (0xA028, "VS_MOD_NVM"),
    (0xA02C, "VS_WD_RPT"),
    (0xA030, "VS_LNK_STATS"),
    (0xA034, "VS_SNIFFER"),
    (0xA038, "VS_NW_INFO"),
    (0xA040, "VS_CP_RPT"),
    (0xA048, "VS_LBK_STAT"),
    (0xA050, "VS_SET_KEY"),
    (0xA054, "VS_MFG_STRING"),
    (0xA058, "VS_RD_CBLOCK"),
    (0xA05C, "VS_SET_SDRAM"),
    (0xA060, "VS_HOST_ACTION"),
    (0xA068, "VS_OP_ATTRIBUTES"),
    (0xA06C, "VS_ENET_SETTINGS"),
    (0xA070, "VS_TONE_MAP_CHAR"),
    (0xA07C, "VS_FAC_DEFAULTS"),
    (0xA090, "VS_RX_TONE_MAP_CHAR"),
    (0xA0B0, "VS_MODULE_OPERATION"),
    (0xA0F8, "VS_GET_PROPERTY"),
    (0xA14C, "VS_ATTEN_CHAR"),
];

/// Who sends what during matching (the number with its two lowest bits).
const FROM_PEV: &[u16] = &[0x6064, 0x606A, 0x606F, 0x6076, 0x607C];
const FROM_EVSE: &[u16] = &[0x6065, 0x606E, 0x607D];

impl MmType {
    /// The type of a frame, from the bytes behind the ethertype: version, then the type, least
    /// significant byte first.
    pub fn of_frame(body: &[u8]) -> Option<Self> {
        match body {
            [_version, low, high, ..] => Some(Self(u16::from_le_bytes([*low, *high]))),
            _ => None,
        }
    }

    /// Who sends such a message, where only one side does.
    pub fn direction(self) -> Option<Direction> {
        if FROM_PEV.contains(&self.0) {
            Some(Direction::ToEvse)
        } else if FROM_EVSE.contains(&self.0) {
            Some(Direction::ToPev)
        } else {
            None
        }
    }
}

impl fmt::Display for MmType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let base = self.0 & !3;
        match NAMES.iter().find(|(number, _)| *number == base) {
            Some((_, name)) => f.write_str(name)?,
            None => write!(f, "MME_{base:04X}")?,
        }
        f.write_str(match self.0 & 3 {
            0 => ".REQ",
            1 => ".CNF",
            2 => ".IND",
            _ => ".RSP",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_type_prints_its_name_and_kind_or_its_number() {
        assert_eq!(MmType(0x6064).to_string(), "CM_SLAC_PARM.REQ");
        assert_eq!(MmType(0x606E).to_string(), "CM_ATTEN_CHAR.IND");
        assert_eq!(MmType(0xA22E).to_string(), "MME_A22C.IND");
        assert_eq!(MmType::of_frame(&[1, 0x64, 0x60, 0]), Some(MmType(0x6064)));
        assert_eq!(MmType::of_frame(&[1, 0x64]), None);
    }

    #[test]
    fn the_table_is_ordered_and_holds_base_types_only() {
        assert!(NAMES.windows(2).all(|pair| pair[0].0 < pair[1].0));
        assert!(NAMES.iter().all(|(number, _)| number % 4 == 0));
    }
}
