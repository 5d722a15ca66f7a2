//! Merges the frames of several interfaces in the order of their times, each once.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

/// Most interfaces at the same time: judgement; two modems are usual.
pub(super) const MAX_EARS: usize = 8;
/// How long a frame waits for an earlier one of another interface: judgement, a turn of the loop takes less.
const HOLD: Duration = Duration::from_millis(20);
/// Within this time equal bytes on two interfaces are one frame: judgement. A bridge forwards a frame within
/// microseconds, a modem within a few milliseconds; a station repeats a frame on the same interface.
const SAME: Duration = Duration::from_millis(100);
/// Most bytes that wait, and most bytes that are compared: judgement. Beyond that the earliest frame is
/// passed on early, and is not compared any more.
const MAX_BYTES: usize = 1 << 20;

/// A frame, its time of arrival since 1970, and its interface.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Heard {
    pub at: Duration,
    pub ear: usize,
    pub bytes: Vec<u8>,
}

/// Frames between the interfaces and the receiver.
#[derive(Debug, Default)]
pub(super) struct Merge {
    /// Whether there are several interfaces: the frames of a single one are passed on immediately.
    has_many: bool,
    waiting: BTreeMap<(Duration, u64), Heard>,
    bytes: usize,
    count: u64,
    seen: VecDeque<Seen>,
    seen_bytes: usize,
    duplicates: u64,
}

/// A frame that was passed on.
#[derive(Debug)]
struct Seen {
    at: Duration,
    /// The interfaces on which it arrived, as bits.
    ears: u8,
    bytes: Vec<u8>,
}

impl Merge {
    /// A merger for this number of interfaces.
    pub(super) fn new(interfaces: usize) -> Self {
        Self { has_many: interfaces > 1, ..Self::default() }
    }

    /// Adds a frame. A time later than `now` comes from a clock that was set back in between.
    pub(super) fn push(&mut self, now: Duration, heard: Heard) {
        let heard = Heard { at: heard.at.min(now), ..heard };
        self.count += 1;
        self.bytes += heard.bytes.len();
        self.waiting.insert((heard.at, self.count), heard);
    }

    /// The next frame that has waited long enough.
    pub(super) fn next(&mut self, now: Duration) -> Option<Heard> {
        loop {
            let (at, _) = *self.waiting.first_key_value()?.0;
            if self.has_many && at + HOLD > now && self.bytes <= MAX_BYTES {
                return None;
            }
            let (_, heard) = self.waiting.pop_first()?;
            self.bytes -= heard.bytes.len();
            if !self.has_many || self.is_new(&heard) {
                return Some(heard);
            }
            self.duplicates += 1;
        }
    }

    /// When the next frame has waited long enough.
    pub(super) fn due(&self) -> Option<Duration> {
        self.waiting.first_key_value().map(|((at, _), _)| *at + HOLD)
    }

    /// Number of frames that were dropped because another interface already had them.
    pub(super) fn duplicates(&self) -> u64 {
        self.duplicates
    }

    /// Whether no other interface had this frame. Each frame of one interface pairs with one frame of
    /// another.
    fn is_new(&mut self, heard: &Heard) -> bool {
        while let Some(first) = self.seen.front()
            && (self.seen_bytes > MAX_BYTES || first.at + SAME < heard.at)
        {
            self.seen_bytes -= first.bytes.len();
            self.seen.pop_front();
        }
        let ear = u8::try_from(heard.ear).ok().and_then(|ear| 1_u8.checked_shl(ear.into())).unwrap_or(0);
        let twin = self.seen.iter_mut().find(|seen| seen.ears & ear == 0 && seen.bytes == heard.bytes);
        if let Some(twin) = twin {
            twin.ears |= ear;
            return false;
        }
        self.seen_bytes += heard.bytes.len();
        self.seen.push_back(Seen { at: heard.at, ears: ear, bytes: heard.bytes.clone() });
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ms(millis: u64) -> Duration {
        Duration::from_millis(1_000_000 + millis)
    }

    fn heard(millis: u64, ear: usize, byte: u8) -> Heard {
        Heard { at: ms(millis), ear, bytes: vec![byte; 60] }
    }

    /// The output for these inputs: interface and first byte of each frame.
    fn merged(ears: usize, frames: &[(u64, usize, u8)]) -> Vec<(usize, u8)> {
        let mut merge = Merge::new(ears);
        for &(millis, ear, byte) in frames {
            merge.push(ms(10_000), heard(millis, ear, byte));
        }
        std::iter::from_fn(|| merge.next(ms(20_000))).map(|heard| (heard.ear, heard.bytes[0])).collect()
    }

    #[test]
    fn frames_of_two_interfaces_come_in_the_order_of_their_times() {
        assert_eq!(merged(2, &[(5, 0, 1), (7, 0, 3), (6, 1, 2)]), [(0, 1), (1, 2), (0, 3)]);
    }

    #[test]
    fn a_frame_of_two_interfaces_is_one_and_one_that_is_repeated_on_both_is_two() {
        let frames = [(0, 0, 1), (1, 1, 1), (50, 1, 1), (52, 0, 1), (90, 1, 2)];
        assert_eq!(merged(2, &frames), [(0, 1), (1, 1), (1, 2)]);
        assert_eq!(merged(2, &[(0, 0, 1), (500, 1, 1)]), [(0, 1), (1, 1)], "too far apart");
        assert_eq!(merged(1, &[(0, 0, 1), (1, 0, 1)]), [(0, 1), (0, 1)], "a single interface repeats itself");
        assert_eq!(merged(3, &[(0, 0, 1), (1, 1, 1), (2, 2, 1)]), [(0, 1)]);
    }

    #[test]
    fn a_frame_waits_for_an_earlier_one_of_another_interface_and_not_longer() {
        let mut merge = Merge::new(2);
        merge.push(ms(0), heard(0, 0, 1));
        assert_eq!(merge.next(ms(19)), None);
        assert_eq!(merge.due(), Some(ms(20)));
        assert_eq!(merge.next(ms(20)).unwrap().at, ms(0));
        let mut single = Merge::new(1);
        single.push(ms(0), heard(0, 0, 1));
        assert!(single.next(ms(0)).is_some());
    }

    #[test]
    fn a_clock_that_is_set_forward_holds_no_frame_and_what_waits_is_bounded() {
        let mut merge = Merge::new(2);
        merge.push(ms(0), heard(3_600_000, 0, 1));
        assert!(merge.next(ms(20)).is_some());
        for index in 0..2 * MAX_BYTES / 60 {
            merge.push(ms(100), heard(100, index % 2, 1));
            while merge.next(ms(100)).is_some() {}
            assert!(merge.bytes <= MAX_BYTES && merge.seen_bytes <= MAX_BYTES + 60);
        }
    }
}
