//! A charger on the ESP32-P4. Without a power stage it makes a car close its contactors and reads its state
//! of charge. To charge, replace `NoStage` by a `Stage` of your own.
#![no_std]
#![no_main]

use board::{ChargerCable, Exit, NoStage};
use board_esp32p4::Chip;
use hal_esp32p4::{Pins, Side};

esp_bootloader_esp_idf::esp_app_desc!();

#[esp_hal::main]
fn main() -> ! {
    let Chip { board, flash, ends } = Chip::start(Some(Side::Charger), &["charger"], Pins::default());
    let mut cable = ChargerCable::new(ends.charger(), NoStage);
    match board::charger(board, flash, &mut cable) {
        Exit::Reboot => Chip::reset(),
    }
}
