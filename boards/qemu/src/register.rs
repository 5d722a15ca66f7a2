//! Registers of a machine.

use core::ptr::{read_volatile, write_volatile};

/// The value of a register. `at` is a register of the machine, aligned.
pub fn read32(at: usize) -> u32 {
    // SAFETY: a register of the machine, aligned, whose reading has no effect on memory.
    unsafe { read_volatile(at as *const u32) }
}

/// Sets a register. `at` is a register of the machine, aligned.
pub fn write32(at: usize, value: u32) {
    // SAFETY: a register of the machine, aligned; none of those written here has an effect on memory.
    unsafe { write_volatile(at as *mut u32, value) }
}
