use core::fmt::Write;

use board::Port;
use embedded_hal::delay::DelayNs;
use embedded_hal::digital::OutputPin;
use esp_hal::Blocking;
use esp_hal::delay::Delay;
use esp_hal::ethernet::clock::ExternalRefClock;
use esp_hal::ethernet::phy::generic::GenericPhy;
use esp_hal::ethernet::{Error, Ethernet, EthernetDmaStorage, RmiiPinBundle};
use esp_hal::gpio::AnyPin;
use esp_hal::peripherals::{EMAC_DMA, EMAC_MAC, ETH, GPIO28, GPIO29, GPIO30, GPIO34, GPIO35, GPIO49, GPIO50};
use hal_esp32p4::{Counter, Pins, Ring, RingPort, Signal};
use machine::Instant;
use roles::Mac;
use static_cell::ConstStaticCell;

use crate::{Pad, Systimer, safe, serial};

/// The chip's Ethernet MAC with a PHY on RMII.
///
/// esp-hal's driver receives every frame to the own address and to every multicast group, so that frames of
/// `EtherType` 0x88E1 and IPv6 both arrive.
pub struct Emac {
    /// `None`: no PHY answered at the start, and the link stays down.
    port: Option<RingPort<Descriptors>>,
}

type Driver = Ethernet<'static, Blocking, GenericPhy>;

/// esp-hal's driver with its rings, and the registers that it does not read.
struct Descriptors(Driver);

/// Why Ethernet does not work.
#[derive(Debug, thiserror::Error)]
enum NoEthernet {
    #[error("no clock from the PHY; look at REF_CLK, and at the PHY's supply and reset")]
    Clock,
    #[error("{0:?}; look at MDC and MDIO")]
    Phy(Error),
}

impl Emac {
    /// Receive descriptors, each with a buffer of 1524 bytes.
    const RECEIVE: usize = 8;
    /// Transmit descriptors.
    const SEND: usize = 4;
    /// Data, clock and their qualifying signals go through the IO MUX and have a type each: their wiring is
    /// compiled in, and is the default of `Pins`.
    const COMPILED: [Signal; 7] =
        [Signal::CrsDv, Signal::Rxd0, Signal::Rxd1, Signal::Txd0, Signal::Txd1, Signal::TxEn, Signal::RefClk];
    /// Duration of the PHY's reset, and the pause after it, in ms (IP101GRI: 10 ms, from memory; the rest is
    /// judgement).
    const RESET_MS: u32 = 20;

    /// Time in which the PHY's clock is looked for, in counts of [`Systimer`]: 5 ms. Two crystals 4 ppm apart
    /// show both levels in this time, whatever the sampling times.
    const CLOCK_WITHIN: u64 = Systimer::HZ as u64 / 200;

    /// Starts PHY and MAC. Call it once. If that fails, it logs the reason on the serial line, and the link
    /// stays down.
    pub fn new(eth: ETH<'static>, pins: &Pins, mac: Mac) -> Self {
        if let Some(signal) =
            Self::COMPILED.into_iter().find(|signal| pins.pad(*signal) != Some(signal.default_pad()))
        {
            safe::end(format_args!("{signal} is compiled in at GPIO{}", signal.default_pad()));
        }
        Self::reset_phy(pins);
        let driver = Self::driver(eth, pins, mac).inspect_err(|error| {
            let _ = write!(serial::Bare, "no Ethernet: {error}\r\n");
        });
        Self { port: driver.ok().map(|driver| RingPort::new(Descriptors(driver))) }
    }

    fn reset_phy(pins: &Pins) {
        let Some(pad) = pins.pad(Signal::PhyReset) else { return };
        let mut reset = Pad::output(pad, false);
        Delay::new().delay_ms(Self::RESET_MS);
        // If this pad fails, the PHY does not answer, which is reported.
        let _ = reset.set_high();
        Delay::new().delay_ms(Self::RESET_MS);
    }

    /// Whether the PHY's clock is present. esp-hal would wait for it without limit.
    fn has_clock() -> bool {
        let clock = Pad::input(Signal::RefClk.default_pad());
        let (begun, first) = (Systimer::now(), clock.level());
        while Systimer::now().wrapping_sub(begun) < Self::CLOCK_WITHIN {
            if clock.level() != first {
                return true;
            }
        }
        false
    }

    fn driver(eth: ETH<'static>, pins: &Pins, mac: Mac) -> Result<Driver, NoEthernet> {
        static MEMORY: ConstStaticCell<EthernetDmaStorage<{ Emac::RECEIVE }, { Emac::SEND }>> =
            ConstStaticCell::new(EthernetDmaStorage::new());
        if !Self::has_clock() {
            return Err(NoEthernet::Clock);
        }
        let any = |signal: Signal| {
            let pad = pins.pad(signal).unwrap_or(signal.default_pad());
            // SAFETY: each pad has one signal (`Pins::check`), and therefore one owner.
            unsafe { AnyPin::steal(pad) }
        };
        // SAFETY: as above.
        let bundle = unsafe {
            RmiiPinBundle {
                clock: ExternalRefClock::new(GPIO50::steal()),
                rxd0: GPIO29::steal(),
                rxd1: GPIO30::steal(),
                rx_dv: GPIO28::steal(),
                txd0: GPIO34::steal(),
                txd1: GPIO35::steal(),
                tx_en: GPIO49::steal(),
                mdc: any(Signal::Mdc),
                mdio: any(Signal::Mdio),
            }
        };
        Ethernet::new(eth, MEMORY.take(), mac.0, GenericPhy::new_auto(), bundle).map_err(NoEthernet::Phy)
    }
}

impl Ring for Descriptors {
    fn oldest(&mut self) -> Option<&[u8]> {
        self.0.receive().ok().map(|frame| &*frame)
    }

    fn release(&mut self) {
        self.0.pop_rx();
    }

    fn transmit(&mut self, frame: &[u8]) -> bool {
        self.0.transmit(frame).is_ok()
    }

    fn link(&mut self) -> bool {
        let link = self.0.poll_link(None);
        if link.up {
            self.0.set_speed(link.speed);
            self.0.set_duplex(link.duplex);
        }
        link.up
    }

    fn has_stopped(&mut self) -> bool {
        EMAC_DMA::regs().dmastatus().read().fatal_bus_err_int().bit_is_set()
    }

    fn missed(&mut self) -> u32 {
        // Reading resets the hardware's counters.
        let missed = EMAC_DMA::regs().dmamissedfr().read();
        u32::from(missed.missed_fc().bits()) + u32::from(missed.overflow_fc().bits())
    }
}

impl Port for Emac {
    fn receive(&mut self, _: Instant, buffer: &mut [u8]) -> Option<usize> {
        self.port.as_mut()?.receive(buffer)
    }

    fn send(&mut self, _: Instant, frame: &[u8]) -> bool {
        self.port.as_mut().is_some_and(|port| port.send(frame))
    }

    fn is_up(&mut self, _: Instant) -> bool {
        self.port.as_mut().is_some_and(RingPort::is_up)
    }

    fn lost(&mut self) -> u32 {
        self.port.as_mut().map_or(0, RingPort::lost)
    }

    fn hear_all(&mut self) {
        EMAC_MAC::regs().emacff().modify(|_, w| w.pmode().set_bit());
    }
}
