use homeplug_mme::{Mac, NetworkKey, Nmk};

use super::Layout;
use super::field::{self, Field, Text, Value};
use super::layout::Shape;
use super::{Error, Role};

/// A parameter image with valid sizes, links and checksums.
///
/// It contains the modem's keys: protect the file like a password.
#[derive(Clone, Copy, Debug)]
pub struct Image<'a> {
    bytes: Bytes<'a>,
    shape: Shape,
}

/// The bytes, hidden from `Debug`.
#[derive(Clone, Copy)]
struct Bytes<'a>(&'a [u8]);

impl core::fmt::Debug for Bytes<'_> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "({} bytes)", self.0.len())
    }
}

impl<'a> Image<'a> {
    /// Checks an image: the content of a file, or data read from a modem.
    pub fn parse(bytes: &'a [u8]) -> Result<Self, Error> {
        Ok(Self { bytes: Bytes(bytes), shape: Shape::read(bytes)? })
    }

    /// Its layout.
    pub const fn layout(&self) -> Layout {
        self.shape.layout
    }

    /// All its bytes.
    pub const fn bytes(&self) -> &'a [u8] {
        self.bytes.0
    }

    /// The parameters, in which the offsets of [`field`] count.
    pub fn parameters(&self) -> &'a [u8] {
        self.shape.parameters.of(self.bytes.0).unwrap_or_default()
    }

    /// Reads a field; `None` if this image does not have it.
    pub fn get(&self, field: &Field) -> Option<Value<'a>> {
        field.is_in(self.layout()).then(|| field.read(self.parameters()))?
    }

    /// All fields of [`FIELDS`](super::FIELDS) that this image has.
    pub fn fields(&self) -> impl Iterator<Item = (&'static Field, Value<'a>)> + use<'a> {
        let image = *self;
        field::FIELDS.iter().filter_map(move |field| Some((field, image.get(field)?)))
    }

    /// The modem's address.
    pub fn mac(&self) -> Mac {
        match self.get(&field::MAC) {
            Some(Value::Mac(mac)) => mac,
            _ => Mac([0; 6]),
        }
    }

    /// The network that the modem joins automatically: its preferred NID and its key.
    pub fn network(&self) -> Option<NetworkKey> {
        match (self.get(&field::NID), self.get(&field::NMK)) {
            (Some(Value::Nid(nid)), Some(Value::Key(key))) => {
                Some(NetworkKey { nid, nmk: Nmk::new(*key.reveal()) })
            }
            _ => None,
        }
    }

    /// The side of the cable for which the modem is configured; `None` in an old image, where the offset is
    /// unknown.
    pub fn role(&self) -> Option<Role> {
        match (self.get(&field::CCO_SELECTION), self.get(&field::SLAC_ENABLE)) {
            (Some(Value::Choice(cco, _)), Some(Value::Choice(slac, _))) => Some(Role::of(cco, slac)),
            _ => None,
        }
    }

    /// The manufacturer's name of the parameter set, from the chain's manifest.
    pub fn description(&self) -> Option<Text<'a>> {
        let mut rest = self.shape.manifest?.of(self.bytes.0)?;
        loop {
            let (tag, tail) = rest.split_first_chunk::<4>()?;
            let (len, tail) = tail.split_first_chunk::<4>()?;
            let len = usize::try_from(u32::from_le_bytes(*len)).ok()?;
            let (value, tail) = tail.split_at_checked(len)?;
            if u32::from_le_bytes(*tag) == DESCRIPTION {
                return Some(Text::new(value));
            }
            rest = tail;
        }
    }
}

/// The manifest's entry (tag, length, value) with the name of the parameter set: observed in six images.
const DESCRIPTION: u32 = 0x10;

#[cfg(test)]
mod tests {
    extern crate std;
    use super::*;
    use crate::pib::{Fault, sample};
    use std::string::ToString;
    use std::{format, println};

    #[test]
    fn a_small_image_shows_its_fields_and_its_description() {
        let bytes = sample::chain(0x1F90);
        let image = Image::parse(&bytes).unwrap();
        assert_eq!((image.layout(), image.mac()), (Layout::Chain, sample::MAC));
        assert_eq!(image.role(), Some(Role::Pev));
        assert_eq!(image.description().unwrap().to_string(), "PIB-small");
        assert_eq!(image.fields().count(), field::FIELDS.len());
        assert_eq!(image.network(), Some(sample::network()));
        let shown = format!("{image:?}");
        assert!(!shown.contains("17, 17") && shown.contains("8312 bytes"), "{shown}");
    }

    #[test]
    fn an_old_image_shows_what_both_maps_share_and_has_no_role() {
        let bytes = sample::flat(0x2000);
        let image = Image::parse(&bytes).unwrap();
        assert_eq!((image.layout(), image.mac(), image.role()), (Layout::Flat, sample::MAC, None));
        assert!(image.get(&field::SLAC_ENABLE).is_none() && image.get(&field::CCO_SELECTION).is_some());
        assert!(image.description().is_none());
    }

    #[test]
    fn every_flipped_bit_of_a_small_image_is_found() {
        for good in [sample::chain(0x100), sample::flat(0x100)] {
            let mut bytes = good;
            for at in 0..bytes.len() {
                for bit in 0..8 {
                    bytes[at] ^= 1 << bit;
                    assert!(Image::parse(&bytes).is_err(), "byte {at}, bit {bit}");
                    bytes[at] ^= 1 << bit;
                }
            }
        }
    }

    /// Image, role and checksum. The checksums are in the headers that the captures contain before two of the
    /// images.
    const REAL: [(&str, Role, Option<u32>); 3] = [
        ("pib/pibimg_9848275a3ce4.bin", Role::Evse, Some(0x4525_BA87)),
        ("pib/pibimg_98ded0650ef7.bin", Role::Pev, None),
        ("pib/pibimg_bcf2aff1c811.bin", Role::Evse, Some(0xAFE3_878B)),
    ];

    #[test]
    fn the_parameters_of_real_modems_have_their_role_address_and_checksum() {
        for (name, role, checksum) in REAL {
            let Some(path) = corpus::path(name) else { return };
            let bytes = std::fs::read(path).unwrap();
            let image = Image::parse(&bytes).unwrap();
            assert_eq!((image.layout(), image.role()), (Layout::Bare, Some(role)), "{name}");
            assert!(name.contains(&image.mac().to_string().replace(':', "")), "{name}");
            if let Some(checksum) = checksum {
                assert_eq!(crate::pib::checksum32(&bytes), checksum, "{name}");
            }
            let number = |name| image.get(Field::named(name).unwrap());
            assert_eq!(number("LowLinkSpeed_kbps"), Some(Value::Number(10_240)));
            assert_eq!(number("HighLinkSpeed_kbps"), Some(Value::Number(102_400)));
            println!("{name}: {} fields", image.fields().count());
        }
    }

    #[test]
    fn every_flipped_byte_of_a_real_image_in_its_chain_is_found() {
        let Some(path) = corpus::path(REAL[0].0) else { return };
        let mut bytes = sample::chain_of(&std::fs::read(path).unwrap());
        assert!(Image::parse(&bytes).is_ok());
        for at in 0..bytes.len() {
            let bit = 1 << (at % 8);
            bytes[at] ^= bit;
            let fault = Image::parse(&bytes).map(|_| ()).unwrap_err().fault;
            assert!(!matches!(fault, Fault::NoParameters), "byte {at}");
            bytes[at] ^= bit;
        }
    }
}
