//! QEMU's machine `virt`: start, serial line, exit.

mod net;
mod watchdog;

use core::arch::global_asm;
use core::ptr::{read_volatile, write_volatile};

pub use net::Net;
pub use watchdog::{Timer, pause, resume};

use crate::register::write32;
use crate::safe_and_wait;

global_asm!(
    r#"
    .section .start, "ax"
    .globl _start
_start:
    la sp, _stack_start
    la t0, _bss_start
    la t1, _bss_end
1:  bgeu t0, t1, 2f
    sw zero, 0(t0)
    addi t0, t0, 4
    j 1b
    # The stack is painted, so that its deepest use can be read later.
2:  la t0, _stack_end
    la t1, _stack_start
    li t2, 0xA5A5A5A5
3:  bgeu t0, t1, 4f
    sw t2, 0(t0)
    addi t0, t0, 4
    j 3b
4:  li t0, 0x2000           # mstatus.FS: the floating-point registers are there
    csrs mstatus, t0
    la t0, _trap
    csrw mtvec, t0
    call main
5:  j 5b

    .balign 4
_trap:
    call trap
"#
);

const UART: usize = 0x1000_0000;
const TEST: usize = 0x0010_0000;
/// Value of an unused word of the stack.
pub const PAINT: u32 = 0xA5A5_A5A5;

/// A source of jitter against the clock.
pub fn jitter() -> u32 {
    retired()
}

/// Executed instructions, exact if the emulator counts them (`-icount`).
pub fn instructions() -> Option<u32> {
    Some(retired())
}

fn retired() -> u32 {
    let count: u32;
    // SAFETY: reads a counter of the core.
    unsafe { core::arch::asm!("csrr {0}, minstret", out(reg) count, options(nomem, nostack)) };
    count
}

/// The 16550 UART.
pub struct Uart;

impl board::Serial for Uart {
    fn read(&mut self) -> Option<u8> {
        let status = register(5);
        (status & 1 != 0).then(|| register(0))
    }

    fn write(&mut self, bytes: &[u8]) -> usize {
        let mut taken = 0;
        while let Some(byte) = bytes.get(taken).filter(|_| register(5) & 0x20 != 0) {
            // SAFETY: the UART's transmit register.
            unsafe { write_volatile(UART as *mut u8, *byte) };
            taken += 1;
        }
        taken
    }
}

fn register(offset: usize) -> u8 {
    // SAFETY: a register of the UART.
    unsafe { read_volatile((UART + offset) as *const u8) }
}

/// An interrupt of the watchdog, or a fault of the core.
#[unsafe(no_mangle)]
extern "C" fn trap() -> ! {
    let cause: u32;
    let at: u32;
    // SAFETY: reads registers of the core.
    unsafe {
        core::arch::asm!("csrr {0}, mcause", "csrr {1}, mepc", out(reg) cause, out(reg) at, options(nomem, nostack));
    }
    if cause == 0x8000_0007 {
        safe_and_wait(format_args!("watchdog: the loop has stopped"))
    } else {
        safe_and_wait(format_args!("fault {cause} at {at:#x}"))
    }
}

/// Ends the emulator with this exit code.
pub fn exit(code: u32) -> ! {
    write32(TEST, if code == 0 { 0x5555 } else { code << 16 | 0x3333 });
    loop {
        core::hint::spin_loop();
    }
}
