use machine::{Duration, Entropy};
use rand_chacha::ChaCha8Rng;
use rand_core::{RngCore, SeedableRng};

/// All random numbers of a world come from one seed, through a tree of named streams. The numbers of a stream
/// depend on the seed and on the names from the root to it, and on no other stream. A node that is added
/// therefore changes no number of another node.
#[derive(Clone, Debug)]
pub struct Chance {
    key: u64,
    rng: ChaCha8Rng,
}

/// From the shortest to the longest time, both included.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Span {
    /// The shortest.
    pub least: Duration,
    /// The longest.
    pub most: Duration,
}

impl Span {
    /// No time.
    pub const ZERO: Self = Self::exactly(Duration::ZERO);

    /// A span of one value.
    pub const fn exactly(time: Duration) -> Self {
        Self { least: time, most: time }
    }

    /// From `least` to `most` microseconds.
    pub const fn micros(least: u64, most: u64) -> Self {
        Self { least: Duration::from_micros(least), most: Duration::from_micros(most) }
    }

    /// From `least` to `most` milliseconds.
    pub const fn millis(least: u64, most: u64) -> Self {
        Self { least: Duration::from_millis(least), most: Duration::from_millis(most) }
    }
}

impl Chance {
    /// The root of a world's streams.
    pub fn new(seed: u64) -> Self {
        Self { key: seed, rng: ChaCha8Rng::seed_from_u64(seed) }
    }

    /// The stream called `name` below this one, at its start.
    #[must_use]
    pub fn child(&self, name: &str) -> Self {
        // FNV-1a: maps names to keys; the seeding of the generator mixes the bits.
        const OFFSET: u64 = 0xCBF2_9CE4_8422_2325;
        const PRIME: u64 = 0x0100_0000_01B3;
        let path = self.key.to_le_bytes();
        let bytes = path.iter().chain(name.as_bytes());
        Self::new(bytes.fold(OFFSET, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(PRIME)))
    }

    /// A number below `limit`, and 0 when `limit` is 0.
    pub fn below(&mut self, limit: u64) -> u64 {
        if limit == 0 { 0 } else { self.rng.next_u64() % limit }
    }

    /// `true` in `permille` of a thousand calls. Draws no number for 0.
    pub fn happens(&mut self, permille: u16) -> bool {
        permille > 0 && self.below(1000) < u64::from(permille)
    }

    /// A random time within `span`.
    pub fn within(&mut self, span: Span) -> Duration {
        let width = span.most.as_micros().saturating_sub(span.least.as_micros());
        span.least + Duration::from_micros(self.below(width.saturating_add(1)))
    }
}

impl Entropy for Chance {
    fn fill(&mut self, bytes: &mut [u8]) {
        self.rng.fill_bytes(bytes);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn draw(mut chance: Chance) -> [u8; 16] {
        let mut bytes = [0; 16];
        chance.fill(&mut bytes);
        bytes
    }

    #[test]
    fn the_same_seed_gives_the_same_numbers_and_another_seed_others() {
        assert_eq!(draw(Chance::new(1)), draw(Chance::new(1)));
        assert_ne!(draw(Chance::new(1)), draw(Chance::new(2)));
    }

    #[test]
    fn a_child_does_not_depend_on_what_its_parent_or_siblings_have_drawn() {
        let mut root = Chance::new(7);
        let before = draw(root.child("car"));
        root.below(9);
        draw(root.child("charger"));
        assert_eq!(draw(root.child("car")), before);
        assert_ne!(draw(root.child("charger")), before);
        assert_ne!(draw(Chance::new(8).child("car")), before);
    }

    #[test]
    fn times_stay_within_their_span_and_reach_both_ends() {
        let mut chance = Chance::new(3);
        let drawn: Vec<u64> = (0..200).map(|_| chance.within(Span::micros(5, 8)).as_micros()).collect();
        assert_eq!((drawn.iter().min(), drawn.iter().max()), (Some(&5), Some(&8)));
    }

    #[test]
    fn what_happens_never_and_always() {
        let mut chance = Chance::new(3);
        assert!((0..100).all(|_| !chance.happens(0)));
        assert!((0..100).all(|_| chance.happens(1000)));
    }
}
