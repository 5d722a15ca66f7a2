use machine::{Duration, Instant};

/// Time between two presence requests: judgement.
pub(crate) const POLL: Duration = Duration::from_millis(250);
/// A modem restarts within this time after it has confirmed it. A QCA7420 responds for up to 3.6 s more, with
/// the new key, and is then silent for 0.5 to 2.5 s (observed in six captures, `2022-12-13_compleo` and
/// others).
pub(crate) const SETTLE: Duration = Duration::from_secs(6);
/// A modem that restarts has joined its new network within this time after the key: 6.3 to 8.3 s (observed),
/// and a poll.
const REJOIN: Duration = Duration::from_secs(9);
/// Maximum duration of a restart: 40 s observed once for a modem at the other end, under 6 s for the own one;
/// judgement.
pub(crate) const LIMIT: Duration = Duration::from_secs(20);
/// Consecutive unanswered requests that are a restart and not lost frames: judgement.
const GONE: u8 = 2;

/// The wait for a modem that restarts. It is back when it responds after a silence, when it has responded all
/// the time and must have restarted, or when it reports the new key and a link in its network.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Restart {
    since: Instant,
    unanswered: u8,
    gone: bool,
    shows_key: bool,
}

impl Restart {
    pub(crate) const fn new(now: Instant) -> Self {
        Self { since: now, unanswered: 0, gone: false, shows_key: false }
    }

    /// A request was not answered.
    pub(crate) fn missed(&mut self) {
        self.unanswered = self.unanswered.saturating_add(1);
        self.gone |= self.unanswered >= GONE;
    }

    /// A request was answered; returns whether the modem is back.
    pub(crate) fn answered(&mut self, now: Instant) -> bool {
        self.unanswered = 0;
        self.gone || now.since(self.since) >= SETTLE
    }

    /// The modem reported a key: whether it is the new one.
    pub(crate) fn showed_key(&mut self, is_new: bool) {
        self.shows_key = is_new;
    }

    /// Whether it reports the new key.
    pub(crate) const fn shows_key(&self) -> bool {
        self.shows_key
    }

    /// The time at which it has restarted and joined, if it is still to do so.
    pub(crate) fn rejoined(&self) -> Instant {
        self.since + REJOIN
    }

    /// Whether it takes too long.
    pub(crate) fn is_over(&self, now: Instant) -> bool {
        now.since(self.since) >= LIMIT
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_lost_frame_is_no_restart_and_two_in_a_row_are() {
        let soon = Instant::from_millis(2000);
        let mut restart = Restart::new(Instant::ZERO);
        for _ in 0..3 {
            restart.missed();
            assert!(!restart.answered(soon));
        }
        restart.missed();
        restart.missed();
        assert!(restart.answered(soon));
    }
}
