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
use hal_esp32p4::{Counter, Pins, Signal};
use machine::Instant;
use roles::Mac;
use static_cell::ConstStaticCell;

use crate::{Pad, Systimer, safe, serial};

/// The chip's Ethernet MAC with a PHY on RMII.
///
/// esp-hal's driver passes every frame to the own address and to every multicast group: `EtherType` 88E1 and IPv6 both come. A
/// frame that the MAC marks as damaged does not.
pub struct Emac {
    /// `None`: no PHY answered at the start. The link is down then.
    driver: Option<Driver>,
    lost: u32,
    has_failed: bool,
}

type Driver = Ethernet<'static, Blocking, GenericPhy>;

/// Why there is no Ethernet.
#[derive(Debug, thiserror::Error)]
enum NoEthernet {
    #[error("no clock from the PHY; look at REF_CLK, and at the PHY's supply and reset")]
    Clock,
    #[error("{0:?}; look at MDC and MDIO")]
    Phy(Error),
}

/// The pads of RMII. Data, clock and the signals that say when they count go through the IO MUX and have a type each: their
/// wiring is compiled in, and is the default of `Pins`.
pub struct Rmii {
    /// `CRS_DV`.
    pub crs_dv: GPIO28<'static>,
    /// RXD0 and RXD1.
    pub rxd: (GPIO29<'static>, GPIO30<'static>),
    /// TXD0 and TXD1.
    pub txd: (GPIO34<'static>, GPIO35<'static>),
    /// `TX_EN`.
    pub tx_en: GPIO49<'static>,
    /// The clock from the PHY.
    pub ref_clk: GPIO50<'static>,
}

impl Emac {
    /// Descriptors in, each with a buffer of 1524 bytes.
    const RECEIVE: usize = 8;
    /// Descriptors out.
    const SEND: usize = 4;
    /// Shortest frame on the wire without its check sequence.
    const SHORTEST: usize = 60;
    /// The signals of [`Rmii`].
    const COMPILED: [Signal; 7] =
        [Signal::CrsDv, Signal::Rxd0, Signal::Rxd1, Signal::Txd0, Signal::Txd1, Signal::TxEn, Signal::RefClk];
    /// The PHY's reset, and the time that it needs after it, in ms (IP101GRI: 10 ms, from memory; the rest is judgement).
    const RESET_MS: u32 = 20;

    /// How long the PHY's clock is looked for, in counts of [`Systimer`]: 5 ms. Two crystals 4 ppm apart show both levels in it,
    /// however the looks fall.
    const CLOCK_WITHIN: u64 = Systimer::HZ as u64 / 200;

    /// Starts PHY and MAC. To be called once. Where that does not work the serial line says so, and the link stays down.
    pub fn new(eth: ETH<'static>, rmii: Rmii, pins: &Pins, mac: Mac) -> Self {
        if let Some(signal) =
            Self::COMPILED.into_iter().find(|signal| pins.pad(*signal) != Some(signal.default_pad()))
        {
            safe::end(format_args!("{signal} is compiled in at GPIO{}", signal.default_pad()));
        }
        Self::reset_phy(pins);
        let driver = Self::driver(eth, rmii, pins, mac).inspect_err(|error| {
            let _ = write!(serial::Bare, "no Ethernet: {error}\r\n");
        });
        Self { driver: driver.ok(), lost: 0, has_failed: false }
    }

    fn reset_phy(pins: &Pins) {
        let Some(pad) = pins.pad(Signal::PhyReset) else { return };
        let mut reset = Pad::output(pad, false);
        Delay::new().delay_ms(Self::RESET_MS);
        // A pad that does not follow shows in a PHY that does not answer.
        let _ = reset.set_high();
        Delay::new().delay_ms(Self::RESET_MS);
    }

    /// Whether the PHY gives its clock. esp-hal would wait for it for ever.
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

    fn driver(eth: ETH<'static>, rmii: Rmii, pins: &Pins, mac: Mac) -> Result<Driver, NoEthernet> {
        static MEMORY: ConstStaticCell<EthernetDmaStorage<{ Emac::RECEIVE }, { Emac::SEND }>> =
            ConstStaticCell::new(EthernetDmaStorage::new());
        if !Self::has_clock() {
            return Err(NoEthernet::Clock);
        }
        let any = |signal: Signal| {
            let pad = pins.pad(signal).unwrap_or(signal.default_pad());
            // SAFETY: each pad has one signal (`Pins::check`), and one owner by that.
            unsafe { AnyPin::steal(pad) }
        };
        let bundle = RmiiPinBundle {
            clock: ExternalRefClock::new(rmii.ref_clk),
            rxd0: rmii.rxd.0,
            rxd1: rmii.rxd.1,
            rx_dv: rmii.crs_dv,
            txd0: rmii.txd.0,
            txd1: rmii.txd.1,
            tx_en: rmii.tx_en,
            mdc: any(Signal::Mdc),
            mdio: any(Signal::Mdio),
        };
        Ethernet::new(eth, MEMORY.take(), mac.0, GenericPhy::new_auto(), bundle).map_err(NoEthernet::Phy)
    }
}

impl Port for Emac {
    fn receive(&mut self, _: Instant, buffer: &mut [u8]) -> Option<usize> {
        let driver = self.driver.as_mut()?;
        // One that does not fit is dropped; the ring holds no more than its descriptors.
        for _ in 0..Self::RECEIVE {
            let frame = driver.receive().ok()?;
            let length = frame.len();
            let taken = buffer.get_mut(..length).map(|room| room.copy_from_slice(frame));
            driver.pop_rx();
            match taken {
                Some(()) => return Some(length),
                None => self.lost = self.lost.wrapping_add(1),
            }
        }
        None
    }

    fn send(&mut self, _: Instant, frame: &[u8]) -> bool {
        let mut padded = [0; Self::SHORTEST];
        let sent = match padded.get_mut(..frame.len()) {
            Some(start) => {
                start.copy_from_slice(frame);
                &padded
            }
            None => frame,
        };
        self.driver.as_mut().is_some_and(|driver| driver.transmit(sent).is_ok())
    }

    fn is_up(&mut self, _: Instant) -> bool {
        // The DMA stops for good after an error on the bus: the link counts as down, until a reset.
        self.has_failed |= EMAC_DMA::regs().dmastatus().read().fatal_bus_err_int().bit_is_set();
        let Some(driver) = &mut self.driver else { return false };
        let link = driver.poll_link(None);
        if link.up {
            driver.set_speed(link.speed);
            driver.set_duplex(link.duplex);
        }
        link.up && !self.has_failed
    }

    fn lost(&mut self) -> u32 {
        // The hardware's counters begin again with every read.
        let missed = EMAC_DMA::regs().dmamissedfr().read();
        let missed = u32::from(missed.missed_fc().bits()) + u32::from(missed.overflow_fc().bits());
        self.lost = self.lost.wrapping_add(missed);
        self.lost
    }

    fn hear_all(&mut self) {
        EMAC_MAC::regs().emacff().modify(|_, w| w.pmode().set_bit());
    }
}
