//! The car's DIN SPEC 70121 session and its plant, without I/O.
//!
//! A [`Car`] accepts [`Input`]s: payloads, readings, the battery's requirements and an operator's commands.
//! It returns payloads, [`Event`]s and a [`Demand`]: the level of pilot, contactors and lock. Read and apply
//! the demand after each call.
//!
//! | rule | where |
//! |---|---|
//! | contactors close only with the voltage settled near the battery's, isolation Valid or Warning in a Finished `CableCheckRes`, the lock confirmed and their feedback open | [`Precharge`] |
//! | they open below 1 A, or after 2 s as a recorded [`Event::EmergencyOpening`]; immediately where they have not confirmed to be closed | [`Demand::SAFE`] |
//! | no session begins with closed contactors or with 60 V or more at the inlet | [`Latch::Contactors`], [`Car::may_begin`] |
//! | no session begins after the driver's stop, until the plug was removed or the driver starts again | [`Operator::Stop`] |
//! | the plug is released only with contactors confirmed open and less than 60 V at the inlet; it is never unlocked because time has passed | [`Latch::VoltagePresent`] |
//! | an inlet sensor that contradicted the battery's while the contactors were closed keeps the plug locked until a person has measured | [`Latch::Suspect`] |
//! | a reverse current, or more current than requested, ends the session | [`Protection`] |
//! | readings older than 200 ms, a lost pilot, a delayed program, and a response that is wrong or late end in SAFE | [`TIMES`] |
//!
//! ```
//! use control_pilot::{Level, Output};
//! use machine::{Cx, Instant, Machine, ScriptedEntropy};
//! use pev_fsm::{Car, Config, Input, Lock, PAYLOAD_TYPE, Plant, Reading, Vehicle};
//! use session::{Limits, Phase, Target};
//!
//! let mut entropy = ScriptedEntropy::new(&[1]);
//! let now = Instant::from_millis(1000);
//! let mut cx = Cx { now, entropy: &mut entropy };
//! let mut car = Car::new(Config::default())?;
//!
//! // Readings of the sensors, and the requirements of the battery.
//! let read = |value| Some(Reading::new(value, now));
//! car.handle(&mut cx, Input::Plant(Plant {
//!     pilot: Some(Reading::new(Output::DIGITAL, now)),
//!     inlet_mv: read(0),
//!     current_ma: read(0),
//!     contactors: Some(Reading::new(false, now)),
//!     ..Plant::default()
//! }));
//! assert_eq!(car.demand().lock, Lock::Released); // the inlet sensor shows 0 V
//! car.handle(&mut cx, Input::Vehicle(Vehicle {
//!     at: now,
//!     limits: Limits { max_voltage_mv: 412_800, max_current_ma: 200_000, max_power_w: 98_000, ..Limits::NONE },
//!     battery_mv: Some(350_000),
//!     target: Target { voltage_mv: 410_000, current_ma: 125_000 },
//!     soc_percent: 50,
//!     capacity_wh: 28_000,
//!     request_wh: 14_000,
//!     full_soc_percent: Some(94),
//!     bulk_soc_percent: Some(80),
//!     full_in_s: None,
//!     bulk_in_s: None,
//!     is_done: false,
//!     error: 0,
//! }));
//!
//! // The link is up and the charger has accepted the connection: the car offers DIN SPEC 70121.
//! car.handle(&mut cx, Input::Connected);
//! let mut buffer = [0; 128];
//! let (length, _) = car.poll_transmit(&mut buffer)?.expect("a request");
//! assert!(buffer[..length].starts_with(&[0x80, 0x00, 0xdb]));
//! assert_eq!(car.phase(), Phase::Handshake);
//!
//! // The charger accepts; the session continues.
//! car.handle(&mut cx, Input::Message { payload_type: PAYLOAD_TYPE, payload: &[0x80, 0x40, 0x00, 0x40] });
//! assert!(car.poll_transmit(&mut buffer)?.is_some());
//! assert_eq!(car.phase(), Phase::SessionSetup);
//! assert_eq!(car.demand().pilot, Level::B); // C only after ChargeParameterDiscovery
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
#![no_std]
#![forbid(unsafe_code)]

mod car;
mod config;
mod demand;
mod event;
mod flow;
mod handshake;
mod input;
mod joined;
mod order;
mod plug;
mod policy;
mod power;
mod protection;
mod quirk;
mod reading;
mod request;
mod settle;
mod signals;
mod supervision;
mod trouble;
mod wire;

pub use car::Car;
pub use config::{Config, ConfigError, EVCC_ID_MAX, Load, Precharge};
pub use demand::Demand;
pub use event::{Dropped, Event, Warning};
pub use input::{Input, Operator};
pub use protection::Protection;
pub use quirk::{QUIRKS, Quirk, Quirks};
pub use reading::{MAX_VEHICLE_AGE, Plant, Sensors, Vehicle};
pub use session::{
    Closed, Contactors, Direction, EnergyTransfer, Isolation, Latch, Lock, MAX_AGE, Message, Reading, Status,
    TIMES, Time, TimeRow, Times, Values,
};

/// The V2GTP payload type of all messages that the car sends and accepts: EXI documents of the handshake and
/// of DIN SPEC 70121.
pub const PAYLOAD_TYPE: u16 = 0x8001;
