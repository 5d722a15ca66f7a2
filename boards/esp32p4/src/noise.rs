use board::Noise;
use esp_hal::peripherals::RTC_TIMER;
use esp_hal::riscv::register::mcycle;
use esp_hal::rng::Rng;
use hal_esp32p4::{Counter, Millivolts, Pool, Source};

use crate::{Channel, Systimer};

/// The chip's own sources: the noise of a pad that nothing drives, two oscillators against each other, and
/// the RNG register, which is not credited.
pub struct ChipNoise {
    pad: Option<Channel>,
}

impl ChipNoise {
    /// Ticks of the slow RC oscillator (about 150 kHz, esp-hal's default for the low-power timer) in one
    /// sample: 27 us.
    const TICKS: u32 = 4;
    /// Longest time of a sample: 500 us. Without the slow oscillator no sample comes.
    const PATIENCE: u64 = Systimer::HZ as u64 / 2_000;

    /// `pad` is a channel of ADC1 with no connection.
    pub const fn new(pad: Option<Channel>) -> Self {
        Self { pad }
    }

    /// Cycles of the core, from the crystal's PLL, in [`TICKS`](Self::TICKS) of the slow oscillator.
    fn jitter() -> Option<u32> {
        let begun = Systimer::now();
        let wait = |from: u32, ticks: u32| {
            while slow_ticks().wrapping_sub(from) < ticks {
                if Systimer::now().wrapping_sub(begun) > Self::PATIENCE {
                    return None;
                }
            }
            // The lower half is enough for a difference.
            #[allow(clippy::cast_possible_truncation, reason = "a difference of a few thousand")]
            Some(mcycle::read() as u32)
        };
        let first = slow_ticks();
        let from = wait(first, 1)?;
        let until = wait(first, 1 + Self::TICKS)?;
        Some(until.wrapping_sub(from))
    }
}

/// The low-power timer, which counts the slow oscillator.
fn slow_ticks() -> u32 {
    let timer = RTC_TIMER::regs();
    timer.update().write(|w| w.main_timer_update().set_bit());
    timer.main_buf0_low().read().bits()
}

impl Noise for ChipNoise {
    fn sample(&mut self, pool: &mut Pool) {
        pool.sample(Source::Rng, Rng::new().random());
        if let Some(Ok(mv)) = self.pad.as_mut().map(Millivolts::read_mv) {
            pool.sample(Source::AdcNoise, mv.unsigned_abs());
        }
        if let Some(cycles) = Self::jitter() {
            pool.sample(Source::ClockJitter, cycles);
        }
    }
}
