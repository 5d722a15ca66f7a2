use std::net::Ipv6Addr;
use std::os::fd::AsFd;

use machine::Machine;
use roles::{Channels, Evse, EvseInput, Pev, PevInput};

use crate::{Demanded, Error};

/// A machine over Ethernet frames that a [`Runner`](crate::Runner) can drive.
pub trait Role: Machine {
    /// What the role demands of its plant.
    type Demand: Demanded;
    /// The snapshot that the role needs of its plant.
    type Reading;

    /// The input for a received frame.
    fn frame(frame: &[u8]) -> Self::Input<'_>;
    /// The input for a snapshot of the plant.
    fn reading<'a>(reading: Self::Reading) -> Self::Input<'a>;
    /// The input for a snapshot in which every reading is absent: the plant cannot be trusted at this time.
    fn no_reading<'a>() -> Self::Input<'a>;
    /// The input that requests a normal end of the session.
    fn stop<'a>() -> Self::Input<'a>;
    /// The input for an interface that is down.
    fn interface_down<'a>() -> Self::Input<'a>;
    /// The role's present demand: a level that the loop applies in every turn.
    fn demand(&self) -> Self::Demand;
    /// The role's IPv6 address; duplicate address detection may change it.
    fn address(&self) -> Ipv6Addr;
    /// Number of frames that the role received and ignored.
    fn ignored(&self) -> u64;
    /// Present phase in one word, for the service manager.
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

/// Source and destination of a role's frames.
pub trait Port: AsFd {
    /// The next frame; `None` when no frame waits. Does not block.
    ///
    /// # Errors
    /// [`Error::Down`] when the interface is down or removed.
    fn receive<'b>(&self, buffer: &'b mut [u8]) -> Result<Option<&'b [u8]>, Error>;

    /// Sends a frame; `false` when the frame is lost.
    ///
    /// # Errors
    /// As [`receive`](Self::receive).
    fn send(&self, frame: &[u8]) -> Result<bool, Error>;

    /// Opens the port again after it was down.
    ///
    /// # Errors
    /// [`Error::is_interface_down`] while it is still down; any other error does not clear by waiting.
    fn reopen(&mut self) -> Result<(), Error>;

    /// Sets the role's address, for the groups to which frames must be received.
    ///
    /// # Errors
    /// [`Error::Os`].
    fn hear(&self, address: Ipv6Addr) -> Result<(), Error>;

    /// Counts of the kernel, including frames that [`receive`](Self::receive) never returned.
    fn statistics(&self) -> PortStatistics;
}

/// Counts of a port's kernel side since the port was first opened.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PortStatistics {
    /// Frames that arrived at the interface, for any program; `None` where the kernel provides no count.
    pub on_interface: Option<u64>,
    /// Frames that passed the filter: received, still waiting, or dropped.
    pub passed: u64,
    /// Frames that passed the filter and found the receive buffer full.
    pub dropped: u64,
}

impl PortStatistics {
    /// Frames that the kernel's filter dropped. The kernel does not count them: this is the difference of the
    /// other counters. It can be off by a few frames, because the counters are not read at the same instant.
    pub fn filtered(&self) -> Option<u64> {
        self.on_interface.map(|all| all.saturating_sub(self.passed))
    }
}
