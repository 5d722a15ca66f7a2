//! Network keys and values derived from them.

use core::fmt;

use sha2::{Digest, Sha256};

/// Network membership key: every station that has it is in the network. Printed only when
/// [revealed](Self::reveal).
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Nmk([u8; Self::LEN]);

/// Device access key: its holder may set the network key over the power line. As secret as an [`Nmk`].
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Dak([u8; Self::LEN]);

/// Network identifier, 54 bits in seven bytes.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub struct Nid(pub [u8; 7]);

/// The data that a modem requires to join a network.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NetworkKey {
    /// The network's identifier. Not always derived from the key: use it as received.
    pub nid: Nid,
    /// The key.
    pub nmk: Nmk,
}

/// The security level in a network identifier.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SecurityLevel {
    /// 0, simple connect: sent by every charger (observed in 14 keys of nine chargers).
    #[default]
    SimpleConnect,
    /// 1, secure.
    Secure,
}

/// Salts of the password hash (`HomePlug` AV, as in open-plc-utils): the last byte distinguishes the keys.
const SALT_NMK: [u8; 8] = [0x08, 0x85, 0x6D, 0xAF, 0x7C, 0xF5, 0x81, 0x86];
const SALT_DAK: [u8; 8] = [0x08, 0x85, 0x6D, 0xAF, 0x7C, 0xF5, 0x81, 0x85];
/// Rounds of the password hash.
const PASSWORD_ROUNDS: u16 = 1000;
/// Rounds of the identifier's hash.
const NID_ROUNDS: u16 = 5;

impl Nmk {
    /// Length in bytes.
    pub const LEN: usize = 16;

    /// A key from its bytes.
    pub const fn new(bytes: [u8; Self::LEN]) -> Self {
        Self(bytes)
    }

    /// The key of a password. The standard requires 12 to 64 printable characters; any bytes are accepted.
    pub fn from_password(password: &[u8]) -> Self {
        Self(from_password(password, SALT_NMK))
    }

    /// The bytes; do not log them.
    pub const fn reveal(&self) -> &[u8; Self::LEN] {
        &self.0
    }
}

impl Dak {
    /// Length in bytes.
    pub const LEN: usize = 16;

    /// A key from its bytes.
    pub const fn new(bytes: [u8; Self::LEN]) -> Self {
        Self(bytes)
    }

    /// The key of a device password.
    pub fn from_password(password: &[u8]) -> Self {
        Self(from_password(password, SALT_DAK))
    }

    /// The bytes; do not log them.
    pub const fn reveal(&self) -> &[u8; Self::LEN] {
        &self.0
    }
}

impl Nid {
    /// The identifier derived from a key: five rounds of SHA-256, 52 bits of the result and the level.
    pub fn derive(nmk: &Nmk, level: SecurityLevel) -> Self {
        let hash = rounds(Sha256::digest(nmk.0).into(), NID_ROUNDS - 1);
        let mut nid = [0; 7];
        nid.iter_mut().zip(hash).for_each(|(byte, hashed)| *byte = hashed);
        let [.., last] = &mut nid;
        *last = (*last >> 4) | (u8::from(level == SecurityLevel::Secure) << 4);
        Self(nid)
    }

    /// The security level in the identifier.
    pub const fn level(self) -> SecurityLevel {
        let [.., last] = self.0;
        if last & 0x10 == 0 { SecurityLevel::SimpleConnect } else { SecurityLevel::Secure }
    }
}

impl NetworkKey {
    /// A key with the identifier derived from it, at the level that chargers use.
    pub fn derived(nmk: Nmk) -> Self {
        Self { nid: Nid::derive(&nmk, SecurityLevel::SimpleConnect), nmk }
    }
}

fn from_password(password: &[u8], salt: [u8; 8]) -> [u8; 16] {
    let first = Sha256::new().chain_update(password).chain_update(salt).finalize();
    let hash = rounds(first.into(), PASSWORD_ROUNDS - 1);
    let mut key = [0; 16];
    key.iter_mut().zip(hash).for_each(|(byte, hashed)| *byte = hashed);
    key
}

fn rounds(first: [u8; 32], times: u16) -> [u8; 32] {
    (0..times).fold(first, |hash, _| Sha256::digest(hash).into())
}

impl fmt::Debug for Nmk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Nmk(redacted)")
    }
}

impl fmt::Debug for Dak {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Dak(redacted)")
    }
}

impl fmt::Display for Nid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Nid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    extern crate std;
    use super::*;
    use std::format;
    use std::string::ToString;

    use corpus::hex;

    #[test]
    fn keys_of_passwords_are_those_of_open_plc_utils() {
        // Results of its tools, among them hpavkey, with these passwords.
        let nmk = Nmk::from_password(b"HomePlugAV");
        assert_eq!(hex(nmk.reveal()), "50d3e4933f855b7040784df815aa8db7");
        assert_eq!(Nid::derive(&nmk, SecurityLevel::SimpleConnect).to_string(), "b0f2e695666b03");
        assert_eq!(Nid::derive(&nmk, SecurityLevel::Secure).to_string(), "b0f2e695666b13");
        assert_eq!(hex(Dak::from_password(b"HomePlugAV").reveal()), "689f074b8b0275a2710b0b5779ad1630");
        let other = Nmk::from_password(b"HomePlugAV0123");
        assert_eq!(hex(other.reveal()), "b59319d7e8157ba001b018669ccee30d");
        assert_eq!(NetworkKey::derived(other).nid.to_string(), "026bcba5354e08");
    }

    #[test]
    fn the_level_is_read_back_from_the_identifier() {
        let nmk = Nmk::new([7; 16]);
        for level in [SecurityLevel::SimpleConnect, SecurityLevel::Secure] {
            assert_eq!(Nid::derive(&nmk, level).level(), level);
        }
    }

    #[test]
    fn keys_do_not_print_themselves() {
        let key = NetworkKey::derived(Nmk::new([0xAB; 16]));
        let text = format!("{key:?} {:?}", Dak::new([0xAB; 16]));
        assert!(!text.contains("ab, ab") && !text.contains("171") && !text.contains("abab"), "{text}");
    }
}
