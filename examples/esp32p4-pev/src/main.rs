//! A car on the ESP32-P4. Its battery is [`Desk`]: it requests a charge, but has no sensor of high voltage,
//! so the session ends before any contactor closes. To charge, replace it by a `Battery` of your own.
#![no_std]
#![no_main]

use board::{Battery, CarCable, Exit};
use board_esp32p4::Chip;
use control_pilot::Coding;
use hal_esp32p4::{Pins, Side};
use machine::Instant;
use pev_fsm::{Plant, Vehicle};
use session::{Limits, Target};

esp_bootloader_esp_idf::esp_app_desc!();

/// A battery on a desk: it answers, but measures nothing.
struct Desk;

impl Battery for Desk {
    fn read(&mut self, now: Instant, _: &mut Plant) -> Option<Vehicle> {
        Some(Vehicle {
            at: now,
            limits: Limits {
                max_voltage_mv: 400_000,
                min_voltage_mv: 0,
                max_current_ma: 50_000,
                min_current_ma: 0,
                max_power_w: 20_000,
            },
            battery_mv: Some(350_000),
            target: Target { voltage_mv: 400_000, current_ma: 10_000 },
            soc_percent: 50,
            capacity_wh: 50_000,
            request_wh: 10_000,
            full_soc_percent: None,
            bulk_soc_percent: None,
            full_in_s: None,
            bulk_in_s: None,
            is_done: false,
            error: 0,
        })
    }
}

#[esp_hal::main]
fn main() -> ! {
    let Chip { board, flash, ends } = Chip::start(Some(Side::Car), &["car"], Pins::default());
    let mut cable = CarCable::new(ends.car(Coding::Type2), Desk);
    match board::car(board, flash, &mut cable) {
        Exit::Reboot => Chip::reset(),
    }
}
