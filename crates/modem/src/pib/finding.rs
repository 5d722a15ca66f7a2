use core::fmt;

use homeplug_mme::Mac;

use super::field::{self, Kind};
use super::{Image, Layout, Role, Value};

/// Something in a sound image that its owner should know.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Finding {
    /// The image has no checksums, so that damage cannot be seen.
    NoChecksum,
    /// No station can have this address.
    Address(Mac),
    /// The network id was not made from the network key. A modem works with it all the same.
    ForeignNid,
    /// The key is the one that every plug from a shop has.
    WellKnownKey,
    /// The role's two parameters contradict each other.
    Role(Role),
    /// A name fills its field to the last byte.
    Unterminated(&'static str),
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoChecksum => {
                f.write_str("bare parameters without checksums: cannot be written to a modem")
            }
            Self::Address(mac) => write!(f, "{mac} is no address of a station: set the MAC"),
            Self::ForeignNid => {
                f.write_str("the network id is not made from the key: set key and id together")
            }
            Self::WellKnownKey => f.write_str("the key is the factory's, which everybody knows"),
            Self::Role(role) => write!(f, "the role is {role}: set it anew"),
            Self::Unterminated(name) => write!(f, "{name} has no end: set a shorter one"),
        }
    }
}

/// The network key of the password `HomePlugAV`.
const WELL_KNOWN: [u8; 16] =
    [0x50, 0xD3, 0xE4, 0x93, 0x3F, 0x85, 0x5B, 0x70, 0x40, 0x78, 0x4D, 0xF8, 0x15, 0xAA, 0x8D, 0xB7];

impl<'a> Image<'a> {
    /// What the owner should know; nothing in a good image.
    pub fn findings(&self) -> impl Iterator<Item = Finding> + use<'a> {
        let image = *self;
        let key = image.nmk().map(field::Secret::reveal);
        let role = image.role().filter(|role| matches!(role, Role::Mixed { .. }));
        let single = [
            (image.layout() == Layout::Bare).then_some(Finding::NoChecksum),
            (!image.mac().is_unicast()).then_some(Finding::Address(image.mac())),
            (key == Some(&WELL_KNOWN)).then_some(Finding::WellKnownKey),
            role.map(Finding::Role),
        ];
        let names = image.fields().filter(|(field, _)| field.kind == Kind::Text);
        let unterminated = names.filter_map(|(field, value)| match value {
            Value::Text(text) => {
                (text.bytes().len() == field.kind.len()).then_some(Finding::Unterminated(field.name))
            }
            _ => None,
        });
        single.into_iter().flatten().chain(unterminated)
    }
}

#[cfg(test)]
mod tests {
    extern crate std;
    use super::*;
    use crate::pib::{Editor, sample};
    use std::vec::Vec;

    #[test]
    fn each_oddity_is_told_and_a_good_image_has_none() {
        let good = sample::chain(0x1F90);
        assert_eq!(Image::parse(&good).unwrap().findings().count(), 0);
        let mixed = Role::Mixed { cco: 2, slac: 1 };
        let table: [(usize, &[u8], Finding); 4] = [
            (0x0C, &[1, 0, 0, 0, 0, 1], Finding::Address(Mac([1, 0, 0, 0, 0, 1]))),
            (0x64, &WELL_KNOWN, Finding::WellKnownKey),
            (0xF4, &[2], Finding::Role(mixed)),
            (0x74, &[b'x'; 64], Finding::Unterminated("UserHFID")),
        ];
        for (offset, value, expected) in table {
            let mut bytes = good.clone();
            Editor::open(&mut bytes).unwrap().write(offset, value).unwrap();
            let findings: Vec<_> = Image::parse(&bytes).unwrap().findings().collect();
            assert_eq!(findings, [expected]);
        }
    }
}
