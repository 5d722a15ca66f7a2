//! A power line on a bench: the tests themselves are the hosts.
#![allow(dead_code, reason = "each test uses its part")]

use homeplug_mme::view::View;
use homeplug_mme::{Frame, MAX_FRAME, Mac, Message, MessageError, NetworkKey, Nmk, emit};
use machine::{Duration, Instant};
use sim::power_line::LineEvent;
use sim::{ModemConfig, Port, PowerLine};

/// MAC address of the car's host.
pub(crate) const CAR: Mac = Mac([2, 0, 0, 0, 0, 0xE1]);
/// MAC address of the charger's host.
pub(crate) const CHARGER: Mac = Mac([2, 0, 0, 0, 0, 0x5E]);
/// MAC address of the car's modem.
pub(crate) const CAR_MODEM: Mac = Mac([0, 0xB0, 0x52, 0, 1, 0xE1]);
/// MAC address of the charger's modem.
pub(crate) const CHARGER_MODEM: Mac = Mac([0, 0xB0, 0x52, 0, 1, 0x5E]);

/// A key that no modem has.
pub(crate) fn key(byte: u8) -> NetworkKey {
    NetworkKey::derived(Nmk::new([byte; 16]))
}

/// The frame of a message.
pub(crate) fn frame<'m, M: Message<'m>>(message: &M, to: Mac, from: Mac) -> Vec<u8> {
    let mut buffer = vec![0; MAX_FRAME];
    let length = emit(message, to, from, &mut buffer).unwrap_or_default();
    buffer.truncate(length);
    buffer
}

/// The message in a frame.
pub(crate) fn view(frame: &[u8]) -> Result<View<'_>, MessageError> {
    let parsed = Frame::parse(frame).map_err(|_| MessageError::Short { at: 0 })?;
    View::of(&parsed)
}

/// The destination of a frame.
pub(crate) fn to(frame: &[u8]) -> Mac {
    Mac(frame.first_chunk().copied().unwrap_or_default())
}

/// The source of a frame.
pub(crate) fn from(frame: &[u8]) -> Mac {
    Mac(frame.get(6..).and_then(<[u8]>::first_chunk).copied().unwrap_or_default())
}

/// A power line in virtual time, with the frames and events that came.
pub(crate) struct Bench {
    pub line: PowerLine,
    pub now: Instant,
    pub arrived: Vec<(Port, Vec<u8>)>,
    pub events: Vec<(Instant, LineEvent)>,
}

impl Bench {
    pub(crate) fn new(seed: u64) -> Self {
        Self { line: PowerLine::new(seed), now: Instant::ZERO, arrived: Vec::new(), events: Vec::new() }
    }

    /// A bench with modems; ports are counted from 0.
    pub(crate) fn with(modems: &[ModemConfig]) -> Self {
        let mut bench = Self::new(1);
        for modem in modems {
            bench.line.add_modem(Instant::ZERO, *modem);
        }
        bench
    }

    /// Advances the time.
    pub(crate) fn run(&mut self, millis: u64) {
        let end = self.now + Duration::from_millis(millis);
        while let Some(at) = self.line.poll_timeout().filter(|at| *at <= end) {
            self.now = at;
            self.line.handle_timeout(at);
            self.collect();
        }
        self.now = end;
    }

    /// Sends a frame from the host at `port`.
    pub(crate) fn send(&mut self, port: Port, frame: &[u8]) {
        self.line.handle(self.now, port, frame);
        self.collect();
    }

    /// Sends a message to the own modem; returns the answers of the next 100 ms.
    pub(crate) fn ask<'m, M: Message<'m>>(&mut self, port: Port, message: &M) -> Vec<Vec<u8>> {
        self.send_and_wait(
            port,
            &frame(message, Mac::LOCAL_MODEM, if port == Port(0) { CAR } else { CHARGER }),
        )
    }

    /// Sends a frame; returns the answers of the next 100 ms.
    pub(crate) fn send_and_wait(&mut self, port: Port, frame: &[u8]) -> Vec<Vec<u8>> {
        self.arrived.clear();
        self.send(port, frame);
        self.run(100);
        self.at(port)
    }

    /// What has arrived at `port`.
    pub(crate) fn at(&self, port: Port) -> Vec<Vec<u8>> {
        self.arrived.iter().filter(|(at, _)| *at == port).map(|(_, frame)| frame.clone()).collect()
    }

    /// Time of the last such event.
    pub(crate) fn when(&self, event: LineEvent) -> Option<Instant> {
        self.events.iter().rev().find(|(_, seen)| *seen == event).map(|(at, _)| *at)
    }

    fn collect(&mut self) {
        self.arrived.extend(std::iter::from_fn(|| self.line.poll_transmit()));
        self.events.extend(std::iter::from_fn(|| self.line.poll_event()).map(|event| (self.now, event)));
    }
}
