//! The physical side, as the host reports it and as the board drives it.

use core::cell::Cell;
use core::convert::Infallible;

use board::{Edge, Edges};
use embedded_hal::digital::{ErrorType, InputPin, OutputPin, StatefulOutputPin};
use hal_esp32p4::{Counter, Ledc, Millivolts, Scale, Side, Timing};
use wire::{Driven, Sensed};

/// Both directions, in one place for all parts.
pub struct Physical {
    pub driven: Cell<Driven>,
    pub sensed: Cell<Sensed>,
    /// The board's clock in us. It advances by one us at each reading, and otherwise to the time that the
    /// host sends.
    pub now: Cell<u64>,
    /// Time of the measurement; 0: none yet.
    pub at: Cell<u64>,
    /// The end of the cable; `None` for a listener.
    pub side: Cell<Option<Side>>,
}

// SAFETY: one thread. The watchdog's interrupt writes it too, and does not return.
unsafe impl Sync for Physical {}

pub static PHYSICAL: Physical = Physical {
    driven: Cell::new(Driven { at: 0, coils: 0, pwm: PERIOD, supply_mv: 0, supply_ma: 0 }),
    sensed: Cell::new(Sensed {
        until: 0,
        contacts: 0,
        pilot_mv: 0,
        pwm: 0,
        voltage_mv: 0,
        current_ma: 0,
        monitor: 0,
        battery_mv: 0,
        soc_percent: 0,
        is_done: 0,
    }),
    now: Cell::new(0),
    at: Cell::new(0),
    side: Cell::new(None),
};

/// The board's clock: 1 MHz.
pub struct Time;

impl Counter for Time {
    const BITS: u32 = 64;
    const HZ: u32 = 1_000_000;

    fn count(&mut self) -> u64 {
        count()
    }
}

/// Counts in a millisecond.
pub const COUNTS_A_MS: u64 = 1_000;

/// The clock's count.
pub fn count() -> u64 {
    let now = PHYSICAL.now.get() + 1;
    PHYSICAL.now.set(now);
    now
}

/// Counts of a PWM period.
pub const PERIOD: u16 = 1 << Timing::PILOT.resolution_bits;

/// An output pin: a bit of [`Driven::coils`].
pub struct Coil(pub u8);

impl ErrorType for Coil {
    type Error = Infallible;
}

impl Coil {
    fn set(&self, on: bool) {
        let mut driven = PHYSICAL.driven.get();
        driven.coils = if on { driven.coils | self.0 } else { driven.coils & !self.0 };
        PHYSICAL.driven.set(driven);
    }
}

impl OutputPin for Coil {
    fn set_low(&mut self) -> Result<(), Infallible> {
        self.set(false);
        Ok(())
    }

    fn set_high(&mut self) -> Result<(), Infallible> {
        self.set(true);
        Ok(())
    }
}

impl StatefulOutputPin for Coil {
    fn is_set_high(&mut self) -> Result<bool, Infallible> {
        Ok(PHYSICAL.driven.get().coils & self.0 != 0)
    }

    fn is_set_low(&mut self) -> Result<bool, Infallible> {
        self.is_set_high().map(|is_high| !is_high)
    }
}

/// An input pin: a bit of [`Sensed::contacts`].
pub struct Contact(pub u8);

impl ErrorType for Contact {
    type Error = Infallible;
}

impl InputPin for Contact {
    fn is_high(&mut self) -> Result<bool, Infallible> {
        Ok(PHYSICAL.sensed.get().contacts & self.0 != 0)
    }

    fn is_low(&mut self) -> Result<bool, Infallible> {
        self.is_high().map(|is_high| !is_high)
    }
}

/// The charger's PWM.
pub struct Pwm;

impl Ledc for Pwm {
    type Error = embedded_hal::pwm::ErrorKind;

    fn start(&mut self, _: Timing, counts: u16) -> Result<(), Self::Error> {
        self.set_duty(counts)
    }

    fn set_duty(&mut self, counts: u16) -> Result<(), Self::Error> {
        PHYSICAL.driven.set(Driven { pwm: counts, ..PHYSICAL.driven.get() });
        Ok(())
    }
}

/// The source of the PWM on the wire.
#[derive(Clone, Copy)]
pub enum Source {
    /// The board's own PWM.
    Own,
    /// The other side's PWM.
    Other,
}

impl Source {
    fn pwm(self) -> u16 {
        match self {
            Self::Own => PHYSICAL.driven.get().pwm,
            Self::Other => PHYSICAL.sensed.get().pwm,
        }
    }

    /// Counts of the clock from a rising edge to the falling one, while the pilot pulses. A period begins
    /// with each millisecond of the clock.
    fn high(self) -> Option<u64> {
        let pwm = self.pwm();
        (pwm > 0 && pwm < PERIOD).then(|| u64::from(pwm) * COUNTS_A_MS / u64::from(PERIOD))
    }
}

/// The pilot's ADC: the voltage of the wire at this moment of the period, after the divider.
pub struct PilotAdc(pub Source);

impl Millivolts for PilotAdc {
    type Error = Infallible;

    fn read_mv(&mut self) -> Result<i32, Infallible> {
        let high_mv = PHYSICAL.sensed.get().pilot_mv;
        let is_high = match self.0.high() {
            Some(high) => count() % COUNTS_A_MS < high,
            None => self.0.pwm() != 0,
        };
        let wire_mv = if is_high { high_mv } else { -12_000 };
        Ok(Scale::PILOT.zero_mv + wire_mv * 1_000 / Scale::PILOT.microvolts_per_mv)
    }
}

/// No proximity wire.
pub enum NoAdc {}

impl Millivolts for NoAdc {
    type Error = Infallible;

    fn read_mv(&mut self) -> Result<i32, Infallible> {
        match *self {}
    }
}

/// The pilot's edges, computed on request.
pub struct PilotEdges {
    source: Source,
    /// Edges up to here were returned, in counts.
    given: u64,
}

impl PilotEdges {
    pub fn new(source: Source) -> Self {
        Self { source, given: count() }
    }
}

/// Age up to which edges are kept, in ms: a host that delays the emulator loses no edge.
const KEPT_MS: u64 = 1_000;

impl Edges for PilotEdges {
    fn next(&mut self) -> Option<Edge> {
        let now = count();
        let Some(high) = self.source.high() else {
            self.given = now;
            return None;
        };
        let from = self.given.max(now.saturating_sub(KEPT_MS * COUNTS_A_MS));
        let period = from - from % COUNTS_A_MS;
        let edges = [(period, true), (period + high, false), (period + COUNTS_A_MS, true)];
        let (count, is_rising) = edges.into_iter().find(|(at, _)| *at > from && *at <= now)?;
        self.given = count;
        Some(Edge { count, is_rising })
    }
}
