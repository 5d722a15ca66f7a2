//! A simulated QCA7000 on the bus: registers and buffers byte by byte, as in AN4 and the recordings, with
//! faults. It uses only public constants of the crate.

use std::collections::VecDeque;

use embedded_hal::spi::Operation;
use machine::{Duration, Instant};

/// Size of each of the chip's buffers.
pub(super) const BUFFER: usize = 0x0C5B;
/// Bits of the register that a host must not change.
const CONFIG: u16 = 0x0003;
const CPU_ON: u16 = 0x40;
const WRITE_ERROR: u16 = 0x04;
const READ_ERROR: u16 = 0x02;
const PACKET: u16 = 0x01;
/// Set in every recorded cause.
const BELOW_WATERMARK: u16 = 0x400;

/// An event in the chip just before a transaction.
pub(super) type Fault = Box<dyn FnOnce(&mut Chip)>;

#[allow(clippy::struct_excessive_bools, reason = "each is a fault of its own")]
pub(super) struct Chip {
    pub now: Instant,
    /// Until then it responds with 0000.
    started: Instant,
    /// Time from a reset to the first signature.
    pub boot: Duration,
    /// The next read has no meaning.
    dummy: bool,
    pub enable: u16,
    pub cause: u16,
    /// `PKT_AVLBL` cannot be acknowledged while bytes are available.
    pub level: bool,
    size: usize,
    to_host: VecDeque<u8>,
    /// Bytes in the write buffer.
    pub used: usize,
    /// How long a frame stays in the write buffer; `None` for always.
    pub drain: Option<Duration>,
    leaving: VecDeque<(Instant, usize)>,
    /// Data that the host wrote, with its framing.
    pub written: Vec<Vec<u8>>,
    pub resets: usize,
    /// Resets have no effect.
    pub ignores_reset: bool,
    /// MISO has this value.
    pub mute: Option<u8>,
    /// The next transaction fails.
    pub fails: bool,
    /// The interrupt's line is broken, or its pin cannot be read.
    pub no_interrupt: bool,
    pub pin_fails: bool,
    /// Bytes are always available, and all of them are invalid.
    pub endless: bool,
    /// Number of transactions so far, and the events before some of them.
    pub transactions: usize,
    pub faults: Vec<(usize, Fault)>,
    /// Violations of the protocol by the host.
    pub mistakes: Vec<String>,
}

impl Chip {
    pub(super) fn new(boot: Duration) -> Self {
        let mut chip = Self {
            now: Instant::ZERO,
            started: Instant::ZERO,
            boot,
            dummy: true,
            enable: 0,
            cause: 0,
            level: false,
            size: 0,
            to_host: VecDeque::new(),
            used: 0,
            drain: Some(Duration::from_millis(1)),
            leaving: VecDeque::new(),
            written: Vec::new(),
            resets: 0,
            ignores_reset: false,
            mute: None,
            fails: false,
            no_interrupt: false,
            pin_fails: false,
            endless: false,
            transactions: 0,
            faults: Vec::new(),
            mistakes: Vec::new(),
        };
        chip.restart();
        chip
    }

    /// Start after power, a command over the power line, or the reset bit.
    pub(super) fn restart(&mut self) {
        self.started = self.now + self.boot;
        self.dummy = true;
        self.enable = CPU_ON;
        self.cause = CPU_ON | BELOW_WATERMARK;
        self.to_host.clear();
        self.leaving.clear();
        (self.used, self.size) = (0, 0);
    }

    /// A frame arrives from the power line; a full buffer drops it.
    pub(super) fn receive(&mut self, frame: &[u8]) {
        self.offer(&framed(frame));
    }

    /// Bytes for the host, whole frames or not.
    pub(super) fn offer(&mut self, bytes: &[u8]) {
        if self.now >= self.started && self.to_host.len() + bytes.len() <= BUFFER + 4 {
            self.to_host.extend(bytes);
            self.cause |= PACKET;
        }
    }

    pub(super) fn waiting(&self) -> usize {
        self.to_host.len()
    }

    /// The level of the interrupt.
    pub(super) fn interrupt(&self) -> bool {
        !self.no_interrupt && self.now >= self.started && self.cause & self.enable != 0
    }

    fn space(&mut self) -> usize {
        while self.leaving.front().is_some_and(|(at, _)| *at <= self.now) {
            self.used -= self.leaving.pop_front().unwrap().1;
        }
        BUFFER - self.used
    }

    fn get(&mut self, address: u16) -> u16 {
        if self.now < self.started {
            return 0;
        }
        if std::mem::take(&mut self.dummy) {
            return 0xFFFF;
        }
        let word = |length: usize| u16::try_from(length).unwrap();
        match address {
            0x0200 => word(self.space()),
            0x0300 => {
                if self.endless {
                    self.offer(&[0x5B; 500]);
                }
                word(self.to_host.len())
            }
            0x0400 => CONFIG,
            0x0C00 => {
                if self.enable != 0 {
                    self.mistakes.push("the cause is read while interrupts are on".into());
                }
                self.cause
            }
            0x0D00 => self.enable,
            0x1A00 => 0xAA55,
            _ => panic!("no register {address:04X}"),
        }
    }

    fn set(&mut self, address: u16, value: u16) {
        if self.now < self.started {
            return;
        }
        match address {
            0x0100 => self.size = value.into(),
            0x0400 if value & 0x40 != 0 => {
                self.resets += 1;
                if value != CONFIG | 0x40 {
                    self.mistakes.push(format!("{value:04X} written into the configuration"));
                }
                if !self.ignores_reset {
                    self.restart();
                }
            }
            0x0400 => {}
            0x0C00 => {
                self.cause &= !value | BELOW_WATERMARK;
                if self.level && !self.to_host.is_empty() {
                    self.cause |= PACKET;
                }
            }
            0x0D00 => self.enable = value,
            _ => panic!("no register {address:04X} to write"),
        }
    }

    fn read_frames(&mut self, into: &mut [u8]) {
        if into.len() != self.size {
            self.mistakes.push(format!("{} bytes read, {} announced", into.len(), self.size));
        }
        if into.len() > self.to_host.len() {
            self.cause |= READ_ERROR;
            self.mistakes.push(format!("{} bytes read of {}", into.len(), self.to_host.len()));
        }
        for byte in into {
            *byte = self.to_host.pop_front().unwrap_or(0);
        }
    }

    fn write_frame(&mut self, bytes: &[u8]) {
        if bytes.len() != self.size {
            self.mistakes.push(format!("{} bytes written, {} announced", bytes.len(), self.size));
        }
        let space = self.space();
        if bytes.len() + 4 > space {
            self.cause |= WRITE_ERROR;
            self.mistakes.push(format!("{} bytes written into {space}", bytes.len()));
            return;
        }
        self.used += bytes.len() + 4;
        if let Some(drain) = self.drain {
            self.leaving.push_back((self.now + drain, bytes.len() + 4));
        }
        self.written.push(bytes.to_vec());
    }

    pub(super) fn transaction(&mut self, command: [u8; 2], data: &mut Operation<'_, u8>) {
        let command = u16::from_be_bytes(command);
        let address = command & 0x3FFF;
        let answers = self.now >= self.started;
        match data {
            Operation::Read(into) if command & 0x4000 != 0 => {
                assert_eq!((command >> 15, into.len()), (1, 2), "{command:04X}");
                into.copy_from_slice(&self.get(address).to_be_bytes());
            }
            Operation::Write(bytes) if command & 0x4000 != 0 => {
                assert_eq!((command >> 15, bytes.len()), (0, 2), "{command:04X}");
                self.set(address, u16::from_be_bytes([bytes[0], bytes[1]]));
            }
            Operation::Read(into) if answers => {
                assert_eq!(command, 0x8000);
                self.read_frames(into);
            }
            Operation::Write(bytes) if answers => {
                assert_eq!(command, 0);
                self.write_frame(bytes);
            }
            _ => {}
        }
        if let (Operation::Read(into), Some(mute)) = (data, self.mute) {
            into.fill(mute);
        }
    }
}

/// A frame in the chip's format.
pub(super) fn framed(frame: &[u8]) -> Vec<u8> {
    let length = u16::try_from(frame.len()).unwrap();
    let [low, high] = length.to_le_bytes();
    let outer = u32::from(length + 10).to_be_bytes();
    [&outer[..], &[0xAA, 0xAA, 0xAA, 0xAA, low, high, 0, 0], frame, &[0x55, 0x55]].concat()
}
