//! QEMU's machine `mps2-an386`, a Cortex-M4F: start, serial line, watchdog, exit.

mod net;

use core::arch::{asm, global_asm};
use core::sync::atomic::{AtomicU32, Ordering};

use hal_esp32p4::Stages;
use machine::Duration;

pub use net::Net;

use crate::register::{read32, write32};
use crate::safe_and_wait;

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
    // The stack is painted, so that its deepest use can be measured later.
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
const WATCHDOG_VALUE: usize = WATCHDOG + 4;
const WATCHDOG_CONTROL: usize = WATCHDOG + 8;
const WATCHDOG_CLEAR: usize = WATCHDOG + 12;
const WATCHDOG_LOCK: usize = WATCHDOG + 0xC00;
const SYSTICK: usize = 0xE000_E010;
/// Value of an unused word of the stack.
pub const PAINT: u32 = 0xA5A5_A5A5;

/// A source of jitter against the clock: the core's timer.
pub fn jitter() -> u32 {
    write32(SYSTICK + 4, 0x00FF_FFFF);
    write32(SYSTICK, 0b101);
    read32(SYSTICK + 8)
}

/// The core cannot read a count of instructions.
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

/// Counts of the watchdog in a microsecond: 25 MHz.
const COUNTS_A_US: u64 = 25;

/// The rest of the first stage's time.
pub struct Left(u32);

/// Stops the watchdog until [`resume`], as the board's clock stops: the board waits for its host.
pub fn pause() -> Left {
    let left = Left(read32(WATCHDOG_VALUE));
    write32(WATCHDOG, u32::MAX);
    left
}

/// Resumes the watchdog.
pub fn resume(left: &Left) {
    write32(WATCHDOG, left.0);
}

fn counts(time: Duration) -> u32 {
    u32::try_from(time.as_micros() * COUNTS_A_US).unwrap_or(u32::MAX)
}

/// The CMSDK's watchdog. Its NMI is the first stage and does not return; without an answer the reset follows
/// after the same time.
#[derive(Default)]
pub struct Timer {
    first: u32,
}

/// The time of the second stage.
static SECOND: AtomicU32 = AtomicU32::new(0);

impl Stages for Timer {
    type Error = core::convert::Infallible;

    fn start(&mut self, first: Duration, second: Duration) -> Result<(), Self::Error> {
        self.first = counts(first);
        SECOND.store(counts(second), Ordering::Relaxed);
        write32(WATCHDOG_LOCK, 0x1ACC_E551);
        self.feed();
        write32(WATCHDOG_CONTROL, 0b11);
        Ok(())
    }

    fn feed(&mut self) {
        write32(WATCHDOG, self.first);
        write32(WATCHDOG_CLEAR, 1);
    }
}

#[unsafe(no_mangle)]
extern "C" fn watchdog() -> ! {
    // The counter has restarted with the first stage's time.
    write32(WATCHDOG, SECOND.load(Ordering::Relaxed));
    safe_and_wait(format_args!("watchdog: the loop has stopped"))
}

#[unsafe(no_mangle)]
extern "C" fn fault(exception: u32) -> ! {
    safe_and_wait(format_args!("fault {exception}"))
}

/// Ends the emulator with this exit code: semihosting's `SYS_EXIT_EXTENDED`, as a normal end of an
/// application.
pub fn exit(code: u32) -> ! {
    let block = [0x2_0026, code];
    loop {
        // SAFETY: the emulator reads the block and ends.
        unsafe { asm!("bkpt #0xAB", in("r0") 0x20, in("r1") block.as_ptr()) };
    }
}
