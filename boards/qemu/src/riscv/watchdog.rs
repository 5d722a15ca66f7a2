//! A watchdog of two stages: the machine timer's interrupt, and the reset of an Intel 6300ESB, whose own
//! first interrupt QEMU does not implement.

use core::ptr::write_volatile;

use hal_esp32p4::Stages;
use machine::Duration;

use crate::register::{read32, write32};

const CLINT: usize = 0x0200_0000;
const MTIMECMP: usize = CLINT + 0x4000;
const MTIME: usize = CLINT + 0xBFF8;
/// Counts of `mtime` in a microsecond.
const COUNTS_A_US: u64 = 10;

/// Configuration space of the first device on the PCI bus, where the emulator has the 6300ESB.
const PCI: usize = 0x3000_0000 + (1 << 15);
const PCI_COMMAND: usize = PCI + 4;
const PCI_BAR0: usize = PCI + 0x10;
const PCI_CONFIG: usize = PCI + 0x60;
const PCI_LOCK: usize = PCI + 0x68;
/// Its device and vendor identifier.
const PRESENT: u32 = 0x25AB_8086;
/// Address that its registers are mapped to: the first that `virt` has for them.
const ESB: usize = 0x4000_0000;
const RELOAD: usize = ESB + 0xC;

/// The count of `mtime`.
fn mtime() -> u64 {
    loop {
        let (high, low) = (read32(MTIME + 4), read32(MTIME));
        if read32(MTIME + 4) == high {
            return u64::from(high) << 32 | u64::from(low);
        }
    }
}

/// Sets the time of the interrupt.
fn set(at: u64) {
    write32(MTIMECMP + 4, u32::MAX);
    write32(MTIMECMP, at as u32);
    write32(MTIMECMP + 4, (at >> 32) as u32);
}

fn write16(at: usize, value: u16) {
    // SAFETY: a register of the 6300ESB, aligned, without an effect on memory.
    unsafe { write_volatile(at as *mut u16, value) };
}

/// Two writes that must precede each effective one.
fn unlock() {
    write16(RELOAD, 0x80);
    write16(RELOAD, 0x86);
}

fn reload() {
    unlock();
    write16(RELOAD, 0x100);
}

/// The rest of the first stage's time.
pub struct Left(u64);

/// Stops the watchdog until [`resume`], as the board's clock stops: the board waits for its host.
pub fn pause() -> Left {
    let at = u64::from(read32(MTIMECMP + 4)) << 32 | u64::from(read32(MTIMECMP));
    let left = Left(at.saturating_sub(mtime()));
    set(u64::MAX);
    left
}

/// Resumes the watchdog.
pub fn resume(left: &Left) {
    set(mtime().saturating_add(left.0));
    reload();
}

/// The hardware of the watchdog.
#[derive(Default)]
pub struct Timer {
    first: u64,
}

/// The 6300ESB is missing: start the emulator with it.
#[derive(Debug)]
pub struct Missing;

impl Stages for Timer {
    type Error = Missing;

    fn start(&mut self, first: Duration, second: Duration) -> Result<(), Missing> {
        if read32(PCI) != PRESENT {
            return Err(Missing);
        }
        write32(PCI_BAR0, ESB as u32);
        write32(PCI_COMMAND, 0b10);
        // Interrupt off, reset on, counts of about 1 ms; then its two times, and start.
        write16(PCI_CONFIG, 0b11);
        for (register, time) in [(ESB, first), (ESB + 4, second)] {
            unlock();
            write32(register, u32::try_from(time.as_millis()).unwrap_or(u32::MAX));
        }
        // SAFETY: a register of the 6300ESB that accepts a single byte.
        unsafe { write_volatile(PCI_LOCK as *mut u8, 0b10) };
        self.first = first.as_micros() * COUNTS_A_US;
        self.feed();
        // SAFETY: enables the timer's interrupt, whose handler does not return.
        unsafe {
            core::arch::asm!("csrs mie, {0}", "csrsi mstatus, 8", in(reg) 1_u32 << 7, options(nomem, nostack));
        }
        Ok(())
    }

    fn feed(&mut self) {
        set(mtime() + self.first);
        reload();
    }
}
