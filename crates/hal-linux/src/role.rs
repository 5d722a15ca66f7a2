use std::net::Ipv6Addr;
use std::os::fd::AsFd;

use machine::Machine;
use roles::{Channels, Evse, EvseInput, Pev, PevInput};

use crate::{Demanded, Error};

/// A machine over Ethernet frames that a [`Runner`](crate::Runner) can drive.
pub trait Role: Machine {
    /// What it demands of its plant.
    type Demand: Demanded;
    /// What it wants to know of its plant.
    type Reading;

    /// A frame as its input.
    fn frame(frame: &[u8]) -> Self::Input<'_>;
    /// A snapshot of the plant as its input.
    fn reading<'a>(reading: Self::Reading) -> Self::Input<'a>;
    /// A snapshot without any reading as its input: the plant cannot be trusted now.
    fn no_reading<'a>() -> Self::Input<'a>;
    /// The wish to end the session in order as its input.
    fn stop<'a>() -> Self::Input<'a>;
    /// That the network interface is down as its input.
    fn interface_down<'a>() -> Self::Input<'a>;
    /// What it demands now.
    fn demand(&self) -> Self::Demand;
    /// The address by which it is reached.
    fn address(&self) -> Ipv6Addr;
    /// How many of the frames that it was given were none of its business.
    fn ignored(&self) -> u64;
    /// Where it is, in one word.
    fn status(&self) -> &'static str;
}

impl<C: Channels, const N: usize> Role for Evse<'_, C, N> {
    type Demand = evse_fsm::Demand;
    type Reading = evse_fsm::Plant;

    fn frame(frame: &[u8]) -> EvseInput<'_> {
        EvseInput::Frame(frame)
    }

    fn reading<'a>(reading: evse_fsm::Plant) -> EvseInput<'a> {
        EvseInput::Plant(reading)
    }

    fn stop<'a>() -> EvseInput<'a> {
        EvseInput::Operator(evse_fsm::Operator::Stop)
    }

    fn no_reading<'a>() -> EvseInput<'a> {
        EvseInput::Plant(evse_fsm::Plant::default())
    }

    fn interface_down<'a>() -> EvseInput<'a> {
        EvseInput::InterfaceDown
    }

    fn demand(&self) -> evse_fsm::Demand {
        Self::demand(self)
    }

    fn address(&self) -> Ipv6Addr {
        Self::address(self)
    }

    fn ignored(&self) -> u64 {
        Self::ignored(self).into()
    }

    fn status(&self) -> &'static str {
        self.phase().name()
    }
}

impl<C: Channels, const N: usize> Role for Pev<'_, C, N> {
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

    fn no_reading<'a>() -> PevInput<'a> {
        PevInput::Plant(pev_fsm::Plant::default())
    }

    fn interface_down<'a>() -> PevInput<'a> {
        PevInput::InterfaceDown
    }

    fn demand(&self) -> pev_fsm::Demand {
        Self::demand(self)
    }

    fn address(&self) -> Ipv6Addr {
        Self::address(self)
    }

    fn ignored(&self) -> u64 {
        Self::ignored(self).into()
    }

    fn status(&self) -> &'static str {
        self.phase().name()
    }
}

/// Where frames come from and go to.
pub trait Port: AsFd {
    /// The next frame, or `None` when there is none now.
    ///
    /// # Errors
    /// [`Error::Down`] when the interface is off or gone.
    fn receive<'b>(&self, buffer: &'b mut [u8]) -> Result<Option<&'b [u8]>, Error>;

    /// Sends a frame; `false` when it is lost.
    ///
    /// # Errors
    /// As [`receive`](Self::receive).
    fn send(&self, frame: &[u8]) -> Result<bool, Error>;

    /// Opens it again after it was down.
    ///
    /// # Errors
    /// It is still down ([`Error::is_interface_down`]), or an error that waiting does not clear.
    fn reopen(&mut self) -> Result<(), Error>;

    /// From now on the role has this address.
    ///
    /// # Errors
    /// [`Error::Os`].
    fn hear(&self, address: Ipv6Addr) -> Result<(), Error>;

    /// What became of the frames that [`receive`](Self::receive) never gave.
    fn statistics(&self) -> PortStatistics;
}

/// What a port's kernel has counted since it was opened first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PortStatistics {
    /// Frames that came on the interface, for any program; absent where the kernel does not say.
    pub on_interface: Option<u64>,
    /// Frames that passed the filter: received, still waiting, or dropped.
    pub passed: u64,
    /// Of those, frames that found the receive buffer full.
    pub dropped: u64,
}

impl PortStatistics {
    /// Frames that the kernel's filter kept away. The kernel does not count them: they are what came on the
    /// interface without passing. A few of one kind are also in the other, because the two counters are not
    /// read at the same instant.
    pub fn filtered(&self) -> Option<u64> {
        self.on_interface.map(|all| all.saturating_sub(self.passed))
    }
}
