//! A car outside of this machine's world, on a network interface: its frames are real, its pilot and
//! contactors are simulated.

use exi_din::BodyElement;
use hal_linux::{Clock, Interface, PacketSocket};
use machine::{Duration, Instant};
use wire::{Driven, coil};

use crate::work::message;

/// Longest advance of the board in one exchange, if this machine is slow.
const SLOW: Duration = Duration::from_millis(10);

/// The interface, and the pilot of the car on it.
pub(crate) struct Outside {
    socket: PacketSocket,
    buffer: Vec<u8>,
    clock: Clock,
    driven: Driven,
}

impl Outside {
    /// Opens the interface. Needs `CAP_NET_RAW`.
    pub(crate) fn open(interface: &str) -> anyhow::Result<Self> {
        let interface = Interface::find(interface)?;
        Ok(Self {
            socket: PacketSocket::open(&interface, interface.mac(), true)?,
            buffer: vec![0; PacketSocket::MAX_FRAME],
            clock: Clock::start(),
            driven: Driven::default(),
        })
    }

    /// Time up to which the board may advance: its clock is this machine's. `None`: not further yet.
    pub(crate) fn until(&self, least: Instant) -> Option<Instant> {
        let now = self.clock.now();
        (now >= least).then(|| now.min(least + SLOW))
    }

    /// The car's drive, derived from its messages: pilot C from its first `CableCheckReq` until it ends
    /// charging.
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

    /// Sends it a frame. Without room the frame is lost, as on any wire.
    pub(crate) fn send(&self, frame: &[u8]) -> anyhow::Result<()> {
        self.socket.send(frame)?;
        Ok(())
    }
}
