//! A car outside of this machine's world, on a network interface: its frames are real, its pilot and
//! contactors are not.

use exi_din::BodyElement;
use hal_linux::{Clock, Interface, PacketSocket};
use machine::{Duration, Instant};
use wire::{Driven, coil};

use crate::work::message;

/// How far the board goes on in one exchange at most, where this machine is slow.
const SLOW: Duration = Duration::from_millis(10);

/// The interface, and the pilot of the car behind it.
pub(crate) struct Outside {
    socket: PacketSocket,
    buffer: Vec<u8>,
    clock: Clock,
    driven: Driven,
}

impl Outside {
    /// Opens the interface. Needs the right to (`CAP_NET_RAW`).
    pub(crate) fn open(interface: &str) -> anyhow::Result<Self> {
        let interface = Interface::find(interface)?;
        Ok(Self {
            socket: PacketSocket::open(&interface, interface.mac(), true)?,
            buffer: vec![0; PacketSocket::MAX_FRAME],
            clock: Clock::start(),
            driven: Driven::default(),
        })
    }

    /// Up to when the board may go on: its clock is this machine's. `None`: not yet further than it is.
    pub(crate) fn until(&self, least: Instant) -> Option<Instant> {
        let now = self.clock.now();
        (now >= least).then(|| now.min(least + SLOW))
    }

    /// What the car drives, by its messages: pilot C from its first `CableCheckReq` until it ends charging.
    pub(crate) const fn driven(&self) -> &Driven {
        &self.driven
    }

    /// The car's next frame.
    pub(crate) fn receive(&mut self) -> anyhow::Result<Option<&[u8]>> {
        let frame = self.socket.receive(&mut self.buffer)?;
        match frame.and_then(message).and_then(|message| message.body.element) {
            Some(BodyElement::CableCheckReq(_)) => self.driven.coils = coil::RELAY,
            Some(BodyElement::PowerDeliveryReq(request)) if !request.ready_to_charge_state => {
                self.driven.coils = 0;
            }
            _ => {}
        }
        Ok(frame)
    }

    /// Gives it a frame. One for which there is no room is lost, as on any wire.
    pub(crate) fn send(&self, frame: &[u8]) -> anyhow::Result<()> {
        self.socket.send(frame)?;
        Ok(())
    }
}
