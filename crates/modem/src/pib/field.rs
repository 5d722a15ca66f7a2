//! The named parameters: their offsets and formats.
use core::fmt;

use homeplug_mme::{Mac, Nid};

use super::Layout;

/// One parameter: its offset and format. [`FIELDS`] lists those that are shown and edited by name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Field {
    /// Its name, short and without spaces, as on the command line.
    pub name: &'static str,
    /// Bytes from the start of the parameters.
    pub offset: usize,
    /// Its format.
    pub kind: Kind,
    map: Map,
}

/// Format of a field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// An Ethernet address.
    Mac,
    /// A key of 16 bytes, shown only on request.
    Key,
    /// 64 bytes of text, filled with NUL.
    Text,
    /// An NID of 7 bytes.
    Nid,
    /// One byte.
    Byte,
    /// Four bytes, little endian.
    Long,
    /// One byte with named values from 0 on.
    Choice(&'static [&'static str]),
}

impl Kind {
    /// Length in bytes.
    pub const fn len(self) -> usize {
        match self {
            Self::Mac => 6,
            Self::Key => 16,
            Self::Text => 64,
            Self::Nid => 7,
            Self::Byte | Self::Choice(_) => 1,
            Self::Long => 4,
        }
    }

    /// Always false: every kind has bytes.
    pub const fn is_empty(self) -> bool {
        false
    }
}

/// The images that have the field at this offset.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Map {
    /// Old and new ones.
    All,
    /// Those of QCA7000, QCA7005 and QCA7420: the map with `SLAC_EnableMode`. Old images differ beyond 0x100.
    Qca7000,
}

impl Field {
    /// The field of [`FIELDS`] with this name, in upper or lower case.
    pub fn named(name: &str) -> Option<&'static Self> {
        FIELDS.iter().find(|field| field.name.eq_ignore_ascii_case(name))
    }

    /// Whether images of this layout have the field.
    pub fn is_in(&self, layout: Layout) -> bool {
        self.map == Map::All || layout != Layout::Flat
    }

    /// Reads the field; `None` if `parameters` end before it.
    pub(super) fn read<'a>(&self, parameters: &'a [u8]) -> Option<Value<'a>> {
        let bytes = parameters.get(self.offset..self.offset + self.kind.len())?;
        Some(match self.kind {
            Kind::Mac => Value::Mac(Mac(bytes.try_into().ok()?)),
            Kind::Key => Value::Key(Secret(bytes.try_into().ok()?)),
            Kind::Text => Value::Text(Text(bytes)),
            Kind::Nid => Value::Nid(Nid(bytes.try_into().ok()?)),
            Kind::Byte => Value::Number(u32::from(*bytes.first()?)),
            Kind::Long => Value::Number(u32::from_le_bytes(bytes.try_into().ok()?)),
            Kind::Choice(names) => {
                let value = *bytes.first()?;
                Value::Choice(value, names.get(usize::from(value)).copied())
            }
        })
    }
}

/// A field's value. Its text form never contains a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Value<'a> {
    /// An Ethernet address.
    Mac(Mac),
    /// A key.
    Key(Secret<'a>),
    /// A text.
    Text(Text<'a>),
    /// A network's id.
    Nid(Nid),
    /// A number.
    Number(u32),
    /// A number and its meaning, if the table has one.
    Choice(u8, Option<&'static str>),
}

impl fmt::Display for Value<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Mac(mac) => mac.fmt(f),
            Self::Key(key) => key.fmt(f),
            Self::Text(text) => text.fmt(f),
            Self::Nid(nid) => nid.fmt(f),
            Self::Number(number) => number.fmt(f),
            Self::Choice(number, Some(name)) => write!(f, "{number} ({name})"),
            Self::Choice(number, None) => write!(f, "{number} (unknown)"),
        }
    }
}

/// A key in an image: prints as `(secret)` in any format.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Secret<'a>(&'a [u8; 16]);

impl<'a> Secret<'a> {
    /// The key itself, for output that was requested explicitly.
    pub const fn reveal(self) -> &'a [u8; 16] {
        self.0
    }
}

impl fmt::Display for Secret<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("(secret)")
    }
}

impl fmt::Debug for Secret<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// A text in an image, up to its first NUL; bytes other than printable ASCII print as `?`.
#[derive(Clone, Copy)]
pub struct Text<'a>(&'a [u8]);

impl<'a> Text<'a> {
    pub(super) const fn new(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    /// The bytes before the first NUL.
    pub fn bytes(self) -> &'a [u8] {
        self.0.split(|&byte| byte == 0).next().unwrap_or_default()
    }
}

impl PartialEq for Text<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.bytes() == other.bytes()
    }
}

impl Eq for Text<'_> {}

impl fmt::Display for Text<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        use fmt::Write;
        self.bytes()
            .iter()
            .try_for_each(|&byte| f.write_char(if printable(byte) { char::from(byte) } else { '?' }))
    }
}

impl fmt::Debug for Text<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

pub(super) const fn printable(byte: u8) -> bool {
    byte.is_ascii_graphic() || byte == b' '
}

const fn all(name: &'static str, offset: usize, kind: Kind) -> Field {
    Field { name, offset, kind, map: Map::All }
}

const fn qca(name: &'static str, offset: usize, kind: Kind) -> Field {
    Field { name, offset, kind, map: Map::Qca7000 }
}

/// The modem's address.
pub const MAC: Field = all("MAC", 0x0C, Kind::Mac);
/// The device access key: its holder can set the network key over the power line.
pub const DAK: Field = all("DAK", 0x12, Kind::Key);
/// The manufacturer's name of the device.
pub const MANUFACTURER: Field = all("ManufacturerHFID", 0x24, Kind::Text);
/// The network membership key.
pub const NMK: Field = all("NMK", 0x64, Kind::Key);
/// The owner's name of the device.
pub const USER: Field = all("UserHFID", 0x74, Kind::Text);
/// The network's name.
pub const NETWORK: Field = all("NetworkHFID", 0xB4, Kind::Text);
/// Whether the modem coordinates a network: 2 for a charger, 1 for a car.
pub const CCO_SELECTION: Field =
    all("CCoSelection", 0xF4, Kind::Choice(&["auto", "never", "always", "user", "covert"]));
/// The network's id.
pub const NID: Field = all("PreferredNID", 0xF8, Kind::Nid);
/// Which SLAC messages the modem passes: 2 for a charger, 1 for a car.
pub const SLAC_ENABLE: Field = qca("SLAC_EnableMode", 0x1653, Kind::Choice(&["off", "PEV", "EVSE"]));

/// Fields shown and edited by name, sorted by offset. Source: the public offset table of the QCA7000's
/// parameters, checked with six images of real modems.
pub const FIELDS: &[Field] = &[
    MAC,
    DAK,
    MANUFACTURER,
    NMK,
    USER,
    NETWORK,
    CCO_SELECTION,
    qca("CoexistMode", 0xF5, Kind::Byte),
    qca("LineFrequency", 0xF6, Kind::Byte),
    NID,
    qca("AVLNMembership", 0xFF, Kind::Byte),
    qca("SnifferEnabled", 0x102, Kind::Byte),
    qca("SnifferReturnMAC", 0x103, Kind::Mac),
    qca("MemoryProfile", 0x109, Kind::Byte),
    qca("TxPrescalerType", 0xF24, Kind::Long),
    qca("ScaledTxGain", 0x1471, Kind::Long),
    SLAC_ENABLE,
    qca("TxGainLowAttenuation", 0x1654, Kind::Long),
    qca("UplinkLimit_bps", 0x16C3, Kind::Long),
    qca("DownlinkLimit_bps", 0x16C7, Kind::Long),
    qca("LinkStatusCCoDuration_s", 0x1C94, Kind::Byte),
    qca("LinkStatusStaDuration_s", 0x1C95, Kind::Byte),
    qca("LinkStatusCCoDefault", 0x1C96, Kind::Byte),
    qca("LowLinkSpeed_kbps", 0x1C98, Kind::Long),
    qca("HighLinkSpeed_kbps", 0x1C9C, Kind::Long),
    qca("StandbyDelay_ms", 0x1EA6, Kind::Long),
    qca("StaticNetwork", 0x1F00, Kind::Byte),
    qca("FeatureEnabled", 0x1F80, Kind::Byte),
];

#[cfg(test)]
mod tests {
    extern crate std;
    use super::*;
    use std::format;

    #[test]
    fn the_table_is_in_order_without_overlaps_and_every_name_is_found() {
        for pair in FIELDS.windows(2) {
            assert!(pair[0].offset + pair[0].kind.len() <= pair[1].offset, "{}", pair[1].name);
        }
        for field in FIELDS {
            assert_eq!(Field::named(&field.name.to_ascii_lowercase()), Some(field));
        }
        assert_eq!(Field::named("NoSuchField"), None);
    }

    #[test]
    fn values_print_what_people_read_and_never_a_key() {
        let mut parameters = [0xAB; 0x2000];
        parameters[0xF4] = 2;
        parameters[0x24..0x2C].copy_from_slice(b"plug \x01\x00x");
        let shown = |field: &Field| format!("{}", field.read(&parameters).unwrap());
        assert_eq!(shown(&NMK), "(secret)");
        assert_eq!(format!("{:?}", DAK.read(&parameters).unwrap()), "Key((secret))");
        assert_eq!(shown(&CCO_SELECTION), "2 (always)");
        assert_eq!(shown(&SLAC_ENABLE), "171 (unknown)");
        assert_eq!(shown(&MANUFACTURER), "plug ?");
        assert_eq!(shown(&MAC), "ab:ab:ab:ab:ab:ab");
        assert_eq!(shown(&NID), "ababababababab");
        assert_eq!(SLAC_ENABLE.read(&parameters[..0x1653]), None);
    }
}
