//! A car on an emulated board.
#![no_std]
#![no_main]

use board::Mac;
use hal_esp32p4::Side;

#[unsafe(no_mangle)]
extern "C" fn main() -> ! {
    let mut cable = qemu_board::car();
    let board = qemu_board::board(Side::Car, Mac([2, 0, 0, 0, 0, 0xC1]), &["car"]);
    qemu_board::end(board::car(board, qemu_board::flash(), &mut cable))
}
