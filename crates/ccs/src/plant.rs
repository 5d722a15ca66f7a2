//! The plants of `ccs evse` and `ccs pev`: simulated, nothing real moves.

mod car;
mod charger;

pub(crate) use car::{SimulatedCable, SimulatedCar};
pub(crate) use charger::{CarPilot, SimulatedPlant, Simulation};
