//! Emulated boards: QEMU's machines with the parts that the main loop requires.
//!
//! The physical side - pilot, contacts, power stage, battery - comes from the host in frames of a private
//! EtherType (crate `wire`). Pins, PWM and ADC convert it into the parts of a board, so that the loop
//! measures as on a real one.
#![no_std]

#[cfg_attr(target_arch = "arm", path = "arm/mod.rs")]
#[cfg_attr(target_arch = "riscv32", path = "riscv/mod.rs")]
mod chip;

mod parts;
mod physical;
mod register;
mod stack;

use core::fmt::{self, Write as _};
use core::sync::atomic::{AtomicBool, Ordering};

use board::Serial;

pub use chip::exit;
pub use parts::{Emulated, Pins, board, car, charger, flash};
pub use stack::stack;

/// The serial line, written synchronously: for use when no other code runs any more.
struct Line;

impl fmt::Write for Line {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let mut rest = text.as_bytes();
        while !rest.is_empty() {
            let taken = chip::Uart.write(rest);
            rest = rest.get(taken..).unwrap_or_default();
        }
        Ok(())
    }
}

/// Makes everything SAFE, logs the reason and waits for the watchdog's reset: for a panic, a fault and the
/// watchdog's first stage.
fn safe_and_wait(why: fmt::Arguments<'_>) -> ! {
    static HAS_BEGUN: AtomicBool = AtomicBool::new(false);
    // Otherwise this is the watchdog's first stage after a panic, or a panic in this function.
    if !HAS_BEGUN.load(Ordering::Relaxed) {
        HAS_BEGUN.store(true, Ordering::Relaxed);
        let _ = match parts::make_safe() {
            None => writeln!(Line, "SAFE: {why}"),
            Some(driven) => writeln!(Line, "NOT SAFE, {driven:?}: {why}"),
        };
    }
    // No wait instruction: an emulated Arm core is slow with it.
    loop {}
}

#[panic_handler]
fn panic(info: &core::panic::PanicInfo<'_>) -> ! {
    safe_and_wait(format_args!("{info}"))
}

/// Ends the emulator after a role's end; logs the stack's deepest use.
pub fn end(exit: board::Exit) -> ! {
    let (used, size) = stack();
    let _ = writeln!(Line, "end: {exit:?}; stack {used} of {size} bytes");
    chip::exit(0)
}
