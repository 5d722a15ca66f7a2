//! Runs every scenario of the library, then seeds, and reports which safety rule is broken first, and where:
//! used by `tests/mutation`. The result does not depend on the number of threads.
//!
//! ```console
//! cargo run -p fastcharge-sim --example broken -- SEEDS
//! ```
//! One line: rule, place and observation, separated by tabs; `none` if no rule is broken.
#![allow(clippy::panic, reason = "an example ends where it fails")]

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use sim::script::{self, Script, random};

/// Seeds without an argument.
const SEEDS: u64 = 1_000;

/// The first broken rule: its place in the order, and the line.
type Found = Mutex<Option<(usize, String)>>;

fn main() {
    let seeds = std::env::args().nth(1).and_then(|text| text.parse().ok()).unwrap_or(SEEDS);
    let library = script::library().unwrap_or_else(|mistake| panic!("{mistake}"));
    let (next, found) = (AtomicUsize::new(0), Found::default());
    let threads = thread::available_parallelism().map_or(1, usize::from);
    thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| search(&library, seeds, &next, &found));
        }
    });
    let found = found.into_inner().unwrap_or_default();
    println!("{}", found.map_or_else(|| "none".to_owned(), |(_, line)| line));
}

/// Runs the next script until none is left before the found one.
fn search(library: &[Script], seeds: u64, next: &AtomicUsize, found: &Found) {
    loop {
        let index = next.fetch_add(1, Ordering::Relaxed);
        let is_behind =
            found.lock().is_ok_and(|found| found.as_ref().is_some_and(|(first, _)| *first < index));
        let by_chance;
        let script = match library.get(index) {
            _ if is_behind => return,
            Some(script) => script,
            None => {
                let seed = u64::try_from(index - library.len()).unwrap_or(u64::MAX);
                by_chance = script::parse(&random::of_seed(seed)).unwrap_or_default();
                let Some(script) = by_chance.first().filter(|_| seed < seeds) else { return };
                script
            }
        };
        let verdict = script::run(script);
        let (Some(rule), Some(words)) = (verdict.rule(), &verdict.broken) else { continue };
        let place = if index < library.len() { "scenario" } else { "seed" };
        let line = format!("{rule}\t{}\t{words}", format!("{place} {} {}", verdict.id, verdict.case).trim());
        if let Ok(mut found) = found.lock()
            && found.as_ref().is_none_or(|(first, _)| index < *first)
        {
            *found = Some((index, line));
        }
    }
}
