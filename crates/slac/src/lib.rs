//! Matching of car and charger over the power line (SLAC, ISO 15118-3 annex A), both roles as machines.
//!
//! Cars and chargers on a shared medium determine which of them share a cable: the car sends sounds, each
//! charger reports their attenuation, the car chooses the charger with the lowest and receives the network's
//! key from it.
//!
//! * [`Evse`] is the charger's side, [`Pev`] the car's. Inputs are whole Ethernet frames and signals of the
//!   layers above and below, outputs are frames and [`Event`]s.
//! * Neither communicates with a modem. They return the key that the own modem must hold ([`Evse::key`],
//!   [`Pev::key`]) and are informed whether it holds the key and whether a link exists. Crate `modem` does
//!   that work, crate `roles` connects them.
//! * [`times`] has every timer and counter with its source.
//!
//! The effect of a forged frame is bounded: memory is bounded, only a station's first report counts, no frame
//! changes a choice that is made, another station cannot end a running matching, and every measurement is
//! reported as an event.
//!
//! CVE-2025-12357 is a charger that reports a false measurement. Its frames are the same as an honest
//! charger's, so it can only be reported, not refused. A charger that leads to no link, or to a link without
//! a response, is tried last for [`times::SET_ASIDE`]. Residual hazard: a rogue that establishes a link and
//! responds is accepted. So is one that uses another address at each attempt, or more addresses than a car
//! stores chargers in one attempt (8) or can try within a minute (4): it stays ahead of the honest charger.
//! Each address costs the rogue and the car a whole `TT_match_join`.
#![no_std]
#![forbid(unsafe_code)]

mod event;
mod evse;
mod pev;
pub mod times;

pub use event::{Dropped, Event, Failure};
pub use evse::{Evse, EvseConfig, EvseInput, EvseState, EvseValidation};
pub use pev::{Pev, PevConfig, PevInput, PevState, PevValidation, Verdict};
