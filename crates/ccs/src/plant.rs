//! The plants of `ccs evse` and `ccs pev`: simulated, nothing real moves.

mod car;
mod charger;

pub use car::{SimulatedCable, SimulatedCar};
pub use charger::{CarPilot, SimulatedPlant, Simulation};
