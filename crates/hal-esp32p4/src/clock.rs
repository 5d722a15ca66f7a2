//! Microseconds from a counter of the chip.

use machine::{Duration, Instant};

/// A free-running counter: implemented by the code for the chip.
///
/// On the ESP32-P4 it is SYSTIMER (16 MHz, 52 bits), on QEMU's RISC-V board `mtime` (10 MHz, 64 bits), on a
/// Cortex-M the cycle counter (the core's clock, 32 bits).
pub trait Counter {
    /// Number of bits before it wraps to 0: 1..=64.
    const BITS: u32;
    /// Counts in one second: 1 or more.
    const HZ: u32;

    /// The count at this moment.
    fn count(&mut self) -> u64;
}

/// The clock of a board: microseconds since its start, never backwards.
#[derive(Debug)]
pub struct Clock<C> {
    counter: C,
    last: u64,
    ticks: u64,
}

impl<C: Counter> Clock<C> {
    const MASK: u64 = {
        assert!(C::BITS >= 1 && C::BITS <= 64 && C::HZ >= 1, "a counter has 1 to 64 bits and counts");
        u64::MAX >> (64 - C::BITS)
    };
    /// Longest time between two reads: half of the counter's range. A longer pause looks like a step back,
    /// which the clock does not follow.
    pub const LONGEST_SILENCE: Duration = Self::span(Self::MASK / 2);

    /// A clock that begins now.
    pub fn new(mut counter: C) -> Self {
        let last = counter.count();
        Self { counter, last, ticks: 0 }
    }

    /// The time since the start.
    pub fn now(&mut self) -> Instant {
        let count = self.counter.count() & Self::MASK;
        let ahead = count.wrapping_sub(self.last) & Self::MASK;
        if ahead <= Self::MASK / 2 {
            self.last = count;
            self.ticks = self.ticks.saturating_add(ahead);
        }
        Instant::ZERO + Self::span(self.ticks)
    }

    /// The time of an earlier `count`, up to half of the counter's range before the last call of
    /// [`now`](Self::now): for counts that an interrupt stored.
    pub fn at(&self, count: u64) -> Instant {
        let ago = self.last.wrapping_sub(count) & Self::MASK;
        let ticks = if ago <= Self::MASK / 2 {
            self.ticks.saturating_sub(ago)
        } else {
            self.ticks.saturating_add(count.wrapping_sub(self.last) & Self::MASK)
        };
        Instant::ZERO + Self::span(ticks)
    }

    /// The counter itself.
    pub const fn counter(&mut self) -> &mut C {
        &mut self.counter
    }

    const fn span(ticks: u64) -> Duration {
        let hz = C::HZ as u64;
        let (seconds, rest) = (ticks / hz, ticks % hz);
        Duration::from_micros(seconds.saturating_mul(1_000_000).saturating_add(rest * 1_000_000 / hz))
    }
}
