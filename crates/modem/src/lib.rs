//! Care of power-line modems.
#![no_std]
#![forbid(unsafe_code)]

mod finder;
mod modem;
pub mod pib;
mod profile;
mod restart;
#[cfg(test)]
mod script;
mod transfer;

pub use finder::{
    Finder, FinderEvent, FoundModem, FoundNetwork, MAX_HOSTS, MAX_MODEMS, MAX_NEIGHBOURS, Neighbour,
};
pub use modem::{Modem, ModemConfig, ModemEvent, ModemFault};
pub use profile::{Access, LUMISSIL, NONE, PROFILES, Profile, UNKNOWN, Vendor};
pub use transfer::{
    PibReader, PibWriter, ReadEvent, Refusal, Reset, ResetEvent, TransferFault, WriteEvent, WritePlan,
    WriteStep,
};

/// A firmware version in ASCII, cut after 64 bytes; the longest seen has 40.
pub type Firmware = heapless::Vec<u8, 64>;

fn firmware(version: &[u8]) -> Firmware {
    let room = Firmware::new().capacity();
    Firmware::from_slice(version.get(..room).unwrap_or(version)).unwrap_or_default()
}
