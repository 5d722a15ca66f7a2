//! Measurement of the control pilot: when to sample it, and what the samples mean.

mod duty;
mod meter;
mod phases;
mod timer_edges;

pub use duty::DutyMeter;
pub use meter::{PilotMeter, Voltages};
pub use phases::{Phases, Span};
pub use timer_edges::TimerEdges;
