//! IEC 61851-1 signalling: control pilot levels, duty cycle and the proximity resistor.
//!
//! The crate evaluates and does not measure: an adapter samples the pilot's high and low phase in millivolts.
//! [`LevelTracker`] derives [`Level`]s with hysteresis, so that a voltage between two levels does not toggle.
//! [`Output`] is the charger's pilot output, [`DutyMeaning`] the meaning of a duty cycle, [`Proximity`] that
//! of the coding resistor.
//!
//! # Example
//! ```
//! use control_pilot::{Coding, DutyMeaning, Level, LevelTracker, Output, Proximity};
//!
//! // A charger that drives 5 % and measures 6 V in the high phase: the car is ready.
//! let mut pilot = LevelTracker::new();
//! assert_eq!(pilot.update(9_000, Some(-12_000)), Level::B);
//! assert_eq!(pilot.update(6_100, Some(-11_800)), Level::C);
//! // 7.4 V is nearer to C than to B, 7.6 V is not; but C is kept until clearly past the middle.
//! assert_eq!(pilot.update(7_600, Some(-11_800)), Level::C);
//! assert_eq!(pilot.update(8_200, Some(-11_800)), Level::B);
//!
//! assert_eq!(Output::DIGITAL.duty_permille(), Some(50));
//! assert_eq!(DutyMeaning::of(50), DutyMeaning::Digital);
//! assert_eq!(DutyMeaning::of(500), DutyMeaning::Ac { current_ma: 30_000 });
//! assert_eq!(Proximity::of_ohms(Coding::Type2, 1_480), Proximity::Cable { current_ma: 13_000 });
//! ```
#![no_std]
#![forbid(unsafe_code)]

mod duty;
mod level;
mod proximity;

pub use duty::{DutyMeaning, Output};
pub use level::{Level, LevelTracker};
pub use proximity::{Coding, Proximity};
