//! QEMU's machine `mps2-an386`, a Cortex-M4F: start, serial line, watchdog, exit.

mod net;

use core::arch::{asm, global_asm};

use hal_esp32p4::Stages;
use machine::Duration;

pub use net::Net;

use crate::register::{read32, write32};
use crate::safe_and_exit;

global_asm!(
    r#"
    .section .start, "ax"
    .word _stack_start
    .word _start
    .word _watchdog         // NMI
    .word _fault            // hard fault, which the others become
    .word _fault
    .word _fault
    .word _fault

    .globl _start
    .thumb_func
_start:
    ldr r0, =_bss_start
    ldr r1, =_bss_end
    movs r2, #0
    bl _fill
    // The stack is painted, so that its deepest use can be read later.
    ldr r0, =_stack_end
    ldr r1, =_stack_start
    ldr r2, =0xA5A5A5A5
    bl _fill
    ldr r0, =0xE000ED88     // CPACR: the floating-point registers are there
    ldr r1, [r0]
    orr r1, r1, #0xF00000
    str r1, [r0]
    dsb
    isb
    ldr r0, =0x40004000     // the UART: its divider, which must be 16 or more, then both ways on
    movs r1, #16
    str r1, [r0, #16]
    movs r1, #3
    str r1, [r0, #8]
    bl main
1:  b 1b

    .thumb_func
_fill:
    cmp r0, r1
    bhs 2f
    str r2, [r0], #4
    b _fill
2:  bx lr

    .thumb_func
_watchdog:
    b watchdog

    .thumb_func
_fault:
    mrs r0, ipsr
    b fault
"#
);

const UART: usize = 0x4000_4000;
const UART_STATE: usize = UART + 4;
const WATCHDOG: usize = 0x4000_8000;
const WATCHDOG_CONTROL: usize = WATCHDOG + 8;
const WATCHDOG_CLEAR: usize = WATCHDOG + 12;
const WATCHDOG_LOCK: usize = WATCHDOG + 0xC00;
const SYSTICK: usize = 0xE000_E010;
/// What an unused word of the stack is.
pub const PAINT: u32 = 0xA5A5_A5A5;

/// A source of jitter against the clock: the core's timer.
pub fn jitter() -> u32 {
    write32(SYSTICK + 4, 0x00FF_FFFF);
    write32(SYSTICK, 0b101);
    read32(SYSTICK + 8)
}

/// The emulator counts no instructions where the core can read them.
pub fn instructions() -> Option<u32> {
    None
}

/// The CMSDK's UART.
pub struct Uart;

impl board::Serial for Uart {
    fn read(&mut self) -> Option<u8> {
        let [byte, ..] = (read32(UART_STATE) & 0b10 != 0).then(|| read32(UART))?.to_le_bytes();
        Some(byte)
    }

    fn write(&mut self, bytes: &[u8]) -> usize {
        let is_free = || read32(UART_STATE) & 1 == 0;
        bytes.iter().take_while(|_| is_free()).map(|byte| write32(UART, u32::from(*byte))).count()
    }
}

/// When the interrupt comes without a feeding, in counts of 25 MHz: a minute, because the board's clock stands while the host is
/// slow, and this one does not.
const PATIENCE: u32 = 1_500_000_000;

/// The CMSDK's watchdog: its NMI is the first stage and does not return; without it the reset comes as late again.
pub struct Timer;

impl Stages for Timer {
    type Error = core::convert::Infallible;

    fn start(&mut self, _: Duration, _: Duration) -> Result<(), Self::Error> {
        write32(WATCHDOG_LOCK, 0x1ACC_E551);
        write32(WATCHDOG, PATIENCE);
        write32(WATCHDOG_CONTROL, 0b11);
        Ok(())
    }

    fn feed(&mut self) {
        write32(WATCHDOG_CLEAR, 1);
    }
}

#[unsafe(no_mangle)]
extern "C" fn watchdog() -> ! {
    safe_and_exit(format_args!("watchdog: the loop has stopped"), 3)
}

#[unsafe(no_mangle)]
extern "C" fn fault(exception: u32) -> ! {
    safe_and_exit(format_args!("fault {exception}"), 4)
}

/// Ends the emulator with this exit code: semihosting's `SYS_EXIT_EXTENDED`, as an application that ended.
pub fn exit(code: u32) -> ! {
    let block = [0x2_0026, code];
    loop {
        // SAFETY: the emulator reads the block and ends.
        unsafe { asm!("bkpt #0xAB", in("r0") 0x20, in("r1") block.as_ptr()) };
    }
}
