//! `HomePlug` AV and Green PHY management messages: what chargers, cars and modems say below IP.
//!
//! * [`Frame`] takes an Ethernet frame apart as far as its body: addresses, version, type, vendor.
//! * [`View`](view::View) and the structs of [`view`] are lenient: every field as it is, for observers, and
//!   the messages between a host and its modem. [`emit`] writes any of them as a frame.
//! * [`Slac`] is strict: the messages of matching with the values that the standard allows, for those who act
//!   on them and send them.
//! * [`Nmk`], [`Nid`], [`NetworkKey`]: keys, what is derived from them, and that they do not print
//!   themselves.
//!
//! # Example
//! A car asks who is there; a charger answers.
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
//! // Who only looks sees the fields by name.
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
