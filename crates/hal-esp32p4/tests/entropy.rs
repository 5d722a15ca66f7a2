//! The pool, its health tests and its generator.
#![allow(clippy::unwrap_used, reason = "a test ends where it fails")]

use hal_esp32p4::{Generator, Pool, Quality, Source, TooLittle};
use machine::Entropy;
use proptest::prelude::*;

/// Deterministic noise of two bits.
fn noise(seed: u32) -> impl Iterator<Item = u32> {
    let mut state = seed;
    std::iter::repeat_with(move || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        2_000 + (state >> 30)
    })
}

fn pool(adc: usize, jitter: usize) -> Pool {
    let mut pool = Pool::new();
    noise(1).take(adc).for_each(|value| pool.sample(Source::AdcNoise, value));
    noise(2).take(jitter).for_each(|value| pool.sample(Source::ClockJitter, value));
    pool
}

fn bytes(generator: &mut Generator) -> [u8; 32] {
    let mut bytes = [0; 32];
    generator.fill(&mut bytes);
    bytes
}

#[test]
fn nothing_is_generated_below_128_bits() {
    let cases = [(0, 0, 0), (600, 0, 96), (256, 255, 127), (256, 256, 128), (384, 256, 160)];
    for (adc, jitter, bits) in cases {
        let quality = pool(adc, jitter).quality();
        assert_eq!(quality.bits(), bits, "{quality}");
        assert_eq!(pool(adc, jitter).generator().is_ok(), bits >= 128, "{quality}");
    }
}

#[test]
fn no_source_of_the_chip_is_enough_alone() {
    for source in [Source::Rng, Source::AdcNoise, Source::ClockJitter] {
        let mut pool = Pool::new();
        noise(3).take(100_000).for_each(|value| pool.sample(source, value));
        let TooLittle(quality) = pool.generator().unwrap_err();
        assert!(quality.of(source) < Quality::MINIMUM, "{quality}");
    }
}

#[test]
fn the_rng_register_is_mixed_in_and_never_counted() {
    let (plain, mut mixed) = (pool(400, 300), pool(400, 300));
    mixed.sample(Source::Rng, 0x1234_5678);
    assert_eq!(mixed.quality(), plain.quality());
    assert_ne!(bytes(&mut mixed.generator().unwrap()), bytes(&mut plain.generator().unwrap()));
}

#[test]
fn a_hosts_seed_counts_where_it_is_long_enough_and_not_plain() {
    let cases: [(&[u8], u32); 6] = [
        (&[], 0),
        (&[1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15], 0),
        (&[1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16], 128),
        (&[0; 32], 0),
        (&[0xFF; 64], 0),
        (
            &[
                7, 8, 7, 8, 7, 8, 7, 8, 7, 8, 7, 8, 7, 8, 7, 8, 7, 8, 7, 8, 7, 8, 7, 8, 7, 8, 7, 8, 7, 8, 7,
                8, 9,
            ],
            256,
        ),
    ];
    for (seed, bits) in cases {
        let mut pool = Pool::new();
        pool.seed(seed);
        assert_eq!(pool.quality().bits(), bits, "{} bytes", seed.len());
        assert_eq!(pool.generator().is_ok(), bits >= 128);
    }
}

#[test]
fn a_source_that_is_stuck_counts_nothing_any_more() {
    let mut pool = pool(400, 300);
    for _ in 0..80 {
        pool.sample(Source::AdcNoise, 4_095);
    }
    assert_eq!(pool.quality().of(Source::AdcNoise), 96, "80 in a row may be");
    pool.sample(Source::AdcNoise, 4_095);
    assert_eq!(pool.quality().of(Source::AdcNoise), 0);
    noise(5).take(1_000).for_each(|value| pool.sample(Source::AdcNoise, value));
    let error = pool.generator().unwrap_err();
    let words =
        "too little entropy: 64 of 128 bits: rng 0, adc noise 0 (broken), clock jitter 64, host seed 0";
    assert!(error.to_string().starts_with(words), "{error}");
}

#[test]
fn a_source_that_gives_one_value_too_often_counts_nothing_any_more() {
    // One value in 60 differs: never 81 in a row, but 503 of 512.
    for (other_every, is_sound) in [(60, false), (8, true)] {
        let mut pool = Pool::new();
        for index in 0..512 {
            pool.sample(Source::ClockJitter, u32::from(index % other_every == 1));
        }
        assert_eq!(pool.quality().of(Source::ClockJitter) > 0, is_sound, "{other_every}");
    }
}

#[test]
fn every_sample_its_source_and_its_length_change_what_is_generated() {
    let base = || {
        let mut pool = pool(400, 300);
        pool.seed(b"0123456789abcdef");
        pool
    };
    let mut all = vec![bytes(&mut base().generator().unwrap())];
    let changes: [fn(&mut Pool); 5] = [
        |pool| pool.sample(Source::AdcNoise, 1),
        |pool| pool.sample(Source::ClockJitter, 1),
        |pool| pool.sample(Source::AdcNoise, 2),
        |pool| pool.seed(&[1, 0, 0, 0]),
        |pool| pool.seed(&[1, 0, 0]),
    ];
    for change in changes {
        let mut pool = base();
        change(&mut pool);
        all.push(bytes(&mut pool.generator().unwrap()));
    }
    let count = all.len();
    all.sort_unstable();
    all.dedup();
    assert_eq!(all.len(), count);
}

#[test]
fn two_calls_and_two_blocks_never_give_the_same() {
    let mut generator = pool(400, 300).generator().unwrap();
    let mut long = [0; 96];
    generator.fill(&mut long);
    let mut blocks: Vec<[u8; 32]> = long.chunks(32).map(|block| block.try_into().unwrap()).collect();
    blocks.extend((0..100).map(|_| bytes(&mut generator)));
    generator.stir(b"more");
    blocks.push(bytes(&mut generator));
    blocks.sort_unstable();
    blocks.dedup();
    assert_eq!(blocks.len(), 104);
}

#[test]
fn the_bytes_are_what_another_implementation_of_sha_256_makes_of_the_same() {
    // hashlib of Python: state = H(3, length, seed), block = H(1, state, 0), next state = H(2, state).
    let mut pool = Pool::new();
    pool.seed(b"0123456789abcdef");
    let mut generator = pool.generator().unwrap();
    assert_eq!(bytes(&mut generator)[..8], [0x5A, 0xB5, 0x72, 0x66, 0xB7, 0x44, 0xC9, 0x40]);
    assert_eq!(bytes(&mut generator)[..8], [0x52, 0x14, 0x7D, 0x2A, 0x14, 0x51, 0x07, 0xC8]);
}

#[test]
fn what_is_secret_is_not_printed() {
    let pool = pool(400, 300);
    let words = format!("{pool:?} {:?}", pool.generator().unwrap());
    assert_eq!(words, "Pool(160 of 128 bits: rng 0, adc noise 96, clock jitter 64, host seed 0) Generator");
}

proptest! {
    #[test]
    fn quality_never_counts_more_than_its_caps_whatever_comes(
        samples in proptest::collection::vec((0..3_usize, any::<u32>()), 0..2_000),
    ) {
        let mut pool = Pool::new();
        for (source, value) in samples {
            pool.sample([Source::Rng, Source::AdcNoise, Source::ClockJitter][source], value);
        }
        let quality = pool.quality();
        prop_assert!(quality.of(Source::AdcNoise) <= 96 && quality.of(Source::ClockJitter) <= 64);
        prop_assert_eq!((quality.of(Source::Rng), quality.of(Source::HostSeed)), (0, 0));
        prop_assert_eq!(pool.generator().is_ok(), quality.bits() >= 128);
    }
}
