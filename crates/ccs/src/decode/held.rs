//! Segments that came before their turn.

use std::collections::BTreeMap;

use super::framer::When;

/// Segments held in one direction before their gap is given up. Judgement: byte by byte, twice the largest window
/// without scaling (65 535). Every real capture holds fewer than ten.
pub const MAX_SEGMENTS: usize = 128 * 1024;
/// Bytes held in one direction before their gap is given up. Judgement: four such windows.
pub const MAX_BYTES: usize = 256 * 1024;
/// What a held segment costs besides its bytes: its place in the tree and its block on the heap, measured at 120.
const OVERHEAD: usize = 128;

/// Segments by their place in the stream, which is counted from its first byte and does not wrap. No byte is held
/// twice where the earlier segment in the stream came first. Taking and giving a segment cost log n.
#[derive(Default)]
pub struct Held {
    segments: BTreeMap<u64, Segment>,
    bytes: usize,
}

/// Bytes and when they were captured.
pub struct Segment {
    /// The frame that brought them.
    pub when: When,
    /// The bytes; never none.
    pub data: Box<[u8]>,
}

impl Held {
    /// Keeps what of `data` no segment before `place` or at it has already.
    pub fn keep(&mut self, mut place: u64, when: When, mut data: &[u8]) {
        // Each round takes at least one byte off: the cost is that of the bytes.
        while let Some(known) = self.known_from(place) {
            let Some(fresh) = data.get(known..) else { return };
            data = fresh;
            place += length(known);
        }
        if data.is_empty() {
            return;
        }
        self.bytes += data.len();
        self.segments.insert(place, Segment { when, data: data.into() });
    }

    /// How many bytes from `place` on the nearest segment up to it has; `None` for none.
    fn known_from(&self, place: u64) -> Option<usize> {
        let (&start, segment) = self.segments.range(..=place).next_back()?;
        let into = usize::try_from(place - start).ok()?;
        segment.data.len().checked_sub(into).filter(|known| *known > 0)
    }

    /// The first segment's place and time.
    pub fn first(&self) -> Option<(u64, When)> {
        self.segments.first_key_value().map(|(&place, segment)| (place, segment.when))
    }

    /// Gives the first segment away if it starts at `place` or before it.
    pub fn take_until(&mut self, place: u64) -> Option<(u64, Segment)> {
        let first = self.segments.first_entry().filter(|first| *first.key() <= place)?;
        let (start, segment) = first.remove_entry();
        self.bytes -= segment.data.len();
        Some((start, segment))
    }

    /// Whether one direction holds more than it may.
    pub fn is_too_much(&self) -> bool {
        self.segments.len() > MAX_SEGMENTS || self.bytes > MAX_BYTES
    }

    /// Memory in bytes, about.
    pub fn cost(&self) -> usize {
        self.bytes + self.segments.len() * OVERHEAD
    }
}

/// A number of bytes as a distance.
pub fn length(bytes: usize) -> u64 {
    u64::try_from(bytes).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(frame: u64) -> When {
        When { frame, time_ns: None }
    }

    fn given(held: &mut Held) -> Vec<(u64, u64, Vec<u8>)> {
        std::iter::from_fn(|| held.take_until(u64::MAX))
            .map(|(place, segment)| (place, segment.when.frame, segment.data.to_vec()))
            .collect()
    }

    #[test]
    fn segments_come_out_in_the_order_of_the_stream_and_only_up_to_the_place() {
        let mut held = Held::default();
        held.keep(30, at(1), b"c");
        held.keep(10, at(2), b"a");
        held.keep(20, at(3), b"b");
        assert!(held.take_until(9).is_none());
        let places: Vec<u64> = std::iter::from_fn(|| held.take_until(20)).map(|(place, _)| place).collect();
        assert_eq!(places, [10, 20]);
        assert_eq!(held.first(), Some((30, at(1))));
    }

    #[test]
    fn a_repetition_is_not_held_and_a_longer_one_adds_its_end() {
        let mut held = Held::default();
        held.keep(10, at(1), b"abc");
        held.keep(13, at(2), b"d");
        held.keep(10, at(3), b"xyz");
        held.keep(11, at(4), b"x");
        held.keep(10, at(5), b"xyzwef");
        let expected = [(10, 1, b"abc".to_vec()), (13, 2, b"d".to_vec()), (14, 5, b"ef".to_vec())];
        assert_eq!(given(&mut held), expected);
        assert_eq!(held.cost(), 0);
    }

    #[test]
    fn an_empty_segment_is_not_held() {
        let mut held = Held::default();
        held.keep(10, at(1), b"");
        assert!(held.first().is_none());
    }

    #[test]
    fn many_small_segments_and_few_large_ones_are_too_much_alike() {
        let mut held = Held::default();
        for place in 0..length(MAX_SEGMENTS) {
            held.keep(place * 2, at(1), b"x");
        }
        assert!(!held.is_too_much());
        held.keep(1, at(1), b"x");
        assert!(held.is_too_much());
        let mut held = Held::default();
        held.keep(0, at(1), &vec![0; MAX_BYTES]);
        assert!(!held.is_too_much());
        held.keep(length(MAX_BYTES), at(1), b"x");
        assert!(held.is_too_much());
    }
}
