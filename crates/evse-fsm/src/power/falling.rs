use machine::{Duration, Instant};
use session::Target;

/// A stop in progress: the current falls to 0 A linearly, and nothing rises.
#[derive(Clone, Copy, Debug)]
pub(super) struct Falling {
    began: Instant,
    from_ma: i32,
    over: Duration,
}

impl Falling {
    pub(super) const fn new(began: Instant, from_ma: i32, over: Duration) -> Self {
        Self { began, from_ma, over }
    }

    /// The one of both that ends first.
    pub(super) fn faster(self, other: Self) -> Self {
        if other.began + other.over < self.began + self.over { other } else { self }
    }

    /// `next`, limited to `before` and to the line.
    pub(super) fn bound(self, now: Instant, before: Target, next: Target) -> Target {
        let total = self.over.as_micros();
        let left = total.saturating_sub(now.since(self.began).as_micros());
        let line =
            u64::try_from(self.from_ma).unwrap_or(0).saturating_mul(left).checked_div(total).unwrap_or(0);
        let line_ma = i32::try_from(line).unwrap_or(i32::MAX);
        Target {
            voltage_mv: next.voltage_mv.min(before.voltage_mv),
            current_ma: next.current_ma.min(before.current_ma).min(line_ma),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MORE: Target = Target { voltage_mv: 500_000, current_ma: 200_000 };

    #[test]
    fn the_current_falls_in_a_line_and_nothing_rises() {
        let falling = Falling::new(Instant::from_millis(1_000), 100_000, Duration::from_secs(10));
        let before = Target { voltage_mv: 400_000, current_ma: 100_000 };
        let at = |ms| falling.bound(Instant::from_millis(ms), before, MORE);
        assert_eq!(at(1_000), before);
        assert_eq!(at(6_000), Target { voltage_mv: 400_000, current_ma: 50_000 });
        assert_eq!(at(11_000).current_ma, 0);
        assert_eq!(at(60_000).current_ma, 0);
        let low = Target { voltage_mv: 100_000, current_ma: 10 };
        assert_eq!(falling.bound(Instant::from_millis(1_001), low, MORE), low);
    }

    #[test]
    fn without_time_it_is_gone_at_once_and_the_faster_of_two_counts() {
        let now = Instant::from_millis(1_000);
        let (slow, fast) =
            (Falling::new(now, 100_000, Duration::from_secs(10)), Falling::new(now, 100_000, Duration::ZERO));
        assert_eq!(slow.faster(fast).bound(now, MORE, MORE).current_ma, 0);
        assert_eq!(fast.faster(slow).bound(now, MORE, MORE).current_ma, 0);
    }
}
