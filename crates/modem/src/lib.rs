//! Care of power-line modems.
#![no_std]
#![forbid(unsafe_code)]

mod modem;
pub mod pib;
mod profile;
mod restart;
#[cfg(test)]
mod script;

pub use modem::{Modem, ModemConfig, ModemEvent, ModemFault};
pub use profile::{Access, LUMISSIL, NONE, PROFILES, Profile, UNKNOWN, Vendor};
