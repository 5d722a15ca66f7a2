//! The board under the roles: an ESP32-P4 with Ethernet to a `HomePlug` modem.
//!
//! The crate has the board's logic and no register: everything here builds and runs on the host. What touches the chip
//! stands behind `embedded-hal` 1.0 (`OutputPin`, `InputPin`, `SetDutyCycle`, `DelayNs`) and the small traits of this
//! crate, which the half with registers implements:
//!
//! | trait | what it is on the chip |
//! |---|---|
//! | [`Counter`] | a free-running counter |
//! | [`Millivolts`] | one calibrated channel of ADC1 |
//! | [`Stages`] | a watchdog with an interrupt and a reset |
//! | [`Flash`] | two sectors of the flash |
//! | [`Ledc`] | one LEDC timer and channel, routed to the pilot's pad |
#![no_std]
#![forbid(unsafe_code)]

mod clock;
mod entropy;
mod millivolts;
mod outputs;
mod pilot;
mod pins;
mod proximity;
mod pwm;
mod self_test;
mod store;
mod watchdog;

pub use clock::{Clock, Counter};
pub use entropy::{Generator, Pool, Quality, Source, TooLittle};
pub use millivolts::{Millivolts, Range, Scale};
pub use outputs::{
    ContactorFault, Drive, OutputFault, Outputs, Parts, SafeReport, Sense, Sensed, Side, Wanted, WhileSafe,
};
pub use pilot::{DutyMeter, Phases, PilotMeter, Span, Voltages};
pub use pins::{Pads, PinError, Pins, Reset, Signal};
pub use proximity::{Divider, ProximityMeter};
pub use pwm::{Ledc, PilotPwm, PwmError, Timing};
pub use self_test::{Check, CheckError, Passed, Revision, SelfTest};
pub use store::{Flash, Full, Key, Sector, Store, StoreError};
pub use watchdog::{Plan, PlanError, Sign, Stage, Stages, Watchdog, WatchdogError};
