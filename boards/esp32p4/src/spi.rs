use embedded_hal::digital::PinState;
use embedded_hal_bus::spi::ExclusiveDevice;
use esp_hal::Blocking;
use esp_hal::delay::Delay;
use esp_hal::gpio::AnyPin;
use esp_hal::peripherals::SPI2;
use esp_hal::spi::Mode;
use esp_hal::spi::master::{Config, Spi};
use esp_hal::time::Rate;
use hal_esp32p4::{Pins, Signal};
use qca7000_spi::{Buffers, Driver, RECEIVE_MIN, SEND_LEN};
use static_cell::ConstStaticCell;

use crate::{Pad, safe};

/// The modem's place on SPI2, with its chip select.
pub type ModemBus = ExclusiveDevice<Spi<'static, Blocking>, Pad, Delay>;

/// The driver of a QCA7000 or QCA7005 on SPI2, instead of a modem on Ethernet.
pub type SpiModem = Driver<'static, ModemBus, Pad>;

/// 10 MHz, a quarter of the crystal; the chip accepts 12 MHz at most.
const CLOCK_MHZ: u32 = 10;
const _: () = assert!(CLOCK_MHZ * 1_000_000 <= qca7000_spi::MAX_CLOCK_HZ, "the chip takes no faster clock");

/// Starts SPI2 with the modem's driver. Call it once. For a wiring without the signals of SPI it logs the
/// reason and does not return.
pub fn modem(spi: SPI2<'static>, pins: &Pins) -> SpiModem {
    static RECEIVE: ConstStaticCell<[u8; RECEIVE_MIN]> = ConstStaticCell::new([0; RECEIVE_MIN]);
    static SEND: ConstStaticCell<[u8; SEND_LEN]> = ConstStaticCell::new([0; SEND_LEN]);
    let pad = |signal: Signal| match pins.pad(signal) {
        Some(pad) => pad,
        None => safe::end(format_args!("{signal} has no pad: legal are GPIO{}", signal.legal())),
    };
    // SAFETY: each pad has one signal (`Pins::check`), and therefore one owner.
    let any = |signal| unsafe { AnyPin::steal(pad(signal)) };
    let config = Config::default().with_frequency(Rate::from_mhz(CLOCK_MHZ)).with_mode(Mode::_3);
    let bus = match Spi::new(spi, config) {
        Ok(bus) => {
            bus.with_sck(any(Signal::SpiClock)).with_mosi(any(Signal::SpiOut)).with_miso(any(Signal::SpiIn))
        }
        Err(error) => safe::end(format_args!("SPI does not start: {error:?}")),
    };
    let Ok(bus) = ExclusiveDevice::new(bus, Pad::output(pad(Signal::SpiSelect), true), Delay::new()) else {
        safe::end(format_args!("{} does not follow: look at its pad", Signal::SpiSelect));
    };
    let buffers = Buffers { receive: RECEIVE.take(), send: SEND.take() };
    match Driver::new(buffers, bus, Pad::input(pad(Signal::SpiInterrupt)), PinState::High) {
        Ok(driver) => driver,
        Err(error) => safe::end(format_args!("{error}")),
    }
}
