//! The board's connection to the modem: Ethernet, or SPI with the feature `qca7000`.

use esp_hal::peripherals::{ETH, SPI2};
use hal_esp32p4::Pins;
use roles::Mac;

#[cfg(not(feature = "qca7000"))]
pub type P4Port = crate::Emac;
#[cfg(feature = "qca7000")]
pub type P4Port = board::SpiPort<'static, crate::ModemBus, crate::Pad>;

/// Starts the port. Call it once.
pub fn start(eth: ETH<'static>, spi: SPI2<'static>, pins: &Pins, mac: Mac) -> P4Port {
    #[cfg(not(feature = "qca7000"))]
    let (port, _rest) = (P4Port::new(eth, pins, mac), spi);
    #[cfg(feature = "qca7000")]
    let (port, _rest) = (P4Port::new(crate::modem(spi, pins)), (eth, mac));
    port
}
