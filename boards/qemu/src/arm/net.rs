//! The LAN9118, whose FIFOs are read and written word by word.

use crate::register::{read32, write32};

const BASE: usize = 0x4020_0000;
const RX_DATA: usize = BASE;
const TX_DATA: usize = BASE + 0x20;
const RX_STATUS: usize = BASE + 0x40;
const TX_STATUS: usize = BASE + 0x48;
const BYTE_TEST: usize = BASE + 0x64;
const TX_CONFIG: usize = BASE + 0x70;
const HARDWARE_CONFIG: usize = BASE + 0x74;
const RX_LEVEL: usize = BASE + 0x7C;
const TX_LEVEL: usize = BASE + 0x80;
const MAC_COMMAND: usize = BASE + 0xA4;
const MAC_DATA: usize = BASE + 0xA8;

/// Value of `BYTE_TEST` if the device is present and the byte order is right.
const PRESENT: u32 = 0x8765_4321;
/// `HW_CFG`: store and forward, which must be set.
const STORE_AND_FORWARD: u32 = 1 << 20;
/// `TX_CFG`: on.
const TX_ON: u32 = 1 << 1;
/// `MAC_CR`, register 1 of the MAC: transmit, receive, and accept every frame.
const MAC_CONTROL: u32 = 1;
const MAC_ON: u32 = 1 << 3 | 1 << 2 | 1 << 18;
/// A command to the MAC: begin.
const BUSY: u32 = 1 << 31;
/// A transmit command: the frame's first and last segment.
const WHOLE: u32 = 1 << 13 | 1 << 12;
/// A receive status: the frame is damaged.
const DAMAGED: u32 = 1 << 15;
/// Bytes of a frame's check sequence.
const CHECK: usize = 4;

/// The network device.
pub struct Net;

impl Net {
    /// The device; `None` if it is absent.
    pub fn new() -> Option<Self> {
        if read32(BYTE_TEST) != PRESENT {
            return None;
        }
        write32(HARDWARE_CONFIG, read32(HARDWARE_CONFIG) | STORE_AND_FORWARD);
        write32(MAC_DATA, MAC_ON);
        write32(MAC_COMMAND, BUSY | MAC_CONTROL);
        write32(TX_CONFIG, TX_ON);
        Some(Self)
    }

    /// Writes the next frame into `room`, as far as it fits; returns its length.
    pub fn receive(&mut self, room: &mut [u8]) -> Option<usize> {
        // Frames with a waiting status.
        if read32(RX_LEVEL) >> 16 & 0xFF == 0 {
            return None;
        }
        let status = read32(RX_STATUS);
        let length = (status >> 16 & 0x3FFF) as usize;
        let mut places = room.iter_mut();
        for _ in 0..length.div_ceil(4) {
            let bytes = read32(RX_DATA).to_le_bytes();
            for (to, from) in places.by_ref().take(4).zip(bytes) {
                *to = from;
            }
        }
        (status & DAMAGED == 0).then(|| length.saturating_sub(CHECK))
    }

    /// Sends a frame.
    pub fn send(&mut self, frame: &[u8]) -> bool {
        // A waiting status belongs to an earlier frame.
        if read32(TX_LEVEL) >> 16 & 0xFF != 0 {
            read32(TX_STATUS);
        }
        let length = frame.len() as u32;
        if (read32(TX_LEVEL) & 0xFFFF) < length + 16 {
            return false;
        }
        write32(TX_DATA, WHOLE | length);
        write32(TX_DATA, length);
        for word in frame.chunks(4) {
            let bytes = word.iter().rev().fold(0, |bytes, byte| bytes << 8 | u32::from(*byte));
            write32(TX_DATA, bytes);
        }
        true
    }
}
