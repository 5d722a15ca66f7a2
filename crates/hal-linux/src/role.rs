use std::os::fd::AsFd;

use machine::Machine;
use roles::{Channel, Evse, Input, Pev, PevInput};

use crate::{Error, PacketSocket};

/// A machine over Ethernet frames that a [`Runner`](crate::Runner) can drive.
pub trait Role: Machine {
    /// What it demands of its plant.
    type Demand;
    /// What it wants to know of its plant.
    type Reading;

    /// A frame as its input.
    fn frame(frame: &[u8]) -> Self::Input<'_>;
    /// A snapshot of the plant as its input.
    fn reading<'a>(reading: Self::Reading) -> Self::Input<'a>;
    /// The wish to end the session in order as its input.
    fn stop<'a>() -> Self::Input<'a>;
    /// What it demands now.
    fn demand(&self) -> Self::Demand;
}

impl<C: Channel, const N: usize> Role for Evse<'_, C, N> {
    type Demand = evse_fsm::Demand;
    type Reading = evse_fsm::Plant;

    fn frame(frame: &[u8]) -> Input<'_> {
        Input::Frame(frame)
    }

    fn reading<'a>(reading: evse_fsm::Plant) -> Input<'a> {
        Input::Plant(reading)
    }

    fn stop<'a>() -> Input<'a> {
        Input::Operator(evse_fsm::Operator::Stop)
    }

    fn demand(&self) -> evse_fsm::Demand {
        Self::demand(self)
    }
}

impl<C: Channel, const N: usize> Role for Pev<'_, C, N> {
    type Demand = pev_fsm::Demand;
    type Reading = (pev_fsm::Plant, pev_fsm::Vehicle);

    fn frame(frame: &[u8]) -> PevInput<'_> {
        PevInput::Frame(frame)
    }

    fn reading<'a>((plant, vehicle): Self::Reading) -> PevInput<'a> {
        PevInput::Snapshot(plant, vehicle)
    }

    fn stop<'a>() -> PevInput<'a> {
        PevInput::Operator(pev_fsm::Operator::Stop)
    }

    fn demand(&self) -> pev_fsm::Demand {
        Self::demand(self)
    }
}

/// Where frames come from and go to.
pub trait Port: AsFd {
    /// The next frame, or `None` when there is none now.
    fn receive<'b>(&self, buffer: &'b mut [u8]) -> Result<Option<&'b [u8]>, Error>;
    /// Sends a frame; `false` when it is lost.
    fn send(&self, frame: &[u8]) -> Result<bool, Error>;
}

impl Port for PacketSocket {
    fn receive<'b>(&self, buffer: &'b mut [u8]) -> Result<Option<&'b [u8]>, Error> {
        Self::receive(self, buffer)
    }

    fn send(&self, frame: &[u8]) -> Result<bool, Error> {
        Self::send(self, frame)
    }
}
