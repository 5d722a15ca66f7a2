//! The board below the roles: an ESP32-P4 with Ethernet to a `HomePlug` modem.
//!
//! The crate contains the board's logic and accesses no register: everything builds and runs on the host. It
//! uses the chip through `embedded-hal` 1.0 (`OutputPin`, `InputPin`, `SetDutyCycle`, `DelayNs`) and the
//! traits below. `boards/esp32p4` implements them with registers; another board implements them for its own
//! chip:
//!
//! | trait | what it is on the ESP32-P4 |
//! |---|---|
//! | [`Ledc`] | one LEDC timer and channel, routed to the pilot's pad |
//! | [`Millivolts`] | one calibrated channel of ADC1; one each for pilot and proximity |
//! | [`Counter`] | SYSTIMER |
//! | [`Stages`] | a watchdog with an interrupt and a reset |
//! | [`Flash`] | two sectors of the flash |
//! | [`Ring`] | the Ethernet MAC with its DMA descriptors |
//! | `embedded_hal` pins | contactors, relay, lock, bleeder; feedback and emergency stop |
//!
//! # From reset to a role
//! 1. Before the first instruction the resistors of the wiring keep the board SAFE (an assumption: see
//!    [`Reset`] and the README).
//! 2. [`Outputs::new`] takes the pins and drives each to its SAFE level, before any other code runs.
//! 3. The [`SelfTest`] collects every check: chip [`Revision`], [`Pins`], outputs, contacts, pilot, entropy
//!    ([`Pool`]), flash ([`Store`]), [`Watchdog`]. A check that was not done counts as failed.
//! 4. Its proof [`Passed`] arms the outputs. Until then [`Outputs::apply`] drives only SAFE.
//!
//! # While a role runs
//! In each turn [`PilotMeter`] and [`ProximityMeter`] (or [`DutyMeter`] in the car) and [`Outputs::sense`]
//! provide the readings; each is absent or has the time of its measurement. The role's demand becomes a
//! [`Wanted`] and is applied. The watchdog receives its two signs. `control_pilot` interprets the
//! measurements and `session` debounces them: neither rule is repeated here.
//!
//! # When something fails
//! There is one SAFE sequence, [`Parts::make_safe`]. The loop runs it after an error; the panic handler and
//! the watchdog's first stage run it on pins that they create from the bare registers. It has no state but
//! the pins', continues after a part that fails, and may be repeated.
//!
//! # Example
//! ```
//! use embedded_hal_mock::eh1::{delay::NoopDelay, digital::{Mock, State, Transaction}};
//! use hal_esp32p4::{Drive, Ledc, OutputFault, Outputs, Parts, SelfTest, Side, Timing, Wanted};
//! use machine::{Duration, Instant};
//!
//! /// A car has no PWM.
//! struct NoPwm;
//! impl Ledc for NoPwm {
//!     type Error = core::convert::Infallible;
//!     fn start(&mut self, _: Timing, _: u16) -> Result<(), Self::Error> { Ok(()) }
//!     fn set_duty(&mut self, _: u16) -> Result<(), Self::Error> { Ok(()) }
//! }
//!
//! // The relay that pulls the pilot from B to C: off at the start, and off again in the SAFE sequence.
//! let mut relay = Mock::new(&[Transaction::set(State::Low), Transaction::set(State::Low)]);
//! let parts: Parts<Mock, Mock, NoPwm> =
//!     Parts { relay: Some(Drive::active_high(relay.clone())), ..Parts::none(Side::Car) };
//! let (mut outputs, report) = Outputs::new(parts, Duration::ZERO);
//! assert!(report.failed.is_empty());
//!
//! // No check was done yet, so no output is driven.
//! assert!(SelfTest::new().verdict().is_none());
//! let ready = Wanted { relay: true, ..Wanted::SAFE };
//! assert_eq!(outputs.apply(Instant::ZERO, &ready), Err(OutputFault::NotTested));
//! outputs.make_safe(&mut || None, &mut NoopDelay::new());
//! relay.done();
//! ```
#![no_std]
#![forbid(unsafe_code)]

mod clock;
mod entropy;
mod ethernet;
mod millivolts;
mod outputs;
mod pads;
mod pilot;
mod pins;
mod proximity;
mod pwm;
mod self_test;
mod store;
mod watchdog;

pub use clock::{Clock, Counter};
pub use entropy::{Generator, Pool, Quality, Source, TooLittle};
pub use ethernet::{Ring, RingPort};
pub use millivolts::{Millivolts, Range, Scale};
pub use outputs::{
    ContactorFault, Drive, OutputFault, Outputs, Parts, SafeReport, Sense, Sensed, Side, Wanted, WhileSafe,
};
pub use pads::Pads;
pub use pilot::{DutyMeter, Phases, PilotMeter, Span, TimerEdges, Voltages};
pub use pins::{PinError, Pins, Reset, Signal};
pub use proximity::{Divider, ProximityMeter};
pub use pwm::{Ledc, PilotPwm, PwmError, Timing};
pub use self_test::{Check, CheckError, Passed, Revision, SelfTest};
pub use store::{Flash, Full, Key, Sector, Store, StoreError};
pub use watchdog::{Plan, PlanError, Sign, Stage, Stages, Watchdog, WatchdogError};
