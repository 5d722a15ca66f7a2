//! The board's own machine. `qca7000_spi::Qca7000` lends its bytes instead of writing them into a buffer, so it is no
//! `Machine`, and nothing can be lost to a short one.
#![allow(clippy::unwrap_used, reason = "a test ends where it fails")]

use board::{Listen, Role};
use contract::hostile;
use machine::Machine;
use machine::check::Check;

#[test]
fn the_boards_listener_keeps_the_contract_with_hostile_frames() {
    let mut listen = Check::new(&[], 0, |_| Listen::new()).unwrap();
    let mut sounding = vec![0xFF; 6];
    sounding.extend([2, 0, 0, 0, 0, 1, 0x88, 0xE1, 1, 0x64, 0x60, 0, 0]);
    sounding.resize(60, 0);
    for frame in hostile(13, &[sounding]).take(1_000) {
        listen.call(|listen, cx| listen.handle(cx, Listen::frame(&frame))).unwrap();
    }
}
