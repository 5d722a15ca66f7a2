//! The painted stack.

use core::ptr::{addr_of, read_volatile};

use crate::chip::PAINT;

/// Bytes of the stack that were ever used, and its size.
pub fn stack() -> (usize, usize) {
    unsafe extern "C" {
        static _stack_end: u32;
        static _stack_start: u32;
    }
    let (end, start) = (addr_of!(_stack_end), addr_of!(_stack_start));
    let size = start as usize - end as usize;
    let mut at = end;
    // SAFETY: reads from the stack's end to its start, all of it memory.
    while at < start && unsafe { read_volatile(at) } == PAINT {
        at = at.wrapping_add(1);
    }
    (start as usize - at as usize, size)
}
