use core::fmt::Write;

use board::{Board, Hardware};
use esp_hal::clock::CpuClock;
use esp_hal::delay::Delay;
use esp_hal::peripherals::{GPIO37, GPIO38, Peripherals, UART0};
use esp_hal::uart::{Config, Uart};
use esp_hal::{efuse, system};
use hal_esp32p4::{Clock, Pads, Pins, Plan, Revision, SelfTest, Side, Signal, Watchdog};
use machine::Instant;
use roles::Mac;

use crate::ends::Ends;
use crate::port::{self, P4Port};
use crate::{ChipNoise, Mwdt, SerialLine, StoreFlash, Systimer, adc, safe, serial};

/// The types of this board.
#[derive(Debug)]
pub struct P4;

impl Hardware for P4 {
    type Counter = Systimer;
    type Stages = Mwdt;
    type Flash = StoreFlash;
    type Port = P4Port;
    type Serial = SerialLine;
    type Noise = ChipNoise;
    type Delay = Delay;
}

/// The chip after its start.
pub struct Chip {
    /// The parts that every role needs.
    pub board: Board<P4>,
    /// The sectors of settings and latch.
    pub flash: StoreFlash,
    /// The parts of the cable.
    pub ends: Ends,
}

impl Chip {
    /// From reset to a board that is SAFE: revision, clocks, wiring, pads, then everything else. Call it
    /// once, first in `main`.
    ///
    /// If the wiring or the chip cannot work, this logs the reason on the serial line and does not return;
    /// the pads stay as the resistors hold them. `side` is the end of the cable; a listener has none and
    /// drives nothing. `roles` are the names of the firmware's roles.
    pub fn start(side: Option<Side>, roles: &'static [&'static str], pins: Pins) -> Self {
        check_revision();
        // The log shows what ended the run before: power, the watchdog, a brown-out.
        let _ = match system::reset_reason() {
            Some(reason) => write!(serial::Bare, "\r\nreset: {reason:?}\r\n"),
            None => write!(serial::Bare, "\r\nreset: unknown\r\n"),
        };
        let chip = esp_hal::init(esp_hal::Config::default().with_cpu_clock(CpuClock::max()));
        if let Err(error) = pins.check() {
            safe::end(format_args!("the wiring cannot work: {error}"));
        }
        safe::set_up(side, pins);
        Self::assemble(chip, side, roles, pins)
    }

    fn assemble(chip: Peripherals, side: Option<Side>, roles: &'static [&'static str], pins: Pins) -> Self {
        let mac = mac();
        // The third pad has no signal: its noise is a source of entropy. Do not connect it.
        let pads = [pins.pad(Signal::PilotAdc), pins.pad(Signal::ProximityAdc), pins.free(Pads::ADC1)];
        let [pilot, proximity, noise] = adc::channels(chip.ADC1, pads);
        let Some(pilot) = pilot else { safe::end(format_args!("the pilot has no ADC")) };
        let board = Board {
            name: "esp32p4",
            mac,
            clock: Clock::new(Systimer),
            watchdog: Watchdog::new(Mwdt::new(chip.TIMG1), Plan::of(side.unwrap_or(Side::Charger))),
            port: port::start(chip.ETH, chip.SPI2, &pins, mac),
            serial: SerialLine::new(serial_line(chip.UART0, chip.GPIO37, chip.GPIO38)),
            noise: ChipNoise::new(noise),
            delay: Delay::new(),
            roles,
            pins: pad_of,
            checks,
            rest,
        };
        let ends = Ends { pilot, proximity, io: chip.IO_MUX };
        Self { board, flash: StoreFlash::new(chip.FLASH), ends }
    }

    /// Resets the chip.
    pub fn reset() -> ! {
        system::software_reset()
    }
}

fn revision() -> Revision {
    let fuses = efuse::chip_revision();
    Revision { major: fuses.major, minor: fuses.minor }
}

/// Before esp-hal starts, which only panics on an old chip. This repeats the reason every second, for a
/// terminal that is connected later.
fn check_revision() {
    while revision() < Revision::OLDEST {
        let _ = write!(
            serial::Bare,
            "chip revision {} is too old: use a board with {} or later\r\n",
            revision(),
            Revision::OLDEST
        );
        // The ROM's delay: esp-hal's clock does not run yet.
        esp_hal::rom::ets_delay_us(1_000_000);
    }
}

/// The self-test's checks that only the chip can do.
fn checks(test: &mut SelfTest) {
    test.revision(revision());
    test.pins(&safe::pins());
}

/// The signals and their pads, for the command `pins`.
fn pad_of(index: usize) -> Option<(&'static str, u8)> {
    let pins = safe::pins();
    Signal::all().filter_map(|signal| Some((signal.name(), pins.pad(signal)?))).nth(index)
}

/// Does not wait: the loop must read the pilot's edges from its timer again immediately.
const fn rest(_: Instant) {}

/// The MAC address in the chip's fuses.
fn mac() -> Mac {
    let mut mac = [0; 6];
    for (to, from) in mac.iter_mut().zip(efuse::base_mac_address().as_bytes()) {
        *to = *from;
    }
    Mac(mac)
}

/// UART0 at 115 200 baud, as in ROM and bootloader.
fn serial_line(
    uart: UART0<'static>,
    tx: GPIO37<'static>,
    rx: GPIO38<'static>,
) -> Uart<'static, esp_hal::Blocking> {
    match Uart::new(uart, Config::default()) {
        Ok(uart) => uart.with_tx(tx).with_rx(rx),
        Err(error) => safe::end(format_args!("the serial line does not start: {error:?}")),
    }
}
