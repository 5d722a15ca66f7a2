//! Chargers that led to no session, and until when each is tried last.

use heapless::Vec;
use homeplug_mme::Mac;
use machine::Instant;

use crate::times::SET_ASIDE;

/// Number of stored chargers. Each costs the car a whole `TT_match_join`, so with the 12 s of
/// [`TT_MATCH_JOIN`](crate::times::TT_MATCH_JOIN) five fit into [`SET_ASIDE`]: an entry cannot be evicted by
/// naming more addresses. A `match_join` below 7.5 s can fill the list; then the entry that expires first is
/// evicted.
const PLACES: usize = 8;

/// Chargers that led to no link, or to no session over it. They persist over unplugging and pilot changes and
/// expire by time only.
///
/// Residual hazard: an address is free to choose, so a rogue that reports 1 dB with a new address at every
/// attempt is chosen each time. Only a link that authenticates the charger would prevent it.
#[derive(Debug)]
pub(super) struct SetAside(Vec<(Mac, Instant), PLACES>);

impl SetAside {
    pub(super) const fn new() -> Self {
        Self(Vec::new())
    }

    pub(super) fn add(&mut self, now: Instant, mac: Mac) {
        self.0.retain(|(other, until)| *other != mac && now < *until);
        if self.0.is_full() {
            // Entries are sorted by expiry.
            self.0.remove(0);
        }
        // There is room: a full list lost its first entry above.
        let _ = self.0.push((mac, now + SET_ASIDE));
    }

    /// Removes a charger that led to a session.
    pub(super) fn forget(&mut self, mac: Mac) {
        self.0.retain(|(other, _)| *other != mac);
    }

    /// Until when a charger is tried last; `None` if it is not.
    pub(super) fn until(&self, now: Instant, mac: Mac) -> Option<Instant> {
        self.0.iter().find(|(other, until)| *other == mac && now < *until).map(|(_, until)| *until)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::times::TT_MATCH_JOIN;

    const fn mac(last: u8) -> Mac {
        Mac([2, 0, 0, 0, 0, last])
    }

    #[test]
    fn an_entry_ends_by_time_and_a_newer_failure_counts_anew() {
        let (first, again) = (Instant::from_millis(1000), Instant::from_millis(31_000));
        let mut aside = SetAside::new();
        aside.add(first, mac(1));
        assert_eq!(aside.until(first, mac(1)), Some(first + SET_ASIDE));
        assert_eq!(aside.until(first, mac(2)), None);
        assert_eq!(aside.until(first + SET_ASIDE, mac(1)), None);
        aside.add(again, mac(1));
        assert_eq!(aside.until(first + SET_ASIDE, mac(1)), Some(again + SET_ASIDE));
        aside.forget(mac(1));
        assert_eq!(aside.until(again, mac(1)), None);
    }

    #[test]
    fn addresses_that_each_cost_a_join_never_push_one_out() {
        let mut aside = SetAside::new();
        let mut now = Instant::ZERO;
        for last in 0..100 {
            aside.add(now, mac(last));
            for earlier in 0..last {
                let age = TT_MATCH_JOIN.as_micros() * u64::from(last - earlier);
                let is_aside = aside.until(now, mac(earlier)).is_some();
                assert_eq!(is_aside, age < SET_ASIDE.as_micros(), "{earlier} of {last}");
            }
            now += TT_MATCH_JOIN;
        }
    }

    #[test]
    fn where_they_cost_less_the_one_that_ends_first_makes_room() {
        let mut aside = SetAside::new();
        for last in 0..9 {
            aside.add(Instant::from_millis(u64::from(last)), mac(last));
        }
        let now = Instant::from_millis(9);
        assert_eq!(aside.until(now, mac(0)), None);
        assert!((1..9).all(|last| aside.until(now, mac(last)).is_some()));
    }
}
