//! Two clocks: the caller's, and smoltcp's, which runs ten times faster.
//!
//! smoltcp's smallest retransmission timeout is fixed at 1 s, as RFC 6298 requires for the Internet. A car in
//! the charging loop times out after 250 ms, so a lost response would end the session before its repetition.
//! On the faster clock it is repeated after 100 ms, as clara does (Linux: 200 ms). smoltcp's other times
//! become shorter by the same factor, which suits one hop of power line: neighbour solicitations every 100
//! ms, a neighbour is stored for 6 s after its last frame, TIME-WAIT lasts 1 s.

use machine::{Duration, Instant};

/// How much faster smoltcp's clock is.
const SPEED: u64 = 10;

/// The end of smoltcp's clock, with a margin so that sums do not overflow.
const END: u64 = i64::MAX as u64 / 2;

/// A time on smoltcp's clock.
pub(super) fn fast(at: Instant) -> smoltcp::time::Instant {
    let micros = at.as_micros().saturating_mul(SPEED).min(END);
    smoltcp::time::Instant::from_micros(i64::try_from(micros).unwrap_or(i64::MAX))
}

/// The first time on the caller's clock at which smoltcp's clock shows `at`.
pub(super) fn slow(at: smoltcp::time::Instant) -> Instant {
    Instant::from_micros(u64::try_from(at.total_micros()).unwrap_or(0).div_ceil(SPEED))
}

/// A duration on smoltcp's clock.
pub(super) const fn fast_span(span: Duration) -> smoltcp::time::Duration {
    smoltcp::time::Duration::from_micros(span.as_micros().saturating_mul(SPEED))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_there_and_back_is_never_earlier() {
        for micros in [0, 1, 7, 999_999, 86_400_000_000] {
            let at = Instant::from_micros(micros);
            assert_eq!(slow(fast(at)), at);
        }
        assert_eq!(slow(smoltcp::time::Instant::from_micros(11)), Instant::from_micros(2));
    }

    #[test]
    fn the_end_of_the_callers_clock_leaves_room_for_sums() {
        let end = fast(Instant::from_micros(u64::MAX));
        assert!(end + fast_span(Duration::from_secs(3600)) > end);
    }
}
