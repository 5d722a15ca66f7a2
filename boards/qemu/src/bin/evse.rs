//! A charger on an emulated board.
#![no_std]
#![no_main]

use board::Mac;
use hal_esp32p4::Side;

#[unsafe(no_mangle)]
extern "C" fn main() -> ! {
    let mut cable = qemu_board::charger();
    let board = qemu_board::board(Side::Charger, Mac([2, 0, 0, 0, 0, 0xE1]), &["charger"]);
    qemu_board::end(board::charger(board, qemu_board::flash(), &mut cable))
}
