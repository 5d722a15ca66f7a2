//! A charger on the ESP32-P4.
#![no_std]
#![no_main]

use board::{Cable, ChargerCable, NoStage};
use hal_esp32p4::{Pins, Side};

esp_bootloader_esp_idf::esp_app_desc!();

#[esp_hal::main]
fn main() -> ! {
    let (mut board, ends) = esp32p4::start(Some(Side::Charger), Pins::default());
    let mut cable = ChargerCable::new(ends.charger(), NoStage);
    loop {
        cable.measure(&mut board.clock);
    }
}
