//! A listener on an emulated board.
#![no_std]
#![no_main]

use board::Mac;
use hal_esp32p4::Side;

#[unsafe(no_mangle)]
extern "C" fn main() -> ! {
    let board = qemu_board::board(Side::Charger, Mac([2, 0, 0, 0, 0, 0xA1]), &["listen"]);
    qemu_board::end(board::listen(board, qemu_board::flash()))
}
