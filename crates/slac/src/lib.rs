//! Matching of car and charger over the power line (SLAC, ISO 15118-3 annex A), both roles as machines.
//!
//! Cars and chargers within earshot of each other find out which of them share a cable: the car sounds, each
//! charger reports how loud it heard the car, the car chooses the loudest and gets the network's key from it.
//!
//! * [`Evse`] is the charger's side, [`Pev`] the car's. Both take whole Ethernet frames and words of the
//!   layers around them, and give frames and [`Event`]s.
//! * Neither speaks with a modem. They say which key the own modem must hold ([`Evse::key`], [`Pev::key`])
//!   and are told whether it does and whether there is a link; crate `modem` does that work, crate `roles`
//!   ties them together.
//! * [`times`] has every timer and counter with its source.
//!
//! What a forged frame can do is bounded: memory is, each station's first report counts, nothing moves a
//! choice that is made, a stranger cannot end a running matching, and every measurement is told as an event.
//!
//! CVE-2025-12357 is a charger that lies about its measurement; it cannot be told from an honest one by its
//! bytes, only seen. One that gives no link, or a link over which nobody answers, is tried last for
//! [`times::SET_ASIDE`]. What remains: a rogue that gives a link and answers is taken; one that uses another
//! address at each attempt, or more of them than the car remembers chargers in one attempt (8) or can try
//! within a minute (4), stays ahead of the honest charger; each address costs it and the car a whole
//! `TT_match_join`.
#![no_std]
#![forbid(unsafe_code)]

mod event;
mod evse;
mod pev;
pub mod times;

pub use event::{Dropped, Event, Failure};
pub use evse::{Evse, EvseConfig, EvseInput, EvseState, EvseValidation};
pub use pev::{Pev, PevConfig, PevInput, PevState, PevValidation, Verdict};
