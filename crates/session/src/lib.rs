//! The types that both ends of a charging session share, independent of any protocol.
//!
//! The state machines of charger and car, their composition with SLAC and discovery, the simulated world and
//! the command `ccs` use the same [`Phase`]s, number the same moments with [`Checkpoint`]s, apply the same
//! [`Limits`] and [`Target`]s, and end with one [`StopReason`].
//!
//! Both state machines also use these tables and rules:
//! * [`EXCHANGES`]: which request and response belong together, with phase, checkpoints and times.
//! * [`TIMES`]: how long each side waits, with the source of each value.
//! * [`Snapshot`]: when readings are too old.
//! * [`quirks!`]: declares a table of quirks.
//!
//! # Example
//! ```
//! use session::{By, Cause, Checkpoint, Limits, Phase, StopReason, Target};
//!
//! let car = Limits { max_voltage_mv: 410_000, max_current_ma: 200_000, ..Limits::NONE };
//! let charger = Limits { max_voltage_mv: 500_000, max_current_ma: 125_000, ..Limits::NONE };
//! let asked = Target { voltage_mv: 420_000, current_ma: 180_000 };
//! assert_eq!(asked.bounded(&car).bounded(&charger), Target { voltage_mv: 410_000, current_ma: 125_000 });
//!
//! let stop = StopReason::new(By::Car, Cause::Finished, Phase::SessionStop);
//! assert_eq!(stop.exit_code(), 0);
//! assert_eq!(Checkpoint::CURRENT_DEMAND_REQ.number(), 700);
//! ```
#![no_std]
#![forbid(unsafe_code)]

mod checkpoint;
mod connection;
mod exchange;
mod lasting;
mod latch;
mod level;
mod limits;
mod message;
mod phase;
mod plant;
mod plausible;
mod protocol;
mod quirk;
mod reading;
mod snapshot;
mod stop;
mod times;

pub use checkpoint::Checkpoint;
pub use connection::{Closed, EnergyTransfer};
pub use exchange::{EXCHANGES, Exchange, ExchangeRow, Moments, Names};
pub use lasting::{Debounce, Lasting, earliest};
pub use latch::Latch;
pub use level::{Level, Unit};
pub use limits::{CURRENT_BEFORE_POWER_MA, DEAD_MV, Limits, OPEN_BELOW_MA, Target};
pub use message::{Direction, Message, Status, Values};
pub use phase::Phase;
pub use plant::{Contactors, Insulation, Isolation, Lock, SelfTest};
pub use plausible::{APART, APART_MV, Agreement, Touch};
pub use protocol::Protocol;
pub use quirk::Quirk;
pub use reading::{MAX_AGE, Reading, Sensor, fresh};
pub use snapshot::{Sensing, Snapshot};
pub use stop::{By, Cause, Compared, Detail, StopReason};
pub use times::{Range, Side, TIMES, Time, TimeRow, Times};

#[doc(hidden)]
pub use bitflags;
