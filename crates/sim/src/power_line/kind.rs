use homeplug_mme::view::{
    BrgInfoReq, GetKeyReq, ModuleOperationReq, NscmGetDLinkStatusReq, NscmGetVersionReq, NscmResetDeviceReq,
    NwInfoOldReq, NwInfoReq, OpAttributesReq, PlLinkStatusReq, RsDevReq, SetKeyReq, SwVerReq,
};
use homeplug_mme::{GROUPS, Id, Message};

/// A modem's type. The row of one table, [`Traits`], determines its identity, answers and measurements.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ModemKind {
    /// QCA7005, the automotive one: 58 groups of attenuation.
    Qca7005,
    /// QCA7000, the same family.
    Qca7000,
    /// QCA7420, in powerline adapters: reports sounds with zero groups.
    Qca7420,
    /// INT6000: the older vendor messages, no matching.
    Int6000,
    /// A modem of Lumissil: its own messages for version and link.
    Lumissil,
}

/// The vendor messages of a modem.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Vendor {
    /// Qualcomm, formerly Intellon.
    Qualcomm,
    /// Messages of Lumissil.
    Lumissil,
}

/// The differences between kinds of modems.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Traits {
    /// The vendor messages that it supports.
    pub vendor: Vendor,
    /// Device class in the version answer.
    pub device_class: u8,
    /// Version text, in the format of captured ones.
    pub version: &'static str,
    /// Hardware name in the attributes answer.
    pub hardware: &'static str,
    /// Groups of attenuation in a profile.
    pub groups: usize,
    /// Whether it reports sounds at all.
    pub reports_sounds: bool,
    /// The requests that it answers.
    pub answers: &'static [Id],
    /// Length of its parameter data in bytes; `None` for a modem whose parameters are not read this way.
    pub parameters_len: Option<usize>,
}

const QCA: &[Id] = &[
    SetKeyReq::ID,
    GetKeyReq::ID,
    BrgInfoReq::ID,
    SwVerReq::ID,
    OpAttributesReq::ID,
    RsDevReq::ID,
    PlLinkStatusReq::ID,
    NwInfoReq::ID,
    NwInfoOldReq::ID,
    ModuleOperationReq::ID,
];
const INT: &[Id] =
    &[SetKeyReq::ID, GetKeyReq::ID, BrgInfoReq::ID, SwVerReq::ID, RsDevReq::ID, NwInfoOldReq::ID];
const NSCM: &[Id] =
    &[SetKeyReq::ID, GetKeyReq::ID, NscmGetVersionReq::ID, NscmGetDLinkStatusReq::ID, NscmResetDeviceReq::ID];

impl ModemKind {
    /// The kind's row: device classes, version texts and lengths as observed in captures (versions with a
    /// date of our own), the INT6000's and Lumissil's from open-plc-utils and the field's drivers.
    pub const fn traits(self) -> Traits {
        let qca7005 = Traits {
            vendor: Vendor::Qualcomm,
            device_class: 0x22,
            version: "MAC-QCA7005-1.1.0.730-04-20140815-CS",
            hardware: "QCA7005",
            groups: GROUPS,
            reports_sounds: true,
            answers: QCA,
            parameters_len: Some(8080),
        };
        match self {
            Self::Qca7005 => qca7005,
            Self::Qca7000 => {
                Traits { version: "MAC-QCA7000-1.1.0.727-02-20130826-FINAL", hardware: "QCA7000", ..qca7005 }
            }
            Self::Qca7420 => Traits {
                device_class: 0x20,
                version: "MAC-QCA7420-1.4.0.20-00-20171027-CS",
                hardware: "QCA7420",
                groups: 0,
                parameters_len: Some(8836),
                ..qca7005
            },
            Self::Int6000 => Traits {
                device_class: 0x01,
                version: "INT6000-MAC-3-1-3128-1062-20070112-FINAL-B",
                hardware: "INT6000",
                groups: 0,
                reports_sounds: false,
                answers: INT,
                parameters_len: None,
                ..qca7005
            },
            Self::Lumissil => Traits {
                vendor: Vendor::Lumissil,
                version: "",
                hardware: "",
                answers: NSCM,
                parameters_len: None,
                ..qca7005
            },
        }
    }
}
