use homeplug_mme::{Mac, NetworkKey, Nid, Nmk};
use modem::pib::{self, Editor, Field, Layout, field};

/// The parameters of a modem as in its flash: an NVM chain of two modules, a manifest and the parameter data,
/// each after a header with checksums. A modem reads its address, key and role from here when it starts, so
/// that a written image takes effect with the next reset, as on a real modem.
///
/// Layout and offsets: from six modems' images in captures and open-plc-utils' map for the QCA7000.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Image(Vec<u8>);

/// Which modem coordinates a network (`CCoSelection` at 0xF4).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Coordinator {
    /// Any modem, if none always coordinates.
    Auto,
    /// Never this modem: a car's.
    Never,
    /// Always this modem: a charger's.
    Always,
}

/// Which matching messages a modem passes to its host (`SLAC_EnableMode` at 0x1653).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SlacMode {
    /// None: a modem without configuration.
    Off,
    /// Messages that chargers send.
    Pev,
    /// Messages that cars send.
    Evse,
}

/// Length of a module's header in bytes.
const HEADER: usize = 96;
/// Length of the manifest in bytes.
const MANIFEST: usize = 768;
/// Module types of the chain.
const TYPE_MANIFEST: u32 = 0x0E;
const TYPE_PARAMETERS: u32 = 0x0F;
/// Marks the last header of the chain.
const NONE: u32 = u32::MAX;

impl Image {
    /// An image with `parameters` bytes of parameters, all of them zero.
    pub fn new(parameters: usize) -> Self {
        let second = HEADER + MANIFEST;
        let mut bytes = header(0, TYPE_MANIFEST, MANIFEST, (word(second), NONE));
        bytes.resize(second, 0);
        bytes.extend(header(second, TYPE_PARAMETERS, parameters, (NONE, 0)));
        bytes.resize(second + HEADER + parameters, 0);
        let _ = pib::seal(&mut bytes);
        Self(bytes)
    }

    /// An image of written bytes; `None` if they are no valid chain.
    pub fn from_bytes(bytes: Vec<u8>) -> Option<Self> {
        let is_chain = pib::Image::parse(&bytes).is_ok_and(|image| image.layout() == Layout::Chain);
        is_chain.then_some(Self(bytes))
    }

    /// The whole chain.
    pub fn bytes(&self) -> &[u8] {
        &self.0
    }

    /// The modem's MAC address.
    pub fn mac(&self) -> Mac {
        self.view().map_or(Mac([0; 6]), |image| image.mac())
    }

    /// Sets the modem's MAC address.
    pub fn set_mac(&mut self, mac: Mac) {
        self.set(&field::MAC, &mac.0);
    }

    /// Sets the DAK, the modem's device access key.
    pub fn set_dak(&mut self, dak: [u8; 16]) {
        self.set(&field::DAK, &dak);
    }

    /// Which modem coordinates its network.
    pub fn coordinator(&self) -> Coordinator {
        match self.choice(&field::CCO_SELECTION) {
            Some(1) => Coordinator::Never,
            Some(2) => Coordinator::Always,
            _ => Coordinator::Auto,
        }
    }

    /// Sets which modem coordinates its network.
    pub fn set_coordinator(&mut self, coordinator: Coordinator) {
        self.set(&field::CCO_SELECTION, &[coordinator as u8]);
    }

    /// Which matching messages pass.
    pub fn slac_mode(&self) -> SlacMode {
        match self.choice(&field::SLAC_ENABLE) {
            Some(1) => SlacMode::Pev,
            Some(2) => SlacMode::Evse,
            _ => SlacMode::Off,
        }
    }

    /// Sets which matching messages pass.
    pub fn set_slac_mode(&mut self, mode: SlacMode) {
        self.set(&field::SLAC_ENABLE, &[mode as u8]);
    }

    /// The network's identifier and key.
    pub fn network(&self) -> NetworkKey {
        let none = NetworkKey { nid: Nid::default(), nmk: Nmk::new([0; 16]) };
        self.view().and_then(|image| image.network()).unwrap_or(none)
    }

    /// Sets the network's identifier and key.
    pub fn set_network(&mut self, key: NetworkKey) {
        self.set(&field::NMK, key.nmk.reveal());
        self.set(&field::NID, &key.nid.0);
    }

    fn view(&self) -> Option<pib::Image<'_>> {
        pib::Image::parse(&self.0).ok()
    }

    fn choice(&self, field: &Field) -> Option<u8> {
        match self.view()?.get(field)? {
            pib::Value::Choice(value, _) => Some(value),
            _ => None,
        }
    }

    /// Sets a field. Every image of this type has the field, so that no error is possible.
    fn set(&mut self, field: &Field, value: &[u8]) {
        let _ = Editor::open(&mut self.0).and_then(|mut editor| editor.set(field, value));
    }
}

/// A module's header, still without its checksums.
fn header(at: usize, kind: u32, length: usize, (next, previous): (u32, u32)) -> Vec<u8> {
    // Version 1.1, mask, place in flash and in memory, length, checksum, entry point, next, previous, type.
    let words = [0x0001_0001, 0, word(at + HEADER), 0, word(length), 0, NONE, next, previous, kind];
    let mut bytes: Vec<u8> = words.iter().flat_map(|word| word.to_le_bytes()).collect();
    bytes.resize(HEADER, 0);
    bytes
}

fn word(value: usize) -> u32 {
    u32::try_from(value).unwrap_or(NONE)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn image() -> Image {
        let mut image = Image::new(8080);
        image.set_mac(Mac([0, 0xB0, 0x52, 0, 0, 9]));
        image.set_coordinator(Coordinator::Always);
        image.set_slac_mode(SlacMode::Evse);
        image
    }

    #[test]
    fn the_image_has_the_lengths_and_places_of_captured_ones() {
        let image = image();
        assert_eq!((image.bytes().len(), Image::new(8836).bytes().len()), (9040, 9796));
        assert_eq!((image.bytes()[0x3C0 + 0xF4], image.bytes()[0x3C0 + 0x1653]), (2, 2));
    }

    #[test]
    fn the_headers_of_a_captured_image_look_the_same() {
        let Some(frames) = corpus::lines("captures/mme.jsonl") else { return };
        let first_blocks = frames.iter().filter_map(|line| {
            let bytes = corpus::bytes(corpus::text(line, "bytes"));
            let is_first = corpus::text(line, "name") == "VS_MODULE_OPERATION.CNF" && bytes.len() == 1447;
            (is_first && bytes.get(43..47) == Some(&[0; 4])).then(|| bytes[47..].to_vec())
        });
        let mut seen = 0;
        for block in first_blocks {
            let length = u32::from_le_bytes(*block[0x370..].first_chunk().unwrap());
            let own = Image::new(usize::try_from(length).unwrap());
            for at in [0, 0x360] {
                // Version, length, links and type; the rest belongs to the content or states where the
                // content runs.
                let shape = |bytes: &[u8]| {
                    [&bytes[at..at + 4], &bytes[at + 16..at + 20], &bytes[at + 28..at + 40]].concat()
                };
                assert_eq!(shape(&block), shape(own.bytes()));
            }
            seen += 1;
        }
        assert!(seen >= 3, "{seen}");
    }

    #[test]
    fn what_is_set_is_read_back_and_the_chain_stays_valid() {
        let image = image();
        assert_eq!(image.mac(), Mac([0, 0xB0, 0x52, 0, 0, 9]));
        assert_eq!((image.coordinator(), image.slac_mode()), (Coordinator::Always, SlacMode::Evse));
        assert_eq!(Image::from_bytes(image.bytes().to_vec()), Some(image));
    }

    #[test]
    fn a_chain_with_a_wrong_byte_anywhere_or_cut_off_is_refused() {
        let good = image();
        for at in (0..good.bytes().len()).step_by(7) {
            let mut bytes = good.bytes().to_vec();
            bytes[at] ^= 4;
            assert_eq!(Image::from_bytes(bytes), None, "byte {at}");
        }
        for length in [0, 95, 0x3C0, good.bytes().len() - 4] {
            assert_eq!(Image::from_bytes(good.bytes()[..length].to_vec()), None, "length {length}");
        }
    }
}
