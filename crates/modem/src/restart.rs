use machine::{Duration, Instant};

/// Time between two questions whether the modem is there again: judgement.
pub(crate) const POLL: Duration = Duration::from_millis(250);
/// A modem that restarts does so within this time after it said so: a QCA7420 answers for up to 3.6 s more,
/// with the new key, then nothing for 0.5 to 2.5 s (observed in six captures, `2022-12-13_compleo` and
/// others).
pub(crate) const SETTLE: Duration = Duration::from_secs(6);
/// A modem that restarts is in its new network within this time after the key: 6.3 to 8.3 s (observed), and a
/// poll.
const REJOIN: Duration = Duration::from_secs(9);
/// A restart takes no longer: 40 s seen once for a modem at the other end, under 6 s for the own one;
/// judgement.
pub(crate) const LIMIT: Duration = Duration::from_secs(20);
/// Unanswered questions in a row that are a restart and not lost frames: judgement.
const GONE: u8 = 2;

/// The wait for a modem that restarts: it is back when it answers after having been silent, when it has
/// answered all the time and would have restarted by now, or when it shows the new key and sees a link in its
/// network.
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

    /// A question was not answered.
    pub(crate) fn missed(&mut self) {
        self.unanswered = self.unanswered.saturating_add(1);
        self.gone |= self.unanswered >= GONE;
    }

    /// A question was answered; is the modem back?
    pub(crate) fn answered(&mut self, now: Instant) -> bool {
        self.unanswered = 0;
        self.gone || now.since(self.since) >= SETTLE
    }

    /// It was asked which key it has.
    pub(crate) fn showed_key(&mut self, is_new: bool) {
        self.shows_key = is_new;
    }

    /// Whether it shows the new key.
    pub(crate) const fn shows_key(&self) -> bool {
        self.shows_key
    }

    /// When it has restarted and joined, if it still does so.
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
