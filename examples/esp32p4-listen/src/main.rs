//! A listener on the ESP32-P4: it logs every frame on the wire with its meaning. It drives nothing.
#![no_std]
#![no_main]

use board::Exit;
use board_esp32p4::Chip;
use hal_esp32p4::Pins;

esp_bootloader_esp_idf::esp_app_desc!();

#[esp_hal::main]
fn main() -> ! {
    let Chip { board, flash, .. } = Chip::start(None, &["listen"], Pins::default());
    match board::listen(board, flash) {
        Exit::Reboot => Chip::reset(),
    }
}
