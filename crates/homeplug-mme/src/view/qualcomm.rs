//! Messages of Qualcomm's (formerly Intellon's) modems.

use crate::field::{Field, Label, Slice, Visit, Writer, padded, whole};
use crate::message::{messages, record, vs};
use crate::{Dak, Id, Mac, Message, MessageError, Nmk};

messages! {
    /// `VS_SW_VER.REQ`: requests the firmware's version.
    #[derive(Default)]
    vs(0xA000) => pub struct SwVerReq {
        /// Any value; the modem repeats it. Old tools send none.
        pub cookie: Option<u32>,
    }

    /// `VS_SW_VER.CNF`. The version `BootLoader` means a modem without firmware.
    vs(0xA001) => pub struct SwVerCnf {
        /// Status; 0: success.
        pub mstatus: u8,
        /// 0x20 QCA7420, 0x22 QCA7000 and QCA7005 (observed).
        pub device_class: u8,
        /// Length of the version; may include a closing zero.
        pub ver_len: u8,
        /// The version.
        pub version: Label<254>,
        /// Identity of the chip.
        pub ident: Option<u32>,
        /// Stepping of the chip.
        pub stepping: Option<u32>,
        /// As in the request.
        pub cookie: Option<u32> => 8,
    }

    /// `VS_WR_MEM.REQ`: write to memory.
    vs(0xA004) => pub struct WrMemReq<'a> {
        /// Offset of the first byte.
        pub offset: u32,
        /// Bytes, at most 1024.
        pub length: u32,
        /// The bytes.
        pub buffer: Slice<'a> = u16::try_from(length).unwrap_or(u16::MAX),
    }

    /// `VS_WR_MEM.CNF`.
    vs(0xA005) => pub struct WrMemCnf {
        /// Status; 0: success.
        pub mstatus: u8,
        /// Offset of the first byte in the module, as in the request.
        pub offset: u32,
        /// Number of bytes, as in the request.
        pub length: u32,
    }

    /// `VS_RD_MEM.REQ`: read from memory.
    vs(0xA008) => pub struct RdMemReq {
        /// Offset of the first byte.
        pub offset: u32,
        /// Bytes, at most 1024.
        pub length: u32,
    }

    /// `VS_RD_MEM.CNF`.
    vs(0xA009) => pub struct RdMemCnf<'a> {
        /// Status; 0: success.
        pub mstatus: u8,
        /// Offset of the first byte in the module, as in the request.
        pub offset: u32,
        /// Bytes.
        pub length: u32,
        /// The bytes; none if the request is refused (judgement: a refusal may repeat the length).
        pub buffer: Slice<'a> = if mstatus == 0 { u16::try_from(length).unwrap_or(u16::MAX) } else { 0 },
    }

    /// `VS_GET_NVM.REQ`: requests the type of the flash.
    #[derive(Default)]
    vs(0xA010) => pub struct GetNvmReq {}

    /// `VS_GET_NVM.CNF`.
    vs(0xA011) => pub struct GetNvmCnf {
        /// Status; 0: success.
        pub mstatus: u8,
        /// Kind of the flash.
        pub nvm_type: u32,
        /// Size of a page in bytes.
        pub page: u32,
        /// Size of a block in bytes.
        pub block: u32,
        /// Size in bytes.
        pub size: u32,
    }

    /// `VS_RS_DEV.REQ`: restart.
    #[derive(Default)]
    vs(0xA01C) => pub struct RsDevReq {}

    /// `VS_RS_DEV.CNF`.
    vs(0xA01D) => pub struct RsDevCnf {
        /// 0: restarting.
        pub mstatus: u8,
    }

    /// `VS_WR_MOD.REQ` (INT6x00, AR7x00): write a part of a module.
    vs(0xA020) => pub struct WrModReq<'a> {
        /// 1 firmware, 2 parameters.
        pub module_id: u8,
        /// Access.
        pub maccess: u8,
        /// Bytes, at most 1024.
        pub length: u16,
        /// Offset of the first byte.
        pub offset: u32,
        /// Checksum of these bytes.
        pub checksum: u32,
        /// The bytes.
        pub data: Slice<'a> = length,
    }

    /// `VS_WR_MOD.CNF`.
    vs(0xA021) => pub struct WrModCnf {
        /// Status; 0: success.
        pub mstatus: u8,
        /// Module, as in the request.
        pub module_id: u8,
        /// Access, as in the request.
        pub maccess: u8,
        /// Number of bytes, as in the request.
        pub length: u16,
        /// Offset of the first byte in the module, as in the request.
        pub offset: u32,
    }

    /// `VS_RD_MOD.REQ` (INT6x00, AR7x00): read a part of a module.
    vs(0xA024) => pub struct RdModReq {
        /// 1 firmware, 2 parameters.
        pub module_id: u8,
        /// Access.
        pub maccess: u8,
        /// Bytes, at most 1024.
        pub length: u16,
        /// Offset of the first byte.
        pub offset: u32,
        /// Password, if the modem requires one.
        pub secret: Nmk,
    }

    /// `VS_RD_MOD.CNF`.
    vs(0xA025) => pub struct RdModCnf<'a> {
        /// Status; 0: success.
        pub mstatus: u8 => 3,
        /// Module, as in the request.
        pub module_id: u8 => 1,
        /// Bytes.
        pub length: u16,
        /// Offset of the first byte in the module, as in the request.
        pub offset: u32,
        /// Checksum of these bytes.
        pub checksum: u32,
        /// The bytes; none if the request is refused (judgement, as in [`RdMemCnf`]).
        pub data: Slice<'a> = if mstatus == 0 { length } else { 0 },
    }

    /// `VS_MOD_NVM.REQ` (INT6x00, AR7x00): store modules in flash.
    vs(0xA028) => pub struct ModNvmReq {
        /// Which ones; see [`NvmModules`](super::NvmModules).
        pub module_id: u8,
    }

    /// `VS_MOD_NVM.CNF`.
    vs(0xA029) => pub struct ModNvmCnf {
        /// Status; 0: success.
        pub mstatus: u8,
        /// Module, as in the request.
        pub module_id: u8,
    }

    /// `VS_SET_KEY.REQ`: the old message that sets a key.
    vs(0xA050) => pub struct VsSetKeyReq {
        /// Which key.
        pub eks: u8,
        /// The network's key.
        pub nmk: Nmk,
        /// How the payload is encrypted.
        pub peks: u8,
        /// The addressed modem.
        pub rda: Mac,
        /// That modem's device access key.
        pub dak: Dak,
    }

    /// `VS_SET_KEY.CNF`.
    vs(0xA051) => pub struct VsSetKeyCnf {
        /// Status; 0: success.
        pub mstatus: u8,
    }

    /// `VS_OP_ATTRIBUTES.REQ`: requests the modem's attributes.
    #[derive(Default)]
    vs(0xA068) => pub struct OpAttributesReq {
        /// Any value; the modem repeats it.
        pub cookie: u32,
        /// 0: binary.
        pub rtype: u8,
    }

    /// `VS_OP_ATTRIBUTES.CNF`.
    vs(0xA069) => pub struct OpAttributesCnf {
        /// Status; 0: success.
        pub mstatus: u16,
        /// Cookie, as in the request.
        pub cookie: u32,
        /// Form of the attributes, as in the request.
        pub rtype: u8,
        /// Bytes of attributes that follow: 118.
        pub mlength: u16,
        /// Hardware, such as `QCA7000`.
        pub family: Label<16>,
        /// Software, such as `MAC`.
        pub devtype: Label<16>,
        /// Major version.
        pub major: u32,
        /// Minor version.
        pub minor: u32,
        /// Version of parameters or composite.
        pub composite: u32,
        /// Build.
        pub build: u32 => 4,
        /// Date of the build, YYYYMMDD.
        pub build_date: Label<8>,
        /// Kind of release.
        pub release: Label<12>,
        /// Kind of memory.
        pub sdram: Option<u8> => 1,
        /// Bits 0 and 1: 1 = 50 Hz, 2 = 60 Hz; bits 2 and 3: 1 = zero crossing detected, 2 = missing.
        pub line_frequency: Option<u8>,
    }

    /// `VS_FAC_DEFAULTS.REQ`: restores the factory's parameters.
    #[derive(Default)]
    vs(0xA07C) => pub struct FacDefaultsReq {}

    /// `VS_FAC_DEFAULTS.CNF`.
    vs(0xA07D) => pub struct FacDefaultsCnf {
        /// Status; 0: success.
        pub mstatus: u8,
    }

    /// `VS_PL_LINK_STATUS.REQ`: requests the link's state.
    #[derive(Default)]
    vs(0xA0B8) => pub struct PlLinkStatusReq {}

    /// `VS_PL_LINK_STATUS.CNF`.
    vs(0xA0B9) => pub struct PlLinkStatusCnf {
        /// Status; 0: success.
        pub mstatus: u8,
        /// 1: another station is in the network.
        pub link_status: u8,
    }

    /// `VS_GET_PROPERTY.REQ`: requests a property by its number.
    vs(0xA0F8) => pub struct GetPropertyReq {
        /// Any value; the modem repeats it.
        pub cookie: u32,
        /// 0 hexadecimal, 1 decimal, 2 binary, 3 ASCII.
        pub data_format: u8,
        /// Form of the property's name.
        pub prop_format: u8 => 2,
        /// Version of the property.
        pub prop_version: u32,
        /// Length of the property's name.
        pub prop_length: u32,
        /// The property; 0x69 is requested of the Ioniq's modem at its start.
        pub prop_number: u32,
    }

    /// `VS_GET_PROPERTY.CNF`.
    vs(0xA0F9) => pub struct GetPropertyCnf<'a> {
        /// Status; 0: success.
        pub mstatus: u32,
        /// Cookie, as in the request.
        pub cookie: u32,
        /// Format of the value, as in the request.
        pub data_format: u8 => 3,
        /// Bytes of the value.
        pub data_length: u32,
        /// The value.
        pub data: Slice<'a> = u16::try_from(data_length).unwrap_or(u16::MAX),
    }

    /// `VS_SET_PROPERTY.REQ`.
    vs(0xA100) => pub struct SetPropertyReq<'a> {
        /// Any value; the modem repeats it.
        pub cookie: u32,
        /// Option.
        pub option: u8 => 3,
        /// Version of the property.
        pub prop_version: u32,
        /// The property.
        pub prop_number: u32,
        /// Bytes of the value.
        pub data_length: u32,
        /// The value.
        pub data: Slice<'a> = u16::try_from(data_length).unwrap_or(u16::MAX),
    }

    /// `VS_SET_PROPERTY.CNF`.
    vs(0xA101) => pub struct SetPropertyCnf {
        /// Status; 0: success.
        pub mstatus: u32,
        /// Cookie, as in the request.
        pub cookie: u32,
    }

    /// `VS_ATTENUATION_CHARACTERISTICS.IND`: the vendor's form of a measurement, besides
    /// [`AttenProfileInd`](super::AttenProfileInd).
    vs(0xA14E) => pub struct AttenuationCharacteristicsInd<'a> {
        /// The car whose sound was measured.
        pub pev_mac: Mac,
        /// Groups of carriers.
        pub num_groups: u8,
        /// Reserved.
        pub rsvd: u8,
        /// 16 in all captures; its meaning is unknown.
        pub unknown: u8 => 7,
        /// Attenuation of each group in dB.
        pub aag: Slice<'a> = num_groups,
    }
}

record! {
    /// `VS_HOST_ACTION.IND`: a modem requests an action of its host, and repeats it until a response.
    ///
    /// The old form ends after three bytes; missing fields are zero, as the frame's padding is.
    pub struct HostActionInd {
        /// 0: it has no firmware and must be loaded; others: save its data.
        pub action: u8,
        /// Session; in the old form the major version.
        pub session_id: u8,
        /// Retries left; in the old form the minor version.
        pub outstanding_retries: u16,
        /// Time between them in 10 ms.
        pub retry_timer: u16,
    }
}

record! {
    /// `VS_HOST_ACTION.RSP`. Old hosts send the status only.
    pub struct HostActionRsp {
        /// 0: accepted.
        pub mstatus: u8,
        /// Action, as in the indication.
        pub action: u8,
        /// Session, as in the indication.
        pub session_id: u8,
        /// Retries left, as in the indication.
        pub outstanding_retries: u16,
    }
}

macro_rules! host_action {
    ($($name:ident: $number:literal, $least:literal of $whole:literal bytes;)*) => {$(
        impl<'a> Message<'a> for $name {
            const ID: Id = vs($number);

            fn parse(body: &'a [u8]) -> Result<Self, MessageError> {
                let mut room = [0; $whole];
                let body = padded(body, $least, &mut room)?;
                whole(body)
            }

            fn write(&self, out: &mut Writer<'_>) {
                self.put(out);
            }

            fn fields(&self, visit: &mut Visit<'_>) {
                self.show("", visit);
            }
        }
    )*};
}

host_action! {
    HostActionInd: 0xA062, 3 of 6 bytes;
    HostActionRsp: 0xA063, 1 of 5 bytes;
}

impl SwVerCnf {
    /// The version, without padding.
    pub fn text(&self) -> &[u8] {
        let text = self.version.text();
        text.get(..usize::from(self.ver_len)).unwrap_or(text)
    }

    /// Whether the modem has no firmware.
    pub fn is_boot_loader(&self) -> bool {
        self.text().starts_with(b"BootLoader")
    }
}
