use core::fmt;

use homeplug_mme::{Mac, NetworkKey, Nid};

use super::field::Kind;
use super::{Image, Layout, Role, Value};

/// A property of a valid image that its owner should check.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Finding {
    /// The image has no checksums, so damage cannot be detected.
    NoChecksum,
    /// No station can have this address.
    Address(Mac),
    /// The NID is not derived from the network key. A modem works with it nevertheless.
    ForeignNid,
    /// The factory default key of every retail plug.
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
            Self::Role(role) => write!(f, "the role is {role}: set it again"),
            Self::Unterminated(name) => write!(f, "{name} has no end: set a shorter one"),
        }
    }
}

/// The network key of the password `HomePlugAV`.
const WELL_KNOWN: [u8; 16] =
    [0x50, 0xD3, 0xE4, 0x93, 0x3F, 0x85, 0x5B, 0x70, 0x40, 0x78, 0x4D, 0xF8, 0x15, 0xAA, 0x8D, 0xB7];

impl<'a> Image<'a> {
    /// The findings in this image; none in a good one.
    pub fn findings(&self) -> impl Iterator<Item = Finding> + use<'a> {
        let image = *self;
        let network = image.network();
        let foreign = |network: &NetworkKey| network.nid != Nid::derive(&network.nmk, network.nid.level());
        let role = image.role().filter(|role| matches!(role, Role::Mixed { .. }));
        let single = [
            (image.layout() == Layout::Bare).then_some(Finding::NoChecksum),
            (!image.mac().is_unicast()).then_some(Finding::Address(image.mac())),
            network.filter(foreign).map(|_| Finding::ForeignNid),
            network.filter(|network| *network.nmk.reveal() == WELL_KNOWN).map(|_| Finding::WellKnownKey),
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
    use homeplug_mme::Nmk;
    use std::vec::Vec;

    #[test]
    fn each_oddity_is_told_and_a_good_image_has_none() {
        let good = sample::chain(0x1F90);
        assert_eq!(Image::parse(&good).unwrap().findings().count(), 0);
        let mixed = Role::Mixed { cco: 2, slac: 1 };
        let table: [(usize, &[u8], Finding); 4] = [
            (0x0C, &[1, 0, 0, 0, 0, 1], Finding::Address(Mac([1, 0, 0, 0, 0, 1]))),
            (0xF8, &[1, 2, 3, 4, 5, 6, 7], Finding::ForeignNid),
            (0xF4, &[2], Finding::Role(mixed)),
            (0x74, &[b'x'; 64], Finding::Unterminated("UserHFID")),
        ];
        for (offset, value, expected) in table {
            let mut bytes = good.clone();
            Editor::open(&mut bytes).unwrap().write(offset, value).unwrap();
            let findings: Vec<_> = Image::parse(&bytes).unwrap().findings().collect();
            assert_eq!(findings, [expected]);
        }
        let factory = NetworkKey::derived(Nmk::from_password(b"HomePlugAV"));
        let mut bytes = good;
        Editor::open(&mut bytes).unwrap().set_network(factory).unwrap();
        let findings: Vec<_> = Image::parse(&bytes).unwrap().findings().collect();
        assert_eq!(findings, [Finding::WellKnownKey]);
    }

    #[test]
    fn the_ids_of_real_modems_follow_from_their_keys_but_where_somebody_chose_one() {
        // pyPLC sets 01020304050607 in one of them.
        for (name, foreign) in [("9848275a3ce4", true), ("98ded0650ef7", false), ("bcf2aff1c811", false)] {
            let Some(path) = corpus::path(&std::format!("pib/pibimg_{name}.bin")) else { return };
            let bytes = std::fs::read(path).unwrap();
            let image = Image::parse(&bytes).unwrap();
            assert_eq!(image.findings().any(|finding| finding == Finding::ForeignNid), foreign, "{name}");
            assert!(
                image.findings().all(|f| matches!(f, Finding::NoChecksum | Finding::ForeignNid)),
                "{name}"
            );
        }
    }
}
