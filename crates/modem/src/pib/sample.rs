//! Small synthetic images for tests.
extern crate std;
use std::vec;
use std::vec::Vec;

use homeplug_mme::{Mac, NetworkKey, Nmk};

use super::seal;

pub(crate) const MAC: Mac = Mac([0x02, 0, 0, 0, 0, 0x42]);
pub(crate) const MANIFEST_LEN: usize = 40;

/// The network in every sample.
pub(crate) fn network() -> NetworkKey {
    NetworkKey::derived(Nmk::new([0x11; 16]))
}

/// A chain of a manifest and `len` bytes of parameters: a car's modem, if long enough for that field.
pub(crate) fn chain(len: usize) -> Vec<u8> {
    chain_of(&parameters(len))
}

/// A chain around the given parameters.
pub(crate) fn chain_of(parameters: &[u8]) -> Vec<u8> {
    let mut manifest = vec![4, 0, 0, 0, 4, 0, 0, 0, 1, 2, 3, 4, 0x10, 0, 0, 0, 20, 0, 0, 0];
    manifest.extend_from_slice(b"PIB-small\0");
    manifest.resize(MANIFEST_LEN, 0xFF);
    let second = u32::try_from(96 + MANIFEST_LEN).unwrap();
    let mut bytes = header(0, manifest.len(), second, u32::MAX, 0x0E);
    bytes.extend(manifest);
    bytes.extend(header(second, parameters.len(), u32::MAX, 0, 0x0F));
    bytes.extend_from_slice(parameters);
    seal(&mut bytes).unwrap();
    bytes
}

/// An old image of `len` bytes.
pub(crate) fn flat(len: usize) -> Vec<u8> {
    let mut bytes = parameters(len);
    bytes[0] = 3;
    bytes[1] = 8;
    bytes[4..6].copy_from_slice(&u16::try_from(len).unwrap().to_le_bytes());
    seal(&mut bytes).unwrap();
    bytes
}

fn parameters(len: usize) -> Vec<u8> {
    let mut bytes = vec![0; len];
    let mut put = |at: usize, value: &[u8]| {
        if let Some(place) = bytes.get_mut(at..at + value.len()) {
            place.copy_from_slice(value);
        }
    };
    put(0x0C, &MAC.0);
    put(0x12, &[0x22; 16]);
    put(0x24, b"small modem");
    put(0x64, network().nmk.reveal());
    put(0xF4, &[1]);
    put(0xF8, &network().nid.0);
    put(0x1653, &[1]);
    bytes
}

fn header(at: u32, len: usize, next: u32, previous: u32, kind: u32) -> Vec<u8> {
    let len = u32::try_from(len).unwrap();
    // Versions, mask, place in NVM and in memory, length, checksum, entry point, next, previous, kind.
    let words = [0x0001_0001, 0, at + 96, 0, len, 0, u32::MAX, next, previous, kind];
    let mut bytes: Vec<u8> = words.iter().flat_map(|word| word.to_le_bytes()).collect();
    bytes.resize(96, 0);
    bytes
}
