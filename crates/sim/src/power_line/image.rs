use homeplug_mme::{Mac, NetworkKey, Nid, Nmk};

/// The parameters of a modem as its flash holds them: an NVM chain of two modules, a manifest and the
/// parameter data, each behind a header with checksums. What the modem is - address, key, role - is read
/// from here when it starts, so that a written image takes effect with the next reset as on a real one.
///
/// Layout and offsets: read from six modems' images in captures and open-plc-utils' map for the QCA7000.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Image(Vec<u8>);

/// Who coordinates a network (`CCoSelection` at 0xF4).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Coordinator {
    /// Whoever is there, when nobody always does.
    Auto,
    /// Never this modem: the car's.
    Never,
    /// Always this modem: the charger's.
    Always,
}

/// Which matching messages a modem lets through to its host (`SLAC_EnableMode` at 0x1653).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SlacMode {
    /// None: a plug that nobody has configured.
    Off,
    /// What chargers send.
    Pev,
    /// What cars send.
    Evse,
}

/// Length of a module's header in bytes.
const HEADER: usize = 96;
/// Length of the manifest in bytes.
const MANIFEST: usize = 768;
/// Where the header of the parameter data begins.
const SECOND: usize = HEADER + MANIFEST;
/// Where the parameter data begins.
const DATA: usize = SECOND + HEADER;
/// Module types of the chain.
const TYPE_MANIFEST: u32 = 0x0E;
const TYPE_PARAMETERS: u32 = 0x0F;
/// No further header.
const NONE: u32 = 0xFFFF_FFFF;

// Offsets in a header.
const LENGTH_AT: usize = 16;
const CHECKSUM_AT: usize = 20;
const NEXT_AT: usize = 28;
const HEADER_CHECKSUM_AT: usize = 92;
// Offsets in the parameter data.
const MAC_AT: usize = 0x0C;
const DAK_AT: usize = 0x12;
const NMK_AT: usize = 0x64;
const COORDINATOR_AT: usize = 0xF4;
const NID_AT: usize = 0xF8;
const MEMBERSHIP_AT: usize = 0xFF;
const SLAC_AT: usize = 0x1653;
const LOW_SPEED_AT: usize = 0x1C98;
const HIGH_SPEED_AT: usize = 0x1C9C;

impl Image {
    /// An image with `parameters` bytes of parameter data, and nothing in them but what every captured one
    /// holds: a network membership and the thresholds of the link speed.
    pub fn new(parameters: usize) -> Self {
        let mut image = Self(vec![0; DATA + parameters]);
        image.set_header(0, TYPE_MANIFEST, MANIFEST, (word(SECOND), NONE));
        image.set_header(SECOND, TYPE_PARAMETERS, parameters, (NONE, 0));
        image.put(MEMBERSHIP_AT, &[1]);
        image.put(LOW_SPEED_AT, &10_240_u32.to_le_bytes());
        image.put(HIGH_SPEED_AT, &102_400_u32.to_le_bytes());
        image.seal();
        image
    }

    /// Takes bytes that somebody wrote, if they are a valid chain of this shape.
    pub fn from_bytes(bytes: Vec<u8>) -> Option<Self> {
        let image = Self(bytes);
        let is_valid = [0, SECOND].iter().all(|at| {
            let header = image.0.get(*at..at + HEADER).unwrap_or_default();
            let length = number(header, LENGTH_AT).and_then(|length| usize::try_from(length).ok());
            let body = length.and_then(|length| image.0.get(at + HEADER..at + HEADER + length));
            let checksum = number(header, CHECKSUM_AT);
            checksum32(header) == 0 && body.is_some_and(|body| Some(checksum32(body)) == checksum)
        });
        let second = number(&image.0, NEXT_AT).and_then(|next| usize::try_from(next).ok());
        (is_valid && second == Some(SECOND)).then_some(image)
    }

    /// The whole chain.
    pub fn bytes(&self) -> &[u8] {
        &self.0
    }

    /// The modem's own address.
    pub fn mac(&self) -> Mac {
        Mac(self.get(MAC_AT))
    }

    /// Sets the modem's own address.
    pub fn set_mac(&mut self, mac: Mac) {
        self.set(MAC_AT, &mac.0);
    }

    /// Sets the key that protects the modem's own key.
    pub fn set_dak(&mut self, dak: [u8; 16]) {
        self.set(DAK_AT, &dak);
    }

    /// Who coordinates.
    pub fn coordinator(&self) -> Coordinator {
        match self.get(COORDINATOR_AT) {
            [1] => Coordinator::Never,
            [2] => Coordinator::Always,
            [_] => Coordinator::Auto,
        }
    }

    /// Sets who coordinates.
    pub fn set_coordinator(&mut self, coordinator: Coordinator) {
        self.set(COORDINATOR_AT, &[coordinator as u8]);
    }

    /// Which matching messages pass.
    pub fn slac_mode(&self) -> SlacMode {
        match self.get(SLAC_AT) {
            [1] => SlacMode::Pev,
            [2] => SlacMode::Evse,
            [_] => SlacMode::Off,
        }
    }

    /// Sets which matching messages pass.
    pub fn set_slac_mode(&mut self, mode: SlacMode) {
        self.set(SLAC_AT, &[mode as u8]);
    }

    /// The network's identifier and key.
    pub fn network(&self) -> NetworkKey {
        NetworkKey { nid: Nid(self.get(NID_AT)), nmk: Nmk::new(self.get(NMK_AT)) }
    }

    /// Sets the network's identifier and key.
    pub fn set_network(&mut self, key: NetworkKey) {
        self.put(NID_AT, &key.nid.0);
        self.set(NMK_AT, key.nmk.reveal());
    }

    fn get<const N: usize>(&self, at: usize) -> [u8; N] {
        let found = self.0.get(DATA + at..).and_then(<[u8]>::first_chunk);
        found.copied().unwrap_or([0; N])
    }

    fn set(&mut self, at: usize, bytes: &[u8]) {
        self.put(at, bytes);
        self.seal();
    }

    fn put(&mut self, at: usize, bytes: &[u8]) {
        put(&mut self.0, DATA + at, bytes);
    }

    fn set_header(&mut self, at: usize, image_type: u32, length: usize, (next, previous): (u32, u32)) {
        let header = &mut self.0;
        put(header, at, &[1, 0, 1, 0]);
        put(header, at + 8, &word(at + HEADER).to_le_bytes());
        put(header, at + LENGTH_AT, &word(length).to_le_bytes());
        put(header, at + 24, &NONE.to_le_bytes());
        put(header, at + NEXT_AT, &next.to_le_bytes());
        put(header, at + 32, &previous.to_le_bytes());
        put(header, at + 36, &image_type.to_le_bytes());
    }

    /// Makes the checksums right.
    fn seal(&mut self) {
        for (at, end) in [(0, SECOND), (SECOND, self.0.len())] {
            let body = checksum32(self.0.get(at + HEADER..end).unwrap_or_default());
            put(&mut self.0, at + CHECKSUM_AT, &body.to_le_bytes());
            let header = checksum32(self.0.get(at..at + HEADER_CHECKSUM_AT).unwrap_or_default());
            put(&mut self.0, at + HEADER_CHECKSUM_AT, &header.to_le_bytes());
        }
    }
}

/// The checksum of everything in a chain: the inverted XOR of all little-endian words. Over a header with
/// its own checksum it is 0.
pub fn checksum32(bytes: &[u8]) -> u32 {
    let (words, _) = bytes.as_chunks();
    !words.iter().fold(0, |sum, word| sum ^ u32::from_le_bytes(*word))
}

fn put(into: &mut [u8], at: usize, bytes: &[u8]) {
    into.iter_mut().skip(at).zip(bytes).for_each(|(byte, new)| *byte = *new);
}

fn number(bytes: &[u8], at: usize) -> Option<u32> {
    bytes.get(at..).and_then(<[u8]>::first_chunk).map(|word| u32::from_le_bytes(*word))
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
        assert_eq!(number(image.bytes(), 0x360 + LENGTH_AT), Some(8080));
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
        let own = Image::new(8836);
        let mut seen = 0;
        for block in first_blocks {
            for at in [0, SECOND] {
                assert_eq!(checksum32(&block[at..at + HEADER]), 0);
                // All but the lengths' checksums and the execution words, which belong to the content.
                let shape = |bytes: &[u8]| [&bytes[at..at + 4], &bytes[at + NEXT_AT..at + 40]].concat();
                assert_eq!(shape(&block), shape(own.bytes()));
            }
            assert_eq!(checksum32(&block[HEADER..SECOND]), number(&block, CHECKSUM_AT).unwrap());
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
        for length in [0, 95, DATA, good.bytes().len() - 4] {
            assert_eq!(Image::from_bytes(good.bytes()[..length].to_vec()), None, "length {length}");
        }
    }
}
