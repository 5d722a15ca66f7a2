use esp_hal::timer::systimer::{SystemTimer, Unit};
use hal_esp32p4::Counter;

/// SYSTIMER unit 0, which esp-hal starts: 16 MHz (the crystal's 40 MHz divided by 2.5), 52 bits.
#[derive(Clone, Copy, Debug)]
pub struct Systimer;

impl Systimer {
    /// The count; may be called from interrupts too.
    pub fn now() -> u64 {
        SystemTimer::unit_value(Unit::Unit0)
    }
}

impl Counter for Systimer {
    const BITS: u32 = 52;
    const HZ: u32 = 16_000_000;

    fn count(&mut self) -> u64 {
        Self::now()
    }
}
