//! Which pad carries which signal.

use core::fmt;

use crate::Pads;

/// A signal of the board.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Signal {
    /// RMII carrier sense and receive data valid, from the PHY.
    CrsDv,
    /// RMII receive data 0.
    Rxd0,
    /// RMII receive data 1.
    Rxd1,
    /// Clock of the PHY's management interface.
    Mdc,
    /// RMII transmit data 0.
    Txd0,
    /// RMII transmit data 1.
    Txd1,
    /// RMII transmit enable.
    TxEn,
    /// RMII reference clock of 50 MHz, from the PHY.
    RefClk,
    /// The PHY's reset, active low.
    PhyReset,
    /// Data of the PHY's management interface.
    Mdio,
    /// Control pilot out (charger), to the +-12 V driver: high is +12 V. Its rising edge times the samples.
    PilotPwm,
    /// Control pilot back, through the divider to the ADC (both roles).
    PilotAdc,
    /// Proximity, through the divider to the ADC.
    ProximityAdc,
    /// Control pilot as edges, from a comparator: the car's measurement of the duty, and the charger's of its
    /// own.
    PilotEdge,
    /// Coil of the contactor in the positive conductor.
    ContactorPlus,
    /// Coil of the contactor in the negative conductor.
    ContactorMinus,
    /// Mirror contact of the contactor in the positive conductor.
    PlusFeedback,
    /// Mirror contact of the contactor in the negative conductor.
    MinusFeedback,
    /// Relay of the precharge resistor across the positive contactor.
    Precharge,
    /// Relay of the bleeder across the cable.
    Discharge,
    /// The car's pilot switch from B to C, or the enable of the charger's power stage.
    Relay,
    /// Connector lock: active releases the plug.
    Lock,
    /// Contact of the connector lock.
    LockFeedback,
    /// Contact of the emergency stop.
    EmergencyStop,
    /// Clock of a modem on SPI.
    SpiClock,
    /// Data to a modem on SPI.
    SpiOut,
    /// Data from a modem on SPI.
    SpiIn,
    /// Chip select of a modem on SPI, active low.
    SpiSelect,
    /// Interrupt of a modem on SPI, active high.
    SpiInterrupt,
}

/// What a pad needs outside the chip while no program drives it: in reset, in the ROM and in the second-stage
/// bootloader.
///
/// That this makes the board SAFE before the first instruction is an assumption about the wiring, which no
/// program can check. It requires that a pad's output driver is off until a program turns it on (from memory
/// of Espressif's chips; not measured).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reset {
    /// Not relevant to safety.
    Free,
    /// 4.7 kOhm to ground at the driver: off. An internal pull-up of 45 kOhm (from memory) then makes 0.31 V.
    PullDown,
    /// 4.7 kOhm to 3.3 V at the driver: the pilot's driver gives steady +12 V.
    PullUp,
    /// 4.7 kOhm to 3.3 V, the contact to ground: a broken wire reads as the state that stops a session.
    Contact,
}

impl Reset {
    /// Text for the table of pins.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Free => "-",
            Self::PullDown => "4.7 kOhm to ground: off",
            Self::PullUp => "4.7 kOhm to 3.3 V: steady +12 V",
            Self::Contact => "4.7 kOhm to 3.3 V, contact to ground",
        }
    }
}

/// One row for each signal: name, default pad, legal pads, requirement in reset, whether a board may omit it.
type Row = (Signal, &'static str, u8, Pads, Reset, bool);

const ROWS: [Row; Signal::COUNT] = [
    (Signal::CrsDv, "RMII CRS_DV", 28, Pads::of(&[28, 45, 51]), Reset::Free, false),
    (Signal::Rxd0, "RMII RXD0", 29, Pads::of(&[29, 46, 52]), Reset::Free, false),
    (Signal::Rxd1, "RMII RXD1", 30, Pads::of(&[30, 47, 53]), Reset::Free, false),
    (Signal::Mdc, "MDC", 31, Pads::ALL, Reset::Free, false),
    (Signal::Txd0, "RMII TXD0", 34, Pads::of(&[34, 41]), Reset::Free, false),
    (Signal::Txd1, "RMII TXD1", 35, Pads::of(&[35, 42]), Reset::Free, false),
    (Signal::TxEn, "RMII TX_EN", 49, Pads::of(&[33, 40, 49]), Reset::Free, false),
    (Signal::RefClk, "RMII REF_CLK", 50, Pads::of(&[32, 44, 50]), Reset::Free, false),
    (Signal::PhyReset, "PHY reset", 51, Pads::ALL, Reset::Free, true),
    (Signal::Mdio, "MDIO", 52, Pads::ALL, Reset::Free, false),
    (Signal::PilotPwm, "pilot PWM", 4, Pads::PILOT, Reset::PullUp, true),
    (Signal::PilotAdc, "pilot ADC", 20, Pads::ADC1, Reset::Free, false),
    (Signal::ProximityAdc, "proximity ADC", 21, Pads::ADC1, Reset::Free, true),
    (Signal::PilotEdge, "pilot edges", 22, Pads::GENERAL, Reset::Free, true),
    (Signal::ContactorPlus, "contactor +", 46, Pads::GENERAL, Reset::PullDown, true),
    (Signal::ContactorMinus, "contactor -", 47, Pads::GENERAL, Reset::PullDown, true),
    (Signal::PlusFeedback, "contactor + feedback", 0, Pads::GENERAL, Reset::Contact, true),
    (Signal::MinusFeedback, "contactor - feedback", 1, Pads::GENERAL, Reset::Contact, true),
    (Signal::Precharge, "precharge", 48, Pads::GENERAL, Reset::PullDown, true),
    (Signal::Discharge, "discharge", 53, Pads::GENERAL, Reset::PullDown, true),
    (Signal::Relay, "relay", 54, Pads::GENERAL, Reset::PullDown, true),
    (Signal::Lock, "lock", 23, Pads::GENERAL, Reset::PullDown, true),
    (Signal::LockFeedback, "lock feedback", 6, Pads::GENERAL, Reset::Contact, true),
    (Signal::EmergencyStop, "emergency stop", 7, Pads::GENERAL, Reset::Contact, true),
    (Signal::SpiClock, "SPI clock", 8, Pads::GENERAL, Reset::Free, true),
    (Signal::SpiOut, "SPI data to modem", 9, Pads::GENERAL, Reset::Free, true),
    (Signal::SpiIn, "SPI data from modem", 10, Pads::GENERAL, Reset::Free, true),
    (Signal::SpiSelect, "SPI select", 11, Pads::GENERAL, Reset::Free, true),
    (Signal::SpiInterrupt, "SPI interrupt", 12, Pads::GENERAL, Reset::Free, true),
];

impl Signal {
    /// Number of signals.
    pub const COUNT: usize = 29;

    /// All signals, in the order of the table.
    pub fn all() -> impl Iterator<Item = Self> {
        ROWS.iter().map(|(signal, ..)| *signal)
    }

    fn row(self) -> &'static Row {
        // Every signal has its row, which a test checks.
        let [first, ..] = &ROWS;
        ROWS.iter().find(|(signal, ..)| *signal == self).unwrap_or(first)
    }

    /// Name in logs, errors and the table.
    pub fn name(self) -> &'static str {
        self.row().1
    }

    /// The pads that can carry it. For the RMII data pads: what esp-hal accepts, through the IO MUX only.
    pub fn legal(self) -> Pads {
        self.row().3
    }

    /// What its pad needs while no program drives it.
    pub fn reset(self) -> Reset {
        self.row().4
    }

    /// Whether a board may omit it.
    pub fn is_optional(self) -> bool {
        self.row().5
    }

    /// The pad of the default wiring.
    pub fn default_pad(self) -> u8 {
        self.row().2
    }
}

impl fmt::Display for Signal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// The wiring of a board: a pad for each signal that it has. [`Default`] is the wiring that esp-hal accepts.
///
/// ```
/// use hal_esp32p4::{Pins, Signal};
///
/// let car = Pins::default().without(Signal::PilotPwm).with(Signal::Relay, 13);
/// assert_eq!(car.check(), Ok(()));
/// let wrong = Pins::default().with(Signal::ProximityAdc, 5).check().unwrap_err();
/// assert_eq!(wrong.to_string(), "GPIO5 cannot be proximity ADC: legal are GPIO16-23");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pins([(Signal, Option<u8>); Signal::COUNT]);

/// What is wrong with a wiring.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PinError {
    /// A required signal has no pad. A board also requires one of pilot PWM and pilot edges.
    #[error("{signal} has no pad: legal are GPIO{}", signal.legal())]
    Missing {
        /// The required signal.
        signal: Signal,
    },
    /// The pad cannot carry the signal.
    #[error("GPIO{pad} cannot be {signal}: legal are GPIO{}", signal.legal())]
    Illegal {
        /// The signal that the pad cannot carry.
        signal: Signal,
        /// Number of the pad.
        pad: u8,
    },
    /// One pad carries two signals.
    #[error("GPIO{pad} is both {first} and {second}: legal for {second} are GPIO{}", second.legal())]
    Twice {
        /// Number of the pad.
        pad: u8,
        /// The signal that comes first in the table.
        first: Signal,
        /// The signal that comes later in the table.
        second: Signal,
    },
}

impl Default for Pins {
    fn default() -> Self {
        Self(ROWS.map(|(signal, _, pad, ..)| (signal, Some(pad))))
    }
}

impl Pins {
    /// This wiring with `signal` at `pad`.
    #[must_use]
    pub fn with(self, signal: Signal, pad: u8) -> Self {
        self.set(signal, Some(pad))
    }

    /// This wiring without `signal`.
    #[must_use]
    pub fn without(self, signal: Signal) -> Self {
        self.set(signal, None)
    }

    fn set(mut self, signal: Signal, pad: Option<u8>) -> Self {
        for (_, at) in self.0.iter_mut().filter(|(of, _)| *of == signal) {
            *at = pad;
        }
        self
    }

    /// The pad of `signal`; `None` if the board does not have it.
    pub fn pad(&self, signal: Signal) -> Option<u8> {
        self.0.iter().find(|(of, _)| *of == signal).and_then(|(_, pad)| *pad)
    }

    /// The first of these pads that carries no signal.
    pub fn free(&self, pads: Pads) -> Option<u8> {
        (0..=Pads::LAST).find(|pad| pads.contains(*pad) && self.0.iter().all(|(_, used)| *used != Some(*pad)))
    }

    /// Whether the wiring is possible.
    ///
    /// # Errors
    /// The first error in the order of the table, with the legal pads.
    pub fn check(&self) -> Result<(), PinError> {
        for (index, (signal, pad)) in self.0.iter().enumerate() {
            let signal = *signal;
            let Some(pad) = *pad else {
                if signal.is_optional() {
                    continue;
                }
                return Err(PinError::Missing { signal });
            };
            if !signal.legal().contains(pad) {
                return Err(PinError::Illegal { signal, pad });
            }
            if let Some((first, _)) = self.0.iter().take(index).find(|(_, other)| *other == Some(pad)) {
                return Err(PinError::Twice { pad, first: *first, second: signal });
            }
        }
        if self.pad(Signal::PilotPwm).or(self.pad(Signal::PilotEdge)).is_none() {
            return Err(PinError::Missing { signal: Signal::PilotEdge });
        }
        Ok(())
    }
}
