//! What the tests of the contract share: hostile bytes.
//!
//! The tests drive each machine of the workspace in a [`Check`], through sessions with
//! a peer and through hostile bytes.

pub mod cable;
pub mod timers;

use std::fmt::Debug;

use machine::check::{Broken, Check};
use machine::{Duration, Instant, Machine};

/// Frames that are random variations of `genuine` ones: cut, lengthened, with other bytes, fully random, and
/// sometimes unchanged. The same `seed` gives the same frames.
pub fn hostile(seed: u64, genuine: &[Vec<u8>]) -> impl Iterator<Item = Vec<u8>> {
    let mut chance = Chance(seed | 1);
    std::iter::repeat_with(move || {
        let mut frame = genuine.get(chance.below(genuine.len().max(1))).cloned().unwrap_or_default();
        match chance.below(5) {
            0 => frame = (0..chance.below(1600)).map(|_| chance.byte()).collect(),
            1 => frame.truncate(chance.below(frame.len() + 1)),
            2 => frame.extend((0..chance.below(64)).map(|_| 0xFF)),
            3 => {
                for _ in 0..=chance.below(4) {
                    let at = chance.below(frame.len().max(1));
                    let other = chance.byte();
                    frame.get_mut(at).into_iter().for_each(|byte| *byte = other);
                }
            }
            _ => {}
        }
        frame
    })
}

/// Lets the machine act at each deadline until `end`, for some of them a few seconds late.
///
/// # Errors
/// The rule that is broken.
pub fn pass_late<M: Machine<Route: Debug, Event: Debug>>(
    check: &mut Check<M>,
    end: Instant,
    late: Duration,
) -> Result<(), Broken> {
    while let Some(due) = check.due().filter(|due| due.at <= end) {
        check.sleep_to(due.at + late)?;
        check.timeout()?;
    }
    check.sleep_to(end)
}

/// Random numbers (xorshift).
struct Chance(u64);

impl Chance {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    fn below(&mut self, end: usize) -> usize {
        usize::try_from(self.next() % u64::try_from(end.max(1)).unwrap_or(1)).unwrap_or(0)
    }

    fn byte(&mut self) -> u8 {
        self.next().to_le_bytes()[3]
    }
}
