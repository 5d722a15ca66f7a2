/// A message set that a session can use. Differences between protocols are in tables with this key: message
/// names ([`Exchange::names`](crate::Exchange)), handshake and payload type here, and each side's `wire` and
/// `order` modules.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Protocol {
    /// DIN SPEC 70121.
    #[default]
    Din,
}

impl Protocol {
    /// Every protocol, in the order of preference.
    pub const ALL: &'static [Self] = &[Self::Din];

    /// Its namespace in supportedAppProtocol.
    pub const fn namespace(self) -> &'static str {
        match self {
            Self::Din => "urn:din:70121:2012:MsgDef",
        }
    }

    /// Its version in supportedAppProtocol, major and minor. Another minor version is compatible, another
    /// major version is not.
    pub const fn version(self) -> (u32, u32) {
        match self {
            Self::Din => (2, 0),
        }
    }

    /// The V2GTP payload type of its messages. The handshake has the same payload type in every protocol
    /// except ISO 15118-20.
    pub const fn payload_type(self) -> u16 {
        match self {
            Self::Din => 0x8001,
        }
    }
}
