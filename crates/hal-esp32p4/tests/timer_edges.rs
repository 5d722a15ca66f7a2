//! The pilot's rising edges, from reads of the PWM's timer.
#![allow(clippy::unwrap_used, reason = "a test ends where it fails")]

use hal_esp32p4::{TimerEdges, Timing};
use proptest::prelude::*;

/// Frequency of SYSTIMER.
const HZ: u32 = 16_000_000;
/// Counts of the clock in a period.
const PERIOD: u64 = 16_000;

/// Count of the PWM's timer, `since` counts of the clock after an edge.
fn timer(since: u64) -> u32 {
    u32::try_from(since % PERIOD * u64::from(Timing::PILOT.counts()) / PERIOD).unwrap()
}

#[test]
fn each_period_has_one_edge_however_often_it_is_looked_at() {
    let mut edges = TimerEdges::default();
    let begun = 123_456_789;
    let seen: Vec<u64> =
        (0..PERIOD * 10).step_by(7).filter_map(|since| edges.look(begun + since, timer(since), HZ)).collect();
    assert_eq!(seen.len(), 10);
    for (edge, expected) in seen.iter().zip((0..).map(|period| begun + period * PERIOD)) {
        // A count of the timer is just less than one of the clock.
        assert!(edge.abs_diff(expected) <= 1, "{edge} for {expected}");
    }
}

#[test]
fn a_late_look_gives_the_newest_edge_at_its_time() {
    let mut edges = TimerEdges::default();
    edges.look(0, 0, HZ).unwrap();
    let edge = edges.look(PERIOD * 7 + 12_000, timer(12_000), HZ).unwrap();
    assert!(edge.abs_diff(PERIOD * 7) <= 1, "{edge}");
}

#[test]
fn a_timer_that_stands_still_gives_edges_at_no_two_times_within_half_a_period() {
    let mut edges = TimerEdges::default();
    let seen: Vec<u64> = (0..PERIOD * 4).filter_map(|now| edges.look(now, 0, HZ)).collect();
    assert!(seen.windows(2).all(|pair| pair[1] - pair[0] > PERIOD / 2), "{seen:?}");
}

proptest! {
    #[test]
    fn looks_at_any_times_with_counters_read_up_to_3_us_apart_never_give_an_edge_twice(
        waits in prop::collection::vec((1_u64..40_000, 0_u64..48), 1..200)
    ) {
        let mut edges = TimerEdges::default();
        let (mut now, mut last) = (PERIOD, None::<u64>);
        for (wait, apart) in waits {
            now += wait;
            if let Some(edge) = edges.look(now, timer(now + apart), HZ) {
                let off = edge % PERIOD;
                prop_assert!(off.min(PERIOD - off) <= 49, "{} off an edge", off);
                prop_assert!(last.is_none_or(|last| edge - last > PERIOD / 2));
                last = Some(edge);
            }
        }
    }
}
