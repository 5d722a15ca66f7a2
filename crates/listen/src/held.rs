//! Storage of bytes that cannot be delivered yet: parts of messages, and segments that arrive before their
//! turn.

/// Size of a block in bytes.
pub const BLOCK_LEN: usize = 256;
const WORD: usize = 64;
const LEN: u64 = 256;
/// Marks the end of a list of blocks.
const NONE: u32 = u32::MAX;

use crate::framer::When;

/// A piece of one direction of a connection: [`BLOCK_LEN`] bytes that begin at a multiple of [`BLOCK_LEN`],
/// with a map of the bytes that are present.
#[derive(Clone, Copy, Debug)]
pub struct Block {
    place: u64,
    next: u32,
    /// One bit for each byte: set if the byte is present.
    present: [u64; BLOCK_LEN / WORD],
    latest: When,
    bytes: [u8; BLOCK_LEN],
}

impl Block {
    /// A block without bytes.
    pub const EMPTY: Self = Self {
        place: 0,
        next: NONE,
        present: [0; BLOCK_LEN / WORD],
        latest: When::NEVER,
        bytes: [0; BLOCK_LEN],
    };

    /// Stores the bytes of `data` that are not present yet.
    fn store(&mut self, at: usize, when: When, data: &[u8]) {
        let end = at + data.len();
        let mut from = at + self.run(at, true);
        while from < end {
            let to = end.min(from + self.run(from, false));
            if let (Some(slot), Some(bytes)) = (self.bytes.get_mut(from..to), data.get(from - at..to - at)) {
                slot.copy_from_slice(bytes);
            }
            self.mark(from, to);
            from = to + self.run(to, true);
        }
        self.latest = self.latest.max(when);
    }

    /// Marks the bytes of a range as present.
    fn mark(&mut self, mut from: usize, to: usize) {
        for (index, word) in self.present.iter_mut().enumerate() {
            let end = to.min((index + 1) * WORD);
            if from < end && from / WORD == index {
                let ones = u64::MAX >> (WORD - (end - from));
                *word |= ones << (from % WORD);
                from = end;
            }
        }
    }

    /// Length of the run of present (`is_present`) or missing bytes from `at` on, up to the end of the block.
    fn run(&self, at: usize, is_present: bool) -> usize {
        let mut index = at;
        while let Some(word) = self.present.get(index / WORD) {
            let bits = if is_present { *word } else { !*word };
            let left = WORD - index % WORD;
            let run = usize::try_from((bits >> (index % WORD)).trailing_ones()).unwrap_or(0).min(left);
            index += run;
            if run < left {
                break;
            }
        }
        index - at
    }
}

/// The blocks of all connections.
pub(crate) struct Pool<'p> {
    pub blocks: &'p mut [Block],
    pub free: &'p mut Free,
}

/// The free blocks.
#[derive(Debug)]
pub(crate) struct Free {
    /// Blocks from this index on were never used.
    fresh: u32,
    /// First block of the list of returned blocks.
    first: u32,
    used: u32,
}

impl Default for Free {
    fn default() -> Self {
        Self { fresh: 0, first: NONE, used: 0 }
    }
}

impl Free {
    /// Blocks in use.
    pub(crate) fn used(&self) -> usize {
        index(self.used)
    }
}

impl Pool<'_> {
    /// Number of blocks, used and free.
    pub(crate) fn len(&self) -> usize {
        self.blocks.len()
    }

    /// Number of free blocks.
    pub(crate) fn available(&self) -> usize {
        self.len().saturating_sub(self.free.used())
    }

    fn get(&self, at: u32) -> Option<&Block> {
        self.blocks.get(index(at))
    }

    fn get_mut(&mut self, at: u32) -> Option<&mut Block> {
        self.blocks.get_mut(index(at))
    }

    fn take(&mut self) -> Option<u32> {
        let at = if self.free.first == NONE {
            self.get(self.free.fresh)?;
            self.free.fresh += 1;
            self.free.fresh - 1
        } else {
            let first = self.free.first;
            self.free.first = self.get(first)?.next;
            first
        };
        self.free.used += 1;
        Some(at)
    }

    fn give_back(&mut self, at: u32) {
        let first = self.free.first;
        if let Some(block) = self.get_mut(at) {
            block.next = first;
            self.free.first = at;
            self.free.used = self.free.used.saturating_sub(1);
        }
    }
}

/// The blocks of one direction, in the order of the stream.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Held {
    first: u32,
    /// The block used last. The next bytes most likely belong to it.
    recent: u32,
    count: usize,
}

impl Default for Held {
    fn default() -> Self {
        Self { first: NONE, recent: NONE, count: 0 }
    }
}

impl Held {
    /// Number of blocks that this direction uses.
    pub(crate) fn count(&self) -> usize {
        self.count
    }

    /// Stores the bytes of `data` that are not present yet. Returns false if the pool has no room for all of
    /// them.
    pub(crate) fn keep(&mut self, pool: &mut Pool<'_>, mut place: u64, when: When, mut data: &[u8]) -> bool {
        while !data.is_empty() {
            let at = offset(place);
            let (part, rest) = data.split_at_checked(BLOCK_LEN - at).unwrap_or((data, &[]));
            let Some(block) = self.block(pool, place - place % LEN, when) else { return false };
            block.store(at, when, part);
            place += length(part.len());
            data = rest;
        }
        true
    }

    /// The block that begins at `place`; allocates it if the direction does not have it.
    fn block<'p>(&mut self, pool: &'p mut Pool<'_>, place: u64, when: When) -> Option<&'p mut Block> {
        let (mut before, mut at) = (NONE, self.first);
        if pool.get(self.recent).is_some_and(|recent| recent.place <= place) {
            (before, at) = (NONE, self.recent);
        }
        while let Some(block) = pool.get(at).filter(|block| block.place < place) {
            (before, at) = (at, block.next);
        }
        if pool.get(at).is_none_or(|block| block.place != place) {
            let new = pool.take()?;
            if let Some(block) = pool.get_mut(new) {
                *block = Block { place, next: at, latest: when, ..Block::EMPTY };
            }
            match pool.get_mut(before) {
                Some(block) => block.next = new,
                None => self.first = new,
            }
            self.count += 1;
            at = new;
        }
        self.recent = at;
        pool.get_mut(at)
    }

    /// Number of bytes present in a row from `place` on.
    pub(crate) fn run(&self, pool: &Pool<'_>, place: u64) -> u64 {
        let (mut end, mut at) = (place, self.start(pool, place));
        while let Some(block) = pool.get(at).filter(|block| block.place <= end && end - block.place < LEN) {
            let run = length(block.run(offset(end), true));
            end += run;
            if run == 0 || !end.is_multiple_of(LEN) {
                break;
            }
            at = block.next;
        }
        end - place
    }

    /// The first byte present at or after `place`, and when the latest byte of its block arrived.
    pub(crate) fn next(&self, pool: &Pool<'_>, place: u64) -> Option<(u64, When)> {
        let mut at = self.start(pool, place);
        while let Some(block) = pool.get(at) {
            let from = if block.place < place { offset(place) } else { 0 };
            let found = from + block.run(from, false);
            if found < BLOCK_LEN {
                return Some((block.place + length(found), block.latest));
            }
            at = block.next;
        }
        None
    }

    /// Copies the bytes from `place` on into `out`; all of them must be present. Returns when the latest of
    /// them arrived.
    pub(crate) fn copy(&self, pool: &Pool<'_>, place: u64, out: &mut [u8]) -> When {
        let (mut at, mut place, mut rest, mut latest) = (self.start(pool, place), place, out, When::NEVER);
        while let Some(block) = pool.get(at).filter(|_| !rest.is_empty()) {
            let bytes = block.bytes.get(offset(place)..).unwrap_or_default();
            let count = bytes.len().min(rest.len());
            let (now, later) = rest.split_at_mut(count);
            now.copy_from_slice(bytes.get(..count).unwrap_or_default());
            (rest, place, latest) = (later, place + length(count), latest.max(block.latest));
            at = block.next;
        }
        latest
    }

    /// Returns the blocks to the pool that end at or before `place`.
    pub(crate) fn drop_until(&mut self, pool: &mut Pool<'_>, place: u64) {
        while let Some(block) = pool.get(self.first).filter(|block| block.place.saturating_add(LEN) <= place)
        {
            let next = block.next;
            if self.recent == self.first {
                self.recent = NONE;
            }
            pool.give_back(self.first);
            self.first = next;
            self.count = self.count.saturating_sub(1);
        }
    }

    /// Returns all blocks to the pool.
    pub(crate) fn clear(&mut self, pool: &mut Pool<'_>) {
        self.drop_until(pool, u64::MAX);
    }

    /// The first block that ends after `place`.
    fn start(&self, pool: &Pool<'_>, place: u64) -> u32 {
        let mut at = match pool.get(self.recent) {
            Some(recent) if recent.place <= place => self.recent,
            _ => self.first,
        };
        while let Some(block) = pool.get(at).filter(|block| block.place.saturating_add(LEN) <= place) {
            at = block.next;
        }
        at
    }
}

/// A number of bytes as a distance in the stream.
pub(crate) fn length(bytes: usize) -> u64 {
    u64::try_from(bytes).unwrap_or(u64::MAX)
}

fn index(at: u32) -> usize {
    usize::try_from(at).unwrap_or(usize::MAX)
}

fn offset(place: u64) -> usize {
    usize::try_from(place % LEN).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::vec::Vec;

    fn at(frame: u64) -> When {
        When { frame, time_ns: None }
    }

    fn with_pool(blocks: usize, test: impl FnOnce(&mut Pool<'_>, &mut Held)) {
        let mut storage = vec![Block::EMPTY; blocks];
        let mut free = Free::default();
        test(&mut Pool { blocks: &mut storage, free: &mut free }, &mut Held::default());
    }

    fn read(held: &Held, pool: &Pool<'_>, place: u64, count: usize) -> (Vec<u8>, u64) {
        let mut bytes = vec![0; count];
        let when = held.copy(pool, place, &mut bytes);
        (bytes, when.frame)
    }

    #[test]
    fn bytes_come_out_in_the_order_of_the_stream_whatever_order_they_came_in() {
        with_pool(8, |pool, held| {
            assert!(held.keep(pool, 700, at(1), b"c"));
            assert!(held.keep(pool, 10, at(2), b"a"));
            assert!(held.keep(pool, 254, at(3), b"bbbb"));
            assert_eq!(held.next(pool, 0), Some((10, at(3))), "the block's latest");
            assert_eq!(held.next(pool, 11), Some((254, at(3))));
            assert_eq!((held.run(pool, 254), held.run(pool, 11)), (4, 0));
            assert_eq!(read(held, pool, 254, 4), (b"bbbb".to_vec(), 3));
            assert_eq!(held.next(pool, 258), Some((700, at(1))));
            held.drop_until(pool, 700);
            assert_eq!((held.count(), held.next(pool, 0)), (1, Some((700, at(1)))));
        });
    }

    #[test]
    fn a_place_is_found_after_blocks_that_end_before_it_and_before_blocks_that_begin_after_it() {
        with_pool(4, |pool, held| {
            held.keep(pool, 250, at(1), &[1; 100]);
            held.keep(pool, 600, at(2), &[2; 10]);
            assert_eq!((held.run(pool, 300), held.run(pool, 350)), (50, 0));
            assert_eq!(read(held, pool, 300, 50), (vec![1; 50], 1));
        });
    }

    #[test]
    fn the_first_of_two_that_claim_a_byte_has_it() {
        with_pool(2, |pool, held| {
            held.keep(pool, 10, at(1), b"abc");
            held.keep(pool, 9, at(2), b"xyzwef");
            assert_eq!(held.run(pool, 9), 6);
            assert_eq!(read(held, pool, 9, 6).0, b"xabcef");
        });
    }

    #[test]
    fn what_finds_no_block_is_reported_and_blocks_come_back() {
        with_pool(2, |pool, held| {
            assert!(!held.keep(pool, 0, at(1), &[7; 600]));
            assert_eq!((held.run(pool, 0), pool.available()), (512, 0));
            held.clear(pool);
            assert_eq!((held.count(), pool.available()), (0, 2));
            assert!(held.keep(pool, 5000, at(2), &[7; 200]));
            assert_eq!(held.run(pool, 5000), 200);
        });
    }
}
