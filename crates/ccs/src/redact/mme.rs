//! `HomePlug` management messages: parsed by their declarations and written with other names. Bytes that no
//! declaration covers (reserved bytes, padding, unknown messages) become zero.

use homeplug_mme::view::{Entry, Label, OldNetworks, Operation, Outcome, Slice, View};
use homeplug_mme::{Dak, Frame, MAX_FRAME, Mac, Nid, Nmk, RunId, StationId};
use modem::pib::checksum32;

use super::names::{Kind, Names};
use crate::decode::mme::may_hold_keys;

/// Name of the count of messages that are unknown or end too early.
const UNKNOWN: &str = "power-line messages that are not known";
/// Name of the count of opaque bytes within a message.
const OPAQUE: &str = "memory and parameters of modems";

/// Rewrites the bytes after the `EtherType`.
pub(super) fn rewrite(names: &mut Names<'_>, payload: &mut [u8]) {
    let none = Mac([0; 6]);
    let original = payload.to_vec();
    let Ok(frame) = Frame::parse_payload(none, none, &original) else {
        return blank(names, payload, 0);
    };
    let header = original.len() - frame.body.len();
    let mut new = [0; MAX_FRAME];
    let length = match View::of(&frame) {
        Ok(View::Unknown(_)) | Err(_) => None,
        Ok(view) => Rewriter { names, bytes: Vec::new() }.emit(view, &mut new),
    };
    // The emitted frame begins with two addresses and the EtherType. Its header is as long as the original's.
    let body = length.and_then(|length| new.get(14 + header..length.max(14 + header)));
    match (body, payload.get_mut(header..)) {
        (Some(body), Some(room)) => {
            room.fill(0);
            room.iter_mut().zip(body).for_each(|(to, from)| *to = *from);
        }
        _ => blank(names, payload, header),
    }
}

/// Blanks everything after the header: version, type, fragmentation and vendor.
fn blank(names: &mut Names<'_>, payload: &mut [u8], header: usize) {
    names.blank(UNKNOWN);
    payload.iter_mut().skip(header).for_each(|byte| *byte = 0);
}

/// Zeros the keys in an Ethernet frame, and all bytes that may contain a key but cannot be parsed.
pub fn mask_keys(frame: &mut [u8]) {
    let original = frame.to_vec();
    let Some(parsed) = Frame::parse(&original).ok().filter(may_hold_keys) else { return };
    let body = frame.len() - parsed.body.len();
    // The frame without a VLAN tag.
    let tag = if parsed.vlan.is_some() { 4 } else { 0 };
    let mut new = [0; MAX_FRAME];
    let zeros = vec![0; parsed.body.len()];
    let length = View::of(&parsed).ok().and_then(|view| {
        let mut view = view;
        without_keys(&mut view);
        if let Some(slice) = opaque(&mut view) {
            *slice = Slice(zeros.get(..slice.0.len())?);
        }
        view.emit(parsed.to, parsed.from, &mut new)
    });
    let room = frame.get_mut(body..).unwrap_or_default();
    room.fill(0);
    let new = length.and_then(|length| new.get(body - tag..length)).unwrap_or_default();
    room.iter_mut().zip(new).for_each(|(to, from)| *to = *from);
}

fn without_keys(view: &mut View<'_>) {
    let none = Nmk::new([0; Nmk::LEN]);
    match view {
        View::SlacMatchCnf(m) => m.nmk = none,
        View::SetKeyReq(m) => m.new_key = none,
        View::GetKeyCnf(m) => m.key = none,
        View::VsSetKeyReq(m) => (m.nmk, m.dak) = (none, Dak::new([0; Dak::LEN])),
        View::RdModReq(m) => m.secret = none,
        _ => {}
    }
}

struct Rewriter<'n, 'e> {
    names: &'n mut Names<'e>,
    /// The new bytes of a list or of opaque bytes.
    bytes: Vec<u8>,
}

impl Rewriter<'_, '_> {
    /// Writes the frame of a message with other names.
    fn emit(mut self, mut view: View<'_>, frame: &mut [u8]) -> Option<usize> {
        self.matching(&mut view);
        self.modem(&mut view);
        self.list(&mut view);
        // The message borrows its lists, so they are created first.
        let Self { bytes, .. } = &self;
        let mut view: View<'_> = view;
        match &mut view {
            View::BrgInfoCnf(m) => m.bda = Slice(bytes),
            View::NwStatsCnf(m) => m.stations = Slice(bytes),
            View::NwInfoCnf(m) => m.data = Slice(bytes),
            View::NwInfoOldCnf(m) => {
                let count = m.networks.entries().filter(|entry| matches!(entry, Entry::Network(_))).count();
                m.networks = OldNetworks::new(u8::try_from(count).unwrap_or(u8::MAX), bytes);
            }
            view => {
                if let Some(slice) = opaque(view) {
                    *slice = Slice(bytes);
                }
            }
        }
        view.emit(Mac([0; 6]), Mac([0; 6]), frame)
    }

    fn mac(&mut self, mac: &mut Mac) {
        mac.0 = self.names.mac(mac.0);
    }

    fn run_id(&mut self, RunId(bytes): &mut RunId) {
        let new = self.names.identifier(Kind::Matching, bytes);
        bytes.copy_from_slice(&new);
    }

    fn station(&mut self, StationId(bytes): &mut StationId) {
        let new = self.names.identifier(Kind::Matching, bytes);
        bytes.copy_from_slice(&new);
    }

    fn nid(&mut self, Nid(bytes): &mut Nid) {
        *bytes = self.names.nid(*bytes);
    }

    fn nmk(&mut self, key: &mut Nmk) {
        *key = Nmk::new(self.names.nmk(*key.reveal()));
    }

    /// Messages of matching and measurements.
    fn matching(&mut self, view: &mut View<'_>) {
        match view {
            View::SlacParmReq(m) => self.run_id(&mut m.run_id),
            View::SlacParmCnf(m) => {
                self.mac(&mut m.m_sound_target);
                self.mac(&mut m.forwarding_sta);
                self.run_id(&mut m.run_id);
            }
            View::StartAttenCharInd(m) => {
                self.mac(&mut m.forwarding_sta);
                self.run_id(&mut m.run_id);
            }
            View::MnbcSoundInd(m) => {
                self.station(&mut m.sender_id);
                self.run_id(&mut m.run_id);
                m.rsvd = [0; 8];
                // All ones and all zeros are customary; everything else is random.
                if m.rnd != [0xFF; 16] {
                    m.rnd = [0; 16];
                }
            }
            View::AttenProfileInd(m) => self.mac(&mut m.pev_mac),
            View::AttenuationCharacteristicsInd(m) => self.mac(&mut m.pev_mac),
            View::AttenCharInd(m) => {
                self.mac(&mut m.source_address);
                self.run_id(&mut m.run_id);
                self.station(&mut m.source_id);
                self.station(&mut m.resp_id);
            }
            View::AttenCharRsp(m) => {
                self.mac(&mut m.source_address);
                self.run_id(&mut m.run_id);
                self.station(&mut m.source_id);
                self.station(&mut m.resp_id);
            }
            View::SlacMatchReq(m) => {
                self.mac(&mut m.pev_mac);
                self.mac(&mut m.evse_mac);
                self.station(&mut m.pev_id);
                self.station(&mut m.evse_id);
                self.run_id(&mut m.run_id);
                m.rsvd = m.rsvd.map(|_| [0; 8]);
            }
            View::SlacMatchCnf(m) => {
                self.mac(&mut m.pev_mac);
                self.mac(&mut m.evse_mac);
                self.station(&mut m.pev_id);
                self.station(&mut m.evse_id);
                self.run_id(&mut m.run_id);
                m.rsvd = [0; 8];
                self.nmk(&mut m.nmk);
                self.nid(&mut m.nid);
            }
            _ => {}
        }
    }

    /// Messages between a host and its modem.
    fn modem(&mut self, view: &mut View<'_>) {
        match view {
            View::SetKeyReq(m) => {
                self.nmk(&mut m.new_key);
                self.nid(&mut m.nid);
            }
            View::GetKeyReq(m) => self.nid(&mut m.nid),
            View::GetKeyCnf(m) => {
                self.nmk(&mut m.key);
                self.nid(&mut m.nid);
            }
            View::VsSetKeyReq(m) => {
                self.nmk(&mut m.nmk);
                self.mac(&mut m.rda);
                m.dak = Dak::new(self.names.nmk(*m.dak.reveal()));
            }
            View::RdModReq(m) => self.nmk(&mut m.secret),
            View::SwVerCnf(m) => {
                m.ident = m.ident.map(|_| 0);
                end(&mut m.version);
            }
            View::OpAttributesCnf(m) => {
                end(&mut m.family);
                end(&mut m.devtype);
                end(&mut m.build_date);
                end(&mut m.release);
            }
            _ => {}
        }
    }

    /// Lists with new names. Of memory, parameters and properties only the length stays, with a matching
    /// checksum.
    fn list(&mut self, view: &mut View<'_>) {
        match view {
            View::BrgInfoCnf(m) => self.bytes = m.hosts().flat_map(|host| self.names.mac(host.0)).collect(),
            View::NwStatsCnf(m) => {
                for station in m.stations() {
                    self.bytes.extend(self.names.mac(station.mac.0));
                    self.bytes.extend([station.tx_mbit_s, station.rx_mbit_s]);
                }
            }
            View::NwInfoCnf(m) => {
                // A reserved byte, and the number of networks.
                self.bytes = [0].into_iter().chain(m.data.0.get(1).copied()).collect();
                for entry in m.networks() {
                    match entry {
                        Entry::Network(mut network) => {
                            self.nid(&mut network.nid);
                            self.mac(&mut network.cco_mac);
                            self.bytes.extend(network.to_bytes());
                        }
                        Entry::Station(mut station) => {
                            self.mac(&mut station.mac);
                            self.mac(&mut station.bda);
                            self.bytes.extend(station.to_bytes());
                        }
                    }
                }
                self.bytes.resize(m.data.0.len(), 0);
            }
            View::NwInfoOldCnf(m) => {
                for entry in m.networks.entries() {
                    match entry {
                        Entry::Network(mut network) => {
                            self.nid(&mut network.nid);
                            self.mac(&mut network.cco_mac);
                            self.bytes.extend(network.to_bytes());
                        }
                        Entry::Station(mut station) => {
                            self.mac(&mut station.mac);
                            self.mac(&mut station.bda);
                            self.bytes.extend(station.to_bytes());
                        }
                    }
                }
            }
            view => {
                let Some(slice) = opaque(view) else { return };
                if slice.0.iter().any(|byte| *byte != 0) {
                    self.names.blank(OPAQUE);
                }
                self.bytes = vec![0; slice.0.len()];
                let checksum = checksum32(&self.bytes);
                match view {
                    View::WrModReq(m) => m.checksum = checksum,
                    View::RdModCnf(m) => m.checksum = checksum,
                    _ => {}
                }
            }
        }
    }
}

/// The bytes of a message that no declaration covers.
fn opaque<'v, 'a>(view: &'v mut View<'a>) -> Option<&'v mut Slice<'a>> {
    Some(match view {
        View::SlacParmReq(m) => &mut m.cipher_suites,
        View::WrMemReq(m) => &mut m.buffer,
        View::RdMemCnf(m) => &mut m.buffer,
        View::WrModReq(m) => &mut m.data,
        View::RdModCnf(m) => &mut m.data,
        View::GetPropertyCnf(m) => &mut m.data,
        View::SetPropertyReq(m) => &mut m.data,
        View::ModuleOperationReq(m) => match &mut m.operation {
            // With the checksums of the modules.
            Operation::Start(start) => &mut start.modules,
            Operation::Write(write) => &mut write.buffer,
            Operation::Other(other) => &mut other.data,
            Operation::Read(_) | Operation::Commit(_) => return None,
        },
        View::ModuleOperationCnf(m) => match &mut m.operation {
            Outcome::Read(part) => &mut part.data,
            Outcome::Started(started) => &mut started.modules,
            Outcome::Other(other) => &mut other.data,
            Outcome::Written(_) | Outcome::Committed(_) => return None,
        },
        _ => return None,
    })
}

/// Clears the bytes after the end of a text.
fn end<const N: usize>(label: &mut Label<N>) {
    let length = label.text().len();
    label.0.iter_mut().skip(length).for_each(|byte| *byte = 0);
}

#[cfg(test)]
mod tests {
    use super::*;
    use hal_linux::OsEntropy;
    use homeplug_mme::view::{ModuleOperationCnf, ModulePart, SetKeyReq};
    use homeplug_mme::{NetworkKey, Slac, emit};

    const CAR: Mac = Mac([0xDC, 0x0E, 0xA1, 0x11, 0x67, 0x08]);
    const CHARGER: Mac = Mac([0x9A, 0x8A, 0xB6, 0x6D, 0x2D, 0xF6]);

    /// A frame's payload after rewriting, and how much was blanked.
    fn rewritten(frame: &[u8]) -> (Vec<u8>, usize) {
        let mut entropy = OsEntropy;
        let mut names = Names::new(&mut entropy, false);
        let mut payload = frame[14..].to_vec();
        rewrite(&mut names, &mut payload);
        (payload, names.blanked().count())
    }

    fn holds(bytes: &[u8], part: &[u8]) -> bool {
        bytes.windows(part.len()).any(|window| window == part)
    }

    #[test]
    fn a_match_keeps_its_meaning_with_another_key_whose_network_identifier_fits() {
        let key = NetworkKey::derived(Nmk::new(*b"0123456789abcdef"));
        let none = StationId(*b"WVWZZZ1JZXW000001");
        let run_id = RunId([0xDC, 0x0E, 0xA1, 0x11, 0x67, 0x08, 0, 0]);
        let message = Slac::MatchCnf { run_id, car: CAR, pev_id: none, charger: CHARGER, evse_id: none, key };
        let mut frame = [0; MAX_FRAME];
        let length = message.emit(CAR, CHARGER, &mut frame).unwrap();
        let (payload, blanked) = rewritten(&frame[..length]);
        assert_eq!((payload.len(), blanked), (length - 14, 0));
        for secret in [&CAR.0[..], &CHARGER.0, key.nmk.reveal(), &key.nid.0, b"WVWZZZ", b"000001"] {
            assert!(!holds(&payload, secret), "{secret:?}");
        }
        let new = Frame::parse_payload(CAR, CHARGER, &payload).unwrap();
        let Some(Ok(Slac::MatchCnf { run_id, car, key, .. })) = Slac::parse(&new) else { panic!("{new:?}") };
        assert_eq!((run_id.0[..6].to_vec(), &run_id.0[6..]), (car.0.to_vec(), &[0, 0][..]));
        assert_eq!(key, NetworkKey::derived(key.nmk));
    }

    #[test]
    fn a_recording_has_no_key_and_the_rest_of_the_message() {
        let key = NetworkKey::derived(Nmk::new(*b"0123456789abcdef"));
        let mut frame = [0; MAX_FRAME];
        let length = emit(&SetKeyReq::new([1, 2, 3, 4], key), CAR, CHARGER, &mut frame).unwrap();
        let original = frame[..length].to_vec();
        for tag in [&[][..], &[0x81, 0, 0, 7]] {
            let mut masked = [&original[..12], tag, &original[12..]].concat();
            mask_keys(&mut masked);
            let expected: Vec<u8> = [&original[..12], tag, &original[12..]].concat();
            let at = expected.windows(16).position(|window| window == b"0123456789abcdef").unwrap();
            assert_eq!((&masked[..at], &masked[at..at + 16]), (&expected[..at], &[0; 16][..]));
            assert_eq!(masked[at + 16..], expected[at + 16..]);
        }
        // A fragment has no fields, but may contain a key.
        let mut part = original.clone();
        part[17] = 0x10;
        mask_keys(&mut part);
        assert_eq!((&part[..17], &part[19..]), (&original[..17], &vec![0; length - 19][..]));
    }

    #[test]
    fn parameters_and_unknown_and_cut_messages_are_blanked() {
        let part = ModulePart {
            mod_op: 0,
            mod_op_data_len: 18 + 6,
            module_id: 0x7002,
            module_sub_id: 0,
            length: 6,
            offset: 0,
            data: Slice(b"secret"),
        };
        let mut frame = [0; MAX_FRAME];
        let length = emit(&ModuleOperationCnf::new(Outcome::Read(part)), CAR, CHARGER, &mut frame).unwrap();
        let (payload, blanked) = rewritten(&frame[..length]);
        assert!(!holds(&payload, b"secret") && blanked == 1, "{payload:?}");
        assert!(holds(&payload, &[0x02, 0x70]), "the module's number stays");

        let mut unknown = frame[..length].to_vec();
        unknown[15..17].copy_from_slice(&0xA22C_u16.to_le_bytes());
        let (payload, blanked) = rewritten(&unknown);
        assert_eq!((&payload[..6], blanked), (&[0, 0x2C, 0xA2, 0x00, 0xB0, 0x52][..], 1));
        assert!(payload[6..].iter().all(|byte| *byte == 0));

        let key = NetworkKey::derived(Nmk::new(*b"0123456789abcdef"));
        let length = emit(&SetKeyReq::new([1; 4], key), CAR, CHARGER, &mut frame).unwrap();
        let (payload, blanked) = rewritten(&frame[..14 + 5 + 30]);
        assert!(!holds(&payload, b"0123") && blanked == 1);
        frame[length..length + 9].copy_from_slice(b"a padding");
        assert!(!holds(&rewritten(&frame[..length + 9]).0, b"padding"));
    }
}
