//! Identifiers and their replacements: within one table the same identifier always has the same replacement.
#![allow(clippy::many_single_char_names, reason = "the bytes of an address have no other names")]

use std::collections::{BTreeMap, BTreeSet};

use homeplug_mme::{Mac, Nid, Nmk, SecurityLevel};
use machine::Entropy;

/// Kinds of identifiers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// Ethernet addresses, also as parts of other identifiers.
    Mac,
    /// IPv4 and IPv6 addresses.
    Address,
    /// Network membership keys, device access keys, passwords of modems.
    Key,
    /// Network identifiers (NID).
    Nid,
    /// `RunIDs` and station names of matching.
    Matching,
    /// EVCCID.
    EvccId,
    /// EVSEID.
    EvseId,
    /// `SessionID`.
    Session,
    /// eMAIDs, certificates, signatures, and all other texts and bytes of messages.
    Contract,
    /// Words in log text and comments.
    Text,
    /// Parts of addresses; not counted.
    Part,
}

impl Kind {
    /// Name of the kind in reports, plural.
    pub const fn words(self) -> &'static str {
        match self {
            Self::Mac => "MAC addresses",
            Self::Address => "IP addresses",
            Self::Key => "network keys",
            Self::Nid => "network identifiers",
            Self::Matching => "matching identifiers",
            Self::EvccId => "EVCCIDs",
            Self::EvseId => "EVSEIDs",
            Self::Session => "session ids",
            Self::Contract => "texts and bytes of messages",
            Self::Text => "words in log text",
            Self::Part => "parts of addresses",
        }
    }
}

/// Different identifiers in one file: judgement, some ten megabytes of memory.
const MAX_NAMES: usize = 65_536;

/// The table of replacements.
pub struct Names<'e> {
    entropy: &'e mut dyn Entropy,
    keeps_makers: bool,
    table: BTreeMap<(Kind, Vec<u8>), Vec<u8>>,
    /// Replacements of parts of addresses; each is used once.
    used: BTreeSet<(usize, Vec<u8>)>,
    places: BTreeMap<Kind, u64>,
    blanked: BTreeMap<&'static str, u64>,
    has_overflowed: bool,
}

impl<'e> Names<'e> {
    /// An empty table with replacements from `entropy`; `keeps_makers` keeps the first half of MAC addresses.
    pub fn new(entropy: &'e mut dyn Entropy, keeps_makers: bool) -> Self {
        Self {
            entropy,
            keeps_makers,
            table: BTreeMap::new(),
            used: BTreeSet::new(),
            places: BTreeMap::new(),
            blanked: BTreeMap::new(),
            has_overflowed: false,
        }
    }

    /// Counts something that is blanked or left out because it cannot be parsed.
    pub fn blank(&mut self, what: &'static str) {
        *self.blanked.entry(what).or_default() += 1;
    }

    /// What was blanked or left out, and how often.
    pub fn blanked(&self) -> impl Iterator<Item = (&'static str, u64)> + '_ {
        self.blanked.iter().map(|(what, count)| (*what, *count))
    }

    /// Each kind with the number of different identifiers and of their occurrences.
    pub fn counts(&self) -> impl Iterator<Item = (Kind, usize, u64)> + '_ {
        self.places.iter().map(|(kind, places)| {
            (*kind, self.table.keys().filter(|(known, _)| known == kind).count(), *places)
        })
    }

    /// Resets the counts and keeps the names.
    pub fn restart(&mut self) {
        self.places.clear();
        self.blanked.clear();
    }

    /// Whether the file has more identifiers than the table may hold.
    pub fn has_overflowed(&self) -> bool {
        self.has_overflowed
    }

    /// Every identifier that is replaced; of IP addresses without the prefix, which may be a common one.
    pub fn originals(&self) -> impl Iterator<Item = &[u8]> + '_ {
        self.table.keys().filter_map(|(kind, original)| match kind {
            // Words of log text may be common ones too.
            Kind::Part | Kind::Text => None,
            Kind::Address => original.get(8..),
            _ => Some(original.as_slice()),
        })
    }

    /// Replacement of an Ethernet address; well-known group addresses stay.
    pub fn mac(&mut self, mac: [u8; 6]) -> [u8; 6] {
        let [first, .., a, b, c] = mac;
        match mac {
            [0x33, 0x33, 0xFF, ..] => {
                let [a, b, c] = self.low([a, b, c]);
                [0x33, 0x33, 0xFF, a, b, c]
            }
            _ if is_well_known(mac) => mac,
            _ => self.named(Kind::Mac, mac, |names| {
                let [_, second, third, ..] = mac;
                let [x, y, z] = if names.keeps_makers {
                    [first, second, third]
                } else {
                    // A locally administered address has no manufacturer.
                    names.part([first, second, third], |[x, y, z]| [x & 0xFC | 0x02 | first & 1, y, z])
                };
                let [a, b, c] = names.low([a, b, c]);
                [x, y, z, a, b, c]
            }),
        }
    }

    /// Replacement of the last three bytes of an address: a solicited-node multicast address has those of its
    /// station.
    fn low(&mut self, bytes: [u8; 3]) -> [u8; 3] {
        self.part(bytes, |bytes| bytes)
    }

    /// A replacement of this length that no other part has.
    fn part<const N: usize>(&mut self, part: [u8; N], form: impl Fn([u8; N]) -> [u8; N]) -> [u8; N] {
        self.named(Kind::Part, part, |names| {
            // If all replacements are used, one is used again: better a doubled name than the original.
            for _ in 0..64 {
                let new = form(names.random());
                if new != part && names.used.insert((N, new.to_vec())) {
                    return new;
                }
            }
            form(names.random())
        })
    }

    /// Replacement of an IPv6 address. Prefixes become documentation prefixes; an interface identifier made
    /// from a MAC address becomes that of the MAC's replacement.
    pub fn ipv6(&mut self, address: [u8; 16]) -> [u8; 16] {
        let [head @ .., a, b, c] = address;
        let zeros = |range: &[u8]| range.iter().all(|byte| *byte == 0);
        match address {
            [0xFF, 0x02, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0xFF, ..] => {
                let [a, b, c] = self.low([a, b, c]);
                let mut new = address;
                new.iter_mut().rev().zip([c, b, a]).for_each(|(to, from)| *to = from);
                new
            }
            // Groups with a short number are well-known.
            [0xFF, _, middle @ .., _, _, _, _] if zeros(&middle) => address,
            [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0 | 1] => address,
            [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF, w, x, y, z] => {
                let mut new = address;
                let mapped = self.ipv4([w, x, y, z]);
                new.iter_mut().skip(12).zip(mapped).for_each(|(to, from)| *to = from);
                new
            }
            [0xFF, scope, ..] => self.named(Kind::Address, address, |names| {
                let mut new: [u8; 16] = names.random();
                [new[0], new[1]] = [0xFF, scope];
                new
            }),
            _ => self.named(Kind::Address, address, |names| {
                let [prefix @ .., i0, i1, i2, i3, i4] = head;
                let prefix = match prefix {
                    [0xFE, 0x80, 0, 0, 0, 0, 0, 0] => prefix,
                    _ => names.part(prefix, |[.., p, q, r, s]| [0x20, 0x01, 0x0D, 0xB8, p, q, r, s]),
                };
                let id = if [i3, i4] == [0xFF, 0xFE] {
                    let [m0, m1, m2, m3, m4, m5] = names.mac([i0 ^ 2, i1, i2, a, b, c]);
                    [m0 ^ 2, m1, m2, 0xFF, 0xFE, m3, m4, m5]
                } else {
                    let [j0, j1, j2, j3, j4] = names.part([i0, i1, i2, i3, i4], |part| part);
                    let [a, b, c] = names.low([a, b, c]);
                    [j0, j1, j2, j3, j4, a, b, c]
                };
                let mut new = [0; 16];
                new.iter_mut().zip(prefix.into_iter().chain(id)).for_each(|(to, from)| *to = from);
                new
            }),
        }
    }

    /// Replacement of an IPv4 address. Groups, broadcast, loopback and 0.0.0.0 stay; all others become
    /// addresses in 10/8.
    pub fn ipv4(&mut self, address: [u8; 4]) -> [u8; 4] {
        match address {
            [0, 0, 0, 0] | [255, 255, 255, 255] | [127 | 224..=239, ..] => address,
            _ => {
                self.named(Kind::Address, address, |names| names.part(address, |[_, b, c, d]| [10, b, c, d]))
            }
        }
    }

    /// Replacement of a network key. Identifiers derived from it become those derived from the new key.
    pub fn nmk(&mut self, key: [u8; 16]) -> [u8; 16] {
        if is_empty(&key) {
            return key;
        }
        let new = self.named(Kind::Key, key, Self::random);
        for level in [SecurityLevel::SimpleConnect, SecurityLevel::Secure] {
            let [old, new] = [key, new].map(|key| Nid::derive(&Nmk::new(key), level));
            self.table.insert((Kind::Nid, old.0.to_vec()), new.0.to_vec());
        }
        new
    }

    /// Replacement of a network identifier: seven bytes with the security level in the last one.
    pub fn nid(&mut self, nid: [u8; 7]) -> [u8; 7] {
        if is_empty(&nid) {
            return nid;
        }
        self.named(Kind::Nid, nid, |names| {
            let mut new: [u8; 7] = names.random();
            new[6] = nid[6] & 0xF0 | new[6] & 0x0F;
            new
        })
    }

    /// Replacement of any identifier. One that is or contains a MAC address becomes that of the replacement.
    /// Letters become letters, and digits digits. Bytes that are all equal stay, because they identify no
    /// one.
    pub fn identifier(&mut self, kind: Kind, bytes: &[u8]) -> Vec<u8> {
        if is_empty(bytes) {
            return bytes.to_vec();
        }
        match *bytes {
            [a, b, c, d, e, f] | [a, b, c, d, e, f, 0, 0] => self.placed(kind, bytes, [a, b, c, d, e, f], 0),
            [0, 0, a, b, c, d, e, f] => self.placed(kind, bytes, [a, b, c, d, e, f], 2),
            [a, b, c, 0xFF, 0xFE, d, e, f] => {
                let [a, b, c, d, e, f] = self.mac([a ^ 2, b, c, d, e, f]);
                self.exactly(kind, bytes, vec![a ^ 2, b, c, 0xFF, 0xFE, d, e, f])
            }
            _ if bytes.iter().all(|byte| (0x20..0x7F).contains(byte)) => self.text(kind, bytes),
            _ => {
                let mut new = vec![0; bytes.len()];
                self.named_vec(kind, bytes, |names| {
                    names.entropy.fill(&mut new);
                    new
                })
            }
        }
    }

    /// Replacement of printable text: letters become letters, digits become digits, other characters stay.
    pub fn text(&mut self, kind: Kind, text: &[u8]) -> Vec<u8> {
        if !text.iter().any(u8::is_ascii_alphanumeric) {
            return text.to_vec();
        }
        self.named_vec(kind, text, |names| {
            loop {
                let new: Vec<u8> = text.iter().map(|byte| names.like(*byte)).collect();
                if new != text {
                    return new;
                }
            }
        })
    }

    fn like(&mut self, byte: u8) -> u8 {
        match byte {
            b'0'..=b'9' => b'0' + self.entropy.byte() % 10,
            b'a'..=b'z' => b'a' + self.entropy.byte() % 26,
            b'A'..=b'Z' => b'A' + self.entropy.byte() % 26,
            _ => byte,
        }
    }

    /// Replacement of an identifier with a MAC address at an offset and zeros around it.
    fn placed(&mut self, kind: Kind, bytes: &[u8], mac: [u8; 6], at: usize) -> Vec<u8> {
        let mut new = vec![0; bytes.len()];
        let mac = self.mac(mac);
        new.iter_mut().skip(at).zip(mac).for_each(|(to, from)| *to = from);
        self.exactly(kind, bytes, new)
    }

    fn exactly(&mut self, kind: Kind, bytes: &[u8], new: Vec<u8>) -> Vec<u8> {
        self.named_vec(kind, bytes, |_| new)
    }

    fn named<const N: usize>(
        &mut self,
        kind: Kind,
        original: [u8; N],
        make: impl FnOnce(&mut Self) -> [u8; N],
    ) -> [u8; N] {
        let new = self.named_vec(kind, &original, |names| make(names).to_vec());
        new.try_into().unwrap_or([0; N])
    }

    /// The replacement from the table; a new one for an unknown identifier.
    fn named_vec(&mut self, kind: Kind, original: &[u8], make: impl FnOnce(&mut Self) -> Vec<u8>) -> Vec<u8> {
        if kind != Kind::Part {
            *self.places.entry(kind).or_default() += 1;
        }
        let key = (kind, original.to_vec());
        if let Some(new) = self.table.get(&key) {
            return new.clone();
        }
        let new = make(self);
        if self.table.len() < MAX_NAMES {
            self.table.insert(key, new.clone());
        } else {
            self.has_overflowed = true;
        }
        new
    }

    fn random<const N: usize>(&mut self) -> [u8; N] {
        let mut bytes = [0; N];
        self.entropy.fill(&mut bytes);
        bytes
    }
}

/// Whether the bytes identify no one: all are equal, as in zero or broadcast.
fn is_empty(bytes: &[u8]) -> bool {
    bytes.iter().all(|byte| Some(byte) == bytes.first())
}

/// Well-known addresses: groups of IP, bridges, clocks and Cisco, the modem at the own cable, zero.
fn is_well_known(mac: [u8; 6]) -> bool {
    let groups = matches!(
        mac,
        [0x33, 0x33, ..] | [0x01, 0x00, 0x5E | 0x0C, ..] | [0x01, 0x80, 0xC2, ..] | [0x01, 0x1B, 0x19, ..]
    );
    groups || is_empty(&mac) || mac == Mac::LOCAL_MODEM.0
}

#[cfg(test)]
mod tests {
    use super::*;
    use hal_linux::OsEntropy;

    const CAR: [u8; 6] = [0xDC, 0x0E, 0xA1, 0x11, 0x67, 0x08];

    #[test]
    fn an_address_its_eui_64_and_its_solicited_node_group_stay_one_station() {
        let mut entropy = OsEntropy;
        let mut names = Names::new(&mut entropy, false);
        let new = names.mac(CAR);
        assert_ne!(new, CAR);
        assert_eq!(new[0] & 3, 2, "of no maker, and of one station");
        let address = names.ipv6(Mac(CAR).link_local().octets());
        assert_eq!(address, Mac(new).link_local().octets());
        let group = names.ipv6([0xFF, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0xFF, 0x11, 0x67, 0x08]);
        assert_eq!(group[13..], new[3..]);
        assert_eq!(names.mac([0x33, 0x33, 0xFF, 0x11, 0x67, 0x08])[3..], new[3..]);
        assert_eq!(names.identifier(Kind::EvccId, &CAR), new);
        let run_id = names.identifier(Kind::Matching, &[&CAR[..], &[0, 0]].concat());
        assert_eq!(run_id, [&new[..], &[0, 0]].concat());
        assert_eq!(names.mac(CAR), new, "the same again");
    }

    #[test]
    fn the_network_identifier_is_the_one_of_the_new_key_where_it_was_that_of_the_old_one() {
        let mut entropy = OsEntropy;
        let mut names = Names::new(&mut entropy, false);
        let key = [0xAB; 15].iter().copied().chain([1]).collect::<Vec<u8>>().try_into().unwrap();
        let old = Nid::derive(&Nmk::new(key), SecurityLevel::Secure);
        let foreign = names.nid([1, 2, 3, 4, 5, 6, 7]);
        let new = names.nmk(key);
        assert_eq!(names.nid(old.0), Nid::derive(&Nmk::new(new), SecurityLevel::Secure).0);
        assert_ne!(foreign, [1, 2, 3, 4, 5, 6, 7]);
        assert_eq!(foreign[6] & 0xF0, 0);
    }

    #[test]
    fn what_is_everyone_s_stays() {
        let mut entropy = OsEntropy;
        let mut names = Names::new(&mut entropy, false);
        for mac in [[0; 6], [0xFF; 6], [0x33, 0x33, 0, 0, 0, 1], Mac::LOCAL_MODEM.0] {
            assert_eq!(names.mac(mac), mac);
        }
        let group = [0xFF, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1];
        assert_eq!(names.ipv6(group), group);
        assert_eq!(names.ipv4([224, 0, 0, 251]), [224, 0, 0, 251]);
        assert_eq!(names.nmk([0; 16]), [0; 16]);
        assert_eq!(names.identifier(Kind::EvseId, &[0]), [0]);
        assert_eq!(names.counts().count(), 0);
    }

    #[test]
    fn the_maker_stays_on_request_and_text_stays_of_its_form() {
        let mut entropy = OsEntropy;
        let mut names = Names::new(&mut entropy, true);
        assert_eq!(names.mac(CAR)[..3], CAR[..3]);
        assert_ne!(names.mac(CAR)[3..], CAR[3..]);
        let new = names.identifier(Kind::EvseId, b"DE*ABB*E123");
        assert!(new != b"DE*ABB*E123" && new[2] == b'*' && new[8].is_ascii_digit(), "{new:?}");
        assert_eq!(names.identifier(Kind::EvseId, b"DE*ABB*E123"), new);
    }

    #[test]
    fn a_table_that_is_full_says_so() {
        let mut entropy = OsEntropy;
        let mut names = Names::new(&mut entropy, false);
        for number in 0..40_000_u32 {
            let [a, b, c, d] = number.to_be_bytes();
            names.identifier(Kind::Contract, &[1, a, b, c, d]);
            names.identifier(Kind::Contract, &[2, a, b, c, d]);
        }
        assert!(names.has_overflowed());
    }
}
