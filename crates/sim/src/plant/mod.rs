//! The hardware at both ends of a DC cable, in volts, amperes and milliseconds: power stage, contactors,
//! cable, pilot, isolation monitor, locks and battery, with the faults of each.
//!
//! A [`Bench`] has all parts. Roles receive the readings of its sensors; tests and
//! [invariants](crate::invariant) see its [`Truth`]. Internal values are `f64` and use only the four basic
//! operations: the results are the same on every machine.
//!
//! # Example
//! A car on a charger whose output is connected and set to 355 V:
//!
//! ```
//! use evse_fsm::{Contactors, Demand};
//! use machine::Instant;
//! use session::Target;
//! use sim::plant::{Bench, BenchConfig, CarDemand, Fault};
//!
//! let at = Instant::from_millis;
//! let mut bench = Bench::new(BenchConfig::default());
//! bench.plug(at(0), true);
//! let supply = Target { voltage_mv: 355_000, current_ma: 2_000 };
//! bench.drive_charger(at(0), &Demand { supply, contactors: Contactors::Closed, ..Demand::SAFE });
//! bench.advance(at(1_000));
//! assert_eq!(bench.truth().inlet_mv, 355_000);
//!
//! // The car closes its contactors; then the stage no longer follows its demand.
//! bench.drive_car(at(1_000), &CarDemand { contactors: Contactors::Closed, ..CarDemand::SAFE });
//! bench.inject(at(1_500), Fault::Stage(sim::plant::StageFault::Runaway));
//! bench.advance(at(1_600));
//! assert!(bench.truth().current_ma > 2_000);
//! ```

mod battery;
mod bench;
mod cable;
mod contactor;
mod insulation;
mod lock;
mod pilot;
mod power_stage;
mod sensor;

pub use battery::{Battery, BatteryProfile, Load};
pub use bench::{Bench, BenchConfig, CarDemand, CarPlant, Fault, Occurrence, Truth};
pub use cable::{CableProfile, DcCable};
pub use contactor::{Contactor, ContactorFault, ContactorProfile};
pub use insulation::{Bands, InsulationMonitor, MonitorProfile};
pub use lock::{LockFault, LockMotor};
pub use pilot::{PilotFault, PilotWire};
pub use power_stage::{PowerStage, StageFault, StageProfile, Tolerance};
pub use sensor::{Accuracy, Sensor, SensorFault};

use machine::Duration;

/// An end of the cable.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Side {
    /// The charger's end.
    Charger,
    /// The car's end.
    Car,
}

/// A time in seconds; limited to an hour, which is longer than any step.
fn seconds(time: Duration) -> f64 {
    f64::from(u32::try_from(time.as_micros()).unwrap_or(3_600_000_000)) / 1e6
}

/// Thousandths, rounded.
#[allow(clippy::cast_possible_truncation, reason = "such a cast saturates")]
fn milli(value: f64) -> i32 {
    (value * 1000.0).round() as i32
}

/// From thousandths.
fn units(milli: i32) -> f64 {
    f64::from(milli) / 1000.0
}

/// `from` moved towards `to` by at most `step`.
fn approach(from: f64, to: f64, step: f64) -> f64 {
    if (to - from).abs() <= step { to } else { from + step.copysign(to - from) }
}

/// `from` moved towards `to` for `dt` seconds as a first-order lag of `tau` seconds does.
fn settle(from: f64, to: f64, dt: f64, tau: f64) -> f64 {
    from + (to - from) * dt / (tau + dt)
}
