//! The charger's DIN SPEC 70121 session and its plant, without I/O.
//!
//! A [`Charger`] accepts [`Input`]s: payloads, readings and an operator's commands. It returns payloads,
//! [`Event`]s and a [`Demand`]: the level of pilot, supply, contactors and lock. Read and apply the demand
//! after each call.
//!
//! ```
//! use control_pilot::{Level, Output};
//! use evse_fsm::{Charger, Config, Input, Plant, Preset, Reading};
//! use machine::{Cx, Instant, Machine, ScriptedEntropy};
//!
//! let mut entropy = ScriptedEntropy::new(&[1, 2, 3, 4, 5, 6, 7, 8]);
//! let mut charger = Charger::new(Config::without_power_stage(Preset::Step20))?;
//!
//! // The plug is inserted: after 0.5 s the pilot offers 5 %.
//! for millis in (0..1000).step_by(100) {
//!     let now = Instant::from_millis(millis);
//!     let mut cx = Cx { now, entropy: &mut entropy };
//!     let plant = Plant { pilot: Some(Reading::new(Level::B, now)), ..Plant::default() };
//!     charger.handle(&mut cx, Input::Plant(plant));
//! }
//! assert_eq!(charger.demand().pilot, Output::DIGITAL);
//!
//! // The car connects and offers DIN SPEC 70121; the response is ready to be sent.
//! let mut cx = Cx { now: Instant::from_millis(1000), entropy: &mut entropy };
//! charger.handle(&mut cx, Input::Connected);
//! let offer = [
//!     0x80, 0x00, 0xdb, 0xab, 0x93, 0x71, 0xd3, 0x23, 0x4b, 0x71, 0xd1, 0xb9, 0x81, 0x89, 0x91, 0x89, 0xd1, 0x91, 0x81,
//!     0x89, 0x91, 0xd2, 0x6b, 0x9b, 0x3a, 0x23, 0x2b, 0x30, 0x02, 0x00, 0x00, 0x04, 0x00, 0x40,
//! ];
//! charger.handle(&mut cx, Input::Message { payload_type: evse_fsm::PAYLOAD_TYPE, payload: &offer });
//! let mut buffer = [0; 64];
//! let (length, _) = charger.poll_transmit(&mut buffer)?.expect("an answer");
//! assert_eq!(buffer[..length], [0x80, 0x40, 0x00, 0x40]); // OK_SuccessfulNegotiation, SchemaID 1
//! assert!(!charger.demand().is_energised());
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
#![no_std]
#![forbid(unsafe_code)]

mod cable_check;
mod charger;
mod config;
mod demand;
mod event;
mod found;
mod handshake;
mod input;
mod insulation;
mod order;
mod pilot;
mod policy;
mod power;
mod precharge;
mod protection;
mod quirk;
mod reading;
mod request;
mod supervision;
mod wire;

pub use charger::Charger;
pub use config::{Authorisation, Config, ConfigError, EVSE_ID_MAX, PowerStage, Purpose};
pub use demand::Demand;
pub use event::{Dropped, Event, Warning};
pub use input::{Input, Operator};
pub use precharge::Preset;
pub use protection::{Protection, ReverseCurrent, TestVoltage};
pub use quirk::{QUIRKS, Quirk, Quirks};
pub use reading::{Plant, Sensors};
pub use session::{
    Closed, Contactors, Direction, EnergyTransfer, Insulation, Isolation, Latch, Lock, MAX_AGE, Message,
    Reading, SelfTest, Status, Time, Times, Values,
};

/// The V2GTP payload type of all messages that the charger sends and accepts: EXI documents of the handshake
/// and of DIN SPEC 70121.
pub const PAYLOAD_TYPE: u16 = session::Protocol::Din.payload_type();
