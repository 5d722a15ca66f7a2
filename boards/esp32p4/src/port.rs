//! The modem's way to the board: Ethernet, or SPI with the feature `qca7000`.

use esp_hal::peripherals::{ETH, SPI2};
use hal_esp32p4::Pins;
use roles::Mac;

use crate::ethernet::Rmii;

#[cfg(not(feature = "qca7000"))]
pub type P4Port = crate::Emac;
#[cfg(feature = "qca7000")]
pub type P4Port = board::SpiPort<'static, crate::ModemBus, crate::Pad>;

/// What of the chip a port may need.
pub struct Blocks {
    pub eth: ETH<'static>,
    pub rmii: Rmii,
    pub spi: SPI2<'static>,
}

/// Starts the port. To be called once.
pub fn start(blocks: Blocks, pins: &Pins, mac: Mac) -> P4Port {
    let Blocks { eth, rmii, spi } = blocks;
    #[cfg(not(feature = "qca7000"))]
    let (port, _rest) = (P4Port::new(eth, rmii, pins, mac), spi);
    #[cfg(feature = "qca7000")]
    let (port, _rest) = (P4Port::new(crate::modem(spi, pins)), (eth, rmii, mac));
    port
}
