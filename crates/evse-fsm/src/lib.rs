//! The charger's DIN SPEC 70121 session and its plant, without I/O.
#![no_std]
#![forbid(unsafe_code)]

mod cable_check;
mod charger;
mod config;
mod demand;
mod din;
mod event;
mod input;
mod pilot;
mod policy;
mod power;
mod precharge;
mod quirk;
mod reading;
mod request;
mod sequence;
mod supervision;
mod times;

pub use charger::Charger;
pub use config::{Authorisation, Config, ConfigError, EVSE_ID_MAX, EnergyTransfer, PowerStage, Purpose};
pub use demand::{Contactors, Demand, Lock};
pub use event::{Direction, Dropped, Event, Message, Status, Values, Warning};
pub use input::{Closed, Input, Operator};
pub use precharge::Preset;
pub use quirk::{QUIRKS, Quirk, Quirks};
pub use reading::{Isolation, MAX_AGE, Plant, Reading, Sensors};
pub use times::Times;

/// The V2GTP payload type of everything that the charger takes and sends: EXI documents of
/// the handshake and of DIN SPEC 70121.
pub const PAYLOAD_TYPE: u16 = 0x8001;
