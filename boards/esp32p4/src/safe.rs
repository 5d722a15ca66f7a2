//! The SAFE sequence after a panic, and from the watchdog's first stage.

use core::cell::Cell;
use core::fmt::{Arguments, Write};
use core::panic::PanicInfo;
use core::sync::atomic::{AtomicBool, Ordering};

use critical_section::Mutex;
use esp_hal::delay::Delay;
use hal_esp32p4::{Parts, PilotPwm, Pins, Side};

use crate::{Pad, PilotLedc, serial};

/// The board's parts on bare pads.
pub type BoardParts = Parts<Pad, Pad, PilotLedc>;

/// The end of the cable, `None` for a listener, and its pads.
type Wired = (Option<Side>, Pins);

/// Side and pads for the sequence; `None` until the pads are set up.
static WIRING: Mutex<Cell<Option<Wired>>> = Mutex::new(Cell::new(None));

/// Sets up the pads of a side, each output at its SAFE level from the start. After that [`end`] can make them
/// SAFE.
pub fn set_up(side: Option<Side>, pins: Pins) {
    if let Some(side) = side {
        // The parts are created again where they are used: they have no state but the pads'.
        let _parts = Parts::wired(side, &pins, |pad| Pad::output(pad, false), Pad::input, start_pilot);
    }
    critical_section::with(|cs| WIRING.borrow(cs).set(Some((side, pins))));
}

/// What was set up.
fn wiring() -> Option<Wired> {
    critical_section::with(|cs| WIRING.borrow(cs).get())
}

/// The pads that were set up.
pub fn pins() -> Pins {
    match wiring() {
        Some((_, pins)) => pins,
        None => end(format_args!("the pads are not set up")),
    }
}

/// The pilot at steady +12 V, running.
fn start_pilot(pad: u8) -> PilotLedc {
    if let Err(error) = PilotPwm::new(PilotLedc::at(pad)) {
        end(format_args!("the pilot does not start: {error}"));
    }
    PilotLedc::at(pad)
}

/// The parts of a side, from pads that are set up.
pub fn parts(side: Side) -> BoardParts {
    Parts::wired(side, &pins(), Pad::at, Pad::at, PilotLedc::at)
}

/// Runs the SAFE sequence, logs the reason on the serial line, and waits for the watchdog's reset: the
/// interrupted code must not continue.
///
/// SAFE comes before the log line. A panic inside this function goes straight to the wait.
pub fn end(why: Arguments<'_>) -> ! {
    static HAS_BEGUN: AtomicBool = AtomicBool::new(false);
    if !HAS_BEGUN.swap(true, Ordering::AcqRel) {
        let driven = wiring().and_then(|(side, _)| side);
        // No current is measured here: the sequence waits its longest time.
        let report = driven.map(|side| parts(side).make_safe(&mut || None, &mut Delay::new()));
        let mut out = serial::Bare;
        let _ = match report {
            Some(report) if report.failed.is_empty() => write!(out, "\r\n{why}\r\nthe outputs are SAFE\r\n"),
            Some(report) => write!(out, "\r\n{why}\r\nNOT SAFE: {:?} do not follow\r\n", report.failed),
            None => write!(out, "\r\n{why}\r\nnothing was driven\r\n"),
        };
    }
    loop {
        core::hint::spin_loop();
    }
}

#[panic_handler]
fn panic(info: &PanicInfo<'_>) -> ! {
    critical_section::with(|_| end(format_args!("{info}")))
}
