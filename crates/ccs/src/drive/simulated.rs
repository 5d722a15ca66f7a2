//! A host at a simulated modem, in virtual time.

use std::collections::VecDeque;

use hal_linux::Error;
use machine::{Entropy, Instant, ScriptedEntropy};
use roles::Mac;
use sim::{ModemConfig, ModemKind, Port, PowerLine};

use super::{Next, Wire};

/// The host at the first modem of a power line.
pub(crate) struct SimulatedWire {
    /// The power line with its modems.
    pub line: PowerLine,
    /// Host port of the first modem.
    pub port: Port,
    /// Every frame that the host sent, oldest first.
    pub sent: Vec<Vec<u8>>,
    /// When Ctrl-C is pressed.
    pub interrupt_at: Option<Instant>,
    /// Ctrl-C is pressed as soon as this many frames were sent.
    pub interrupt_after: Option<usize>,
    now: Instant,
    inbox: VecDeque<Vec<u8>>,
    entropy: ScriptedEntropy<'static>,
}

impl SimulatedWire {
    /// Address of the host.
    pub(crate) const HOST: Mac = Mac([0x02, 0, 0, 0, 0, 0x5E]);
    /// Address of its modem, a charger's.
    pub(crate) const OWN: Mac = Mac([0x02, 0xB0, 0x52, 0, 0, 0xE0]);
    /// Address of the modem at the other end, a car's.
    pub(crate) const OTHER: Mac = Mac([0x02, 0xB0, 0x52, 0, 0, 0xC0]);

    /// A charger's modem at the host, and a car's at the other end.
    pub(crate) fn pair(own: ModemKind, other: ModemKind) -> Self {
        Self::with(&[ModemConfig::evse(own, Self::OWN), ModemConfig::pev(other, Self::OTHER)])
    }

    /// A power line with these modems; the host is at the first one.
    pub(crate) fn with(modems: &[ModemConfig]) -> Self {
        let mut line = PowerLine::new(1);
        for modem in modems {
            line.add_modem(Instant::ZERO, *modem);
        }
        Self {
            line,
            port: Port(0),
            sent: Vec::new(),
            interrupt_at: None,
            interrupt_after: None,
            now: Instant::ZERO,
            inbox: VecDeque::new(),
            entropy: ScriptedEntropy::new(&[7, 1, 4, 9, 2]),
        }
    }

    /// How often a message of this type was sent.
    pub(crate) fn count(&self, mm_type: u16) -> usize {
        let of_type = |frame: &&Vec<u8>| {
            homeplug_mme::Frame::parse(frame).is_ok_and(|frame| frame.mm_type.0 == mm_type)
        };
        self.sent.iter().filter(of_type).count()
    }
}

impl Wire for SimulatedWire {
    fn now(&self) -> Instant {
        self.now
    }

    fn entropy(&mut self) -> &mut dyn Entropy {
        &mut self.entropy
    }

    fn send(&mut self, frame: &[u8]) -> Result<(), Error> {
        self.sent.push(frame.to_vec());
        self.line.handle(self.now, self.port, frame);
        Ok(())
    }

    fn next<'b>(&mut self, until: Instant, buffer: &'b mut [u8]) -> Result<Next<'b>, Error> {
        loop {
            let wanted = self.interrupt_at.is_some_and(|at| self.now >= at)
                || self.interrupt_after.is_some_and(|frames| self.sent.len() >= frames);
            if wanted {
                return Ok(Next::Interrupt);
            }
            self.line.handle_timeout(self.now);
            while let Some((port, frame)) = self.line.poll_transmit() {
                if port == self.port {
                    self.inbox.push_back(frame);
                }
            }
            if let Some(frame) = self.inbox.pop_front() {
                let room = &mut buffer[..frame.len()];
                room.copy_from_slice(&frame);
                return Ok(Next::Frame(room));
            }
            if self.now >= until {
                return Ok(Next::Nothing);
            }
            self.now = self.line.poll_timeout().map_or(until, |at| at.min(until)).max(self.now);
        }
    }
}
