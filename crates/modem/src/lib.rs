//! Management of power-line modems as machines without I/O.
//!
//! * [`Modem`] is for a charger or a car: it finds the modem, sets its key, waits for its restart, verifies
//!   the key, watches the link, and repeats all of it after a failure.
//! * [`Finder`] lists the modems that can be reached, their firmware and their hosts.
//! * [`Inspector`] queries one modem's identity and state.
//! * [`PibReader`], [`WritePlan`] and [`PibWriter`], [`Reset`] read and write a modem's parameters, and
//!   restart it.
//! * [`pib`] reads, checks, shows and edits a parameter image.
//!
//! The differences of modem families are in the table [`PROFILES`]. All machines have whole Ethernet frames
//! as input and output (trait [`machine::Machine`]).
//!
//! # Example
//! A charger's modem is found and receives its key.
//!
//! ```
//! use homeplug_mme::view::SwVerCnf;
//! use homeplug_mme::{Frame, Mac, NetworkKey, Nmk, emit, view};
//! use machine::{Cx, Instant, Machine, ScriptedEntropy};
//! use modem::{Modem, ModemConfig, ModemEvent};
//!
//! let (own, modem_mac) = (Mac([2, 0, 0, 0, 0, 1]), Mac([2, 0, 0, 0, 0, 2]));
//! let mut entropy = ScriptedEntropy::new(&[3, 5, 7]);
//! let mut cx = Cx { now: Instant::ZERO, entropy: &mut entropy };
//! let mut modem = Modem::new(ModemConfig::new(own));
//! modem.start(&mut cx);
//! modem.set_key(&mut cx, NetworkKey::derived(Nmk::new([9; 16])));
//!
//! // The first request goes to the modem on the own cable only.
//! let mut frame = [0; 1514];
//! let (len, ()) = modem.poll_transmit(&mut frame)?.unwrap();
//! assert_eq!(Frame::parse(&frame[..len])?.to, Mac::LOCAL_MODEM);
//!
//! let mut version = view::Label([0; 254]);
//! version.0[..11].copy_from_slice(b"MAC-QCA7005");
//! let (ident, stepping, cookie) = (None, None, None);
//! let answer = SwVerCnf { mstatus: 0, device_class: 0x22, ver_len: 11, version, ident, stepping, cookie };
//! let len = emit(&answer, own, modem_mac, &mut frame).unwrap();
//! modem.handle(&mut cx, &frame[..len]);
//! assert!(matches!(modem.poll_event(), Some(ModemEvent::Found { address, .. }) if address == modem_mac));
//!
//! // The key is sent; the modem is ready when it has confirmed the key, restarted and reported the key.
//! let sent = std::iter::from_fn(|| modem.poll_transmit(&mut frame).unwrap()).last();
//! let asked = Frame::parse(&frame[..sent.unwrap().0])?.get::<view::SetKeyReq>().unwrap()?;
//! assert_eq!(asked.new_key, Nmk::new([9; 16]));
//! assert!(!modem.is_ready());
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
#![no_std]
#![forbid(unsafe_code)]

mod finder;
mod inspector;
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
pub use inspector::{Details, Inspector, InspectorEvent, Question};
pub use modem::{Modem, ModemConfig, ModemEvent, ModemFault};
pub use profile::{Access, LUMISSIL, NONE, PROFILES, Profile, UNKNOWN, Vendor};
pub use transfer::{
    PibReader, PibWriter, ReadEvent, Refusal, Reset, ResetEvent, TransferFault, WriteEvent, WritePlan,
    WriteStep,
};

/// A firmware version in ASCII, cut after 64 bytes; the longest observed has 40.
pub type Firmware = heapless::Vec<u8, 64>;

fn firmware(version: &[u8]) -> Firmware {
    let room = Firmware::new().capacity();
    Firmware::from_slice(version.get(..room).unwrap_or(version)).unwrap_or_default()
}
