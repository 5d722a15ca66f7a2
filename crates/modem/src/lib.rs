//! Care of power-line modems: what people do with a box of tools, as machines without I/O.
//!
//! * [`Modem`] is what a charger or a car needs: find the modem, set its key, wait for its restart, verify,
//!   watch the link. It never gives up.
//! * [`Finder`] lists the modems that can be reached, what they run and who is behind them.
//! * [`Inspector`] asks one modem what it is and how it is.
//! * [`PibReader`], [`WritePlan`] and [`PibWriter`], [`Reset`] move parameters from and to a modem, and
//!   restart it.
//! * [`pib`] reads, checks, shows and edits a parameter image.
//!
//! What modem families do differently stands in the table [`PROFILES`]. All machines take whole Ethernet
//! frames and give whole Ethernet frames (trait [`machine::Machine`]).
//!
//! # Example
//! A charger's modem is found and gets its key.
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
//! // It asks who is there, on its own cable only.
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
//! // The key is on its way; the modem is ready when it has confirmed it, restarted and shown it.
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

/// A firmware version in ASCII, cut after 64 bytes; the longest seen has 40.
pub type Firmware = heapless::Vec<u8, 64>;

fn firmware(version: &[u8]) -> Firmware {
    let room = Firmware::new().capacity();
    Firmware::from_slice(version.get(..room).unwrap_or(version)).unwrap_or_default()
}
