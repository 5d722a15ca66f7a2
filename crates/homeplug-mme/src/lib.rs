//! `HomePlug` AV and Green PHY management messages of chargers, cars and modems, below IP.
//!
//! * [`Frame`] parses an Ethernet frame up to its body: addresses, version, type, vendor.
//! * [`View`](view::View) and the structs of [`view`] are lenient: every field unchecked, for observers and
//!   for the messages between a host and its modem. [`emit`] writes any of them as a frame.
//! * [`Slac`] is strict: the messages of matching with the values that the standard allows, for the roles.
//! * [`Nmk`], [`Nid`], [`NetworkKey`]: keys and derived values; secrets are redacted when printed.
//!
//! # Example
//! A car sends `CM_SLAC_PARM.REQ`, and a charger parses it.
//!
//! ```
//! use homeplug_mme::{Frame, Mac, RunId, Slac, emit, view::View};
//!
//! let (car, charger) = (Mac([2, 0, 0, 0, 0, 0xE1]), Mac([2, 0, 0, 0, 0, 0x5E]));
//! let run_id = RunId(*b"TESLA EV");
//! let mut buffer = [0; homeplug_mme::MAX_FRAME];
//! let len = Slac::ParmReq { run_id }.emit(Mac::BROADCAST, car, &mut buffer).expect("room for a frame");
//!
//! let frame = Frame::parse(&buffer[..len])?;
//! assert_eq!(frame.mm_type.to_string(), "CM_SLAC_PARM.REQ");
//! assert_eq!(Slac::parse(&frame), Some(Ok(Slac::ParmReq { run_id })));
//!
//! // An observer reads the fields by name.
//! let mut names = Vec::new();
//! View::of(&frame)?.fields(&mut |name, _value| names.push(name));
//! assert_eq!(names[..3], ["application_type", "security_type", "run_id"]);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
#![no_std]
#![forbid(unsafe_code)]

mod field;
mod frame;
mod id;
mod key;
mod mac;
mod message;
mod mm_type;
mod run_id;
mod slac;
mod slice;
pub mod view;

pub use field::{MessageError, Value, Visit, Writer};
pub use frame::{ETHERTYPE, Fragment, Frame, FrameError, MAX_FRAME, MIN_FRAME, emit};
pub use id::{Id, Oui, Version};
pub use key::{Dak, NetworkKey, Nid, Nmk, SecurityLevel};
pub use mac::Mac;
pub use message::Message;
pub use mm_type::{Kind, MmType};
pub use run_id::{RunId, StationId};
pub use slac::{GROUPS, Profile, Slac, SlacFault, ValidateResult};
