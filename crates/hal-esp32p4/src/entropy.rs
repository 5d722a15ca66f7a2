//! Unpredictable bytes from named sources.

use core::fmt;

use machine::Entropy;
use sha2::{Digest, Sha256};

/// Where unpredictable bytes come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// The chip's RNG register. Without radio and without its ADC source it is a pseudo-random generator
    /// (esp-hal issue 5982, `trng_supported = false`): mixed in, never counted.
    Rng,
    /// Conversions of a pad that is not driven, or of the pilot: the noise of their lowest bits.
    AdcNoise,
    /// Counts of one oscillator during a time of another: the crystal against the RC oscillator.
    ClockJitter,
    /// Bytes from the operating system of a host, over the serial line.
    HostSeed,
}

/// One row for each source: name, credit of one sample (of a seed: one byte) in 1/64 bits, most bits that the
/// source counts.
type Row = (Source, &'static str, u32, u32);

const ROWS: [Row; 4] = [
    (Source::Rng, "rng", 0, 0),
    (Source::AdcNoise, "adc noise", 16, 96),
    (Source::ClockJitter, "clock jitter", 16, 64),
    (Source::HostSeed, "host seed", 512, 256),
];

/// How good a pool is: the bits of unpredictability credited to each source.
///
/// A quarter of a bit for a noise sample is judgement, not measured on a board. No source of the chip reaches
/// the minimum alone: one source that is worse than assumed does not make keys.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Quality {
    bits: [u32; ROWS.len()],
    broken: [bool; ROWS.len()],
}

impl Quality {
    /// Bits below which nothing is generated: 128, the strength of a network key.
    pub const MINIMUM: u32 = 128;

    /// Sum over all sources.
    pub fn bits(&self) -> u32 {
        self.bits.iter().sum()
    }

    /// Bits credited to one source.
    pub fn of(&self, source: Source) -> u32 {
        self.rows().find(|(row, ..)| row.0 == source).map_or(0, |(_, bits, _)| bits)
    }

    /// Whether the sum reaches [`MINIMUM`](Self::MINIMUM).
    pub fn is_enough(&self) -> bool {
        self.bits() >= Self::MINIMUM
    }

    fn rows(&self) -> impl Iterator<Item = (&'static Row, u32, bool)> + '_ {
        ROWS.iter().zip(self.bits).zip(self.broken).map(|((row, bits), broken)| (row, bits, broken))
    }
}

impl fmt::Display for Quality {
    /// `160 of 128 bits: rng 0, adc noise 96, clock jitter 64, host seed 0`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} of {} bits", self.bits(), Self::MINIMUM)?;
        let mut separator = ":";
        for (row, bits, broken) in self.rows() {
            write!(f, "{separator} {} {bits}{}", row.1, if broken { " (broken)" } else { "" })?;
            separator = ",";
        }
        Ok(())
    }
}

/// The pool has too few bits for keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("too little entropy: {0}; give a host's seed, or look at the source that is broken or counts 0")]
pub struct TooLittle(pub Quality);

/// Collects samples of all sources until they are enough.
#[derive(Clone)]
pub struct Pool {
    hash: Sha256,
    health: [Health; ROWS.len()],
    /// Credit in 1/64 bits.
    credit: [u32; ROWS.len()],
}

impl Pool {
    /// Shortest seed of a host that counts, in bytes.
    pub const SHORTEST_SEED: usize = 16;

    /// An empty pool.
    pub fn new() -> Self {
        Self { hash: Sha256::new(), health: [Health::NEW; ROWS.len()], credit: [0; ROWS.len()] }
    }

    /// Mixes in a sample of a source of the chip. A source whose samples fail a health test counts nothing
    /// from then on.
    pub fn sample(&mut self, source: Source, value: u32) {
        self.mix(source, &value.to_le_bytes());
        for ((row, health), credit) in ROWS.iter().zip(&mut self.health).zip(&mut self.credit) {
            if row.0 == source && source != Source::HostSeed {
                let is_sound = health.take(value);
                *credit = if is_sound { credit.saturating_add(row.2) } else { 0 };
            }
        }
    }

    /// Mixes in a host's seed. It counts if it has [`SHORTEST_SEED`](Self::SHORTEST_SEED) bytes that are not
    /// all equal.
    pub fn seed(&mut self, bytes: &[u8]) {
        self.mix(Source::HostSeed, bytes);
        let is_plain = bytes.iter().zip(bytes.iter().skip(1)).all(|(one, next)| one == next);
        if bytes.len() < Self::SHORTEST_SEED || is_plain {
            return;
        }
        let length = u32::try_from(bytes.len()).unwrap_or(u32::MAX);
        for (row, credit) in ROWS.iter().zip(&mut self.credit).filter(|(row, _)| row.0 == Source::HostSeed) {
            *credit = credit.saturating_add(length.saturating_mul(row.2));
        }
    }

    /// The bits collected up to now.
    pub fn quality(&self) -> Quality {
        let mut quality = Quality::default();
        for (index, row) in ROWS.iter().enumerate() {
            let credit = self.credit.get(index).map_or(0, |credit| *credit / 64);
            let broken = self.health.get(index).is_some_and(|health| health.is_broken);
            if let (Some(bits), Some(of)) = (quality.bits.get_mut(index), quality.broken.get_mut(index)) {
                (*bits, *of) = (credit.min(row.3), broken);
            }
        }
        quality
    }

    /// A generator seeded from the pool.
    ///
    /// # Errors
    /// [`TooLittle`], with the bits collected.
    pub fn generator(&self) -> Result<Generator, TooLittle> {
        let quality = self.quality();
        if !quality.is_enough() {
            return Err(TooLittle(quality));
        }
        Ok(Generator { state: self.hash.clone().finalize().into() })
    }

    fn mix(&mut self, source: Source, bytes: &[u8]) {
        // Name and length precede the bytes, so that different samples never give the same input to the
        // hash.
        self.hash.update([source as u8]);
        self.hash.update(u64::try_from(bytes.len()).unwrap_or(u64::MAX).to_le_bytes());
        self.hash.update(bytes);
    }
}

impl Default for Pool {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for Pool {
    /// Only the quality: the state is secret.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Pool({})", self.quality())
    }
}

/// The two health tests of NIST SP 800-90B (4.4.1, 4.4.2) for a quarter of a bit in a sample and one false
/// alarm in 2^20.
#[derive(Clone, Copy)]
struct Health {
    last: Option<u32>,
    repeats: u16,
    /// The value whose share of a window is counted, how often it came, and how many samples the window has.
    watched: u32,
    seen: u16,
    window: u16,
    is_broken: bool,
}

impl Health {
    const NEW: Self = Self { last: None, repeats: 0, watched: 0, seen: 0, window: 0, is_broken: false };
    /// Most repetitions of one value in a row: 1 + 20 / 0.25.
    const REPEATS: u16 = 81;
    /// Samples of a window.
    const WINDOW: u16 = 512;
    /// Most occurrences of the first value in a window: the 1 - 2^-20 quantile of 512 samples that show it
    /// with probability 2^-0.25.
    const SHARE: u16 = 468;

    /// Checks a sample; `false`: the source is faulty.
    fn take(&mut self, value: u32) -> bool {
        self.repeats = if self.last == Some(value) { self.repeats.saturating_add(1) } else { 1 };
        self.last = Some(value);
        if self.window == 0 {
            (self.watched, self.seen) = (value, 0);
        }
        self.window += 1;
        self.seen += u16::from(value == self.watched);
        self.is_broken |= self.repeats >= Self::REPEATS || self.seen >= Self::SHARE;
        self.window %= Self::WINDOW;
        !self.is_broken
    }
}

/// Generates bytes: SHA-256 over a secret state that is replaced after every call, so that earlier output
/// cannot be computed from it.
pub struct Generator {
    state: [u8; 32],
}

impl Generator {
    /// Mixes in further bytes, at any time: they cannot weaken the state.
    pub fn stir(&mut self, bytes: &[u8]) {
        self.state = Self::hash(Self::STIR, &self.state, bytes);
    }

    const BLOCK: u8 = 1;
    const NEXT: u8 = 2;
    const STIR: u8 = 3;

    fn hash(purpose: u8, state: &[u8; 32], bytes: &[u8]) -> [u8; 32] {
        Sha256::new().chain_update([purpose]).chain_update(state).chain_update(bytes).finalize().into()
    }
}

impl Entropy for Generator {
    fn fill(&mut self, bytes: &mut [u8]) {
        for (number, block) in (0_u32..).zip(bytes.chunks_mut(32)) {
            let made = Self::hash(Self::BLOCK, &self.state, &number.to_le_bytes());
            for (to, from) in block.iter_mut().zip(made) {
                *to = from;
            }
        }
        self.state = Self::hash(Self::NEXT, &self.state, &[]);
    }
}

impl fmt::Debug for Generator {
    /// Prints nothing of the state: it is secret.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Generator")
    }
}
