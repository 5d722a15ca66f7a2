//! CCS and NACS fast charging: a charger, a car, an observer and the codec of their messages.
//!
//! This crate has no code of its own. It re-exports the crates of the stack with the same names for both
//! sides, so that a program needs one dependency. No machine does I/O: bytes, frames and sensor readings go
//! in, frames, events and demands come out. Only `json` needs an allocator, only `sim` needs `std`.
//!
//! # A decoded message
//! ```text
//! cargo add fastcharge
//! ```
//! ```
//! use fastcharge::codec::din::{BodyElement, V2gMessage};
//!
//! let bytes = *b"\x80\x9a\x02\x1a\x3d\x73\x30\x88\x03\x4d\xa2\x90\xe0\x00\x40\x80\x00\x01\x82\x80\x08\x18\x18\
//!     \x00\x80\x00\x06\x0a\x1b\x00\x80\x30\x30\xac\x02\x02\x03\x87\x40\x38\x00"; // the payload of a V2GTP message
//! let message = V2gMessage::decode(&bytes)?;
//! let Some(BodyElement::CurrentDemandRes(answer)) = message.body.element else { panic!("another message") };
//! assert_eq!(answer.evse_present_voltage.to_milli(), 1_000); // mV
//! # Ok::<(), fastcharge::codec::exi::Error>(())
//! ```
//!
//! # Features
//! | feature | module | what |
//! |---|---|---|
//! | `codec` (default) | `codec` | messages of DIN SPEC 70121, the handshake, V2GTP, discovery, management frames |
//! | `names` (default) | | names of elements in errors, and the dissector: costs flash |
//! | `json` | | messages from and to JSON; needs an allocator |
//! | `evse` | `evse` | a charger over Ethernet frames: matching, IPv6, discovery, TCP, session, plant |
//! | `pev` | `pev` | a car, the mirror of the charger |
//! | `listen` | `listen` | an observer of other stations' sessions |
//! | `sim` | `sim` | both ends of a cable in virtual time; needs `std` |
//!
//! `default-features = false` leaves out the names, for a microcontroller.
#![no_std]
#![forbid(unsafe_code)]

#[cfg(feature = "codec")]
pub mod codec {
    //! Messages and frames: decoding, encoding and their values.

    pub use exi;
    pub use exi_app as app;
    pub use exi_din as din;
    pub use homeplug_mme as mme;
    pub use sdp;
    pub use v2gtp;
}

#[cfg(feature = "role")]
pub use {control_pilot, machine, modem, session, slac};

#[cfg(feature = "evse")]
pub mod evse {
    //! The charger. Names are the same as in `pev`.

    pub use evse_fsm::{
        self as fsm, Authorisation, Config as SessionConfig, Demand, Event as SessionEvent, Operator, Plant,
        PowerStage, Protection, Quirks, Sensors, Times,
    };
    pub use roles::{
        Channel, Channels, Evse, EvseConfig as Config, EvseConfigError as ConfigError, EvseEvent as Event,
        EvseInput as Input, EvseLink as Link, EvseStorage as Storage, Happening, MAX_FRAME, Mac, Plain,
        Watch,
    };
}

#[cfg(feature = "pev")]
pub mod pev {
    //! The car. Names are the same as in `evse`.

    pub use pev_fsm::{
        self as fsm, Config as SessionConfig, Demand, Event as SessionEvent, Operator, Plant, Protection,
        Quirks, Sensors, Times, Vehicle,
    };
    pub use roles::{
        Channel, Channels, MAX_FRAME, Mac, Pev, PevConfig as Config, PevConfigError as ConfigError,
        PevEvent as Event, PevInput as Input, PevLink as Link, PevStorage as Storage, Plain, Watch,
    };
}

#[cfg(feature = "listen")]
pub mod listen {
    //! The observer of other stations' sessions.

    pub use ::listen as observed;
    pub use roles::{
        Listen, ListenEvent as Event, ListenStorage as Storage, ListenWatch as Watch, MAX_FRAME, Mac,
    };
}

#[cfg(feature = "sim")]
pub use sim;
