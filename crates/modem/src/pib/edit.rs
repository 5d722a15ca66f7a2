use homeplug_mme::{Mac, NetworkKey};

use super::Layout;
use super::field::{self, Field, printable};
use super::layout::{FLAT_HEADER_LEN, Shape};
use super::{EditError, Role};

/// Changes an image in place. Its checksums are correct after each edit; a refused edit changes nothing.
#[derive(Debug)]
pub struct Editor<'a> {
    bytes: &'a mut [u8],
    shape: Shape,
}

impl<'a> Editor<'a> {
    /// Checks the image first: a damaged image is refused.
    pub fn open(bytes: &'a mut [u8]) -> Result<Self, EditError> {
        let shape = Shape::read(bytes)?;
        Ok(Self { bytes, shape })
    }

    /// Sets the modem's role: the side of the cable.
    pub fn set_role(&mut self, role: Role) -> Result<(), EditError> {
        let (cco, slac) = role.values();
        // The field that an image may lack is set first, so that a refusal changes nothing.
        self.set(&field::SLAC_ENABLE, &[slac])?;
        self.set(&field::CCO_SELECTION, &[cco])
    }

    /// Sets the modem's address.
    pub fn set_mac(&mut self, mac: Mac) -> Result<(), EditError> {
        if !mac.is_unicast() {
            return Err(EditError::Address);
        }
        self.set(&field::MAC, &mac.0)
    }

    /// Sets the network that the modem joins automatically.
    pub fn set_network(&mut self, network: NetworkKey) -> Result<(), EditError> {
        self.set(&field::NMK, network.nmk.reveal())?;
        self.set(&field::NID, &network.nid.0)
    }

    /// Sets a text field, filled with NUL.
    pub fn set_text(&mut self, field: &Field, text: &str) -> Result<(), EditError> {
        let name = field.name;
        let max = field.kind.len();
        if field.kind != field::Kind::Text || text.len() > max {
            return Err(EditError::Size { name, len: text.len(), max });
        }
        if !text.bytes().all(printable) {
            return Err(EditError::NotPrintable(name));
        }
        let mut padded = [0; 64];
        padded.iter_mut().zip(text.bytes()).for_each(|(slot, byte)| *slot = byte);
        self.set(field, &padded)
    }

    /// Sets a field from its bytes in the image's order.
    pub fn set(&mut self, field: &Field, value: &[u8]) -> Result<(), EditError> {
        let Field { name, offset, kind, .. } = *field;
        if !field.is_in(self.shape.layout) {
            return Err(EditError::Layout { name, layout: self.shape.layout });
        }
        if value.len() != kind.len() {
            return Err(EditError::Size { name, len: value.len(), max: kind.len() });
        }
        self.write(offset, value)
    }

    /// Sets a byte at an offset inside the parameters.
    pub fn set_byte(&mut self, offset: usize, value: u8) -> Result<(), EditError> {
        self.write(offset, &[value])
    }

    /// Sets two bytes, little endian, at an offset inside the parameters.
    pub fn set_word(&mut self, offset: usize, value: u16) -> Result<(), EditError> {
        self.write(offset, &value.to_le_bytes())
    }

    /// Sets four bytes, little endian, at an offset inside the parameters.
    pub fn set_long(&mut self, offset: usize, value: u32) -> Result<(), EditError> {
        self.write(offset, &value.to_le_bytes())
    }

    /// Sets bytes at an offset inside the parameters.
    pub fn write(&mut self, offset: usize, value: &[u8]) -> Result<(), EditError> {
        let span = self.shape.parameters;
        let outside = EditError::Outside { offset, len: value.len(), available: span.len };
        if self.shape.layout == Layout::Flat && offset < FLAT_HEADER_LEN {
            return Err(EditError::Computed(offset));
        }
        let end = offset.checked_add(value.len()).filter(|&end| end <= span.len).ok_or(outside)?;
        let place = self.bytes.get_mut(span.start + offset..span.start + end).ok_or(outside)?;
        place.copy_from_slice(value);
        self.shape.seal(self.bytes);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    extern crate std;
    use super::*;
    use crate::pib::{Image, Value, sample};
    use homeplug_mme::Nmk;
    use std::vec::Vec;

    fn changed(before: &[u8], after: &[u8]) -> Vec<(usize, u8)> {
        assert_eq!(before.len(), after.len());
        (0..before.len()).filter(|&at| before[at] != after[at]).map(|at| (at, after[at])).collect()
    }

    #[test]
    fn a_role_is_two_bytes_and_two_checksums() {
        let before = sample::chain(0x1F90);
        let mut after = before.clone();
        Editor::open(&mut after).unwrap().set_role(Role::Evse).unwrap();
        assert_eq!(Image::parse(&after).unwrap().role(), Some(Role::Evse));
        let header = 96 + sample::MANIFEST_LEN;
        let data = header + 96;
        let changed = changed(&before, &after);
        assert!(changed.contains(&(data + 0xF4, 2)) && changed.contains(&(data + 0x1653, 2)));
        let expected = |at: usize| {
            (header + 20..header + 24).contains(&at)
                || (header + 92..header + 96).contains(&at)
                || [data + 0xF4, data + 0x1653].contains(&at)
        };
        assert!(changed.iter().all(|&(at, _)| expected(at)), "{changed:?}");
        // 1 ^ 2 in the first byte of a word and in its last: the image's checksum follows by hand.
        let sum = |bytes: &[u8], at: usize| u32::from_le_bytes(bytes[at..at + 4].try_into().unwrap());
        assert_eq!(sum(&before, header + 20) ^ sum(&after, header + 20), 0x0300_0003);
        assert_eq!(sum(&before, header + 92) ^ sum(&after, header + 92), 0x0300_0003);

        Editor::open(&mut after).unwrap().set_role(Role::Pev).unwrap();
        assert_eq!(after, before, "there and back again");
        for role in [Role::Off, Role::Mixed { cco: 4, slac: 2 }] {
            Editor::open(&mut after).unwrap().set_role(role).unwrap();
            assert_eq!(Image::parse(&after).unwrap().role(), Some(role));
        }
    }

    #[test]
    fn every_edit_gives_a_sound_image_with_the_value() {
        for mut bytes in [sample::chain(0x1F90), sample::flat(0x1F90)] {
            let mac = Mac([2, 0, 0, 0, 0, 9]);
            let network = NetworkKey::derived(Nmk::new([7; 16]));
            let mut editor = Editor::open(&mut bytes).unwrap();
            editor.set_mac(mac).unwrap();
            editor.set_network(network).unwrap();
            editor.set_text(&field::USER, "left hand charger").unwrap();
            editor.set_byte(0x80, 0xA1).unwrap();
            editor.set_word(0x1100, 0xB2C3).unwrap();
            editor.set_long(0x1F90 - 4, 0xD4E5_F607).unwrap();
            let image = Image::parse(&bytes).unwrap();
            assert_eq!((image.mac(), image.network()), (mac, Some(network)));
            let Some(Value::Text(text)) = image.get(&field::USER) else { panic!("a text") };
            assert_eq!(text.bytes(), b"left hand ch\xA1rger");
            let parameters = image.parameters();
            assert_eq!(parameters[0x1100..0x1102], [0xC3, 0xB2]);
            assert_eq!(parameters[0x1F8C..], [0x07, 0xF6, 0xE5, 0xD4]);
        }
    }

    #[test]
    fn a_refused_edit_changes_nothing() {
        let before = sample::chain(0x1F90);
        let mut bytes = before.clone();
        let mut editor = Editor::open(&mut bytes).unwrap();
        let outside = |offset, len| Err(EditError::Outside { offset, len, available: 0x1F90 });
        assert_eq!(editor.set_byte(0x2030, 0), outside(0x2030, 1), "outside a QCA7000's parameters");
        assert_eq!(editor.set_long(0x1F8D, 0), outside(0x1F8D, 4));
        assert_eq!(editor.set_byte(usize::MAX, 0), outside(usize::MAX, 1));
        assert_eq!(editor.set_mac(Mac([1, 0, 0, 0, 0, 1])), Err(EditError::Address));
        let name = "UserHFID";
        let size = |name, len, max| Err(EditError::Size { name, len, max });
        assert_eq!(
            editor.set_text(&field::USER, core::str::from_utf8(&[b'x'; 65]).unwrap()),
            size(name, 65, 64)
        );
        assert_eq!(editor.set_text(&field::USER, "caf\u{e9}"), Err(EditError::NotPrintable(name)));
        assert_eq!(editor.set_text(&field::MAC, "abcdef"), size("MAC", 6, 6));
        assert_eq!(editor.set(&field::NMK, &[0; 8]), size("NMK", 8, 16));
        assert_eq!(bytes, before);

        let before = sample::flat(0x2000);
        let mut bytes = before.clone();
        let mut editor = Editor::open(&mut bytes).unwrap();
        let layout = EditError::Layout { name: "SLAC_EnableMode", layout: Layout::Flat };
        assert_eq!(editor.set_role(Role::Evse), Err(layout));
        assert_eq!(editor.set_byte(8, 0), Err(EditError::Computed(8)));
        assert_eq!(bytes, before);

        bytes[0x500] ^= 1;
        assert!(matches!(Editor::open(&mut bytes), Err(EditError::Image(_))));
    }
}
