//! The clock with counters that wrap, step back and count far.

use hal_esp32p4::{Clock, Counter};
use machine::Duration;
use proptest::prelude::*;

/// A counter of `BITS` bits at `HZ` with a settable count.
#[derive(Debug)]
struct Counts<const BITS: u32, const HZ: u32>(u64);

impl<const BITS: u32, const HZ: u32> Counter for Counts<BITS, HZ> {
    const BITS: u32 = BITS;
    const HZ: u32 = HZ;

    fn count(&mut self) -> u64 {
        self.0 & (u64::MAX >> (64 - BITS))
    }
}

#[test]
fn microseconds_begin_at_zero_whatever_the_counter_says() {
    let mut clock = Clock::new(Counts::<64, 10_000_000>(u64::MAX - 5));
    assert_eq!(clock.now().as_micros(), 0);
    clock.counter().0 = 4;
    assert_eq!(clock.now().as_micros(), 1, "ten ticks of 100 ns, over the end of 64 bits");
}

#[test]
fn a_counter_that_wraps_again_and_again_does_not_stop_the_clock() {
    // 32 bits at 25 MHz: a round is 171.8 s.
    let mut clock = Clock::new(Counts::<32, 25_000_000>(4_000_000_000));
    for second in 1..=3_600_u64 {
        clock.counter().0 += 25_000_000;
        assert_eq!(clock.now().as_micros(), second * 1_000_000);
    }
}

#[test]
fn what_an_interrupt_noted_has_its_own_moment_before_and_after_the_clock_was_read() {
    let mut clock = Clock::new(Counts::<32, 1_000_000>(u64::from(u32::MAX) - 9));
    clock.counter().0 += 1_000;
    assert_eq!(clock.now().as_micros(), 1_000);
    let noted = |micros: u64| (u64::from(u32::MAX) - 9 + micros) & u64::from(u32::MAX);
    assert_eq!(clock.at(noted(400)).as_micros(), 400);
    assert_eq!(clock.at(noted(5)).as_micros(), 5, "before the counter began again");
    assert_eq!(clock.at(noted(1_007)).as_micros(), 1_007, "since the clock was read");
}

#[test]
fn a_counter_that_steps_back_stops_the_clock_until_it_is_there_again() {
    let mut clock = Clock::new(Counts::<52, 16_000_000>(16_000_000));
    clock.counter().0 = 32_000_000;
    assert_eq!(clock.now().as_micros(), 1_000_000);
    clock.counter().0 = 20_000_000;
    assert_eq!(clock.now().as_micros(), 1_000_000);
    clock.counter().0 = 32_000_016;
    assert_eq!(clock.now().as_micros(), 1_000_001);
}

#[test]
fn half_a_round_may_pass_between_two_readings_and_is_named() {
    assert_eq!(Clock::<Counts<32, 1_000_000>>::LONGEST_SILENCE, Duration::from_micros(0x7FFF_FFFF));
    let mut clock = Clock::new(Counts::<32, 1_000_000>(7));
    clock.counter().0 += 0x7FFF_FFFF;
    assert_eq!(clock.now().as_micros(), 0x7FFF_FFFF);
}

#[test]
fn a_rate_that_is_no_whole_number_of_ticks_in_a_microsecond_does_not_drift() {
    let mut clock = Clock::new(Counts::<32, 32_768>(0));
    for _ in 0..100 {
        clock.counter().0 += 327;
        clock.now();
    }
    assert_eq!(clock.now().as_micros(), 32_700 * 1_000_000 / 32_768);
}

proptest! {
    #[test]
    fn whatever_the_counter_does_the_clock_never_goes_back(counts in proptest::collection::vec(any::<u64>(), 1..50)) {
        let mut clock = Clock::new(Counts::<32, 40_000_000>(0));
        let mut before = clock.now();
        for count in counts {
            clock.counter().0 = count;
            let now = clock.now();
            prop_assert!(now >= before);
            before = now;
        }
    }
}
