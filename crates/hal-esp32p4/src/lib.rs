//! The board under the roles: an ESP32-P4 with Ethernet to a `HomePlug` modem.
//!
//! The crate has the board's logic and no register: everything here builds and runs on the host. What touches
//! the chip is reached through `embedded-hal` 1.0 (`OutputPin`, `InputPin`, `SetDutyCycle`, `DelayNs`) and
//! the small traits of this crate, which the half with registers implements, and any other board in its
//! place:
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
//! 1. Before the first instruction the resistors of the wiring keep the board SAFE ([`Reset`]: a claim, see
//!    the README).
//! 2. [`Outputs::new`] takes the pins and drives each to its SAFE level, before anything else runs.
//! 3. The [`SelfTest`] collects every check: chip [`Revision`], [`Pins`], outputs, contacts, pilot, entropy
//!    ([`Pool`]), flash ([`Store`]), [`Watchdog`]. One that was not done counts as failed.
//! 4. Its proof [`Passed`] arms the outputs. Until then [`Outputs::apply`] drives nothing but SAFE.
//!
//! # While a role runs
//! Each turn: [`PilotMeter`] and [`ProximityMeter`] (or [`DutyMeter`] in the car) and [`Outputs::sense`] give
//! the readings, each with the time at which it was measured or absent; the role's demand becomes a
//! [`Wanted`] and is applied; the watchdog gets its two signs. `control_pilot` judges what is measured,
//! `session` debounces it: neither rule is here a second time.
//!
//! # When something fails
//! There is one SAFE sequence, [`Parts::make_safe`]. The loop runs it after an error, the panic handler and
//! the watchdog's first stage run it over pins that they make of the bare registers. It has no state but the
//! pins', goes on where a part fails, and may be repeated.
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
//! // Nothing was checked yet, so nothing is driven.
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
