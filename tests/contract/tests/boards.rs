//! The board's own machine. `qca7000_spi::Qca7000` lends its bytes instead of writing them into a buffer: it
//! is no `Machine`, and no output can be lost to a short buffer.
#![allow(clippy::unwrap_used, reason = "a test ends where it fails")]

use board::{Ear, Listen, Mac, Role};
use contract::hostile;
use machine::Machine;
use machine::check::Check;
use roles::ListenStorage;

#[test]
fn the_boards_listener_keeps_the_contract_with_hostile_frames() {
    // Leaked for the test's duration: each copy of the machine has its own.
    let made = || {
        let storage = Box::leak(Box::<ListenStorage>::default());
        Listen::new(Mac([2, 0, 0, 0, 0, 0xA1]), storage, Box::leak(Box::new(Ear::new())))
    };
    let mut listen = Check::new(&["silence", "modem", "modem link", "sight"], 0, |_| made()).unwrap();
    let mut sounding = vec![0xFF; 6];
    sounding.extend([2, 0, 0, 0, 0, 1, 0x88, 0xE1, 1, 0x64, 0x60, 0, 0]);
    sounding.resize(60, 0);
    for frame in hostile(13, &[sounding]).take(1_000) {
        listen.call(|listen, cx| listen.handle(cx, Listen::frame(&frame))).unwrap();
    }
}
