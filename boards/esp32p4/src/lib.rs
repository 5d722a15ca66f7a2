//! The registers of the ESP32-P4, below `hal-esp32p4` and `board`.
//!
//! | trait | on the chip | type |
//! |---|---|---|
//! | `Port` | EMAC with a PHY on RMII; with the feature `qca7000` a modem on SPI2 | [`Emac`], [`modem`] |
//! | `Ledc`, a charger's `Edges` | LEDC timer 0 and channel 0 | [`PilotLedc`], [`PwmEdges`] |
//! | a car's `Edges` | GPIO interrupt | [`WireEdges`] |
//! | `Millivolts` | ADC1 with the curve of the fuses | [`Channel`] |
//! | `OutputPin`, `InputPin` | GPIO registers | [`Pad`] |
//! | `Counter` | SYSTIMER | [`Systimer`] |
//! | `Stages` | main watchdog of timer group 1 | [`Mwdt`] |
//! | `Flash` | ROM functions, through esp-storage | [`StoreFlash`] |
//! | `Serial` | UART0 | [`SerialLine`] |
//! | `Noise` | an ADC pad, two oscillators, the RNG register | [`ChipNoise`] |
//!
//! A firmware calls [`Chip::start`], creates its end of the cable from [`Ends`], and passes both to the loop
//! of `board`. The crate also has the panic handler: it runs the SAFE sequence, as the watchdog's first stage
//! does.
//!
//! This crate has not run on a chip: it is only built and linked. The logic is in `hal-esp32p4` and tested
//! there.
#![no_std]

mod adc;
mod chip;
mod counter;
mod edges;
mod ends;
mod ethernet;
mod flash;
mod ledc;
mod noise;
mod pad;
mod port;
mod safe;
mod serial;
mod spi;
mod watchdog;

pub use adc::{AdcError, Channel};
pub use chip::{Chip, P4};
pub use counter::Systimer;
pub use edges::WireEdges;
pub use ends::{CarPins, ChargerPins, Ends};
pub use ethernet::Emac;
pub use flash::StoreFlash;
pub use ledc::{NotRunning, PilotLedc, PwmEdges};
pub use noise::ChipNoise;
pub use pad::{Pad, Stuck};
pub use safe::BoardParts;
pub use serial::SerialLine;
pub use spi::{ModemBus, SpiModem, modem};
pub use watchdog::Mwdt;
